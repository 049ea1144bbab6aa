//! Bodies of replicated rows (data.md). Every body keeps the fields it does not know in `more`, so that what a newer
//! hub or a source system sent travels on unharmed (V17).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::Actor;
use crate::ids::{BlobId, CommandId, DeviceId, Millis, RowId};
use crate::rights::Role;
use crate::row::Kind;
use crate::scope::Scope;
use crate::wire::Verdict;

/// A typed body of a known kind.
pub trait Entity: Serialize + DeserializeOwned + Clone {
    /// The kind whose rows hold it.
    const KIND: Kind;
}

macro_rules! entity {
    ($name:ident, $kind:ident) => {
        impl Entity for $name {
            const KIND: Kind = Kind::$kind;
        }
    };
}

/// A park's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParkSettings {
    /// How uploads are limited: `rate_limit` or `block_while_moderating`.
    pub upload_policy: String,
    /// Photos per driver and day.
    pub daily_limit: u32,
    /// What faces may be used for.
    pub faces: FacePolicy,
    /// Days that taken files stay in `done/`; 0 = removed once the hub has them.
    pub keep_done_days: u32,
    /// Days that rejected photos are kept.
    pub retention_days: u32,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Default for ParkSettings {
    fn default() -> Self {
        Self {
            upload_policy: "rate_limit".into(),
            daily_limit: 5,
            faces: FacePolicy::Verify,
            keep_done_days: 7,
            retention_days: 90,
            more: Map::new(),
        }
    }
}

/// What a park lets faces be used for (architecture, invariant 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacePolicy {
    /// No templates are made.
    Off,
    /// 1:1 against the driver's own earlier photos.
    Verify,
    /// 1:N over the appliance's photos, too.
    Search,
    /// A policy of a newer program: treated as off.
    #[serde(other)]
    Other,
}

/// A taxi park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Park {
    /// Its name.
    pub name: String,
    /// The city's id.
    pub city: String,
    /// Absent or `vezet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet_type: Option<String>,
    /// The main park whose heir this mirrored park is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_park_id: Option<RowId>,
    /// IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Settings.
    #[serde(default)]
    pub settings: ParkSettings,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Park, Park);

impl Park {
    /// A mirrored park takes no changes from here.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.fleet_type.is_some()
    }
}

/// The projection of a park into its own directory: what every appliance of the park may know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkCard {
    /// The park.
    pub park_id: RowId,
    /// Its name.
    pub name: String,
    /// The city's id.
    pub city: String,
    /// A read-only mirror.
    #[serde(default)]
    pub read_only: bool,
    /// Settings.
    #[serde(default)]
    pub settings: ParkSettings,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(ParkCard, ParkCard);

/// What a field device may hold of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverCard {
    /// The driver.
    pub driver_id: RowId,
    /// The park.
    pub park_id: RowId,
    /// Last, first and middle name, as people write it.
    pub name: String,
    /// The car's plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// Status of the latest photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_status: Option<PhotoStatus>,
    /// Its thumbnail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumb: Option<BlobId>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(DriverCard, DriverCard);

/// A driving licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// ISO 3166-1 alpha-3, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Series and number as written.
    pub number: String,
    /// ISO date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<String>,
    /// ISO date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<String>,
}

/// A driver's profile in one park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The park.
    pub park_id: RowId,
    /// The same person across parks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_driver_id: Option<RowId>,
    /// Фамилия.
    pub last_name: String,
    /// Имя.
    pub first_name: String,
    /// Отчество.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Phones as written.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Driving licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// The car driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub car_id: Option<RowId>,
    /// Terms of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_rule_id: Option<RowId>,
    /// `working`, `not_working`, `fired`.
    #[serde(default = "working")]
    pub work_status: String,
    /// ISO date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    /// ISO date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hired_on: Option<String>,
    /// The office's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The main park's profile that a mirrored one came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_driver_id: Option<RowId>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Driver, Driver);

fn working() -> String {
    "working".into()
}

impl Driver {
    /// Last, first and middle name with single spaces.
    #[must_use]
    pub fn full_name(&self) -> String {
        let parts = [Some(self.last_name.as_str()), Some(self.first_name.as_str()), self.middle_name.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(str::trim).filter(|p| !p.is_empty()).collect();
        parts.join(" ")
    }
}

/// A car of a park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Car {
    /// The park.
    pub park_id: RowId,
    /// Registration plate as written.
    pub plate: String,
    /// Make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Позывной.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callsign: Option<String>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Car, Car);

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

/// An enrolled appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name given at enrolment.
    pub name: String,
    /// When it was enrolled, hub time.
    pub enrolled_at_ms: Millis,
    /// When it was revoked, hub time: the replica locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<Millis>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Device, Device);

/// A right to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who holds it.
    pub holder: Actor,
    /// The role.
    pub role: Role,
    /// The park it holds in.
    pub park: RowId,
}
entity!(Grant, Grant);

/// A scope that a device replicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The scope.
    pub scope: Scope,
}
entity!(Subscription, Subscription);

/// What the hub answered to one command; its id is the command's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The judged command's place in its device's sequence.
    pub seq: u64,
    /// The command.
    pub command: CommandId,
    /// The device epoch it was pushed in.
    pub device_epoch: u64,
    /// The device.
    pub device: DeviceId,
    /// The answer.
    pub verdict: Verdict,
}
entity!(VerdictRow, Verdict);
