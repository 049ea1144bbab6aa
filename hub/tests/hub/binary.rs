//! The real program: start, stop, kill, keys, command line.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use serde_json::json;

use crate::process::{HUB, Running, admin, park_and_device, post, run, start};
use crate::world::driver;

fn serve(data: &Path) -> Running {
    let mut command = Command::new(HUB);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    start(command)
}

#[test]
fn killed_at_any_moment_it_loses_nothing_acknowledged_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut hub = serve(&data);
    let mut device = park_and_device(&data, hub.address, &Role::Operator);
    // `PARKDESK_KILL_ROUNDS=1000` looks longer.
    let rounds = std::env::var("PARKDESK_KILL_ROUNDS").ok().map_or(50, |rounds| rounds.parse().unwrap());
    let per_round = 25;
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    for round in 0..rounds {
        let commands: Vec<(u64, String)> = (0..per_round)
            .map(|n| {
                let n = round * per_round + n;
                let command = device.command(driver(&format!("n{n}"), "p1", &format!("8800 {n}")), &[]);
                (device.seq, command)
            })
            .collect();
        // Killed after another time in each round, while pushes are on their way.
        let pid = hub.child.id().to_string();
        let delay = Duration::from_millis(7 * round % 61 + 3);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        });
        let mut unanswered = Vec::new();
        for (seq, command) in commands {
            match post(hub.address, "/v1/push", &device.token, &device.push_body(std::slice::from_ref(&command), 0)) {
                Some((200, answer)) => {
                    let answer: PushAnswer = serde_json::from_str(&answer).unwrap();
                    assert!(matches!(answer.verdicts[0].verdict, Verdict::Applied { .. }), "{answer:?}");
                    acknowledged.insert(seq, serde_json::to_string(&answer.verdicts[0].verdict).unwrap());
                }
                other => {
                    assert!(other.is_none(), "{other:?}");
                    unanswered.push((seq, command));
                }
            }
        }
        killer.join().unwrap();
        hub.child.wait().unwrap();
        hub = serve(&data);
        for (seq, command) in unanswered {
            let body = device.push_body(std::slice::from_ref(&command), 0);
            let (status, answer) = post(hub.address, "/v1/push", &device.token, &body).unwrap();
            assert_eq!(status, 200, "{answer}");
            let answer: PushAnswer = serde_json::from_str(&answer).unwrap();
            acknowledged.insert(seq, serde_json::to_string(answer.verdicts[0].verdict.first()).unwrap());
        }
    }
    let total = usize::try_from(rounds * per_round).unwrap();
    assert_eq!(acknowledged.len(), total);
    let drivers = admin(&data, &["driver", "list", "--park", "p1"]);
    assert_eq!(drivers["drivers"].as_array().unwrap().len(), total);
    let stats = admin(&data, &["stats"]);
    assert_eq!(stats["rows"]["verdict"], total);
    let versions: std::collections::BTreeSet<&String> = acknowledged.values().collect();
    assert_eq!(versions.len(), total, "each has versions of its own: none took effect twice");
}

#[test]
fn the_command_line_does_the_same_beside_a_running_hub_and_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let csv = dir.path().join("drivers.csv");
    std::fs::write(&csv, "driver_id,last_name,first_name\nv1,Ёлкин,Пётр\n").unwrap();
    let hub = serve(&data);
    admin(&data, &["park", "create", "--name", "Парк", "--city", "msk", "--id", "p1"]);
    let path = csv.to_str().unwrap();
    assert_eq!(admin(&data, &["driver", "import", path, "--park", "p1"])["created"], 1);
    let running = admin(&data, &["driver", "list", "--park", "p1"]);
    let device = park_code(&data, hub.address);
    assert_eq!(admin(&data, &["device", "list"])["devices"][0]["id"], device);
    let mut hub = hub;
    assert!(Command::new("kill").args(["-TERM", &hub.child.id().to_string()]).status().unwrap().success());
    assert!(hub.child.wait().unwrap().success(), "SIGTERM ends it in order");
    assert!(!data.join("admin.sock").exists());
    assert_eq!(admin(&data, &["driver", "list", "--park", "p1"]), running);
    assert_eq!(admin(&data, &["driver", "import", path, "--park", "p1", "--dry-run"])["unchanged"], 1);
    let table = Command::new(HUB).args(["admin", "--data"]).arg(&data).args(["park", "list"]).output().unwrap();
    assert_eq!(String::from_utf8(table.stdout).unwrap(), "id  name  city\np1  Парк  msk\n");
    let refused = run(&data, &["device", "revoke", "nobody"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stdout).contains("no_device"));
}

