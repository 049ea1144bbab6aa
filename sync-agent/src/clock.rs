//! The one place where the programs of the appliance read the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use parkdesk_domain::Millis;

/// Now, by the computer's clock.
#[must_use]
pub fn now() -> Millis {
    #[allow(clippy::disallowed_methods, reason = "the program's one clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Minutes by which the computer's local time is ahead of UTC at this time.
#[must_use]
pub fn zone_min(at: Millis) -> i32 {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(at.0).map_or(0, |at| zone.to_offset(at).seconds() / 60)
}
