//! Commands: what somebody wants. A command's id is its idempotency key; its canonical bytes are what is stored and
//! sent, and they are never encoded again (protocol, "Rebase").

mod actor;
mod person;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::{Crop, FaceBox, FacePolicy, FaceRef, Licence, MatchVerdict, ParkSettings, PhotoFile};
use crate::canonical::{self, CanonicalError};
use crate::ids::{BlobId, CommandId, DeviceId, Millis, RowId};
use crate::rights::Role;
use crate::row::SCHEMA;
use crate::scope::Scope;

pub use self::actor::Actor;
pub use self::person::{PersonCreate, PersonRemove, PersonSetPassCode};

/// What is wanted, typed. On the wire: `kind` and `args` of the [`Envelope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "args")]
pub enum Command {
    /// A photo was taken.
    #[serde(rename = "photo.capture")]
    PhotoCapture(Box<PhotoCapture>),
    /// The photo shows another driver than was said.
    #[serde(rename = "photo.assign")]
    PhotoAssign(PhotoAssign),
    /// A capture is taken back.
    #[serde(rename = "photo.withdraw")]
    PhotoWithdraw(PhotoWithdraw),
    /// A new driver profile.
    #[serde(rename = "driver.create")]
    DriverCreate(Box<DriverCreate>),
    /// Changed fields of a driver profile.
    #[serde(rename = "driver.edit")]
    DriverEdit(DriverEdit),
    /// A decision about two faces.
    #[serde(rename = "match.decide")]
    MatchDecide(MatchDecide),
    /// A new person of a park.
    #[serde(rename = "person.create")]
    PersonCreate(Box<PersonCreate>),
    /// A person's new pass code.
    #[serde(rename = "person.set_pass_code")]
    PersonSetPassCode(PersonSetPassCode),
    /// A person who no longer works there.
    #[serde(rename = "person.remove")]
    PersonRemove(PersonRemove),
    /// A new park (hub only).
    #[serde(rename = "park.create")]
    ParkCreate(ParkCreate),
    /// What faces may be used for in a park (hub only).
    #[serde(rename = "park.set_faces")]
    ParkSetFaces(ParkSetFaces),
    /// A new appliance (hub only).
    #[serde(rename = "device.enrol")]
    DeviceEnrol(DeviceEnrol),
    /// An appliance may no longer come (hub only).
    #[serde(rename = "device.revoke")]
    DeviceRevoke(DeviceRevoke),
    /// A photo's file arrived whole (hub only).
    #[serde(rename = "photo.bytes_stored")]
    PhotoBytesStored(PhotoBytesStored),
}

/// Arguments of `photo.capture`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoCapture {
    /// The new photo's id.
    pub photo: RowId,
    /// The park.
    pub park: RowId,
    /// The driver shown.
    pub driver: RowId,
    /// `admin` or `taximeter`.
    pub priority: String,
    /// `camera`, `folder` or `file`.
    pub source: String,
    /// When the shot was taken.
    pub captured_at_ms: Millis,
    /// The picture as taken, re-encoded.
    pub original: PhotoFile,
    /// The 3:4 crop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<PhotoFile>,
    /// The thumbnail.
    pub thumb: PhotoFile,
    /// The portrait's rectangle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
    /// The main face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<FaceBox>,
    /// Component -> 0..100.
    #[serde(default)]
    pub quality: BTreeMap<String, i32>,
    /// Quality codes; a failed one ends in `!`.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Why staff went on in spite of a failed check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// What was seen and what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// The value the person saw.
    pub was: T,
    /// The value wanted.
    pub now: T,
}

/// Arguments of `photo.assign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoAssign {
    /// The photo.
    pub photo: RowId,
    /// Its park.
    pub park: RowId,
    /// The driver it was said to show, and the one it shows.
    pub driver: Change<RowId>,
}

/// Arguments of `photo.withdraw`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoWithdraw {
    /// The photo.
    pub photo: RowId,
    /// Its park.
    pub park: RowId,
}

/// Arguments of `driver.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverCreate {
    /// The new driver's id.
    pub driver: RowId,
    /// The park.
    pub park: RowId,
    /// Фамилия.
    pub last_name: String,
    /// Имя.
    pub first_name: String,
    /// Отчество.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Phones.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Driving licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// The plate of the car driven; the car's row is made if the park has none with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// The office's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Arguments of `driver.edit`: per field what was seen and what is wanted; sets carry what to add and to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverEdit {
    /// The driver.
    pub driver: RowId,
    /// The park.
    pub park: RowId,
    /// Field -> {was, now}; see `plan::driver::EDITABLE`.
    #[serde(default)]
    pub fields: BTreeMap<String, Change<Value>>,
    /// Phones.
    #[serde(default, skip_serializing_if = "SetEdit::is_empty")]
    pub phones: SetEdit,
}

/// An edit of a set of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetEdit {
    /// To put in.
    #[serde(default)]
    pub add: Vec<String>,
    /// To take out.
    #[serde(default)]
    pub remove: Vec<String>,
}

impl SetEdit {
    /// Nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

/// Arguments of `match.decide`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchDecide {
    /// The new decision's id.
    pub decision: RowId,
    /// The park.
    pub park: RowId,
    /// One face.
    pub a: FaceRef,
    /// The other.
    pub b: FaceRef,
    /// The decision.
    pub verdict: MatchVerdict,
    /// The earlier decision that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RowId>,
}

