//! Several hub processes on one database: whichever answers, nothing is lost and nothing doubled; news reach them all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use serde_json::Value;

use crate::backend::{execute, wait};
use crate::process::{HUB, Running, park_and_device, post, start};
use crate::server::{Server, shared_server};
use crate::world::*;

/// A hub process with a data directory of its own; all share the key and the folder of photos.
fn serve(dir: &Path, name: &str, url: &str) -> Running {
    let data = dir.join(name);
    let mut command = Command::new(HUB);
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", url, "--data"]).arg(&data);
    command.arg("--blobs").arg(dir.join("blobs")).arg("--key-file").arg(dir.join("hub.key"));
    start(command)
}

/// Every command of the administrator, as JSON.
fn admin(dir: &Path, name: &str, url: &str, args: &[&str]) -> Value {
    let output = Command::new(HUB)
        .args(["admin", "--json", "--store", url, "--key-file"])
        .arg(dir.join("hub.key"))
        .arg("--data")
        .arg(dir.join(name))
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn verdict(answer: &str) -> Verdict {
    serde_json::from_str::<PushAnswer>(answer).unwrap().verdicts.remove(0).verdict
}

#[test]
#[ignore = "heavy: cargo xtask test contract"]
fn a_process_killed_at_work_loses_nothing_and_the_other_doubles_nothing() {
    // What was acknowledged must be on the disk: this server syncs.
    let server = Server::start(&["fsync=on"]);
    let (dir, url) = (tempfile::tempdir().unwrap(), server.database());
    let mut mortal = serve(dir.path(), "a", &url);
    let other = serve(dir.path(), "b", &url);
    let mut device = park_and_device(&dir.path().join("a"), mortal.address, &Role::Operator);
    let rounds = if std::env::var("PARKDESK_CONTRACT").is_ok_and(|size| size == "full") { 200 } else { 15 };
    let per_round = 25;
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    let mut cut_off = 0;
    for round in 0..rounds {
        let commands: Vec<(u64, String)> = (0..per_round)
            .map(|n| {
                let n = round * per_round + n;
                let command = device.command(driver(&format!("n{n}"), "p1", &format!("8800 {n}")), &[]);
                (device.seq, command)
            })
            .collect();
        // Killed after another time in each round, while pushes are on their way.
        let pid = mortal.child.id().to_string();
        let delay = Duration::from_millis(13 * round % 97 + 3);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        });
        let mut unanswered = Vec::new();
        for (seq, command) in commands {
            match post(mortal.address, "/v1/push", &device.token, &device.push_body(std::slice::from_ref(&command), 0))
            {
                Some((200, answer)) => {
                    let given = verdict(&answer);
                    assert!(matches!(given, Verdict::Applied { .. }), "{given:?}");
                    acknowledged.insert(seq, serde_json::to_string(&given).unwrap());
                }
                other => {
                    assert!(other.is_none(), "{other:?}");
                    unanswered.push((seq, command));
                }
            }
        }
        killer.join().unwrap();
        mortal.child.wait().unwrap();
        cut_off += unanswered.len();
        // Whatever had no answer goes to the other process, at once.
        for (seq, command) in unanswered {
            let body = device.push_body(std::slice::from_ref(&command), 0);
            let (status, answer) = post(other.address, "/v1/push", &device.token, &body).unwrap();
            assert_eq!(status, 200, "{answer}");
            acknowledged.insert(seq, serde_json::to_string(verdict(&answer).first()).unwrap());
        }
        mortal = serve(dir.path(), "a", &url);
    }
    let total = usize::try_from(rounds * per_round).unwrap();
    assert!(cut_off > 0, "no round was cut off");
    assert_eq!(acknowledged.len(), total);
    let drivers = admin(dir.path(), "b", &url, &["driver", "list", "--park", "p1"]);
    assert_eq!(drivers["drivers"].as_array().unwrap().len(), total);
    assert_eq!(admin(dir.path(), "a", &url, &["stats"])["rows"]["verdict"], total);
    let versions: BTreeSet<&String> = acknowledged.values().collect();
    assert_eq!(versions.len(), total, "each has versions of its own: none took effect twice");
}

