//! A lane: one kind of request that is in flight at most once (push, pull, blob check, limits). It keeps its own delay, so
//! that a request the hub cannot digest never holds up the others, and counts requests that bring nothing forward (the
//! loop detector of protocol.md, "Behaviour on the network").

use super::backoff::Backoff;

/// State of a lane.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    in_flight: bool,
    failures: u32,
    not_before_ms: u64,
    /// Answers in a row that brought nothing forward.
    stale: u32,
    stuck: bool,
}

/// What the loop detector says of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something moved, or there was nothing to move.
    Forward,
    /// Nothing moved: come again later.
    Stale,
    /// Nothing moved so often that this is told to people.
    Looping,
    /// Nothing moved for so long that the lane stops until somebody asks.
    Stuck,
}

impl Lane {
    /// Whether a request may go out now.
    pub(super) fn is_free(&self, now_ms: u64) -> bool {
        !self.in_flight && !self.stuck && now_ms >= self.not_before_ms
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// When it is worth asking again; `None` while in flight or stuck.
    pub(super) fn due_ms(&self) -> Option<u64> {
        (!self.in_flight && !self.stuck).then_some(self.not_before_ms)
    }

    pub(super) fn sent(&mut self) {
        self.in_flight = true;
    }

    /// The request was answered; `forward` = something moved, or rightly nothing.
    pub(super) fn answered(&mut self, forward: bool, limits: LoopLimits, now_ms: u64, dice: u64) -> Turn {
        self.in_flight = false;
        self.failures = 0;
        self.not_before_ms = 0;
        if forward {
            self.stale = 0;
            return Turn::Forward;
        }
        self.stale = self.stale.saturating_add(1);
        self.not_before_ms = now_ms + limits.backoff.delay_ms(self.stale, dice);
        if self.stale >= limits.stop_after {
            self.stuck = true;
            Turn::Stuck
        } else if self.stale >= limits.warn_after {
            self.not_before_ms = now_ms + limits.backoff.cap_ms / 2 + limits.backoff.delay_ms(32, dice) / 2;
            Turn::Looping
        } else {
            Turn::Stale
        }
    }

    pub(super) fn failed(&mut self, not_before_ms: u64) {
        self.in_flight = false;
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = not_before_ms;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Somebody asked: forget delays and stops.
    pub(super) fn hurry(&mut self) {
        self.not_before_ms = 0;
        self.stale = 0;
        self.stuck = false;
    }
}

/// Thresholds of the loop detector.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoopLimits {
    pub(super) backoff: Backoff,
    pub(super) warn_after: u32,
    pub(super) stop_after: u32,
}
