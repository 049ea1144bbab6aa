//! The queue: what is sent when, what waits, what is refused before it is queued.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::command::{Actor, Command, DeviceRevoke};
use parkdesk_domain::ids::Millis;
use parkdesk_domain::wire::Verdict;
use parkdesk_sqlite::{Draft, Error, Priority, Replica};
use serde_json::json;

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
fn a_submitted_id_counts_once() {
    let (_, replica) = with_driver();
    let first = saved(&submit(&replica, 2, capture("f1", "v1")));
    assert_eq!(saved(&submit(&replica, 2, capture("f1", "v1"))), first);
    assert_eq!(pending(&replica), 1);
}
