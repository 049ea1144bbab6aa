//! The hub's clock and randomness: the only place of this crate that takes time and seeds from the system.

use std::time::{SystemTime, UNIX_EPOCH};

use parkdesk_domain::Millis;

/// UTC milliseconds now.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A cryptographic generator seeded by the system.
#[must_use]
pub fn rng() -> rand::rngs::StdRng {
    rand::make_rng()
}
