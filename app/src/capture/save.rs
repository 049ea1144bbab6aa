//! Saving a photo of a known driver: files first, then one transaction with everything that says they exist.
//!
//! Invariant: a file is sealed and synced before a row names it, and every row of the photo commits at once with the row
//! that says "taken"; a crash leaves at most files that no row names, which the replica sweeps at its next start
//! (`a_crash_between_files_and_rows_leaves_one_photo`). The command's id follows from device, park and the file's bytes.

use parkdesk_domain::body::{FaceBox, FacePolicy, FileClass, PhotoFile};
use parkdesk_domain::command::PhotoCapture;
use parkdesk_domain::{BlobId, Command, CommandId, Millis, RowId};
use parkdesk_sqlite::{
    Draft, NewTemplate, Origin, Priority, StoredFile, Submitted, Taken as TakenRow, TakenOutcome, WriteTx,
};
use parkdesk_vision::faces::protocol::{Analysis, Descriptor};
use uuid::Uuid;

use super::{AssignedBy, Source};
use crate::App;
use crate::error::{Error, Result};
use crate::matching::Known;
use crate::note::{Note, Waited};

/// Where the ids of captures come from.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d1c_83a2_6c0e_4b57_9f3a_0f6f_2f8e_71c4);

/// A picture that was looked at.
pub(crate) struct Shot {
    /// SHA-256 of the file as it came.
    pub(crate) sha: BlobId,
    pub(crate) file_name: String,
    pub(crate) source: Source,
    pub(crate) captured_at_ms: Millis,
    pub(crate) override_reason: Option<String>,
    pub(crate) analysis: Analysis,
}

/// Whose photo it is.
pub(crate) struct Whose {
    pub(crate) park: RowId,
    pub(crate) driver: RowId,
    pub(crate) assigned_by: AssignedBy,
}

impl App {
    /// Saves a photo: three files, the command, the template if the park allows one, the note and the "taken" row. With
    /// `leaving`, the tray's entry ends in the same transaction.
    pub(crate) fn save_photo(&self, shot: &Shot, whose: Whose, leaving: Option<(&RowId, Waited)>) -> Result<RowId> {
        let (device, actor) = (self.device()?, self.actor()?);
        let mut name = format!("photo.capture/{device}/{}/{}", whose.park, shot.sha);
        // The hub answers the same id with the same verdict: after a refusal that was let go the file begins anew.
        let let_go: Option<String> = self.replica().read(|tx| tx.setting(&let_go(&shot.sha)))?;
        if let Some(before) = let_go {
            name.push_str(&format!("/after/{before}"));
        }
        let id = CommandId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        let photo = id.made("photo");
        let (leaving, waited) = leaving.unzip();
        let note = Note { waited, ..Note::new(shot, Some(whose.assigned_by)) };
        let template = match self.face_policy(&whose.park)? {
            FacePolicy::Verify | FacePolicy::Search => new_template(&photo, &whose.driver, &shot.analysis),
            FacePolicy::Off | FacePolicy::Other => None,
        };
        let files = self.put_files(&whose.driver, &shot.analysis)?;
        let command = Command::PhotoCapture(Box::new(capture(&photo, &whose, shot, &note, &files)?));
        let now = self.now();
        self.replica().write(Priority::Person, |tx| {
            if let Submitted::Refused(refusal) = tx.submit(Draft { id, actor, now, command })? {
                return Err(Error::Refused(refusal));
            }
            for file in &files {
                tx.add_blob(&file.to_blob(Origin::Local), now)?;
            }
            if let Some((template, _)) = &template {
                tx.put_template(template)?;
            }
            note.write(tx, &photo)?;
            tx.record_taken(&taken_row(shot, TakenOutcome::Captured, &photo, now))?;
            if let Some(entry) = leaving {
                tx.remove_unassigned(entry)?;
            }
            Ok(())
        })?;
        if let Some((_, template)) = template {
            let Whose { park, driver, .. } = whose;
            let known = Known { photo: photo.clone(), park, driver, captured_at_ms: shot.captured_at_ms, template };
            self.know(known, &shot.analysis.model_id, &shot.analysis.aligner_id)?;
        }
        (self.parts.poke)();
        Ok(photo)
    }

