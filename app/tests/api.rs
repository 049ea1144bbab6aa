//! The API: its description, what it lets in, what it never tells.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may stop where something is wrong")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use parkdesk_app::api::{Api, ListenError, Sessions, bind_loopback, bind_socket, open_api};
use parkdesk_domain::Millis;
use parkdesk_domain::body::FacePolicy;
use serde_json::Value;
use tower::ServiceExt;

use support::World;

const HOST: &str = "127.0.0.1:8123";

struct Reply {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

async fn ask(router: &Router, request: Request<Body>) -> Reply {
    let (method, uri) = (request.method().clone(), request.uri().to_string());
    let answer = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
    if status.is_success()
        && let Ok(answer) = serde_json::from_slice(&body)
    {
        support::assert_described(method.as_str(), &uri, status.as_u16(), &answer);
    }
    Reply { status, headers, body }
}

async fn get(router: &Router, path: &str) -> Reply {
    ask(router, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(router: &Router, path: &str, body: &str) -> Reply {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    ask(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

#[test]
fn the_committed_description_is_the_one_served() {
    let now = serde_json::to_string_pretty(&open_api()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == now, "app/openapi.json is old: run UPDATE_OPENAPI=1 cargo test -p parkdesk-app --test api");
}

#[test]
fn every_type_that_the_description_names_is_described_in_it() {
    fn look(value: &Value, all: &Value, missing: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(to) = map.get("$ref").and_then(Value::as_str)
                    && all.pointer(to.trim_start_matches('#')).is_none()
                {
                    missing.push(to.to_owned());
                }
                map.values().for_each(|value| look(value, all, missing));
            }
            Value::Array(items) => items.iter().for_each(|value| look(value, all, missing)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let (all, mut missing) = (serde_json::to_value(open_api()).unwrap(), Vec::new());
    look(&all, &all, &mut missing);
    assert_eq!(missing, [] as [String; 0], "the pages' client cannot be made of it");
}

/// Names that a raw score or a template could have.
fn tells_a_score(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    [
        "distance",
        "score",
        "descriptor",
        "template",
        "embedding",
        "similarity",
        "vector",
        "probability",
        "detection_milli",
    ]
    .into_iter()
    .find(|name| text.contains(name))
}

fn names(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            out.push(name.clone());
            names(value, out);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_description_tells_a_raw_score() {
    let world = World::new(FacePolicy::Search);
    world.captured("face 0.0", "ivan");
    world.captured("turned b", "ivan");
    let entry = world.waiting("face 0.123456");
    let router = world.router();
    let mut answers = vec![serde_json::to_value(open_api()).unwrap()];
    for path in [
        "status",
        "photos",
        "unassigned",
        &format!("unassigned/{entry}/offers"),
        "drivers",
        "needs-attention",
        "changes",
    ] {
        let reply = get(&router, &format!("/api/v1/{path}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        answers.push(reply.json());
    }
    let offers = &answers[4]["offers"];
    assert_eq!(offers[0]["driver"], "ivan");
    for answer in &answers {
        let mut all = Vec::new();
        names(answer, &mut all);
        for name in all {
            assert_eq!(tells_a_score(&name), None, "{name}");
        }
        // sin and cos of the tray's picture: no number of its template is told.
        assert!(!answer.to_string().contains("0.1231"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photos_file_is_a_private_jpeg_and_odd_names_are_not_found() {
    let world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    let router = world.router();
    let reply = get(&router, &format!("/api/v1/photos/{photo}/files/portrait")).await;
    assert_eq!((reply.status, reply.body.as_slice()), (StatusCode::OK, &b"portrait of face 0.0"[..]));
    assert_eq!(reply.headers[header::CONTENT_TYPE], "image/jpeg");
    assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(reply.headers[header::CACHE_CONTROL].to_str().unwrap().starts_with("private"));
    for path in [
        "photos/../files/portrait",
        "photos/%2e%2e/files/portrait",
        "photos/%00/files/portrait",
        "photos/a%5cb/files/portrait",
        "photos/~root/files/portrait",
        "photos/%2fetc%2fpasswd/files/original",
        "photos/..;/files/portrait",
        "photos/%D0%B0/files/portrait",
        "photos/unknown/files/portrait",
        &format!("photos/{photo}/files/raw"),
        &format!("photos/{photo}/files/..%2f..%2freplica.db"),
    ] {
        let reply = get(&router, &format!("/api/v1/{path}")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.json()["code"], "not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_is_answered_with_code_and_sentence() {
    let world = World::new(FacePolicy::Verify);
    let router = world.router();
    let cases = [
        (post(&router, "/api/v1/drivers", "{").await, StatusCode::BAD_REQUEST, "bad_request"),
        (get(&router, "/api/v1/photos?limit=many").await, StatusCode::BAD_REQUEST, "bad_request"),
        (get(&router, "/api/v2").await, StatusCode::NOT_FOUND, "not_found"),
        (post(&router, "/api/v1/status", "").await, StatusCode::BAD_REQUEST, "bad_request"),
        (post(&router, "/api/v1/unassigned/none/discard", "{}").await, StatusCode::NOT_FOUND, "not_found"),
        (
            post(&router, "/api/v1/files?name=a.jpg&taken_at_ms=1", "truncated").await,
            StatusCode::UNPROCESSABLE_ENTITY,
            "rejected",
        ),
        (
            post(&router, "/api/v1/files?name=a.jpg&taken_at_ms=1", "gone").await,
            StatusCode::SERVICE_UNAVAILABLE,
            "later",
        ),
        (
            post(&router, "/api/v1/files?name=a.jpg&taken_at_ms=1", &"x".repeat(25_000_001)).await,
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
        ),
        (post(&router, "/api/v1/open", "{}").await, StatusCode::SERVICE_UNAVAILABLE, "later"),
    ];
    for (reply, status, code) in cases {
        assert_eq!((reply.status, reply.json()["code"].as_str()), (status, Some(code)), "{}", reply.json());
        assert!(reply.json()["message"].as_str().is_some_and(|text| text.len() > 20), "{}", reply.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_file_is_taken_and_the_link_is_steered() {
    let world = World::new(FacePolicy::Verify);
    let router = world.router();
    let reply = post(&router, "/api/v1/files?name=a.jpg&taken_at_ms=1&driver=ivan", "face 0.0").await;
    assert_eq!(reply.json()["taken"], "captured");
    assert_eq!(reply.json()["assigned_by"], "hint");
    for what in ["now", "pause", "resume"] {
        assert_eq!(post(&router, &format!("/api/v1/sync/{what}"), "{}").await.status, StatusCode::OK);
    }
    assert_eq!(*world.link.0.lock().unwrap(), ["now", "pause", "resume"]);
    let changes = get(&router, "/api/v1/changes?after=0").await.json();
    assert!(
        changes["tags"].as_array().unwrap().iter().any(|tag| tag.as_str().unwrap().starts_with("photo/")),
        "{changes}"
    );
    let after = changes["next"].as_i64().unwrap();
    let nothing = get(&router, &format!("/api/v1/changes?after={after}&wait_ms=20")).await.json();
    assert_eq!((nothing["next"].as_i64(), nothing["tags"].as_array().map(Vec::len)), (Some(after), Some(0)));
}

fn browser(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from("{}")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_needs_the_link_the_name_and_the_own_origin() {
    let world = World::new(FacePolicy::Verify);
    let now = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let clock = {
        let now = now.clone();
        Arc::new(move || Millis(now.load(std::sync::atomic::Ordering::Relaxed)))
    };
    let sessions = Arc::new(Sessions::new(HOST.parse().unwrap(), clock));
    let api = Api::new(world.installation(), Some(sessions), None);
    let (socket, door) = (api.for_socket(), api.for_loopback().unwrap());
    let url = post(&socket, "/api/v1/open", "{}").await.json()["url"].as_str().unwrap().to_owned();
    let link = url.strip_prefix(&format!("http://{HOST}")).unwrap().to_owned();

    let status = "/api/v1/status";
    let reply = ask(&door, browser("GET", status, &[("host", HOST)])).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("unauthorized")));
    assert_eq!(ask(&door, browser("GET", &link, &[("host", "evil.example:8123")])).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        ask(&door, browser("POST", "/api/v1/open", &[("host", HOST), ("origin", &format!("http://{HOST}"))]))
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );

    let reply = ask(&door, browser("GET", &link, &[("host", HOST)])).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let cookie = reply.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(ask(&door, browser("GET", &link, &[("host", HOST)])).await.status, StatusCode::UNAUTHORIZED, "used up");

    let own = format!("http://{HOST}");
    let cases = [
        ("GET", status, vec![("host", HOST), ("cookie", &cookie)], StatusCode::OK),
        ("GET", status, vec![("host", "localhost:8123"), ("cookie", &cookie)], StatusCode::OK),
        ("GET", status, vec![("host", "evil.example:8123"), ("cookie", &cookie)], StatusCode::FORBIDDEN),
        ("GET", status, vec![("cookie", &cookie)], StatusCode::FORBIDDEN),
        (
            "GET",
            status,
            vec![("host", HOST), ("cookie", &cookie), ("origin", "http://evil.example")],
            StatusCode::FORBIDDEN,
        ),
        ("POST", "/api/v1/sync/now", vec![("host", HOST), ("cookie", &cookie)], StatusCode::FORBIDDEN),
        (
            "POST",
            "/api/v1/sync/now",
            vec![("host", HOST), ("cookie", &cookie), ("origin", "null")],
            StatusCode::FORBIDDEN,
        ),
        ("POST", "/api/v1/sync/now", vec![("host", HOST), ("cookie", &cookie), ("origin", &own)], StatusCode::OK),
        ("GET", status, vec![("host", HOST), ("cookie", "parkdesk_session=00")], StatusCode::UNAUTHORIZED),
    ];
    for (method, path, headers, expected) in cases {
        let reply = ask(&door, browser(method, path, &headers)).await;
        assert_eq!(reply.status, expected, "{method} {path} {headers:?}");
        assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    let no_way =
        ask(&door, browser("POST", "/api/v1/open", &[("host", HOST), ("cookie", &cookie), ("origin", &own)])).await;
    assert_eq!(no_way.status, StatusCode::NOT_FOUND, "a browser makes no links");
    now.store(13 * 60 * 60 * 1000, std::sync::atomic::Ordering::Relaxed);
    let late = ask(&door, browser("GET", status, &[("host", HOST), ("cookie", &cookie)])).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED, "sessions end");
}

#[tokio::test]
async fn the_socket_is_its_owners_and_other_addresses_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.sock");
    for _ in 0..2 {
        // The second time a dead socket is in the way.
        drop(bind_socket(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let long = dir.path().join("x".repeat(120));
    assert!(matches!(bind_socket(&long), Err(ListenError::TooLong(_))));
    for address in ["0.0.0.0:0", "192.0.2.1:80", "[::]:0"] {
        assert!(matches!(bind_loopback(address.parse().unwrap()), Err(ListenError::NotLoopback(_))), "{address}");
    }
    bind_loopback("127.0.0.1:0".parse().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desks_way_from_frame_to_saved_photo_and_what_is_wrong_on_it() {
    let world = World::new(FacePolicy::Search);
    world.captured("face 0.0", "ivan");
    let router = world.router();
    let made = post(&router, "/api/v1/shots?name=cam&source=camera&taken_at_ms=9&driver=ivan", "face 0.123456").await;
    assert_eq!(made.status, StatusCode::OK);
    let view = made.json();
    let shot = view["id"].as_str().unwrap();
    assert_eq!(view["nearest"]["verdict"], "same");
    let mut all = Vec::new();
    names(&view, &mut all);
    assert!(all.iter().all(|name| tells_a_score(name).is_none()), "{all:?}");
    assert!(!view.to_string().contains("0.1231"), "no number of its template is told");
    let file = get(&router, &format!("/api/v1/shots/{shot}/files/portrait")).await;
    assert_eq!((file.status, file.body.as_slice()), (StatusCode::OK, &b"portrait of face 0.123456"[..]));
    assert_eq!(file.headers[header::CACHE_CONTROL], "no-store");

    let bad_crop = r#"{"x":0,"y":0,"w":241,"h":320,"turn":0}"#;
    let crop = r#"{"x":1,"y":2,"w":240,"h":320,"turn":0}"#;
    let cases = [
        ("POST", "/api/v1/shots?name=cam&source=folder&taken_at_ms=9".to_owned(), "face 0.2", 400, "bad_request"),
        ("POST", "/api/v1/shots?name=cam&source=moon&taken_at_ms=9".to_owned(), "face 0.2", 400, "bad_request"),
        ("POST", "/api/v1/shots?name=cam&source=file".to_owned(), "face 0.2", 400, "bad_request"),
        ("POST", "/api/v1/shots?name=c&source=file&taken_at_ms=9&park=p9".to_owned(), "face 0.2", 404, "not_found"),
        ("POST", "/api/v1/shots?name=c&source=file&taken_at_ms=9&driver=no".to_owned(), "face 0.2", 404, "not_found"),
        ("POST", "/api/v1/shots?name=c&source=file&taken_at_ms=9".to_owned(), "truncated", 422, "rejected"),
        ("POST", "/api/v1/shots?name=c&source=file&taken_at_ms=9".to_owned(), "gone", 503, "later"),
        ("POST", format!("/api/v1/shots/{shot}/crop"), bad_crop, 400, "bad_request"),
        ("POST", format!("/api/v1/shots/{shot}/crop"), "{}", 400, "bad_request"),
        ("POST", format!("/api/v1/shots/{shot}/save"), "{}", 400, "bad_request"),
        ("POST", format!("/api/v1/shots/{shot}/save"), r#"{"driver":"nobody"}"#, 404, "not_found"),
        ("GET", format!("/api/v1/shots/{shot}?driver=ivan"), "", 400, "bad_request"),
        ("GET", format!("/api/v1/shots/{shot}?park=p1&driver=nobody"), "", 404, "not_found"),
        ("GET", format!("/api/v1/shots/{shot}/files/raw"), "", 404, "not_found"),
        ("GET", "/api/v1/shots/unknown/files/thumb".to_owned(), "", 404, "not_found"),
        ("DELETE", "/api/v1/shots/unknown".to_owned(), "", 404, "not_found"),
        ("POST", "/api/v1/photos/unknown/withdraw".to_owned(), "", 404, "not_found"),
        ("POST", "/api/v1/live".to_owned(), "hello", 422, "rejected"),
        ("GET", "/api/v1/parks/p1/drivers/nobody/history".to_owned(), "", 404, "not_found"),
        ("GET", "/api/v1/parks/p9/drivers/ivan/matches".to_owned(), "", 404, "not_found"),
        ("GET", "/api/v1/drivers?after=00".to_owned(), "", 400, "bad_request"),
        ("GET", "/api/v1/drivers?park=%2e%2e".to_owned(), "", 404, "not_found"),
    ];
    for (method, path, body, status, code) in cases {
        let request = Request::builder().method(method).uri(&path).header(header::CONTENT_TYPE, "application/json");
        let reply = ask(&router, request.body(Body::from(body)).unwrap()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["code"].as_str()),
            (status, Some(code)),
            "{path} {}",
            reply.json()
        );
    }
    assert_eq!(post(&router, &format!("/api/v1/shots/{shot}/crop"), crop).await.json()["crop"]["y"], 2);
    let saved = post(&router, &format!("/api/v1/shots/{shot}/save"), r#"{"driver":"ivan"}"#).await;
    assert_eq!((saved.status, saved.json()["taken"].as_str()), (StatusCode::OK, Some("captured")));
    let gone = get(&router, &format!("/api/v1/shots/{shot}")).await;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (StatusCode::GONE, Some("expired")));
    let again = post(&router, &format!("/api/v1/shots/{shot}/save"), r#"{"driver":"ivan"}"#).await;
    assert_eq!(again.json()["taken"], "duplicate");
    let drivers = get(&router, "/api/v1/drivers?limit=1").await.json();
    assert_eq!((drivers["rows"].as_array().unwrap().len(), drivers["total"].as_u64()), (1, Some(2)));
    let next = drivers["next"].as_str().unwrap();
    let rest = get(&router, &format!("/api/v1/drivers?limit=1&after={next}")).await.json();
    assert_ne!(rest["rows"][0]["id"], drivers["rows"][0]["id"]);
    for path in ["history", "matches"] {
        let reply = get(&router, &format!("/api/v1/parks/p1/drivers/ivan/{path}")).await;
        assert!(!reply.json().as_array().unwrap().is_empty(), "{path}");
        let mut all = Vec::new();
        names(&reply.json(), &mut all);
        assert!(all.iter().all(|name| tells_a_score(name).is_none()), "{path}: {all:?}");
    }
}
