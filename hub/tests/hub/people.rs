//! People of a park: a command is judged by what its person and the device they sit at may both do.

use parkdesk_domain::command::{Command, PersonRemove, PersonSetPassCode};
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::Cursor;
use parkdesk_domain::{Kind, Scope};
use parkdesk_hub::admin::people::NewPerson;
use parkdesk_hub::admin::{Answer, Did, Request};

use crate::world::*;

fn remove(person: &str) -> Command {
    Command::PersonRemove(PersonRemove { person: id(person), park: id("p1") })
}

/// Park `p1` with one person of each role, named by it, made by an admin's desk; and park `p2` with an operator `p2-op`.
async fn world_with_people() -> (World, Device) {
    let world = World::with_park().await;
    world.add_park("p2").await;
    let mut desk = world.enrol(Role::Admin, "p1").await;
    let roles = [Role::PhotoStaff, Role::Operator, Role::Senior, Role::Moderator, Role::Reviewer, Role::Admin];
    let commands: Vec<String> =
        roles.iter().map(|role| desk.command(person(role.as_str(), "p1", role.clone()), &[])).collect();
    assert_applied(&desk.push(&world, &commands).await);
    let mut other = world.enrol(Role::Admin, "p2").await;
    let command = other.command(person("p2-op", "p2", Role::Operator), &[]);
    assert_applied(&other.push(&world, &[command]).await);
    (world, desk)
}

/// What becomes of a capture, an edit and a new person, given by `who` at `desk`.
async fn outcomes(world: &World, desk: &mut Device, who: &str) -> [String; 3] {
    let unique = format!("{who}-{}-{}", desk.id, desk.seq);
    let commands = [
        desk.command_of(who, capture(&format!("f-{unique}"), "p1", [b"1", b"2", b"3"])),
        desk.command_of(who, driver(&format!("v-{unique}"), "p1", &format!("7700 {who} {}", desk.seq))),
        desk.command_of(who, person(&format!("u-{unique}"), "p1", Role::Operator)),
    ];
    let verdicts = desk.push(world, &commands).await;
    let text = |v: &parkdesk_domain::wire::Verdict| match v {
        parkdesk_domain::wire::Verdict::Applied { .. } => "ok".to_owned(),
        other => refusal(other).to_owned(),
    };
    [text(&verdicts[0]), text(&verdicts[1]), text(&verdicts[2])]
}

#[tokio::test]
async fn a_person_at_a_desk_may_do_what_both_may() {
    let (world, mut admins) = world_with_people().await;
    let mut photo_centre = world.enrol(Role::PhotoStaff, "p1").await;
    let (yes, no) = ("ok", "not_allowed");
    for (who, at_admins_desk, at_photo_centre) in [
        ("admin", [yes, yes, yes], [yes, no, no]),
        ("senior", [yes, yes, yes], [yes, no, no]),
        ("operator", [yes, yes, no], [yes, no, no]),
        ("photo_staff", [yes, no, no], [yes, no, no]),
        ("reviewer", [no, no, no], [no, no, no]),
        ("p2-op", [no, no, no], [no, no, no]),
        ("nobody", [no, no, no], [no, no, no]),
    ] {
        assert_eq!(outcomes(&world, &mut admins, who).await, at_admins_desk, "{who} at an admin's desk");
        assert_eq!(outcomes(&world, &mut photo_centre, who).await, at_photo_centre, "{who} at a photo centre");
    }
}

#[tokio::test]
async fn a_person_of_this_park_may_do_nothing_from_a_desk_of_another() {
    let (world, _) = world_with_people().await;
    let mut foreign = world.enrol(Role::Admin, "p2").await;
    assert_eq!(outcomes(&world, &mut foreign, "admin").await, ["not_allowed"; 3]);
}

#[tokio::test]
async fn a_removed_person_may_do_nothing_from_that_moment_on() {
    let (world, mut desk) = world_with_people().await;
    let commands = [
        desk.command_of("operator", driver("v7", "p1", "7700 7")),
        desk.command_of("senior", remove("operator")),
        desk.command_of("operator", driver("v8", "p1", "7700 8")),
        desk.command_of("senior", remove("admin")),
    ];
    let verdicts = desk.push(&world, &commands).await;
    assert_applied(&verdicts[..2]);
    assert_eq!([refusal(&verdicts[2]), refusal(&verdicts[3])], ["not_allowed", "not_allowed"]);
    let Answer::People { people } = world.admin(Request::PersonList { park: id("p1") }).await else { panic!() };
    assert!(people.len() == 5 && people.iter().all(|p| p.id != id("operator")), "{people:?}");
}

