//! The engine of sync: what to ask the hub next, as a pure state machine.
//!
//! In: the time (monotonic), a die, what happened ([`Event`]) and what there is to do ([`Work`], read from the replica at
//! every step). Out: [`Action`]s. It knows no network, thread, clock or table; the driver and the simulator run the same
//! code (`docs/protocol.md`, "Behaviour on the network").
//!
//! Invariant: level-triggered. No flag says "there is work": every step looks at the whole of [`Work`], and every step
//! ends with a time at which to look again, so a lost wake-up costs at most [`Policy::look_again_ms`] (guarded by
//! `a_lost_wakeup_costs_one_tick_only`).
//!
//! What a person wants of the link ([`Rules`]: hours, a metered network) is a part of the work and looked at in the same way.
//!
//! Three rings of delay, so that nothing holds up anything else: the *link* (nobody answers, or no hub does: one probe at
//! a time), the *lane* (this kind of request fails) and the *item* (this command, this file). A command that the hub cannot
//! digest is isolated by halving the batch and then waits alone.

mod backoff;
mod batch;
mod budget;
mod event;
mod lane;
mod link;
mod rules;
#[cfg(test)]
mod tests;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::BlobId;
use parkdesk_domain::wire::Limits;

pub use self::backoff::{Backoff, spread};
use self::batch::Batches;
use self::budget::Budget;
pub use self::event::{Action, Event, Failure, FileWork, Now, Policy, Request, Trouble, Work};
use self::lane::{Lane, LoopLimits, Turn};
use self::link::Link;
pub use self::link::{Fault, LinkView, Standing};
pub use self::rules::{Hours, Rules};
use self::transfers::{Downloads, Draw, Uploads};

/// The state machine.
#[derive(Debug, Clone)]
pub struct Engine {
    policy: Policy,
    limits: Option<Limits>,
    link: Link,
    ask: Lane,
    push: Lane,
    pull: Lane,
    check: Lane,
    batches: Batches,
    budget: Budget,
    uploads: Uploads,
    downloads: Downloads,
    sizes: BTreeMap<BlobId, u64>,
    pull_wait_ms: u64,
    pull_sent_ms: u64,
    clones: u32,
    /// The hub was restored: it judges nothing before a pull has told what that is for this replica.
    pulls_first: bool,
    /// The queue at which pushing stopped.
    stopped_at: Option<BTreeSet<u64>>,
    /// Until then a person's "now" stands above the hours.
    waived_until_ms: u64,
}

/// How long a person's "now" stands above the hours.
const WAIVER_MS: u64 = 15 * 60_000;
/// Epochs opened in a row, without an answered push between, after which pushing stops.
const MOST_CLONES: u32 = 3;

