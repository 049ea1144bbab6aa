//! Frames: applied once and in order, moves, a scope begun again, a scope that is left.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::ids::Millis;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_sqlite::{FrameOutcome, Priority};
use serde_json::json;

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
