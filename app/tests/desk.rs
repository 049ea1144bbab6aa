//! The desk over the API: who signs in and as whom they act, the link's page, the pages themselves.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may stop where something is wrong")]

mod support;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use parkdesk_app::api::{Api, Sessions};
use parkdesk_domain::body::FacePolicy;
use parkdesk_domain::command::PersonRemove;
use parkdesk_domain::{Command, Millis};
use parkdesk_sqlite::Priority;
use serde_json::{Value, json};
use tower::ServiceExt;

use support::World;
use support::hub::{id, pull_all};

const HOUR: i64 = 3_600_000;

async fn send(router: &Router, request: Request<Body>) -> (u16, axum::http::HeaderMap, Vec<u8>) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

/// A request of the page in the window.
async fn ask(router: &Router, method: Method, path: &str, body: Value) -> (u16, Value) {
    let uri = format!("/api/v1{path}");
    let request = Request::builder().method(method.clone()).uri(&uri);
    let request = request.header(header::CONTENT_TYPE, "application/json").header("parkdesk-desk", "1");
    let (status, _, body) = send(router, request.body(Body::from(body.to_string())).unwrap()).await;
    let answer = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{path}: {}", String::from_utf8_lossy(&body)));
    if status < 300 {
        support::assert_described(method.as_str(), &uri, status, &answer);
    }
    (status, answer)
}

async fn get(router: &Router, path: &str) -> Value {
    ask(router, Method::GET, path, Value::Null).await.1
}

async fn sign_in(router: &Router, person: &str, pass_code: &str) -> (u16, Value) {
    ask(router, Method::POST, "/session", json!({"person": person, "pass_code": pass_code})).await
}

fn told((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or_default())
}

