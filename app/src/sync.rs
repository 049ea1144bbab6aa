//! What the use cases need to know of the link and of the watched folder, and what they may ask of them.
//!
//! The engine that talks to the hub and the watcher live in `sync-agent`, which depends on this crate; so the two traits
//! are defined here and implemented there. Nothing here speaks to a network.

use std::path::Path;

use parkdesk_domain::{BlobId, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The engine that keeps the replica and the hub in step, as the use cases see it.
pub trait SyncControl: Send + Sync {
    /// Where the link stands now; cheap, answers from memory.
    fn status(&self) -> LinkStatus;
    /// Tries at once instead of waiting for the next turn.
    fn sync_now(&self);
    /// Sends and fetches nothing until then, or until [`Self::resume`].
    fn pause(&self, until: Option<Millis>);
    /// Ends a pause.
    fn resume(&self);
    /// How far files are that were begun; cheap, answers from memory.
    fn files(&self) -> Vec<FileProgress>;
}

/// A file that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProgress {
    /// SHA-256 of its plain bytes.
    pub id: BlobId,
    /// Bytes that have arrived.
    pub done_bytes: u64,
    /// Whether a request for it is under way.
    pub is_moving: bool,
}

/// The setting with the last word from the hub: UTC milliseconds by this appliance's clock.
pub const LAST_CONTACT: &str = "hub.last_contact_ms";
/// The setting with the [`SyncPolicy`].
pub const POLICY: &str = "sync.policy";
/// The setting with the files that go in spite of a metered network: a list of their ids.
pub const SEND_NOW: &str = "sync.send_now";
/// The setting with a person's pause: the time of its end, or `0` until it is resumed.
pub const PAUSE: &str = "sync.pause";
/// The code of lines in the sync log that hold a [`Tally`].
pub const TALLY: &str = "tally";

/// What the link did in a while, as the sync log keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// Commands that waited at its end.
    pub waiting: u64,
}

/// What the network at this appliance costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkMode {
    /// Nothing by the byte: everything goes.
    #[default]
    Unmetered,
    /// It is paid by the byte: thumbs and portraits go, whole pictures wait.
    Metered,
}

