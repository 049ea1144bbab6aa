//! What people see while commands, verdicts and rows cross each other (protocol, "Rebase").
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::command::{Actor, Command, DeviceRevoke, Envelope};
use parkdesk_domain::ids::Millis;
use parkdesk_domain::refusal::RefusalCode;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_domain::wire::Verdict;
use parkdesk_sqlite::{
    AttentionKind, Draft, Error, FrameOutcome, Priority, Replica, RowState, Settle, Settled, Settler, Submitted,
};
use serde_json::json;

fn pending(replica: &Replica) -> u64 {
    replica.read(|tx| tx.pending_summary()).unwrap().count
}

fn state(replica: &Replica, driver: &str) -> RowState {
    replica.read(|tx| tx.driver(&id("p1"), &id(driver))).unwrap().expect("driver").state
}

fn equal_to_hub(replica: &Replica, hub: &Hub) {
    for scope in [directory(), fleet(), photos(), device_scope()] {
        let rows = replica.read(|tx| tx.rows_of(&scope)).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| (row.kind, row.id, row.body)).collect();
        let mut live = hub.live(&scope);
        live.sort_by(|a, b| (a.0.as_str(), a.1.as_str()).cmp(&(b.0.as_str(), b.1.as_str())));
        assert_eq!(rows, live, "{scope}");
    }
}

fn with_driver() -> (Hub, Replica) {
    let mut hub = Hub::new();
    let replica = enrolled(&hub);
    submit(&replica, 1, new_driver("v1", "Иванов", Some("77 АБ 123456"), Some("А123ВС77")));
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    assert_eq!(pending(&replica), 0);
    (hub, replica)
}

#[test]
fn a_command_shows_at_once_and_is_dropped_when_rows_and_verdict_are_here() {
    let mut hub = Hub::new();
    let replica = enrolled(&hub);
    assert_eq!(saved(&submit(&replica, 1, new_driver("v1", "Иванов", None, None))), 1);
    assert_eq!(state(&replica, "v1"), RowState::Saved);
    replica.write(Priority::Sync, |tx| tx.mark_sent(&[1], Millis(2))).unwrap();
    assert_eq!(state(&replica, "v1"), RowState::Sent);
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    assert_eq!(state(&replica, "v1"), RowState::Accepted);
    assert!(replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().is_some(), "verdict first: it does not blink");
    pull_all(&replica, &hub);
    assert_eq!(pending(&replica), 0);
    assert_eq!(replica.read(|tx| tx.push_floor()).unwrap(), 1);
    equal_to_hub(&replica, &hub);
}

#[test]
fn rows_before_the_verdict_do_not_drop_the_command_and_do_not_double_it() {
    let mut hub = Hub::new();
    let replica = enrolled(&hub);
    submit(&replica, 1, new_driver("v1", "Иванов", None, Some("А123ВС77")));
    push(&replica, &mut hub);
    for scope in [fleet(), directory()] {
        let cursor = replica.read(|tx| tx.cursors()).unwrap().into_iter().find(|c| c.id == scope).unwrap();
        let frame = hub.frame(&scope, cursor.version, u64::MAX);
        replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
    }
    assert_eq!(pending(&replica), 1, "its verdict (in the device scope) is not here yet");
    assert_eq!(replica.read(|tx| tx.rows_of(&fleet())).unwrap().len(), 2, "one driver, one car");
    pull_all(&replica, &hub);
    assert_eq!(pending(&replica), 0);
    equal_to_hub(&replica, &hub);
}

