//! The hub comes back from yesterday's backup: what it forgot is sent to it again, and nothing vanishes here meanwhile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "test code")]

mod common;

use common::*;
use parkdesk_domain::body::FileClass;
use parkdesk_domain::command::{Change, Command, PhotoAssign, PhotoBytesStored, PhotoWithdraw};
use parkdesk_domain::ids::{BlobId, Millis};
use parkdesk_sqlite::{AttentionKind, Depth, Key, Origin, Priority, Replica};
use serde_json::Value;

/// The hub as it was, with a new epoch.
fn restored(backup: &Hub) -> Hub {
    Hub { epoch: backup.epoch + 1, ..backup.clone() }
}

fn names(replica: &Replica) -> Vec<String> {
    let rows = replica.read(|tx| tx.rows_of(&fleet())).unwrap();
    rows.into_iter().filter(|row| row.kind.as_str() == "driver").map(|row| row.id.to_string()).collect()
}

#[test]
fn acknowledged_work_that_the_hub_lost_is_sent_again_and_stays_in_sight() {
    let (mut hub, replica) = with_driver();
    let backup = hub.clone();
    submit(&replica, 2, new_driver("v2", "Петров", None, None));
    submit(&replica, 3, edit("v1", "comment", Value::Null, "после копии".into()));
    exchange(&replica, &mut hub);
    exchange(&replica, &mut hub);
    assert_eq!(pending(&replica), 0, "acknowledged and gone from the queue");

    let mut hub = restored(&backup);
    pull_all(&replica, &hub);
    assert_eq!(names(&replica), ["v1", "v2"], "nothing vanishes");
    assert_eq!(comment(&replica, "v1").as_deref(), Some("после копии"));
    assert!(pending(&replica) >= 2, "it waits again, and that is told");

    for _ in 0..3 {
        exchange(&replica, &mut hub);
    }
    assert_eq!(pending(&replica), 0);
    equal_to_hub(&replica, &hub);
    assert_eq!(names(&replica), ["v1", "v2"]);
    assert_eq!(comment(&replica, "v1").as_deref(), Some("после копии"));
    let findings = replica.examine(Depth::Thorough).unwrap();
    assert!(findings.iter().all(|finding| finding.faults == 0), "{findings:?}");
}

#[test]
fn what_the_backup_holds_is_answered_with_its_first_verdict_and_not_done_twice() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, new_driver("v2", "Петров", None, None));
    exchange(&replica, &mut hub);
    let judged = hub.judged.len();
    let mut hub = restored(&hub);
    pull_all(&replica, &hub);
    exchange(&replica, &mut hub);
    exchange(&replica, &mut hub);
    assert_eq!((pending(&replica), hub.judged.len()), (0, judged));
    equal_to_hub(&replica, &hub);
}

#[test]
fn a_verdict_that_changes_is_shown_to_a_person() {
    let (mut hub, replica) = with_driver();
    let backup = hub.clone();
    submit(&replica, 2, new_driver("v2", "Петров", Some("99 АА 000001"), None));
    exchange(&replica, &mut hub);
    let mut hub = restored(&backup);
    // Somebody else was faster with this licence in the new history.
    hub.own(50, new_driver("v3", "Сидоров", Some("99 АА 000001"), None));
    pull_all(&replica, &hub);
    exchange(&replica, &mut hub);
    exchange(&replica, &mut hub);
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [AttentionKind::Refused]);
    assert_eq!(names(&replica), ["v1", "v3"]);
}

/// A photo of `v1` made here whose files arrived at the hub; and the hub as it was before it.
fn with_photo(dir: &std::path::Path) -> (Hub, Hub, Replica) {
    let mut hub = Hub::new();
    let replica = Replica::open(dir, &Key::from_bytes([7; 32])).unwrap();
    enrol(&replica, &hub);
    submit(&replica, 1, new_driver("v1", "Иванов", None, None));
    exchange(&replica, &mut hub);
    let backup = hub.clone();
    for (class, bytes) in [(FileClass::Original, b"original f1".as_slice()), (FileClass::Thumb, b"thumb f1")] {
        let stored = replica.put_file(&id("v1"), class, bytes).unwrap();
        replica.write(Priority::Person, |tx| tx.add_blob(&stored.to_blob(Origin::Local), Millis(1))).unwrap();
    }
    submit(&replica, 2, capture("f1", "v1"));
    exchange(&replica, &mut hub);
    assert_eq!(uploads(&replica).len(), 2);
    for (n, text) in [(60, "original f1"), (61, "thumb f1")] {
        let (photo, park, blob) = (id("f1"), id("p1"), BlobId::of(text.as_bytes()));
        hub.own(n, Command::PhotoBytesStored(PhotoBytesStored { photo, park, blob }));
    }
    pull_all(&replica, &hub);
    assert!(uploads(&replica).is_empty());
    (hub, backup, replica)
}

