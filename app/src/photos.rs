//! Photos as people see them: state in words, quality with advice, the nearest earlier photo, files and where they are.

use std::collections::BTreeMap;

use parkdesk_domain::body::FileClass;
use parkdesk_domain::command::PhotoWithdraw;
use parkdesk_domain::{BlobId, Command, Millis, RowId};
use parkdesk_sqlite::{Draft, PhotoView as Row, Priority, ReadTx, RowState, Submitted, WriteTx};
use parkdesk_vision::quality::{Lang, Level, QualityCode, advice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::capture::{AssignedBy, forget_taken};
use crate::error::{Error, Result};
use crate::matching::Likely;
pub use crate::note::{BoxView, CropView, FaceGeometry, Size};
use crate::note::{Note, portrait_size};

/// How far a record has come (interface.md, "Truth about data").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// On this device, waits.
    Saved,
    /// The hub has it and has not judged it.
    Sent,
    /// The hub accepted it.
    Accepted,
    /// The hub or a rule refused it.
    Refused,
    /// Somebody else changed it meanwhile.
    Conflict,
}

/// A photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PhotoView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Its park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The driver shown.
    #[schema(value_type = String)]
    pub driver: RowId,
    /// The driver's name.
    pub driver_name: Option<String>,
    /// The file it was taken from, if this appliance took it.
    pub file_name: Option<String>,
    /// How the driver was found, if this appliance took it.
    pub assigned_by: Option<AssignedBy>,
    /// `camera`, `folder`, `file`, ...
    pub source: String,
    /// When the shot was taken.
    #[schema(value_type = i64)]
    pub captured_at_ms: Millis,
    /// Who took it.
    pub captured_by: String,
    /// How far it has come.
    pub state: RecordState,
    /// Where moderation stands: `new`, `needs_moderation`, `approved`, `rejected`, `error`.
    pub status: String,
    /// Why it was refused or failed.
    pub reason: Option<String>,
    /// Why staff went on in spite of a failed check.
    pub override_reason: Option<String>,
    /// Quality component -> 0 to 100.
    pub quality: BTreeMap<String, i32>,
    /// What broke a limit, with advice.
    pub findings: Vec<FindingView>,
    /// The original's size, if known here.
    pub original_size: Option<Size>,
    /// The portrait's size.
    pub portrait_size: Option<Size>,
    /// The main face's box in the original.
    pub face: Option<BoxView>,
    /// All faces with their points, if this appliance looked at the picture.
    pub faces: Vec<FaceGeometry>,
    /// The portrait's rectangle in the original.
    pub crop: Option<CropView>,
    /// The nearest earlier photo of the same driver.
    pub nearest: Option<NearestView>,
    /// Its files.
    pub files: Vec<FileView>,
}

/// A broken limit with what to say about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The code.
    pub code: String,
    /// `warn`, or `fail`: another shot is asked for.
    pub level: String,
    /// Advice in Russian.
    pub advice_ru: String,
    /// Advice in English.
    pub advice_en: String,
    /// What was measured, in thousandths of the code's unit, if this appliance measured it.
    pub figure_milli: Option<i64>,
    /// The limit, in thousandths of the same unit.
    pub limit_milli: Option<i64>,
}

/// The nearest earlier photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NearestView {
    /// That photo.
    #[schema(value_type = String)]
    pub photo: RowId,
    /// The file it was taken from, if this appliance took it.
    pub file_name: Option<String>,
    /// Whether it shows the same person.
    #[serde(flatten)]
    pub likely: Likely,
}

/// A file of a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// `original`, `portrait` or `thumb`.
    #[schema(value_type = String)]
    pub class: FileClass,
    /// SHA-256 of its bytes.
    #[schema(value_type = String)]
    pub sha256: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// It is on this appliance.
    pub local: bool,
    /// The hub has it.
    pub stored: bool,
}

/// Findings of a note carry figures; of a photo from elsewhere only the codes are known.
pub(crate) fn findings(note: Option<&Note>, codes: &[String]) -> Vec<FindingView> {
    match note {
        Some(note) => note
            .quality
            .findings
            .iter()
            .map(|finding| FindingView {
                figure_milli: Some(finding.figure_milli),
                limit_milli: Some(finding.limit_milli),
                ..finding_view(finding.code, finding.level)
            })
            .collect(),
        None => codes
            .iter()
            .filter_map(|text| {
                let (code, level) = match text.strip_suffix('!') {
                    Some(code) => (code, Level::Fail),
                    None => (text.as_str(), Level::Warn),
                };
                // A code of a newer program has no advice here; the row keeps it.
                QualityCode::ALL.iter().find(|known| known.as_str() == code).map(|code| finding_view(*code, level))
            })
            .collect(),
    }
}

fn finding_view(code: QualityCode, level: Level) -> FindingView {
    FindingView {
        code: code.as_str().to_owned(),
        level: match level {
            Level::Warn => "warn".into(),
            Level::Fail => "fail".into(),
        },
        advice_ru: advice(code, Lang::Ru).to_owned(),
        advice_en: advice(code, Lang::En).to_owned(),
        figure_milli: None,
        limit_milli: None,
    }
}

