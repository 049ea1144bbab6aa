//! Files, keys and templates on disk: what survives, what cannot be read, what is destroyed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;
use std::path::Path;

use common::*;
use parkdesk_domain::body::{FaceBox, FileClass};
use parkdesk_domain::command::{Change, Command, PhotoAssign, PhotoWithdraw};
use parkdesk_domain::ids::{BlobId, Millis};
use parkdesk_domain::row::Write;
use parkdesk_sqlite::{
    Download, Error, Key, NewTemplate, NewUnassigned, OpenError, Origin, Priority, Replica, Settle, Settler, Sum,
    Taken, TakenOutcome, ToMove,
};
use serde_json::json;

const CANARY: &[u8] = b"canary-of-a-face-0123456789abcdef";

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn holds(dir: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holds(&path, needle));
        } else if fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn canary() -> Vec<u8> {
    CANARY.repeat(4000)
}

/// A replica with driver `v1` and photo `f1` whose original is the canary.
fn with_photo(dir: &Path) -> (Hub, Replica, BlobId) {
    let mut hub = Hub::new();
    let replica = Replica::open(dir, &key()).unwrap();
    enrol(&replica, &hub);
    submit(&replica, 1, new_driver("v1", "Иванов", None, None));
    let stored = replica.put_file(&id("v1"), FileClass::Original, &canary()).unwrap();
    let thumb = replica.put_file(&id("v1"), FileClass::Thumb, b"thumb f1").unwrap();
    replica
        .write(Priority::Person, |tx| {
            tx.add_blob(&stored.to_blob(Origin::Local), Millis(1))?;
            tx.add_blob(&thumb.to_blob(Origin::Local), Millis(1))
        })
        .map_err(|error: Error| error)
        .unwrap();
    let Command::PhotoCapture(mut args) = capture("f1", "v1") else { unreachable!() };
    args.original.id = stored.id.clone();
    args.original.size_bytes = stored.size_bytes;
    submit(&replica, 2, Command::PhotoCapture(args));
    let template = NewTemplate {
        photo: id("f1"),
        face: FaceBox { x: 1, y: 2, w: 3, h: 4 },
        person: id("v1"),
        model_id: "m".into(),
        aligner_id: "a".into(),
        vector: CANARY.to_vec(),
    };
    replica.write(Priority::Person, |tx| tx.put_template(&template)).unwrap();
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    (hub, replica, stored.id)
}

#[test]
fn photos_and_templates_are_in_no_file_in_plain_and_gone_with_the_persons_key() {
    let dir = tempfile::tempdir().unwrap();
    let (_, replica, blob) = with_photo(dir.path());
    assert!(replica.read_file(&blob).unwrap() == canary());
    assert_eq!(replica.templates("m", "a").unwrap()[0].vector, CANARY);
    assert!(replica.templates("other", "a").unwrap().is_empty());
    assert_eq!(holds(dir.path(), CANARY), Vec::<String>::new());

    // A copy made before, as a thief or a backup has it.
    let copy = tempfile::tempdir().unwrap();
    let backup = copy.path().join("replica.db");
    replica.backup_to(&backup).unwrap();
    replica.destroy_person_key(&id("v1")).unwrap();
    assert!(matches!(replica.read_file(&blob), Err(Error::Missing { .. })));
    assert!(replica.templates("m", "a").unwrap().is_empty());
    assert!(matches!(replica.person_key(&id("v1")), Err(Error::KeyDestroyed(_))), "it is not made again in silence");
    assert!(matches!(replica.put_file(&id("v1"), FileClass::Thumb, b"x"), Err(Error::KeyDestroyed(_))));
    assert_eq!(holds(dir.path(), CANARY), Vec::<String>::new());
    drop(replica);
    fs::copy(&backup, dir.path().join("replica.db")).unwrap();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert!(replica.templates("m", "a").unwrap().is_empty(), "the copy's templates do not open either");
    assert!(matches!(replica.read_file(&blob), Err(Error::KeyDestroyed(_))));
}

