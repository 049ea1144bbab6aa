//! One test per arm of a plan, over a little world of rows.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::body::*;
use crate::command::*;
use crate::facts::{self, Answer, Question, Source, Space};
use crate::ids::{BlobId, CommandId, DeviceId, RowId};
use crate::rights::{Granted, Rights, Role};
use crate::row::{Kind, RowRef, SCHEMA};
use crate::scope::{Area, Scope};

mod person;
mod photo;

/// Rows by reference; scopes not held answer `Unknown`, as on a replica.
#[derive(Default)]
struct World {
    rows: BTreeMap<RowRef, String>,
    not_held: Vec<Scope>,
    rounds: usize,
    /// The device's role in park `p1`; admin if absent.
    device_role: Option<Role>,
}

impl Source for World {
    type Error = Infallible;
    fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Infallible> {
        self.rounds += 1;
        Ok(questions.iter().map(|q| self.answer(q)).collect())
    }
}

impl World {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Row(row) if self.not_held.contains(&row.scope) => Answer::Unknown,
            Question::Row(row) => Answer::Row(self.rows.get(row).cloned()),
            Question::Key { scope, space, key } => Answer::Ids(
                self.rows
                    .iter()
                    .filter(|(row, body)| row.scope == *scope && holds(row, body, *space, key))
                    .map(|(row, _)| row.id.clone())
                    .collect(),
            ),
            Question::Rights(actor) if actor.is_hub() => Answer::Rights(Rights::of_hub()),
            Question::Rights(actor) => {
                let role = self.device_role.clone().unwrap_or(Role::Admin);
                let device = vec![Granted { role, park: id("p1") }];
                Answer::Rights(match actor {
                    Actor::User(_) => Rights::of_person(self.granted(actor), device),
                    Actor::Device(_) | Actor::Hub | Actor::Job(_) => Rights::of_device(device),
                })
            }
        }
    }

    fn granted(&self, holder: &Actor) -> Vec<Granted> {
        let grants = self.rows.iter().filter(|(row, _)| row.kind == Kind::Grant);
        let grants = grants.map(|(_, body)| serde_json::from_str::<Grant>(body).unwrap());
        grants.filter(|g| g.holder == *holder).map(|g| Granted { role: g.role, park: g.park }).collect()
    }

    fn run(&mut self, command: Command) -> Outcome {
        self.run_as(Actor::Device("d1".parse().unwrap()), command)
    }

    fn run_as(&mut self, actor: Actor, command: Command) -> Outcome {
        let envelope = Envelope {
            seq: 1,
            id: CommandId::from_uuid(Uuid::new_v5(&Uuid::nil(), format!("{command:?}").as_bytes())),
            schema: SCHEMA,
            actor,
            after: vec![],
            recorded_at_ms: Millis(1),
            command,
        };
        self.rounds = 0;
        let planned = facts::run(&envelope, Millis(1000), self).unwrap();
        if let Outcome::Accepted { writes, .. } = &planned.outcome {
            for write in writes {
                match write {
                    Write::Put { row, body } => self.rows.insert(row.clone(), body.clone()),
                    Write::Delete { row } => self.rows.remove(row),
                };
            }
        }
        planned.outcome
    }

    fn get<E: Entity>(&self, scope: Scope, id: &RowId) -> E {
        let row = RowRef { scope, kind: E::KIND, id: id.clone() };
        serde_json::from_str(self.rows.get(&row).expect("row")).unwrap()
    }

    fn driver(&self) -> Driver {
        self.get(Scope::park(&id("p1"), Area::Fleet), &id("v1"))
    }

    fn photo(&self) -> Photo {
        self.get(Scope::park(&id("p1"), Area::Photos), &id("f1"))
    }
}

fn holds(row: &RowRef, body: &str, space: Space, key: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = |pointer: &str| value.pointer(pointer).and_then(|t| t.as_str()).unwrap_or_default();
    match (space, &row.kind) {
        (Space::Licence, Kind::Driver) => fold::plate(text("/licence/number")) == key,
        (Space::Plate, Kind::Car) => fold::plate(text("/plate")) == key,
        (Space::PhotosOf, Kind::Photo) => text("/driver_id") == key && text("/status") != "withdrawn",
        (Space::Login, Kind::User) => fold::name(text("/login")) == key,
        _ => false,
    }
}

