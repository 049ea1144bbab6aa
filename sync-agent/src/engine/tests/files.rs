//! Files up and down: order, parts, resume, what is parked, what is retried and how often.

use std::collections::{BTreeSet, VecDeque};

use super::*;

#[test]
fn files_go_up_thumb_first_in_parts_and_are_completed_once() {
    let mut bench = Bench::new().online();
    let work = Work { uploads: vec![file(1, 10), file(2, (1 << 20) + 1), file(3, 5 << 20)], ..work() };
    let actions = bench.step(Event::LocalChange, &work);
    assert_eq!(actions, [Action::CheckFiles { files: work.uploads.clone() }]);
    let states =
        vec![(id(1), BlobState::Missing), (id(2), BlobState::Partial { parts: vec![0] }), (id(3), BlobState::Missing)];
    let part = |n: u8, size: u64, part: u32| Action::SendPart { file: file(n, size), part };
    assert_eq!(
        bench.step(Event::Checked(states), &work),
        [part(1, 10, 0), part(2, (1 << 20) + 1, 1), part(3, 5 << 20, 0)],
        "three in flight, in order, without the part the hub has"
    );
    assert_eq!(bench.step(Event::PartSent { id: id(1), part: 0 }, &work), [Action::Complete { file: file(1, 10) }]);
    // Done and still listed by the replica: it is not sent again.
    assert_eq!(bench.step(Event::Completed { id: id(1) }, &work), [part(3, 5 << 20, 1)]);
}

#[test]
fn a_bad_file_is_parked_after_five_tries_and_the_others_go_on() {
    let mut bench = Bench::new().online();
    let work = Work { uploads: vec![file(1, 10), file(2, 10)], ..work() };
    let refused = Failure::Refused(ProblemCode::HashMismatch);
    let mut actions = bench.step(Event::LocalChange, &work);
    let mut parked = 0;
    let mut other_done = false;
    for _ in 0..60 {
        let mut next = Vec::new();
        for action in actions {
            next.extend(match action {
                Action::CheckFiles { files } => {
                    bench.step(Event::Checked(files.into_iter().map(|f| (f.id, BlobState::Missing)).collect()), &work)
                }
                Action::SendPart { file, .. } if file.id == id(1) => {
                    bench.fail(Request::Part { id: file.id, part: 0 }, refused, &work)
                }
                Action::SendPart { file, part } => bench.step(Event::PartSent { id: file.id, part }, &work),
                Action::Complete { file } => {
                    other_done = true;
                    bench.step(Event::Completed { id: file.id }, &work)
                }
                Action::ParkFile { id: which, .. } => {
                    assert_eq!(which, id(1));
                    parked += 1;
                    Vec::new()
                }
                Action::AskLimits
                | Action::Push { .. }
                | Action::Pull { .. }
                | Action::Fetch { .. }
                | Action::NewEpoch
                | Action::Report(_)
                | Action::SleepUntil(_) => Vec::new(),
            });
        }
        if next.is_empty() {
            bench.now_ms += 61_000;
            next = bench.step(Event::Tick, &work);
        }
        actions = next;
    }
    assert_eq!(parked, 1);
    assert!(other_done);
}

#[test]
fn being_offline_is_never_counted_against_a_file() {
    let mut bench = Bench::new().online();
    let work = Work { uploads: vec![file(1, 10)], ..work() };
    let _ = bench.step(Event::LocalChange, &work);
    let _ = bench.step(Event::Checked(vec![(id(1), BlobState::Missing)]), &work);
    for _ in 0..50 {
        let actions = bench.fail(Request::Part { id: id(1), part: 0 }, Failure::Offline, &work);
        assert!(!actions.iter().any(|a| matches!(a, Action::ParkFile { .. })));
        bench.now_ms += 61_000;
        let _ = bench.step(Event::Pulled { is_forward: true }, &work);
    }
}

