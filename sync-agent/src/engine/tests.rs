//! Tables of events and the actions that follow.

mod files;
mod link;
mod queue;
mod rules;

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
