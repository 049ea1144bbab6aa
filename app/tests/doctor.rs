//! The doctor over the API, the bundle that names nobody, and the watchdog of the queue.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may stop where something is wrong")]

mod support;

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use parkdesk_app::attention::Decision;
use parkdesk_app::doctor::DoctorWish;
use parkdesk_app::sync::LinkState;
use parkdesk_domain::body::FacePolicy;
use serde_json::Value;
use tower::ServiceExt;

use support::World;

async fn call(world: &World, request: Request<Body>) -> String {
    let (method, uri) = (request.method().clone(), request.uri().to_string());
    let answer = world.router().oneshot(request).await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{status}");
    let text = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    support::assert_described(method.as_str(), &uri, status.as_u16(), &serde_json::from_str(&text).unwrap());
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_appliance_is_told_so_and_a_lost_file_is_found() {
    let world = World::new(FacePolicy::Verify);
    world.captured("face 0.0", "ivan");
    let examine = || async {
        let request = Request::post("/api/v1/doctor").header(header::CONTENT_TYPE, "application/json");
        let text = call(&world, request.body(Body::from(r#"{"thorough": true}"#)).unwrap()).await;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let report = examine().await;
    assert_eq!(report["is_sound"], true, "{report}");
    std::fs::remove_file(world.objects().first().unwrap()).unwrap();
    let report = examine().await;
    let faulty: Vec<&Value> = report["findings"].as_array().unwrap().iter().filter(|f| f["faults"] != 0).collect();
    assert_eq!((report["is_sound"].as_bool(), faulty.len()), (Some(false), 1), "{report}");
    assert_eq!((&faulty[0]["check"], &faulty[0]["faults"]), (&"files".into(), &1.into()));
    assert!(faulty[0]["advice_ru"].as_str().unwrap().contains("диск"));
}

#[test]
fn a_clock_that_is_off_is_told_with_what_to_do() {
    let world = World::new(FacePolicy::Verify);
    for (offset, faults) in [(119_000, 0), (-121_000, 1), (3_600_000, 1)] {
        world.link.set_clock_offset(offset);
        let report = world.app.doctor(DoctorWish::default()).unwrap();
        let clock = report.findings.last().unwrap();
        assert_eq!((clock.check.as_str(), clock.faults), ("clock", faults), "{offset}");
        assert_eq!(clock.advice_en.is_some(), faults == 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_support_bundle_names_nobody() {
    let mut world = World::new(FacePolicy::Verify);
    world.captured("face 0.0", "ivan");
    world.waiting("face 0.4");
    world.exchange();
    let text = call(&world, Request::get("/api/v1/support-bundle").body(Body::empty()).unwrap()).await;
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["unassigned"], 1);
    assert!(
        bundle["rows"].as_array().unwrap().iter().any(|row| row["what"] == "driver" && row["count"] == 2),
        "{text}"
    );
    for secret in ["ivan", "petr", "Иван", "Парк", "916", "\"p1\"", "park/p1", "device/d1", "face 0."] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_queue_that_stands_still_while_the_hub_answers_is_a_matter_for_people() {
    let mut world = World::new(FacePolicy::Verify);
    world.captured("face 0.0", "ivan");
    let start = Instant::now();
    let minutes = |n: u64| start + Duration::from_secs(60 * n);
    let entries = |world: &World| world.app.list_attention().unwrap();

    world.link.set_state(LinkState::Offline);
    world.app.watch_queue(minutes(0)).unwrap();
    world.app.watch_queue(minutes(600)).unwrap();
    assert!(entries(&world).is_empty(), "without a hub nothing is stuck");

    world.link.set_state(LinkState::Online);
    world.app.watch_queue(minutes(601)).unwrap();
    world.app.watch_queue(minutes(609)).unwrap();
    assert!(entries(&world).is_empty(), "for nine minutes it is not");
    world.app.watch_queue(minutes(612)).unwrap();
    let entry = entries(&world).pop().unwrap();
    assert_eq!((entry.kind.as_str(), entry.command.as_deref()), ("stuck", Some("photo.capture")));
    assert!(entry.subject.is_some() && entry.input.is_some() && entry.reason_ru.contains("не двигается"));
    assert_eq!((entry.offers, world.app.status().unwrap().needs_attention), (vec!["retry".to_owned()], 1));

    assert!(world.app.settle(&entry.id, Decision::Discard).is_err(), "it is not to be thrown away from here");
    world.app.settle(&entry.id, Decision::Retry).unwrap();
    assert_eq!(*world.link.0.lock().unwrap(), ["now"]);

    world.exchange();
    world.app.watch_queue(minutes(613)).unwrap();
    assert!(entries(&world).is_empty(), "it goes when the queue moves");
    assert_eq!(world.app.status().unwrap().needs_attention, 0);
}