fn uploads(replica: &Replica) -> Vec<BlobId> {
    replica.read(|tx| tx.uploads(10)).unwrap().into_iter().map(|file| file.id).collect()
}

#[test]
fn what_is_planned_over_an_older_row_does_not_tell_that_the_hub_has_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, backup, replica) = with_photo(dir.path());
    submit(&replica, 3, new_driver("v2", "Петров", None, None));
    let moved = |was, now| {
        let driver = Change { was: id(was), now: id(now) };
        Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver })
    };
    submit(&replica, 4, moved("v1", "v2"));
    exchange(&replica, &mut hub);
    hub.own(70, moved("v2", "v1"));
    pull_all(&replica, &hub);
    let mut hub = restored(&backup);
    // The scope of cards comes first: the photo is assigned again over the row of the old history.
    pull_all(&replica, &hub);
    for _ in 0..3 {
        exchange(&replica, &mut hub);
    }
    assert_eq!(uploads(&replica).len(), 2, "the hub has neither");
}

#[test]
fn a_photo_taken_back_elsewhere_is_taken_back_again_since_its_bytes_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, backup, replica) = with_photo(dir.path());
    hub.own(70, Command::PhotoWithdraw(PhotoWithdraw { photo: id("f1"), park: id("p1") }));
    pull_all(&replica, &hub);
    replica.empty_trash().unwrap();
    let mut hub = restored(&backup);
    pull_all(&replica, &hub);
    for _ in 0..3 {
        exchange(&replica, &mut hub);
    }
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    assert!(hub.rows[&at].body.contains("\"status\":\"withdrawn\""), "{}", hub.rows[&at].body);
    assert!(hub.rows[&at].body.contains("\"withdrawn_by\":\"device/"), "not the photographer: {}", hub.rows[&at].body);
    assert!(uploads(&replica).is_empty());
    assert!(replica.read(|tx| tx.needs_attention()).unwrap().is_empty(), "nobody is bothered with it");
    equal_to_hub(&replica, &hub);
}

#[test]
fn files_made_here_are_offered_to_the_hub_again() {
    let dir = tempfile::tempdir().unwrap();
    let (_, backup, replica) = with_photo(dir.path());
    let original = BlobId::of(b"original f1");

    let mut hub = restored(&backup);
    pull_all(&replica, &hub);
    assert_eq!(replica.read_file(&original).unwrap(), b"original f1", "the bytes stay");
    exchange(&replica, &mut hub);
    exchange(&replica, &mut hub);
    assert_eq!(uploads(&replica).len(), 2, "both files are asked for and sent again");
    assert_eq!(replica.read_file(&original).unwrap(), b"original f1");
}

#[test]
fn a_conflict_that_was_told_is_not_told_again() {
    let (mut hub, replica) = with_driver();
    hub.own(50, edit("v1", "comment", Value::Null, "их".into()));
    submit(&replica, 2, edit("v1", "comment", Value::Null, "моё".into()));
    exchange(&replica, &mut hub);
    exchange(&replica, &mut hub);
    let entries = || replica.read(|tx| tx.needs_attention()).unwrap();
    let told = entries().len();
    let mut hub = restored(&hub);
    pull_all(&replica, &hub);
    for _ in 0..3 {
        exchange(&replica, &mut hub);
    }
    assert_eq!((pending(&replica), entries().len()), (0, told));
}

#[test]
fn an_upgrade_cut_off_before_the_tables_were_made_anew_goes_on_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let key = || Key::from_bytes([7; 32]);
    let mut hub = Hub::new();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    enrol(&replica, &hub);
    hub.own(50, new_driver("v1", "Иванов", None, None));
    pull_all(&replica, &hub);
    drop(replica);
    let conn = rusqlite::Connection::open(dir.path().join("replica.db")).unwrap();
    conn.pragma_update(None, "key", format!("x'{}'", "07".repeat(32))).unwrap();
    conn.execute_batch("DELETE FROM drivers; INSERT INTO settings VALUES ('rebuild', '1');").unwrap();
    drop(conn);
    for _ in 0..2 {
        let replica = Replica::open(dir.path(), &key()).unwrap();
        let findings = replica.examine(Depth::Thorough).unwrap();
        assert!(findings.iter().all(|finding| finding.faults == 0), "{findings:?}");
        assert_eq!(replica.read(|tx| tx.setting("rebuild")).unwrap(), None);
    }
}