#[test]
fn when_the_first_of_two_edits_is_refused_the_second_is_planned_again_without_it() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("one")));
    submit(&replica, 3, edit("v1", "comment", json!("one"), json!("two")));
    assert_eq!(comment(&replica, "v1").as_deref(), Some("two"));
    let batch = replica.read(|tx| tx.pending(10)).unwrap();
    assert_eq!(Envelope::from_bytes(&batch[1].bytes).unwrap().after, [2], "the second rests on the first");

    // Somebody else wrote the field meanwhile: the first is refused, the second conflicts too.
    let mut other = hub.live(&fleet()).into_iter().find(|(kind, ..)| *kind == Kind::Driver).unwrap().2;
    other = other.replace("\"first_name\"", "\"comment\":\"other\",\"first_name\"");
    let row = RowRef { scope: fleet(), kind: Kind::Driver, id: id("v1") };
    let body: serde_json::Value = serde_json::from_str(&other).unwrap();
    hub.write(&[Write::put(row, &body).unwrap()]);
    let judged = push(&replica, &mut hub);
    assert!(matches!(judged[0].verdict, Verdict::Rejected { .. }));
    take(&replica, &judged[..1]);
    assert_eq!(comment(&replica, "v1"), None, "the second wanted to change `one`, which never was");
    assert_eq!(pending(&replica), 1, "but only the hub refuses it");
    take(&replica, &judged[1..]);
    pull_all(&replica, &hub);
    assert_eq!(comment(&replica, "v1").as_deref(), Some("other"));
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].refusal.as_ref().unwrap().code, RefusalCode::Conflict);
    assert_eq!(entries[0].conflicts[0].current, json!("other"), "both values are there to choose from");
    assert_eq!(state(&replica, "v1"), RowState::Refused);
    equal_to_hub(&replica, &hub);
}

#[test]
fn an_edit_of_another_field_survives_the_refusal_before_it() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, edit("v1", "last_name", json!("Петров"), json!("Сидоров")));
    let Submitted::Refused(_) = submit(&replica, 3, edit("v1", "last_name", json!("Петров"), json!("Я"))) else {
        panic!("nothing can be taken, so it is refused at once")
    };
    submit(&replica, 4, edit("v1", "comment", json!(null), json!("ok")));
    assert_eq!(comment(&replica, "v1").as_deref(), Some("ok"));
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    assert_eq!(comment(&replica, "v1").as_deref(), Some("ok"));
    equal_to_hub(&replica, &hub);
}

#[test]
fn frames_in_between_are_merged_under_pending_edits() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("mine")));
    let row = RowRef { scope: fleet(), kind: Kind::Driver, id: id("v1") };
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&row].body).unwrap();
    body["work_status"] = json!("fired");
    hub.write(&[Write::put(row, &body).unwrap()]);
    pull_all(&replica, &hub);
    let driver = replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().unwrap();
    assert_eq!(driver.work_status.as_deref(), Some("fired"));
    assert_eq!(comment(&replica, "v1").as_deref(), Some("mine"));
    assert_eq!(driver.state, RowState::Saved);
}

#[test]
fn frames_are_applied_once_and_only_in_order() {
    let (mut hub, replica) = with_driver();
    let cursor = |scope| replica.read(|tx| tx.cursors()).unwrap().into_iter().find(|c| c.id == scope).unwrap().version;
    let apply = |frame: &_| replica.write(Priority::Sync, |tx| tx.apply_frame(frame, Millis(5))).unwrap();
    let before = cursor(fleet());
    for n in 1..=3 {
        let row = RowRef { scope: fleet(), kind: Kind::Other("thing".into()), id: id(&format!("t{n}")) };
        hub.write(&[Write::put(row, &json!({"n": n})).unwrap()]);
    }
    assert_eq!(apply(&hub.frame(&fleet(), before + 1, 1)), FrameOutcome::Gap);
    let first = hub.frame(&fleet(), before, 1);
    assert_eq!(apply(&first), FrameOutcome::Applied { is_head: false });
    assert_eq!(apply(&first), FrameOutcome::Old, "a replay changes nothing");
    assert_eq!(cursor(fleet()), before + 1);
    assert_eq!(apply(&hub.frame(&fleet(), before + 1, 9)), FrameOutcome::Applied { is_head: true });
    assert_eq!(apply(&hub.frame(&"park/p9/fleet".parse().unwrap(), 0, 9)), FrameOutcome::NotHeld);
    equal_to_hub(&replica, &hub);
}

