//! Live frames and shots, and what is tended in the background: templates of photos from elsewhere, pictures kept aside.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test may stop where something is wrong")]

mod support;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use parkdesk_app::Error;
use parkdesk_app::capture::{AssignedBy, LiveLevel, NewShot, SaveShot, ShotError, ShotView, Source, TakeError, Taken};
use parkdesk_app::matching::Likeness;
use parkdesk_app::photos::CropView;
use parkdesk_domain::body::{FacePolicy, FileClass};
use parkdesk_domain::{Millis, RowId};
use parkdesk_vision::picture::{Rgb, encode_jpeg};

use support::World;
use support::hub::{id, pull_all};

fn new_shot(picture: &str, driver: Option<&str>) -> NewShot {
    NewShot {
        bytes: picture.as_bytes().to_vec(),
        name: "камера".into(),
        source: Source::Camera,
        taken_at_ms: Millis(5000),
        park: None,
        driver: driver.map(id),
    }
}

fn shot(world: &World, picture: &str, driver: Option<&str>) -> ShotView {
    world.app.make_shot(new_shot(picture, driver)).unwrap()
}

fn save(world: &World, shot: &RowId, driver: &str, reason: Option<&str>) -> Result<Taken, ShotError> {
    let reason = reason.map(str::to_owned);
    world.app.save_shot(shot, SaveShot { park: None, driver: driver.into(), reason })
}

fn frame(width: u32) -> Vec<u8> {
    let height = width * 3 / 4;
    encode_jpeg(&Rgb::new(width, height, vec![90; (width * height * 3) as usize]).unwrap(), 80)
}

#[test]
fn a_live_frame_is_answered_with_shares_and_one_line_in_both_languages() {
    let world = World::new(FacePolicy::Verify);
    let ready = world.app.look_live(frame(640)).unwrap();
    let face = ready.face.unwrap();
    assert_eq!((face.x, face.y, face.w, face.h), (0.1, 0.1, 0.5, 0.5));
    assert_eq!((ready.level, ready.advice, ready.readiness), (LiveLevel::Ok, None, 90));
    assert!(!ready.advice_ru.is_empty() && ready.advice_en.is_ascii());
    let steady = world.app.look_live(frame(600)).unwrap();
    assert_eq!(steady.level, LiveLevel::Ok, "one other frame changes nothing");
    world.later(10_000);
    let dark = world.app.look_live(frame(600)).unwrap();
    assert_eq!((dark.level, dark.advice.as_deref()), (LiveLevel::Warn, Some("too_dark")));
    assert_eq!(dark.advice_en, "Turn towards the light");
    assert!(matches!(world.app.look_live(frame(500)), Err(ShotError::Superseded)));
    for bad in [frame(1400), vec![0xff; 1_000_001]] {
        assert!(matches!(world.app.look_live(bad), Err(ShotError::Use(Error::BadInput { field: "frame", .. }))));
    }
    let no_picture = world.app.look_live(b"hello".to_vec());
    assert!(matches!(no_picture, Err(ShotError::Take(TakeError::Rejected(_)))));
}

#[test]
fn a_shot_is_shown_judged_and_saved_like_a_file() {
    let world = World::new(FacePolicy::Verify);
    let earlier = world.captured("face 0.0", "ivan");
    let view = shot(&world, "face 0.1", Some("ivan"));
    assert_eq!((view.width, view.height, view.faces.len()), (300, 400, 1));
    let nearest = view.nearest.as_ref().unwrap();
    assert_eq!((&nearest.photo, nearest.likely.verdict), (&earlier, Likeness::Same));
    assert!(view.other_driver.is_none() && view.duplicate_of.is_none());
    for (class, bytes) in [(FileClass::Original, "original of face 0.1"), (FileClass::Portrait, "portrait of face 0.1")]
    {
        assert_eq!(world.app.read_shot_file(&view.id, class).unwrap(), bytes.as_bytes());
    }
    assert_eq!(world.app.list_photos(None, 10).unwrap().len(), 1, "nothing is saved yet");

    let Taken::Captured { photo, assigned_by, .. } = save(&world, &view.id, "ivan", None).unwrap() else { panic!() };
    assert_eq!(assigned_by, AssignedBy::Person);
    let saved = world.app.get_photo(&photo).unwrap();
    assert_eq!((saved.source.as_str(), saved.captured_at_ms), ("camera", Millis(5000)));
    assert_eq!(save(&world, &view.id, "ivan", None).unwrap(), Taken::Duplicate { of: photo.clone() }, "asked again");
    assert_eq!(shot(&world, "face 0.1", None).duplicate_of, Some(photo));
}

