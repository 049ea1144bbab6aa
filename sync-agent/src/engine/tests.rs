//! Tables of events and the actions that follow.

use parkdesk_domain::Millis;
use parkdesk_domain::wire::{BlobState, ProblemCode};

use super::*;

const FAR: u64 = 1_000_000;

fn id(n: u8) -> BlobId {
    BlobId::of(&[n])
}

fn file(n: u8, size_bytes: u64) -> FileWork {
    FileWork { id: id(n), size_bytes, can_wait: false }
}

fn work() -> Work {
    Work { enrolled: true, ..Work::default() }
}

fn with_outbox(seqs: &[u64]) -> Work {
    Work { outbox: seqs.to_vec(), ..work() }
}

/// The engine with its own time; the die always shows the given figure.
struct Bench {
    engine: Engine,
    now_ms: u64,
    dice: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        Self { engine: Engine::new(policy), now_ms: FAR, dice: u64::MAX / 2 }
    }

    /// Steps and returns what is to be done, without reports and the sleep.
    fn step(&mut self, event: Event, work: &Work) -> Vec<Action> {
        self.all(event, work).into_iter().filter(|a| !matches!(a, Action::SleepUntil(_) | Action::Report(_))).collect()
    }

    fn all(&mut self, event: Event, work: &Work) -> Vec<Action> {
        let now = Now { mono_ms: self.now_ms, wall: self.wall(), zone_min: 180 };
        self.engine.step(now, self.dice, event, work)
    }

    fn wall(&self) -> Millis {
        Millis(i64::try_from(self.now_ms).unwrap())
    }

    fn sleep(&mut self, work: &Work) -> u64 {
        let actions = self.all(Event::Tick, work);
        actions.iter().find_map(|a| if let Action::SleepUntil(at) = a { Some(*at) } else { None }).unwrap()
    }

    /// Brings the link up: limits known, a long poll in flight.
    fn online(mut self) -> Self {
        let _ = self.step(Event::Tick, &work());
        let _ = self.step(Event::Limits(Limits::default()), &work());
        self.now_ms += 13_000;
        let actions = self.step(Event::Pulled { is_forward: false }, &work());
        assert_eq!(actions, [Action::Pull { wait_ms: 25_000 }]);
        self
    }

    fn fail(&mut self, request: Request, failure: Failure, work: &Work) -> Vec<Action> {
        self.step(Event::Failed { request, failure, retry_after_ms: None }, work)
    }
}

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
