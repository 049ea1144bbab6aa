//! Photos: taking one back, in any order with the arrival of its files.

use super::*;

fn withdraw(photo: &str) -> Command {
    Command::PhotoWithdraw(PhotoWithdraw { photo: id(photo), park: id("p1") })
}

fn take(world: &mut World, photo: &str, at: i64, files: [u8; 3]) {
    let mut args = capture(photo, "v1");
    let [original, portrait, thumb] = files.map(|n| PhotoFile { id: BlobId::of(&[n]), size_bytes: 10, stored: false });
    (args.original, args.portrait, args.thumb) = (original, Some(portrait), thumb);
    args.crop = Some(Crop { x: 0, y: 0, w: 3, h: 4, turn: 0 });
    args.captured_at_ms = Millis(at);
    assert_accepted(&world.run(Command::PhotoCapture(Box::new(args))));
}

fn stored(world: &mut World, photo: &str, file: u8) {
    let args = PhotoBytesStored { photo: id(photo), park: id("p1"), blob: BlobId::of(&[file]) };
    assert_accepted(&world.run_as(hub(), Command::PhotoBytesStored(args)));
}

fn card(world: &World) -> DriverCard {
    let directory = Scope::park(&id("p1"), Area::Directory);
    world.get(directory.clone(), &id("v1").projected(&directory.to_string()))
}

fn photo(world: &World, photo: &str) -> Photo {
    world.get(Scope::park(&id("p1"), Area::Photos), &id(photo))
}

fn set_status(world: &mut World, name: &str, status: PhotoStatus) {
    let row = RowRef { scope: Scope::park(&id("p1"), Area::Photos), kind: Kind::Photo, id: id(name) };
    let body = Photo { status, ..photo(world, name) };
    world.rows.insert(row, crate::canonical::to_string(&body).unwrap());
}

#[test]
fn a_photo_taken_back_keeps_its_story_and_says_who_and_when() {
    let mut world = park_with_driver();
    take(&mut world, "f1", 5, [1, 2, 3]);
    assert_accepted(&world.run(withdraw("f1")));
    let body = photo(&world, "f1");
    assert_eq!((body.status.as_str(), body.withdrawn_at_ms), ("withdrawn", Some(Millis(1000))));
    assert_eq!(body.withdrawn_by.map(|by| by.to_string()).as_deref(), Some("device/d1"));
    assert_eq!(world.run(withdraw("f1")), Outcome::accepted(vec![]), "twice is once");
    assert_eq!(refusal(world.run(withdraw("f9"))).code, RefusalCode::UnknownPhoto);
    insta::assert_snapshot!(
        crate::canonical::to_string(&withdraw("f1")).unwrap(),
        @r#"{"args":{"park":"p1","photo":"f1"},"kind":"photo.withdraw"}"#
    );
}

#[test]
fn a_judged_photo_is_not_taken_back() {
    for (status, code) in [
        (PhotoStatus::Approved, Some(RefusalCode::PhotoJudged)),
        (PhotoStatus::Rejected, Some(RefusalCode::PhotoJudged)),
        (PhotoStatus::Other("published".into()), Some(RefusalCode::PhotoJudged)),
        (PhotoStatus::NeedsModeration, None),
        (PhotoStatus::Error, None),
    ] {
        let mut world = park_with_driver();
        take(&mut world, "f1", 5, [1, 2, 3]);
        set_status(&mut world, "f1", status.clone());
        let outcome = world.run(withdraw("f1"));
        let refused = match outcome {
            Outcome::Refused(refusal) => Some(refusal.code),
            Outcome::Accepted { .. } => None,
        };
        assert_eq!(refused, code, "{status:?}");
    }
}

#[test]
fn in_whatever_order_files_arrive_the_card_goes_back_to_the_photo_before() {
    let events = [("f0", 13), ("f1", 21), ("f1", 22), ("f1", 23), ("withdraw", 0)];
    for order in orders(events.len()) {
        let mut world = park_with_driver();
        take(&mut world, "f0", 5, [11, 12, 13]);
        take(&mut world, "f1", 9, [21, 22, 23]);
        stored(&mut world, "f0", 11);
        stored(&mut world, "f0", 12);
        for (name, file) in order.iter().map(|n| events[*n]) {
            match name {
                "withdraw" => assert_accepted(&world.run(withdraw("f1"))),
                name => stored(&mut world, name, file),
            }
        }
        let card = card(&world);
        assert_eq!((card.photo_id, card.photo_at_ms), (Some(id("f0")), Some(Millis(5))), "{order:?}");
        assert_eq!(card.thumb, Some(BlobId::of(&[13])));
        assert_eq!(photo(&world, "f1").status, PhotoStatus::Withdrawn);
        assert_accepted(&world.run(withdraw("f0")));
        let card = self::card(&world);
        assert_eq!((card.photo_id, card.thumb, card.photo_status, card.photo_at_ms), (None, None, None, None));
    }
}