#[test]
fn a_shot_that_is_not_saved_leaves_nothing_behind() {
    let world = World::new(FacePolicy::Search);
    let view = shot(&world, "face 0.0", Some("ivan"));
    assert_eq!(world.objects().len(), 0, "in memory alone");
    world.app.drop_shot(&view.id).unwrap();
    assert!(matches!(world.app.read_shot_file(&view.id, FileClass::Thumb), Err(ShotError::Expired)));
    assert!(matches!(world.app.drop_shot(&view.id), Err(ShotError::Expired)));
    assert!(matches!(world.app.get_shot(&id("zz"), None), Err(ShotError::Use(Error::NotFound("shot")))));
    let world = world.restart();
    assert_eq!(world.objects().len(), 0);
    assert!(world.app.list_tray().unwrap().is_empty() && world.app.list_photos(None, 10).unwrap().is_empty());
}

#[test]
fn shots_expire_after_a_quarter_of_an_hour_and_only_eight_are_kept() {
    let world = World::new(FacePolicy::Verify);
    let first = shot(&world, "face 0.0", None);
    world.later(15 * 60 * 1000 - 1);
    assert!(world.app.get_shot(&first.id, None).is_ok());
    world.later(1);
    assert!(matches!(save(&world, &first.id, "ivan", None), Err(ShotError::Expired)));
    let shots: Vec<ShotView> = (1..10).map(|n| shot(&world, &format!("face 0.{n}"), None)).collect();
    assert!(matches!(world.app.get_shot(&shots[0].id, None), Err(ShotError::Expired)), "it made room");
    assert!(shots[1..].iter().all(|shot| world.app.get_shot(&shot.id, None).is_ok()));
}

#[test]
fn a_failed_check_needs_a_reason() {
    let world = World::new(FacePolicy::Verify);
    let view = shot(&world, "turned a", Some("ivan"));
    assert_eq!(view.findings[0].level, "fail");
    for reason in [None, Some("  "), Some("x".repeat(501).as_str())] {
        let refused = save(&world, &view.id, "ivan", reason);
        assert!(matches!(refused, Err(ShotError::Use(Error::BadInput { field: "reason", .. }))), "{reason:?}");
    }
    let Taken::Captured { photo, .. } = save(&world, &view.id, "ivan", Some(" повязка ")).unwrap() else {
        panic!()
    };
    assert_eq!(world.app.get_photo(&photo).unwrap().override_reason.as_deref(), Some("повязка"));
    let faceless = shot(&world, "noface a", Some("ivan"));
    assert!(faceless.crop.is_none() && faceless.portrait_size.is_none());
    assert!(save(&world, &faceless.id, "ivan", None).is_err());
    let unknown = shot(&world, "face 0.0", None);
    assert!(matches!(save(&world, &unknown.id, "nobody", None), Err(ShotError::Use(Error::NotFound("driver")))));
    assert!(
        save(&world, &unknown.id, "99 12 345678", None).is_ok(),
        "the shot stayed; a licence number names the driver"
    );
}