#[test]
fn a_file_is_sent_only_after_its_command_was_applied_thumbs_first() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, blob) = with_photo(dir.path());
    let uploads = replica.read(|tx| tx.uploads(10)).unwrap();
    assert_eq!(uploads.iter().map(|u| u.class).collect::<Vec<_>>(), [FileClass::Thumb, FileClass::Original]);
    replica.write(Priority::Sync, |tx| tx.park_upload(&blob, "too_large", Millis(9))).unwrap();
    assert_eq!(replica.read(|tx| tx.uploads(10)).unwrap().len(), 1);
    assert_eq!(replica.read(|tx| tx.needs_attention()).unwrap()[0].blob.as_ref(), Some(&blob));
    // The hub's row says that it has both: nothing more to send.
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&at].body).unwrap();
    body["original"]["stored"] = json!(true);
    body["thumb"]["stored"] = json!(true);
    hub.write(&[Write::put(at, &body).unwrap()]);
    pull_all(&replica, &hub);
    assert!(replica.read(|tx| tx.uploads(10)).unwrap().is_empty());
    assert!(replica.read(|tx| tx.wanted_downloads(10)).unwrap().is_empty(), "the bytes are here");
    let other = enrolled(&hub);
    let wanted = other.read(|tx| tx.wanted_downloads(10)).unwrap();
    assert_eq!(wanted.iter().map(|w| w.class).collect::<Vec<_>>(), [FileClass::Thumb, FileClass::Original]);
    assert_eq!((&wanted[1].id, &wanted[1].driver), (&blob, &id("v1")));
    other.write(Priority::Sync, |tx| tx.park_blob(&wanted[1], "hash_mismatch", Millis(9))).unwrap();
    assert_eq!(other.read(|tx| tx.wanted_downloads(10)).unwrap().len(), 1);
}

#[test]
fn the_sums_are_of_all_files_to_move_and_tell_whole_pictures_that_are_not_urgent_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, original) = with_photo(dir.path());
    let whole = u64::try_from(canary().len()).unwrap();
    let thumb = Sum { files: 1, bytes: 8 };
    let apart = ToMove { first: thumb, patient: Sum { files: 1, bytes: whole } };
    assert_eq!(replica.read(|tx| tx.uploads_sum(&[])).unwrap(), apart);
    let together = ToMove { first: Sum { files: 2, bytes: 8 + whole }, patient: Sum::default() };
    let urgent = [original];
    assert_eq!(replica.read(|tx| tx.uploads_sum(&urgent)).unwrap(), together);
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&at].body).unwrap();
    body["original"]["stored"] = json!(true);
    body["thumb"]["stored"] = json!(true);
    hub.write(&[Write::put(at, &body).unwrap()]);
    pull_all(&replica, &hub);
    assert_eq!(replica.read(|tx| tx.uploads_sum(&[])).unwrap(), ToMove::default(), "the hub has them");
    assert_eq!(replica.read(|tx| tx.downloads_sum(&[])).unwrap(), ToMove::default(), "the bytes are here");
    let other = enrolled(&hub);
    assert_eq!(other.read(|tx| tx.downloads_sum(&[])).unwrap(), apart);
    assert_eq!(other.read(|tx| tx.downloads_sum(&urgent)).unwrap(), together);
}

