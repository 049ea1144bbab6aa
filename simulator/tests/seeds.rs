//! Worlds keep the promises of sync.md 5.14, and the harness can tell when one does not: each planted bug is caught by a
//! seed that is clean without it.

use parkdesk_simulator::{Plant, Settings, check, run};

fn settings(seed: u64, plant: Option<Plant>) -> Settings {
    Settings { seed, plant, ..Settings::default() }
}

#[test]
fn sixteen_worlds_keep_every_promise_and_tell_the_same_story_twice() {
    for seed in 0..16 {
        let report = check(settings(seed, None));
        assert_eq!(report.wrong, Vec::<String>::new(), "seed {seed}: cargo xtask sim --seed {seed}");
        assert!(report.lines > 50, "seed {seed} is too short a story: {report:?}");
    }
}

/// Seeds that found a fault of the product, with disasters.
const FOUND: [u64; 20] = [13, 42, 45, 57, 70, 82, 86, 103, 193, 198, 284, 382, 513, 557, 577, 619, 679, 771, 772, 1210];

#[test]
fn seeds_that_found_a_fault_once_keep_every_promise_through_disasters() {
    for seed in FOUND {
        let report = run(Settings { has_disasters: true, ..settings(seed, None) });
        assert_eq!(report.wrong, Vec::<String>::new(), "cargo xtask sim --seed {seed} --disasters");
    }
}

#[test]
fn two_seeds_are_two_stories() {
    assert_ne!(run(settings(1, None)).hash, run(settings(2, None)).hash);
}

/// Seeds that are looked at for one that shows the bug.
const TRIED: u64 = 120;

fn is_caught(plant: Plant, sign: &str) {
    let shown = (0..TRIED).find(|seed| {
        let wrong = run(settings(*seed, Some(plant))).wrong;
        wrong.iter().any(|line| line.contains(sign)) && run(settings(*seed, None)).wrong.is_empty()
    });
    assert!(shown.is_some(), "{} was not caught by {TRIED} seeds", plant.name());
}

#[test]
fn a_dropped_fsync_is_caught_as_a_lost_command() {
    is_caught(Plant::DroppedFsync, "never reached the hub");
}

#[test]
fn a_page_taken_before_its_trailer_is_caught_as_a_missing_row() {
    is_caught(Plant::PageBeforeTrailer, "the hub has");
}

#[test]
fn a_cursor_outside_the_transaction_is_caught_as_a_missing_row() {
    is_caught(Plant::CursorApart, "the hub has");
}

#[test]
fn deduplication_by_time_is_caught_as_a_second_effect() {
    is_caught(Plant::DedupByTime, "took effect twice");
}

#[test]
fn a_missing_total_timeout_is_caught_as_a_queue_that_stands_still() {
    is_caught(Plant::NoTotalTimeout, "not quiet");
}

#[test]
fn an_edge_triggered_queue_is_caught_as_a_queue_that_stands_still() {
    is_caught(Plant::EdgeTriggered, "not quiet");
}