#[tokio::test]
async fn a_login_is_unique_in_its_park_and_free_again_after_a_removal() {
    let (world, mut desk) = world_with_people().await;
    let again = |who: &str, login: &str| match person(who, "p1", Role::Operator) {
        Command::PersonCreate(mut args) => {
            args.login = login.into();
            Command::PersonCreate(args)
        }
        other => other,
    };
    let commands = [
        desk.command(again("x1", "OPERATOR"), &[]),
        desk.command(again("x2", "p2-op"), &[]),
        desk.command(remove("operator"), &[]),
        desk.command(again("x3", "Operator"), &[]),
    ];
    let verdicts = desk.push(&world, &commands).await;
    assert_eq!(refusal(&verdicts[0]), "login_taken");
    assert_applied(&verdicts[1..]);
    // The look-up tables made anew say the same.
    world.admin(Request::Reindex).await;
    let command = desk.command(again("x4", "operator"), &[]);
    assert_eq!(refusal(&desk.push(&world, &[command]).await[0]), "login_taken");
}

#[tokio::test]
async fn people_and_their_verifiers_reach_desks_and_never_field_devices() {
    let (world, _) = world_with_people().await;
    let staff: Scope = "park/p1/staff".parse().unwrap();
    let roles = [Role::PhotoStaff, Role::Operator, Role::Senior, Role::Moderator, Role::Reviewer, Role::Admin];
    for (role, reads) in roles.into_iter().map(|role| (role, true)).chain([(Role::Field, false)]) {
        let device = world.enrol(role.clone(), "p1").await;
        let own = Cursor { id: Scope::Device(device.id.clone()), epoch: 0, version: 0 };
        let frames = device.pull_from(&world, &[own, Cursor { id: staff.clone(), epoch: 0, version: 0 }], 0).await;
        let rows: Vec<_> = frames.iter().flat_map(|frame| &frame.rows).collect();
        let people = rows.iter().filter(|row| row.kind == Kind::User).count();
        let subscribed = rows.iter().any(|row| row.kind == Kind::Subscription && row.body.contains("park/p1/staff"));
        assert_eq!((people, subscribed), if reads { (6, true) } else { (0, false) }, "{role:?}");
        assert_eq!(rows.iter().any(|row| row.body.contains("argon2id")), reads, "{role:?}");
    }
}

#[tokio::test]
async fn the_administrator_makes_lists_and_removes_people() {
    let world = World::with_park().await;
    let new = |login: &str, role| {
        Request::PersonAdd(NewPerson {
            park: id("p1"),
            name: "Анна Ивановна".into(),
            login: login.into(),
            role,
            verifier: VERIFIER.into(),
        })
    };
    let Answer::Person(made) = world.admin(new("anna", Role::Admin)).await else { panic!() };
    let Answer::Refused { refusal } = world.admin(new("Anna", Role::Operator)).await else { panic!() };
    assert_eq!((refusal.code.as_str(), refusal.offer.map(|o| o.id)), ("login_taken", Some(made.id.clone())));
    let Answer::Refused { refusal } = world.admin(new("f", Role::Field)).await else { panic!() };
    assert_eq!(refusal.field.as_deref(), Some("role"));
    assert_eq!(
        world.admin(Request::PersonList { park: id("p1") }).await,
        Answer::People { people: vec![made.clone()] }
    );
    let verifier = VERIFIER.replace("m=64", "m=128");
    let set = Request::PersonSetPassCode { park: id("p1"), person: made.id.clone(), verifier };
    assert_eq!(world.admin(set).await, Answer::Done { what: Did::PassCodeSet, count: 1 });
    let gone = Request::PersonRemove { park: id("p1"), person: made.id.clone() };
    assert_eq!(world.admin(gone).await, Answer::Done { what: Did::PersonRemoved, count: 1 });
    assert_eq!(world.admin(Request::PersonList { park: id("p1") }).await, Answer::People { people: vec![] });
    let set = Request::PersonSetPassCode { park: id("p1"), person: made.id, verifier: VERIFIER.into() };
    assert!(matches!(world.admin(set).await, Answer::Refused { refusal } if refusal.code.as_str() == "unknown_person"));
}

#[tokio::test]
async fn a_person_sets_their_own_pass_code_and_nobody_elses() {
    let (world, mut desk) = world_with_people().await;
    let set = |person: &str| {
        let verifier = VERIFIER.replace("m=64", "m=128");
        Command::PersonSetPassCode(PersonSetPassCode { person: id(person), park: id("p1"), verifier })
    };
    let commands = [
        desk.command_of("operator", set("operator")),
        desk.command_of("operator", set("senior")),
        desk.command_of("senior", set("admin")),
        desk.command_of("senior", set("operator")),
    ];
    let verdicts = desk.push(&world, &commands).await;
    assert_applied(&verdicts[..1]);
    assert_eq!([refusal(&verdicts[1]), refusal(&verdicts[2])], ["not_allowed"; 2]);
    assert_applied(&verdicts[3..]);
}