/// A part of some days in which the link may work, in local time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Hours)]
pub struct HoursView {
    /// The days on which it begins: 1 = Monday to 7 = Sunday.
    pub days: Vec<u8>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`, at most `24:00`; not after `from` = on the next day.
    pub to: String,
}

/// What a person wants of the link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct SyncPolicy {
    /// What the network costs.
    pub mode: NetworkMode,
    /// When the link may work; always if empty.
    pub schedule: Vec<HoursView>,
}

/// Parts of a week at most.
const MOST_HOURS: usize = 50;

impl SyncPolicy {
    /// Whether it can be kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.schedule.len() > MOST_HOURS {
            return Err("at most 50 parts of a week can be told apart");
        }
        for HoursView { days, from, to } in &self.schedule {
            if days.is_empty() || days.iter().any(|day| !(1..=7).contains(day)) {
                return Err("days are 1 for Monday to 7 for Sunday, one at least");
            }
            if minute_of(from).is_none_or(|minute| minute == 24 * 60) || minute_of(to).is_none() {
                return Err("times are written HH:MM, like 08:30");
            }
        }
        Ok(())
    }
}

/// The minute of the day of a text `HH:MM`; `24:00` is the end of the day.
#[must_use]
pub fn minute_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (hours, minutes): (u16, u16) = (number(hours)??, number(minutes)??);
    (minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0))).then_some(hours * 60 + minutes)
}

/// Where the link to the hub stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// No answer from the hub yet since the program started.
    Starting,
    /// The last exchange succeeded.
    Online,
    /// The last exchange failed; it is tried again by itself.
    Offline,
    /// A person paused it.
    Paused,
    /// The hub revoked this appliance.
    Revoked,
    /// The appliance belongs to no hub yet.
    NotEnrolled,
}

/// The link's state with what a person wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkStatus {
    /// Where it stands.
    pub state: LinkState,
    /// The last answer from the hub, by this appliance's clock.
    #[schema(value_type = Option<i64>)]
    pub last_contact_at_ms: Option<Millis>,
    /// Files on their way to the hub now.
    pub sending: Option<Transfers>,
    /// Files on their way from the hub now.
    pub fetching: Option<Transfers>,
    /// The hub's clock minus this appliance's.
    pub clock_offset_ms: Option<i64>,
    /// The last thing that went wrong, until the next success.
    pub last_problem: Option<LinkProblem>,
    /// When the next attempt is due, or the pause ends.
    #[schema(value_type = Option<i64>)]
    pub next_try_at_ms: Option<Millis>,
}

impl LinkStatus {
    /// A link in this state of which nothing else is known.
    #[must_use]
    pub fn new(state: LinkState) -> Self {
        Self {
            state,
            last_contact_at_ms: None,
            sending: None,
            fetching: None,
            clock_offset_ms: None,
            last_problem: None,
            next_try_at_ms: None,
        }
    }
}

/// Files under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Transfers {
    /// Files not finished yet.
    pub files_left: u64,
    /// Bytes done of those files.
    pub bytes_done: u64,
    /// Bytes of those files.
    pub bytes_total: u64,
    /// Bytes a second, smoothed; none while nothing is known.
    #[serde(default)]
    pub rate_bytes_s: Option<u64>,
    /// How long it takes at this rate.
    #[serde(default)]
    pub left_ms: Option<u64>,
}

impl Transfers {
    /// The same with a rate, and the time that follows from it.
    #[must_use]
    pub fn at_rate(self, rate_bytes_s: Option<u64>) -> Self {
        let left = self.bytes_total.saturating_sub(self.bytes_done);
        let left_ms = rate_bytes_s.filter(|rate| *rate > 0).map(|rate| left.saturating_mul(1000) / rate);
        Self { rate_bytes_s, left_ms, ..self }
    }
}

/// A problem of the link in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkProblem {
    /// A stable code (`hub_unreachable`, `not_a_hub`, `unauthorized`, ...); texts for people are keyed by it.
    pub code: String,
    /// One English sentence: what happened, what it means, what to do.
    pub message: String,
    /// When.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
}

/// The watched folder, as the use cases see it.
pub trait WatchControl: Send + Sync {
    /// Where it stands now, if a folder is watched; cheap, answers from memory.
    fn status(&self) -> Option<WatchStatus>;
    /// Watches this folder instead of the one before, or none. Waits until the file that is being taken was taken.
    ///
    /// # Errors
    /// Why this folder cannot be watched; the one before still is.
    fn watch(&self, folder: Option<&Path>) -> Result<(), &'static str>;
}

/// Where the watched folder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// Files are seen as they come.
    Watching,
    /// The folder is not there; it is looked for again by itself.
    Missing,
    /// The folder cannot be read or written.
    Blocked,
}

/// The watched folder's state with what a person wants to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchStatus {
    /// The folder.
    pub folder: String,
    /// Where it stands.
    pub state: WatchState,
    /// Files seen and not taken yet.
    pub waiting: u64,
    /// Files taken since the program started.
    pub taken: u64,
    /// Files moved to `rejected/` since the program started.
    pub rejected: u64,
    /// One English sentence on what hinders it, if anything does.
    pub problem: Option<String>,
    /// Its files, the newest first, at most 50.
    #[serde(default)]
    pub files: Vec<WatchedFile>,
}

/// What becomes of a file of the watched folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchedState {
    /// It may still be written.
    Settling,
    /// It waits to be taken.
    Waiting,
    /// It is being taken.
    Taking,
    /// It was refused and lies in `rejected/`.
    Rejected,
}

/// A file of the watched folder that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WatchedFile {
    /// Its path in the folder.
    pub name: String,
    /// What becomes of it.
    pub state: WatchedState,
    /// Why it waits or was refused, in Russian.
    pub reason_ru: Option<String>,
    /// The same in English.
    pub reason_en: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// Since when it is as it is.
    #[schema(value_type = i64)]
    pub seen_at_ms: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_written_in_one_way() {
        for (text, minute) in [("00:00", Some(0)), ("08:30", Some(510)), ("23:59", Some(1439)), ("24:00", Some(1440))] {
            assert_eq!(minute_of(text), minute, "{text}");
        }
        for bad in ["", "8:30", "08.30", "24:01", "12:60", "-1:00", "+1:00", "0800", "08:30:00", "ab:cd"] {
            assert_eq!(minute_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_schedule_names_days_and_times() {
        let hours = |days: &[u8], from: &str, to: &str| SyncPolicy {
            schedule: vec![HoursView { days: days.to_vec(), from: from.into(), to: to.into() }],
            ..SyncPolicy::default()
        };
        assert!(hours(&[1, 7], "22:00", "06:30").check().is_ok() && hours(&[3], "00:00", "24:00").check().is_ok());
        for bad in [hours(&[], "08:00", "09:00"), hours(&[0], "08:00", "09:00"), hours(&[8], "08:00", "09:00")] {
            assert!(bad.check().is_err_and(|why| why.contains("Monday")), "{bad:?}");
        }
        for bad in [hours(&[1], "24:00", "09:00"), hours(&[1], "8", "09:00"), hours(&[1], "08:00", "")] {
            assert!(bad.check().is_err_and(|why| why.contains("HH:MM")), "{bad:?}");
        }
        let many = SyncPolicy {
            schedule: vec![hours(&[1], "08:00", "09:00").schedule.remove(0); 51],
            ..SyncPolicy::default()
        };
        assert!(many.check().is_err());
    }

    #[test]
    fn the_time_left_follows_from_the_rate() {
        let half = Transfers { files_left: 1, bytes_done: 500, bytes_total: 1500, ..Transfers::default() };
        assert_eq!(half.at_rate(Some(250)).left_ms, Some(4000));
        assert_eq!((half.at_rate(Some(0)).left_ms, half.at_rate(None).left_ms), (None, None));
    }
}
