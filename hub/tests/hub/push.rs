//! Push: idempotency, order, identity, limits, versions.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use parkdesk_domain::command::*;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::*;
use parkdesk_domain::{CommandId, Kind, Scope};

use crate::world::*;

#[tokio::test]
async fn the_same_command_again_gets_its_first_verdict_and_no_second_effect() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let command = [device.command(driver("v9", "p1", "9900 1"), &[])];
    let first = device.push(&world, &command).await.remove(0);
    for _ in 0..5 {
        let again = device.push(&world, &command).await.remove(0);
        assert_eq!(again, Verdict::Duplicate { first: Box::new(first.clone()) });
    }
    let frames = device.pull(&world, "p1", 0).await;
    let drivers = frames.iter().flat_map(|f| &f.rows).filter(|r| r.kind == Kind::Driver && r.id == id("v9"));
    assert_eq!(drivers.map(|r| r.rev).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_pushes_at_once_of_one_command_have_one_effect() {
    let world = std::sync::Arc::new(World::with_park().await);
    let mut device = world.enrol(Role::Operator, "p1").await;
    let command = device.command(driver("v9", "p1", "9900 1"), &[]);
    let device = std::sync::Arc::new(device);
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (world, device, command) = (world.clone(), device.clone(), command.clone());
            tokio::spawn(async move {
                loop {
                    let reply = device.try_push(&world, std::slice::from_ref(&command)).await;
                    if reply.status != 429 {
                        break reply.json::<PushAnswer>().verdicts.remove(0).verdict;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut applied = 0;
    let mut firsts = BTreeSet::new();
    for task in tasks {
        let verdict = task.await.unwrap();
        applied += usize::from(matches!(verdict, Verdict::Applied { .. }));
        firsts.insert(serde_json::to_string(verdict.first()).unwrap());
    }
    assert_eq!((applied, firsts.len()), (1, 1));
}

#[tokio::test]
async fn the_same_id_with_other_bytes_is_refused_and_its_seq_counts_as_judged() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let first = device.command_at(1, "same", driver("v9", "p1", "9900 1"), &[]);
    let second = device.command_at(2, "same", driver("v8", "p1", "9900 2"), &[]);
    let third = device.command_at(3, "other", comment("v9", "p1", None, "x"), &[2]);
    let verdicts = device.push(&world, &[first, second, third]).await;
    assert_applied(&verdicts[..1]);
    assert_eq!(refusal(&verdicts[1]), "id_reused");
    assert_applied(&verdicts[2..]);
}

#[tokio::test]
async fn another_devices_command_id_is_refused_not_answered() {
    let world = World::with_park().await;
    let one = world.enrol(Role::Operator, "p1").await;
    let two = world.enrol(Role::Operator, "p1").await;
    let command = one.command_at(1, "same", driver("v9", "p1", "9900 1"), &[]);
    assert_applied(&one.push(&world, std::slice::from_ref(&command)).await);
    assert_eq!(refusal(&two.push(&world, &[command]).await[0]), "id_reused");
}

#[tokio::test]
async fn a_seq_used_by_another_command_is_a_clone_and_nothing_is_judged() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    assert_applied(&device.push(&world, &[device.command_at(1, "a", driver("v8", "p1", "9900 1"), &[])]).await);
    let fresh = device.command_at(2, "b", driver("v9", "p1", "9900 2"), &[]);
    let clone = device.command_at(1, "c", driver("v7", "p1", "9900 3"), &[]);
    let reply = device.try_push(&world, &[fresh.clone(), clone.clone()]).await;
    assert_eq!(reply.problem(), (409, ProblemCode::Cloned));
    let one = device.command_at(5, "d", driver("v6", "p1", "9900 4"), &[]);
    let two = device.command_at(5, "e", driver("v5", "p1", "9900 5"), &[]);
    assert_eq!(device.try_push(&world, &[one, two]).await.problem(), (409, ProblemCode::Cloned), "in one batch");
    let next_epoch = Device { epoch: 2, ..device };
    assert_applied(&next_epoch.push(&world, &[clone]).await);
    assert_applied(&next_epoch.push(&world, &[fresh]).await);
}

#[tokio::test]
async fn a_restored_hub_judges_nothing_of_a_device_that_has_not_heard_of_it() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let told = |body: String, epoch: u64| body.replacen('{', &format!("{{\"hub_epoch\":{epoch},"), 1);
    let first = device.command(driver("v8", "p1", "9900 1"), &[]);
    let body = told(device.push_body(&[first], 0), 1);
    assert_eq!(world.call(Method::POST, "/v1/push", &device.token, body).await.status, 200);
    world.admin(parkdesk_hub::admin::Request::Restored).await;
    let second = device.command(driver("v9", "p1", "9900 2"), &[]);
    let body = device.push_body(&[second], 0);
    let reply = world.call(Method::POST, "/v1/push", &device.token, told(body.clone(), 1)).await;
    assert_eq!(reply.problem(), (409, ProblemCode::Restored));
    let rows = |frames: Vec<Frame>| frames.into_iter().flat_map(|frame| frame.rows).collect::<Vec<_>>();
    let seen = rows(device.pull(&world, "p1", 0).await);
    assert!(seen.iter().all(|row| row.id != id("v9")), "nothing was judged");
    let reply = world
        .call(
            Method::POST,
            "/v1/push",
            &device.token,
            told(body, device.cursors.values().map(|(epoch, _)| *epoch).max().unwrap()),
        )
        .await;
    assert_applied(&[reply.json::<PushAnswer>().verdicts.remove(0).verdict]);
}

#[tokio::test]
async fn what_rests_on_an_unseen_command_waits_and_names_it() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let first = device.command(driver("v9", "p1", "9900 1"), &[]);
    let second = device.command(comment("v9", "p1", None, "x"), &[1]);
    let alone = device.push(&world, std::slice::from_ref(&second)).await;
    assert_eq!(alone[0], Verdict::Deferred { until_ms: None, missing: vec![1] });
    assert_applied(&device.push(&world, &[first, second]).await);
}

#[tokio::test]
async fn a_refused_command_does_not_hold_up_what_rests_on_it() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let refused = device.command(driver("v9", "p1", "P1 1111"), &[]);
    let after = device.command(driver("v9", "p1", "9900 1"), &[1]);
    let verdicts = device.push(&world, &[refused, after]).await;
    assert_eq!(refusal(&verdicts[0]), "licence_taken");
    assert_applied(&verdicts[1..]);
}

