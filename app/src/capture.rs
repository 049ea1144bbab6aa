//! Taking a picture file: from the watched folder, from a person's hand, later from the camera. One way for all.

use parkdesk_domain::{Millis, Refusal, RowId};
use parkdesk_vision::limits::Rejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A picture file with what its surroundings say of it.
#[derive(Clone)]
pub struct TakeFile {
    /// The file's name, without folders.
    pub name: String,
    /// Its bytes as they are.
    pub bytes: Vec<u8>,
    /// Whose photo it is, as written: profile id, licence number or phone.
    pub hint: Option<String>,
    /// What the hint was read from; meaningless without one.
    pub hint_from: AssignedBy,
    /// `folder` or `file`.
    pub source: Source,
    /// When the file was last written: stands for the time of the shot.
    pub modified_at_ms: Millis,
    /// The park; `None` = the one park this appliance serves.
    pub park: Option<RowId>,
    /// Why staff send the photo in spite of a failed check.
    pub override_reason: Option<String>,
}

/// Where a picture came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The watched folder.
    Folder,
    /// Given by a person.
    File,
}

/// How the driver of a photo was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssignedBy {
    /// The name of the sub-folder.
    Folder,
    /// The beginning of the file's name.
    FileName,
    /// A row of the sidecar CSV.
    Sidecar,
    /// Said along with the file.
    Hint,
    /// A person took it from the tray.
    Person,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "taken", rename_all = "snake_case")]
pub enum Taken {
    /// A photo of a known driver; saved and on its way.
    Captured {
        /// The photo.
        #[schema(value_type = String)]
        photo: RowId,
        /// The driver.
        #[schema(value_type = String)]
        driver: RowId,
        /// How the driver was found.
        assigned_by: AssignedBy,
    },
    /// Waits in the tray for a person.
    Tray {
        /// The tray's entry.
        #[schema(value_type = String)]
        entry: RowId,
        /// Why.
        reason: TrayReason,
    },
    /// The same bytes were taken before.
    Duplicate {
        /// The photo or the tray's entry they became.
        #[schema(value_type = String)]
        of: RowId,
    },
}

/// Why a picture waits in the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrayReason {
    /// No usable face was found.
    NoFace,
    /// Nothing says whose photo it is.
    NoHint,
    /// The hint fits no driver of this appliance.
    UnknownDriver,
    /// The hint fits several drivers.
    SeveralDrivers,
    /// The appliance serves several parks and nothing says which.
    SeveralParks,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The bytes are no picture that is taken; they never will be.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// This picture broke the faces process twice; it is not tried again.
    #[error("this picture stopped the face program twice and is not tried again: take the photo once more")]
    Quarantined,
    /// Too many pictures wait already; try again soon.
    #[error("too many pictures are being worked on: the file is taken as soon as there is room")]
    Busy,
    /// It cannot be saved now (disk full, face program missing, no hub yet); the file stays where it is. The text says
    /// what happened, what it means and what to do.
    #[error("{0}")]
    Later(String),
    /// The rules refuse it.
    #[error("the photo was refused: {}", .0.code.as_str())]
    Refused(Box<Refusal>),
}
