//! What opening tells apart, and that it never writes before it knows that all is well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use parkdesk_sqlcipher::{Error, File, Key, OpenError, OpenMode, Priority, Steps, move_aside, open_damaged};
use sha2::{Digest, Sha256};

const ONE: Steps = &[("V1__first", "CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT);")];
const TWO: Steps = &[ONE[0], ("V2__second", "ALTER TABLE t ADD COLUMN more TEXT;")];
const BAD: Steps = &[ONE[0], ("V2__second", "ALTER TABLE t ADD COLUMN more TEXT; SELECT nonsense FROM nowhere;")];

fn key() -> Key {
    Key::from_bytes([5; 32])
}

fn hash(path: &Path) -> Vec<u8> {
    Sha256::digest(fs::read(path).unwrap()).to_vec()
}

fn add(file: &File, text: &str) -> Result<(), Error> {
    file.write(Priority::Person, |tx| {
        tx.execute("INSERT INTO t (text) VALUES (?1)", [text])?;
        Ok(())
    })
}

fn texts(file: &File) -> Vec<String> {
    file.read(|tx| -> Result<_, Error> {
        let mut query = tx.prepare("SELECT text FROM t ORDER BY n")?;
        let texts = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(texts)
    })
    .unwrap()
}

fn made(path: &Path) {
    let file = File::open(path, &key(), ONE, OpenMode::Create).unwrap();
    add(&file, "canary-in-the-file").unwrap();
}

#[test]
fn what_was_written_is_there_again_and_the_file_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    made(&path);
    let file = File::open(&path, &key(), ONE, OpenMode::Existing).unwrap();
    assert_eq!(texts(&file), ["canary-in-the-file"]);
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
}

#[test]
fn a_plain_sqlite_cannot_read_it_and_no_text_stands_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let file = File::open(&path, &key(), ONE, OpenMode::Create).unwrap();
    add(&file, "canary-in-the-file").unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for text in [&b"canary-in-the-file"[..], b"CREATE TABLE", b"SQLite format 3"] {
            assert!(!bytes.windows(text.len()).any(|window| window == text));
        }
    }
    drop(file);
    let plain = rusqlite_without_key(&path);
    assert!(plain.is_err(), "a connection without the key reads nothing");
}

#[allow(clippy::disallowed_methods, reason = "the thief's view: a connection without a key")]
fn rusqlite_without_key(path: &Path) -> rusqlite::Result<i64> {
    rusqlite::Connection::open(path)?.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

#[test]
fn each_way_not_to_open_has_its_own_answer_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let open = |key: &Key| File::open(&path, key, ONE, OpenMode::Existing).map(|_| ()).unwrap_err();

    assert!(matches!(open(&key()), OpenError::Missing(_)));
    assert!(!path.exists(), "nothing was made in its place");
    fs::write(&path, b"").unwrap();
    assert!(matches!(open(&key()), OpenError::NotADatabase { .. }), "an empty file is not a database");
    fs::write(&path, b"just some text that is longer than a salt").unwrap();
    assert!(matches!(open(&key()), OpenError::NotADatabase { .. }));
    fs::write(&path, b"SQLite format 3\0and more").unwrap();
    let before = hash(&path);
    assert!(matches!(open(&key()), OpenError::NotADatabase { why, .. } if why.contains("plain")));
    assert!(matches!(
        File::open(&path, &key(), ONE, OpenMode::Create).map(|_| ()).unwrap_err(),
        OpenError::NotADatabase { .. }
    ));
    assert_eq!(hash(&path), before);

    fs::remove_file(&path).unwrap();
    made(&path);
    let before = hash(&path);
    assert!(matches!(open(&Key::from_bytes([6; 32])), OpenError::WrongKey(_)));
    assert_eq!(hash(&path), before);
}

#[test]
fn a_damaged_file_is_told_from_a_wrong_key_and_can_be_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    made(&path);
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(200)).unwrap();
    file.write_all(b"rot").unwrap();
    drop(file);
    let error = File::open(&path, &key(), ONE, OpenMode::Existing).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(open_damaged(&path, &key()).is_ok(), "for salvage");
    let aside = move_aside(&path, "123", "page 1").unwrap();
    assert!(aside.exists() && !path.exists());
    assert_eq!(fs::read(dir.path().join("a.db.aside-123.reason.txt")).unwrap(), b"page 1");
}

#[test]
fn a_flipped_bit_in_any_page_is_found_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let file = File::open(&path, &key(), ONE, OpenMode::Create).unwrap();
    for _ in 0..150 {
        add(&file, &"x".repeat(3000)).unwrap();
    }
    assert!(file.damaged_pages().unwrap().is_empty());
    drop(file);
    let good = fs::read(&path).unwrap();
    for page in 1..good.len() / 4096 {
        let mut bad = good.clone();
        bad[page * 4096 + 1234] ^= 4;
        fs::write(&path, &bad).unwrap();
        match File::open(&path, &key(), ONE, OpenMode::Existing) {
            Err(error) => assert!(matches!(error, OpenError::Corrupt { .. }), "{page}: {error}"),
            Ok(file) => assert_eq!(file.damaged_pages().unwrap().len(), 1, "{page}"),
        }
    }
}

