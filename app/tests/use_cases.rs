//! What becomes of pictures, drivers and decisions on an appliance.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may stop where something is wrong")]

mod support;

use parkdesk_app::Error;
use parkdesk_app::attention::Decision;
use parkdesk_app::capture::{AssignedBy, TakeError, Taken, TrayReason};
use parkdesk_app::drivers::{DriverHitView, EditDriver, FindDrivers, NewDriver};
use parkdesk_app::history::HistoryKind;
use parkdesk_app::matching::Likeness;
use parkdesk_app::photos::RecordState;
use parkdesk_app::subject::SubjectKind;
use parkdesk_app::tray::{NoOffers, TrayView};
use parkdesk_domain::body::{FaceBox, FacePolicy, FaceRef, FileClass, MatchVerdict};
use parkdesk_domain::command::Change;
use parkdesk_domain::{BlobId, RefusalCode, RowId};
use parkdesk_sqlite::Priority;

use support::World;
use support::hub::id;

#[test]
fn a_named_drivers_picture_becomes_a_photo_with_files_and_findings() {
    let world = World::new(FacePolicy::Verify);
    for (picture, hint) in [("turned a", "ivan"), ("turned b", "9912 345678"), ("turned c", "8 916 1111111")] {
        let photo = world.captured(picture, hint);
        let view = world.app.get_photo(&photo).unwrap();
        assert_eq!(view.driver, id("ivan"));
        assert_eq!(view.driver_name.as_deref(), Some("Иванов Иван"));
        assert_eq!(view.file_name.as_deref(), Some(format!("{picture}.jpg").as_str()));
        assert_eq!(view.assigned_by, Some(AssignedBy::FileName));
        assert_eq!(view.state, RecordState::Saved);
        let size = view.portrait_size.unwrap();
        assert_eq!((size.width, size.height), (240, 320));
        let finding = &view.findings[0];
        assert_eq!(
            (finding.code.as_str(), finding.level.as_str(), finding.figure_milli),
            ("turned_head", "fail", Some(360))
        );
        assert!(!finding.advice_ru.is_empty() && !finding.advice_en.is_empty());
        assert_eq!(view.faces[0].points.len(), 5);
        assert_eq!(view.files.len(), 3);
        for file in &view.files {
            assert!(file.local && !file.stored);
            assert_eq!(file.sha256, BlobId::of(&world.app.read_photo_file(&photo, file.class).unwrap()));
        }
    }
    assert_eq!(world.app.status().unwrap().photos.pending, 3);
}

#[test]
fn a_failed_check_travels_as_a_code_with_staffs_reason() {
    let world = World::new(FacePolicy::Verify);
    let mut file = world.file("turned a", Some("ivan"));
    file.override_reason = Some("neck injury".into());
    let Taken::Captured { photo, .. } = world.app.take_file(file).unwrap() else { panic!("captured") };
    let row = world.replica.read(|tx| tx.photo(&photo)).unwrap().unwrap().photo;
    assert_eq!(row.codes, ["turned_head!"]);
    assert_eq!(row.override_reason.as_deref(), Some("neck injury"));
    let blurred = world.captured("blurred b", "ivan");
    let row = world.replica.read(|tx| tx.photo(&blurred)).unwrap().unwrap().photo;
    assert_eq!(row.codes, ["blurred"]);
}

#[test]
fn a_picture_without_a_face_waits_in_the_tray_even_with_a_driver() {
    let world = World::new(FacePolicy::Verify);
    let taken = world.take("noface a", Some("ivan"));
    assert!(matches!(taken, Taken::Tray { reason: TrayReason::NoFace, .. }), "{taken:?}");
    let tray = world.app.list_tray().unwrap();
    assert_eq!(tray[0].findings[0].code, "no_face");
    assert_eq!(world.app.offers(&tray[0].id).unwrap().none_because, Some(NoOffers::SearchIsOff));
    assert_eq!(world.app.read_tray_file(&tray[0].id, FileClass::Original).unwrap(), b"original of noface a");
}

