//! New numbers for an appliance: a copied image, and a device that was revoked and enrolled again in place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::body::FileClass;
use parkdesk_domain::command::{Actor, Command, DeviceEnrol, DeviceRevoke, Envelope};
use parkdesk_domain::ids::{DeviceId, Millis};
use parkdesk_domain::rights::Role;
use parkdesk_domain::scope::Scope;
use parkdesk_sqlite::{Error, Key, Origin, Priority, Replica, RowState};

fn pending(replica: &Replica) -> Vec<Envelope> {
    let list = replica.read(|tx| tx.pending(50)).unwrap();
    list.iter().map(|pending| Envelope::from_bytes(&pending.bytes).unwrap()).collect()
}

/// Two drivers at the hub, an edit and a capture that only the appliance has.
fn with_unsent_work(dir: &std::path::Path) -> (Hub, Replica) {
    let mut hub = Hub::new();
    let replica = Replica::open(dir, &Key::from_bytes([7; 32])).unwrap();
    enrol(&replica, &hub);
    submit(&replica, 1, new_driver("v1", "Иванов", None, None));
    submit(&replica, 2, new_driver("v2", "Петров", None, None));
    exchange(&replica, &mut hub);
    submit(&replica, 3, new_driver("v3", "Новый", None, None));
    submit(&replica, 4, edit("v3", "comment", serde_json::Value::Null, "unsent".into()));
    let thumb = replica.put_file(&id("v1"), FileClass::Thumb, b"thumb f1").unwrap();
    replica.write(Priority::Person, |tx| tx.add_blob(&thumb.to_blob(Origin::Local), Millis(2))).unwrap();
    let device = Actor::Device(device());
    submit_as(&replica, 5, device, capture("f1", "v1"));
    (hub, replica)
}

#[test]
fn a_copied_appliance_gets_numbers_of_its_own_and_keeps_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica) = with_unsent_work(dir.path());
    let before = pending(&replica);
    replica.write(Priority::Sync, |tx| tx.begin_epoch(Millis(9))).unwrap();
    assert_eq!(replica.read(|tx| tx.epoch()).unwrap(), 2);
    let after = pending(&replica);
    assert_eq!(after.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3], "contiguous from 1");
    assert_eq!((after[1].after.as_slice(), before[1].after.as_slice()), ([1].as_slice(), [3].as_slice()));
    for (old, new) in before.iter().zip(&after) {
        assert_ne!(old.id, new.id);
        assert_eq!((&old.command, &old.actor, old.recorded_at_ms), (&new.command, &new.actor, new.recorded_at_ms));
    }
    assert_eq!(comment(&replica, "v3").as_deref(), Some("unsent"), "people see no difference");
    let view = replica.read(|tx| tx.driver(&id("p1"), &id("v3"))).unwrap().unwrap();
    assert_eq!(view.state, RowState::Saved);
    exchange(&replica, &mut hub);
    assert!(pending(&replica).is_empty() && replica.read(|tx| tx.needs_attention()).unwrap().is_empty());
    assert_eq!(comment(&replica, "v3").as_deref(), Some("unsent"));
    assert_eq!(replica.read(|tx| tx.uploads(9)).unwrap().len(), 1, "the file goes its way");
}

#[test]
fn what_the_hub_had_done_already_is_not_done_twice_nor_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica) = with_unsent_work(dir.path());
    // The other copy of this image pushed the very same commands; this one has not heard of it.
    push(&replica, &mut hub);
    replica.write(Priority::Sync, |tx| tx.begin_epoch(Millis(9))).unwrap();
    exchange(&replica, &mut hub);
    assert!(pending(&replica).is_empty());
    assert_eq!(replica.read(|tx| tx.needs_attention()).unwrap(), []);
    let drivers = hub.live(&fleet()).len();
    assert_eq!(drivers, 3);
}

#[test]
fn a_revoked_appliance_enrolled_again_in_place_sends_its_work_as_the_new_device() {
    let dir = tempfile::tempdir().unwrap();
    let (mut hub, replica) = with_unsent_work(dir.path());
    hub.own(20, Command::DeviceRevoke(DeviceRevoke { device: device() }));
    pull_all(&replica, &hub);
    assert!(replica.read(|tx| tx.is_revoked()).unwrap());
    let new: DeviceId = "d2".parse().unwrap();
    let enrol = DeviceEnrol {
        device: new.clone(),
        name: "desk".into(),
        role: Role::Admin,
        parks: vec![id("p1")],
        scopes: vec![directory(), fleet(), photos()],
        was: Some(device()),
    };
    hub.own(21, Command::DeviceEnrol(enrol));
    let other = replica.write(Priority::Person, |tx| tx.set_enrolled_again(&new, &id("elsewhere"), Millis(9)));
    assert!(matches!(other, Err(Error::AlreadyEnrolled)), "of the same hub only");
    replica.write(Priority::Person, |tx| tx.set_enrolled_again(&new, &id("hub"), Millis(9))).unwrap();
    assert!(!replica.read(|tx| tx.is_revoked()).unwrap());
    let actors: Vec<String> = pending(&replica).iter().map(|e| e.actor.to_string()).collect();
    assert_eq!(actors, ["user/u1", "user/u1", "device/d2"], "people's work stays theirs");
    pull_all(&replica, &hub);
    let held: Vec<Scope> = replica.read(|tx| tx.cursors()).unwrap().into_iter().map(|c| c.id).collect();
    assert!(held.contains(&Scope::Device(new)) && !held.contains(&device_scope()), "{held:?}");
    exchange(&replica, &mut hub);
    assert!(pending(&replica).is_empty() && replica.read(|tx| tx.needs_attention()).unwrap().is_empty());
    assert_eq!(comment(&replica, "v3").as_deref(), Some("unsent"));
    assert_eq!(replica.read(|tx| tx.uploads(9)).unwrap().len(), 1);
}
