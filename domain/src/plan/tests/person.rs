//! People: who may make, change and remove whom, and what their rows say.

use super::*;

const VERIFIER: &str = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn new_person(person: &str, login: &str, role: Role) -> PersonCreate {
    let (name, verifier) = (format!("Имя {person}"), VERIFIER.into());
    PersonCreate { person: id(person), park: id("p1"), name, login: login.into(), role, verifier }
}

fn create(person: &str, login: &str, role: Role) -> Command {
    Command::PersonCreate(Box::new(new_person(person, login, role)))
}

fn set_code(person: &str, verifier: &str) -> Command {
    Command::PersonSetPassCode(PersonSetPassCode { person: id(person), park: id("p1"), verifier: verifier.into() })
}

fn remove(person: &str) -> Command {
    Command::PersonRemove(PersonRemove { person: id(person), park: id("p1") })
}

fn user(person: &str) -> Actor {
    Actor::User(id(person))
}

fn staff() -> Scope {
    Scope::park(&id("p1"), Area::Staff)
}

/// With an admin `a`, a senior `s` and an operator `o`, made by the device.
fn park_with_people() -> World {
    let mut world = park_with_driver();
    for (person, role) in [("a", Role::Admin), ("s", Role::Senior), ("o", Role::Operator)] {
        assert_accepted(&world.run(create(person, person, role)));
    }
    world
}

#[test]
fn a_person_comes_with_the_grant_that_says_what_they_may_do() {
    let world = park_with_people();
    let body: User = world.get(staff(), &id("o"));
    assert_eq!((body.name.as_str(), body.login.as_str(), body.role), ("Имя o", "o", Role::Operator));
    assert_eq!(world.granted(&user("o")), [Granted { role: Role::Operator, park: id("p1") }]);
    insta::assert_snapshot!(
        crate::canonical::to_string(&Command::PersonCreate(Box::new(new_person("o", "o", Role::Operator)))).unwrap(),
        @r#"{"args":{"login":"o","name":"Имя o","park":"p1","person":"o","role":"operator","verifier":"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"kind":"person.create"}"#
    );
    insta::assert_snapshot!(
        world.rows.get(&RowRef { scope: staff(), kind: Kind::User, id: id("o") }).unwrap(),
        @r#"{"login":"o","name":"Имя o","park_id":"p1","role":"operator","verifier":"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
    );
}

#[test]
fn nobody_makes_changes_or_removes_somebody_above_what_they_may_give() {
    for (actor, wanted, allowed) in [
        (user("a"), Role::Admin, true),
        (user("s"), Role::Admin, false),
        (user("s"), Role::Senior, true),
        (user("s"), Role::PhotoStaff, true),
        (user("o"), Role::PhotoStaff, false),
        (user("nobody"), Role::PhotoStaff, false),
    ] {
        let mut world = park_with_people();
        let outcome = world.run_as(actor.clone(), create("n", "n", wanted.clone()));
        assert_eq!(matches!(outcome, Outcome::Accepted { .. }), allowed, "{actor:?} makes {wanted:?}");
        assert_accepted(&world.run(create("m", "m", wanted.clone())));
        for command in [set_code("m", VERIFIER), remove("m")] {
            let outcome = world.run_as(actor.clone(), command.clone());
            assert_eq!(matches!(outcome, Outcome::Accepted { .. }), allowed, "{actor:?} {command:?} {wanted:?}");
        }
    }
}

#[test]
fn a_desk_makes_nobody_above_its_own_role_whoever_sits_there() {
    let mut world = park_with_people();
    world.device_role = Some(Role::Senior);
    assert_eq!(refusal(world.run_as(user("a"), create("n", "n", Role::Admin))).code, RefusalCode::NotAllowed);
    assert_accepted(&world.run_as(user("a"), create("n", "n", Role::Senior)));
    world.device_role = Some(Role::PhotoStaff);
    assert_eq!(refusal(world.run_as(user("a"), create("k", "k", Role::PhotoStaff))).code, RefusalCode::NotAllowed);
    assert_eq!(refusal(world.run(create("k", "k", Role::PhotoStaff))).code, RefusalCode::NotAllowed);
}

#[test]
fn a_login_belongs_to_one_person_until_they_are_removed() {
    let mut world = park_with_people();
    assert_accepted(&world.run(create("e", "Ёлка.1", Role::Operator)));
    let refusal = refusal(world.run(create("f", "елка 1", Role::Operator)));
    assert_eq!((refusal.code, refusal.offer.map(|offer| offer.id)), (RefusalCode::LoginTaken, Some(id("e"))));
    assert_accepted(&world.run(remove("e")));
    assert_accepted(&world.run(create("f", "елка 1", Role::Operator)));
}

#[test]
fn a_removed_person_keeps_the_name_and_nothing_else() {
    let mut world = park_with_people();
    assert_accepted(&world.run_as(user("a"), remove("o")));
    let body: User = world.get(staff(), &id("o"));
    assert_eq!((body.name.as_str(), body.login.as_str(), body.verifier), ("Имя o", "", None));
    assert_eq!(body.removed_at_ms, Some(Millis(1000)));
    assert_eq!(world.granted(&user("o")), []);
    assert_eq!(refusal(world.run_as(user("o"), set_code("o", VERIFIER))).code, RefusalCode::NotAllowed);
    assert_eq!(refusal(world.run(set_code("o", VERIFIER))).code, RefusalCode::UnknownPerson);
    assert!(matches!(world.run(remove("o")), Outcome::Accepted { writes, .. } if writes.is_empty()), "once is enough");
}

#[test]
fn everybody_changes_their_own_pass_code_and_nobody_removes_themselves() {
    let mut world = park_with_people();
    let other = VERIFIER.replace("m=64", "m=128");
    assert_accepted(&world.run_as(user("o"), set_code("o", &other)));
    let body: User = world.get(staff(), &id("o"));
    assert_eq!(body.verifier, Some(other));
    assert_eq!(refusal(world.run_as(user("o"), set_code("s", VERIFIER))).code, RefusalCode::NotAllowed);
    assert_eq!(refusal(world.run_as(user("a"), remove("a"))).code, RefusalCode::NotAllowed);
}

#[test]
fn what_is_no_person_is_refused_by_field() {
    let good = new_person("n", "n", Role::Operator);
    let cases = [
        ("name", PersonCreate { name: "  ".into(), ..good.clone() }),
        ("login", PersonCreate { login: "...".into(), ..good.clone() }),
        ("role", PersonCreate { role: Role::Field, ..good.clone() }),
        ("role", PersonCreate { role: Role::from("owner".to_owned()), ..good.clone() }),
        ("verifier", PersonCreate { verifier: "123456".into(), ..good }),
    ];
    for (field, args) in cases {
        let refusal = refusal(park_with_people().run(Command::PersonCreate(Box::new(args))));
        assert_eq!((refusal.code, refusal.field.as_deref()), (RefusalCode::Invalid, Some(field)));
    }
    assert_eq!(refusal(park_with_people().run(create("o", "new", Role::Operator))).code, RefusalCode::Exists);
    assert_eq!(refusal(park_with_people().run(set_code("nobody", VERIFIER))).code, RefusalCode::UnknownPerson);
}

#[test]
fn where_people_are_not_known_it_goes_on_provisionally() {
    let mut world = park_with_people();
    world.not_held.push(staff());
    for command in [set_code("o", VERIFIER), remove("o")] {
        assert!(matches!(world.run(command), Outcome::Accepted { writes, .. } if writes.is_empty()));
    }
}
