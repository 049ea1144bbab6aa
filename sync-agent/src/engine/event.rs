//! The words of the engine: what comes in, what goes out, and its tuning. No behaviour.

use parkdesk_domain::wire::{BlobState, Limits, ProblemCode};
use parkdesk_domain::{BlobId, Millis};

use super::{Backoff, Rules};

/// The time of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on a clock that never goes back; all delays are counted on it.
    pub mono_ms: u64,
    /// The wall clock, for people, for the offset and for the hours in which a person lets the link work.
    pub wall: Millis,
    /// Minutes by which the local time is ahead of UTC.
    pub zone_min: i32,
}

/// Tuning; the defaults are those of protocol.md, but for the spread after an outage, which is 0 here: the program sets it
/// (`parkdesk-agent run --reconnect-spread`, 120 s).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Delays between attempts.
    pub backoff: Backoff,
    /// The first attempt after a live link broke waits up to this long, so that a crowd does not return at once.
    pub reconnect_spread_ms: u64,
    /// How long a pull may wait for news.
    pub wait_ms: u64,
    /// Parts and completions in flight.
    pub parts_in_flight: usize,
    /// Ranges in flight.
    pub ranges_in_flight: usize,
    /// Tries after which a bad file is parked.
    pub file_tries: u32,
    /// Answers without progress at one cursor that are told to people.
    pub loop_warn: u32,
    /// Answers without progress at one cursor that stop the lane.
    pub loop_stop: u32,
    /// Longest time between two looks at the work.
    pub look_again_ms: u64,
    /// Longest Retry-After that is believed.
    pub longest_hold_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            backoff: Backoff { base_ms: 500, cap_ms: 60_000 },
            reconnect_spread_ms: 0,
            wait_ms: 25_000,
            parts_in_flight: 3,
            ranges_in_flight: 2,
            file_tries: 5,
            loop_warn: 5,
            loop_stop: 10,
            look_again_ms: 30_000,
            longest_hold_ms: 3_600_000,
        }
    }
}

/// What there is to do, as the replica says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The appliance belongs to a hub.
    pub enrolled: bool,
    /// The hub revoked the appliance.
    pub revoked: bool,
    /// Commands to send, people's work first.
    pub outbox: Vec<u64>,
    /// Files to send, in order.
    pub uploads: Vec<FileWork>,
    /// Files to fetch, in order.
    pub downloads: Vec<FileWork>,
    /// What a person wants of the link.
    pub rules: Rules,
}

/// A file to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWork {
    /// SHA-256 of its plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// A whole picture that nobody asked for at once: a metered network does not carry it.
    pub can_wait: bool,
}

/// A request that is in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Limits of the hub.
    Limits,
    /// Commands.
    Push,
    /// News.
    Pull,
    /// What the hub has of files.
    Check,
    /// One part of a file.
    Part {
        /// The file.
        id: BlobId,
        /// From 0.
        part: u32,
    },
    /// The end of a file.
    Complete {
        /// The file.
        id: BlobId,
    },
    /// A range of a file.
    Fetch {
        /// The file.
        id: BlobId,
        /// Bytes held now, those of this answer included.
        have: u64,
    },
}

/// Why a request brought no answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection, too slow, or cut off.
    Offline,
    /// Something answered that is no Parkdesk hub (a captive portal, a proxy's page).
    NotHub,
    /// The hub has too much to do (429, 503).
    Busy,
    /// The hub failed (any other 5xx); never permanent.
    HubError,
    /// The hub does not know the token.
    Unauthorized,
    /// The hub revoked the appliance.
    Revoked,
    /// Another copy of this appliance used the same numbers.
    Cloned,
    /// The hub was restored from a backup since the last pull.
    Restored,
    /// The hub cannot take this request as it is.
    Refused(ProblemCode),
    /// The file or the replica could not be read or written here.
    Local,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passed, or the program started.
    Tick,
    /// Somebody changed the replica.
    LocalChange,
    /// A person asks to try at once.
    SyncNow,
    /// A person paused the link, for good or for this long.
    Pause {
        /// How long.
        for_ms: Option<u64>,
    },
    /// The pause is over.
    Resume,
    /// The hub told its limits.
    Limits(Limits),
    /// A push was answered and applied.
    Pushed {
        /// The queue is another than before.
        is_forward: bool,
    },
    /// A pull was answered and applied.
    Pulled {
        /// A cursor moved.
        is_forward: bool,
    },
    /// A check was answered.
    Checked(Vec<(BlobId, BlobState)>),
    /// A part arrived at the hub.
    PartSent {
        /// The file.
        id: BlobId,
        /// The part.
        part: u32,
    },
    /// The hub stored a file.
    Completed {
        /// The file.
        id: BlobId,
    },
    /// A range arrived here; with all of them the file is stored.
    Fetched {
        /// The file.
        id: BlobId,
        /// Bytes held now.
        have: u64,
    },
    /// The file that arrived is not the file that was asked for, or could not be kept.
    Spoiled {
        /// The file.
        id: BlobId,
    },
    /// A request failed.
    Failed {
        /// Which.
        request: Request,
        /// Why.
        failure: Failure,
        /// When the hub wants to be asked again.
        retry_after_ms: Option<u64>,
    },
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask for the hub's limits.
    AskLimits,
    /// Send these commands.
    Push {
        /// Their numbers.
        seqs: Vec<u64>,
    },
    /// Ask for news.
    Pull {
        /// How long the hub may wait for some.
        wait_ms: u64,
    },
    /// Ask what the hub has of these files.
    CheckFiles {
        /// The files.
        files: Vec<FileWork>,
    },
    /// Send a part.
    SendPart {
        /// The file.
        file: FileWork,
        /// From 0.
        part: u32,
    },
    /// Tell the hub that all parts are there.
    Complete {
        /// The file.
        file: FileWork,
    },
    /// Fetch the file from this byte on.
    Fetch {
        /// The file.
        file: FileWork,
        /// The first byte wanted.
        from: u64,
    },
    /// Set a file aside for a person to look at.
    ParkFile {
        /// The file.
        id: BlobId,
        /// Why.
        reason: Failure,
    },
    /// Open a new device epoch: this appliance was cloned or restored.
    NewEpoch,
    /// Tell people.
    Report(Trouble),
    /// Come again with [`Event::Tick`] at this monotonic time at the latest.
    SleepUntil(u64),
}

/// What people are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A request failed.
    Failed(Failure),
    /// Pulls bring nothing forward; they are slowed down.
    PullLoops,
    /// Pulls brought nothing forward for so long that they stopped.
    PullStopped,
    /// Pushes bring nothing forward; they are slowed down.
    PushLoops,
    /// Pushes brought nothing forward for so long that they stopped.
    PushStopped,
    /// The hub calls this appliance a clone again and again: pushing stopped.
    ClonedAgain,
    /// The hub cannot take this command now; it waits alone.
    CommandWaits {
        /// Its number.
        seq: u64,
    },
}
