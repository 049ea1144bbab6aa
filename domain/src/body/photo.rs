//! Photos of drivers, their files, and people's decisions about the faces on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Entity;
use crate::command::Actor;
use crate::ids::{BlobId, Millis, RowId};
use crate::row::Kind;

/// Where a photo stands. A status never says more than the bytes allow: `new` while they are on the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PhotoStatus {
    /// Captured; its bytes are not all at the hub yet (*waiting for bytes*).
    New,
    /// Stored; waits for a person's verdict.
    NeedsModeration,
    /// Shown to riders.
    Approved,
    /// Refused, with a reason.
    Rejected,
    /// Could not be processed, with a reason.
    Error,
    /// Taken back before anybody judged it: only its story is left.
    Withdrawn,
    /// A status of a newer program.
    Other(String),
}

impl PhotoStatus {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::NeedsModeration => "needs_moderation",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Error => "error",
            Self::Withdrawn => "withdrawn",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for PhotoStatus {
    fn from(text: String) -> Self {
        match text.as_str() {
            "new" => Self::New,
            "needs_moderation" => Self::NeedsModeration,
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            "error" => Self::Error,
            "withdrawn" => Self::Withdrawn,
            _ => Self::Other(text),
        }
    }
}

impl From<PhotoStatus> for String {
    fn from(status: PhotoStatus) -> String {
        status.as_str().to_owned()
    }
}

/// A file of a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoFile {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// The hub has them.
    #[serde(default)]
    pub stored: bool,
}

/// What a file of a photo is for; also the order in which files travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileClass {
    /// 320 px on the long side.
    Thumb,
    /// The 3:4 crop.
    Portrait,
    /// The picture as taken, re-encoded.
    Original,
}

/// The portrait's rectangle in the original and the turn about its centre, in hundredths of a degree, so that the hub
/// only re-cuts and all places agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    /// Left, px.
    pub x: i32,
    /// Top, px.
    pub y: i32,
    /// Width, px.
    pub w: i32,
    /// Height, px.
    pub h: i32,
    /// Turn, centidegrees.
    pub turn: i32,
}

/// A face's place in the original, px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaceBox {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// A photo of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// The park that took it.
    pub park_id: RowId,
    /// The driver shown.
    pub driver_id: RowId,
    /// The same person across parks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_driver_id: Option<RowId>,
    /// `admin` (photo centre) or `taximeter`.
    pub priority: String,
    /// Where it stands.
    pub status: PhotoStatus,
    /// Why it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Rounds of moderation begun.
    #[serde(default)]
    pub moderation_round: u32,
    /// When the shot was taken, by the device's clock.
    pub captured_at_ms: Millis,
    /// Who took it.
    pub captured_by: Actor,
    /// `camera`, `folder`, `file`, `taximeter`, `migration`.
    pub source: String,
    /// The picture as taken, re-encoded.
    pub original: PhotoFile,
    /// The 3:4 crop; absent when no face was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<PhotoFile>,
    /// The thumbnail.
    pub thumb: PhotoFile,
    /// The portrait's rectangle in the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// The main face in the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<FaceBox>,
    /// Component -> 0..100 (ISO/IEC 29794-5).
    #[serde(default)]
    pub quality: BTreeMap<String, i32>,
    /// Quality codes; a failed one ends in `!`.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Why staff went on in spite of a failed check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// The photo shown instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<RowId>,
    /// Who took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_by: Option<Actor>,
    /// When, by the judging place's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at_ms: Option<Millis>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Photo, Photo);

impl Photo {
    /// Its files in the order in which they travel.
    pub fn files(&self) -> impl Iterator<Item = (FileClass, &PhotoFile)> {
        [
            Some((FileClass::Thumb, &self.thumb)),
            self.portrait.as_ref().map(|file| (FileClass::Portrait, file)),
            Some((FileClass::Original, &self.original)),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether it was taken back: it shows nobody any more, and its files are let go.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.status == PhotoStatus::Withdrawn
    }

    /// Whether the hub has every file (architecture, invariant 11).
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.files().all(|(_, file)| file.stored)
    }
}

/// A face of a photo: decisions rest on photo and box, never on templates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaceRef {
    /// The photo.
    pub photo: RowId,
    /// The box in its original.
    pub face: FaceBox,
}

/// A person's decision about two faces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchDecision {
    /// The park.
    pub park_id: RowId,
    /// One face; the lower of the two.
    pub a: FaceRef,
    /// The other.
    pub b: FaceRef,
    /// The decision.
    pub verdict: MatchVerdict,
    /// Who decided.
    pub by: Actor,
    /// When, by the judging place's clock.
    pub at_ms: Millis,
    /// The decision that undid this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<RowId>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(MatchDecision, MatchDecision);

/// What a person says of two faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchVerdict {
    /// One person.
    Same,
    /// Two persons: never offered again.
    Different,
    /// Could not tell.
    Unsure,
    /// Not a face to match.
    Ignore,
    /// A verdict of a newer program.
    #[serde(other)]
    Other,
}