#[test]
fn a_refused_photo_keeps_its_files_until_it_is_discarded() {
    let dir = tempfile::tempdir().unwrap();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    let mut hub = Hub::new();
    let stored = replica.put_file(&id("v9"), FileClass::Original, b"original f1").unwrap();
    replica.write(Priority::Person, |tx| tx.add_blob(&stored.to_blob(Origin::Local), Millis(1))).unwrap();
    // Not enrolled yet: nothing is known, so nothing is refused here.
    submit(&replica, 1, capture("f1", "v9"));
    enrol(&replica, &hub);
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    let entry = replica.read(|tx| tx.needs_attention()).unwrap().remove(0);
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert_eq!(replica.read_file(&stored.id).unwrap(), b"original f1");
    let mut new_id = || command_id(9);
    replica
        .write(Priority::Person, |tx| {
            let actor = parkdesk_domain::command::Actor::User(id("u1"));
            tx.settle(entry.id, Settle::Discard, &mut Settler { actor, now: Millis(9), new_id: &mut new_id })
        })
        .unwrap();
    replica.empty_trash().unwrap();
    assert!(matches!(replica.read_file(&stored.id), Err(Error::Missing { .. })));
}

#[test]
fn an_object_without_a_row_is_swept_at_the_next_start_and_the_trays_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    replica.put_file(&id("v1"), FileClass::Original, b"orphan").unwrap();
    let kept = replica.put_file(&id("entry1"), FileClass::Original, b"kept").unwrap();
    let entry = NewUnassigned {
        id: id("entry1"),
        name: "a.jpg".into(),
        source_sha256: BlobId::of(b"source"),
        park: Some(id("p1")),
        source: "folder".into(),
        files: vec![(FileClass::Original, kept.id.clone())],
        analysis: "{}".into(),
        offers: "[]".into(),
        reason: "no_face".into(),
        captured_at_ms: Millis(3),
    };
    let taken = Taken {
        sha256: BlobId::of(b"source"),
        name: "a.jpg".into(),
        outcome: TakenOutcome::Tray,
        subject: Some("entry1".into()),
        at_ms: Millis(4),
    };
    replica
        .write(Priority::Person, |tx| {
            tx.add_blob(&kept.to_blob(Origin::Local), Millis(1))?;
            tx.record_taken(&taken)?;
            tx.add_unassigned(&entry, Millis(4))
        })
        .map_err(|error: Error| error)
        .unwrap();
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    replica.write(Priority::Person, |tx| tx.release_unreferenced()).unwrap();
    replica.empty_trash().unwrap();
    assert_eq!(replica.read_file(&kept.id).unwrap(), b"kept");
    let waiting = replica.read(|tx| tx.unassigned()).unwrap();
    assert_eq!(waiting[0].entry, entry);
    assert_eq!(replica.read(|tx| tx.unassigned_entry(&id("entry1"))).unwrap().as_ref(), waiting.first());
    assert_eq!(replica.read(|tx| tx.taken_file(&taken.sha256)).unwrap(), Some(taken));
    assert!(replica.read(|tx| tx.uploads(9)).unwrap().is_empty(), "the tray's files are not sent");
    let objects = walk(&dir.path().join("blobs"));
    assert_eq!(objects, 1, "the orphan is gone");

    // A driver is named: sealed anew with the driver's key, the entry's object goes.
    let again = replica.put_file(&id("v1"), FileClass::Original, b"kept").unwrap();
    replica
        .write(Priority::Person, |tx| {
            tx.add_blob(&again.to_blob(Origin::Local), Millis(5))?;
            tx.remove_unassigned(&id("entry1"))
        })
        .map_err(|error: Error| error)
        .unwrap();
    replica.empty_trash().unwrap();
    replica.destroy_person_key(&id("entry1")).unwrap();
    assert_eq!(replica.read_file(&kept.id).unwrap(), b"kept");
    assert_eq!(walk(&dir.path().join("blobs")), 1);
}

/// A picture waiting in the tray under `entry`, with the canary as its original.
fn into_tray(replica: &Replica, entry: &str) -> BlobId {
    put_into_tray(replica, entry, &canary())
}