#[test]
fn a_portrait_framed_anew_is_what_is_shown_and_saved_and_the_first_one_comes_back() {
    let world = World::new(FacePolicy::Verify);
    let view = shot(&world, "face 0.0", Some("ivan"));
    let automatic = view.crop.unwrap();
    let wanted = CropView { x: 10, y: 20, w: 240, h: 320, turn: 0 };
    let cropped = world.app.crop_shot(&view.id, wanted).unwrap();
    assert_eq!(cropped.crop, Some(wanted));
    let portrait = || String::from_utf8(world.app.read_shot_file(&view.id, FileClass::Portrait).unwrap()).unwrap();
    assert_eq!(portrait(), "10 20 240 320 0 of original of face 0.0");
    for bad in [
        CropView { x: 61, ..wanted },
        CropView { w: 241, ..wanted },
        CropView { w: 3, h: 4, ..wanted },
        CropView { w: i32::MAX, h: i32::MIN, ..wanted },
        CropView { turn: 4500, ..wanted },
    ] {
        let refused = world.app.crop_shot(&view.id, bad);
        assert!(matches!(refused, Err(ShotError::Use(Error::BadInput { field: "crop", .. }))), "{bad:?}");
        assert_eq!(portrait(), "10 20 240 320 0 of original of face 0.0", "what stood stays");
    }
    world.app.crop_shot(&view.id, automatic).unwrap();
    assert_eq!(portrait(), "portrait of face 0.0", "the same rectangle, the same bytes");
    // The face of the test is small and at (10, 20): a cut below it leaves the head out.
    let below = world.app.crop_shot(&view.id, CropView { x: 0, y: 80, ..wanted }).unwrap();
    assert_eq!(below.findings[0].code, "head_cut_off");
    world.app.crop_shot(&view.id, wanted).unwrap();
    let Taken::Captured { photo, .. } = save(&world, &view.id, "ivan", None).unwrap() else { panic!() };
    assert_eq!(world.app.get_photo(&photo).unwrap().crop, Some(wanted));
    let saved = world.app.read_photo_file(&photo, FileClass::Portrait).unwrap();
    assert_eq!(saved, b"10 20 240 320 0 of original of face 0.0");
}

#[test]
fn somebody_else_is_named_before_saving_where_the_park_lets_faces_be_searched() {
    for (policy, named) in [(FacePolicy::Search, true), (FacePolicy::Verify, false), (FacePolicy::Off, false)] {
        let world = World::new(policy);
        world.captured("face 0.0", "petr");
        world.captured("face 2.0", "ivan");
        let view = shot(&world, "face 0.01", Some("ivan"));
        let other = view.other_driver.map(|other| (other.id, other.likely.verdict));
        assert_eq!(other, named.then(|| (id("petr"), Likeness::Same)), "{policy:?}");
        let verdict = view.nearest.map(|nearest| nearest.likely.verdict);
        assert_eq!(verdict, (policy != FacePolicy::Off).then_some(Likeness::Different));
        // The driver is said later.
        let view = world.app.get_shot(&view.id, Some((id("p1"), id("petr")))).unwrap();
        assert!(view.other_driver.is_none(), "it is the chosen one");
    }
}

