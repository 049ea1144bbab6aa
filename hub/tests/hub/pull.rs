//! Pull: order of scopes, whole versions, waiting, start over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parkdesk_domain::rights::Role;
use parkdesk_domain::row::Row;
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::*;
use parkdesk_domain::{Kind, Scope};
use parkdesk_hub::admin;

use crate::world::*;

#[tokio::test]
async fn what_one_device_writes_the_other_reads() {
    let world = World::with_park().await;
    let mut one = world.enrol(Role::Operator, "p1").await;
    let mut two = world.enrol(Role::PhotoStaff, "p1").await;
    one.pull(&world, "p1", 0).await;
    two.pull(&world, "p1", 0).await;
    let command = one.command(driver("v9", "p1", "9900 1"), &[]);
    let Verdict::Applied { scopes, .. } = one.push(&world, &[command]).await.remove(0) else { panic!() };
    let at_one = one.pull(&world, "p1", 0).await;
    let at_two = two.pull(&world, "p1", 0).await;
    let rows = |frames: &[Frame]| -> Vec<_> {
        let parks = frames.iter().filter(|f| f.head.scope.to_string().starts_with("park/"));
        parks.flat_map(|f| f.rows.clone()).collect()
    };
    assert_eq!(rows(&at_one), rows(&at_two));
    assert_eq!(rows(&at_one).len(), 2, "profile and card");
    for (scope, version) in scopes {
        assert_eq!(two.cursors[&scope].1, version, "{scope}");
    }
    assert_eq!(at_one[0].head.scope, Scope::Device(one.id.clone()), "the verdict comes before its effect");
    assert!(at_one[0].rows.iter().any(|r| r.kind == Kind::Verdict));
    assert!(at_two[0].rows.is_empty(), "another's verdict is not told");
}

#[tokio::test]
async fn the_device_scope_comes_first_and_to_its_head_even_if_not_asked() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let fleet = Cursor { id: "park/p1/fleet".parse().unwrap(), epoch: 0, version: 0 };
    let frames = device.pull_from(&world, &[fleet], 0).await;
    assert_eq!(frames[0].head.scope, Scope::Device(device.id.clone()));
    assert_eq!(frames[0].head.to, frames[0].head.head);
    let kinds: Vec<_> = frames[0].rows.iter().map(|r| r.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|k| **k == "subscription").count(), 5);
    assert!(kinds.contains(&"device") && kinds.contains(&"grant"));
}

#[tokio::test]
async fn a_scope_that_is_not_subscribed_is_refused_without_a_row() {
    let world = World::with_park().await;
    world.add_park("p2").await;
    let field = world.enrol(Role::Field, "p1").await;
    for scope in ["park/p1/fleet", "park/p2/directory", "device/other", "work/other", "org"] {
        let cursor = Cursor { id: scope.parse().unwrap(), epoch: 0, version: 0 };
        let frames = field.pull_from(&world, &[cursor], 0).await;
        let frame = frames.iter().find(|f| f.head.scope.to_string() == scope).unwrap();
        assert_eq!((frame.head.refused, frame.rows.len(), frame.head.head), (Some(ScopeRefusal::NotSubscribed), 0, 0));
    }
}

#[tokio::test]
async fn a_long_backlog_comes_in_frames_of_whole_versions() {
    let world = World::with_park().await;
    let mut csv = "driver_id,last_name,first_name,licence,plate\n".to_owned();
    for n in 0..700 {
        csv += &format!("n{n},Фамилия{n},Имя,77 00 {n:06},Р{n:03}РР\n");
    }
    let import = admin::Request::DriverImport { park: id("p1"), csv, dry_run: false };
    assert!(matches!(world.admin(import).await, admin::Answer::Imported(r) if r.created == 700 && r.errors.is_empty()));
    let mut device = world.enrol(Role::Operator, "p1").await;
    let frames = device.pull(&world, "p1", 0).await;
    let fleet: Vec<_> = frames.iter().filter(|f| f.head.scope.to_string() == "park/p1/fleet").collect();
    assert!(fleet.len() >= 3, "{} frames for 1400 rows", fleet.len());
    let mut last = 0;
    for frame in fleet {
        assert_eq!(frame.head.from, last);
        assert_eq!(frame.rows.last().unwrap().version, frame.head.to);
        assert!(frame.rows.iter().all(|r| r.version > last), "a version is never split over frames");
        last = frame.head.to;
    }
    assert_eq!(last, device.cursors[&"park/p1/fleet".parse().unwrap()].1);
    let again = device.pull(&world, "p1", 0).await;
    assert_eq!(again.iter().map(|f| f.rows.len()).sum::<usize>(), 0);
}