impl Engine {
    /// A machine that has asked nothing yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            limits: None,
            link: Link::default(),
            ask: Lane::default(),
            push: Lane::default(),
            pull: Lane::default(),
            check: Lane::default(),
            batches: Batches::default(),
            budget: Budget::default(),
            uploads: Uploads::default(),
            downloads: Downloads::default(),
            sizes: BTreeMap::new(),
            pull_wait_ms: 0,
            pull_sent_ms: 0,
            clones: 0,
            pulls_first: false,
            stopped_at: None,
            waived_until_ms: 0,
        }
    }

    /// The limits in force: the hub's, made sane, or the protocol's.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits.clone().unwrap_or_default()
    }

    /// What people want to know of the link.
    #[must_use]
    pub fn view(&self) -> LinkView {
        self.link.view()
    }

    /// Takes in what happened and says what to do.
    #[must_use]
    pub fn step(&mut self, now: Now, dice: u64, event: Event, work: &Work) -> Vec<Action> {
        let mut actions = Vec::new();
        let draw = Draw { now_ms: now.mono_ms, dice, budget_ms: 0 };
        self.take_in(now, draw, event, &mut actions);
        self.link.set_standing(work.enrolled, work.revoked);
        let opens = self.opens_at(now, work);
        self.link.set_closed(opens);
        self.plan(draw, work, &mut actions);
        actions.push(Action::SleepUntil(self.look_again_at(now.mono_ms, work)));
        actions
    }

    /// When the hours let the link work again (monotonic); none while they do.
    fn opens_at(&self, now: Now, work: &Work) -> Option<u64> {
        if now.mono_ms < self.waived_until_ms {
            return None;
        }
        work.rules.opens_in_ms(now).map(|ms| now.mono_ms.saturating_add(ms))
    }

    fn loop_limits(&self) -> LoopLimits {
        LoopLimits {
            backoff: self.policy.backoff,
            warn_after: self.policy.loop_warn,
            stop_after: self.policy.loop_stop,
        }
    }

    fn take_in(&mut self, now: Now, draw: Draw, event: Event, actions: &mut Vec<Action>) {
        match event {
            // Both say only: look at the work.
            Event::Tick | Event::LocalChange => {}
            // Somebody waits in front of the screen: forget delays and stops, but not the hub's own wish.
            Event::SyncNow => {
                self.waived_until_ms = now.mono_ms.saturating_add(WAIVER_MS);
                self.link.hurry();
                for lane in [&mut self.ask, &mut self.push, &mut self.pull, &mut self.check] {
                    lane.hurry();
                }
                self.batches.hurry();
                self.budget.hurry();
                self.uploads.hurry();
                self.downloads.hurry();
                self.clones = 0;
            }
            Event::Pause { for_ms } => self.link.pause(for_ms.map(|ms| now.mono_ms.saturating_add(ms))),
            Event::Resume => self.link.resume(),
            Event::Limits(limits) => {
                self.heard(now);
                self.ask.answered(true, self.loop_limits(), draw.now_ms, draw.dice);
                self.limits = Some(sane(limits));
            }
            Event::Pushed { is_forward } => self.pushed(now, draw, is_forward, actions),
            Event::Pulled { is_forward } => self.pulled(now, draw, is_forward, actions),
            Event::Checked(states) => {
                self.heard(now);
                let forward = !states.is_empty();
                self.check.answered(forward, self.loop_limits(), draw.now_ms, draw.dice);
                let part_bytes = self.limits().part_bytes;
                self.uploads.checked(&states, &self.sizes, part_bytes);
            }
            Event::PartSent { id, part } => {
                self.heard(now);
                self.uploads.part_sent(&id, part);
            }
            Event::Completed { id } => {
                self.heard(now);
                self.uploads.completed(&id);
            }
            Event::Fetched { id, have } => {
                self.heard(now);
                self.downloads.fetched(&id, have);
            }
            Event::Spoiled { id } => {
                self.heard(now);
                let draw = self.paid(draw, Fault::File);
                if self.downloads.failed(&id, 0, Fault::File, &self.policy, draw) {
                    actions.push(Action::ParkFile { id, reason: Failure::Local });
                }
            }
            Event::Failed { request, failure, retry_after_ms } => {
                let hold = retry_after_ms.map(|ms| ms.min(self.policy.longest_hold_ms));
                self.failed(now, draw, request, failure, hold, actions);
            }
        }
    }

    /// The hub answered.
    fn heard(&mut self, now: Now) {
        self.link.answered(now);
        self.budget.answered();
    }

    /// The draw for another try at a file: the budget may put it off.
    fn paid(&mut self, draw: Draw, fault: Fault) -> Draw {
        match fault {
            // Nothing was tried at the file.
            Fault::Link => draw,
            Fault::Hub | Fault::File => {
                let spacing_ms = self.policy.backoff.cap_ms / 10;
                Draw { budget_ms: self.budget.spend(draw.now_ms, spacing_ms), ..draw }
            }
        }
    }

    fn pushed(&mut self, now: Now, draw: Draw, is_forward: bool, actions: &mut Vec<Action>) {
        self.heard(now);
        self.batches.answered();
        self.clones = 0;
        match self.push.answered(is_forward, self.loop_limits(), draw.now_ms, draw.dice) {
            Turn::Forward | Turn::Stale => {}
            Turn::Looping => actions.push(Action::Report(Trouble::PushLoops)),
            Turn::Stuck => actions.push(Action::Report(Trouble::PushStopped)),
        }
        self.note_stuck();
    }

    fn note_stuck(&mut self) {
        let stuck = match (self.push.is_stuck(), self.pull.is_stuck()) {
            (true, _) if self.clones > MOST_CLONES => Some(Trouble::ClonedAgain),
            (true, _) => Some(Trouble::PushStopped),
            (false, true) => Some(Trouble::PullStopped),
            (false, false) => None,
        };
        self.link.set_stuck(stuck);
    }

    fn pulled(&mut self, now: Now, draw: Draw, is_forward: bool, actions: &mut Vec<Action>) {
        self.heard(now);
        self.pulls_first = false;
        // An empty answer after the wait is what a quiet hub gives; an empty answer at once is a loop.
        let waited = draw.now_ms.saturating_sub(self.pull_sent_ms) >= self.pull_wait_ms / 2;
        match self.pull.answered(is_forward || waited, self.loop_limits(), draw.now_ms, draw.dice) {
            Turn::Forward | Turn::Stale => {}
            Turn::Looping => actions.push(Action::Report(Trouble::PullLoops)),
            Turn::Stuck => actions.push(Action::Report(Trouble::PullStopped)),
        }
        self.note_stuck();
    }

    fn failed(
        &mut self,
        now: Now,
        draw: Draw,
        request: Request,
        failure: Failure,
        hold_ms: Option<u64>,
        actions: &mut Vec<Action>,
    ) {
        // The hub answers others well and fails on this file only: the file waits, and not the link. If the hub says when to
        // come again (its disk is full for large files, not for rows), the file comes again then and nothing is counted.
        let is_alone = self.is_the_files(&request, failure);
        let fault = match (is_alone, hold_ms) {
            (true, None) => Fault::File,
            (true, Some(_)) => Fault::Hub,
            (false, _) => self.link.failed(now, draw.dice, failure, hold_ms, &self.policy),
        };
        if failure == Failure::Revoked {
            self.link.note_revoked(request == Request::Pull);
        }
        let not_before_ms = if is_alone { draw.now_ms.saturating_add(hold_ms.unwrap_or(0)) } else { 0 };
        actions.push(Action::Report(Trouble::Failed(failure)));
        if !is_alone && fault != Fault::File && request != Request::Push {
            self.link.note_other_trouble();
        }
        match request {
            Request::Limits => Self::lane_failed(&mut self.ask, &self.policy, draw),
            Request::Pull => Self::lane_failed(&mut self.pull, &self.policy, draw),
            Request::Check => {
                Self::lane_failed(&mut self.check, &self.policy, draw);
                self.uploads.check_failed();
            }
            Request::Push => {
                Self::lane_failed(&mut self.push, &self.policy, draw);
                self.push_failed(draw, failure, fault, actions);
            }
            Request::Part { id, part } => {
                let draw = self.paid(draw, fault).not_before(not_before_ms);
                if self.uploads.failed(&id, Some(part), fault, &self.policy, draw) {
                    actions.push(Action::ParkFile { id, reason: failure });
                }
            }
            Request::Complete { id } => {
                let draw = self.paid(draw, fault).not_before(not_before_ms);
                if self.uploads.failed(&id, None, fault, &self.policy, draw) {
                    actions.push(Action::ParkFile { id, reason: failure });
                }
            }
            Request::Fetch { id, have } => {
                // A full disk here is no fault of the file: it waits and counts nothing.
                let fault = if failure == Failure::Local { Fault::Hub } else { fault };
                let draw = self.paid(draw, fault).not_before(not_before_ms);
                if self.downloads.failed(&id, have, fault, &self.policy, draw) {
                    actions.push(Action::ParkFile { id, reason: failure });
                }
            }
        }
    }

    /// Whether a failure of the hub is about this one file: it failed on it before, and since then it answered other
    /// requests and (unless there is no other) took or gave other files.
    fn is_the_files(&mut self, request: &Request, failure: Failure) -> bool {
        if !matches!(failure, Failure::Busy | Failure::HubError) {
            return false;
        }
        let is_alone = match request {
            Request::Part { id, .. } | Request::Complete { id } => self.uploads.fails_alone(id),
            Request::Fetch { id, .. } => self.downloads.fails_alone(id),
            Request::Limits | Request::Push | Request::Pull | Request::Check => false,
        };
        is_alone && self.link.answers_others()
    }

    fn lane_failed(lane: &mut Lane, policy: &Policy, draw: Draw) {
        let failures = lane.failures().saturating_add(1);
        lane.failed(draw.now_ms + policy.backoff.delay_ms(failures, draw.dice));
    }

    fn push_failed(&mut self, draw: Draw, failure: Failure, fault: Fault, actions: &mut Vec<Action>) {
        if failure == Failure::Restored {
            self.pulls_first = true;
            return;
        }
        if failure == Failure::Cloned {
            self.clones += 1;
            if self.clones > MOST_CLONES {
                self.push.answered(false, LoopLimits { stop_after: 0, ..self.loop_limits() }, draw.now_ms, draw.dice);
                self.link.set_stuck(Some(Trouble::ClonedAgain));
                actions.push(Action::Report(Trouble::ClonedAgain));
            } else {
                actions.push(Action::NewEpoch);
            }
            return;
        }
        // The hub is there but cannot take these commands: find the one it chokes on, and let the others pass.
        let chokes = match fault {
            Fault::Hub => failure == Failure::HubError && self.link.answers_others(),
            // A hub that fails on one command may call itself busy; one that answers others is not.
            Fault::Link => failure == Failure::Busy && self.push.failures() > 2 && self.link.answers_others(),
            Fault::File => matches!(failure, Failure::Refused(_)),
        };
        if chokes && let Some(seq) = self.batches.choked(&self.policy, draw) {
            actions.push(Action::Report(Trouble::CommandWaits { seq }));
        }
        if failure == Failure::Offline {
            self.batches.shrink();
        }
    }

    fn plan(&mut self, draw: Draw, work: &Work, actions: &mut Vec<Action>) {
        let now_ms = draw.now_ms;
        self.batches.keep(&work.outbox);
        self.look_at_stop(&work.outbox);
        // Also what is held back now: parts that the hub has are not sent again later.
        self.uploads.keep(&work.uploads);
        self.downloads.keep(&work.downloads);
        self.sizes = work.uploads.iter().map(|w| (w.id.clone(), w.size_bytes)).collect();
        if !self.link.is_open(now_ms) {
            if self.link.may_fetch_revocation(now_ms) {
                self.plan_pull(now_ms, 0, actions);
            }
            return;
        }
        if self.link.is_probing() {
            self.probe(now_ms, work, actions);
            return;
        }
        if self.limits.is_none() && self.ask.is_free(now_ms) {
            self.ask.sent();
            actions.push(Action::AskLimits);
        }
        self.plan_push(now_ms, work, actions);
        self.plan_pull(now_ms, self.policy.wait_ms, actions);
        self.plan_files(now_ms, work, actions);
    }

    /// A stop was about the commands of that time: with another in the queue it is worth trying again.
    fn look_at_stop(&mut self, outbox: &[u64]) {
        if !self.push.is_stuck() || self.clones > MOST_CLONES {
            self.stopped_at = None;
            return;
        }
        let known = self.stopped_at.get_or_insert_with(|| outbox.iter().copied().collect());
        if outbox.iter().any(|seq| !known.contains(seq)) {
            self.stopped_at = None;
            self.push.hurry();
            self.note_stuck();
        }
    }

    /// Nobody answered last time: one request at a time, push and pull in turn, so that neither can starve the other.
    fn probe(&mut self, now_ms: u64, work: &Work, actions: &mut Vec<Action>) {
        let lanes = [&self.ask, &self.push, &self.pull, &self.check];
        let busy = lanes.iter().any(|l| l.is_in_flight());
        if busy || self.uploads.in_flight() > 0 || self.downloads.in_flight() > 0 {
            return;
        }
        let before = actions.len();
        if self.link.takes_turn() {
            self.plan_push(now_ms, work, actions);
        }
        if actions.len() == before {
            // No wait: the answer is to show that the hub is back.
            self.plan_pull(now_ms, 0, actions);
        }
    }

    fn plan_push(&mut self, now_ms: u64, work: &Work, actions: &mut Vec<Action>) {
        if self.pulls_first || !self.push.is_free(now_ms) {
            return;
        }
        let seqs = self.batches.next(&work.outbox, self.limits().push_commands as usize, now_ms);
        if !seqs.is_empty() {
            self.push.sent();
            actions.push(Action::Push { seqs });
        }
    }

    fn plan_pull(&mut self, now_ms: u64, wait_ms: u64, actions: &mut Vec<Action>) {
        if !self.pull.is_free(now_ms) {
            return;
        }
        let wait_ms = wait_ms.min(self.limits().wait_ms);
        self.pull.sent();
        self.pull_sent_ms = now_ms;
        self.pull_wait_ms = wait_ms;
        actions.push(Action::Pull { wait_ms });
    }

    fn plan_files(&mut self, now_ms: u64, work: &Work, actions: &mut Vec<Action>) {
        let (uploads, downloads) = (work.rules.carried(&work.uploads), work.rules.carried(&work.downloads));
        // Parts are numbered by the hub's part size: it must be known.
        if let Some(limits) = &self.limits {
            if self.check.is_free(now_ms) {
                let files = self.uploads.next_check(&uploads, limits.blob_check as usize, now_ms);
                if !files.is_empty() {
                    self.check.sent();
                    actions.push(Action::CheckFiles { files });
                }
            }
            let slots = self.policy.parts_in_flight.saturating_sub(self.uploads.in_flight());
            actions.extend(self.uploads.next(&uploads, slots, now_ms));
        }
        let slots = self.policy.ranges_in_flight.saturating_sub(self.downloads.in_flight());
        actions.extend(self.downloads.next(&downloads, slots, now_ms));
    }

    /// The next time at which something can be done that cannot be done now.
    fn look_again_at(&self, now_ms: u64, work: &Work) -> u64 {
        let latest = now_ms + self.policy.look_again_ms;
        let push = self.push.due_ms().filter(|_| !work.outbox.is_empty());
        let items = [self.batches.due_ms(), self.uploads.due_ms(), self.downloads.due_ms()];
        let lanes = [self.link.due_ms(), self.ask.due_ms(), push, self.pull.due_ms(), self.check.due_ms()];
        let due = lanes.into_iter().chain(items).flatten().filter(|at| *at > now_ms).min();
        due.map_or(latest, |at| at.min(latest))
    }
}

/// Limits as a careful client takes them: a hub that is wrong or wicked cannot make it send nonsense.
fn sane(limits: Limits) -> Limits {
    let most = Limits::default();
    Limits {
        push_commands: limits.push_commands.clamp(1, most.push_commands),
        push_bytes: limits.push_bytes.clamp(16 << 10, most.push_bytes),
        wait_ms: limits.wait_ms.min(most.wait_ms),
        part_bytes: limits.part_bytes.clamp(16 << 10, 16 << 20),
        blob_bytes: limits.blob_bytes.clamp(1 << 20, 1 << 30),
        blob_check: limits.blob_check.clamp(1, most.blob_check),
        ..limits
    }
}