fn id(text: &str) -> RowId {
    text.parse().unwrap()
}

fn hub() -> Actor {
    Actor::Hub
}

fn park_with_driver() -> World {
    let mut world = World::default();
    let park =
        ParkCreate { park: id("p1"), name: "Парк".into(), city: "msk".into(), settings: ParkSettings::default() };
    assert_accepted(&world.run_as(hub(), Command::ParkCreate(park)));
    assert_accepted(&world.run(Command::DriverCreate(Box::new(new_driver("v1", "77 АБ 123456", "А123ВС77")))));
    world
}

fn new_driver(driver: &str, licence: &str, plate: &str) -> DriverCreate {
    DriverCreate {
        driver: id(driver),
        park: id("p1"),
        last_name: "Ёлкин".into(),
        first_name: " Пётр ".into(),
        middle_name: None,
        phones: vec!["+7 916 123-45-67".into()],
        licence: Some(Licence { country: None, number: licence.into(), issued_on: None, expires_on: None }),
        plate: Some(plate.into()),
        comment: None,
    }
}

fn file(n: u8) -> PhotoFile {
    PhotoFile { id: BlobId::of(&[n]), size_bytes: 10, stored: true }
}

fn capture(photo: &str, driver: &str) -> PhotoCapture {
    PhotoCapture {
        photo: id(photo),
        park: id("p1"),
        driver: id(driver),
        priority: "admin".into(),
        source: "folder".into(),
        captured_at_ms: Millis(5),
        original: file(1),
        portrait: Some(file(2)),
        thumb: file(3),
        crop: Some(Crop { x: 0, y: 0, w: 3, h: 4, turn: 0 }),
        face: None,
        quality: BTreeMap::new(),
        codes: vec![],
        override_reason: None,
    }
}

fn edit(field: &str, was: serde_json::Value, now: serde_json::Value) -> Command {
    let fields = BTreeMap::from([(field.to_owned(), Change { was, now })]);
    Command::DriverEdit(DriverEdit { driver: id("v1"), park: id("p1"), fields, phones: SetEdit::default() })
}

#[track_caller]
fn assert_accepted(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Accepted { conflicts, .. } if conflicts.is_empty()), "{outcome:?}");
}

#[track_caller]
fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        Outcome::Accepted { .. } => panic!("accepted: {outcome:?}"),
    }
}

#[test]
fn a_new_driver_comes_with_car_and_card() {
    let world = park_with_driver();
    let driver = world.driver();
    assert_eq!(driver.full_name(), "Ёлкин Пётр");
    let car: Car = world.get(Scope::park(&id("p1"), Area::Fleet), driver.car_id.as_ref().unwrap());
    assert_eq!(car.plate, "А123ВС77");
    let directory = Scope::park(&id("p1"), Area::Directory);
    let card: DriverCard = world.get(directory.clone(), &id("v1").projected(&directory.to_string()));
    assert_eq!((card.name.as_str(), card.plate.as_deref()), ("Ёлкин Пётр", Some("А123ВС77")));
}

#[test]
fn a_second_driver_drives_the_known_car_written_with_latin_letters() {
    let mut world = park_with_driver();
    assert_accepted(&world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "a123bc 77")))));
    let second: Driver = world.get(Scope::park(&id("p1"), Area::Fleet), &id("v2"));
    assert_eq!(second.car_id, world.driver().car_id);
}

#[test]
fn a_taken_licence_offers_its_driver() {
    let mut world = park_with_driver();
    let outcome = world.run(Command::DriverCreate(Box::new(new_driver("v2", "77AБ123456", "B001BB77"))));
    let refusal = refusal(outcome);
    assert_eq!(refusal.code, RefusalCode::LicenceTaken);
    assert_eq!(refusal.offer.unwrap().id, id("v1"));
}

#[test]
fn a_driver_in_no_park_is_refused_and_unknown_parks_go_on_provisionally() {
    let mut world = World::default();
    let command = Command::DriverCreate(Box::new(new_driver("v1", "77 00 123456", "A001AA77")));
    assert_eq!(refusal(world.run(command.clone())).code, RefusalCode::UnknownPark);
    world.not_held = vec![Scope::park(&id("p1"), Area::Directory), Scope::park(&id("p1"), Area::Fleet)];
    assert_accepted(&world.run(command));
}