/// Arguments of `park.create`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkCreate {
    /// The new park's id.
    pub park: RowId,
    /// Its name.
    pub name: String,
    /// The city's id.
    pub city: String,
    /// Settings.
    #[serde(default)]
    pub settings: ParkSettings,
}

/// Arguments of `park.set_faces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkSetFaces {
    /// The park.
    pub park: RowId,
    /// The new policy.
    pub faces: FacePolicy,
}

/// Arguments of `device.enrol`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEnrol {
    /// The new device's id.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// What it may do on its own.
    pub role: Role,
    /// Where.
    pub parks: Vec<RowId>,
    /// What it replicates.
    pub scopes: Vec<Scope>,
    /// The device that the same appliance was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<DeviceId>,
}

/// Arguments of `device.revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRevoke {
    /// The device.
    pub device: DeviceId,
}

/// Arguments of `photo.bytes_stored`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoBytesStored {
    /// The photo.
    pub photo: RowId,
    /// Its park.
    pub park: RowId,
    /// The file that arrived.
    pub blob: BlobId,
}

/// A command on its way: the protocol's `{seq, id, kind, schema, actor, after, recorded_at, args}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Place in the device epoch's sequence, from 1; 0 for commands of the hub itself.
    pub seq: u64,
    /// Its id.
    pub id: CommandId,
    /// Schema version of `args`.
    pub schema: u32,
    /// Who wants it.
    pub actor: Actor,
    /// Sequence numbers it rests on, filled by the machine (protocol, "Push").
    #[serde(default)]
    pub after: Vec<u64>,
    /// When it was recorded, by the device's clock.
    pub recorded_at_ms: Millis,
    /// What is wanted.
    #[serde(flatten)]
    pub command: Command,
}

impl Envelope {
    /// A command of the hub itself.
    #[must_use]
    pub fn of_hub(id: CommandId, actor: Actor, now: Millis, command: Command) -> Self {
        Self { seq: 0, id, schema: SCHEMA, actor, after: Vec::new(), recorded_at_ms: now, command }
    }

    /// The bytes that are stored and sent.
    ///
    /// # Errors
    /// If an argument has no canonical form (a NUL in a text).
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_string(self).map(String::into_bytes)
    }

    /// Reads stored or received bytes.
    ///
    /// # Errors
    /// If they are no command this program knows; use [`EnvelopeHead`] to answer it nevertheless.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// The part of an envelope that every program can read, so that an unknown kind still gets its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EnvelopeHead {
    /// Place in the sequence.
    pub seq: u64,
    /// Its id.
    pub id: CommandId,
    /// Its kind.
    pub kind: String,
}

impl Command {
    /// The kind on the wire, `noun.verb`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PhotoCapture(_) => "photo.capture",
            Self::PhotoAssign(_) => "photo.assign",
            Self::PhotoWithdraw(_) => "photo.withdraw",
            Self::DriverCreate(_) => "driver.create",
            Self::DriverEdit(_) => "driver.edit",
            Self::MatchDecide(_) => "match.decide",
            Self::PersonCreate(_) => "person.create",
            Self::PersonSetPassCode(_) => "person.set_pass_code",
            Self::PersonRemove(_) => "person.remove",
            Self::ParkCreate(_) => "park.create",
            Self::ParkSetFaces(_) => "park.set_faces",
            Self::DeviceEnrol(_) => "device.enrol",
            Self::DeviceRevoke(_) => "device.revoke",
            Self::PhotoBytesStored(_) => "photo.bytes_stored",
        }
    }

    /// The park it acts in, for rights; `None` for commands that only the hub gives.
    #[must_use]
    pub fn park(&self) -> Option<&RowId> {
        match self {
            Self::PhotoCapture(args) => Some(&args.park),
            Self::PhotoAssign(args) => Some(&args.park),
            Self::PhotoWithdraw(args) => Some(&args.park),
            Self::DriverCreate(args) => Some(&args.park),
            Self::DriverEdit(args) => Some(&args.park),
            Self::MatchDecide(args) => Some(&args.park),
            Self::PersonCreate(args) => Some(&args.park),
            Self::PersonSetPassCode(args) => Some(&args.park),
            Self::PersonRemove(args) => Some(&args.park),
            Self::ParkCreate(_)
            | Self::ParkSetFaces(_)
            | Self::DeviceEnrol(_)
            | Self::DeviceRevoke(_)
            | Self::PhotoBytesStored(_) => None,
        }
    }

    /// The blobs it refers to: held until the command is judged (protocol, "Rebase").
    #[must_use]
    pub fn blobs(&self) -> Vec<&PhotoFile> {
        match self {
            Self::PhotoCapture(args) => {
                [Some(&args.thumb), args.portrait.as_ref(), Some(&args.original)].into_iter().flatten().collect()
            }
            Self::PhotoAssign(_)
            | Self::PhotoWithdraw(_)
            | Self::DriverCreate(_)
            | Self::DriverEdit(_)
            | Self::MatchDecide(_)
            | Self::PersonCreate(_)
            | Self::PersonSetPassCode(_)
            | Self::PersonRemove(_)
            | Self::ParkCreate(_)
            | Self::ParkSetFaces(_)
            | Self::DeviceEnrol(_)
            | Self::DeviceRevoke(_)
            | Self::PhotoBytesStored(_) => Vec::new(),
        }
    }
}
