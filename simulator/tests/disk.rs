//! The simulated disk itself: it keeps what was flushed, loses or tears what was not, and SQLite on it survives death at
//! every call.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use parkdesk_simulator::dice::Dice;
use parkdesk_simulator::disk::{Disk, Fault};
use parkdesk_sqlcipher::system::System;
use parkdesk_sqlcipher::{Error, File, Key, OpenMode, Priority, Steps};

const STEPS: Steps = &[("V1__numbers", "CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;")];

fn read(disk: &Disk, path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(Path::new(path)).ok()?.read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn crash(disk: &Disk) {
    disk.kill();
    disk.restart();
}

fn open(disk: &Arc<Disk>) -> Result<File, parkdesk_sqlcipher::OpenError> {
    File::open_on(&disk.system(), Path::new("/a.db"), &Key::from_bytes([1; 32]), STEPS, OpenMode::Create)
}

fn insert(file: &File, n: u64) -> Result<(), Error> {
    file.write(Priority::Person, |tx| -> Result<(), Error> {
        tx.execute("INSERT INTO numbers VALUES (?1, ?2)", (n, "x".repeat(2000)))?;
        Ok(())
    })
}

fn numbers(file: &File) -> Vec<u64> {
    file.read(|tx| -> Result<Vec<u64>, Error> {
        let mut query = tx.prepare("SELECT n FROM numbers ORDER BY n")?;
        let rows = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>();
        Ok(rows?)
    })
    .unwrap()
}

#[test]
fn a_flushed_file_with_a_flushed_name_survives_and_a_name_alone_does_not() {
    let mut lost = 0;
    for seed in 0..40 {
        let disk = Disk::new(Dice::new(seed));
        disk.write(Path::new("/safe"), b"all of it").unwrap();
        disk.sync(Path::new("/")).unwrap();
        disk.write(Path::new("/unsafe"), b"maybe").unwrap();
        crash(&disk);
        assert_eq!(read(&disk, "/safe").unwrap(), b"all of it");
        lost += u32::from(read(&disk, "/unsafe").is_none());
    }
    assert!((5..40).contains(&lost), "{lost} of 40 names without a flush were lost");
}

#[test]
fn a_disk_that_forgets_flushes_loses_what_was_said_to_be_safe() {
    let lost = (0..40).filter(|seed| {
        let disk = Disk::new(Dice::new(*seed));
        disk.forget_flushes();
        disk.write(Path::new("/safe"), &[7; 5000]).unwrap();
        disk.sync(Path::new("/")).unwrap();
        crash(&disk);
        read(&disk, "/safe").is_none_or(|bytes| bytes != [7; 5000])
    });
    assert!(lost.count() > 20);
}

#[test]
fn sqlite_on_it_keeps_every_commit_through_death_at_every_call() {
    let mut after = 0;
    loop {
        let disk = Disk::new(Dice::new(after));
        let file = open(&disk).unwrap();
        disk.plan(after, Fault::Death);
        let acknowledged: Vec<u64> = (0..6).take_while(|n| insert(&file, *n).is_ok()).collect();
        let was_alive = !disk.is_dead();
        drop(file);
        disk.kill();
        disk.restart();
        let file = open(&disk).unwrap();
        let found = numbers(&file);
        assert!(
            found.starts_with(&acknowledged),
            "death at call {after}: {acknowledged:?} were saved, {found:?} are there"
        );
        assert!(file.damaged_pages().unwrap().is_empty(), "death at call {after}");
        insert(&file, 100).unwrap();
        if was_alive {
            break;
        }
        after += 1;
    }
    assert!(after > 20, "{after} calls");
}

#[test]
fn a_failed_flush_is_told_and_what_was_told_to_be_saved_afterwards_is() {
    for after in 0..60 {
        let disk = Disk::new(Dice::new(after));
        let file = open(&disk).unwrap();
        disk.plan(after, Fault::Io);
        let acknowledged: Vec<u64> = (0..8).filter(|n| insert(&file, *n).is_ok()).collect();
        assert!(acknowledged.len() >= 7, "one failure stops one write: {acknowledged:?}");
        disk.kill();
        drop(file);
        disk.restart();
        let found = numbers(&open(&disk).unwrap());
        assert!(acknowledged.iter().all(|n| found.contains(n)), "failure at call {after}: {acknowledged:?}, {found:?}");
    }
}

#[test]
fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    let disk = Disk::new(Dice::new(1));
    let file = open(&disk).unwrap();
    insert(&file, 1).unwrap();
    disk.set_full(true);
    assert!(matches!((2..40).find_map(|n| insert(&file, n).err()), Some(Error::Full)));
    let before = numbers(&file);
    disk.set_full(false);
    insert(&file, 100).unwrap();
    assert_eq!(numbers(&file).len(), before.len() + 1);
}

#[test]
fn an_image_put_back_is_the_disk_as_it_was() {
    let disk = Disk::new(Dice::new(1));
    let file = open(&disk).unwrap();
    insert(&file, 1).unwrap();
    let image = disk.image();
    insert(&file, 2).unwrap();
    disk.kill();
    drop(file);
    disk.restart();
    disk.put_back(&image, |path| path.starts_with("/a.db") || path.to_string_lossy().starts_with("/a.db"));
    assert_eq!(numbers(&open(&disk).unwrap()), [1]);
}