#[test]
fn a_poll_that_waits_at_one_process_is_woken_by_a_push_at_another_and_by_the_command_line() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    let here = serve(dir.path(), "a", &url);
    let there = serve(dir.path(), "b", &url);
    let mut device = park_and_device(&dir.path().join("a"), here.address, &Role::Operator);
    let token = device.token.clone();
    let pull = |scopes: Vec<Cursor>, wait_ms| {
        let body = serde_json::to_string(&PullRequest { scopes, wait_ms }).unwrap();
        let (status, answer) = post(there.address, "/v1/pull", &token, &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        frame::Reader::new(answer.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap()
    };
    let at = |frames: &[frame::Frame]| -> Vec<Cursor> {
        let cursor = |f: &frame::Frame| Cursor { id: f.head.scope.clone(), epoch: f.head.epoch, version: f.head.to };
        frames.iter().map(cursor).collect()
    };
    let fleet = Cursor { id: "park/p1/fleet".parse().unwrap(), epoch: 0, version: 0 };
    let mut cursors = at(&pull(vec![fleet], 0));
    let csv = dir.path().join("drivers.csv");
    std::fs::write(&csv, "driver_id,last_name,first_name\nv1,Ёлкин,Пётр\n").unwrap();
    let mut slowest = Duration::ZERO;
    for n in 0..7 {
        if n == 5 {
            // The server lets everybody go (a restart, a failover): the two hear each other again.
            let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            wait(execute(&url, all));
            std::thread::sleep(Duration::from_secs(3));
        }
        let command = device.command(driver(&format!("n{n}"), "p1", &format!("8800 {n}")), &[]);
        let body = device.push_body(&[command], 0);
        let csv = csv.to_str().unwrap();
        let (frames, pushed, heard) = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| (pull(cursors.clone(), 20_000), Instant::now()));
            std::thread::sleep(Duration::from_millis(700));
            let pushed = Instant::now();
            if n == 0 {
                // The administrator where no hub runs.
                admin(dir.path(), "c", &url, &["driver", "import", csv, "--park", "p1"]);
            } else {
                let (status, answer) = post(here.address, "/v1/push", &token, &body).unwrap();
                assert_eq!(status, 200, "{answer}");
            }
            let (frames, heard) = waiting.join().unwrap();
            (frames, pushed, heard)
        });
        assert!(frames.iter().any(|f| !f.rows.is_empty()), "it waited for nothing");
        assert!(heard > pushed, "it was not waiting when the push came");
        slowest = slowest.max(heard - pushed);
        for moved in at(&frames) {
            cursors.retain(|cursor| cursor.id != moved.id);
            cursors.push(moved);
        }
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?} of 20 s");
}

#[test]
fn no_hub_is_made_in_an_empty_database_in_place_of_the_one_that_was_served() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    drop(serve(dir.path(), "a", &url));
    let other = shared_server().database();
    for (verb, blobs) in [("serve", true), ("admin", false)] {
        let mut command = Command::new(HUB);
        command.args([verb, "--store", &other, "--key-file"]).arg(dir.path().join("hub.key"));
        command.arg("--data").arg(dir.path().join("a"));
        if blobs {
            command.arg("--blobs").arg(dir.path().join("blobs")).args(["--listen", "127.0.0.1:0"]);
        } else {
            command.arg("stats");
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains("no hub"), "{verb}: {text}");
    }
}

#[test]
fn two_processes_that_start_at_once_on_an_empty_database_are_one_hub() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    let key = dir.path().join("hub.key");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| serve(dir.path(), "a", &url));
        let two = scope.spawn(|| serve(dir.path(), "b", &url));
        (one.join().unwrap(), two.join().unwrap())
    });
    let first = park_and_device(&dir.path().join("a"), one.address, &Role::Operator);
    // Known to both: the park, the device, its token.
    let (status, answer) = post(two.address, "/v1/push", &first.token, &first.push_body(&[], 0)).unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn the_command_line_does_the_same_on_postgresql_beside_a_running_hub_and_without_it() {
    let (dir, url) = (tempfile::tempdir().unwrap(), shared_server().database());
    let csv = dir.path().join("drivers.csv");
    std::fs::write(&csv, "driver_id,last_name,first_name\nv1,Ёлкин,Пётр\n").unwrap();
    let admin = |args: &[&str]| admin(dir.path(), "a", &url, args);
    let mut hub = serve(dir.path(), "a", &url);
    let device = park_and_device(&dir.path().join("a"), hub.address, &Role::Operator);
    let path = csv.to_str().unwrap();
    assert_eq!(admin(&["driver", "import", path, "--park", "p1"])["created"], 1);
    let running = admin(&["driver", "list", "--park", "p1"]);
    assert!(Command::new("kill").args(["-TERM", &hub.child.id().to_string()]).status().unwrap().success());
    assert!(hub.child.wait().unwrap().success(), "SIGTERM ends it in order");
    assert_eq!(admin(&["driver", "list", "--park", "p1"]), running);
    assert_eq!(admin(&["driver", "import", path, "--park", "p1", "--dry-run"])["unchanged"], 1);
    assert_eq!(admin(&["park", "list"])["parks"][0]["id"], "p1");
    assert_eq!(admin(&["device", "list"])["devices"][0]["id"], device.id.as_str());
    assert!(admin(&["reindex"])["count"].as_u64().unwrap() > 0);
    assert!(admin(&["restored"])["count"].as_u64().unwrap() > 0);
    assert_eq!(admin(&["stats"])["rows"]["driver"], 1);
    // Without --store the folder is not taken for a new hub.
    let output = Command::new(HUB).args(["serve", "--data"]).arg(dir.path().join("a")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("--store"), "{text}");
}