#[test]
fn an_unknown_or_missing_hint_waits_in_the_tray_with_its_reason() {
    let world = World::new(FacePolicy::Verify);
    let taken = world.take("face 0.0", Some("nobody"));
    assert!(matches!(taken, Taken::Tray { reason: TrayReason::UnknownDriver, .. }), "{taken:?}");
    let taken = world.take("face 0.1", None);
    assert!(matches!(taken, Taken::Tray { reason: TrayReason::NoHint, .. }), "{taken:?}");
    assert!(world.app.list_tray().unwrap().iter().all(|entry| !entry.reason_text.is_empty()));
}

#[test]
fn two_faces_are_kept_with_their_code() {
    let world = World::new(FacePolicy::Verify);
    let photo = world.captured("two a", "ivan");
    let view = world.app.get_photo(&photo).unwrap();
    assert_eq!(view.findings[0].code, "many_faces");
    assert_eq!(view.faces.len(), 2);
}

#[test]
fn the_same_file_is_taken_once() {
    let world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    assert_eq!(world.take("face 0.0", Some("petr")), Taken::Duplicate { of: photo });
    let entry = world.waiting("face 0.2");
    assert_eq!(world.take("face 0.2", Some("ivan")), Taken::Duplicate { of: entry });
    assert_eq!(world.app.list_photos(None, 10).unwrap().len(), 1);
}

#[test]
fn what_is_not_taken_says_why_and_leaves_nothing() {
    let world = World::new(FacePolicy::Verify);
    let fail = |picture: &str| world.app.take_file(world.file(picture, Some("ivan"))).unwrap_err();
    assert!(matches!(fail("truncated"), TakeError::Rejected(_)));
    assert!(matches!(fail("poison"), TakeError::Quarantined));
    assert!(matches!(fail("busy"), TakeError::Busy));
    let later = fail("gone");
    assert!(matches!(&later, TakeError::Later(text) if text.contains("stays where it is")), "{later}");
    assert_eq!(world.objects().len(), 0);
    assert!(world.app.list_photos(None, 10).unwrap().is_empty() && world.app.list_tray().unwrap().is_empty());
}