#[test]
fn bad_texts_name_their_field() {
    let mut world = park_with_driver();
    for (field, change) in [
        ("last_name", Box::new(|d: &mut DriverCreate| d.last_name = " ".into()) as Box<dyn Fn(&mut DriverCreate)>),
        ("first_name", Box::new(|d| d.first_name = "a\u{7}".into())),
        ("phones", Box::new(|d| d.phones = vec!["12".into()])),
        ("licence", Box::new(|d| d.licence.as_mut().unwrap().number = "1".into())),
        ("plate", Box::new(|d| d.plate = Some("x".repeat(21)))),
    ] {
        let mut args = new_driver("v9", "11 22 333333", "Н001НН77");
        change(&mut args);
        let refusal = refusal(world.run(Command::DriverCreate(Box::new(args))));
        assert_eq!((refusal.code, refusal.field.as_deref()), (RefusalCode::Invalid, Some(field)));
    }
}

#[test]
fn an_edit_writes_the_field_it_saw() {
    let mut world = park_with_driver();
    assert_accepted(&world.run(edit("last_name", json!("Ёлкин"), json!("Сосновский"))));
    assert_eq!(world.driver().last_name, "Сосновский");
    let directory = Scope::park(&id("p1"), Area::Directory);
    let card: DriverCard = world.get(directory.clone(), &id("v1").projected(&directory.to_string()));
    assert_eq!(card.name, "Сосновский Пётр", "the card follows");
}

#[test]
fn an_edit_that_stands_already_writes_nothing() {
    let mut world = park_with_driver();
    let outcome = world.run(edit("last_name", json!("Old"), json!("Ёлкин")));
    assert_eq!(outcome, Outcome::accepted(vec![]));
}

#[test]
fn a_conflicting_field_is_shown_and_the_others_merge() {
    let mut world = park_with_driver();
    let fields = BTreeMap::from([
        ("last_name".to_owned(), Change { was: json!("Old"), now: json!("Mine") }),
        ("comment".to_owned(), Change { was: json!(null), now: json!("note") }),
    ]);
    let args = DriverEdit { driver: id("v1"), park: id("p1"), fields, phones: SetEdit::default() };
    let Outcome::Accepted { conflicts, .. } = world.run(Command::DriverEdit(args)) else { panic!("refused") };
    assert_eq!(conflicts.len(), 1);
    assert_eq!((&conflicts[0].now, &conflicts[0].current), (&json!("Mine"), &json!("Ёлкин")));
    assert_eq!(world.driver().comment.as_deref(), Some("note"));
    assert_eq!(world.driver().last_name, "Ёлкин");
}

#[test]
fn an_edit_of_nothing_but_conflicts_is_refused_with_both_values() {
    let mut world = park_with_driver();
    let refusal = refusal(world.run(edit("last_name", json!("Old"), json!("Mine"))));
    assert_eq!((refusal.code, refusal.conflicts.len()), (RefusalCode::Conflict, 1));
}

fn car_of(world: &World, driver: &str) -> Option<Car> {
    let fleet = Scope::park(&id("p1"), Area::Fleet);
    let driver: Driver = world.get(fleet.clone(), &id(driver));
    driver.car_id.map(|car| world.get(fleet, &car))
}

fn card_plate(world: &World) -> Option<String> {
    let directory = Scope::park(&id("p1"), Area::Directory);
    world.get::<DriverCard>(directory.clone(), &id("v1").projected(&directory.to_string())).plate
}

#[test]
fn a_plate_nobody_has_gives_the_driver_a_new_car_and_leaves_the_others_theirs() {
    let mut world = park_with_driver();
    assert_accepted(&world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "a123bc 77")))));
    assert_accepted(&world.run(edit("plate", json!("a 123 bc 77"), json!(" К777КК77 "))));
    assert!(world.rounds <= 4, "{} rounds", world.rounds);
    assert_eq!(car_of(&world, "v1").unwrap().plate, "К777КК77");
    assert_eq!(card_plate(&world).as_deref(), Some("К777КК77"));
    assert_eq!(car_of(&world, "v2").unwrap().plate, "А123ВС77", "who shares the old car keeps it");
    assert_eq!(world.run(edit("plate", json!("А123ВС77"), json!("k777kk77"))), Outcome::accepted(vec![]), "it stands");
}