/// All orders of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for next in 0..n {
        all = all.iter().flat_map(|order: &Vec<usize>| (0..=order.len()).map(|at| with(order, at, next))).collect();
    }
    all
}

fn with(order: &[usize], at: usize, next: usize) -> Vec<usize> {
    let mut order = order.to_vec();
    order.insert(at, next);
    order
}

#[test]
fn a_photo_moved_to_another_driver_leaves_the_latest_of_the_others_on_the_card() {
    let mut world = park_with_driver();
    world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Х001ХХ77"))));
    for (name, at, files) in [("f0", 5, [11, 12, 13]), ("f1", 9, [21, 22, 23]), ("f2", 7, [31, 32, 33])] {
        take(&mut world, name, at, files);
        files.into_iter().for_each(|file| stored(&mut world, name, file));
    }
    assert_accepted(&world.run(withdraw("f2")));
    let driver = Change { was: id("v1"), now: id("v2") };
    assert_accepted(&world.run(Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver })));
    assert_eq!(card(&world).photo_id, Some(id("f0")), "f2 was taken back");
    assert!(world.rounds <= facts::MAX_ROUNDS, "{}", world.rounds);
}

#[test]
fn nobody_moves_or_matches_a_photo_taken_back() {
    let mut world = park_with_driver();
    world.run(Command::DriverCreate(Box::new(new_driver("v2", "99 00 111111", "Х001ХХ77"))));
    take(&mut world, "f1", 5, [1, 2, 3]);
    take(&mut world, "f2", 6, [4, 5, 6]);
    assert_accepted(&world.run(withdraw("f1")));
    let driver = Change { was: id("v1"), now: id("v2") };
    let assign = Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver });
    assert_eq!(refusal(world.run(assign)).code, RefusalCode::UnknownPhoto);
    let face = |photo: &str| FaceRef { photo: id(photo), face: FaceBox { x: 1, y: 2, w: 3, h: 4 } };
    let decide = MatchDecide {
        decision: id("m1"),
        park: id("p1"),
        a: face("f1"),
        b: face("f2"),
        verdict: MatchVerdict::Same,
        undoes: None,
    };
    assert_eq!(refusal(world.run(Command::MatchDecide(decide))).code, RefusalCode::UnknownPhoto);
}

#[test]
fn a_field_device_takes_back_its_own_photos_only() {
    let mut world = park_with_driver();
    world.device_role = Some(Role::Field);
    take(&mut world, "f1", 5, [1, 2, 3]);
    assert_accepted(&world.run(withdraw("f1")));
    take(&mut world, "f2", 5, [1, 2, 3]);
    let other = Actor::Device("d2".parse().unwrap());
    assert_eq!(refusal(world.run_as(other.clone(), withdraw("f2"))).code, RefusalCode::NotAllowed);
    world.device_role = Some(Role::PhotoStaff);
    assert_accepted(&world.run_as(other, withdraw("f2")));
    world.device_role = Some(Role::Moderator);
    assert_eq!(refusal(world.run(withdraw("f2"))).code, RefusalCode::NotAllowed);
}

#[test]
fn a_plan_names_the_guards_that_only_its_facts_tell_of() {
    let mut world = park_with_driver();
    take(&mut world, "f1", 5, [1, 2, 3]);
    let files = [1, 2, 3].map(|n| BlobId::of(&[n]));
    let command = withdraw("f1");
    let envelope = Envelope::of_hub(CommandId::of_job("job", "w"), hub(), Millis(1), command.clone());
    let planned = facts::run(&envelope, Millis(5), &mut world).unwrap();
    assert!(planned.guards.contains("driver/v1"), "what its card shows next is a choice: {:?}", planned.guards);
    assert!(files.iter().all(|file| planned.guards.contains(&blob_guard(&id("p1"), file))), "{:?}", planned.guards);
    assert!(planned.guards.is_disjoint(&guards(&command)));
}