#[test]
fn a_move_between_scopes_may_arrive_in_any_order() {
    for tombstone_first in [true, false] {
        let (mut hub, replica) = with_driver();
        let old = RowRef { scope: fleet(), kind: Kind::Other("thing".into()), id: id("t") };
        let new = RowRef { scope: photos(), ..old.clone() };
        hub.write(&[Write::put(old.clone(), &json!({"n": 1})).unwrap()]);
        pull_all(&replica, &hub);
        hub.write(&[Write::put(new.clone(), &json!({"n": 2})).unwrap(), Write::Delete { row: old.clone() }]);
        let mut order = [fleet(), photos()];
        if !tombstone_first {
            order.reverse();
        }
        for scope in order {
            let cursor = replica.read(|tx| tx.cursors()).unwrap().into_iter().find(|c| c.id == scope).unwrap();
            let frame = hub.frame(&scope, cursor.version, 99);
            replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
        }
        assert_eq!(replica.read(|tx| tx.body(&old)).unwrap(), None);
        assert_eq!(replica.read(|tx| tx.body(&new)).unwrap().as_deref(), Some(r#"{"n":2}"#));
    }
}

#[test]
fn a_lower_rev_never_replaces_a_higher() {
    let (mut hub, replica) = with_driver();
    let row = RowRef { scope: fleet(), kind: Kind::Other("thing".into()), id: id("t") };
    for n in 1..=3 {
        hub.write(&[Write::put(row.clone(), &json!({"n": n})).unwrap()]);
    }
    pull_all(&replica, &hub);
    let mut late = hub.rows[&row].clone();
    late.rev = 2;
    late.body = r#"{"n":2}"#.into();
    late.version += 1;
    let mut frame = hub.frame(&fleet(), hub.heads[&fleet()], 0);
    frame.head.to += 1;
    let mut dead = late.clone();
    frame.rows = vec![late];
    replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
    assert_eq!(replica.read(|tx| tx.body(&row)).unwrap().as_deref(), Some(r#"{"n":3}"#));
    (dead.deleted, dead.body) = (true, String::new());
    frame.head.from += 1;
    frame.head.to += 1;
    frame.rows = vec![dead];
    replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
    assert!(replica.read(|tx| tx.body(&row)).unwrap().is_some(), "a tombstone deletes only a lower rev");
}

#[test]
fn a_new_scope_epoch_is_marked_and_swept_sparing_pending_work() {
    let (mut hub, replica) = with_driver();
    let lost = RowRef { scope: fleet(), kind: Kind::Other("thing".into()), id: id("t") };
    hub.write(&[Write::put(lost.clone(), &json!({"n": 1})).unwrap()]);
    pull_all(&replica, &hub);
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("mine")));
    submit(&replica, 3, new_driver("v2", "Новый", None, None));
    // The hub came back from a backup: `t` is not there, revs are lower.
    hub.rows.remove(&lost);
    hub.epoch = 2;
    for row in hub.rows.values_mut() {
        row.rev = 1;
    }
    let cursor = replica.read(|tx| tx.cursors()).unwrap().into_iter().find(|c| c.id == fleet()).unwrap();
    let frame = hub.frame(&fleet(), cursor.version, 99);
    let outcome = replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
    assert_eq!(outcome, FrameOutcome::StartedOver);
    assert!(replica.read(|tx| tx.body(&lost)).unwrap().is_some(), "nothing blinks before the new head");
    pull_all(&replica, &hub);
    assert_eq!(replica.read(|tx| tx.body(&lost)).unwrap(), None);
    assert_eq!(comment(&replica, "v1").as_deref(), Some("mine"));
    assert!(replica.read(|tx| tx.driver(&id("p1"), &id("v2"))).unwrap().is_some());
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    assert_eq!(pending(&replica), 0);
    equal_to_hub(&replica, &hub);
}

#[test]
fn a_scope_no_longer_subscribed_waits_for_its_commands_and_is_then_purged() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("mine")));
    let subscription = hub
        .rows
        .iter()
        .find(|(at, row)| at.kind == Kind::Subscription && row.body.contains("fleet"))
        .map(|(at, _)| at.clone())
        .unwrap();
    hub.write(&[Write::Delete { row: subscription }]);
    pull_all(&replica, &hub);
    assert!(replica.read(|tx| tx.cursors()).unwrap().iter().all(|cursor| cursor.id != fleet()));
    assert!(!replica.read(|tx| tx.rows_of(&fleet())).unwrap().is_empty(), "its pending command is not judged yet");
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    assert_eq!(pending(&replica), 0);
    assert!(replica.read(|tx| tx.rows_of(&fleet())).unwrap().is_empty());
    let name = replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().unwrap().name;
    assert_eq!(name, "Иванов Пётр", "the card of the directory is still held");
}

