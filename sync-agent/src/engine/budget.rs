//! The retry budget: requests for files are repeated at most a tenth as often as requests are answered, with a reserve and a
//! slow minimum, so that many files that fail at once never become a storm on a hub that is ill already (protocol.md,
//! "Behaviour on the network").
//!
//! Only files need it: lanes and the link have one request in flight each and reach the cap of the back-off by themselves.
//! A spent budget delays and never refuses, so no file is left behind (guarded by
//! `retries_of_files_are_a_tenth_of_what_is_answered_and_none_is_left_behind`).

/// What one retry costs, in answered requests.
const PRICE: u32 = 10;
/// Retries in reserve, in answered requests.
const RESERVE: u32 = 10 * PRICE;
/// Longest queue of retries, in delays between two of them.
const LONGEST_QUEUE: u64 = 100;

#[derive(Debug, Clone)]
pub(super) struct Budget {
    answered: u32,
    /// The last retry that was let through without means.
    last_ms: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { answered: RESERVE, last_ms: 0 }
    }
}

impl Budget {
    pub(super) fn answered(&mut self) {
        self.answered = self.answered.saturating_add(1).min(RESERVE);
    }

    /// Pays for a retry; answers the earliest time for it. Without means retries queue up, `spacing_ms` apart.
    pub(super) fn spend(&mut self, now_ms: u64, spacing_ms: u64) -> u64 {
        if self.answered >= PRICE {
            self.answered -= PRICE;
            return now_ms;
        }
        let latest = now_ms.saturating_add(spacing_ms.saturating_mul(LONGEST_QUEUE));
        self.last_ms = self.last_ms.max(now_ms).saturating_add(spacing_ms).min(latest);
        self.last_ms
    }

    /// A person asked: the reserve is there again.
    pub(super) fn hurry(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_answers_earn_one_retry_and_the_reserve_is_bounded() {
        let mut budget = Budget::default();
        (0..1000).for_each(|_| budget.answered());
        let at_once = |budget: &mut Budget| (0..50).filter(|_| budget.spend(5000, 6000) == 5000).count();
        assert_eq!(at_once(&mut budget), 10);
        (0..10).for_each(|_| budget.answered());
        assert_eq!(at_once(&mut budget), 1);
    }

    #[test]
    fn without_means_retries_queue_up_and_the_queue_is_bounded() {
        let mut budget = Budget::default();
        (0..10).for_each(|_| assert_eq!(budget.spend(0, 6000), 0));
        assert_eq!([budget.spend(0, 6000), budget.spend(0, 6000)], [6000, 12_000]);
        (0..500).for_each(|_| assert!(budget.spend(0, 6000) <= 600_000));
        assert_eq!(budget.spend(10_000_000, 6000), 10_006_000, "an old queue holds up nobody");
        budget.hurry();
        assert_eq!(budget.spend(10_000_000, 6000), 10_000_000);
    }
}
