//! Taking a picture: from the watched folder, from a person's hand, from the camera. One way for all.

mod live;
mod save;
mod shots;

use std::sync::PoisonError;

use parkdesk_domain::{BlobId, Millis, Refusal, RowId};
use parkdesk_vision::faces::client::FacesError;
use parkdesk_vision::faces::protocol::{Analysis, Priority};
use parkdesk_vision::limits::Rejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::live::Steady;
pub use self::live::{FractionBox, LiveLevel, LiveView};
pub(crate) use self::save::{Shot, Whose, forget_taken, taken_row};
pub(crate) use self::shots::Shots;
pub use self::shots::{NewShot, OtherDriver, SaveShot, ShotError, ShotView};
use crate::App;
use crate::error::Error;
use crate::photos::{FindingView, NearestView};

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
    /// Shot at the desk.
    Camera,
}

impl Source {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::File => "file",
            Self::Camera => "camera",
        }
    }

    /// Reads what [`Self::as_str`] wrote; anything else was given by a person.
    pub(crate) fn from_text(text: &str) -> Self {
        [Self::Folder, Self::Camera].into_iter().find(|source| source.as_str() == text).unwrap_or(Self::File)
    }
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
        /// What broke a limit, with advice.
        findings: Vec<FindingView>,
        /// The nearest earlier photo of the driver, with the verdict whether it shows the same person.
        nearest: Option<NearestView>,
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

impl From<Error> for TakeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Busy => Self::Busy,
            Error::NotFound(_)
            | Error::NotHere
            | Error::NotEnrolled
            | Error::Revoked
            | Error::BadInput { .. }
            | Error::SignedOut(_)
            | Error::WrongPassCode
            | Error::LockedOut(_)
            | Error::NotYours
            | Error::DiskFull
            | Error::Damaged(_)
            | Error::Replica(_) => Self::Later(format!("the photo was not saved: {error}. The file stays where it is")),
        }
    }
}

impl From<FacesError> for TakeError {
    fn from(error: FacesError) -> Self {
        match error {
            FacesError::Rejected(rejection) => Self::Rejected(rejection),
            FacesError::Quarantined => Self::Quarantined,
            FacesError::Busy | FacesError::Superseded => Self::Busy,
            FacesError::Unavailable(why) => Self::Later(format!(
                "the face program does not run ({why}): the file stays where it is and is taken when it does"
            )),
            FacesError::Stopped => {
                Self::Later("the program is stopping: the file is taken after the next start".into())
            }
        }
    }
}

impl App {
    /// Takes a picture file: a known driver's photo is saved and on its way, any other picture waits in the tray, and the
    /// same bytes are taken once. Blocks while the faces process looks at it.
    ///
    /// Whatever kills the program in between, taking the file again ends in one photo: ids follow from the file's bytes,
    /// and the row that says "taken" is written in the transaction that saves the photo.
    ///
    /// # Errors
    /// [`TakeError`]; nothing is half-written.
    pub fn take_file(&self, file: TakeFile) -> Result<Taken, TakeError> {
        let sha = BlobId::of(&file.bytes);
        if let Some(of) = self.find_taken(&sha)? {
            return Ok(Taken::Duplicate { of });
        }
        self.device()?;
        let owner = self.find_owner(&file)?;
        let priority = match file.source {
            Source::Folder => Priority::Folder,
            Source::File | Source::Camera => Priority::Save,
        };
        let analysis = self.look(file.bytes, priority)?;
        let is_usable = analysis.cut.is_some() && !analysis.faces.is_empty();
        let shot = Shot {
            sha,
            file_name: file.name,
            source: file.source,
            captured_at_ms: file.modified_at_ms,
            override_reason: file.override_reason,
            analysis,
        };
        let taken = match owner {
            Owner::Known { park, driver } if is_usable => {
                let photo =
                    self.save_photo(&shot, Whose { park, driver: driver.clone(), assigned_by: file.hint_from }, None)?;
                self.captured(photo, driver, file.hint_from)
            }
            Owner::Known { park, .. } => self.put_in_tray(&shot, Some(park), TrayReason::NoFace)?,
            Owner::Unclear { park, .. } if !is_usable => self.put_in_tray(&shot, park, TrayReason::NoFace)?,
            Owner::Unclear { park, reason } => self.put_in_tray(&shot, park, reason)?,
        };
        Ok(taken)
    }

    pub(crate) fn look(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError> {
        let looked = self.parts.faces.analyse(bytes, priority);
        if matches!(looked, Err(FacesError::Quarantined)) {
            self.keep_quarantine();
        }
        let mut problem = self.no_faces.lock().unwrap_or_else(PoisonError::into_inner);
        match &looked {
            Err(FacesError::Unavailable(why)) => *problem = Some(why.clone()),
            // It did not get to see the picture: that says nothing of it.
            Err(FacesError::Busy | FacesError::Superseded | FacesError::Stopped) => {}
            Ok(_) | Err(FacesError::Rejected(_) | FacesError::Quarantined) => *problem = None,
        }
        looked
    }

    /// What is told of a photo that was just saved: it may be of the wrong person, and saving does not hinder that.
    pub(crate) fn captured(&self, photo: RowId, driver: RowId, assigned_by: AssignedBy) -> Taken {
        // It is saved, whatever can be told of it.
        let view = self.get_photo(&photo).ok();
        let (findings, nearest) = view.map(|view| (view.findings, view.nearest)).unwrap_or_default();
        Taken::Captured { photo, driver, assigned_by, findings, nearest }
    }

    fn find_owner(&self, file: &TakeFile) -> Result<Owner, Error> {
        let parks = self.list_parks()?;
        let park = match &file.park {
            Some(id) if parks.iter().any(|park| park.id == *id) => Some(id.clone()),
            Some(_) => return Err(Error::NotFound("park")),
            None => match parks.as_slice() {
                [only] => Some(only.id.clone()),
                _ => None,
            },
        };
        let Some(hint) = file.hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty()) else {
            return Ok(Owner::Unclear { park, reason: TrayReason::NoHint });
        };
        let mut found = self.find_by_hint(hint)?;
        found.retain(|(of, _)| park.as_ref().is_none_or(|park| park == of));
        Ok(match found.as_slice() {
            [(park, driver)] => Owner::Known { park: park.clone(), driver: driver.clone() },
            [] => Owner::Unclear { park, reason: TrayReason::UnknownDriver },
            several if several.iter().any(|(of, _)| Some(of) != several.first().map(|first| &first.0)) => {
                Owner::Unclear { park, reason: TrayReason::SeveralParks }
            }
            _ => Owner::Unclear { park, reason: TrayReason::SeveralDrivers },
        })
    }
}

/// Whose photo it is, as far as anything but the face says.
enum Owner {
    Known { park: RowId, driver: RowId },
    Unclear { park: Option<RowId>, reason: TrayReason },
}
