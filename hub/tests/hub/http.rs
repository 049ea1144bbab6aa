//! Hostile and broken bodies: limits before buffering, bounded decompression, one shape of answer (SEC27).

use axum::body::Body;
use axum::http::{Method, Request};
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;

use crate::world::*;

async fn post(world: &World, path: &str, token: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut request =
        Request::builder().method(Method::POST).uri(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(body.into()).unwrap()).await
}

const ZSTD: (&str, &str) = ("content-encoding", "zstd");

#[tokio::test]
async fn compressed_bodies_are_read_and_answered() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let commands = [device.command(driver("v9", "p1", "9900 1"), &[])];
    let packed = zstd::stream::encode_all(device.push_body(&commands, 0).as_bytes(), 3).unwrap();
    let answer: PushAnswer = post(&world, "/v1/push", &device.token, &[ZSTD], packed).await.json();
    assert_eq!(answer.verdicts.len(), 1);
    let scopes = r#"{"scopes":[{"id":"park/p1/fleet","epoch":0,"version":0}]}"#;
    let plain = post(&world, "/v1/pull", &device.token, &[], scopes).await;
    let packed = post(&world, "/v1/pull", &device.token, &[("accept-encoding", "gzip, zstd")], scopes).await;
    assert_eq!(packed.headers["content-encoding"], "zstd");
    assert_eq!(zstd::stream::decode_all(packed.body.as_slice()).unwrap(), plain.body);
    assert!(packed.body.len() < plain.body.len());
}

#[tokio::test]
async fn a_bomb_is_refused_and_little_is_unpacked() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    for _ in 0..1024 {
        std::io::Write::write_all(&mut encoder, &[b' '; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 200_000, "1 GiB in {} bytes", bomb.len());
    for path in ["/v1/push", "/v1/pull", "/v1/blobs/check"] {
        let reply = post(&world, path, &device.token, &[ZSTD], bomb.clone()).await;
        assert_eq!(reply.problem(), (413, ProblemCode::TooLarge), "{path}");
    }
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_announced_or_streamed() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let large = vec![b' '; (1 << 20) + 1];
    let too_large = (413, ProblemCode::TooLarge);
    assert_eq!(post(&world, "/v1/push", &device.token, &[], large.clone()).await.problem(), too_large);
    let announced =
        post(&world, "/v1/push", &device.token, &[("content-length", "1099511627776")], Body::empty()).await;
    assert_eq!(announced.problem(), too_large);
    let endless = tokio_util::io::ReaderStream::new(tokio::io::repeat(b' '));
    let streamed = post(&world, "/v1/push", &device.token, &[], Body::from_stream(endless)).await;
    assert_eq!(streamed.problem(), too_large);
    let enrol = post(&world, "/v1/enrol", "", &[], vec![b'x'; 5000]).await;
    assert_eq!(enrol.problem(), too_large, "strangers may send little");
}

#[tokio::test]
async fn a_body_cut_at_any_byte_judges_nothing() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let commands = [device.command(driver("v9", "p1", "9900 1"), &[])];
    let body = device.push_body(&commands, 0);
    let packed = zstd::stream::encode_all(body.as_bytes(), 3).unwrap();
    for end in 0..body.len() {
        let reply = post(&world, "/v1/push", &device.token, &[], body.as_bytes()[..end].to_vec()).await;
        assert_eq!(reply.problem(), (400, ProblemCode::Malformed), "cut at {end}");
    }
    for end in 0..packed.len() {
        let reply = post(&world, "/v1/push", &device.token, &[ZSTD], packed[..end].to_vec()).await;
        assert_eq!(reply.problem(), (400, ProblemCode::Malformed), "packed, cut at {end}");
    }
    assert_applied(&device.push(&world, &commands).await);
}

