//! The doctor finds what is not as it must be, and nothing where all is well.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "test code")]

mod common;

use std::path::{Path, PathBuf};

use common::*;
use parkdesk_domain::body::FileClass;
use parkdesk_domain::ids::Millis;
use parkdesk_sqlite::{Check, Depth, Finding, Key, Origin, Priority, Replica};

/// Somebody else's hand at the file, with the right key.
fn by_hand(dir: &Path, sql: &str) {
    let conn = rusqlite::Connection::open(dir.join("replica.db")).unwrap();
    conn.pragma_update(None, "key", format!("x'{}'", "07".repeat(32))).unwrap();
    conn.execute_batch(sql).unwrap();
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

/// A desk at work: rows of the hub, an edit that waits, a photo whose files were not sent.
fn at_work(dir: &Path) -> Replica {
    let mut hub = Hub::new();
    let replica = Replica::open(dir, &key()).unwrap();
    enrol(&replica, &hub);
    submit(&replica, 1, new_driver("v1", "Иванов", Some("77 АБ 123456"), Some("А123ВС77")));
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    submit(&replica, 2, new_driver("v2", "Петров", None, None));
    submit(&replica, 3, edit("v1", "comment", serde_json::Value::Null, "ждёт".into()));
    let stored = replica.put_file(&id("v1"), FileClass::Original, b"bytes of a picture").unwrap();
    replica.write(Priority::Person, |tx| tx.add_blob(&stored.to_blob(Origin::Local), Millis(1))).unwrap();
    replica
}

fn objects(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { objects(&path) } else { vec![path] }).collect()
}

fn faults(findings: &[Finding]) -> Vec<Check> {
    findings.iter().filter(|finding| finding.faults > 0).map(|finding| finding.check).collect()
}

/// What the doctor says after this statement was run on the file by somebody else's hand.
fn after(sql: &str) -> Vec<Check> {
    let dir = tempfile::tempdir().unwrap();
    let replica = at_work(dir.path());
    by_hand(dir.path(), sql);
    faults(&replica.examine(Depth::Thorough).unwrap())
}

#[test]
fn a_sound_replica_has_no_finding_and_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let replica = at_work(dir.path());
    let before = replica.read(|tx| tx.rows_of(&fleet())).unwrap();
    let findings = replica.examine(Depth::Thorough).unwrap();
    assert_eq!(faults(&findings), [], "{findings:?}");
    assert_eq!(findings.iter().map(|finding| finding.check).collect::<Vec<_>>(), Check::ALL);
    assert!(findings.iter().all(|finding| finding.examined > 0), "{findings:?}");
    assert_eq!(replica.read(|tx| tx.rows_of(&fleet())).unwrap(), before);
    let quick = replica.examine(Depth::Quick).unwrap();
    assert!(quick.iter().all(|finding| !finding.check.is_thorough() && finding.faults == 0), "{quick:?}");
}

#[test]
fn each_broken_invariant_is_found() {
    for (sql, check) in [
        ("UPDATE rows SET body = replace(body, 'Иванов', 'Иванова') WHERE id = 'v1'", Check::RowHashes),
        ("UPDATE rows SET version = version + 100 WHERE kind = 'park_card'", Check::Cursors),
        ("UPDATE outbox SET seq = seq + 50 WHERE seq = (SELECT max(seq) FROM outbox)", Check::Queue),
        ("DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)", Check::Queue),
        ("DELETE FROM shadow WHERE id = 'v1'", Check::Shadows),
        ("DELETE FROM pending_touch WHERE is_write = 1", Check::Shadows),
        ("DELETE FROM blob_holders", Check::Unsent),
        ("UPDATE drivers SET last_name = 'Сидоров' WHERE id = 'v1'", Check::Typed),
        ("UPDATE driver_docs SET sort_name = 'сидоров' WHERE driver_id = 'v1'", Check::Typed),
        ("DELETE FROM driver_keys WHERE space = 'licence'", Check::Typed),
        ("UPDATE rows SET body = (SELECT body FROM shadow WHERE id = 'v1'), hash = (SELECT hash FROM shadow WHERE id = 'v1')
          WHERE id = 'v1'", Check::Plans),
    ] {
        let found = after(sql);
        assert!(found.contains(&check), "{sql}: {found:?}");
    }
}

#[test]
fn files_are_missed_at_a_glance_and_read_through_when_all_is_examined() {
    let dir = tempfile::tempdir().unwrap();
    let replica = at_work(dir.path());
    let object = objects(&dir.path().join("blobs")).remove(0);
    let mut bytes = std::fs::read(&object).unwrap();
    bytes[30] ^= 1;
    std::fs::write(&object, &bytes).unwrap();
    let files = |depth| faults(&replica.examine(depth).unwrap());
    assert_eq!(files(Depth::Quick), []);
    assert_eq!(files(Depth::Thorough), [Check::Files]);
    std::fs::remove_file(&object).unwrap();
    assert_eq!(files(Depth::Quick), [Check::Files]);
}

#[test]
fn a_finding_names_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let replica = at_work(dir.path());
    by_hand(dir.path(), "UPDATE rows SET hash = 'x' WHERE kind = 'driver'");
    let findings = replica.examine(Depth::Thorough).unwrap();
    let first = findings.iter().find_map(|finding| finding.first.clone()).unwrap();
    assert!(first.starts_with("driver ") && !first.contains("v1") && !first.contains("v2"), "{first}");
}