/// Runs uploads of `work` against a hub that fails with `failure` on the files of `bad`; the long poll is answered all the
/// while. Answers what was parked and what was done.
fn run_uploads(work: &Work, bad: &[BlobId], failure: Failure) -> (Vec<BlobId>, Vec<BlobId>) {
    let mut bench = Bench::new().online();
    let (mut parked, mut done) = (Vec::new(), Vec::new());
    let mut waiting = work.clone();
    let mut actions = bench.step(Event::LocalChange, &waiting);
    for _ in 0..400 {
        let mut next = Vec::new();
        for action in actions {
            next.extend(match action {
                Action::CheckFiles { files } => {
                    let states = files.into_iter().map(|f| (f.id, BlobState::Missing)).collect();
                    bench.step(Event::Checked(states), &waiting)
                }
                Action::SendPart { file, .. } if bad.contains(&file.id) => {
                    bench.fail(Request::Part { id: file.id, part: 0 }, failure, &waiting)
                }
                Action::SendPart { file, .. } => {
                    waiting.uploads.retain(|f| f.id != file.id);
                    done.push(file.id.clone());
                    bench.step(Event::Completed { id: file.id }, &waiting)
                }
                Action::ParkFile { id, .. } => {
                    waiting.uploads.retain(|f| f.id != id);
                    parked.push(id);
                    Vec::new()
                }
                Action::Pull { .. } => {
                    bench.now_ms += 13_000;
                    bench.step(Event::Pulled { is_forward: false }, &waiting)
                }
                Action::AskLimits
                | Action::Push { .. }
                | Action::Complete { .. }
                | Action::Fetch { .. }
                | Action::NewEpoch
                | Action::Report(_)
                | Action::SleepUntil(_) => Vec::new(),
            });
        }
        if next.is_empty() {
            bench.now_ms += 13_000;
            // The long poll comes back: the hub is known to be well.
            next = bench.step(Event::Pulled { is_forward: false }, &waiting);
        }
        actions = next;
    }
    (parked, done)
}

#[test]
fn a_file_the_hub_alone_fails_on_is_parked_and_holds_up_nothing() {
    for failure in [Failure::Busy, Failure::HubError] {
        let work = Work { uploads: (1..=20).map(|n| file(n, 10)).collect(), ..work() };
        let (parked, done) = run_uploads(&work, &[id(3)], failure);
        assert_eq!((parked, done.len()), (vec![id(3)], 19), "{failure:?}");
        let lone = Work { uploads: vec![file(3, 10)], ..self::work() };
        assert_eq!(run_uploads(&lone, &[id(3)], failure).0, [id(3)], "{failure:?}");
    }
}

#[test]
fn a_file_that_the_hub_wants_later_comes_later_and_is_never_given_up() {
    let mut bench = Bench::new().online();
    let both = Work { uploads: vec![file(1, 10), file(2, 10)], ..work() };
    let _ = bench.step(Event::LocalChange, &both);
    let missing = Event::Checked(vec![(id(1), BlobState::Missing), (id(2), BlobState::Missing)]);
    let mut actions = bench.step(missing, &both);
    let _ = bench.step(Event::Completed { id: id(2) }, &both);
    let work = Work { uploads: vec![file(1, 10)], ..work() };
    for round in 1..=20 {
        let is_sent = |actions: &[Action]| actions.iter().any(|a| matches!(a, Action::SendPart { .. }));
        assert!(is_sent(&actions), "round {round}: {actions:?}");
        let request = Request::Part { id: id(1), part: 0 };
        let failed = bench.step(Event::Failed { request, failure: Failure::Busy, retry_after_ms: Some(60_000) }, &work);
        assert!(!failed.iter().any(|a| matches!(a, Action::ParkFile { .. })), "round {round}");
        bench.now_ms += 59_000;
        assert!(!is_sent(&bench.step(Event::Pulled { is_forward: true }, &work)), "round {round}: the hub said 60 s");
        bench.now_ms += 2_000;
        actions = bench.step(Event::Pulled { is_forward: true }, &work);
    }
}

#[test]
fn a_hub_that_takes_no_files_at_all_parks_none() {
    for failure in [Failure::Busy, Failure::HubError] {
        let work = Work { uploads: (1..=5).map(|n| file(n, 10)).collect(), ..work() };
        let bad: Vec<BlobId> = work.uploads.iter().map(|f| f.id.clone()).collect();
        assert_eq!(run_uploads(&work, &bad, failure).0, [], "{failure:?}");
    }
}

#[test]
fn a_fetch_goes_on_where_it_was_cut() {
    let mut bench = Bench::new().online();
    let work = Work { downloads: vec![file(1, 3000)], ..work() };
    assert_eq!(bench.step(Event::LocalChange, &work), [Action::Fetch { file: file(1, 3000), from: 0 }]);
    let _ = bench.fail(Request::Fetch { id: id(1), have: 1700 }, Failure::Offline, &work);
    bench.now_ms += 61_000;
    let actions = bench.step(Event::Pulled { is_forward: true }, &work);
    assert!(actions.contains(&Action::Fetch { file: file(1, 3000), from: 1700 }), "{actions:?}");
}

