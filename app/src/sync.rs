//! What the use cases need to know of the link and of the watched folder, and what they may ask of them.
//!
//! The engine that talks to the hub and the watcher live in `sync-agent`, which depends on this crate; so the two traits
//! are defined here and implemented there. Nothing here speaks to a network.

use std::path::Path;

use parkdesk_domain::Millis;
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
}