fn put_into_tray(replica: &Replica, entry: &str, picture: &[u8]) -> BlobId {
    let stored = replica.put_file(&id(entry), FileClass::Original, picture).unwrap();
    let new = NewUnassigned {
        id: id(entry),
        name: "b.jpg".into(),
        source_sha256: BlobId::of(b"other metadata"),
        park: Some(id("p1")),
        source: "folder".into(),
        files: vec![(FileClass::Original, stored.id.clone())],
        analysis: "{}".into(),
        offers: "[]".into(),
        reason: "no_face".into(),
        captured_at_ms: Millis(3),
    };
    replica
        .write(Priority::Person, |tx| {
            tx.add_blob(&stored.to_blob(Origin::Local), Millis(3))?;
            tx.add_unassigned(&new, Millis(4))
        })
        .map_err(|error: Error| error)
        .unwrap();
    replica.empty_trash().unwrap();
    stored.id
}

fn discard(replica: &Replica, entry: &str) {
    replica
        .write(Priority::Person, |tx| {
            tx.remove_unassigned(&id(entry))?;
            tx.release_unreferenced()
        })
        .map_err(|error: Error| error)
        .unwrap();
    replica.destroy_person_key(&id(entry)).unwrap();
}

#[test]
fn a_drivers_photo_outlives_the_same_picture_thrown_out_of_the_tray() {
    let dir = tempfile::tempdir().unwrap();
    let (_hub, replica, blob) = with_photo(dir.path());
    assert_eq!(into_tray(&replica, "entry1"), blob, "the same bytes");
    discard(&replica, "entry1");
    assert!(replica.read_file(&blob).unwrap() == canary());
    assert_eq!(replica.read(|tx| tx.blob(&blob)).unwrap().unwrap().parked, None);
    assert!(replica.read(|tx| tx.uploads(9)).unwrap().iter().any(|upload| upload.id == blob), "it is still sent");
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert!(replica.read_file(&blob).unwrap() == canary());
    assert_eq!(walk(&dir.path().join("blobs")), 2, "the entry's own object is gone");
}

#[test]
fn a_picture_in_the_tray_outlives_the_same_picture_of_a_driver() {
    let dir = tempfile::tempdir().unwrap();
    let (_hub, replica, blob) = with_photo(dir.path());
    into_tray(&replica, "entry1");
    replica.destroy_person_key(&id("v1")).unwrap();
    assert!(replica.read_file(&blob).unwrap() == canary());
    assert_eq!(walk(&dir.path().join("blobs")), 1, "the driver's own objects are gone");
    discard(&replica, "entry1");
    assert!(matches!(replica.read_file(&blob), Err(Error::Missing { .. })));
}

#[test]
fn a_driver_whose_photo_only_the_tray_held_gets_it_from_the_hub_after_a_discard() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut hub, _replica, blob) = with_photo(first.path());
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&at].body).unwrap();
    body["original"]["stored"] = json!(true);
    hub.write(&[Write::put(at, &body).unwrap()]);
    let other = Replica::open(second.path(), &key()).unwrap();
    into_tray(&other, "entry1");
    enrol(&other, &hub);
    let wants = || other.read(|tx| tx.wanted_downloads(9)).unwrap().iter().any(|wanted| wanted.id == blob);
    assert!(!wants(), "the bytes are here");
    discard(&other, "entry1");
    assert!(wants());
}

/// An appliance that wants the original of `f1`.
fn wanting(dir: &Path) -> (Hub, Replica, Download) {
    let made = tempfile::tempdir().unwrap();
    let (mut hub, _replica, _) = with_photo(made.path());
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&at].body).unwrap();
    body["original"]["stored"] = json!(true);
    hub.write(&[Write::put(at, &body).unwrap()]);
    let replica = Replica::open(dir, &key()).unwrap();
    enrol(&replica, &hub);
    pull_all(&replica, &hub);
    let wanted = replica.read(|tx| tx.wanted_downloads(9)).unwrap().remove(0);
    (hub, replica, wanted)
}