#[tokio::test]
async fn garbage_gets_a_problem_and_never_its_own_words_back() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let deep = "[".repeat(100_000);
    let id = "a".repeat(32);
    let own = device.id.to_string();
    let push = |rest: &str| format!(r#"{{"device":"{own}",{rest}}}"#);
    for body in [
        "<html>secret".to_owned(),
        "\u{0}".to_owned(),
        deep.clone(),
        format!(r#"{{"a":{deep}"#),
        push(r#""epoch":-1,"commands":[]"#),
        push(r#""epoch":1e3,"commands":[]"#),
        push(r#""epoch":NaN,"commands":[]"#),
        push(r#""epoch":18446744073709551616,"commands":[]"#),
        push(r#""epoch":0,"commands":[]"#),
        push(r#""epoch":1,"epoch":2,"commands":[]"#),
        push(&format!(r#""epoch":1,"commands":[{{"seq":0,"id":"{id}","kind":"k"}}]"#)),
        push(&format!(r#""epoch":1,"commands":[{{"seq":9223372036854775808,"id":"{id}","kind":"k"}}]"#)),
        push(r#""epoch":1,"commands":[{"seq":1,"id":"secret","kind":"k"}]"#),
        push(r#""epoch":1,"commands":["secret"]"#),
    ] {
        let reply = post(&world, "/v1/push", &device.token, &[], body.clone()).await;
        assert_eq!(reply.problem(), (400, ProblemCode::Malformed), "{}", body.chars().take(80).collect::<String>());
        assert!(!reply.text().contains("secret"));
    }
    let invalid = post(&world, "/v1/push", &device.token, &[], vec![0xff, 0xfe]).await;
    assert_eq!(invalid.problem(), (400, ProblemCode::Malformed));
    let gzip = post(&world, "/v1/push", &device.token, &[("content-encoding", "gzip")], "x").await;
    assert_eq!(gzip.problem(), (400, ProblemCode::Malformed));
}

#[tokio::test]
async fn deep_or_strange_arguments_harm_only_their_own_command() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let bad = [
        "{\"now\":1.5,\"was\":null}",
        "{\"now\":\"a\\u0000b\",\"was\":null}",
        &format!("{{\"now\":{deep},\"was\":null}}"),
    ]
    .map(|value| {
        let command = device.command(comment("v1", "p1", None, "x"), &[]);
        command.replace("{\"now\":\"x\",\"was\":null}", value)
    });
    let good = device.command(comment("v1", "p1", None, "fine"), &[]);
    let verdicts = device.push(&world, &[&bad[..], &[good]].concat()).await;
    assert_applied(&verdicts[3..]);
    for verdict in &verdicts[..3] {
        assert!(matches!(verdict, Verdict::Rejected { .. }), "{verdict:?}");
    }
}

#[tokio::test]
async fn too_many_commands_scopes_or_blobs_are_refused() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let commands: Vec<String> = (0..501).map(|_| device.command(comment("v1", "p1", None, "x"), &[])).collect();
    let too_large = (413, ProblemCode::TooLarge);
    assert_eq!(device.try_push(&world, &commands).await.problem(), too_large);
    assert!(device.try_push(&world, &commands[..500]).await.status.is_success());
    let scope = r#"{"id":"org","epoch":0,"version":0}"#;
    let scopes = format!(r#"{{"scopes":[{}]}}"#, vec![scope; 1001].join(","));
    assert_eq!(post(&world, "/v1/pull", &device.token, &[], scopes).await.problem(), too_large);
    let blob = format!(r#"{{"id":"{}","size_bytes":1}}"#, "0".repeat(64));
    let blobs = format!(r#"{{"blobs":[{}]}}"#, vec![blob; 201].join(","));
    assert_eq!(post(&world, "/v1/blobs/check", &device.token, &[], blobs).await.problem(), too_large);
}

#[tokio::test]
async fn unknown_routes_methods_and_ids_are_not_found() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let blob = "0".repeat(64);
    for (method, path) in [
        (Method::GET, "/".to_owned()),
        (Method::GET, "/v1/push".to_owned()),
        (Method::DELETE, format!("/v1/blobs/{blob}")),
        (Method::GET, "/v1/blobs/..%2f..%2fhub.db".to_owned()),
        (Method::GET, format!("/v1/blobs/{}", blob.replace('0', "A"))),
        (Method::PUT, format!("/v1/blobs/{blob}/parts/-1")),
        (Method::PUT, format!("/v1/blobs/{blob}/parts/4294967296")),
    ] {
        let reply = world.call(method, &path, &device.token, "").await;
        assert_eq!(reply.problem(), (404, ProblemCode::NotFound), "{path}");
    }
}

#[tokio::test]
async fn one_device_has_eight_requests_at_a_time_and_is_told_when_to_come_again() {
    let world = std::sync::Arc::new(World::with_park().await);
    let mut device = world.enrol(Role::Operator, "p1").await;
    device.pull(&world, "p1", 0).await;
    let cursors: Vec<Cursor> =
        device.cursors.iter().map(|(id, at)| Cursor { id: id.clone(), epoch: at.0, version: at.1 }).collect();
    let body = serde_json::to_string(&PullRequest { scopes: cursors, wait_ms: 3_000 }).unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let (world, token, body) = (world.clone(), device.token.clone(), body.clone());
            tokio::spawn(async move { world.call(Method::POST, "/v1/pull", &token, body).await.status.as_u16() })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    let ninth = world.call(Method::POST, "/v1/pull", &device.token, body.clone()).await;
    assert_eq!(ninth.problem(), (429, ProblemCode::TooMany));
    assert_eq!(ninth.headers["retry-after"], "1");
    for task in waiting {
        assert_eq!(task.await.unwrap(), 200);
    }
    let free_again = body.replace("\"wait_ms\":3000", "\"wait_ms\":0");
    assert!(world.call(Method::POST, "/v1/pull", &device.token, free_again).await.status.is_success());
}

#[tokio::test]
async fn limits_and_health_are_open() {
    let world = World::with_park().await;
    let limits: Limits = world.call(Method::GET, "/v1/limits", "", "").await.json();
    assert_eq!(limits, Limits::default());
    assert_eq!(world.call(Method::GET, "/healthz", "", "").await.text(), r#"{"status":"ok"}"#);
}