#[test]
fn a_plate_of_a_known_car_gives_the_driver_that_car() {
    let mut world = park_with_driver();
    assert_accepted(&world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Н001НН77")))));
    let before = world.rows.len();
    assert_accepted(&world.run(edit("plate", json!("А123ВС77"), json!("h001hh77"))));
    let fleet = Scope::park(&id("p1"), Area::Fleet);
    assert_eq!(world.driver().car_id, world.get::<Driver>(fleet, &id("v2")).car_id);
    assert_eq!(world.rows.len(), before, "no second car with this plate");
    assert_accepted(&world.run(edit("plate", json!("Н001НН77"), json!(null))));
    assert!(world.driver().car_id.is_none() && card_plate(&world).is_none());
}

#[test]
fn a_plate_that_changed_meanwhile_is_a_conflict_and_an_impossible_one_is_refused() {
    let mut world = park_with_driver();
    let refused = refusal(world.run(edit("plate", json!(null), json!("Н001НН77"))));
    assert_eq!((refused.code, refused.conflicts[0].field.as_str()), (RefusalCode::Conflict, "plate"));
    assert_eq!(refused.conflicts[0].current, json!("А123ВС77"));
    for bad in [json!("---"), json!(""), json!(7), json!("x".repeat(21))] {
        let refused = refusal(world.run(edit("plate", json!("А123ВС77"), bad)));
        assert_eq!((refused.code, refused.field.as_deref()), (RefusalCode::Invalid, Some("plate")));
    }
    let fields = ["plate", "car_id"].map(|f| (f.to_owned(), Change { was: json!(null), now: json!("a1") }));
    let both = DriverEdit { driver: id("v1"), park: id("p1"), fields: fields.into(), phones: SetEdit::default() };
    assert_eq!(refusal(world.run(Command::DriverEdit(both))).field.as_deref(), Some("plate"));
}

#[test]
fn phones_are_edited_as_a_set_whatever_their_spelling() {
    let mut world = park_with_driver();
    let phones = SetEdit { add: vec!["89161234567".into(), "+7 900 000-00-00".into()], remove: vec!["111111".into()] };
    let args = DriverEdit { driver: id("v1"), park: id("p1"), fields: BTreeMap::new(), phones };
    assert_accepted(&world.run(Command::DriverEdit(args)));
    assert_eq!(world.driver().phones, ["+7 916 123-45-67", "+7 900 000-00-00"]);
    let phones = SetEdit { add: vec![], remove: vec!["8 916 123 45 67".into()] };
    let args = DriverEdit { driver: id("v1"), park: id("p1"), fields: BTreeMap::new(), phones };
    assert_accepted(&world.run(Command::DriverEdit(args)));
    assert_eq!(world.driver().phones, ["+7 900 000-00-00"]);
}

#[test]
fn fields_that_are_not_for_editing_and_wrong_types_are_refused() {
    let mut world = park_with_driver();
    let refused = refusal(world.run(edit("park_id", json!("p1"), json!("p2"))));
    assert_eq!(refused.field.as_deref(), Some("park_id"));
    let refused = refusal(world.run(edit("last_name", json!("Ёлкин"), json!({"a": 1}))));
    assert_eq!((refused.code, refused.field.as_deref()), (RefusalCode::Invalid, Some("last_name")));
    assert_eq!(refusal(world.run(edit("last_name", json!("Ёлкин"), json!("")))).code, RefusalCode::Invalid);
}

#[test]
fn unknown_fields_of_a_body_survive_an_edit() {
    let mut world = park_with_driver();
    let row = RowRef { scope: Scope::park(&id("p1"), Area::Fleet), kind: Kind::Driver, id: id("v1") };
    let mut body: serde_json::Value = serde_json::from_str(&world.rows[&row]).unwrap();
    body["rating"] = json!({"stars": 5});
    world.rows.insert(row.clone(), body.to_string());
    assert_accepted(&world.run(edit("comment", json!(null), json!("x"))));
    assert!(world.rows[&row].contains("\"rating\":{\"stars\":5}"));
}

#[test]
fn a_captured_photo_waits_for_its_bytes_whatever_the_device_says() {
    let mut world = park_with_driver();
    assert_accepted(&world.run(Command::PhotoCapture(Box::new(capture("f1", "v1")))));
    let photo = world.photo();
    assert_eq!(photo.status, PhotoStatus::New);
    assert!(photo.files().all(|(_, f)| !f.stored));
}

#[test]
fn the_last_file_brings_a_photo_into_moderation_and_onto_the_card() {
    let mut world = park_with_driver();
    world.run(Command::PhotoCapture(Box::new(capture("f1", "v1"))));
    for (n, status) in [(3, PhotoStatus::New), (2, PhotoStatus::New), (1, PhotoStatus::NeedsModeration)] {
        let stored = PhotoBytesStored { photo: id("f1"), park: id("p1"), blob: BlobId::of(&[n]) };
        assert_accepted(&world.run_as(hub(), Command::PhotoBytesStored(stored.clone())));
        assert_eq!(world.photo().status, status);
        assert_eq!(world.run_as(hub(), Command::PhotoBytesStored(stored)), Outcome::accepted(vec![]), "twice is once");
    }
    assert_eq!(world.photo().moderation_round, 1);
    let directory = Scope::park(&id("p1"), Area::Directory);
    let card: DriverCard = world.get(directory.clone(), &id("v1").projected(&directory.to_string()));
    assert_eq!(card.thumb, Some(BlobId::of(&[3])));
}

#[test]
fn a_photo_of_nobody_is_refused_but_a_card_is_enough_for_a_field_device() {
    let mut world = park_with_driver();
    let refused = refusal(world.run(Command::PhotoCapture(Box::new(capture("f1", "v7")))));
    assert_eq!(refused.code, RefusalCode::UnknownDriver);
    world.not_held = vec![Scope::park(&id("p1"), Area::Fleet)];
    assert_accepted(&world.run(Command::PhotoCapture(Box::new(capture("f1", "v1")))));
    let refused = refusal(world.run(Command::PhotoCapture(Box::new(capture("f2", "v7")))));
    assert_eq!(refused.code, RefusalCode::UnknownDriver);
}

#[test]
fn a_photo_moves_to_the_driver_it_shows() {
    let mut world = park_with_driver();
    world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Х001ХХ77"))));
    world.run(Command::PhotoCapture(Box::new(capture("f1", "v1"))));
    let assign = |was: &str, now: &str| {
        Command::PhotoAssign(PhotoAssign {
            photo: id("f1"),
            park: id("p1"),
            driver: Change { was: id(was), now: id(now) },
        })
    };
    assert_accepted(&world.run(assign("v1", "v2")));
    assert_eq!(world.photo().driver_id, id("v2"));
    assert_eq!(world.run(assign("v1", "v2")), Outcome::accepted(vec![]));
    let refused = refusal(world.run(assign("v3", "v1")));
    assert_eq!((refused.code, refused.conflicts.len()), (RefusalCode::Conflict, 1));
}

#[test]
fn a_card_shows_the_latest_photo_of_its_own_driver() {
    let mut world = park_with_driver();
    world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Х001ХХ77"))));
    let shown = |world: &World, driver: &str| {
        let directory = Scope::park(&id("p1"), Area::Directory);
        world.get::<DriverCard>(directory.clone(), &id(driver).projected(&directory.to_string())).photo_id
    };
    for (photo, at) in [("late", 9), ("early", 5)] {
        let mut args = capture(photo, "v1");
        args.captured_at_ms = Millis(at);
        world.run(Command::PhotoCapture(Box::new(args)));
        for n in [1, 2, 3] {
            let stored = PhotoBytesStored { photo: id(photo), park: id("p1"), blob: BlobId::of(&[n]) };
            assert_accepted(&world.run_as(hub(), Command::PhotoBytesStored(stored)));
        }
        assert_eq!(shown(&world, "v1"), Some(id("late")), "an older photo does not take its place");
    }
    let driver = Change { was: id("v1"), now: id("v2") };
    world.run(Command::PhotoAssign(PhotoAssign { photo: id("late"), park: id("p1"), driver }));
    assert_eq!(
        (shown(&world, "v1"), shown(&world, "v2")),
        (Some(id("early")), Some(id("late"))),
        "it moves from card to card"
    );
}

#[test]
fn a_parks_use_of_faces_changes_on_its_card_too() {
    let mut world = park_with_driver();
    let set = |park: &str| Command::ParkSetFaces(ParkSetFaces { park: id(park), faces: FacePolicy::Search });
    assert_eq!(refusal(world.run(set("p1"))).code, RefusalCode::NotAllowed);
    assert_eq!(refusal(world.run_as(hub(), set("p9"))).code, RefusalCode::UnknownPark);
    assert_accepted(&world.run_as(hub(), set("p1")));
    let directory = Scope::park(&id("p1"), Area::Directory);
    let card: ParkCard = world.get(directory.clone(), &id("p1").projected(&directory.to_string()));
    assert_eq!(card.settings.faces, FacePolicy::Search);
}

#[test]
fn an_edit_is_held_to_the_limits_of_a_new_profile() {
    let mut world = park_with_driver();
    for (field, now) in [
        ("comment", json!("x".repeat(2001))),
        ("middle_name", json!("a\u{7}")),
        ("birth_date", json!("31.12.1980")),
        ("hired_on", json!("2026-13-01")),
    ] {
        let refused = refusal(world.run(edit(field, json!(null), now)));
        assert_eq!((refused.code, refused.field.as_deref()), (RefusalCode::Invalid, Some(field)));
    }
    let phones = SetEdit { add: (0..10).map(|n| format!("+7 900 000-00-0{n}")).collect(), remove: vec![] };
    let args = DriverEdit { driver: id("v1"), park: id("p1"), fields: BTreeMap::new(), phones };
    assert_eq!(refusal(world.run(Command::DriverEdit(args))).field.as_deref(), Some("phones"));
}

#[test]
fn a_decision_needs_two_known_faces_and_can_be_undone_once() {
    let mut world = park_with_driver();
    world.run(Command::PhotoCapture(Box::new(capture("f1", "v1"))));
    world.run(Command::PhotoCapture(Box::new(capture("f2", "v1"))));
    let face = |photo: &str| FaceRef { photo: id(photo), face: FaceBox { x: 1, y: 2, w: 3, h: 4 } };
    let decide = |decision: &str, a: &str, b: &str, undoes: Option<&str>| {
        Command::MatchDecide(MatchDecide {
            decision: id(decision),
            park: id("p1"),
            a: face(a),
            b: face(b),
            verdict: MatchVerdict::Same,
            undoes: undoes.map(id),
        })
    };
    assert_eq!(refusal(world.run(decide("m0", "f1", "f9", None))).code, RefusalCode::UnknownPhoto);
    assert_eq!(refusal(world.run(decide("m0", "f1", "f1", None))).code, RefusalCode::Invalid);
    assert_accepted(&world.run(decide("m1", "f2", "f1", None)));
    let faces = Scope::park(&id("p1"), Area::Faces);
    let first: MatchDecision = world.get(faces.clone(), &id("m1"));
    assert_eq!(first.a.photo, id("f1"), "the lower face comes first");
    assert_accepted(&world.run(decide("m2", "f1", "f2", Some("m1"))));
    assert_accepted(&world.run(decide("m3", "f1", "f2", Some("m1"))));
    let first: MatchDecision = world.get(faces, &id("m1"));
    assert_eq!(first.undone_by, Some(id("m2")));
}

#[test]
fn a_device_is_enrolled_with_rights_and_scopes_and_revoked_once() {
    let mut world = park_with_driver();
    let device: DeviceId = "d7".parse().unwrap();
    let enrol = Command::DeviceEnrol(DeviceEnrol {
        device: device.clone(),
        name: "Фотоцентр".into(),
        role: Role::PhotoStaff,
        parks: vec![id("p1")],
        scopes: vec![Scope::park(&id("p1"), Area::Photos)],
        was: None,
    });
    assert_eq!(refusal(world.run(enrol.clone())).code, RefusalCode::NotAllowed, "only the hub enrols");
    assert_accepted(&world.run_as(hub(), enrol));
    let scope = Scope::Device(device.clone());
    let kinds: Vec<_> = world.rows.keys().filter(|r| r.scope == scope).map(|r| r.kind.clone()).collect();
    assert_eq!(kinds, [Kind::Device, Kind::Grant, Kind::Subscription]);
    for _ in 0..2 {
        assert_accepted(&world.run_as(hub(), Command::DeviceRevoke(DeviceRevoke { device: device.clone() })));
    }
    let row: Device = world.get(scope, &device.as_row_id());
    assert_eq!((row.revoked_at_ms, row.was), (Some(Millis(1000)), vec![]));
    for (new, was, story) in [("d8", "d7", vec!["d7"]), ("d9", "d8", vec!["d8", "d7"]), ("d6", "nobody", vec![])] {
        let device: DeviceId = new.parse().unwrap();
        assert_accepted(&world.run_as(
            hub(),
            Command::DeviceEnrol(DeviceEnrol {
                device: device.clone(),
                name: "Фотоцентр".into(),
                role: Role::PhotoStaff,
                parks: vec![id("p1")],
                scopes: vec![],
                was: Some(was.parse().unwrap()),
            }),
        ));
        let row: Device = world.get(Scope::Device(device.clone()), &device.as_row_id());
        assert_eq!(row.was.iter().map(DeviceId::as_str).collect::<Vec<_>>(), story);
    }
}

#[test]
fn what_comes_again_under_a_new_number_is_done_already_and_anything_else_under_its_name_is_refused() {
    let mut world = park_with_driver();
    let face = |photo: &str, x: i32| FaceRef { photo: id(photo), face: FaceBox { x, y: 2, w: 3, h: 4 } };
    let decide = |x: i32| {
        let (a, b) = (face("f1", x), face("f1", 9));
        let (park, decision, verdict) = (id("p1"), id("m1"), MatchVerdict::Same);
        Command::MatchDecide(MatchDecide { decision, park, a, b, verdict, undoes: None })
    };
    let create = |licence: &str| Command::DriverCreate(Box::new(new_driver("v1", licence, "А123ВС77")));
    let take = |at: i64| {
        let args = PhotoCapture { captured_at_ms: Millis(at), ..capture("f1", "v1") };
        Command::PhotoCapture(Box::new(args))
    };
    for (same, other) in [(create("77 АБ 123456"), create("77 АБ 9")), (take(5), take(6)), (decide(1), decide(2))] {
        world.run(same.clone());
        assert_eq!(world.run(same), Outcome::accepted(vec![]));
        assert_eq!(refusal(world.run(other)).code, RefusalCode::Exists);
    }
}

#[test]
fn mirrored_parks_are_read_only() {
    let mut world = park_with_driver();
    let directory = Scope::park(&id("p1"), Area::Directory);
    let row = RowRef { kind: Kind::ParkCard, id: id("p1").projected(&directory.to_string()), scope: directory };
    let mut card: ParkCard = serde_json::from_str(&world.rows[&row]).unwrap();
    card.read_only = true;
    world.rows.insert(row, crate::canonical::to_string(&card).unwrap());
    assert_eq!(refusal(world.run(edit("comment", json!(null), json!("x")))).code, RefusalCode::ParkReadOnly);
    assert_eq!(
        refusal(world.run(Command::PhotoCapture(Box::new(capture("f1", "v1"))))).code,
        RefusalCode::ParkReadOnly
    );
}

#[test]
fn plans_end_within_four_rounds() {
    let mut world = park_with_driver();
    for command in [
        Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Х001ХХ77"))),
        edit("last_name", json!("Ёлкин"), json!("Б")),
        edit("plate", json!("А123ВС77"), json!("К777КК77")),
        Command::PhotoCapture(Box::new(capture("f1", "v1"))),
    ] {
        world.run(command);
        assert!(world.rounds <= 4, "{} rounds", world.rounds);
    }
}

#[test]
fn a_fact_that_cannot_be_read_is_told_apart_from_one_that_is_not_there() {
    let mut world = park_with_driver();
    let row = RowRef { scope: Scope::park(&id("p1"), Area::Fleet), kind: Kind::Driver, id: id("v1") };
    let envelope = |driver: &str| {
        let command = Command::PhotoCapture(Box::new(capture("f1", driver)));
        Envelope::of_hub(CommandId::of_job("job", "1"), hub(), Millis(1), command)
    };
    assert_eq!(facts::run(&envelope("v1"), Millis(5), &mut world).unwrap().unknown, []);
    assert_eq!(facts::run(&envelope("v7"), Millis(5), &mut world).unwrap().unknown, [], "nobody is a fact, too");
    world.rows.insert(row.clone(), r#"{"written":"by a newer program"}"#.into());
    let planned = facts::run(&envelope("v1"), Millis(5), &mut world).unwrap();
    assert_eq!(planned.unknown, [Question::Row(row)]);
    assert_accepted(&planned.outcome);
}

/// The async store of the test: the same world behind a future.
struct Remote<'a>(&'a mut World);

impl facts::AsyncSource for Remote<'_> {
    type Error = Infallible;
    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Infallible> {
        self.0.load(questions)
    }
}