    /// Seals the files of a picture for that person; none is left behind by a full disk but for the next start to sweep.
    pub(crate) fn put_files(&self, person: &RowId, analysis: &Analysis) -> Result<Vec<StoredFile>> {
        let files = [
            (FileClass::Thumb, Some(&analysis.thumb)),
            (FileClass::Portrait, analysis.portrait.as_ref()),
            (FileClass::Original, Some(&analysis.original)),
        ];
        let files = files.into_iter().filter_map(|(class, bytes)| Some((class, bytes?)));
        files.map(|(class, bytes)| Ok(self.replica().put_file(person, class, bytes)?)).collect()
    }

    /// What a file with these bytes became, if it was taken; one that was thrown away may be taken again.
    pub(crate) fn find_taken(&self, sha: &BlobId) -> Result<Option<RowId>> {
        let taken: Option<TakenRow> = self.replica().read(|tx| tx.taken_file(sha))?;
        let taken = taken.filter(|taken| taken.outcome != TakenOutcome::Rejected);
        Ok(taken.and_then(|taken| taken.subject?.parse().ok()))
    }

    /// Whether the hub has every file of the photo that these bytes became.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn hub_has_file(&self, sha: &BlobId) -> Result<bool> {
        let Some(photo) = self.find_taken(sha)? else { return Ok(false) };
        let view: Option<parkdesk_sqlite::PhotoView> = self.replica().read(|tx| tx.photo(&photo))?;
        Ok(view.is_some_and(|view| view.photo.is_stored()))
    }
}

/// The setting that names the last photo of that file that was let go.
fn let_go(sha: &BlobId) -> String {
    format!("photo_let_go/{sha}")
}

/// A capture that was not done is let go: its file may be taken again.
pub(crate) fn forget_taken(tx: &mut WriteTx<'_>, photo: &RowId, now: Millis) -> Result<()> {
    let Some(Note { sha256: Some(sha256), file_name: name, .. }) = Note::read(tx, photo)? else { return Ok(()) };
    tx.set_setting(&let_go(&sha256), photo.as_str())?;
    let outcome = TakenOutcome::Rejected;
    Ok(tx.record_taken(&TakenRow { sha256, name, outcome, subject: None, at_ms: now })?)
}

pub(crate) fn taken_row(shot: &Shot, outcome: TakenOutcome, subject: &RowId, at_ms: Millis) -> TakenRow {
    TakenRow {
        sha256: shot.sha.clone(),
        name: shot.file_name.clone(),
        outcome,
        subject: Some(subject.to_string()),
        at_ms,
    }
}

fn new_template(photo: &RowId, driver: &RowId, analysis: &Analysis) -> Option<(NewTemplate, Descriptor)> {
    let descriptor = analysis.faces.first()?.descriptor.clone()?;
    let template = NewTemplate {
        photo: photo.clone(),
        face: main_face(analysis)?,
        person: driver.clone(),
        model_id: analysis.model_id.clone(),
        aligner_id: analysis.aligner_id.clone(),
        vector: descriptor.to_bytes(),
    };
    Some((template, descriptor))
}

fn main_face(analysis: &Analysis) -> Option<FaceBox> {
    let area = analysis.faces.first()?.area;
    Some(FaceBox { x: area.x, y: area.y, w: area.w, h: area.h })
}

fn capture(photo: &RowId, whose: &Whose, shot: &Shot, note: &Note, files: &[StoredFile]) -> Result<PhotoCapture> {
    let file = |class| {
        let file = files.iter().find(|file| file.class == class)?;
        Some(PhotoFile { id: file.id.clone(), size_bytes: file.size_bytes, stored: false })
    };
    let whole = |class| file(class).ok_or(Error::Damaged("the face program's answer has no picture"));
    Ok(PhotoCapture {
        photo: photo.clone(),
        park: whose.park.clone(),
        driver: whose.driver.clone(),
        // What a photo centre or park office takes goes before what a driver sends (data.md).
        priority: "admin".into(),
        source: shot.source.as_str().into(),
        captured_at_ms: shot.captured_at_ms,
        original: whole(FileClass::Original)?,
        portrait: file(FileClass::Portrait),
        thumb: whole(FileClass::Thumb)?,
        crop: note.crop,
        face: main_face(&shot.analysis),
        quality: note.quality.components.clone(),
        codes: note.codes(),
        override_reason: shot.override_reason.clone(),
    })
}
