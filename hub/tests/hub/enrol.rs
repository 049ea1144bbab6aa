//! Enrolment and tokens: one-time, short-lived, not guessable, revocable.

use axum::http::Method;
use parkdesk_domain::Millis;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use parkdesk_hub::admin::{self, Answer};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::world::*;

const BAD: (u16, ProblemCode) = (403, ProblemCode::BadCode);

#[tokio::test]
async fn a_lost_answer_does_not_use_up_the_code() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let first: EnrolAnswer = world.enrol_with(&code, "r1").await.json();
    let again: EnrolAnswer = world.enrol_with(&code.to_lowercase().replace('-', " "), "r1").await.json();
    assert_eq!((&first.device, &first.hub), (&again.device, &again.hub));
    assert_ne!(first.token, again.token, "tokens are not kept, so the second is a new one");
    assert_eq!(again.token.len(), 64, "256 bits in hex");
    let Answer::Devices { devices } = world.admin(admin::Request::DeviceList).await else { panic!() };
    assert_eq!(devices.len(), 1);
}

#[tokio::test]
async fn the_first_token_in_use_ends_the_others_and_the_code() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let lost: EnrolAnswer = world.enrol_with(&code, "r1").await.json();
    let kept: EnrolAnswer = world.enrol_with(&code, "r1").await.json();
    let check = |token: String| {
        let world = &world;
        async move { world.call(Method::POST, "/v1/blobs/check", &token, r#"{"blobs":[]}"#).await }
    };
    assert!(check(kept.token.clone()).await.status.is_success());
    assert_eq!(check(lost.token).await.problem(), (401, ProblemCode::Unauthorized));
    assert_eq!(world.enrol_with(&code, "r1").await.problem(), BAD);
    assert!(check(kept.token).await.status.is_success());
}

#[tokio::test]
async fn a_used_code_enrols_nobody_else() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    assert!(world.enrol_with(&code, "r1").await.status.is_success());
    assert_eq!(world.enrol_with(&code, "r2").await.problem(), BAD);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_used_twice_at_once_enrols_one_device() {
    let world = std::sync::Arc::new(World::with_park().await);
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let tasks: Vec<_> = (0..6)
        .map(|n| {
            let (world, code) = (world.clone(), code.clone());
            tokio::spawn(async move { world.enrol_with(&code, &format!("r{n}")).await.status.is_success() })
        })
        .collect();
    let mut enrolled = 0;
    for task in tasks {
        enrolled += usize::from(task.await.unwrap());
    }
    assert_eq!(enrolled, 1);
}

#[tokio::test]
async fn an_expired_code_is_answered_like_a_wrong_one() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    world.step(10 * 60_000);
    let expired = world.enrol_with(&code, "r1").await;
    assert_eq!(expired.problem(), BAD);
    assert_eq!(expired.body, world.enrol_with("0000-0000-0000", "r1").await.body);
    assert_eq!(expired.body, world.enrol_with("что это", "r1").await.body);
}

#[tokio::test]
async fn five_wrong_tries_kill_a_code() {
    let world = World::with_park().await;
    for (tries, good) in [(4, true), (5, false)] {
        let code = world.code(Role::PhotoStaff, "p1", 10).await;
        let wrong = format!("{}-0000-0000", &code[..4]);
        for _ in 0..tries {
            assert_eq!(world.enrol_with(&wrong, "r1").await.problem(), BAD);
        }
        assert_eq!(world.enrol_with(&code, "r1").await.status.is_success(), good, "after {tries} wrong tries");
    }
}

#[tokio::test]
async fn wrong_tries_are_remembered_over_a_restart() {
    let mut world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    for _ in 0..5 {
        world.enrol_with(&format!("{}-0000-0000", &code[..4]), "r1").await;
    }
    world = world.reopen();
    assert_eq!(world.enrol_with(&code, "r1").await.problem(), BAD);
}

#[tokio::test]
async fn a_name_that_cannot_be_taken_leaves_the_code_good() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let body = serde_json::json!({"code": code, "request": "r1", "name": " "}).to_string();
    let reply = world.call(Method::POST, "/v1/enrol", "", body).await;
    assert_eq!(reply.problem(), (400, ProblemCode::Malformed));
    assert!(world.enrol_with(&code, "r1").await.status.is_success());
}

#[tokio::test]
async fn a_code_that_would_begin_like_another_is_not_given() {
    let world = World::with_park().await;
    let mut given = Vec::new();
    for _ in 0..2 {
        // The same luck twice.
        let mut rng = StdRng::seed_from_u64(7);
        let wish = admin::Request::EnrolCode { role: Role::Field, park: id("p1"), areas: vec![], minutes: 10 };
        match admin::run(&world.hub.store, Millis(START), &mut rng, wish).await.unwrap().0 {
            Answer::Code(view) => given.push(view.code),
            other => panic!("{other:?}"),
        }
    }
    assert_ne!(given[0][..4], given[1][..4]);
    let first: EnrolAnswer = world.enrol_with(&given[0], "r1").await.json();
    let second: EnrolAnswer = world.enrol_with(&given[1], "r2").await.json();
    assert_ne!(first.device, second.device);
}

#[tokio::test]
async fn codes_are_for_known_parks_and_roles_and_ten_minutes_at_most() {
    let world = World::with_park().await;
    for (role, park, areas, minutes) in [
        ("boss", "p1", vec![], 10),
        ("field", "p9", vec![], 10),
        ("field", "p1", vec!["attic".to_owned()], 10),
        ("field", "p1", vec![], 11),
        ("field", "p1", vec![], 0),
    ] {
        let request = admin::Request::EnrolCode { role: Role::from(role.to_owned()), park: id(park), areas, minutes };
        let answer = world.admin(request).await;
        assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}");
    }
}

#[tokio::test]
async fn a_revoked_device_is_told_so_and_its_commands_are_not_applied() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let command = device.command(comment("v1", "p1", None, "x"), &[]);
    world.admin(admin::Request::DeviceRevoke { device: device.id.clone() }).await;
    assert_eq!(device.try_push(&world, &[command]).await.problem(), (401, ProblemCode::Revoked));
    for (method, path) in [(Method::GET, "/v1/blobs/00"), (Method::POST, "/v1/blobs/check")] {
        let reply = world.call(method, path, &device.token, "").await;
        assert_eq!(reply.problem(), (401, ProblemCode::Revoked), "{path}");
    }
}