#[test]
fn a_revoked_device_takes_no_more_commands() {
    let (mut hub, replica) = with_driver();
    hub.own(9, Command::DeviceRevoke(DeviceRevoke { device: device() }));
    pull_all(&replica, &hub);
    assert!(replica.read(|tx| tx.is_revoked()).unwrap());
    let draft =
        Draft { id: command_id(9), actor: Actor::Device(device()), now: Millis(1), command: capture("f1", "v1") };
    let error = replica.write(Priority::Person, |tx| tx.submit(draft)).unwrap_err();
    assert!(matches!(error, Error::Locked));
}

#[test]
fn a_deferred_command_waits_alone_and_missing_ones_are_sent_first() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, new_driver("v2", "Новый", None, None));
    submit(&replica, 3, edit("v2", "comment", json!(null), json!("x")));
    submit(&replica, 4, edit("v1", "comment", json!(null), json!("y")));
    let batch = replica.read(|tx| tx.pending(10)).unwrap();
    let judged = hub.judge(&batch[1].bytes);
    assert_eq!(judged.verdict, Verdict::Deferred { until_ms: None, missing: vec![2] });
    take(&replica, &[judged]);
    let mut late = hub.judge(&batch[2].bytes);
    late.verdict = Verdict::Deferred { until_ms: Some(Millis(1000)), missing: vec![] };
    take(&replica, &[late]);
    let due = |now| -> Vec<u64> {
        replica.read(|tx| tx.outbox_batch(10, 1 << 20, Millis(now))).unwrap().iter().map(|p| p.seq).collect()
    };
    assert_eq!(due(10), [2, 3], "4 is deferred until 1000, nothing else waits for it");
    assert_eq!(due(1000), [2, 3, 4]);
}

#[test]
fn what_rests_on_a_deferred_command_waits_as_long_as_it() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, new_driver("v2", "Новый", None, None));
    submit(&replica, 3, edit("v2", "comment", json!(null), json!("x")));
    submit(&replica, 4, edit("v2", "comment", json!("x"), json!("y")));
    let batch = replica.read(|tx| tx.pending(10)).unwrap();
    let mut first = hub.judge(&batch[0].bytes);
    first.verdict = Verdict::Deferred { until_ms: Some(Millis(1000)), missing: vec![] };
    let waits = |pending: &parkdesk_sqlite::Pending, missing: u64| parkdesk_domain::wire::Judged {
        seq: pending.seq,
        id: pending.id.clone(),
        verdict: Verdict::Deferred { until_ms: None, missing: vec![missing] },
    };
    take(&replica, &[first, waits(&batch[1], 2), waits(&batch[2], 3)]);
    let due = |now| -> Vec<u64> {
        replica.read(|tx| tx.outbox_batch(10, 1 << 20, Millis(now))).unwrap().iter().map(|p| p.seq).collect()
    };
    assert_eq!(due(999), Vec::<u64>::new());
    assert_eq!(due(1000), [2, 3, 4]);
}

#[test]
fn a_command_that_misses_what_nobody_here_knows_waits_a_while() {
    let (_, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("x")));
    let pending = replica.read(|tx| tx.pending(10)).unwrap().remove(0);
    let verdict = Verdict::Deferred { until_ms: None, missing: vec![999] };
    take(&replica, &[parkdesk_domain::wire::Judged { seq: pending.seq, id: pending.id, verdict }]);
    let due = |now| replica.read(|tx| tx.outbox_batch(10, 1 << 20, Millis(now))).unwrap().len();
    assert_eq!((due(59_000), due(61_000)), (0, 1));
}