fn driver() -> Value {
    json!({"park": "p1", "last_name": "Новый", "first_name": "Иван", "phones": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_at_a_desk_signs_in_and_acts_with_their_own_rights() {
    let world = World::staffed();
    let router = world.router();
    let session = get(&router, "/session").await;
    assert_eq!((session["required"].as_bool(), &session["person"]), (Some(true), &Value::Null));
    let names: Vec<&str> = session["people"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Борис", "Имя u1", "Ольга"]);
    for open in ["/installation", "/status", "/settings", "/changes"] {
        assert_eq!(ask(&router, Method::GET, open, Value::Null).await.0, 200, "{open}");
    }
    let closed = [
        (Method::GET, "/drivers"),
        (Method::GET, "/photos"),
        (Method::GET, "/people"),
        (Method::GET, "/sync"),
        (Method::PUT, "/settings"),
        (Method::POST, "/recovery-code"),
        (Method::POST, "/sync/now"),
        (Method::POST, "/installation/enrol"),
    ];
    for (method, path) in closed {
        let answer = ask(&router, method, path, json!({})).await;
        assert_eq!(told(&answer), (401, "signed_out"), "{path}");
    }
    let device = Request::get("/api/v1/drivers").body(Body::empty()).unwrap();
    assert_eq!(send(&router, device).await.0, 200, "the owner's command line acts as the appliance");

    assert_eq!(told(&sign_in(&router, "oper", "1234567").await), (401, "wrong_pass_code"));
    assert_eq!(told(&sign_in(&router, "nobody", "123456").await), (404, "not_found"));
    let (status, session) = sign_in(&router, "oper", "123456").await;
    assert_eq!((status, session["person"]["role"].as_str()), (200, Some("operator")), "{session}");
    assert_eq!(session["until_ms"], 1000 + 72 * HOUR);
    assert_eq!(get(&router, "/session").await["person"]["id"], "oper", "a page that is loaded again is signed in");
    let made = ask(&router, Method::POST, "/drivers", driver()).await;
    assert_eq!(made.0, 200, "{made:?}");
    let waiting = &get(&router, "/sync").await["waiting"][0];
    let about = (waiting["kind"].as_str(), waiting["by"].as_str(), waiting["state"].as_str());
    assert_eq!(about, (Some("driver.create"), Some("Ольга"), Some("saved")), "{waiting}");
    assert_eq!(waiting["subject"]["kind"], "driver");
    let new = json!({"park": "p1", "name": "Пётр", "login": "petr", "role": "photo_staff", "pass_code": "1234567"});
    let refused = ask(&router, Method::POST, "/people", new.clone()).await;
    assert_eq!((told(&refused), refused.1["detail"].as_str()), ((409, "refused"), Some("not_allowed")));
    assert_eq!(told(&ask(&router, Method::POST, "/recovery-code", json!({})).await), (403, "forbidden"));
    let elsewhere = json!({"hub": "https://h", "code": "c", "name": "n", "beside_old": true});
    let enrol = |body: Value| ask(&router, Method::POST, "/installation/enrol", body);
    assert_eq!(
        told(&enrol(elsewhere.clone()).await),
        (403, "forbidden"),
        "an operator moves no appliance to another hub"
    );

    assert_eq!(ask(&router, Method::DELETE, "/session", Value::Null).await.1["person"], Value::Null);
    assert_eq!(told(&ask(&router, Method::GET, "/drivers", Value::Null).await), (401, "signed_out"));

    assert_eq!(sign_in(&router, "boss", "123456").await.0, 200);
    assert_eq!(told(&enrol(elsewhere).await), (409, "enrol_failed"), "an administrator may try");
    for (field, bad) in [("pass_code", json!("12345")), ("role", json!("field")), ("role", json!("king"))] {
        let mut body = new.clone();
        body[field] = bad;
        let answer = ask(&router, Method::POST, "/people", body).await;
        assert_eq!((told(&answer), answer.1["detail"].as_str()), ((400, "bad_request"), Some(field)));
    }
    let (status, person) = ask(&router, Method::POST, "/people", new.clone()).await;
    assert_eq!((status, person["state"].as_str()), (200, Some("saved")), "{person}");
    assert_eq!(ask(&router, Method::POST, "/people", new).await.1["detail"], "login_taken");
    let petr = person["id"].as_str().unwrap();
    let code = |code: &str| json!({"pass_code": code});
    let path = format!("/people/{petr}/pass-code");
    assert_eq!(ask(&router, Method::POST, &path, code("12345")).await.1["detail"], "pass_code");
    assert_eq!(ask(&router, Method::POST, "/people/nobody/pass-code", code("123456")).await.0, 404);
    assert_eq!(ask(&router, Method::POST, &path, code("другой код")).await.0, 200);
    assert_eq!(ask(&router, Method::POST, "/recovery-code", json!({})).await.0, 200);
    assert_eq!(told(&sign_in(&router, petr, "1234567").await), (401, "wrong_pass_code"));
    assert_eq!(sign_in(&router, petr, "другой код").await.0, 200, "before the hub has heard of the person");
    assert_eq!(sign_in(&router, "boss", "123456").await.0, 200);
    let gives = get(&router, "/session").await["gives"].clone();
    let all = json!(["photo_staff", "operator", "senior", "moderator", "reviewer", "admin"]);
    assert_eq!(gives, json!([{"park": "p1", "roles": all}]));
    let remove = async |person: &str| ask(&router, Method::DELETE, &format!("/people/{person}"), Value::Null).await;
    let oneself = remove("boss").await;
    assert_eq!((told(&oneself), oneself.1["detail"].as_str()), ((409, "refused"), Some("not_allowed")));
    assert_eq!(told(&remove("nobody").await), (404, "not_found"));
    assert_eq!(remove(petr).await.0, 200);
    assert_eq!(told(&remove(petr).await), (404, "not_found"), "gone");
    assert_eq!(told(&sign_in(&router, petr, "другой код").await), (404, "not_found"));
    assert_eq!(sign_in(&router, "oper", "123456").await.0, 200);
    assert_eq!(
        get(&router, "/session").await["gives"],
        json!([{"park": "p1", "roles": []}]),
        "an operator gives nothing"
    );
    assert_eq!(told(&remove("u1").await).0, 409, "an operator removes nobody");
    let told = get(&router, "/people").await.to_string();
    assert!(!told.contains("argon2") && !told.contains("verifier"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_pass_codes_lock_a_person_out_for_longer_and_longer_and_a_restart_forgives_none() {
    let world = World::staffed();
    let router = world.router();
    for _ in 0..4 {
        assert_eq!(told(&sign_in(&router, "oper", "000000").await), (401, "wrong_pass_code"));
    }
    let fifth = sign_in(&router, "oper", "000000").await;
    assert_eq!((told(&fifth), fifth.1["detail"].as_str()), ((429, "locked_out"), Some("61000")));
    assert_eq!(told(&sign_in(&router, "oper", "123456").await), (429, "locked_out"), "the right one, too");
    assert_eq!(sign_in(&router, "boss", "123456").await.0, 200, "nobody else is locked out");
    world.pass(60_000);
    let sixth = sign_in(&router, "oper", "000000").await;
    assert_eq!(sixth.1["detail"].as_str(), Some("181000"), "two minutes from now");
    let world = world.restart();
    let router = world.router();
    assert_eq!(told(&sign_in(&router, "oper", "123456").await), (429, "locked_out"));
    world.pass(120_000);
    assert_eq!(sign_in(&router, "oper", "123456").await.0, 200);
    assert_eq!(
        told(&sign_in(&router, "oper", "000000").await),
        (401, "wrong_pass_code"),
        "counted from the start again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_idle_hours_with_the_program_with_the_persons_leave_and_three_days_after_the_hub() {
    let mut world = World::staffed();
    let router = world.router();
    assert_eq!(sign_in(&router, "oper", "123456").await.0, 200);
    world.pass(11 * HOUR);
    assert_eq!(ask(&router, Method::POST, "/drivers", driver()).await.0, 200);
    world.pass(11 * HOUR);
    assert_eq!(ask(&router, Method::GET, "/drivers", Value::Null).await.0, 200);
    world.pass(2 * HOUR);
    assert_eq!(told(&ask(&router, Method::GET, "/drivers", Value::Null).await), (401, "signed_out"));
    assert_eq!(sign_in(&router, "oper", "123456").await.0, 200);

    let remove = PersonRemove { person: id("oper"), park: id("p1") };
    world.hub.own(30, Command::PersonRemove(remove));
    pull_all(&world.replica, &world.hub);
    assert_eq!(told(&ask(&router, Method::GET, "/drivers", Value::Null).await), (401, "signed_out"));
    assert_eq!(told(&sign_in(&router, "oper", "123456").await), (404, "not_found"));

    assert_eq!(sign_in(&router, "boss", "123456").await.0, 200);
    drop(router);
    let world = world.restart();
    let router = world.router();
    assert_eq!(get(&router, "/session").await["person"], Value::Null);
    assert_eq!(sign_in(&router, "boss", "123456").await.0, 200);
    world.pass(49 * HOUR);
    let late = sign_in(&router, "boss", "123456").await;
    assert_eq!(told(&late), (401, "signed_out"));
    assert!(late.1["message"].as_str().unwrap().contains("connect it to the network"), "{late:?}");
    assert_eq!(get(&router, "/session").await["person"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_page_shows_what_waits_what_is_held_back_and_keeps_wishes_over_a_restart() {
    let mut world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    let router = world.router();
    let view = get(&router, "/sync").await;
    assert_eq!((view["waiting_total"].as_u64(), view["waiting"][0]["kind"].as_str()), (Some(1), Some("photo.capture")));
    assert_eq!(view["waiting"][0]["subject"]["id"].as_str(), Some(photo.as_str()));
    assert_eq!(view["waiting"][0]["by"], Value::Null, "the appliance itself took it");
    assert_eq!(view["files"], json!([]), "nothing is sent before the hub judged it");
    world.exchange();
    let view = get(&router, "/sync").await;
    let files = |view: &Value| -> Vec<(String, String)> {
        let text = |file: &Value, name: &str| file[name].as_str().unwrap().to_owned();
        view["files"].as_array().unwrap().iter().map(|file| (text(file, "class"), text(file, "state"))).collect()
    };
    let waiting = |class: &str| (class.to_owned(), "waiting".to_owned());
    assert_eq!(files(&view), [waiting("thumb"), waiting("portrait"), waiting("original")], "{view}");
    assert_eq!((view["link"]["sending"]["files_left"].as_u64(), view["held"]["files"].as_u64()), (Some(3), Some(0)));
    assert_eq!(
        (view["files"][0]["direction"].as_str(), view["files"][0]["photo"].as_str()),
        (Some("up"), Some(photo.as_str()))
    );

    let policy = json!({"mode": "metered", "schedule": [{"days": [1, 5], "from": "22:00", "to": "06:30"}]});
    let (status, kept) = ask(&router, Method::PUT, "/sync/policy", policy.clone()).await;
    assert_eq!((status, &kept), (200, &policy));
    for bad in [
        json!({"mode": "free", "schedule": []}),
        json!({"mode": "metered", "schedule": [{"days": [], "from": "22:00", "to": "06:30"}]}),
        json!({"mode": "metered", "schedule": [{"days": [8], "from": "22:00", "to": "06:30"}]}),
        json!({"mode": "metered", "schedule": [{"days": [1], "from": "25:00", "to": "06:30"}]}),
    ] {
        let answer = ask(&router, Method::PUT, "/sync/policy", bad.clone()).await;
        assert_eq!(told(&answer), (400, "bad_request"), "{bad}");
    }
    assert_eq!(ask(&router, Method::POST, "/sync/pause", json!({"until_ms": 9_000_000})).await.0, 200);
    drop(router);
    let world = world.restart();
    let router = world.router();
    let view = get(&router, "/sync").await;
    assert_eq!((&view["policy"], view["paused_until_ms"].as_i64()), (&policy, Some(9_000_000)));
    assert_eq!(view["held"]["files"], 1);
    assert!(view["held"]["bytes"].as_u64().unwrap() > 0 && files(&view).contains(&("original".into(), "held".into())));
    assert_eq!(view["link"]["sending"]["files_left"], 2, "what is held back is not on its way");
    assert_eq!(ask(&router, Method::POST, &format!("/photos/{photo}/send-now"), json!({})).await.0, 200);
    assert_eq!(ask(&router, Method::POST, "/photos/unknown/send-now", json!({})).await.0, 404);
    let view = get(&router, "/sync").await;
    assert_eq!((view["held"]["files"].as_u64(), files(&view)[2].clone()), (Some(0), waiting("original")));
    assert_eq!(ask(&router, Method::POST, "/sync/resume", json!({})).await.0, 200);
    assert_eq!(get(&router, "/sync").await["paused_until_ms"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_told_in_tens_of_minutes_of_the_last_twenty_four_hours() {
    let world = World::new(FacePolicy::Verify);
    let router = world.router();
    assert_eq!(get(&router, "/sync/day").await, json!([]));
    let line = |sent: u64, waiting: u64| {
        json!({"sent": sent, "received": 2, "bytes_up": 10, "bytes_down": 20, "problems": 1, "waiting": waiting})
            .to_string()
    };
    let log = |at: i64, text: &str| {
        world.replica.write(Priority::Sync, |tx| tx.log_sync("tally", text, Millis(at))).unwrap();
    };
    log(0, &line(9, 9));
    log(HOUR, &line(1, 5));
    log(HOUR + 599_000, &line(2, 3));
    log(HOUR + 600_000, &line(4, 1));
    log(HOUR + 700_000, "nonsense");
    world.pass(24 * HOUR);
    let day = get(&router, "/sync/day").await;
    let points: Vec<_> = day
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["at_ms"].as_i64().unwrap(), p["sent"].as_u64().unwrap(), p["waiting"].as_u64().unwrap()))
        .collect();
    assert_eq!(points, [(HOUR, 3, 3), (HOUR + 600_000, 4, 1)], "{day}");
    assert_eq!(
        (day[0]["received"].as_u64(), day[0]["bytes_down"].as_u64(), day[0]["problems"].as_u64()),
        (Some(4), Some(40), Some(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_the_built_pages_and_nothing_else_of_the_disk() {
    let world = World::new(FacePolicy::Verify);
    let pages = world.dir.path().join("ui");
    std::fs::create_dir_all(pages.join("assets")).unwrap();
    std::fs::write(pages.join("index.html"), "<html>first").unwrap();
    std::fs::write(pages.join("assets/app-1a2b.js"), "run()").unwrap();
    std::fs::write(world.dir.path().join("secret.txt"), "secret").unwrap();
    let sessions = Arc::new(Sessions::new("127.0.0.1:8123".parse().unwrap(), Arc::new(|| Millis(0))));
    let door = Api::new(world.installation(), Some(sessions.clone()), Some(pages)).for_loopback().unwrap();
    let page = |path: &str| {
        let request = Request::get(path).header("host", "127.0.0.1:8123").header("accept", "text/html,*/*");
        send(&door, request.body(Body::empty()).unwrap())
    };
    for path in ["/", "/index.html", "/drivers/p1/ivan", "/sync"] {
        let (status, headers, body) = page(path).await;
        assert_eq!((status, body.as_slice()), (200, &b"<html>first"[..]), "{path}");
        assert_eq!(
            (headers["cache-control"].as_bytes(), headers["x-content-type-options"].as_bytes()),
            (&b"no-cache"[..], &b"nosniff"[..])
        );
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let (status, headers, body) = page("/assets/app-1a2b.js").await;
    assert_eq!((status, body.as_slice()), (200, &b"run()"[..]));
    assert!(
        headers["cache-control"].to_str().unwrap().contains("immutable")
            && headers["content-type"].to_str().unwrap().contains("javascript")
    );
    for (path, expected) in [
        ("/assets/gone.js", 404),
        ("/api/v1/status", 401),
        ("/api/v1/none", 401),
        ("/openapi.json", 401),
        ("/..%2fsecret.txt", 200),
        ("/%2e%2e/secret.txt", 200),
        ("/assets/..%2f..%2fsecret.txt", 404),
    ] {
        let (status, _, body) = page(path).await;
        assert_eq!(status, expected, "{path}");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
    }
    let link = sessions.new_link().replace("http://127.0.0.1:8123", "");
    let (status, headers, _) = page(&link).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (303, "/"));
}