#[test]
fn an_unfinished_download_outlives_a_restart_sealed_and_goes_with_the_persons_key() {
    let dir = tempfile::tempdir().unwrap();
    let (_hub, replica, wanted) = wanting(dir.path());
    let plain = canary();
    assert!(replica.partial(&wanted).unwrap().is_empty());
    for from in [0, 1000, 70_000] {
        let until = [1000, 70_000, 90_000].into_iter().find(|end| *end > from).unwrap();
        replica.keep_partial(&wanted, from as u64, &plain[from..until]).unwrap();
    }
    replica.keep_partial(&wanted, 95_000, &plain[95_000..96_000]).unwrap();
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert!(replica.partial(&wanted).unwrap() == plain[..90_000], "what lies behind a gap is no use");
    assert_eq!(holds(dir.path(), CANARY), Vec::<String>::new());
    assert!(!names(&dir.path().join("partial")).iter().any(|name| name.contains(wanted.id.as_str())));
    // Cut off by a crash in the middle of the second range: what comes before it counts.
    let parts = dir.path().join("partial");
    let second = names(&parts).into_iter().find(|name| name.ends_with(&format!(".{:016x}", 1000))).unwrap();
    fs::write(parts.join(&second), b"half").unwrap();
    assert!(replica.partial(&wanted).unwrap() == plain[..1000]);
    replica.destroy_person_key(&wanted.driver).unwrap();
    assert!(matches!(replica.partial(&wanted), Err(Error::KeyDestroyed(_))));
    drop(replica);
    Replica::open(dir.path(), &key()).unwrap();
    assert!(names(&parts).is_empty(), "nobody can read them any more");
}

