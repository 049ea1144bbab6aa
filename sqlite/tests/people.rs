//! People on a replica: who may sign in here, and that a person's rights are judged here as the hub judges them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::command::{Actor, Command, PersonRemove, PersonSetPassCode};
use parkdesk_domain::refusal::RefusalCode;
use parkdesk_domain::rights::Role;
use parkdesk_domain::scope::Scope;
use parkdesk_sqlite::{AttentionKind, Replica, RowState, Submitted};

fn desk(role: Role) -> (Hub, Replica) {
    let hub = Hub::with_device(role, vec![directory(), fleet(), staff(), photos()]);
    let replica = enrolled(&hub);
    (hub, replica)
}

fn names(replica: &Replica) -> Vec<String> {
    let people = replica.read(|tx| tx.people(Some(&id("p1")))).unwrap();
    people.into_iter().map(|person| person.id.to_string()).collect()
}

fn remove(person: &str) -> Command {
    Command::PersonRemove(PersonRemove { person: id(person), park: id("p1") })
}

#[track_caller]
fn refused(submitted: &Submitted) -> RefusalCode {
    let Submitted::Refused(refusal) = submitted else { panic!("{submitted:?}") };
    refusal.code.clone()
}

#[test]
fn a_person_made_here_may_sign_in_and_act_before_the_hub_knows_them() {
    let (mut hub, replica) = desk(Role::Admin);
    saved(&submit(&replica, 1, new_person("u2", "petrov", Role::Operator)));
    let person = replica.read(|tx| tx.person(&id("u2"))).unwrap().unwrap();
    assert_eq!((person.user.verifier.as_deref(), person.state), (Some(VERIFIER), RowState::Saved));
    let operator = Actor::User(id("u2"));
    saved(&submit_as(&replica, 2, operator.clone(), new_driver("v1", "Иванов", None, None)));
    assert_eq!(
        refused(&submit_as(&replica, 3, operator, new_person("u3", "x", Role::Operator))),
        RefusalCode::NotAllowed
    );
    exchange(&replica, &mut hub);
    assert_eq!(replica.read(|tx| tx.person(&id("u2"))).unwrap().unwrap().state, RowState::Accepted);
    assert_eq!(replica.read(|tx| tx.pending_summary()).unwrap().count, 0);
    assert_eq!(names(&replica), ["u1", "u2"]);
}

#[test]
fn somebody_removed_at_the_hub_may_do_nothing_here_any_more_and_what_they_did_is_for_a_person() {
    let (mut hub, replica) = desk(Role::Admin);
    hub.own(9, new_person("u2", "petrov", Role::Operator));
    pull_all(&replica, &hub);
    let operator = Actor::User(id("u2"));
    saved(&submit_as(&replica, 1, operator.clone(), new_driver("v1", "Иванов", None, None)));
    hub.own(10, remove("u2"));
    pull_all(&replica, &hub);
    assert_eq!(names(&replica), ["u1"]);
    let gone = replica.read(|tx| tx.person(&id("u2"))).unwrap().unwrap();
    assert_eq!((gone.user.name.as_str(), gone.user.verifier), ("Имя u2", None), "the name stays in the story");
    assert!(replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().is_none(), "planned again without the right");
    assert_eq!(
        refused(&submit_as(&replica, 2, operator, new_driver("v2", "Петров", None, None))),
        RefusalCode::NotAllowed
    );
    exchange(&replica, &mut hub);
    let entries = replica.read(|tx| tx.needs_attention()).unwrap();
    assert_eq!((entries.len(), entries[0].kind), (1, AttentionKind::Refused));
}

#[test]
fn a_desk_caps_the_rights_of_who_sits_there() {
    let (_, replica) = desk(Role::PhotoStaff);
    assert_eq!(refused(&submit(&replica, 1, new_driver("v1", "Иванов", None, None))), RefusalCode::NotAllowed);
}

#[test]
fn where_the_staff_is_not_held_rights_are_not_guessed() {
    let (hub, replica) = {
        let hub = Hub::with_device(Role::Admin, vec![directory(), fleet(), photos()]);
        let replica = enrolled(&hub);
        (hub, replica)
    };
    saved(&submit_as(&replica, 1, Actor::User(id("somebody")), new_driver("v1", "Иванов", None, None)));
    assert!(replica.read(|tx| tx.people(None)).unwrap().is_empty());
    drop(hub);
}

#[test]
fn what_was_done_before_the_staff_came_is_judged_again_when_it_comes() {
    let hub = Hub::with_device(Role::Admin, vec![directory(), fleet(), staff(), photos()]);
    let replica = Replica::in_memory().unwrap();
    replica
        .write(parkdesk_sqlite::Priority::Sync, |tx| tx.set_enrolled(&device(), &id("hub"), parkdesk_domain::Millis(1)))
        .unwrap();
    let apply = |scope: &Scope| {
        let frame = hub.frame(scope, 0, u64::MAX);
        replica
            .write(parkdesk_sqlite::Priority::Sync, |tx| tx.apply_frame(&frame, parkdesk_domain::Millis(5)))
            .unwrap();
    };
    for scope in [device_scope(), directory(), fleet()] {
        apply(&scope);
    }
    saved(&submit_as(&replica, 1, Actor::User(id("nobody")), new_driver("v1", "Иванов", None, None)));
    assert!(replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().is_some());
    apply(&staff());
    assert!(replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().is_none());
}

#[test]
fn a_login_is_taken_here_already_and_free_again_after_a_removal() {
    let (mut hub, replica) = desk(Role::Admin);
    assert_eq!(refused(&submit(&replica, 1, new_person("u2", "Ivanova", Role::Operator))), RefusalCode::LoginTaken);
    saved(&submit(&replica, 2, new_person("u2", "petrov", Role::Operator)));
    saved(&submit(&replica, 3, remove("u2")));
    saved(&submit(&replica, 4, new_person("u3", "PETROV", Role::Operator)));
    exchange(&replica, &mut hub);
    assert_eq!(names(&replica), ["u1", "u3"]);
    assert!(replica.read(|tx| tx.needs_attention()).unwrap().is_empty());
}

#[test]
fn a_new_pass_code_is_here_at_once_and_everywhere_after_the_exchange() {
    let (mut hub, replica) = desk(Role::Admin);
    let other = enrolled(&hub);
    let verifier = VERIFIER.replace("m=64", "m=128");
    let args = PersonSetPassCode { person: id("u1"), park: id("p1"), verifier: verifier.clone() };
    saved(&submit(&replica, 1, Command::PersonSetPassCode(args)));
    let held = |replica: &Replica| replica.read(|tx| tx.person(&id("u1"))).unwrap().unwrap().user.verifier;
    assert_eq!((held(&replica), held(&other)), (Some(verifier.clone()), Some(VERIFIER.into())));
    exchange(&replica, &mut hub);
    pull_all(&other, &hub);
    assert_eq!(held(&other), Some(verifier));
}