fn park_code(data: &Path, address: SocketAddr) -> String {
    let code = admin(data, &["enrol-code", "--role", "field", "--park", "p1", "--minutes", "5"]);
    let body = json!({"code": code["code"], "request": "r1", "name": "field"}).to_string();
    let (_, answer) = post(address, "/v1/enrol", "", &body).unwrap();
    serde_json::from_str::<EnrolAnswer>(&answer).unwrap().device.to_string()
}

#[test]
fn only_its_owner_may_read_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _hub = serve(&data);
    assert_eq!(std::fs::metadata(&data).unwrap().mode() & 0o777, 0o700);
    for name in ["hub.key", "hub.db", "keys.db", "admin.sock", "lock"] {
        let mode = std::fs::metadata(data.join(name)).unwrap().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn a_wrong_or_missing_key_is_refused_and_nothing_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(serve(&data));
    admin(&data, &["park", "create", "--name", "Парк", "--city", "msk", "--id", "p1"]);
    let key = std::fs::read(data.join("hub.key")).unwrap();
    let before = std::fs::read(data.join("hub.db")).unwrap();
    let says = |words: &str| {
        let output = run(&data, &["park", "list"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(words), "{text}");
    };
    let write_key = |text: &[u8], mode| {
        std::fs::write(data.join("hub.key"), text).unwrap();
        std::fs::set_permissions(data.join("hub.key"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write_key("ab".repeat(32).as_bytes(), 0o644);
    says("may be read by others");
    write_key("ab".repeat(32).as_bytes(), 0o600);
    says("was made with another key");
    std::fs::remove_file(data.join("hub.key")).unwrap();
    says("put the key file back");
    write_key(b"not a key", 0o600);
    says("it must hold 64 hex digits");
    assert_eq!(std::fs::read(data.join("hub.db")).unwrap(), before);
    write_key(&key, 0o600);
    std::fs::rename(data.join("keys.db"), data.join("keys.away")).unwrap();
    says("keys.db is missing");
    assert!(!data.join("keys.db").exists());
    std::fs::rename(data.join("keys.away"), data.join("keys.db")).unwrap();
    assert_eq!(admin(&data, &["park", "list"])["parks"][0]["id"], "p1");
}

#[test]
fn it_does_not_listen_to_other_machines_without_tls() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(HUB)
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(dir.path().join("data"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("--tls-cert"), "{text}");
    assert!(!dir.path().join("data").exists());
}

#[test]
fn a_second_hub_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _hub = serve(&data);
    let second = Command::new(HUB).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && text.contains("in use by another process"), "{text}");
}

#[test]
fn metrics_are_for_this_machine_and_not_through_a_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let hub = serve(&data);
    let device = park_and_device(&data, hub.address, &Role::Operator);
    post(hub.address, "/v1/push", &device.token, &device.push_body(&[], 0)).unwrap();
    let get = |header: &str| {
        let mut stream = TcpStream::connect(hub.address).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n{header}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let local = get("");
    assert!(local.contains("hub_requests_total{route=\"/v1/push\",status=\"200\"} 1"), "{local}");
    assert!(get("x-forwarded-for: 203.0.113.9\r\n").starts_with("HTTP/1.1 401"));
    assert!(!local.contains(device.id.as_str()) && !local.contains(&device.token));
}

#[test]
fn a_disk_that_takes_no_more_confirms_nothing_that_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(serve(&data));
    // No file may grow beyond the limit, as if the disk were full; the signal is ignored so that writing fails instead.
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" serve --listen 127.0.0.1:0 --data \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, HUB]).arg(&data);
    let hub = start(command);
    let mut device = park_and_device(&data, hub.address, &Role::Operator);
    let mut acknowledged = 0;
    let (status, answer, refused) = loop {
        let commands: Vec<String> = (0..40)
            .map(|_| device.command(driver(&format!("n{}", device.seq), "p1", &format!("8800 {}", device.seq)), &[]))
            .collect();
        let (status, answer) = post(hub.address, "/v1/push", &device.token, &device.push_body(&commands, 0)).unwrap();
        if status != 200 || acknowledged > 4000 {
            break (status, answer, commands);
        }
        acknowledged += commands.len();
    };
    assert_eq!(status, 503, "{answer} after {acknowledged}");
    assert_eq!(serde_json::from_str::<Problem>(&answer).unwrap().code, ProblemCode::Unavailable);
    drop(hub);
    let hub = serve(&data);
    let drivers = |data: &Path| admin(data, &["driver", "list", "--park", "p1"])["drivers"].as_array().unwrap().len();
    assert_eq!(drivers(&data), acknowledged, "all that was confirmed, none of what was not");
    let (status, _) = post(hub.address, "/v1/push", &device.token, &device.push_body(&refused, 0)).unwrap();
    assert_eq!((status, drivers(&data)), (200, acknowledged + refused.len()));
}

#[test]
fn no_store_is_made_in_place_of_a_lost_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(serve(&data));
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let refused = |found: &str| {
        let output =
            Command::new(HUB).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(found) && text.contains("put hub.db back"), "{text}");
        assert!(!data.join("hub.db").exists());
    };
    refused("keys.db is there");
    std::fs::remove_file(data.join("keys.db")).unwrap();
    std::fs::create_dir_all(data.join("blobs/ab/cd")).unwrap();
    std::fs::write(data.join("blobs/ab/cd").join("abcd".repeat(8)), b"sealed").unwrap();
    refused("blobs/ with objects is there");
}