#[test]
fn a_newer_file_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    drop(File::open(&path, &key(), TWO, OpenMode::Create).unwrap());
    let before = hash(&path);
    let error = File::open(&path, &key(), ONE, OpenMode::Create).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(hash(&path), before);
    drop(File::open(&path, &key(), TWO, OpenMode::Existing).unwrap());
}

#[test]
fn an_upgrade_keeps_rows_and_leaves_a_snapshot_beside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    made(&path);
    let file = File::open(&path, &key(), TWO, OpenMode::Existing).unwrap();
    assert_eq!(file.migrated_from(), Some(1));
    assert_eq!(texts(&file), ["canary-in-the-file"]);
    let snapshot = File::open(&dir.path().join("a.db.step1.bak"), &key(), ONE, OpenMode::Existing).unwrap();
    assert_eq!(texts(&snapshot), ["canary-in-the-file"]);
    drop(file);
    assert_eq!(File::open(&path, &key(), TWO, OpenMode::Existing).unwrap().migrated_from(), None);
}

#[test]
fn a_failed_upgrade_leaves_the_old_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    made(&path);
    let error = File::open(&path, &key(), BAD, OpenMode::Existing).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Migration(_)), "{error}");
    assert_eq!(texts(&File::open(&path, &key(), ONE, OpenMode::Existing).unwrap()), ["canary-in-the-file"]);
}

#[test]
fn a_full_disk_is_a_typed_error_and_nothing_is_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let file = File::open(&path, &key(), ONE, OpenMode::Create).unwrap();
    add(&file, "before").unwrap();
    file.set_max_pages(12).unwrap();
    let error = file
        .write(Priority::Person, |tx| -> Result<(), Error> {
            tx.execute("INSERT INTO t (text) VALUES ('first of two')", [])?;
            tx.execute("INSERT INTO t (text) VALUES (?1)", ["x".repeat(100_000)])?;
            Ok(())
        })
        .unwrap_err();
    assert!(matches!(error, Error::Full), "{error}");
    assert_eq!(texts(&file), ["before"], "reading goes on");
    file.set_max_pages(1000).unwrap();
    add(&file, "after").unwrap();
    assert_eq!(texts(&file), ["before", "after"], "and writing, without a restart");
}

#[test]
fn a_panic_in_a_closure_rolls_back_and_the_writer_lives() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::open(&dir.path().join("a.db"), &key(), ONE, OpenMode::Create).unwrap();
    let error = file
        .write(Priority::Sync, |tx| -> Result<(), Error> {
            tx.execute("INSERT INTO t (text) VALUES ('lost')", [])?;
            panic!("on purpose")
        })
        .unwrap_err();
    assert!(matches!(&error, Error::Panicked(text) if text == "on purpose"), "{error}");
    add(&file, "kept").unwrap();
    assert_eq!(texts(&file), ["kept"]);
}

#[test]
fn readers_see_one_snapshot_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::open(&dir.path().join("a.db"), &key(), ONE, OpenMode::Create).unwrap();
    add(&file, "one").unwrap();
    file.read(|tx| -> Result<(), Error> {
        let count =
            |tx: &rusqlite::Transaction<'_>| tx.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
        assert_eq!(count(tx)?, 1);
        add(&file, "two")?;
        assert_eq!(count(tx)?, 1, "the snapshot stands while a writer commits");
        assert!(tx.execute("INSERT INTO t (text) VALUES ('three')", []).is_err());
        Ok(())
    })
    .unwrap();
    assert_eq!(texts(&file).len(), 2);
}

#[test]
fn many_threads_share_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = File::open(&dir.path().join("a.db"), &key(), ONE, OpenMode::Create).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..10 {
                    add(&file, &n.to_string()).unwrap();
                    assert!(!texts(&file).is_empty());
                }
            });
        }
    });
    assert_eq!(texts(&file).len(), 80);
}

#[test]
fn a_backup_opens_with_the_same_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let file = File::open(&path, &key(), ONE, OpenMode::Create).unwrap();
    add(&file, "one").unwrap();
    let copy = dir.path().join("copy.db");
    file.backup_to(&copy).unwrap();
    assert_eq!(texts(&File::open(&copy, &key(), ONE, OpenMode::Existing).unwrap()), ["one"]);
    let error = File::open(&copy, &Key::from_bytes([6; 32]), ONE, OpenMode::Existing).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::WrongKey(_)));
}

/// The library is started once in a process, so each try is a process of its own.
#[test]
fn many_threads_may_open_the_first_files_of_a_process_at_once() {
    const OPENER: &str = "PARKDESK_TEST_OPENS_AT_ONCE";
    if let Some(dir) = std::env::var_os(OPENER) {
        let start = std::sync::Barrier::new(8);
        return std::thread::scope(|scope| {
            for n in 0..8 {
                let (start, path) = (&start, Path::new(&dir).join(format!("{n}.db")));
                scope.spawn(move || {
                    start.wait();
                    drop(File::open(&path, &key(), ONE, OpenMode::Create).unwrap());
                });
            }
        });
    }
    for _ in 0..150 {
        let dir = tempfile::tempdir().unwrap();
        let tried = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "many_threads_may_open_the_first_files_of_a_process_at_once", "--nocapture"])
            .env(OPENER, dir.path())
            .output()
            .unwrap();
        assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    }
}
