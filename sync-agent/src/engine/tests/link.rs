//! The link: nobody answers, the hub wants quiet, somebody pauses, the hub refuses.

use super::*;

#[test]
fn nothing_is_asked_before_enrolment_nor_after_revocation() {
    let mut bench = Bench::new();
    assert_eq!(bench.step(Event::Tick, &Work::default()), []);
    assert_eq!(bench.engine.view().state, Standing::NotEnrolled);
    let revoked = Work { revoked: true, ..with_outbox(&[1]) };
    assert_eq!(bench.step(Event::SyncNow, &revoked), []);
    assert_eq!(bench.engine.view().state, Standing::Revoked);
}

#[test]
fn offline_probes_one_request_at_a_time_and_push_and_pull_take_turns() {
    let mut bench = Bench::new();
    let work = Work { uploads: vec![file(1, 10)], ..with_outbox(&[1]) };
    assert_eq!(bench.step(Event::Tick, &work).len(), 3);
    for request in [Request::Limits, Request::Push] {
        assert_eq!(bench.fail(request, Failure::Offline, &work), []);
    }
    assert_eq!(bench.fail(Request::Pull, Failure::Offline, &work), []);
    assert_eq!(bench.engine.view().state, Standing::Offline);
    let mut kinds = Vec::new();
    for _ in 0..8 {
        bench.now_ms = bench.sleep(&work);
        let actions = bench.step(Event::Tick, &work);
        let request = match actions.as_slice() {
            [Action::Push { .. }] => Request::Push,
            [Action::Pull { wait_ms: 0 }] => Request::Pull,
            // The lane whose turn it is may still wait for itself.
            [] => continue,
            other => panic!("{other:?}"),
        };
        kinds.push(request.clone());
        assert_eq!(bench.fail(request, Failure::Offline, &work), []);
    }
    assert!(kinds.contains(&Request::Push) && kinds.contains(&Request::Pull), "{kinds:?}");
}

#[test]
fn the_first_answer_opens_everything_again() {
    let mut bench = Bench::new();
    let work = Work { uploads: vec![file(1, 10)], ..with_outbox(&[1]) };
    let _ = bench.step(Event::Tick, &work);
    for request in [Request::Limits, Request::Push, Request::Pull] {
        let _ = bench.fail(request, Failure::Offline, &work);
    }
    let mut probe = Vec::new();
    while probe.is_empty() {
        bench.now_ms = bench.sleep(&work);
        probe = bench.step(Event::Tick, &work);
    }
    let event = match probe.as_slice() {
        [Action::Push { .. }] => Event::Pushed { is_forward: true },
        _ => Event::Pulled { is_forward: true },
    };
    bench.now_ms += 60_000;
    let actions = bench.step(event, &work);
    assert!(actions.len() >= 2, "{actions:?}");
    assert_eq!(bench.engine.view().state, Standing::Online);
}

#[test]
fn delays_grow_to_the_cap_and_no_further() {
    let mut bench = Bench::new();
    bench.dice = 59_999;
    let _ = bench.step(Event::Tick, &work());
    let _ = bench.fail(Request::Limits, Failure::Offline, &work());
    for _ in 0..30 {
        let _ = bench.fail(Request::Pull, Failure::Offline, &work());
        let wake = bench.sleep(&work());
        assert!(wake - bench.now_ms <= 60_000);
        bench.now_ms += 60_000;
        let _ = bench.step(Event::Tick, &work());
    }
}

#[test]
fn retry_after_is_obeyed_even_when_a_person_hurries() {
    let mut bench = Bench::new().online();
    let actions = bench.step(
        Event::Failed { request: Request::Pull, failure: Failure::Busy, retry_after_ms: Some(90_000) },
        &with_outbox(&[1]),
    );
    assert_eq!(actions, []);
    bench.now_ms += 89_999;
    assert_eq!(bench.step(Event::SyncNow, &with_outbox(&[1])), [], "the hub asked for quiet");
    bench.now_ms += 1;
    assert_ne!(bench.step(Event::Tick, &with_outbox(&[1])), []);
}

#[test]
fn an_absurd_retry_after_is_cut_to_an_hour() {
    let mut bench = Bench::new().online();
    let event = Event::Failed { request: Request::Pull, failure: Failure::Busy, retry_after_ms: Some(u64::MAX) };
    let _ = bench.step(event, &work());
    bench.now_ms += 3_600_000;
    assert_ne!(bench.step(Event::Tick, &work()), []);
}

#[test]
fn a_refused_token_stops_everything_until_a_person_asks() {
    for (failure, state) in [(Failure::Unauthorized, Standing::Unauthorized), (Failure::Revoked, Standing::Revoked)] {
        let mut bench = Bench::new().online();
        assert_eq!(bench.fail(Request::Pull, failure, &with_outbox(&[1])), []);
        bench.now_ms += 3_600_000;
        assert_eq!(bench.step(Event::LocalChange, &with_outbox(&[1])), []);
        assert_eq!(bench.engine.view().state, state);
        assert_ne!(bench.step(Event::SyncNow, &with_outbox(&[1])), []);
    }
}

#[test]
fn a_revoked_appliance_fetches_its_revocation_and_nothing_else() {
    let mut bench = Bench::new().online();
    let work = with_outbox(&[1]);
    assert_eq!(bench.step(Event::LocalChange, &work), [Action::Push { seqs: vec![1] }]);
    assert_eq!(bench.fail(Request::Push, Failure::Revoked, &work), [], "a pull is on its way");
    assert_eq!(bench.step(Event::Pulled { is_forward: true }, &work), [Action::Pull { wait_ms: 0 }]);
    let _ = bench.fail(Request::Pull, Failure::Offline, &work);
    bench.now_ms += 200_000;
    assert_eq!(bench.step(Event::Tick, &work), [Action::Pull { wait_ms: 0 }]);
    assert_eq!(bench.engine.view().state, Standing::Revoked);
    let locked = Work { revoked: true, ..work };
    assert_eq!(bench.step(Event::Pulled { is_forward: true }, &locked), []);
    assert_eq!(bench.step(Event::SyncNow, &locked), []);
}

#[test]
fn a_pause_holds_until_its_end_or_the_word() {
    let mut bench = Bench::new().online();
    assert_eq!(bench.step(Event::Pause { for_ms: Some(60_000) }, &with_outbox(&[1])), []);
    assert_eq!(bench.engine.view().state, Standing::Paused);
    bench.now_ms += 60_000;
    assert_eq!(bench.step(Event::Tick, &with_outbox(&[1])), [Action::Push { seqs: vec![1] }]);
    let _ = bench.step(Event::Pause { for_ms: None }, &work());
    bench.now_ms += 86_400_000;
    assert_eq!(bench.step(Event::Pulled { is_forward: true }, &work()), []);
    assert_eq!(bench.step(Event::Resume, &work()), [Action::Pull { wait_ms: 25_000 }]);
}

#[test]
fn a_crowd_that_lost_its_hub_does_not_return_at_once() {
    let policy = Policy { reconnect_spread_ms: 120_000, ..Policy::default() };
    let wakes: Vec<u64> = (0..100)
        .map(|n| {
            let mut bench = Bench::with(policy.clone()).online();
            bench.dice = n * 1_237;
            let _ = bench.fail(Request::Pull, Failure::Offline, &work());
            let view = bench.engine.view();
            view.next_try_ms.unwrap_or(0).saturating_sub(bench.now_ms)
        })
        .collect();
    let early = wakes.iter().filter(|ms| **ms < 60_000).count();
    assert!((20..=80).contains(&early), "spread over two minutes: {wakes:?}");
}