#[tokio::test]
async fn a_waiting_poll_wakes_at_news_of_its_scopes() {
    let world = Arc::new(World::with_park().await);
    let mut one = world.enrol(Role::Operator, "p1").await;
    let mut two = world.enrol(Role::Operator, "p1").await;
    two.pull(&world, "p1", 0).await;
    let waiting = tokio::spawn({
        let world = world.clone();
        async move {
            let started = Instant::now();
            let frames = two.pull(&world, "p1", 20_000).await;
            (started.elapsed(), frames.iter().map(|f| f.rows.len()).sum::<usize>())
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let command = one.command(comment("v1", "p1", None, "x"), &[]);
    assert_applied(&one.push(&world, &[command]).await);
    let (elapsed, rows) = waiting.await.unwrap();
    assert!(rows > 0 && elapsed < Duration::from_secs(10), "{elapsed:?}");
}

#[tokio::test]
async fn a_waiting_poll_without_news_ends_in_time_with_an_empty_frame() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    device.pull(&world, "p1", 0).await;
    let started = Instant::now();
    let frames = device.pull(&world, "p1", 400).await;
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(frames.len(), 1);
    assert_eq!((frames[0].rows.len(), frames[0].head.to), (0, frames[0].head.head));
}

#[tokio::test]
async fn a_revoked_device_learns_of_it_while_it_waits_and_gets_nothing_else() {
    let world = Arc::new(World::with_park().await);
    let mut device = world.enrol(Role::Operator, "p1").await;
    let mut other = world.enrol(Role::Operator, "p1").await;
    device.pull(&world, "p1", 0).await;
    let own = Scope::Device(device.id.clone());
    let revoke = admin::Request::DeviceRevoke { device: device.id.clone() };
    let waiting = tokio::spawn({
        let world = world.clone();
        async move {
            let started = Instant::now();
            let frames = device.pull(&world, "p1", 20_000).await;
            (frames, started.elapsed(), device)
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.admin(revoke).await;
    let (frames, elapsed, mut device) = waiting.await.unwrap();
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    let is_revocation = |row: &Row| row.kind == Kind::Device && row.body.contains("revoked_at_ms");
    assert!(frames.iter().flat_map(|frame| &frame.rows).any(is_revocation), "{frames:?}");

    let command = other.command(comment("v1", "p1", None, "not for the revoked one"), &[]);
    assert_applied(&other.push(&world, &[command]).await);
    let started = Instant::now();
    let later = device.pull(&world, "p1", 20_000).await;
    assert!(started.elapsed() < Duration::from_secs(10), "it has nothing to wait for");
    for frame in frames.iter().chain(&later) {
        assert_eq!(frame.head.scope, own);
    }
}

#[tokio::test]
async fn a_cursor_above_the_head_or_of_another_epoch_starts_over() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    device.pull(&world, "p1", 0).await;
    let fleet: Scope = "park/p1/fleet".parse().unwrap();
    let (epoch, version) = device.cursors[&fleet];
    let at = |epoch, version| Cursor { id: fleet.clone(), epoch, version };
    let refused = |frames: Vec<Frame>| frames.iter().find(|f| f.head.scope == fleet).and_then(|f| f.head.refused);
    for cursor in [at(epoch, version + 1), at(epoch + 5, version)] {
        assert_eq!(refused(device.pull_from(&world, &[cursor], 0).await), Some(ScopeRefusal::StartOver));
    }
    world.admin(admin::Request::Restored).await;
    let frames = device.pull_from(&world, &[at(epoch, version)], 0).await;
    let frame = frames.iter().find(|f| f.head.scope == fleet).unwrap();
    assert_eq!(frame.head.refused, Some(ScopeRefusal::StartOver), "its history is another");
    assert!(frame.head.epoch > epoch);
    world.admin(admin::Request::Restored).await;
    let frames = device.pull_from(&world, &[at(frame.head.epoch, version)], 0).await;
    let again = frames.iter().find(|f| f.head.scope == fleet).unwrap();
    assert!(again.head.epoch > frame.head.epoch, "restored twice is known as twice");
    let edit = device.command(comment("v1", "p1", None, "x"), &[]);
    assert_applied(&device.push(&world, &[edit]).await);
    let frames = device.pull_from(&world, &[at(epoch, version + 1)], 0).await;
    assert_eq!(frames.iter().find(|f| f.head.scope == fleet).unwrap().head.refused, Some(ScopeRefusal::StartOver));
}

#[tokio::test]
async fn a_frame_looks_like_this() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Field, "p1").await;
    let cursor = Cursor { id: "park/p1/directory".parse().unwrap(), epoch: 0, version: 0 };
    let request = serde_json::to_string(&PullRequest { scopes: vec![cursor], wait_ms: 0 }).unwrap();
    let reply = world.call(axum::http::Method::POST, "/v1/pull", &device.token, request).await;
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    let text = reply.text();
    // Every store answers the same.
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(&text[text.find("{\"scope\":\"park/").unwrap()..]);
    });
}