#[test]
fn both_executors_plan_alike() {
    let mut world = park_with_driver();
    for command in [
        Command::DriverCreate(Box::new(new_driver("v2", "77AБ123456", "B001BB77"))),
        edit("last_name", json!("Ёлкин"), json!("Б")),
        Command::PhotoCapture(Box::new(capture("f1", "v1"))),
    ] {
        let envelope = Envelope::of_hub(CommandId::of_job("job", "1"), hub(), Millis(1), command);
        let blocking = facts::run(&envelope, Millis(5), &mut world).unwrap();
        let mut remote = Remote(&mut world);
        let mut future = std::pin::pin!(facts::run_async(&envelope, Millis(5), &mut remote));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(planned) = future.as_mut().poll(&mut context) else {
            panic!("it waits for nothing")
        };
        assert_eq!(planned.unwrap(), blocking);
    }
}

/// Counts how often it was asked.
struct Counting<'a>(&'a mut World, usize);

impl facts::AsyncSource for Counting<'_> {
    type Error = Infallible;
    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Infallible> {
        self.1 += 1;
        self.0.load(questions)
    }
}

#[test]
fn what_many_plans_ask_is_loaded_in_a_few_rounds() {
    let mut world = park_with_driver();
    let envelopes: Vec<Envelope> = (0..50)
        .map(|n| {
            let command = Command::PhotoCapture(Box::new(capture(&format!("f{n}"), "v1")));
            Envelope::of_hub(CommandId::of_job("job", &n.to_string()), hub(), Millis(1), command)
        })
        .collect();
    let mut source = Counting(&mut world, 0);
    {
        let envelopes: Vec<&Envelope> = envelopes.iter().collect();
        let mut future = std::pin::pin!(facts::ask_ahead(&envelopes, Millis(5), &mut source));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_ready());
    }
    assert!((1..=facts::MAX_ROUNDS).contains(&source.1), "{} rounds for 50 plans", source.1);
}