#[test]
fn a_save_is_durable_in_a_moment() {
    let world = World::new(FacePolicy::Verify);
    let mut times: Vec<Duration> = (0..10)
        .map(|n| {
            let view = shot(&world, &format!("large 0.{n}"), Some("ivan"));
            let started = Instant::now();
            save(&world, &view.id, "ivan", None).unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("save of a 3 MB shot: median {:?}, slowest {:?}", times[5], times[9]);
    // The aim is 50 ms on an idle machine; the bound leaves room for a busy one.
    assert!(times[5] < Duration::from_millis(500), "{times:?}");
}

#[test]
fn photos_from_elsewhere_get_templates_and_verdicts_when_the_park_allows_it() {
    let mut world = World::new(FacePolicy::Off);
    let first = world.captured("face 0.0", "ivan");
    let second = world.captured("face 0.1", "ivan");
    let faceless = world.captured("turned x", "petr");
    let stop = AtomicBool::new(false);
    assert!(world.app.index_missing(&stop).unwrap());
    assert!(world.replica.templates("model", "aligner").unwrap().is_empty(), "the park says no");

    support::set_policy(&mut world.hub, FacePolicy::Verify);
    pull_all(&world.replica, &world.hub);
    assert!(!world.app.index_missing(&AtomicBool::new(true)).unwrap(), "told to stop it stops");
    assert_eq!(world.app.status().unwrap().faces.reindex_left, 3);
    assert!(world.app.index_missing(&stop).unwrap());
    assert_eq!(world.app.status().unwrap().faces.reindex_left, 0);
    let nearest = world.app.get_photo(&second).unwrap().nearest.unwrap();
    assert_eq!((nearest.photo, nearest.likely.verdict), (first.clone(), Likeness::Same));
    assert!(world.app.get_photo(&faceless).unwrap().nearest.is_none());

    let world = world.restart();
    let nearest = world.app.get_photo(&second).unwrap().nearest.unwrap();
    assert_eq!(nearest.photo, first, "templates were kept");
}

#[test]
fn many_unreadable_photos_do_not_keep_older_ones_from_their_templates() {
    let mut world = World::new(FacePolicy::Off);
    world.captured("face 0.0", "ivan");
    let sound = world.objects();
    for n in 1..=40 {
        world.captured(&format!("face 0.{n:03}"), "petr");
    }
    for object in world.objects().difference(&sound) {
        std::fs::remove_file(object).unwrap();
    }
    support::set_policy(&mut world.hub, FacePolicy::Verify);
    pull_all(&world.replica, &world.hub);
    assert!(world.app.index_missing(&AtomicBool::new(false)).unwrap());
    assert_eq!(world.replica.templates("model", "aligner").unwrap().len(), 1);
    assert_eq!(world.app.status().unwrap().faces.reindex_left, 40, "told as it is");
}

#[test]
fn templates_come_after_a_restart_by_themselves_and_the_tender_ends_when_told() {
    let mut world = World::new(FacePolicy::Off);
    world.captured("face 0.0", "ivan");
    let second = world.captured("face 0.1", "ivan");
    support::set_policy(&mut world.hub, FacePolicy::Search);
    pull_all(&world.replica, &world.hub);
    let world = world.restart();
    let tending = world.app.start_tending().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while world.app.get_photo(&second).unwrap().nearest.is_none() {
        assert!(Instant::now() < until, "no template came");
        std::thread::yield_now();
    }
    tending.stop();
}

#[test]
fn a_live_camera_is_not_kept_waiting_by_templates() {
    let mut world = World::new(FacePolicy::Off);
    world.captured("face 0.0", "ivan");
    support::set_policy(&mut world.hub, FacePolicy::Verify);
    pull_all(&world.replica, &world.hub);
    let stop = AtomicBool::new(false);
    world.app.look_live(frame(640)).unwrap();
    assert!(!world.app.index_missing(&stop).unwrap());
    assert!(world.replica.templates("model", "aligner").unwrap().is_empty());
    world.later(6000);
    assert!(world.app.index_missing(&stop).unwrap());
    assert_eq!(world.replica.templates("model", "aligner").unwrap().len(), 1);
}

#[test]
fn pictures_kept_aside_stay_so_over_a_restart() {
    let world = World::new(FacePolicy::Verify);
    assert!(matches!(world.app.take_file(world.file("poison a", Some("ivan"))), Err(TakeError::Quarantined)));
    let world = world.restart();
    assert_eq!(world.app.status().unwrap().faces.quarantined, 1);
    assert!(matches!(world.app.take_file(world.file("poison a", Some("ivan"))), Err(TakeError::Quarantined)));
}

#[test]
fn offers_are_limited_to_what_a_person_can_look_at() {
    let world = World::new(FacePolicy::Search);
    world.captured("face 0.0", "ivan");
    let entry = world.waiting("face 0.1");
    let answered = (0..200).take_while(|_| world.app.offers(&entry).is_ok()).count();
    assert!((50..=70).contains(&answered), "{answered}");
    assert!(matches!(world.app.offers(&entry), Err(Error::Busy)));
    assert!(shot(&world, "face 0.02", None).other_driver.is_none(), "a shot is no way around it");
    world.later(5000);
    assert!(world.app.offers(&entry).is_ok());
}
