//! When to come again: full jitter with a cap, and never before the hub said.
//!
//! The cap is applied before the jitter, so that a crowd that has reached the cap still spreads over all of it. Delays are
//! counted on the monotonic clock and never stored: after a restart the first attempt is at once (protocol, "Behaviour on
//! the network").

/// Growth of the delay between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first delay.
    pub base_ms: u64,
    /// Upper bound of every delay.
    pub cap_ms: u64,
}

impl Backoff {
    /// The delay after `failures` failures in a row: `0 ..= min(cap, base * 2^(failures - 1))`, drawn with `dice`.
    #[must_use]
    pub fn delay_ms(self, failures: u32, dice: u64) -> u64 {
        let doublings = failures.saturating_sub(1).min(20);
        let bound = self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms);
        spread(bound, dice)
    }
}

/// A point in `0 ..= bound_ms`.
#[must_use]
pub fn spread(bound_ms: u64, dice: u64) -> u64 {
    dice % bound_ms.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base_ms: 500, cap_ms: 60_000 };

    #[test]
    fn delays_double_up_to_the_cap_and_stay_there() {
        let bounds: Vec<u64> =
            (1..=10).map(|n| (0..200_000).step_by(7).map(|d| BACKOFF.delay_ms(n, d)).max().unwrap()).collect();
        for (found, bound) in
            bounds.iter().zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
        {
            assert!(*found <= bound && *found + 10 >= bound, "{found} of {bound}");
        }
        assert!(BACKOFF.delay_ms(u32::MAX, u64::MAX) <= 60_000, "no overflow after years offline");
    }

    #[test]
    fn jitter_is_full() {
        assert_eq!(BACKOFF.delay_ms(8, 0), 0);
        assert_eq!(BACKOFF.delay_ms(8, 60_000), 60_000);
        assert_eq!(spread(0, 12_345), 0, "no spread where none is configured");
    }
}
