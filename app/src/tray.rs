//! The Unassigned tray: pictures that wait for a person to say whose they are.
//!
//! A picture in the tray is sealed with a key of its own entry. When it is assigned it is sealed anew with the driver's key
//! and the entry's key is destroyed, so that destroying a driver's key destroys every picture of the driver.
//!
//! Offers rank drivers by their photo that looks most alike; they are made only for parks whose policy allows a search.

use parkdesk_domain::body::{FacePolicy, FileClass};
use parkdesk_domain::{BlobId, Millis, RowId};
use parkdesk_sqlcipher::sealed;
use parkdesk_sqlite::{NewUnassigned, Origin, Priority, Taken as TakenRow, TakenOutcome, Unassigned, WriteTx};
use parkdesk_vision::faces::protocol::{Analysis, Descriptor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::capture::{AssignedBy, Shot, Source, Taken, TrayReason, Whose, taken_row};
use crate::error::{Error, Result};
use crate::matching::{Likely, Likeness};
use crate::note::{Note, Waited, to_json};
use crate::photos::{FindingView, findings, take_back};
use crate::words::{self, Lang};

/// Offers shown for one picture.
const OFFERS: usize = 5;

/// A picture in the tray.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrayView {
    /// The entry.
    #[schema(value_type = String)]
    pub id: RowId,
    /// The file it was taken from.
    pub file_name: String,
    /// Why it waits.
    pub reason: TrayReason,
    /// The same in words, in English.
    pub reason_text: String,
    /// The park, if that is known.
    #[schema(value_type = Option<String>)]
    pub park: Option<RowId>,
    /// When the shot was taken.
    #[schema(value_type = i64)]
    pub captured_at_ms: Millis,
    /// Faces found.
    pub faces_found: u64,
    /// What broke a limit, with advice.
    pub findings: Vec<FindingView>,
}

/// Who a picture may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offers {
    /// Drivers, the most alike first.
    pub offers: Vec<OfferView>,
    /// Why there are none: `search_is_off` (the park's policy), `no_face`, `nobody_known` or `nobody_alike`.
    pub none_because: Option<NoOffers>,
}

/// Why there are no offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoOffers {
    /// No park of this appliance lets faces be searched.
    SearchIsOff,
    /// The picture has no usable face.
    NoFace,
    /// No driver has a photo here to compare with.
    NobodyKnown,
    /// Everybody known looks different.
    NobodyAlike,
}

/// A driver that a picture may show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// The driver.
    #[schema(value_type = String)]
    pub driver: RowId,
    /// The driver's park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The driver's name.
    pub driver_name: Option<String>,
    /// The driver's photo that looks most alike.
    #[schema(value_type = String)]
    pub photo: RowId,
    /// How sure that is.
    #[serde(flatten)]
    pub likely: Likely,
}

/// What the tray keeps of a picture besides its files.
#[derive(Serialize, Deserialize)]
struct Kept {
    analysis: Analysis,
    note: Note,
    /// The template of the main face, sealed with the entry's key, in hex.
    template: Option<String>,
}

/// The name under which an entry's template is sealed.
fn seal_name(entry: &RowId) -> String {
    format!("tray-template/{entry}")
}

impl App {
    /// Puts a picture into the tray. A template is kept, sealed, only if some park of this appliance lets faces be matched.
    pub(crate) fn put_in_tray(&self, shot: &Shot, park: Option<RowId>, reason: TrayReason) -> Result<Taken> {
        self.put_aside(shot, park, reason, |_| Ok(()))
    }