#[test]
fn a_refused_command_submitted_again_answers_with_its_refusal() {
    let (_, replica) = with_driver();
    let command = edit("v1", "comment", json!(null), json!("x"));
    submit(&replica, 2, command.clone());
    let pending = replica.read(|tx| tx.pending(10)).unwrap().remove(0);
    let refusal = Box::new(parkdesk_domain::refusal::Refusal::invalid("comment"));
    let verdict = Verdict::Rejected { refusal: refusal.clone() };
    take(&replica, &[parkdesk_domain::wire::Judged { seq: pending.seq, id: pending.id, verdict }]);
    assert_eq!(submit(&replica, 2, command), parkdesk_sqlite::Submitted::Refused(refusal));
}

#[test]
fn a_command_too_large_to_be_sent_is_refused_at_once() {
    // Not enrolled: the rules know no driver and refuse nothing.
    let replica = Replica::in_memory().unwrap();
    let submitted = submit(&replica, 2, edit("v1", "comment", json!("x".repeat(70_000)), json!("y")));
    let parkdesk_sqlite::Submitted::Refused(refusal) = submitted else { panic!("{submitted:?}") };
    assert_eq!(refusal.field.as_deref(), Some("args"), "{refusal:?}");
    assert_eq!(pending(&replica), 0);
    saved(&submit(&replica, 2, edit("v1", "comment", json!("x"), json!("y"))));
}

#[test]
fn peoples_commands_are_sent_first_and_never_before_what_they_rest_on() {
    let (_, replica) = with_driver();
    for n in 2..6 {
        submit_as(&replica, n, Actor::Device(device()), capture(&format!("f{n}"), "v1"));
    }
    submit_as(&replica, 6, Actor::Device(device()), new_driver("v2", "Новый", None, None));
    submit(&replica, 7, edit("v2", "comment", json!(null), json!("x")));
    let batch = replica.read(|tx| tx.outbox_batch(2, 1 << 20, Millis(10))).unwrap();
    assert_eq!(batch.iter().map(|p| p.seq).collect::<Vec<_>>(), [6, 7]);
    let one = replica.read(|tx| tx.outbox_batch(10, 1, Millis(10))).unwrap();
    assert_eq!(one.len(), 1, "one larger than the limit goes alone");
}

#[test]
fn using_an_offered_driver_sends_the_photos_of_the_refused_one_again() {
    let (mut hub, replica) = with_driver();
    // Offline and without the fleet's key in sight: the hub knows the licence, this replica cannot (another scope state).
    let other = new_driver("v9", "Двойник", Some("99 АБ 999999"), None);
    submit(&replica, 2, new_driver("v2", "Новый", Some("99 АБ 999999"), None));
    submit(&replica, 3, capture("f1", "v2"));
    let envelope = Envelope {
        seq: 0,
        id: command_id(77),
        schema: 1,
        actor: Actor::User(id("u1")),
        after: vec![],
        recorded_at_ms: Millis(1),
        command: other,
    };
    hub.judge(&envelope.to_bytes().unwrap());
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!(entries.len(), 2, "the driver, and the photo of a driver that is not there");
    assert_eq!(entries[0].offer.as_ref().unwrap().id, id("v9"));
    let mut n = 100;
    let mut new_id = || {
        n += 1;
        command_id(n)
    };
    let settled = replica
        .write(Priority::Person, |tx| {
            let mut settler = Settler { actor: Actor::User(id("u1")), now: Millis(9), new_id: &mut new_id };
            tx.settle(entries[0].id, Settle::UseOffer, &mut settler)
        })
        .unwrap();
    assert_eq!(settled, Settled::Done { seqs: vec![4] });
    assert!(replica.read(|tx| tx.needs_attention()).unwrap().is_empty());
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    let photo = replica.read(|tx| tx.photo(&id("f1"))).unwrap().unwrap();
    assert_eq!(photo.photo.driver_id, id("v9"));
    equal_to_hub(&replica, &hub);
}

