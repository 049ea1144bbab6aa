//! The appliance over its own API: set up from nothing, its key lost and brought back, enrolled anew beside old data.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use parkdesk_app::keys::KeyPlace;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::words::Lang;
use parkdesk_sync_agent::{Appliance, ApplianceConfig, StartError};
use serde_json::{Value, json};
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

    fn config(&self) -> ApplianceConfig {
        ApplianceConfig {
            data: KeyPlace { dir: self.data(), key_file: Some(self.key()) },
            ring: Arc::new(OsRing::default()),
            watch: None,
            listener: None,
            faces: Some("/nowhere/parkdesk-faces".into()),
            weights: Some("/nowhere".into()),
            pages: None,
            reconnect_spread: Duration::ZERO,
            lang: Lang::Ru,
            may_set_up: true,
        }
    }

    async fn start(&self) -> Arc<Appliance> {
        Appliance::start(self.config()).await.unwrap()
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

    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        ask(&self.data().join("agent.sock"), method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, Value::Null).await.1
    }

    async fn enrol(&self, more: Value) -> (u16, Value) {
        let mut wish = json!({"hub": self.hub.uri(), "code": "7K3M-1111-2222", "name": "centre"});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(Method::POST, "/installation/enrol", wish).await
    }
}

async fn ask(socket: &Path, method: Method, path: &str, body: Value) -> (u16, Value) {
    let stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("host", "agent")
        .header("content-type", "application/json")
        .header("parkdesk-desk", "1")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appliance_is_enrolled_from_its_page_and_is_at_work_at_once() {
    let bench = Bench::new().await;
    let appliance = bench.start().await;
    let before = bench.get("/installation").await;
    assert_eq!((before["state"].as_str(), before["lang"].as_str()), (Some("new"), Some("ru")), "{before}");
    let (status, problem) = bench.ask(Method::GET, "/status", Value::Null).await;
    assert_eq!((status, problem["code"].as_str()), (409, Some("not_set_up")));

    for (wish, status, detail) in [
        (json!({"name": " "}), 409, "name"),
        (json!({"hub": "http://127.0.0.1:1"}), 502, "unreachable"),
        (json!({"hub": "http://hub.example.org"}), 502, "tls"),
        (json!({"hub": "nothing"}), 502, "not_a_hub"),
        (json!({"ca": "nothing"}), 502, "tls"),
    ] {
        let (found, problem) = bench.enrol(wish.clone()).await;
        let told = (problem["code"].as_str(), problem["detail"].as_str());
        assert_eq!((found, told), (status, (Some("enrol_failed"), Some(detail))), "{wish}: {problem}");
    }
    bench.refuses().await;
    assert_eq!(bench.enrol(json!({})).await.1["detail"], "wrong_code");
    assert_eq!(bench.get("/installation").await["state"], "new", "a refused code leaves it as it was");

    bench.takes("d1").await;
    let (status, enrolled) = bench.enrol(json!({})).await;
    assert_eq!((status, enrolled["device"].as_str()), (200, Some("d1")), "{enrolled}");
    assert!(enrolled["recovery_code"].is_string(), "the refusals before showed none: {enrolled}");
    let after = bench.get("/installation").await;
    assert_eq!((after["state"].as_str(), after["hub"].as_str()), (Some("ready"), Some(bench.hub.uri().as_str())));
    assert_eq!(bench.get("/status").await["device"], "d1");
    let (status, again) = bench.enrol(json!({})).await;
    assert_eq!((status, again["detail"].as_str()), (409, Some("already_enrolled")));
    bench.takes("d9").await;
    let (status, again) = bench.enrol(json!({"again": true})).await;
    assert_eq!((status, again["device"].as_str()), (200, Some("d9")), "a new device on the same data: {again}");
    assert_eq!(bench.get("/status").await["device"], "d9");
    assert!(matches!(Appliance::start(bench.config()).await, Err(StartError::Owned { socket }) if socket.exists()));
    appliance.stop().await;
    let appliance = bench.start().await;
    assert_eq!(bench.get("/status").await["device"], "d9", "the directory was let go and opens again");
    appliance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_brought_back_by_its_code_and_nothing_is_made_in_place_of_the_data() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    let appliance = bench.start().await;
    let (_, enrolled) = bench.enrol(json!({})).await;
    let first_code = enrolled["recovery_code"].as_str().unwrap().to_owned();
    let code =
        bench.ask(Method::POST, "/recovery-code", json!({})).await.1["recovery_code"].as_str().unwrap().to_owned();
    assert_ne!(first_code, code);
    appliance.stop().await;
    let kept = std::fs::read(bench.key()).unwrap();
    std::fs::remove_file(bench.key()).unwrap();
    let replica = std::fs::read(bench.data().join("replica.db")).unwrap();

    let config = ApplianceConfig { may_set_up: false, ..bench.config() };
    assert!(matches!(Appliance::start(config).await, Err(StartError::Keys(_))));
    let appliance = bench.start().await;
    let view = bench.get("/installation").await;
    assert_eq!(view["state"], "no_key");
    assert_eq!(
        (view["no_key"]["looked_in"].as_str(), view["no_key"]["has_recovery_copy"].as_bool()),
        (Some("file"), Some(true))
    );
    assert_eq!(bench.get("/drivers").await["code"], "not_set_up");
    assert_eq!(bench.ask(Method::POST, "/recovery-code", json!({})).await.1["code"], "not_set_up");
    assert_eq!(bench.enrol(json!({})).await.1["detail"], "already_enrolled", "old data is not enrolled over");
    for wrong in ["", "nonsense", &first_code] {
        let (status, problem) = bench.ask(Method::POST, "/installation/recover", json!({"code": wrong})).await;
        assert_eq!((status, problem["code"].as_str()), (401, Some("wrong_recovery_code")), "{wrong}");
    }
    assert_eq!(std::fs::read(bench.data().join("replica.db")).unwrap(), replica);
    assert!(!bench.key().exists());
    let (status, view) = bench.ask(Method::POST, "/installation/recover", json!({"code": code})).await;
    assert_eq!((status, view["state"].as_str()), (200, Some("ready")), "{view}");
    assert_eq!(std::fs::read(bench.key()).unwrap().trim_ascii(), kept.trim_ascii());
    assert_eq!(bench.get("/status").await["device"], "d1");
    appliance.stop().await;

    // The key file is put back while the page waits.
    std::fs::rename(bench.key(), bench.dir.path().join("elsewhere")).unwrap();
    let appliance = bench.start().await;
    assert_eq!(bench.ask(Method::POST, "/installation/retry", json!({})).await.1["state"], "no_key");
    std::fs::rename(bench.dir.path().join("elsewhere"), bench.key()).unwrap();
    assert_eq!(bench.ask(Method::POST, "/installation/retry", json!({})).await.1["state"], "ready");
    appliance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_old_data_a_new_appliance_comes_alive_and_the_old_one_is_kept_whole() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    let appliance = bench.start().await;
    assert_eq!(bench.enrol(json!({})).await.0, 200);
    bench.refuses().await;
    assert_eq!(bench.enrol(json!({"beside_old": true})).await.1["detail"], "wrong_code");
    assert_eq!(bench.get("/status").await["device"], "d1", "after a refusal the old one is at work");
    bench.takes("d2").await;
    let (status, enrolled) = bench.enrol(json!({"beside_old": true})).await;
    assert_eq!((status, enrolled["device"].as_str()), (200, Some("d2")), "{enrolled}");
    assert!(Path::new(enrolled["moved"].as_str().unwrap()).join("replica.db").is_file());
    assert_eq!(bench.get("/status").await["device"], "d2");
    appliance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watched_folder_is_changed_while_the_appliance_runs_and_kept() {
    let bench = Bench::new().await;
    bench.takes("d1").await;
    let appliance = bench.start().await;
    assert_eq!(bench.enrol(json!({})).await.0, 200);
    let folder = bench.dir.path().join("photos");
    let put = |body: Value| bench.ask(Method::PUT, "/settings", body);
    for bad in ["relative", folder.to_str().unwrap()] {
        let (status, problem) = put(json!({"watch_folder": bad})).await;
        assert_eq!((status, problem["detail"].as_str()), (400, Some("watch_folder")), "{bad}: {problem}");
    }
    std::fs::create_dir(&folder).unwrap();
    let (status, settings) = put(json!({"watch_folder": folder, "theme": "dark", "lang": "en"})).await;
    assert_eq!((status, settings["watch_folder"].as_str()), (200, folder.to_str()), "{settings}");
    assert_eq!(bench.get("/status").await["watch"]["folder"].as_str(), folder.to_str());
    appliance.stop().await;
    let appliance = bench.start().await;
    let settings = bench.get("/settings").await;
    assert_eq!((settings["theme"].as_str(), settings["watch_folder"].as_str()), (Some("dark"), folder.to_str()));
    assert_eq!(bench.get("/installation").await["lang"], "en");
    assert_eq!(bench.get("/status").await["watch"]["folder"].as_str(), folder.to_str());
    let (_, settings) = put(json!({"watch_folder": null, "lang": null})).await;
    assert_eq!((&settings["watch_folder"], &settings["lang"]), (&Value::Null, &Value::Null));
    assert_eq!(settings["theme"], "dark", "what is absent stays");
    assert_eq!(bench.get("/status").await["watch"], Value::Null);
    appliance.stop().await;
}
