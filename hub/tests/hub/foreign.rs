//! Foreign access: every route of the table, asked by everybody who should get nothing.
//!
//! The cases come from `Endpoint::ALL` and [`request`] matches without a wildcard, so a new route without a case does not
//! compile.

use axum::body::Body;
use axum::http::Request;
use parkdesk_domain::BlobId;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use parkdesk_hub::admin;
use parkdesk_hub::routes::{Endpoint, Guard};
use sha2::{Digest, Sha256};

use crate::world::*;

const SECRET: &[u8] = b"the picture of park p1";

/// What a device of another park would send to get at park `p1`.
fn request(endpoint: Endpoint, caller: &mut Device) -> (String, String) {
    let blob = BlobId::of(SECRET);
    match endpoint {
        Endpoint::Enrol => ("/v1/enrol".into(), r#"{"code":"0000-0000-0000","request":"r9","name":"x"}"#.into()),
        Endpoint::Push => {
            let commands = [
                caller.command(comment("v1", "p1", None, "theirs"), &[]),
                caller.command(driver("v9", "p1", "9900 9"), &[]),
                caller.command(capture("f9", "p1", [b"1", b"2", b"3"]), &[]),
            ];
            ("/v1/push".into(), caller.push_body(&commands, 0))
        }
        Endpoint::Pull => {
            let scopes = ["park/p1/fleet", "park/p1/photos", "park/p1/directory", "org", "work/x", "device/x"];
            let scopes = scopes.map(|s| Cursor { id: s.parse().unwrap(), epoch: 0, version: 0 }).to_vec();
            ("/v1/pull".into(), serde_json::to_string(&PullRequest { scopes, wait_ms: 0 }).unwrap())
        }
        Endpoint::BlobCheck => {
            ("/v1/blobs/check".into(), format!(r#"{{"blobs":[{{"id":"{blob}","size_bytes":{}}}]}}"#, SECRET.len()))
        }
        Endpoint::BlobPart => (format!("/v1/blobs/{blob}/parts/0"), String::from_utf8(SECRET.to_vec()).unwrap()),
        Endpoint::BlobComplete => (format!("/v1/blobs/{blob}/complete"), String::new()),
        Endpoint::BlobPut => (format!("/v1/blobs/{blob}"), String::from_utf8(SECRET.to_vec()).unwrap()),
        Endpoint::BlobGet => (format!("/v1/blobs/{blob}"), String::new()),
        Endpoint::Limits => ("/v1/limits".into(), String::new()),
        Endpoint::Healthz => ("/healthz".into(), String::new()),
        Endpoint::Metrics => ("/metrics".into(), String::new()),
    }
}

async fn ask(world: &World, endpoint: Endpoint, caller: &mut Device, token: &str) -> Reply {
    let (method, _, _, _) = endpoint.line();
    let (path, body) = request(endpoint, caller);
    let mut request =
        Request::builder().method(method).uri(path).header("parkdesk-part-hash", hex::encode(Sha256::digest(SECRET)));
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world.send(request.body(Body::from(body)).unwrap()).await
}

/// Park `p1` with a photo whose picture is stored, park `p2` beside it.
async fn two_parks() -> World {
    let world = World::with_park().await;
    world.add_park("p2").await;
    let mut owner = world.enrol(Role::PhotoStaff, "p1").await;
    let command = owner.command(capture("f1", "p1", [SECRET, b"p", b"t"]), &[]);
    assert_applied(&owner.push(&world, &[command]).await);
    let token = owner.token.clone();
    let reply = ask(&world, Endpoint::BlobPut, &mut owner, &token).await;
    assert_eq!(reply.status, 204);
    world
}

#[tokio::test]
async fn without_a_token_every_guarded_route_says_the_same() {
    let world = two_parks().await;
    let mut device = world.enrol(Role::Admin, "p2").await;
    let digit = if device.token.starts_with('0') { "1" } else { "0" };
    let almost = format!("{digit}{}", &device.token[1..]);
    for endpoint in Endpoint::ALL.iter().copied() {
        let (_, path, guard, _) = endpoint.line();
        for token in ["", "x", almost.as_str(), "../../etc/passwd"] {
            let reply = ask(&world, endpoint, &mut device, token).await;
            match guard {
                Guard::Device | Guard::EvenRevoked | Guard::Operator => {
                    assert_eq!(reply.problem(), (401, ProblemCode::Unauthorized), "{path} with {token:?}");
                }
                Guard::Open => assert_ne!(reply.status, 401, "{path}"),
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_token_opens_no_guarded_route() {
    let world = two_parks().await;
    let mut device = world.enrol(Role::Admin, "p1").await;
    world.admin(admin::Request::DeviceRevoke { device: device.id.clone() }).await;
    for endpoint in Endpoint::ALL.iter().copied().filter(|e| e.line().2 == Guard::Device) {
        let token = device.token.clone();
        let reply = ask(&world, endpoint, &mut device, &token).await;
        assert_eq!(reply.problem(), (401, ProblemCode::Revoked), "{}", endpoint.line().1);
    }
}

#[tokio::test]
async fn another_parks_admin_gets_and_changes_nothing() {
    let world = two_parks().await;
    let before = world.admin(admin::Request::DriverList { park: id("p1") }).await;
    let photos = world.admin(admin::Request::PhotoList { park: id("p1") }).await;
    let mut thief = world.enrol(Role::Admin, "p2").await;
    for endpoint in Endpoint::ALL.iter().copied() {
        let token = thief.token.clone();
        let reply = ask(&world, endpoint, &mut thief, &token).await;
        let text = reply.text();
        for secret in ["Ёлкин", "Осин", "p1 1111", std::str::from_utf8(SECRET).unwrap()] {
            assert!(!text.contains(secret), "{} told {secret}", endpoint.line().1);
        }
        match endpoint {
            Endpoint::Push => {
                let answer: PushAnswer = reply.json();
                assert!(answer.verdicts.iter().all(|j| refusal(&j.verdict) == "not_allowed"), "{text}");
            }
            Endpoint::Pull => assert_eq!(text.matches("not_subscribed").count(), 6, "{text}"),
            Endpoint::BlobCheck => assert_eq!(text, r#"{"blobs":[{"state":"missing"}]}"#),
            Endpoint::BlobPart | Endpoint::BlobComplete | Endpoint::BlobPut | Endpoint::BlobGet => {
                assert_eq!(reply.problem(), (404, ProblemCode::NotFound), "{}", endpoint.line().1);
            }
            Endpoint::Enrol => assert_eq!(reply.problem(), (403, ProblemCode::BadCode)),
            Endpoint::Metrics => assert_eq!(reply.problem(), (401, ProblemCode::Unauthorized)),
            Endpoint::Limits | Endpoint::Healthz => assert!(reply.status.is_success()),
        }
    }
    assert_eq!(world.admin(admin::Request::DriverList { park: id("p1") }).await, before);
    assert_eq!(world.admin(admin::Request::PhotoList { park: id("p1") }).await, photos);
}

#[tokio::test]
async fn a_lower_role_of_the_same_park_writes_only_what_it_may() {
    let world = two_parks().await;
    for (role, want) in [
        (Role::Field, ["not_allowed", "not_allowed", "ok"]),
        (Role::PhotoStaff, ["not_allowed", "not_allowed", "ok"]),
        (Role::Moderator, ["not_allowed", "not_allowed", "not_allowed"]),
        (Role::Operator, ["ok", "ok", "ok"]),
    ] {
        let name = role.as_str().to_owned();
        let mut device = world.enrol(role, "p1").await;
        let commands = [
            device.command(comment("v2", "p1", None, "mine"), &[]),
            device.command(driver(&format!("v-{name}"), "p1", &format!("9900 {name}")), &[]),
            device.command(capture(&format!("f-{name}"), "p1", [b"1", b"2", b"3"]), &[]),
        ];
        let verdicts = device.push(&world, &commands).await;
        let got: Vec<_> =
            verdicts.iter().map(|v| if matches!(v, Verdict::Applied { .. }) { "ok" } else { refusal(v) }).collect();
        assert_eq!(got, want, "{name}");
    }
}

#[tokio::test]
async fn what_only_the_hub_decides_is_not_taken_from_a_body() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::PhotoStaff, "p1").await;
    let own = format!("\"device/{}\"", device.id);
    let command = device.command(capture("f1", "p1", [b"o", b"p", b"t"]), &[]);
    let forged = command.replace("\"stored\":false", "\"stored\":true").replace(
        "\"photo\":\"f1\"",
        "\"photo\":\"f1\",\"status\":\"approved\",\"moderation_round\":9,\"captured_by\":\"hub\",\"rev\":99",
    );
    assert!(forged.contains(&own) && forged.contains("approved"));
    assert_applied(&device.push(&world, &[forged]).await);
    let frames = device.pull(&world, "p1", 0).await;
    let row = frames.iter().flat_map(|f| &f.rows).find(|r| r.id == id("f1")).unwrap();
    let photo: parkdesk_domain::body::Photo = serde_json::from_str(&row.body).unwrap();
    assert_eq!((photo.status.as_str(), photo.moderation_round, row.rev), ("new", 0, 1));
    assert!(photo.files().all(|(_, file)| !file.stored) && photo.more.is_empty());
    assert_eq!(format!("{:?}", photo.captured_by), own.trim_matches('"'));
}