#[test]
fn an_entry_can_be_edited_retried_or_discarded() {
    let (mut hub, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("mine")));
    let row = RowRef { scope: fleet(), kind: Kind::Driver, id: id("v1") };
    let mut body: serde_json::Value = serde_json::from_str(&hub.rows[&row].body).unwrap();
    body["comment"] = json!("other");
    hub.write(&[Write::put(row, &body).unwrap()]);
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    let entry = replica.read(|tx| tx.needs_attention()).unwrap().remove(0);
    assert_eq!(entry.kind, AttentionKind::Refused);
    let settle = |how, n| {
        let mut new_id = move || command_id(n);
        replica.write(Priority::Person, |tx| {
            let mut settler = Settler { actor: Actor::User(id("u1")), now: Millis(9), new_id: &mut new_id };
            tx.settle(entry.id, how, &mut settler)
        })
    };
    assert!(matches!(settle(Settle::Retry, 50).unwrap(), Settled::Refused(_)), "nothing changed: the entry stays");
    assert!(matches!(settle(Settle::UseOffer, 51), Err(Error::NotSettleable)));
    let edited = edit("v1", "comment", json!("other"), json!("both"));
    assert!(matches!(settle(Settle::Edit(edited), 52).unwrap(), Settled::Done { .. }));
    assert_eq!(comment(&replica, "v1").as_deref(), Some("both"));
    assert!(matches!(settle(Settle::Discard, 53), Err(Error::Missing { .. })), "it is settled");
}

#[test]
fn facts_of_scopes_not_held_are_unknown_and_refuse_nothing() {
    let replica = Replica::in_memory().unwrap();
    let submitted = submit_as(&replica, 1, Actor::Device(device()), capture("f1", "v1"));
    assert_eq!(saved(&submitted), 1, "before the first pull nothing is known, so nothing is refused");
    let (_, replica) = with_driver();
    let Submitted::Refused(refusal) = submit(&replica, 2, capture("f1", "v404")) else { panic!("known not to be") };
    assert_eq!(refusal.code, RefusalCode::UnknownDriver);
    assert_eq!(pending(&replica), 0);
}

#[test]
fn a_submitted_id_counts_once() {
    let (_, replica) = with_driver();
    let first = saved(&submit(&replica, 2, capture("f1", "v1")));
    assert_eq!(saved(&submit(&replica, 2, capture("f1", "v1"))), first);
    assert_eq!(pending(&replica), 1);
}

#[test]
fn planning_everything_again_changes_nothing() {
    let (_, replica) = with_driver();
    submit(&replica, 2, edit("v1", "comment", json!(null), json!("one")));
    submit(&replica, 3, edit("v1", "comment", json!("one"), json!("two")));
    submit(&replica, 4, capture("f1", "v1"));
    let see = || [directory(), fleet(), photos()].map(|scope| replica.read(|tx| tx.rows_of(&scope)).unwrap());
    let before = see();
    replica
        .write(Priority::Person, |tx| {
            tx.rebuild_typed()?;
            tx.replan_all()
        })
        .map_err(|error: Error| error)
        .unwrap();
    assert_eq!(see(), before);
}

#[test]
fn changes_are_announced_after_the_commit_only() {
    let (_, replica) = with_driver();
    let none = std::time::Duration::ZERO;
    let (n, _) = replica.changes_after(0, none).unwrap();
    let failed: Result<(), Error> = replica.write(Priority::Person, |tx| {
        tx.submit(Draft {
            id: command_id(8),
            actor: Actor::User(id("u1")),
            now: Millis(1),
            command: capture("f1", "v1"),
        })?;
        Err(Error::NotEnrolled)
    });
    failed.unwrap_err();
    assert_eq!(replica.changes_after(n, none).unwrap(), (n, vec![]), "rolled back: nothing is told");
    submit(&replica, 9, capture("f1", "v1"));
    let (after, tags) = replica.changes_after(n, none).unwrap();
    let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
    assert!(after > n && tags.contains(&"photo/f1".into()) && tags.contains(&"outbox".into()), "{tags:?}");
}
