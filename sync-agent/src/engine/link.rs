//! Whether the hub may be asked at all: pauses, stops, the hub's own wish for quiet, and the delay while nobody answers.

use parkdesk_domain::Millis;

use super::backoff::spread;
use super::{Failure, Now, Policy, Trouble};

/// Whose fault a failure is; decides what waits and what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The way to the hub: everything waits, nothing is counted against the item.
    Link,
    /// The hub: this kind of request waits.
    Hub,
    /// The command or file itself.
    File,
}

/// Whether the hub may be asked, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was answered since the start.
    Starting,
    /// The last request was answered.
    Online,
    /// The last request was not.
    Offline,
    /// A person paused it.
    Paused,
    /// The appliance has no hub.
    NotEnrolled,
    /// The hub does not know the token: a person must act.
    Unauthorized,
    /// The hub revoked the appliance.
    Revoked,
}

/// The link for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    /// Where it stands.
    pub state: Standing,
    /// When the hub was last heard of.
    pub last_contact: Option<Millis>,
    /// The last failure, until the next answer.
    pub problem: Option<(Failure, Millis)>,
    /// Why a lane stopped until somebody asks, if one did.
    pub stuck: Option<Trouble>,
    /// When the next attempt is due (monotonic), if it is not now.
    pub next_try_ms: Option<u64>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    failures: u32,
    not_before_ms: u64,
    /// The hub's wish: not even a person's wish is above it.
    hold_ms: u64,
    was_live: bool,
    /// `Some(None)` = paused until resumed.
    paused: Option<Option<u64>>,
    refused: Option<Refusal>,
    /// The revocation is not here as a row yet, and the hub may still give it.
    awaits_revocation: bool,
    is_enrolled: bool,
    is_revoked: bool,
    /// The hours do not let it work before this time.
    opens_ms: Option<u64>,
    stuck: Option<Trouble>,
    turn: bool,
    other_trouble: bool,
    last_contact: Option<Millis>,
    problem: Option<(Failure, Millis)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unauthorized,
    Revoked,
}

impl Link {
    pub(super) fn set_standing(&mut self, is_enrolled: bool, is_revoked: bool) {
        self.is_enrolled = is_enrolled;
        self.is_revoked = is_revoked;
    }

    /// When the hours let it work again; none while they do.
    pub(super) fn set_closed(&mut self, opens_ms: Option<u64>) {
        self.opens_ms = opens_ms;
    }

    pub(super) fn set_stuck(&mut self, stuck: Option<Trouble>) {
        self.stuck = stuck;
    }

    /// Whether a request may go out now. Ends a pause whose time is over.
    pub(super) fn is_open(&mut self, now_ms: u64) -> bool {
        self.is_wanted(now_ms) && self.refused.is_none()
    }

    /// Whether nothing but the revocation itself may be asked for now: a word is forgotten at the next start, a row locks
    /// the replica for good.
    pub(super) fn may_fetch_revocation(&mut self, now_ms: u64) -> bool {
        self.awaits_revocation && self.refused == Some(Refusal::Revoked) && self.is_wanted(now_ms)
    }

    fn is_wanted(&mut self, now_ms: u64) -> bool {
        if let Some(Some(until)) = self.paused
            && now_ms >= until
        {
            self.paused = None;
        }
        self.is_enrolled
            && !self.is_revoked
            && self.paused.is_none()
            && self.opens_ms.is_none()
            && now_ms >= self.not_before_ms
            && now_ms >= self.hold_ms
    }

    pub(super) fn is_probing(&self) -> bool {
        self.failures > 0
    }

    /// Whether push goes first this time.
    pub(super) fn takes_turn(&mut self) -> bool {
        self.turn = !self.turn;
        self.turn
    }

    /// Whether requests of other kinds are answered well.
    pub(super) fn answers_others(&self) -> bool {
        self.was_live && !self.other_trouble
    }

    pub(super) fn answered(&mut self, now: Now) {
        self.failures = 0;
        self.not_before_ms = 0;
        self.was_live = true;
        self.other_trouble = false;
        self.last_contact = Some(now.wall);
        self.problem = None;
    }

    pub(super) fn failed(
        &mut self,
        now: Now,
        dice: u64,
        failure: Failure,
        hold: Option<u64>,
        policy: &Policy,
    ) -> Fault {
        self.problem = Some((failure, now.wall));
        if let Some(ms) = hold {
            self.hold_ms = self.hold_ms.max(now.mono_ms + ms);
        }
        let fault = match failure {
            Failure::Offline | Failure::NotHub | Failure::Busy => {
                let first = self.failures == 0 && self.was_live && failure != Failure::Busy;
                self.failures = self.failures.saturating_add(1);
                let mut delay = policy.backoff.delay_ms(self.failures, dice);
                if first {
                    delay = delay.max(spread(policy.reconnect_spread_ms, dice));
                }
                self.not_before_ms = now.mono_ms + delay;
                Fault::Link
            }
            Failure::HubError => Fault::Hub,
            Failure::Unauthorized => {
                self.refused = Some(Refusal::Unauthorized);
                Fault::Link
            }
            Failure::Revoked => {
                self.refused = Some(Refusal::Revoked);
                Fault::Link
            }
            Failure::Cloned | Failure::Restored => Fault::Hub,
            Failure::Refused(_) | Failure::Local => Fault::File,
        };
        if matches!(failure, Failure::Offline | Failure::NotHub) {
            self.was_live = false;
        }
        fault
    }

    /// The hub told of the revocation, at a pull or at something else. Told at a pull, it does not give the row.
    pub(super) fn note_revoked(&mut self, at_pull: bool) {
        self.awaits_revocation = !at_pull;
    }

    /// A request other than a push failed at the hub.
    pub(super) fn note_other_trouble(&mut self) {
        self.other_trouble = true;
    }

    pub(super) fn pause(&mut self, until_ms: Option<u64>) {
        self.paused = Some(until_ms);
    }

    pub(super) fn resume(&mut self) {
        self.paused = None;
    }

    /// Somebody asked: forget our own delay and ask again even after a refusal.
    pub(super) fn hurry(&mut self) {
        self.not_before_ms = 0;
        self.refused = None;
        self.paused = None;
        self.stuck = None;
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        if let Some(until) = self.paused {
            return until;
        }
        Some(self.not_before_ms.max(self.hold_ms).max(self.opens_ms.unwrap_or(0)))
    }

    pub(super) fn view(&self) -> LinkView {
        let state = if !self.is_enrolled {
            Standing::NotEnrolled
        } else if self.is_revoked || self.refused == Some(Refusal::Revoked) {
            Standing::Revoked
        } else if self.refused == Some(Refusal::Unauthorized) {
            Standing::Unauthorized
        } else if self.paused.is_some() {
            Standing::Paused
        } else if self.failures > 0 {
            Standing::Offline
        } else if self.last_contact.is_none() {
            Standing::Starting
        } else {
            Standing::Online
        };
        LinkView {
            state,
            last_contact: self.last_contact,
            problem: self.problem,
            stuck: self.stuck,
            next_try_ms: self.due_ms().filter(|ms| *ms > 0),
        }
    }
}