#[test]
fn envelopes_keep_their_bytes() {
    let envelope = Envelope {
        seq: 7,
        id: CommandId::of_job("j", "s"),
        schema: SCHEMA,
        actor: Actor::Device("d1".parse().unwrap()),
        after: vec![5],
        recorded_at_ms: Millis(1_700_000_000_000),
        command: edit("comment", json!(null), json!("Ё")),
    };
    let bytes = envelope.to_bytes().unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r#"{"actor":"device/d1","after":[5],"args":{"driver":"v1","fields":{"comment":{"now":"Ё","was":null}},"park":"p1"},"id":"57ff721938e559b19b011ada3e8e5460","kind":"driver.edit","recorded_at_ms":1700000000000,"schema":1,"seq":7}"#);
    let again = Envelope::from_bytes(&bytes).unwrap();
    assert_eq!(again, envelope);
    assert_eq!(again.to_bytes().unwrap(), bytes);
    let head: EnvelopeHead = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((head.seq, head.kind.as_str()), (7, "driver.edit"));
}

#[test]
fn commands_that_could_clash_share_a_guard() {
    let one = guards(&Command::DriverCreate(Box::new(new_driver("v1", "77 АБ 1", "A1"))));
    let two = guards(&Command::DriverCreate(Box::new(new_driver("v2", "77аб1", "B2"))));
    assert_eq!(one.intersection(&two).collect::<Vec<_>>(), ["licence/p1/77аб1"]);
    let taken = capture("f1", "v1");
    let blob = taken.thumb.id.clone();
    let stored = PhotoBytesStored { photo: id("f1"), park: id("p1"), blob: blob.clone() };
    let taken = guards(&Command::PhotoCapture(Box::new(taken)));
    assert!(taken.contains(&blob_guard(&id("p1"), &blob)));
    assert!(guards(&Command::PhotoBytesStored(stored)).is_subset(&taken), "bytes and whoever waits for them");
    let edited = guards(&edit("plate", json!(null), json!("B 2")));
    assert_eq!(edited.intersection(&two).count(), 1, "two cars with one plate cannot come to be");
}
