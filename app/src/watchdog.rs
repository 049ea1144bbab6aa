//! The watchdog of the queue: the oldest command that may go out must not stand still while the hub is in reach. What it
//! finds is an entry of needs-attention, for a person at the desk is the one who can ask the administrator.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parkdesk_sqlite::{Priority, Waiting};

use crate::App;
use crate::error::Result;
use crate::sync::LinkState;

/// So long a command may stand at the head of the queue while the hub answers.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How often it is worth a look.
pub(crate) const EACH: Duration = Duration::from_secs(10);

/// A command put off for less than this is not put off.
const SHORT_MS: i64 = 2 * 60_000;

/// What it saw last.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    oldest: Option<String>,
    since: Option<Instant>,
    stuck: Option<Waiting>,
}

impl Watchdog {
    /// One look; answers whether its mind changed.
    fn look(&mut self, oldest: Option<Waiting>, is_online: bool, now: Instant) -> bool {
        let id = oldest.as_ref().map(|waiting| waiting.id.to_string());
        if !is_online || id.is_none() || id != self.oldest {
            self.oldest = id;
            self.since = Some(now);
        }
        let stood = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let was_stuck = self.stuck.is_some();
        self.stuck = oldest.filter(|_| stood >= PATIENCE);
        was_stuck != self.stuck.is_some()
    }
}

impl App {
    /// The command at which the queue stands still, if it does.
    pub(crate) fn stuck(&self) -> Option<Waiting> {
        self.watchdog().stuck.clone()
    }

    /// One look of the watchdog.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn watch_queue(&self, now: Instant) -> Result<()> {
        let hub_now = self.now();
        // One that is put off again and again for a minute stands still as well.
        let oldest = self.replica().read(|tx| tx.oldest_sendable(hub_now.plus(SHORT_MS)))?;
        let is_online = self.link_status()?.state == LinkState::Online;
        let has_changed = self.watchdog().look(oldest, is_online, now);
        if has_changed {
            let is_stuck = self.stuck().is_some();
            self.replica().write(Priority::Sync, |tx| tx.note_stuck(is_stuck, hub_now))?;
        }
        Ok(())
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
