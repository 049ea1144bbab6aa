//! What was called saved survives `kill -9` (reliability F1): a child process submits and acknowledges in a loop, is
//! killed at some moment, and every acknowledged command must be there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use common::*;
use parkdesk_domain::command::Actor;
use parkdesk_sqlite::{Key, Replica};

const DIR: &str = "PARKDESK_TEST_CHILD_DIR";

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn queued(dir: &Path) -> Vec<u64> {
    let replica = Replica::open(dir, &key()).unwrap();
    replica.read(|tx| tx.pending(100_000)).unwrap().iter().map(|pending| pending.seq).collect()
}

/// Not a test by itself: the child's loop, run only when the parent asks for it.
#[test]
fn child_submits_and_acknowledges() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let replica = Replica::open(Path::new(&dir), &key()).unwrap();
    let from = replica.read(|tx| tx.pending_summary()).unwrap().count;
    for n in from + 1.. {
        let n = u32::try_from(n).unwrap();
        let seq = saved(&submit_as(&replica, n, Actor::User(id("u1")), capture(&format!("f{n}"), "v1")));
        println!("ack {seq}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..8 {
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_submits_and_acknowledges", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.unwrap();
            // The harness prints its own words before the child's first.
            if let Some((_, seq)) = line.rsplit_once("ack ") {
                acknowledged = seq.parse().unwrap();
                seen += 1;
            }
            if seen > round * 3 + 2 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen > 0, "the child did its work");
        let queued = queued(dir.path());
        assert!(queued.contains(&acknowledged), "round {round}: {acknowledged} was acknowledged");
        let whole: Vec<u64> = (1..=queued.len() as u64).collect();
        assert_eq!(queued, whole, "round {round}: no gap, nothing twice");
    }
}

#[test]
fn a_full_disk_refuses_the_command_whole_and_reading_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let replica = Replica::open(dir.path(), &key()).unwrap();
    submit(&replica, 1, capture("f1", "v1"));
    replica.set_max_pages(1).unwrap();
    let mut n = 1;
    let error = loop {
        n += 1;
        let draft = parkdesk_sqlite::Draft {
            id: command_id(n),
            actor: Actor::User(id("u1")),
            now: parkdesk_domain::ids::Millis(1),
            command: capture(&format!("f{n}"), "v1"),
        };
        if let Err(error) = replica.write(parkdesk_sqlite::Priority::Person, |tx| tx.submit(draft)) {
            break error;
        }
        assert!(n < 500, "the disk was to be full by now");
    };
    assert!(matches!(error, parkdesk_sqlite::Error::Full), "{error}");
    let count = replica.read(|tx| tx.pending_summary()).unwrap().count;
    assert_eq!(count, u64::from(n) - 1);
    assert_eq!(replica.read(|tx| tx.recent_photos(1000)).unwrap().len() as u64, count, "row and command, or neither");
    replica.set_max_pages(1_000_000).unwrap();
    submit(&replica, n, capture(&format!("f{n}"), "v1"));
    assert_eq!(queued_in(&replica), count + 1);
}

fn queued_in(replica: &Replica) -> u64 {
    replica.read(|tx| tx.pending_summary()).unwrap().count
}