    /// Puts a picture into the tray; `before` is part of the same transaction.
    fn put_aside(
        &self,
        shot: &Shot,
        park: Option<RowId>,
        reason: TrayReason,
        before: impl FnOnce(&mut WriteTx<'_>) -> Result<()>,
    ) -> Result<Taken> {
        let entry = self.new_row_id();
        let now = self.now();
        let files = self.put_files(&entry, &shot.analysis)?;
        let may_match =
            self.list_parks()?.iter().any(|park| matches!(park.faces, FacePolicy::Verify | FacePolicy::Search));
        let template = match shot.analysis.faces.first().and_then(|face| face.descriptor.as_ref()).filter(|_| may_match)
        {
            Some(template) => {
                let key = self.replica().person_key(&entry)?;
                Some(hex::encode(sealed::seal(&key, &seal_name(&entry), &template.to_bytes(), &mut rand::rng())))
            }
            None => None,
        };
        let note = Note::new(shot, None);
        let kept = to_json(&Kept { analysis: shot.analysis.clone(), note, template })?;
        let new = NewUnassigned {
            id: entry.clone(),
            name: shot.file_name.clone(),
            source_sha256: shot.sha.clone(),
            park,
            source: shot.source.as_str().into(),
            files: files.iter().map(|file| (file.class, file.id.clone())).collect(),
            analysis: kept,
            offers: "[]".into(),
            reason: to_json(&reason)?,
            captured_at_ms: shot.captured_at_ms,
        };
        let written = self.replica().write(Priority::Person, |tx| -> Result<()> {
            before(tx)?;
            for file in &files {
                tx.add_blob(&file.to_blob(Origin::Local), now)?;
            }
            tx.add_unassigned(&new, now)?;
            Ok(tx.record_taken(&taken_row(shot, TakenOutcome::Tray, &entry, now))?)
        });
        if let Err(error) = written {
            // What was sealed for an entry that did not come about is nobody's.
            self.replica().destroy_person_key(&entry)?;
            return Err(error);
        }
        Ok(Taken::Tray { entry, reason })
    }

    /// Takes an assignment back: the photo is withdrawn and its picture waits in the tray again, as it did before.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the photo did not come from this tray or was taken back before; [`Error::Refused`] once it is
    /// judged. Nothing is changed then.
    pub fn return_to_tray(&self, photo: &RowId) -> Result<Taken> {
        let (row, note) = self.replica().read(|tx| -> Result<_> { Ok((tx.photo(photo)?, Note::read(tx, photo)?)) })?;
        let row = row.map(|row| row.photo).filter(|row| !row.is_withdrawn()).ok_or(Error::NotFound("photo"))?;
        let Some(Note { waited: Some(waited), sha256: Some(sha), file_name, .. }) = note else {
            return Err(Error::NotFound("picture"));
        };
        let mut analysis = waited.analysis;
        let files = row.files().map(|(class, file)| (class, file.id.clone())).collect::<Vec<_>>();
        self.read_pictures(&files, &mut analysis)?;
        if let Some(face) = analysis.faces.first_mut() {
            face.descriptor = self.matching.template(photo);
        }
        let shot = Shot {
            sha,
            file_name,
            source: Source::from_text(&row.source),
            captured_at_ms: row.captured_at_ms,
            override_reason: None,
            analysis,
        };
        let draft = self.withdrawal(photo, row.park_id)?;
        let taken = self.put_aside(&shot, waited.park, waited.reason, |tx| take_back(tx, photo, draft))?;
        (self.parts.poke)();
        self.follow_photos()?;
        Ok(taken)
    }

    fn read_pictures(&self, files: &[(FileClass, BlobId)], analysis: &mut Analysis) -> Result<()> {
        for (class, id) in files {
            let bytes = self.replica().read_file(id)?;
            match class {
                FileClass::Original => analysis.original = bytes,
                FileClass::Portrait => analysis.portrait = Some(bytes),
                FileClass::Thumb => analysis.thumb = bytes,
            }
        }
        Ok(())
    }

    /// The tray, the oldest picture first.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn list_tray(&self) -> Result<Vec<TrayView>> {
        let entries: Vec<Unassigned> = self.replica().read(|tx| tx.unassigned())?;
        entries
            .into_iter()
            .map(|Unassigned { entry, .. }| {
                let kept = kept(&entry)?;
                let reason = reason(&entry)?;
                Ok(TrayView {
                    reason_text: words::tray_reason(reason, Lang::En).to_owned(),
                    faces_found: kept.note.faces.len() as u64,
                    findings: findings(Some(&kept.note), &[]),
                    id: entry.id,
                    file_name: entry.name,
                    reason,
                    park: entry.park,
                    captured_at_ms: entry.captured_at_ms,
                })
            })
            .collect()
    }