#[test]
fn the_administrator_makes_no_hub_in_a_folder_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["park", "list"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("no hub lies in") && text.contains("serve --data"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn administrator_and_hub_wait_for_each_other_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let held = parkdesk_sqlcipher::dir::DataDir::lock(&data).unwrap();
    let park = {
        let data = data.clone();
        std::thread::spawn(move || admin(&data, &["park", "create", "--name", "П", "--city", "msk", "--id", "p1"]))
    };
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        drop(held);
    });
    let _hub = serve(&data);
    release.join().unwrap();
    assert_eq!(park.join().unwrap()["id"], "p1");
}

#[test]
fn the_command_line_says_what_it_means_and_what_next_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let hub = serve(&data);
    admin(&data, &["park", "create", "--name", "Парк", "--city", "msk", "--id", "p1"]);
    let say = |lang: &str, args: &[&str]| {
        let output =
            Command::new(HUB).args(["--lang", lang, "admin", "--data"]).arg(&data).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let code = ["enrol-code", "--role", "field", "--park", "p1"];
    assert!(say("en", &code).contains("parkdesk-agent enrol"));
    assert!(say("ru", &code).contains("Код подключает одно устройство к парку p1"));
    let device = park_code(&data, hub.address);
    let revoke = ["device", "revoke", &device];
    assert!(say("ru", &revoke).contains("отозвано") && say("en", &revoke).contains("its data is kept"));
    assert!(say("ru", &["enrol-code", "--role", "boss", "--park", "p1"]).contains("Роли \"boss\" нет"));
    assert!(say("en", &["device", "revoke", "nobody"]).contains("no appliance nobody"));
}

#[test]
fn people_are_looked_after_on_the_command_line_and_no_pass_code_is_an_argument() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let hub = serve(&data);
    admin(&data, &["park", "create", "--name", "Парк", "--city", "msk", "--id", "p1"]);
    let code = dir.path().join("code");
    std::fs::write(&code, "тайный код\nand a second line\n").unwrap();
    let code = code.to_str().unwrap();
    let add = ["person", "add", "--park", "p1", "--name", "Анна", "--login", "anna", "--role", "admin"];
    let person = admin(&data, &[&add[..], &["--pass-code-file", code]].concat());
    let id = person["id"].as_str().unwrap();
    let people = admin(&data, &["person", "list", "--park", "p1"]);
    assert_eq!(people["people"], json!([{"id": id, "park": "p1", "name": "Анна", "login": "anna", "role": "admin"}]));
    std::fs::write(code, "12345\n").unwrap();
    let output = run(&data, &["person", "set-pass-code", id, "--park", "p1", "--pass-code-file", code]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("6 to 64 characters"), "{output:?}");
    std::fs::write(code, "another code\n").unwrap();
    admin(&data, &["person", "set-pass-code", id, "--park", "p1", "--pass-code-file", code]);
    drop(hub);
    admin(&data, &["person", "remove", id, "--park", "p1"]);
    assert_eq!(admin(&data, &["person", "list", "--park", "p1"])["people"], json!([]));
}