#[tokio::test]
async fn kinds_schemas_and_arguments_of_newer_programs_get_their_verdict() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let good = device.command(driver("v9", "p1", "9900 1"), &[]);
    let newer = device.command(driver("v8", "p1", "9900 2"), &[]).replace("\"schema\":1", "\"schema\":2");
    let unknown = device.command(driver("v7", "p1", "9900 3"), &[]).replace("driver.create", "driver.clone");
    let broken = device.command(driver("v6", "p1", "9900 4"), &[]).replace("\"last_name\"", "\"name\"");
    let verdicts = device.push(&world, &[good, newer, unknown, broken]).await;
    assert_applied(&verdicts[..1]);
    let codes: Vec<_> = verdicts[1..].iter().map(refusal).collect();
    assert_eq!(codes, ["unknown_command"; 3], "and the rest of the queue goes on");
}

#[tokio::test]
async fn nobody_speaks_for_another_device_or_for_the_hub() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Admin, "p1").await;
    let own = format!("device/{}", device.id);
    for actor in ["hub", "job/blobs", "device/other", "user/u1"] {
        let command = device.command(driver("v9", "p1", "9900 1"), &[]).replace(&own, actor);
        assert_eq!(refusal(&device.push(&world, &[command]).await[0]), "not_allowed", "{actor}");
    }
    for command in [
        Command::ParkCreate(ParkCreate {
            park: id("p2"),
            name: "x".into(),
            city: "y".into(),
            settings: Default::default(),
        }),
        Command::DeviceRevoke(DeviceRevoke { device: device.id.clone() }),
        Command::PhotoBytesStored(PhotoBytesStored { photo: id("f"), park: id("p1"), blob: file(b"x").id }),
    ] {
        let command = device.command(command, &[]);
        assert_eq!(refusal(&device.push(&world, &[command]).await[0]), "not_allowed");
    }
    let request = device.push_body(&[], 0).replace(device.id.as_str(), "other");
    let reply = world.call(Method::POST, "/v1/push", &device.token, request).await;
    assert_eq!(reply.problem(), (400, ProblemCode::Malformed));
}

