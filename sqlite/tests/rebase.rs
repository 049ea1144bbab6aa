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
use parkdesk_domain::command::{Actor, Envelope};
use parkdesk_domain::ids::Millis;
use parkdesk_domain::refusal::RefusalCode;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_domain::wire::Verdict;
use parkdesk_sqlite::{Draft, Error, Priority, Replica, RowState, Submitted};
use serde_json::json;

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
