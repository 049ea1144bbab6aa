//! Bodies of the protocol (protocol.md): enrolment, push, pull, blobs, limits. Frames are NDJSON lines; every answer and
//! request body may be zstd-compressed (`Content-Encoding: zstd`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{BlobId, CommandId, DeviceId, Millis, RowId};
use crate::refusal::{FieldConflict, Refusal};
use crate::row::Row;
use crate::scope::Scope;

pub mod frame;

/// Limits that a hub advertises at `GET /v1/limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Commands in one push.
    pub push_commands: u32,
    /// Bytes of one push, decompressed.
    pub push_bytes: u64,
    /// Rows of one version.
    pub version_rows: u32,
    /// Bytes of bodies of one version.
    pub version_bytes: u64,
    /// Scopes that one transaction writes.
    pub transaction_scopes: u32,
    /// Longest wait of a pull.
    pub wait_ms: u64,
    /// Bytes of a blob's part; the last may be shorter.
    pub part_bytes: u64,
    /// Largest blob.
    pub blob_bytes: u64,
    /// Blobs in one check.
    pub blob_check: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            push_commands: 500,
            push_bytes: 1 << 20,
            version_rows: 500,
            version_bytes: 1 << 20,
            transaction_scopes: 8,
            wait_ms: 25_000,
            part_bytes: 1 << 20,
            blob_bytes: 64 << 20,
            blob_check: 200,
        }
    }
}

/// `POST /v1/enrol`. The same `request` with the same code gets the same device again, so that a lost answer does not
/// use up the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time code, as typed.
    pub code: String,
    /// Made by the device once per attempt to enrol.
    pub request: RowId,
    /// The device's name for people.
    pub name: String,
    /// The device that this appliance was before: it may still send the files of what that one took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<DeviceId>,
}

/// The answer to an enrolment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The device's id.
    pub device: DeviceId,
    /// Its token, 256 bits, shown once: `Authorization: Bearer <token>`.
    pub token: String,
    /// The hub's id: a replica talks to no other.
    pub hub: RowId,
    /// The hub's time, for the offset shown to people.
    pub now_ms: Millis,
}

impl std::fmt::Debug for EnrolAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolAnswer").field("device", &self.device).field("hub", &self.hub).finish_non_exhaustive()
    }
}

/// `POST /v1/push`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushRequest {
    /// The sender.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u64,
    /// Verdicts up to this seq are safe with the device: the hub may forget them.
    #[serde(default)]
    pub floor: u64,
    /// The newest epoch of scopes that the device was told. A hub whose own is newer was restored since: it judges nothing
    /// before the device has heard of that, and queued again what the hub may have lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_epoch: Option<u64>,
    /// The stored bytes of envelopes, in `seq` order.
    pub commands: Vec<Box<RawValue>>,
}

/// The answer: one verdict per command, always with a 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// In the order of the commands.
    pub verdicts: Vec<Judged>,
    /// The hub's time.
    pub now_ms: Millis,
}

/// A verdict with what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Place in the sequence.
    pub seq: u64,
    /// The command.
    pub id: CommandId,
    /// The verdict.
    pub verdict: Verdict,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Done: it is in these versions of these scopes (none if there was nothing to do).
    Applied {
        /// Scope -> version.
        scopes: BTreeMap<Scope, u64>,
        /// Fields not taken, for a person to choose.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conflicts: Vec<FieldConflict>,
    },
    /// Judged before; this is the first verdict again.
    Duplicate {
        /// The first verdict.
        first: Box<Verdict>,
    },
    /// Another row took its place.
    Merged {
        /// That row.
        into: RowId,
        /// Scope -> version.
        scopes: BTreeMap<Scope, u64>,
    },
    /// Not done, and never will be as it stands.
    Rejected {
        /// Why.
        refusal: Box<Refusal>,
    },
    /// Not judged yet.
    Deferred {
        /// Try again at this hub time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<Millis>,
        /// Send these first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<u64>,
    },
}

impl Verdict {
    /// Whether the command leaves the queue with this verdict.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Applied { .. } | Self::Merged { .. } | Self::Rejected { .. } => true,
            Self::Duplicate { first } => first.is_final(),
            Self::Deferred { .. } => false,
        }
    }

    /// The verdict itself, with `duplicate` taken off.
    #[must_use]
    pub fn first(&self) -> &Self {
        match self {
            Self::Duplicate { first } => first.first(),
            Self::Applied { .. } | Self::Merged { .. } | Self::Rejected { .. } | Self::Deferred { .. } => self,
        }
    }
}

/// `POST /v1/pull`; the answer is a run of [`frame`]s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// What the replica holds. The device scope is always answered first.
    pub scopes: Vec<Cursor>,
    /// How long to wait if there is nothing new.
    #[serde(default)]
    pub wait_ms: u64,
}

/// How far a replica has a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The scope.
    pub id: Scope,
    /// Its epoch (0 = never seen).
    pub epoch: u64,
    /// The last version applied (0 = none).
    pub version: u64,
}

/// The first line of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHead {
    /// The scope.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: u64,
    /// Versions after this one follow.
    pub from: u64,
    /// The last version in the frame; a whole one.
    pub to: u64,
    /// The newest version there is.
    pub head: u64,
    /// The hub's schema version.
    pub schema: u32,
    /// Why the scope is not served; no rows follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ScopeRefusal>,
}

/// Why a scope is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeRefusal {
    /// The device is not subscribed to it.
    NotSubscribed,
    /// The cursor is below the tombstone floor or of another epoch: begin again.
    StartOver,
    /// A reason of a newer hub.
    #[serde(other)]
    Other,
}

/// The last line of a frame; without it the frame never happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameTrailer {
    /// Row lines.
    pub count: u64,
    /// SHA-256 over the head and row lines with their newlines, hex.
    pub hash: String,
}

/// A row line.
pub type FrameRow = Row;

/// `POST /v1/blobs/check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobCheckRequest {
    /// Blobs the device has and a row refers to.
    pub blobs: Vec<BlobWanted>,
}

/// A blob to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobWanted {
    /// Its id.
    pub id: BlobId,
    /// Its size.
    pub size_bytes: u64,
}

/// The answer, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobCheckAnswer {
    /// States.
    pub blobs: Vec<BlobState>,
}

/// What the hub has of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BlobState {
    /// All of it (told only if a readable scope refers to it).
    Present,
    /// Nothing.
    Missing,
    /// These parts, from 0.
    Partial {
        /// Numbers of parts that are there.
        parts: Vec<u32>,
    },
}

/// The body of every answer that is not 2xx: it speaks only of transport and identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable code.
    pub code: ProblemCode,
    /// For logs and support.
    pub message: String,
    /// When to come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// Codes of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// No such token.
    Unauthorized,
    /// The device was revoked: lock.
    Revoked,
    /// Wrong, used or expired enrolment code.
    BadCode,
    /// The seq was used with other bytes: this device was cloned or restored; open a new epoch.
    Cloned,
    /// The hub was restored since the device's last pull: pull, then push.
    Restored,
    /// The body cannot be read.
    Malformed,
    /// Over a limit.
    TooLarge,
    /// Not to be had here, or not for this device (the same answer).
    NotFound,
    /// A part's or a whole blob's hash is wrong.
    HashMismatch,
    /// Parts are missing.
    Incomplete,
    /// Too many requests.
    TooMany,
    /// The hub cannot now.
    Unavailable,
    /// A code of a newer hub.
    #[serde(other)]
    Other,
}