#[test]
fn a_full_disk_is_later_and_a_crash_between_files_and_rows_leaves_one_photo() {
    let world = World::new(FacePolicy::Verify);
    world.replica.set_max_pages(1).unwrap();
    let error = loop {
        // Free pages of the file may still take a photo or two.
        match world.app.take_file(world.file(&format!("face 0.{}", world.objects().len()), Some("ivan"))) {
            Ok(_) => assert!(world.objects().len() < 300, "the quota never took effect"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, TakeError::Later(text) if text.contains("disk is full")), "{error}");
    let photos = world.app.list_photos(None, 200).unwrap().len();
    assert_eq!(world.objects().len(), 3 * photos + 3, "files were sealed before the rows failed, as in a crash");
    world.replica.set_max_pages(1_000_000).unwrap();
    let world = world.restart();
    assert_eq!(world.objects().len(), 3 * photos, "files that no row names are swept");
    let picture = format!("face 0.{}", 3 * photos);
    let photo = world.captured(&picture, "ivan");
    assert_eq!(world.take(&picture, Some("ivan")), Taken::Duplicate { of: photo });
    assert_eq!(world.app.list_photos(None, 200).unwrap().len(), photos + 1);
}

#[test]
fn an_earlier_photo_of_the_driver_is_judged_in_words() {
    let world = World::new(FacePolicy::Verify);
    let first = world.captured("face 0.0", "ivan");
    let same = world.captured("face 0.2", "ivan");
    let other = world.captured("face 1.5", "ivan");
    assert_eq!(world.app.get_photo(&first).unwrap().nearest, None);
    let world = world.restart();
    let nearest = world.app.get_photo(&same).unwrap().nearest.unwrap();
    assert_eq!((nearest.photo, nearest.likely.verdict), (first, Likeness::Same));
    assert_eq!(nearest.file_name.as_deref(), Some("face 0.0.jpg"));
    assert!(nearest.likely.text.contains("at most 1 in"), "{}", nearest.likely.text);
    let nearest = world.app.get_photo(&other).unwrap().nearest.unwrap();
    assert_eq!((nearest.photo, nearest.likely.verdict), (same, Likeness::Different));
}

#[test]
fn offers_rank_the_right_driver_first_and_the_choice_becomes_a_photo() {
    let world = World::new(FacePolicy::Search);
    world.captured("face 1.5", "petr");
    world.captured("face 0.0", "ivan");
    let entry = world.waiting("face 0.1");
    let offers = world.app.offers(&entry).unwrap();
    let order: Vec<_> = offers.offers.iter().map(|offer| offer.driver.as_str()).collect();
    assert_eq!(order, ["ivan"], "who looks different is not offered");
    assert_eq!(offers.offers[0].likely.verdict, Likeness::Same);
    let Taken::Captured { photo, assigned_by, .. } =
        world.app.assign_unassigned(&entry, None, "99 12 345678", None).unwrap()
    else {
        panic!("captured")
    };
    assert_eq!(assigned_by, AssignedBy::Person);
    assert!(world.app.list_tray().unwrap().is_empty());
    let world = world.restart();
    let view = world.app.get_photo(&photo).unwrap();
    assert_eq!(view.nearest.unwrap().likely.verdict, Likeness::Same, "its template came along");
    for file in view.files {
        assert_eq!(file.sha256, BlobId::of(&world.app.read_photo_file(&photo, file.class).unwrap()));
    }
    assert_eq!(world.take("face 0.1", None), Taken::Duplicate { of: photo });
}

#[test]
fn an_assignment_taken_back_brings_the_picture_to_the_tray_again_as_it_was() {
    let world = World::new(FacePolicy::Search);
    world.captured("face 0.0", "ivan");
    let entry = world.waiting("face 0.1");
    let before = world.app.list_tray().unwrap().remove(0);
    let original = world.app.read_tray_file(&entry, FileClass::Original).unwrap();
    let assigned = |entry: &RowId, driver: &str| match world.app.assign_unassigned(entry, None, driver, None).unwrap() {
        Taken::Captured { photo, .. } => photo,
        other => panic!("{other:?}"),
    };
    let wrong = assigned(&entry, "petr");
    let Taken::Tray { entry: again, reason } = world.app.return_to_tray(&wrong).unwrap() else { panic!("in the tray") };
    assert_eq!(reason, before.reason);
    let tray = world.app.list_tray().unwrap();
    assert_eq!(tray, [TrayView { id: again.clone(), ..before }], "the same picture under a new entry");
    assert!(world.app.list_photos(Some(&id("petr")), 9).unwrap().iter().all(|photo| photo.status == "withdrawn"));
    assert_eq!(world.app.offers(&again).unwrap().offers[0].driver, id("ivan"), "its template came back, too");
    assert!(matches!(world.app.return_to_tray(&wrong), Err(Error::NotFound("photo"))), "once");
    assert_eq!(world.app.list_tray().unwrap().len(), 1);

    let world = world.restart();
    assert_eq!(world.app.read_tray_file(&again, FileClass::Original).unwrap(), original);
    let Taken::Captured { photo: right, .. } = world.app.assign_unassigned(&again, None, "ivan", None).unwrap() else {
        panic!("captured")
    };
    assert_ne!(right, wrong);
    assert_eq!(world.app.read_photo_file(&right, FileClass::Original).unwrap(), original);
    assert!(world.app.list_tray().unwrap().is_empty());
}

#[test]
fn only_what_came_from_the_tray_goes_back_there() {
    let world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    let objects = world.objects();
    assert!(matches!(world.app.return_to_tray(&photo), Err(Error::NotFound("picture"))));
    assert!(matches!(world.app.return_to_tray(&id("nothing")), Err(Error::NotFound("photo"))));
    assert_eq!(world.app.get_photo(&photo).unwrap().status, "new");
    assert_eq!(world.objects(), objects);
}

#[test]
fn a_refused_choice_leaves_the_picture_in_the_tray() {
    let world = World::new(FacePolicy::Search);
    let entry = world.waiting("face 0.1");
    let error = world.app.assign_unassigned(&entry, None, "nobody", None).unwrap_err();
    assert!(matches!(&error, Error::NotFound("driver")), "{error}");
    assert_eq!(world.app.list_tray().unwrap().len(), 1);
    assert!(world.app.read_tray_file(&entry, FileClass::Original).is_ok());
}

#[test]
fn without_the_parks_leave_there_are_no_offers_and_no_templates() {
    let world = World::new(FacePolicy::Verify);
    world.captured("face 0.0", "ivan");
    let entry = world.waiting("face 0.1");
    assert_eq!(world.app.offers(&entry).unwrap().none_because, Some(NoOffers::SearchIsOff));
    assert_eq!(world.replica.templates("model", "aligner").unwrap().len(), 1);

    let world = World::new(FacePolicy::Off);
    world.captured("face 0.0", "ivan");
    let second = world.captured("face 0.1", "ivan");
    assert!(world.replica.templates("model", "aligner").unwrap().is_empty());
    assert_eq!(world.app.get_photo(&second).unwrap().nearest, None);
    let entry = world.waiting("face 0.2");
    let kept = world.replica.read(|tx| tx.unassigned_entry(&entry)).unwrap().unwrap().entry.analysis;
    assert!(kept.contains("\"template\":null"), "{kept}");
}

#[test]
fn a_discarded_picture_cannot_be_read_again_and_may_be_taken_again() {
    let world = World::new(FacePolicy::Verify);
    let entry = world.waiting("face 0.1");
    assert_eq!(world.objects().len(), 3);
    world.app.discard_unassigned(&entry).unwrap();
    assert_eq!(world.objects().len(), 0);
    assert!(matches!(world.app.read_tray_file(&entry, FileClass::Thumb), Err(Error::NotFound(_))));
    assert!(matches!(world.app.discard_unassigned(&entry), Err(Error::NotFound(_))));
    world.captured("face 0.1", "ivan");
}

fn found(world: &World, text: &str) -> Vec<DriverHitView> {
    let find = FindDrivers { text: text.into(), limit: 10, ..FindDrivers::default() };
    world.app.find_drivers(find).unwrap().rows
}

#[test]
fn all_drivers_come_in_pages_by_name_without_gaps() {
    let world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "petr");
    for n in 0..5 {
        let new = NewDriver {
            park: id("p1"),
            last_name: format!("Абрамов{n}"),
            first_name: "А".into(),
            middle_name: None,
            phones: vec![],
            licence_number: None,
            plate: Some(format!("А00{n}АА77")),
        };
        world.app.create_driver(new).unwrap();
    }
    for text in ["", "а"] {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let first = after.is_none();
            let find = FindDrivers { text: text.into(), park: Some(id("p1")), after, limit: 3 };
            let page = world.app.find_drivers(find).unwrap();
            assert_eq!(page.total, (first && text.is_empty()).then_some(7), "told once, and not of a search");
            assert!(page.rows.len() <= 3);
            names.extend(page.rows.iter().map(|row| row.name.clone()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(names, sorted, "{text:?}");
        assert_eq!(names.len(), if text.is_empty() { 7 } else { 5 });
    }
    let petr = &found(&world, "петров")[0];
    assert_eq!((petr.photo.as_ref(), petr.licence_number.as_deref()), (Some(&photo), Some("99 12 999999")));
    assert_eq!(petr.phone.as_deref(), Some("+7 916 222-22-22"));
    assert!(found(&world, "иванов")[0].photo.is_none());
    let bad = FindDrivers { after: Some("zz".into()), limit: 3, ..FindDrivers::default() };
    assert!(matches!(world.app.find_drivers(bad), Err(Error::BadInput { field: "after", .. })));
    let nobody = FindDrivers { park: Some(id("p9")), limit: 3, ..FindDrivers::default() };
    assert!(world.app.find_drivers(nobody).unwrap().rows.is_empty());
}

#[test]
fn a_drivers_history_tells_edits_with_both_values_photos_and_decisions() {
    let world = World::new(FacePolicy::Verify);
    let first = world.captured("face 0.0", "ivan");
    let second = world.captured("face 0.05", "ivan");
    let stranger = world.captured("face 2.0", "petr");
    let edit = EditDriver {
        fields: [
            ("comment".to_owned(), Change { was: serde_json::Value::Null, now: "опытный".into() }),
            ("plate".to_owned(), Change { was: serde_json::Value::Null, now: "М001ММ77".into() }),
        ]
        .into(),
        add_phones: vec!["+7 916 000-00-00".into()],
        ..EditDriver::default()
    };
    let driver = world.app.edit_driver(&id("p1"), &id("ivan"), edit).unwrap();
    assert_eq!(driver.plate.as_deref(), Some("М001ММ77"));
    let face = |photo| FaceRef { photo, face: FaceBox { x: 10, y: 10, w: 90, h: 90 } };
    let decision = world
        .app
        .decide_match(&id("p1"), (face(first.clone()), face(second.clone())), MatchVerdict::Same, None)
        .unwrap();
    world.app.decide_match(&id("p1"), (face(stranger), face(second.clone())), MatchVerdict::Different, None).unwrap();

    let history = world.app.driver_history(&id("p1"), &id("ivan")).unwrap();
    let of = |kind| history.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>();
    let edited = of(HistoryKind::Edited);
    let fields: Vec<_> = edited[0].fields.iter().map(|f| (f.field.as_str(), f.was.clone(), f.now.clone())).collect();
    let now = |text: &str| Some(text.to_owned());
    let expected = [
        ("comment", None, now("опытный")),
        ("plate", None, now("М001ММ77")),
        ("phones", None, now("+7 916 000-00-00")),
    ];
    assert_eq!(fields, expected);
    assert_eq!(edited[0].state, RecordState::Saved);
    assert_eq!(of(HistoryKind::PhotoCaptured).len(), 2);
    assert_eq!(of(HistoryKind::MatchDecided).len(), 2, "one of own photos, one with a stranger's: {history:?}");
    assert!(history.windows(2).all(|pair| pair[0].at_ms >= pair[1].at_ms), "the newest first");

    let matches = world.app.driver_matches(&id("p1"), &id("ivan")).unwrap();
    assert_eq!(matches.len(), 1);
    assert_eq!((&matches[0].a.photo, &matches[0].b.photo), (&second, &first));
    assert_eq!(matches[0].likely.as_ref().unwrap().verdict, Likeness::Same);
    assert_eq!(matches[0].decision.as_ref().unwrap().id, decision);
    assert!(matches!(world.app.driver_history(&id("p1"), &id("nobody")), Err(Error::NotFound(_))));
    assert!(matches!(world.app.driver_matches(&id("p1"), &id("nobody")), Err(Error::NotFound(_))));
}

#[test]
fn matches_name_other_drivers_who_look_the_same_only_where_search_is_allowed() {
    for (policy, others) in [(FacePolicy::Search, 1), (FacePolicy::Verify, 0)] {
        let world = World::new(policy);
        world.captured("face 0.0", "petr");
        world.captured("face 0.01", "ivan");
        let matches = world.app.driver_matches(&id("p1"), &id("ivan")).unwrap();
        assert_eq!(matches.len(), others, "{policy:?}");
        if let Some(found) = matches.first() {
            assert_eq!(found.other_driver.as_ref().unwrap().id, id("petr"));
        }
    }
    let world = World::new(FacePolicy::Off);
    world.captured("face 0.0", "ivan");
    world.captured("face 0.01", "ivan");
    let matches = world.app.driver_matches(&id("p1"), &id("ivan")).unwrap();
    assert_eq!((matches.len(), &matches[0].likely), (1, &None), "shown for a person to look, not compared");
}

#[test]
fn a_driver_in_full_tells_licence_photo_and_what_waits_for_a_person() {
    let mut world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    let driver = world.app.get_driver(&id("p1"), &id("ivan")).unwrap();
    assert_eq!(driver.licence.as_ref().unwrap().number, "99 12 345678");
    assert_eq!((driver.photo.as_ref(), driver.read_only, driver.attention.len()), (Some(&photo), false, 0));
    // Somebody else changes the comment first.
    let set = |now: &str| EditDriver {
        fields: [("comment".to_owned(), Change { was: serde_json::Value::Null, now: now.into() })].into(),
        ..EditDriver::default()
    };
    world.app.edit_driver(&id("p1"), &id("ivan"), set("наш")).unwrap();
    world.hub.own(77, support::hub::edit("ivan", "comment", serde_json::Value::Null, "их".into()));
    let judged = support::hub::push(&world.replica, &mut world.hub);
    support::hub::take(&world.replica, &judged);
    support::hub::pull_all(&world.replica, &world.hub);
    let driver = world.app.get_driver(&id("p1"), &id("ivan")).unwrap();
    let entry = &driver.attention[0];
    let conflict = &entry.conflicts[0];
    assert_eq!((conflict.field.as_str(), &conflict.wanted, &conflict.stands), ("comment", &"наш".into(), &"их".into()));
    let subject = entry.subject.as_ref().unwrap();
    assert_eq!(
        (subject.kind, subject.id.clone(), subject.name.as_deref()),
        (SubjectKind::Driver, id("ivan"), Some("Иванов Иван"))
    );
    assert!(!entry.reason_ru.is_empty() && entry.reason_en == entry.reason_text);
    assert!(world.app.get_driver(&id("p1"), &id("petr")).unwrap().attention.is_empty(), "not about another driver");
}

#[test]
fn drivers_are_found_added_and_changed() {
    let world = World::new(FacePolicy::Verify);
    assert_eq!(found(&world, "иванов")[0].id, id("ivan"));
    let new = NewDriver {
        park: id("p1"),
        last_name: "Сидоров".into(),
        first_name: "Сидор".into(),
        middle_name: None,
        phones: vec!["+7 916 333-33-33".into()],
        licence_number: Some("99 12 345678".into()),
        plate: Some("А 123 ВС 77".into()),
    };
    let error = world.app.create_driver(new.clone()).unwrap_err();
    assert!(matches!(&error, Error::Refused(refusal) if refusal.code == RefusalCode::LicenceTaken), "{error}");
    let driver = world.app.create_driver(NewDriver { licence_number: None, ..new }).unwrap();
    assert_eq!((driver.name.as_str(), driver.state), ("Сидоров Сидор", RecordState::Saved));
    let change = Change { was: "Сидор".into(), now: "Исидор".into() };
    let edit = EditDriver { fields: [("first_name".to_owned(), change)].into(), ..Default::default() };
    let driver = world.app.edit_driver(&id("p1"), &driver.id, edit).unwrap();
    assert_eq!(driver.first_name.as_deref(), Some("Исидор"));
    assert_eq!(found(&world, "a123bc")[0].id, driver.id);
}

#[test]
fn a_decision_about_faces_is_saved_and_can_be_undone() {
    let world = World::new(FacePolicy::Verify);
    let [a, b] = ["face 0.0", "face 0.1"].map(|picture| FaceRef {
        photo: world.captured(picture, "ivan"),
        face: FaceBox { x: 10, y: 10, w: 90, h: 90 },
    });
    let decide = |verdict, undoes| world.app.decide_match(&id("p1"), (a.clone(), b.clone()), verdict, undoes);
    let first = decide(MatchVerdict::Same, None).unwrap();
    decide(MatchVerdict::Different, Some(first)).unwrap();
    assert_eq!(world.app.status().unwrap().queue.commands, 4);
}

#[test]
fn a_command_that_the_hub_refuses_waits_for_a_person_and_can_be_let_go() {
    let mut world = World::new(FacePolicy::Verify);
    let photo = world.captured("face 0.0", "ivan");
    // Meanwhile the hub learns of another photo with this id: the capture is refused there.
    let pending = world.replica.read(|tx| tx.pending(10)).unwrap();
    let mut row = world.replica.read(|tx| tx.photo(&photo)).unwrap().unwrap().photo;
    row.captured_at_ms = parkdesk_domain::Millis(1);
    let at = parkdesk_domain::row::RowRef {
        scope: support::hub::photos(),
        kind: parkdesk_domain::Kind::Photo,
        id: photo.clone(),
    };
    world.hub.write(&[parkdesk_domain::row::Write::put(at, &row).unwrap()]);
    let judged = world.hub.judge(&pending[0].bytes);
    world.replica.write(Priority::Sync, |tx| tx.apply_verdicts(&[judged], parkdesk_domain::Millis(5))).unwrap();
    let list = world.app.list_attention().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].command.as_deref(), list[0].reason.as_deref()), (Some("photo.capture"), Some("exists")));
    assert!(list[0].offers.iter().any(|offer| offer == "discard"));
    world.app.settle(&list[0].id, Decision::Discard).unwrap();
    assert!(world.app.list_attention().unwrap().is_empty());
    assert!(matches!(world.app.settle(&list[0].id, Decision::Discard), Err(Error::NotFound(_))));
    let again = world.captured("face 0.0", "ivan");
    assert_ne!(again, photo, "what was let go is taken anew");
    assert_eq!(world.take("face 0.0", Some("ivan")), Taken::Duplicate { of: again });
}