#[test]
fn a_spoiled_file_begins_anew_and_is_given_up_after_five_tries() {
    let mut bench = Bench::new().online();
    let work = Work { downloads: vec![file(1, 30)], ..work() };
    let mut actions = bench.step(Event::LocalChange, &work);
    for round in 1..=5 {
        assert!(actions.contains(&Action::Fetch { file: file(1, 30), from: 0 }), "round {round}: {actions:?}");
        let spoiled = bench.step(Event::Spoiled { id: id(1) }, &work);
        assert_eq!(spoiled.iter().any(|a| matches!(a, Action::ParkFile { .. })), round == 5);
        bench.now_ms += 61_000;
        actions = bench.step(Event::Tick, &work);
    }
    assert_eq!(actions, []);
}

#[test]
fn an_empty_file_has_one_part() {
    assert_eq!(transfers::part_count(0, 1 << 20), 1);
    assert_eq!(transfers::part_count(1 << 20, 1 << 20), 1);
    assert_eq!(transfers::part_count((1 << 20) + 1, 1 << 20), 2);
}

#[test]
fn a_full_disk_here_parks_no_download() {
    let mut bench = Bench::new().online();
    let work = Work { downloads: vec![file(1, 30)], ..work() };
    let mut actions = bench.step(Event::LocalChange, &work);
    for round in 1..=50 {
        assert!(actions.contains(&Action::Fetch { file: file(1, 30), from: 0 }), "round {round}: {actions:?}");
        let failed = bench.fail(Request::Fetch { id: id(1), have: 0 }, Failure::Local, &work);
        assert!(!failed.iter().any(|a| matches!(a, Action::ParkFile { .. })), "round {round}");
        bench.now_ms += 61_000;
        actions = bench.step(Event::Tick, &work);
    }
}

/// A hub that answers everything but the parts of files, for this long. Answers how many parts were asked for, how many
/// requests were answered, and which files were tried at all.
fn failing_for(ms: u64, files: u8) -> (u64, u64, BTreeSet<BlobId>) {
    let mut bench = Bench::new().online();
    let work = Work { uploads: (0..files).map(|n| file(n, 10)).collect(), ..work() };
    let until = bench.now_ms + ms;
    let (mut parts, mut answered, mut tried) = (0, 0, BTreeSet::new());
    let mut queue = VecDeque::from(bench.step(Event::LocalChange, &work));
    let mut pull_due = bench.now_ms + 25_000;
    while bench.now_ms < until {
        bench.dice = bench.dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let Some(action) = queue.pop_front() else {
            bench.now_ms = bench.sleep(&work).clamp(bench.now_ms + 1, pull_due.max(bench.now_ms + 1));
            let event = if bench.now_ms >= pull_due {
                answered += 1;
                pull_due = bench.now_ms + 25_000;
                Event::Pulled { is_forward: false }
            } else {
                Event::Tick
            };
            queue.extend(bench.step(event, &work));
            continue;
        };
        match action {
            Action::CheckFiles { files } => {
                answered += 1;
                let states = files.iter().map(|f| (f.id.clone(), BlobState::Missing)).collect();
                queue.extend(bench.step(Event::Checked(states), &work));
            }
            Action::SendPart { file, part } => {
                parts += 1;
                tried.insert(file.id.clone());
                queue.extend(bench.fail(Request::Part { id: file.id, part }, Failure::HubError, &work));
            }
            Action::Pull { .. } => pull_due = bench.now_ms + 25_000,
            other @ (Action::AskLimits
            | Action::Push { .. }
            | Action::Complete { .. }
            | Action::Fetch { .. }
            | Action::ParkFile { .. }
            | Action::NewEpoch
            | Action::Report(_)
            | Action::SleepUntil(_)) => panic!("{other:?}"),
        }
    }
    (parts, answered, tried)
}

#[test]
fn retries_of_files_are_a_tenth_of_what_is_answered_and_none_is_left_behind() {
    let minutes = 60;
    let (parts, answered, tried) = failing_for(minutes * 60_000, 60);
    assert_eq!(tried.len(), 60);
    let floor = minutes * 10;
    let most = 60 + 10 + answered / 10 + floor;
    assert!(parts <= most, "{parts} parts were asked for, {most} are allowed");
    assert!(parts > 60 + floor / 2, "{parts}: every file has its turn again");
}
