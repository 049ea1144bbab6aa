//! Hours and metered networks, and a person's wish above them.

use super::*;

fn at_hours(days: &[u8], from_min: u16, to_min: u16) -> Work {
    let hours = vec![Hours { days: days.to_vec(), from_min, to_min }];
    Work { rules: Rules { hours, ..Rules::default() }, ..with_outbox(&[1]) }
}

/// Monday, the fifth of January 1970, at this local time; the bench is three hours ahead of UTC.
fn monday(hour: u64, minute: u64) -> u64 {
    4 * 86_400_000 + hour * 3_600_000 + minute * 60_000 - 3 * 3_600_000
}

#[test]
fn outside_its_hours_the_link_asks_nothing_and_wakes_when_they_begin() {
    let mut bench = Bench::new();
    let work = at_hours(&[1, 2, 3, 4, 5], 22 * 60, 6 * 60 + 30);
    bench.now_ms = monday(21, 59);
    assert_eq!(bench.step(Event::LocalChange, &work), []);
    assert_eq!(bench.engine.view().next_try_ms, Some(monday(22, 0)), "people are told when");
    bench.now_ms = monday(21, 59) + 45_000;
    assert_eq!(bench.sleep(&work), monday(22, 0));
    bench.now_ms = monday(22, 0);
    assert!(bench.step(Event::Tick, &work).contains(&Action::Push { seqs: vec![1] }));
}

#[test]
fn hours_run_over_midnight_into_a_day_that_is_not_named() {
    for (day, hour, minute, open) in
        [(0, 6, 29, false), (0, 22, 0, true), (1, 6, 29, true), (1, 6, 30, false), (5, 6, 29, false), (4, 23, 0, true)]
    {
        let mut bench = Bench::new();
        bench.now_ms = monday(hour, minute) + day * 86_400_000;
        let work = at_hours(&[1, 5], 22 * 60, 6 * 60 + 30);
        let asks = !bench.step(Event::Tick, &work).is_empty();
        let expected = open || (day == 5 && hour == 6 && minute == 29);
        assert_eq!(asks, expected, "day {day}, {hour}:{minute}");
    }
}

#[test]
fn a_persons_now_stands_above_the_hours_for_a_while() {
    let mut bench = Bench::new();
    let work = at_hours(&[7], 0, 24 * 60);
    bench.now_ms = monday(12, 0);
    assert_eq!(bench.step(Event::Tick, &work), []);
    assert!(bench.step(Event::SyncNow, &work).contains(&Action::Push { seqs: vec![1] }));
    let mut later = Bench::new();
    later.now_ms = monday(12, 0);
    let _ = later.step(Event::SyncNow, &at_hours(&[7], 0, 24 * 60));
    later.now_ms += 15 * 60_000;
    assert_eq!(later.step(Event::Pushed { is_forward: true }, &work), [], "a quarter of an hour later they hold again");
}

#[test]
fn a_metered_network_carries_small_files_and_what_somebody_asked_for() {
    let mut bench = Bench::new().online();
    let large = |n: u8| FileWork { can_wait: true, ..file(n, 100) };
    let mut work = Work { uploads: vec![file(1, 10), large(2)], downloads: vec![file(3, 10), large(4)], ..work() };
    work.rules.is_metered = true;
    let actions = bench.step(Event::LocalChange, &work);
    assert_eq!(
        actions,
        [Action::CheckFiles { files: vec![file(1, 10)] }, Action::Fetch { file: file(3, 10), from: 0 }]
    );
    // Somebody asks for one in spite of it; then the network is an ordinary one again.
    work.uploads = vec![file(2, 100), large(5)];
    let actions = bench.step(Event::Checked(vec![(id(1), BlobState::Present)]), &work);
    assert_eq!(actions, [Action::CheckFiles { files: vec![file(2, 100)] }]);
    work.rules.is_metered = false;
    let actions = bench.step(Event::Checked(vec![(id(2), BlobState::Missing)]), &work);
    assert!(actions.contains(&Action::CheckFiles { files: vec![large(5)] }), "{actions:?}");
    assert!(actions.contains(&Action::SendPart { file: file(2, 100), part: 0 }), "{actions:?}");
    assert!(actions.contains(&Action::Fetch { file: large(4), from: 0 }), "{actions:?}");
}
