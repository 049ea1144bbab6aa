//! How often faces may be searched from one appliance, and that it is written down.
//!
//! Each answer of a search says a little about who is in the gallery; a thousand a minute would say all of it (SEC13). A person
//! at a desk needs one in some seconds. So searches are counted out of a bucket, every one leaves a line in the log (no
//! person, no score), and running dry leaves a warning.

use std::sync::{Mutex, PoisonError};

use parkdesk_domain::Millis;

use crate::App;

/// Searches in a row, and how long one takes to come back.
const BURST: i64 = 60;
const REFILL_MS: i64 = 1000;

/// The bucket.
pub(crate) struct Probes {
    state: Mutex<State>,
}

struct State {
    left_ms: i64,
    at: Millis,
    is_dry: bool,
}

impl Default for Probes {
    fn default() -> Self {
        let state = State { left_ms: BURST * REFILL_MS, at: Millis(i64::MIN), is_dry: false };
        Self { state: Mutex::new(state) }
    }
}

enum Drawn {
    Yes,
    /// The first refusal of a dry time.
    RunDry,
    No,
}

impl Probes {
    fn draw(&self, now: Millis) -> Drawn {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back gives nothing.
        let passed = now.0.saturating_sub(state.at.0).max(0);
        state.left_ms = state.left_ms.saturating_add(passed).min(BURST * REFILL_MS);
        state.at = now;
        if state.left_ms >= REFILL_MS {
            state.left_ms -= REFILL_MS;
            state.is_dry = false;
            return Drawn::Yes;
        }
        let was_dry = std::mem::replace(&mut state.is_dry, true);
        if was_dry { Drawn::No } else { Drawn::RunDry }
    }
}

impl App {
    /// Whether a face may be searched among all drivers now; writes down that it was.
    pub(crate) fn may_search(&self, place: &'static str) -> bool {
        match self.probes.draw(self.now()) {
            Drawn::Yes => {
                tracing::info!(target: "audit", place, "a face was searched among all drivers");
                true
            }
            Drawn::RunDry => {
                tracing::warn!(target: "audit", place, "too many faces are searched: further searches wait");
                false
            }
            Drawn::No => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_probes_a_minute_get_a_hundred_and_twenty_answers() {
        let probes = Probes::default();
        let answered = (0..1000).filter(|n| matches!(probes.draw(Millis(n * 60)), Drawn::Yes)).count();
        assert!((118..=121).contains(&answered), "{answered}");
        let told = |n: i64| matches!(probes.draw(Millis(60_000 + n)), Drawn::RunDry);
        assert!((0..100).filter(|n| told(*n)).count() <= 1, "the warning comes once");
        assert!(matches!(probes.draw(Millis(200_000)), Drawn::Yes), "it comes back with time");
        assert!(matches!(probes.draw(Millis(0)), Drawn::Yes) && matches!(probes.draw(Millis(0)), Drawn::Yes));
    }
}
