//! What a person wants of the link: at which hours it may work, and whether whole pictures may go over it.

use super::{FileWork, Now};

const DAY_MIN: i64 = 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// What a person wants of the link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The network costs money: small files only.
    pub is_metered: bool,
    /// When the link may work; always if empty.
    pub hours: Vec<Hours>,
}

/// A part of some days of the week, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// 1 = Monday to 7 = Sunday: the days on which it begins.
    pub days: Vec<u8>,
    /// The first minute of the day.
    pub from_min: u16,
    /// The minute at which it is over; not after `from_min` = on the next day.
    pub to_min: u16,
}

impl Hours {
    fn hold(&self, day: u8, minute: i64) -> bool {
        let (from, to) = (i64::from(self.from_min), i64::from(self.to_min));
        let eve = if day == 1 { 7 } else { day - 1 };
        if from < to {
            return self.days.contains(&day) && (from..to).contains(&minute);
        }
        (self.days.contains(&day) && minute >= from) || (self.days.contains(&eve) && minute < to)
    }
}

impl Rules {
    /// How long until the link may work: none if it may now. A week at most; then it is looked at again.
    pub(super) fn opens_in_ms(&self, now: Now) -> Option<u64> {
        let local_ms = now.wall.0.saturating_add(i64::from(now.zone_min) * MINUTE_MS);
        let minute = local_ms.div_euclid(MINUTE_MS);
        if self.hours.is_empty() || self.hold(minute) {
            return None;
        }
        let ahead = (1..7 * DAY_MIN).find(|ahead| self.hold(minute + ahead)).unwrap_or(7 * DAY_MIN);
        u64::try_from((minute + ahead) * MINUTE_MS - local_ms).ok()
    }

    /// Whether the link may work at this minute since 1970, local time.
    fn hold(&self, minute: i64) -> bool {
        // The first day of 1970 was a Thursday.
        let day = u8::try_from((minute.div_euclid(DAY_MIN) + 3).rem_euclid(7) + 1).unwrap_or(1);
        self.hours.iter().any(|hours| hours.hold(day, minute.rem_euclid(DAY_MIN)))
    }

    /// The files that may go now, in their order.
    pub(super) fn carried(&self, files: &[FileWork]) -> Vec<FileWork> {
        files.iter().filter(|file| !(self.is_metered && file.can_wait)).cloned().collect()
    }
}