/// Records that a photo is taken back, and that its file may be taken again.
pub(crate) fn take_back(tx: &mut WriteTx<'_>, photo: &RowId, draft: Draft) -> Result<()> {
    let now = draft.now;
    match tx.submit(draft)? {
        Submitted::Saved { .. } => forget_taken(tx, photo, now),
        Submitted::Refused(refusal) => Err(Error::Refused(refusal)),
    }
}

/// Most photos in one answer.
const MOST: u32 = 200;

impl App {
    /// Photos, the latest first: a driver's, or all.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn list_photos(&self, driver: Option<&RowId>, limit: u32) -> Result<Vec<PhotoView>> {
        self.follow_photos()?;
        let limit = limit.clamp(1, MOST);
        self.replica().read(|tx| {
            let mut photos = match driver {
                Some(driver) => tx.photos_of_driver(None, driver)?,
                None => tx.recent_photos(limit)?,
            };
            photos.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            photos.into_iter().map(|photo| self.view(tx, photo)).collect()
        })
    }

    /// A photo.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get_photo(&self, photo: &RowId) -> Result<PhotoView> {
        self.follow_photos()?;
        self.replica().read(|tx| self.view(tx, tx.photo(photo)?.ok_or(Error::NotFound("photo"))?))
    }

    /// The bytes of a photo's file.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::NotHere`] while it is on its way.
    pub fn read_photo_file(&self, photo: &RowId, class: FileClass) -> Result<Vec<u8>> {
        let found: Option<Row> = self.replica().read(|tx| tx.photo(photo))?;
        let found = found.ok_or(Error::NotFound("photo"))?;
        let file = found.photo.files().find(|(of, _)| *of == class).map(|(_, file)| file.id.clone());
        Ok(self.replica().read_file(&file.ok_or(Error::NotFound("file"))?)?)
    }

    /// Takes a photo back, until somebody judged it: its story stays, its files go, and its file may be taken again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] once it is judged, or for somebody else's photo.
    pub fn withdraw_photo(&self, photo: &RowId) -> Result<()> {
        let found: Option<Row> = self.replica().read(|tx| tx.photo(photo))?;
        let park = found.ok_or(Error::NotFound("photo"))?.photo.park_id;
        let draft = self.withdrawal(photo, park)?;
        self.replica().write(Priority::Person, |tx| take_back(tx, photo, draft))?;
        (self.parts.poke)();
        self.follow_photos()
    }

    /// The wish to take a photo back.
    pub(crate) fn withdrawal(&self, photo: &RowId, park: RowId) -> Result<Draft> {
        let command = Command::PhotoWithdraw(PhotoWithdraw { photo: photo.clone(), park });
        Ok(Draft { id: self.new_command_id(), actor: self.actor()?, now: self.now(), command })
    }

    fn view(&self, tx: &ReadTx<'_>, Row { id, photo, state }: Row) -> Result<PhotoView> {
        let note = Note::read(tx, &id)?;
        let driver = tx.driver(&photo.park_id, &photo.driver_id)?;
        let mut files = Vec::new();
        for (class, file) in photo.files() {
            let local = tx.blob(&file.id)?.is_some_and(|blob| blob.object.is_some());
            let (sha256, size_bytes) = (file.id.clone(), file.size_bytes);
            files.push(FileView { class, sha256, size_bytes, local, stored: file.stored });
        }
        let nearest = self.matching.nearest_earlier(&id).map(|nearest| -> Result<NearestView> {
            let file_name = Note::read(tx, &nearest.photo)?.map(|note| note.file_name);
            Ok(NearestView { photo: nearest.photo, file_name, likely: nearest.likely })
        });
        Ok(PhotoView {
            driver_name: driver.map(|driver| driver.name),
            file_name: note.as_ref().map(|note| note.file_name.clone()),
            assigned_by: note.as_ref().and_then(|note| note.assigned_by),
            source: photo.source,
            captured_at_ms: photo.captured_at_ms,
            captured_by: photo.captured_by.to_string(),
            state: state.into(),
            status: photo.status.as_str().to_owned(),
            reason: photo.reason,
            override_reason: photo.override_reason,
            findings: findings(note.as_ref(), &photo.codes),
            quality: photo.quality,
            original_size: note.as_ref().map(|note| note.size),
            portrait_size: photo.crop.as_ref().map(portrait_size),
            face: photo.face.map(Into::into),
            faces: note.map(|note| note.faces).unwrap_or_default(),
            crop: photo.crop.map(Into::into),
            nearest: nearest.transpose()?,
            files,
            id,
            park: photo.park_id,
            driver: photo.driver_id,
        })
    }
}

impl From<RowState> for RecordState {
    fn from(state: RowState) -> Self {
        match state {
            RowState::Saved => Self::Saved,
            RowState::Sent => Self::Sent,
            RowState::Accepted => Self::Accepted,
            RowState::Refused => Self::Refused,
            RowState::Conflict => Self::Conflict,
        }
    }
}
