//! The program itself, with key files and a hub that answers as it is told: what a slip of a person's hand may not do.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "test code")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parkdesk_domain::Millis;
use parkdesk_domain::body::FileClass;
use parkdesk_sqlite::{Key, Origin, Priority, Replica};
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

struct Bench {
    dir: tempfile::TempDir,
    hub: MockServer,
}

impl Bench {
    async fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), hub: MockServer::start().await }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    async fn takes(&self, device: &str) {
        self.hub.reset().await;
        let answer = json!({"device": device, "token": "t", "hub": "h1", "now_ms": 5});
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        Mock::given(method("POST")).and(path("/v1/enrol")).respond_with(answer).mount(&self.hub).await;
    }

    async fn refuses(&self) {
        self.hub.reset().await;
        let body = json!({"code": "bad_code", "message": "m"}).to_string();
        let answer = ResponseTemplate::new(403).set_body_raw(body, "application/problem+json");
        Mock::given(method("POST")).and(path("/v1/enrol")).respond_with(answer).mount(&self.hub).await;
    }

    /// Runs the program on the data directory and the key file.
    fn agent(&self, args: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.arg("60").arg(env!("CARGO_BIN_EXE_parkdesk-agent")).args(["--lang", "en"]).args(args);
        command.arg("--data").arg(self.data()).arg("--key-file").arg(self.key());
        command.output().unwrap()
    }

    fn enrol(&self, more: &[&str]) -> Output {
        let url = self.hub.uri();
        let args = ["enrol", "--hub", &url, "--code", "7K3M-1111-2222", "--name", "centre"];
        self.agent(&[args.as_slice(), more].concat())
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = ["replica.db", "keys.db", "recovery.bin"]
        .iter()
        .map(|name| (dir.join(name), std::fs::read(dir.join(name)).unwrap()))
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_code_leaves_the_old_data_where_it_is() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    let first = bench.enrol(&[]);
    assert!(first.status.success(), "{}", said(&first));
    let before = contents(&bench.data());
    bench.refuses().await;
    let refused = bench.enrol(&["--beside-old"]);
    assert!(!refused.status.success() && said(&refused).contains("does not take this code"), "{}", said(&refused));
    assert_eq!(contents(&bench.data()), before);
    bench.takes("d2").await;
    let again = bench.enrol(&["--beside-old"]);
    assert!(again.status.success() && said(&again).contains("d2"), "{}", said(&again));
    assert!(said(&again).contains("what was not sent is in there"), "{}", said(&again));
    let names = std::fs::read_dir(bench.data()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    let aside = names.iter().find(|name| name.starts_with("aside-")).unwrap();
    assert_eq!(contents(&bench.data().join(aside))[1].1, before[1].1);
    assert!(!names.iter().any(|name| name == "enrol-new"), "{names:?}");
    let taken = bench.enrol(&[]);
    assert!(said(&taken).contains("as the device d2"), "{}", said(&taken));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_old_data_without_its_key_a_new_key_file_is_made_only_on_success() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    assert!(bench.enrol(&[]).status.success());
    std::fs::remove_file(bench.key()).unwrap();
    bench.refuses().await;
    assert!(!bench.enrol(&["--beside-old"]).status.success());
    assert!(!bench.key().exists());
    bench.takes("d2").await;
    let again = bench.enrol(&["--beside-old"]);
    assert!(again.status.success(), "{}", said(&again));
    assert!(said(&bench.enrol(&[])).contains("as the device d2"), "the new key opens the new data");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_name_address_or_directory_makes_nothing() {
    let bench = Bench::new().await;
    let long = "n".repeat(101);
    for name in ["  ", &long] {
        let output = bench.agent(&["enrol", "--hub", "http://127.0.0.1:1", "--code", "c", "--name", name]);
        assert!(!output.status.success() && said(&output).contains("--name"), "{}", said(&output));
    }
    for args in [["run", "--listen", "0.0.0.0:0"].as_slice(), &["run"], &["recovery-code"], &["recover"]] {
        let output = bench.agent(args);
        assert!(!output.status.success(), "{args:?}: {}", said(&output));
    }
    assert!(said(&bench.agent(&["run"])).contains("parkdesk-agent enrol --data"));
    assert!(!bench.data().exists() && !bench.key().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_file_does_not_take_the_recovery_copy_away() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    assert!(bench.enrol(&[]).status.success());
    let before = contents(&bench.data());
    std::fs::write(bench.key(), "ab".repeat(32)).unwrap();
    let output = bench.agent(&["recovery-code"]);
    assert!(!output.status.success() && said(&output).contains("does not open the data"), "{}", said(&output));
    assert_eq!(contents(&bench.data()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_appliance_comes_again_in_place_and_says_what_it_was() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    assert!(bench.enrol(&[]).status.success());
    bench.takes("d2").await;
    let refused = bench.enrol(&[]);
    assert!(!refused.status.success() && said(&refused).contains("--again"), "{}", said(&refused));
    assert!(bench.hub.received_requests().await.unwrap().is_empty(), "no code is used up");
    let again = bench.enrol(&["--again"]);
    assert!(again.status.success() && said(&again).contains("the device d2"), "{}", said(&again));
    let asked = bench.hub.received_requests().await.unwrap().remove(0);
    assert_eq!(asked.body_json::<serde_json::Value>().unwrap()["was"], "d1");
    assert!(!bench.enrol(&["--beside-old", "--again"]).status.success(), "one or the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_examines_an_appliance_that_does_not_run_and_makes_none() {
    let bench = Bench::new().await;
    let nothing = bench.agent(&["doctor"]);
    assert!(!nothing.status.success() && !bench.data().exists(), "{}", said(&nothing));
    bench.takes("d1").await;
    assert!(bench.enrol(&[]).status.success());
    let sound = bench.agent(&["doctor", "--thorough"]);
    assert!(sound.status.success() && said(&sound).contains("All is well"), "{}", said(&sound));

    let key = Key::from_file(&bench.key()).unwrap();
    let replica = Replica::open(&bench.data(), &key).unwrap();
    let file = replica.put_file(&"v1".parse().unwrap(), FileClass::Thumb, b"bytes").unwrap();
    replica.write(Priority::Person, |tx| tx.add_blob(&file.to_blob(Origin::Local), Millis(1))).unwrap();
    drop(replica);
    let object = file.object.as_str();
    let (a, b) = (&object[..2], &object[2..4]);
    std::fs::remove_file(bench.data().join("blobs").join(a).join(b).join(object)).unwrap();
    let faulty = bench.agent(&["doctor"]);
    assert_eq!(faulty.status.code(), Some(1));
    assert!(said(&faulty).contains("at fault: 1 (file "), "{}", said(&faulty));
    let json = bench.agent(&["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["is_sound"], false, "{report}");
}