#[test]
fn a_photo_of_somebody_else_is_told_when_it_is_taken() {
    let world = World::new(FacePolicy::Verify);
    let first = world.captured("face 0.0", "ivan");
    let Taken::Captured { nearest, findings, .. } = world.take("face 2.0", Some("ivan")) else { panic!("captured") };
    let nearest = nearest.unwrap();
    assert_eq!((nearest.photo, nearest.likely.verdict), (first, Likeness::Different));
    assert_eq!(nearest.likely.text, "different person");
    assert!(findings.is_empty());
    let Taken::Captured { findings, .. } = world.take("blurred b", Some("petr")) else { panic!("captured") };
    assert_eq!(findings[0].code, "blurred");
}

#[test]
fn a_face_program_that_does_not_run_is_told_until_it_does() {
    let world = World::new(FacePolicy::Verify);
    assert!(world.app.take_file(world.file("gone a", Some("ivan"))).is_err());
    assert_eq!(world.app.status().unwrap().faces.problem.as_deref(), Some("not installed"));
    assert!(world.app.take_file(world.file("busy a", Some("ivan"))).is_err());
    assert!(world.app.status().unwrap().faces.problem.is_some(), "a full queue proves nothing");
    world.captured("face 0.0", "ivan");
    assert_eq!(world.app.status().unwrap().faces.problem, None);
}

#[test]
fn a_photo_taken_back_is_history_and_its_file_may_be_taken_again() {
    let world = World::new(FacePolicy::Search);
    let first = world.captured("face 0.0", "ivan");
    let second = world.captured("face 0.1", "ivan");
    world.app.withdraw_photo(&second).unwrap();
    assert_eq!(world.app.list_photos(Some(&id("ivan")), 10).unwrap().len(), 1);
    assert_eq!(found(&world, "иванов")[0].photo.as_ref(), Some(&first));
    assert!(world.app.driver_matches(&id("p1"), &id("ivan")).unwrap().is_empty(), "nothing to compare any more");
    let history = world.app.driver_history(&id("p1"), &id("ivan")).unwrap();
    assert!(history.iter().any(|e| e.kind == HistoryKind::Withdrawn && e.photo.as_ref() == Some(&second)));
    let again = world.captured("face 0.1", "petr");
    assert_ne!(again, second, "the same file, said to be another driver's");
    let nearest = world.app.get_photo(&again).unwrap().nearest;
    assert_eq!(nearest, None);
    assert!(matches!(world.app.withdraw_photo(&id("zz")), Err(Error::NotFound(_))));
}