    /// The bytes of a waiting picture's file.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn read_tray_file(&self, entry: &RowId, class: FileClass) -> Result<Vec<u8>> {
        let entry = self.tray_entry(entry)?;
        let file = entry.files.iter().find(|(of, _)| *of == class).map(|(_, id)| id);
        Ok(self.replica().read_file(file.ok_or(Error::NotFound("file"))?)?)
    }

    /// Who a waiting picture may show, the most alike first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Busy`] after too many searches.
    pub fn offers(&self, entry: &RowId) -> Result<Offers> {
        let entry = self.tray_entry(entry)?;
        let none = |why| Ok(Offers { offers: Vec::new(), none_because: Some(why) });
        let parks: Vec<RowId> = self
            .list_parks()?
            .into_iter()
            .filter(|park| park.faces == FacePolicy::Search && entry.park.as_ref().is_none_or(|of| *of == park.id))
            .map(|park| park.id)
            .collect();
        if parks.is_empty() {
            return none(NoOffers::SearchIsOff);
        }
        let kept = kept(&entry)?;
        let Some(template) = self.open_template(&entry.id, &kept)? else { return none(NoOffers::NoFace) };
        if !self.may_search("tray") {
            return Err(Error::Busy);
        }
        self.follow_photos()?;
        // Templates of another model say nothing about this one.
        let is_comparable = self.matching.is_for(&kept.analysis.model_id, &kept.analysis.aligner_id);
        let found = if is_comparable { self.matching.candidates(&template, &parks, OFFERS) } else { Vec::new() };
        if found.is_empty() {
            return none(NoOffers::NobodyKnown);
        }
        let alike = found.into_iter().filter(|found| found.likely.verdict != Likeness::Different);
        let found: Vec<_> = alike.collect();
        if found.is_empty() {
            return none(NoOffers::NobodyAlike);
        }
        let offers = found.into_iter().map(|found| {
            let driver_name = self.driver_name(&found.park, &found.driver)?;
            Ok(OfferView {
                driver: found.driver,
                park: found.park,
                driver_name,
                photo: found.photo,
                likely: found.likely,
            })
        });
        Ok(Offers { offers: offers.collect::<Result<_>>()?, none_because: None })
    }

    /// Says whom a waiting picture shows (profile id, licence number or phone): it becomes that driver's photo.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`], then the picture stays in the tray.
    pub fn assign_unassigned(
        &self,
        entry: &RowId,
        park: Option<&RowId>,
        driver: &str,
        reason: Option<String>,
    ) -> Result<Taken> {
        let entry = self.tray_entry(entry)?;
        let mut kept = kept(&entry)?;
        let (park, driver) = self.named_driver(park.or(entry.park.as_ref()), driver)?;
        let waited =
            Waited { park: entry.park.clone(), reason: self::reason(&entry)?, analysis: kept.analysis.clone() };
        self.read_pictures(&entry.files, &mut kept.analysis)?;
        let template = self.open_template(&entry.id, &kept)?;
        if let Some(face) = kept.analysis.faces.first_mut() {
            face.descriptor = template;
        }
        let shot = Shot {
            sha: entry.source_sha256,
            file_name: entry.name,
            source: Source::from_text(&entry.source),
            captured_at_ms: entry.captured_at_ms,
            override_reason: reason,
            analysis: kept.analysis,
        };
        let assigned_by = AssignedBy::Person;
        let photo =
            self.save_photo(&shot, Whose { park, driver: driver.clone(), assigned_by }, Some((&entry.id, waited)))?;
        self.replica().destroy_person_key(&entry.id)?;
        Ok(self.captured(photo, driver, assigned_by))
    }

    /// Throws a waiting picture away: its key is destroyed, so that nothing of it can be read again. The same file may be
    /// taken again.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn discard_unassigned(&self, entry: &RowId) -> Result<()> {
        let entry = self.tray_entry(entry)?;
        let now = self.now();
        self.replica().write(Priority::Person, |tx| -> Result<()> {
            tx.remove_unassigned(&entry.id)?;
            tx.release_unreferenced()?;
            let (sha256, name) = (entry.source_sha256.clone(), entry.name.clone());
            Ok(tx.record_taken(&TakenRow {
                sha256,
                name,
                outcome: TakenOutcome::Rejected,
                subject: None,
                at_ms: now,
            })?)
        })?;
        Ok(self.replica().destroy_person_key(&entry.id)?)
    }

    /// The one driver that a person named, with the park.
    pub(crate) fn named_driver(&self, park: Option<&RowId>, driver: &str) -> Result<(RowId, RowId)> {
        let mut found = self.find_by_hint(driver.trim())?;
        found.retain(|(of, _)| park.is_none_or(|park| park == of));
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Error::NotFound("driver")),
            [(_, first), rest @ ..] if rest.iter().all(|(_, id)| id == first) => {
                Err(Error::BadInput { field: "park", why: "several parks have this driver: name the park" })
            }
            _ => Err(Error::BadInput { field: "driver", why: "it fits several drivers: give the profile id" }),
        }
    }

    fn tray_entry(&self, entry: &RowId) -> Result<NewUnassigned> {
        let found: Option<Unassigned> = self.replica().read(|tx| tx.unassigned_entry(entry))?;
        Ok(found.ok_or(Error::NotFound("picture"))?.entry)
    }

    fn open_template(&self, entry: &RowId, kept: &Kept) -> Result<Option<Descriptor>> {
        let Some(text) = &kept.template else { return Ok(None) };
        let damaged = Error::Damaged("the template of a waiting picture");
        let Ok(bytes) = hex::decode(text) else { return Err(damaged) };
        let key = self.replica().person_key(entry)?;
        let Ok(plain) = sealed::open(&key, &seal_name(entry), &bytes) else { return Err(damaged) };
        Descriptor::from_bytes(&plain).map(Some).map_err(|_| damaged)
    }
}

fn kept(entry: &NewUnassigned) -> Result<Kept> {
    serde_json::from_str(&entry.analysis).map_err(|_| Error::Damaged("a waiting picture"))
}

fn reason(entry: &NewUnassigned) -> Result<TrayReason> {
    serde_json::from_str(&entry.reason).map_err(|_| Error::Damaged("a waiting picture"))
}