#[tokio::test]
async fn versions_have_no_gaps_and_rows_come_once() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    device.pull(&world, "p1", 0).await;
    let before = device.cursors.clone();
    let commands: Vec<String> =
        (0..30).map(|n| device.command(driver(&format!("n{n}"), "p1", &format!("8800 {n}")), &[])).collect();
    let verdicts = device.push(&world, &commands).await;
    let mut told: BTreeMap<Scope, BTreeSet<u64>> = BTreeMap::new();
    for verdict in &verdicts {
        let Verdict::Applied { scopes, .. } = verdict else { panic!("{verdict:?}") };
        for (scope, version) in scopes {
            assert!(told.entry(scope.clone()).or_default().insert(*version), "{scope} {version} told twice");
        }
    }
    for (scope, versions) in &told {
        let from = before[scope].1;
        assert_eq!(*versions, (from + 1..=from + 30).collect(), "{scope}");
    }
    let frames = device.pull(&world, "p1", 0).await;
    let fleet = &frames.iter().find(|f| f.head.scope.to_string() == "park/p1/fleet").unwrap().rows;
    assert_eq!(fleet.iter().map(|r| &r.id).collect::<BTreeSet<_>>().len(), fleet.len());
}

#[tokio::test]
async fn verdicts_below_the_floor_are_forgotten_but_ids_are_not() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    let commands =
        [device.command(driver("v8", "p1", "9900 1"), &[]), device.command(driver("v9", "p1", "9900 2"), &[])];
    device.push(&world, &commands).await;
    let verdicts = |frames: Vec<frame::Frame>| frames[0].rows.iter().filter(|r| r.kind == Kind::Verdict).count();
    assert_eq!(verdicts(device.pull(&world, "p1", 0).await), 2);
    let reply = world.call(Method::POST, "/v1/push", &device.token, device.push_body(&[], 1)).await;
    assert!(reply.status.is_success());
    let mut fresh = Device { cursors: BTreeMap::new(), token: device.token.clone(), id: device.id.clone(), ..device };
    assert_eq!(verdicts(fresh.pull(&world, "p1", 0).await), 1);
    assert!(matches!(fresh.push(&world, &commands[..1]).await[0], Verdict::Duplicate { .. }));
    let rests = fresh.command_at(3, "rests", comment("v8", "p1", None, "x"), &[1]);
    assert_applied(&fresh.push(&world, &[rests]).await);
}

#[tokio::test]
async fn a_conflicting_edit_is_shown_with_both_values() {
    let world = World::with_park().await;
    let mut one = world.enrol(Role::Operator, "p1").await;
    let mut two = world.enrol(Role::Operator, "p1").await;
    let mine = one.command(comment("v1", "p1", None, "one"), &[]);
    let yours = two.command(comment("v1", "p1", None, "two"), &[]);
    assert_applied(&one.push(&world, &[mine]).await);
    let verdict = two.push(&world, &[yours]).await.remove(0);
    let Verdict::Rejected { refusal } = verdict else { panic!("{verdict:?}") };
    assert_eq!((refusal.conflicts[0].now.as_str(), refusal.conflicts[0].current.as_str()), (Some("two"), Some("one")));
}

#[tokio::test]
async fn a_push_answer_looks_like_this() {
    let world = World::with_park().await;
    let device = world.enrol(Role::Operator, "p1").await;
    let commands = [
        device.command_at(1, "a", driver("v9", "p1", "9900 1"), &[]),
        device.command_at(2, "b", driver("v8", "p1", "9900 1"), &[]),
        device.command_at(4, "c", comment("v9", "p1", None, "x"), &[3]),
    ];
    let mut answers = device.try_push(&world, &commands).await.text();
    answers += "\n";
    answers += &device.try_push(&world, &commands[..1]).await.text();
    let ids = ["a", "b", "c"].map(|name| CommandId::of_job("test", name).to_string());
    for (n, id) in ids.iter().enumerate() {
        answers = answers.replace(id, &format!("<command {}>", n + 1));
    }
    // Every store answers the same.
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(answers.replace("},{", "},\n{"));
    });
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_holds_up_its_own_command_only() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Operator, "p1").await;
    // A newer hub wrote this driver before the program was put back.
    let world = world.reopen_after(|backend, data| {
        let sql = "UPDATE sync_rows SET body = '{\"written\":\"anew\"}' WHERE kind = 'driver' AND id = 'v1'";
        assert_eq!(backend.execute(data, sql), 1);
    });
    let commands = [
        device.command(comment("v2", "p1", None, "before"), &[]),
        device.command(comment("v1", "p1", None, "poison"), &[]),
        device.command(capture("f1", "p1", [b"o", b"p", b"t"]), &[]),
        device.command(driver("v9", "p1", "9900 1"), &[]),
    ];
    let verdicts = device.push(&world, &commands).await;
    assert_applied(&[verdicts[0].clone(), verdicts[3].clone()]);
    for held in &verdicts[1..3] {
        assert!(matches!(held, Verdict::Deferred { until_ms: Some(_), missing } if missing.is_empty()), "{held:?}");
    }
}
