//! What the link did, summed up until it is kept: for the chart of the day, and for the rights of people, which hang on the
//! last word from the hub.

use super::{Local, LocalError, Session};
use crate::engine::Now;

/// What the link did in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Commands that the hub judged.
    pub sent: u64,
    /// Rows that came.
    pub received: u64,
    /// Bytes that went out and were answered.
    pub bytes_up: u64,
    /// Bytes that came.
    pub bytes_down: u64,
    /// Requests that failed.
    pub problems: u64,
}

/// How often a tally is kept.
const TALLY_MS: u64 = 60_000;
/// How often the last word from the hub is kept while nothing else happens.
const CONTACT_MS: u64 = 600_000;

impl<L: Local> Session<L> {
    /// Keeps what was not kept yet; called before the end.
    ///
    /// # Errors
    /// If the replica fails; what was to be kept is let go.
    pub fn close(&mut self, now: Now) -> Result<(), LocalError> {
        let tally = std::mem::take(&mut self.tally);
        let contact = self.engine.view().last_contact;
        if tally == Tally::default() && contact == self.kept_contact.map(|(at, _)| at) {
            return Ok(());
        }
        self.tallied_ms = Some(now.mono_ms);
        self.kept_contact = contact.map(|at| (at, now.mono_ms));
        self.local.keep_tally(tally, contact, now.wall)
    }

    /// Whether it is time to keep what the link did: the first word from the hub at once, because a person's rights hang on
    /// it; later every minute in which something happened.
    pub(super) fn is_tally_due(&self, now: Now) -> bool {
        let over = |since: u64, ms: u64| now.mono_ms >= since.saturating_add(ms);
        match (self.engine.view().last_contact, self.kept_contact) {
            (Some(_), None) => true,
            (Some(heard), Some((kept, at))) if heard != kept && over(at, CONTACT_MS) => true,
            _ => self.tally != Tally::default() && self.tallied_ms.is_none_or(|at| over(at, TALLY_MS)),
        }
    }

    pub(super) fn went_up(&mut self, bytes: u64) {
        self.moved_up = self.moved_up.saturating_add(bytes);
        self.tally.bytes_up = self.tally.bytes_up.saturating_add(bytes);
    }
}
