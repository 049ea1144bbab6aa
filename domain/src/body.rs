//! Bodies of replicated rows (data.md). Every body keeps the fields it does not know in `more`, so that what a newer
//! hub or a source system sent travels on unharmed (V17).

macro_rules! entity {
    ($name:ident, $kind:ident) => {
        impl Entity for $name {
            const KIND: Kind = Kind::$kind;
        }
    };
}

mod device;
mod person;
mod photo;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{BlobId, Millis, RowId};
use crate::row::Kind;

pub use device::{Device, Grant, Subscription, VerdictRow};
pub use person::User;
pub use photo::{Crop, FaceBox, FaceRef, FileClass, MatchDecision, MatchVerdict, Photo, PhotoFile, PhotoStatus};

/// A typed body of a known kind.
pub trait Entity: Serialize + DeserializeOwned + Clone {
    /// The kind whose rows hold it.
    const KIND: Kind;
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
    /// That photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_id: Option<RowId>,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_at_ms: Option<Millis>,
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
