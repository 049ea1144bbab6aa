//! What the administrator is shown of the hub: codes, parks, drivers, photos.

use parkdesk_domain::rights::Role;
use parkdesk_domain::{BlobId, Millis, RowId};
use serde::{Deserialize, Serialize};

/// A one-time code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// As typed.
    pub code: String,
    /// Until when.
    pub expires_at_ms: Millis,
    /// What the appliance may do.
    pub role: Role,
    /// Where.
    pub park: RowId,
}

/// A park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkView {
    /// Its id.
    pub id: RowId,
    /// Its name.
    pub name: String,
    /// The city's id.
    pub city: String,
}

/// A driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverView {
    /// The profile's id.
    pub id: RowId,
    /// Names.
    pub name: String,
    /// Phones.
    pub phones: Vec<String>,
    /// Licence number.
    pub licence: Option<String>,
    /// The car's plate.
    pub plate: Option<String>,
}

/// A photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoView {
    /// Its id.
    pub id: RowId,
    /// The driver shown.
    pub driver: RowId,
    /// Where it stands.
    pub status: String,
    /// The hub has the picture as taken.
    pub original_stored: bool,
    /// The hub has the crop; absent without one.
    pub portrait_stored: Option<bool>,
    /// The hub has the thumbnail.
    pub thumb_stored: bool,
    /// SHA-256 of the picture as taken.
    pub original: BlobId,
}