#[test]
fn parts_of_a_file_go_when_it_is_here_or_spoiled_or_wanted_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, wanted) = wanting(dir.path());
    let parts = dir.path().join("partial");
    replica.keep_partial(&wanted, 0, b"one").unwrap();
    replica.keep_partial(&wanted, 3, b"two").unwrap();
    replica.drop_partial(&wanted).unwrap();
    assert!(names(&parts).is_empty());
    replica.keep_partial(&wanted, 0, b"one").unwrap();
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert_eq!(names(&parts).len(), 1, "still wanted");
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&at].body).unwrap();
    body["original"]["stored"] = json!(false);
    hub.write(&[Write::put(at, &body).unwrap()]);
    pull_all(&replica, &hub);
    drop(replica);
    Replica::open(dir.path(), &key()).unwrap();
    assert!(names(&parts).is_empty());
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn walk(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[test]
fn a_lost_file_is_never_replaced_by_an_empty_one() {
    for lost in ["replica.db", "keys.db"] {
        let dir = tempfile::tempdir().unwrap();
        drop(Replica::open(dir.path(), &key()).unwrap());
        fs::remove_file(dir.path().join(lost)).unwrap();
        let error = Replica::open(dir.path(), &key()).unwrap_err();
        assert!(matches!(error, OpenError::File(parkdesk_sqlcipher::OpenError::Missing(_))), "{lost}: {error}");
        assert!(!dir.path().join(lost).exists());
    }
}

#[test]
fn a_damaged_replica_is_moved_aside_and_its_unsent_commands_saved() {
    let dir = tempfile::tempdir().unwrap();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    submit(&replica, 1, capture("f1", "v1"));
    submit(&replica, 2, capture("f2", "v1"));
    drop(replica);
    let (replica, salvaged) = Replica::salvage(dir.path(), &key(), "page 12 is damaged", Millis(77)).unwrap();
    assert_eq!((salvaged.commands, salvaged.unread), (2, None));
    assert!(salvaged.aside.exists());
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!(entries.len(), 2);
    let mut n = 10;
    let mut new_id = || {
        n += 1;
        command_id(n)
    };
    for entry in entries {
        replica
            .write(Priority::Person, |tx| {
                let actor = parkdesk_domain::command::Actor::User(id("u1"));
                tx.settle(entry.id, Settle::Retry, &mut Settler { actor, now: Millis(9), new_id: &mut new_id })
            })
            .unwrap();
    }
    assert_eq!(replica.read(|tx| tx.pending_summary()).unwrap().count, 2);
}

#[test]
fn salvage_keeps_the_files_that_only_this_appliance_has() {
    let dir = tempfile::tempdir().unwrap();
    let (_hub, replica, blob) = with_photo(dir.path());
    let waiting = replica.put_file(&id("v1"), FileClass::Thumb, b"thumb f2").unwrap();
    replica.write(Priority::Person, |tx| tx.add_blob(&waiting.to_blob(Origin::Local), Millis(2))).unwrap();
    submit(&replica, 3, capture("f2", "v1"));
    let unknown = put_into_tray(&replica, "entry1", b"a picture of nobody known");
    drop(replica);
    let (replica, salvaged) = Replica::salvage(dir.path(), &key(), "damaged", Millis(77)).unwrap();
    assert_eq!((salvaged.commands, salvaged.files, salvaged.unread), (1, 4, None));
    drop(replica);
    // The sweep at the next start finds a row for each object.
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert!(replica.read_file(&blob).unwrap() == canary());
    assert_eq!(replica.read_file(&waiting.id).unwrap(), b"thumb f2");
    let tray = replica.read(|tx| tx.unassigned()).unwrap();
    assert_eq!((tray.len(), &tray[0].entry.files), (1, &vec![(FileClass::Original, unknown.clone())]));
    assert_eq!(replica.read_file(&unknown).unwrap(), b"a picture of nobody known");
    assert_eq!(replica.read(|tx| tx.uploads(10)).unwrap().len(), 2, "those of the photo the hub has go on");
    // The command holds its file until a person lets it go.
    replica.write(Priority::Person, |tx| tx.release_unreferenced()).unwrap();
    assert_eq!(replica.read_file(&waiting.id).unwrap(), b"thumb f2");
    let entry = replica.read(|tx| tx.needs_attention()).unwrap().remove(0);
    let mut new_id = || command_id(9);
    replica
        .write(Priority::Person, |tx| {
            let actor = parkdesk_domain::command::Actor::User(id("u1"));
            tx.settle(entry.id, Settle::Discard, &mut Settler { actor, now: Millis(9), new_id: &mut new_id })
        })
        .unwrap();
    replica.empty_trash().unwrap();
    assert!(matches!(replica.read_file(&waiting.id), Err(Error::Missing { .. })));
}

#[test]
fn settings_and_the_sync_log_are_kept() {
    let replica = Replica::in_memory().unwrap();
    replica
        .write(Priority::Person, |tx| {
            tx.set_setting("hub_url", "a")?;
            tx.set_setting("hub_url", "b")?;
            for n in 0..2010 {
                tx.log_sync("pushed", &format!("commands={n}"), Millis(n))?;
            }
            Ok(())
        })
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(replica.read(|tx| tx.setting("hub_url")).unwrap().as_deref(), Some("b"));
    let log = replica.read(|tx| tx.sync_log(5000)).unwrap();
    assert_eq!((log.len(), log[0].detail.as_str()), (2000, "commands=2009"));
    replica.write(Priority::Person, |tx| tx.remove_setting("hub_url")).unwrap();
    assert_eq!(replica.read(|tx| tx.setting("hub_url")).unwrap(), None);
}

#[test]
fn a_photo_of_another_driver_is_sealed_with_that_drivers_key_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, blob) = with_photo(dir.path());
    submit(&replica, 3, new_driver("v2", "Петров", None, None));
    let driver = Change { was: id("v1"), now: id("v2") };
    submit(&replica, 4, Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver }));
    replica.reseal(None).unwrap();
    assert_eq!(walk(&dir.path().join("blobs")), 2, "not before the hub agreed");
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    replica.reseal(Some(&[id("f1")])).unwrap();
    assert_eq!(walk(&dir.path().join("blobs")), 2, "the old driver's objects are gone");
    assert!(replica.templates("m", "a").unwrap().is_empty(), "made anew under the right key");
    replica.destroy_person_key(&id("v1")).unwrap();
    assert!(replica.read_file(&blob).unwrap() == canary());
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).unwrap();
    assert_eq!(replica.read(|tx| tx.uploads(10)).unwrap().len(), 2, "they are still sent");
    replica.destroy_person_key(&id("v2")).unwrap();
    assert!(replica.read_file(&blob).is_err());
}

