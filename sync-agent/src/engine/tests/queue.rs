//! Commands and news: what goes out when, loops, clones, commands that the hub chokes on.

use super::*;

#[test]
fn the_first_step_asks_limits_sends_and_listens() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.step(Event::Tick, &with_outbox(&[1, 2])),
        [Action::AskLimits, Action::Push { seqs: vec![1, 2] }, Action::Pull { wait_ms: 25_000 }]
    );
    assert_eq!(bench.step(Event::Tick, &with_outbox(&[1, 2])), [], "each lane is in flight once");
}

#[test]
fn a_push_goes_out_while_the_long_poll_waits() {
    let mut bench = Bench::new().online();
    assert_eq!(bench.step(Event::LocalChange, &with_outbox(&[7])), [Action::Push { seqs: vec![7] }]);
}

#[test]
fn a_lost_wakeup_costs_one_tick_only() {
    let mut bench = Bench::new().online();
    // Nobody says that there is work; the timer finds it.
    let wake = bench.sleep(&work());
    assert!(wake <= bench.now_ms + 30_000, "the timer never sleeps longer than a look");
    bench.now_ms = wake;
    assert_eq!(bench.step(Event::Tick, &with_outbox(&[1])), [Action::Push { seqs: vec![1] }]);
}

#[test]
fn a_server_error_slows_its_lane_and_no_other_and_is_never_final() {
    let mut bench = Bench::new().online();
    let work = with_outbox(&[1]);
    let _ = bench.step(Event::LocalChange, &work);
    for round in 0..50 {
        let _ = bench.fail(Request::Push, Failure::HubError, &work);
        bench.now_ms += 61_000;
        let answer = bench.step(Event::Pulled { is_forward: false }, &work);
        assert!(answer.contains(&Action::Pull { wait_ms: 25_000 }), "round {round}: {answer:?}");
        assert!(answer.contains(&Action::Push { seqs: vec![1] }), "round {round}: {answer:?}");
    }
}

#[test]
fn a_command_the_hub_chokes_on_is_isolated_and_the_others_pass() {
    let mut bench = Bench::new().online();
    let mut outbox: Vec<u64> = (1..=64).collect();
    let poison = 23;
    let mut requests = 0;
    let mut actions = bench.step(Event::LocalChange, &with_outbox(&outbox));
    while outbox.len() > 1 {
        requests += 1;
        assert!(requests < 60, "left {outbox:?}");
        let push = actions.iter().find_map(|a| if let Action::Push { seqs } = a { Some(seqs.clone()) } else { None });
        let Some(seqs) = push else {
            bench.now_ms += 61_000;
            // The long poll comes back in between, so the hub is known to be well.
            actions = bench.step(Event::Pulled { is_forward: false }, &with_outbox(&outbox));
            continue;
        };
        actions = if seqs.contains(&poison) {
            bench.fail(Request::Push, Failure::HubError, &with_outbox(&outbox))
        } else {
            outbox.retain(|seq| !seqs.contains(seq));
            bench.step(Event::Pushed { is_forward: true }, &with_outbox(&outbox))
        };
    }
    assert_eq!(outbox, [poison], "only the poison is left, and it is still there");
}

#[test]
fn five_empty_answers_at_once_are_a_loop_and_ten_stop_it_until_somebody_asks() {
    let mut bench = Bench::new();
    let _ = bench.step(Event::Tick, &work());
    let _ = bench.step(Event::Limits(Limits::default()), &work());
    let mut troubles = Vec::new();
    for _ in 0..10 {
        let actions = bench.all(Event::Pulled { is_forward: false }, &work());
        troubles.extend(actions.into_iter().filter_map(|a| if let Action::Report(t) = a { Some(t) } else { None }));
        bench.now_ms += 61_000;
        let _ = bench.step(Event::Tick, &work());
    }
    assert_eq!(troubles.iter().filter(|t| **t == Trouble::PullLoops).count(), 5);
    assert_eq!(troubles.last(), Some(&Trouble::PullStopped));
    assert_eq!(bench.engine.view().stuck, Some(Trouble::PullStopped));
    bench.now_ms += 600_000;
    assert_eq!(bench.step(Event::Tick, &work()), [], "it stays stopped");
    assert_eq!(bench.step(Event::SyncNow, &work()), [Action::Pull { wait_ms: 25_000 }]);
}

#[test]
fn an_empty_answer_after_the_wait_is_no_loop() {
    let mut bench = Bench::new().online();
    for _ in 0..100 {
        bench.now_ms += 25_000;
        assert_eq!(bench.step(Event::Pulled { is_forward: false }, &work()), [Action::Pull { wait_ms: 25_000 }]);
    }
    assert_eq!(bench.engine.view().stuck, None);
}

#[test]
fn nothing_is_pushed_to_a_restored_hub_before_a_pull_told_of_it() {
    let mut bench = Bench::new().online();
    let work = with_outbox(&[1]);
    assert_eq!(bench.step(Event::LocalChange, &work), [Action::Push { seqs: vec![1] }]);
    assert_eq!(bench.fail(Request::Push, Failure::Restored, &work), []);
    for _ in 0..5 {
        bench.now_ms += 61_000;
        assert_eq!(bench.step(Event::Tick, &work), [], "it listens, and sends nothing");
    }
    let actions = bench.step(Event::Pulled { is_forward: true }, &work);
    assert_eq!(actions, [Action::Push { seqs: vec![1] }, Action::Pull { wait_ms: 25_000 }]);
}

#[test]
fn a_clone_opens_a_new_epoch_but_not_for_ever() {
    let mut bench = Bench::new().online();
    let work = with_outbox(&[1]);
    let mut epochs = 0;
    for _ in 0..10 {
        let _ = bench.step(Event::LocalChange, &work);
        let actions = bench.fail(Request::Push, Failure::Cloned, &work);
        epochs += actions.iter().filter(|a| **a == Action::NewEpoch).count();
        bench.now_ms += 61_000;
    }
    assert_eq!(epochs, 3);
    assert_eq!(bench.engine.view().stuck, Some(Trouble::ClonedAgain));
}

#[test]
fn a_wicked_hub_cannot_make_the_client_send_nonsense() {
    let mut bench = Bench::new();
    let wicked = Limits {
        push_commands: 0,
        push_bytes: 0,
        version_rows: 0,
        version_bytes: 0,
        transaction_scopes: 0,
        wait_ms: u64::MAX,
        part_bytes: 0,
        blob_bytes: 0,
        blob_check: 0,
    };
    let _ = bench.step(Event::Limits(wicked), &work());
    let limits = bench.engine.limits();
    assert!(limits.push_commands >= 1 && limits.part_bytes >= 16 << 10 && limits.wait_ms <= 25_000);
}

#[test]
fn a_new_command_sets_a_stopped_queue_going_again() {
    let mut bench = Bench::new().online();
    for _ in 0..10 {
        let _ = bench.step(Event::Tick, &with_outbox(&[6]));
        let _ = bench.step(Event::Pushed { is_forward: false }, &with_outbox(&[6]));
        bench.now_ms += 61_000;
    }
    assert_eq!(bench.engine.view().stuck, Some(Trouble::PushStopped));
    let is_push = |action: &Action| matches!(action, Action::Push { .. });
    assert!(!bench.step(Event::LocalChange, &with_outbox(&[6])).iter().any(is_push), "nothing is new");
    let actions = bench.step(Event::LocalChange, &with_outbox(&[6, 7]));
    assert!(actions.contains(&Action::Push { seqs: vec![6, 7] }), "{actions:?}");
    assert_eq!(bench.engine.view().stuck, None);
}
