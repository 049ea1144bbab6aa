//! What only a person can settle.
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
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_sqlite::{AttentionKind, Error, Priority, Settle, Settled, Settler};
use serde_json::json;

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