#[test]
fn a_damaged_file_that_should_be_sealed_anew_keeps_nobody_from_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, _) = with_photo(dir.path());
    submit(&replica, 3, new_driver("v2", "Петров", None, None));
    let driver = Change { was: id("v1"), now: id("v2") };
    submit(&replica, 4, Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver }));
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    let damaged = objects(&dir.path().join("blobs"));
    for path in &damaged {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    assert!(!damaged.is_empty() && replica.reseal(None).is_err(), "it is told");
    drop(replica);
    let replica = Replica::open(dir.path(), &key()).expect("it starts all the same");
    assert!(replica.read(|tx| tx.photo(&id("f1"))).unwrap().is_some());
}

/// The sealed files below a folder.
fn objects(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { objects(&path) } else { vec![path] }).collect()
}

fn withdraw(photo: &str) -> Command {
    Command::PhotoWithdraw(PhotoWithdraw { photo: id(photo), park: id("p1") })
}

fn sending(replica: &Replica) -> (usize, u64) {
    (replica.read(|tx| tx.uploads(10)).unwrap().len(), replica.read(|tx| tx.uploads_waiting()).unwrap())
}

#[test]
fn a_photo_taken_back_sends_nothing_at_once_and_its_files_go_when_the_hub_agreed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, blob) = with_photo(dir.path());
    assert_eq!(sending(&replica), (2, 2));
    saved(&submit(&replica, 3, withdraw("f1")));
    assert_eq!(sending(&replica), (0, 0));
    assert!(replica.read(|tx| tx.recent_photos(10)).unwrap().is_empty());
    assert!(replica.templates("m", "a").unwrap().is_empty(), "nobody is compared with it");
    assert_eq!(replica.read(|tx| tx.photo_counts()).unwrap().total, 0);
    assert!(replica.read_file(&blob).unwrap() == canary(), "the hub may refuse: nothing is lost before");
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    replica.empty_trash().unwrap();
    assert!(matches!(replica.read_file(&blob), Err(Error::Missing { .. })));
    let story = replica.read(|tx| tx.photo(&id("f1"))).unwrap().unwrap();
    assert_eq!(story.photo.status.as_str(), "withdrawn", "its story stays");
}

#[test]
fn a_refused_undo_brings_the_photo_and_its_files_back() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, blob) = with_photo(dir.path());
    saved(&submit(&replica, 3, withdraw("f1")));
    // Somebody approved it meanwhile.
    let at = hub.rows.keys().find(|at| at.id == id("f1")).cloned().unwrap();
    let body = hub.rows[&at].body.replace("\"status\":\"new\"", "\"status\":\"approved\"");
    hub.write(&[Write::Put { row: at, body }]);
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    assert_eq!(sending(&replica), (2, 2));
    assert!(replica.read_file(&blob).unwrap() == canary());
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!(entries[0].refusal.as_ref().unwrap().code.as_str(), "photo_judged");
}

#[test]
fn a_photo_taken_back_elsewhere_frees_the_appliance_that_still_has_its_files_to_send() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica, blob) = with_photo(dir.path());
    hub.own(50, withdraw("f1"));
    pull_all(&replica, &hub);
    replica.empty_trash().unwrap();
    assert_eq!(sending(&replica), (0, 0));
    assert!(matches!(replica.read_file(&blob), Err(Error::Missing { .. })));
    assert!(replica.read(|tx| tx.needs_attention()).unwrap().is_empty());
}
