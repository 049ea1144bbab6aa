//! Shots: pictures of the desk between the shutter and the save. Looked at once, framed anew as often as wanted, shown from
//! memory, and then saved the way a file is taken.
//!
//! A shot is kept in memory alone, at most [`MOST`] of them for [`LIVES_MS`], and wiped when it goes: what a person did not
//! save leaves no trace (`a_shot_that_is_not_saved_leaves_nothing_behind`). Its id is new each time; the photo's id follows
//! from the picture's bytes as in [`App::take_file`], so that saving twice makes one photo.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parkdesk_domain::body::{Crop, FacePolicy, FileClass};
use parkdesk_domain::{BlobId, Millis, RowId};
use parkdesk_vision::faces::client::FacesError;
use parkdesk_vision::faces::protocol::{Descriptor, Priority};
use parkdesk_vision::geometry::{Cut, cut_fits, cuts_head_off};
use parkdesk_vision::quality::Quality;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroize;

use super::{AssignedBy, Shot, Source, TakeError, Taken, Whose};
use crate::App;
use crate::error::Error;
use crate::matching::{Likely, Likeness};
use crate::note::{CropView, FaceGeometry, Note, Size, portrait_size};
use crate::photos::{FindingView, NearestView, findings};

/// Shots kept at most; the oldest goes first.
const MOST: usize = 8;
/// How long a shot waits to be saved.
const LIVES_MS: i64 = 15 * 60 * 1000;
/// Shots that are gone but still known by name, so that their end can be told.
const REMEMBERED: usize = 64;
/// Longest reason.
const REASON: usize = 500;

/// A picture to look at before it is saved.
pub struct NewShot {
    /// The picture as it came.
    pub bytes: Vec<u8>,
    /// The file's name, or what the camera is called.
    pub name: String,
    /// `camera` or `file`.
    pub source: Source,
    /// When it was taken.
    pub taken_at_ms: Millis,
    /// The park; `None` = the one park this appliance serves.
    pub park: Option<RowId>,
    /// The driver, if that is known already.
    pub driver: Option<RowId>,
}

/// A shot that waits to be saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShotView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Columns of the original.
    pub width: u32,
    /// Rows of the original.
    pub height: u32,
    /// Faces with their points, the main face first.
    pub faces: Vec<FaceGeometry>,
    /// The portrait's rectangle; none without a face.
    pub crop: Option<CropView>,
    /// The portrait's size.
    pub portrait_size: Option<Size>,
    /// What broke a limit, with advice; with a `fail` among them a save needs a reason.
    pub findings: Vec<FindingView>,
    /// The driver's earlier photo that looks most like it, if the driver is known and has one.
    pub nearest: Option<NearestView>,
    /// Somebody else whom it looks like, where the park lets faces be searched.
    pub other_driver: Option<OtherDriver>,
    /// The photo or the tray's entry that the same bytes became before.
    #[schema(value_type = Option<String>)]
    pub duplicate_of: Option<RowId>,
    /// Until when it waits.
    #[schema(value_type = i64)]
    pub expires_at_ms: Millis,
}

/// Somebody else whom a picture looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OtherDriver {
    /// The driver's park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The driver.
    #[schema(value_type = String)]
    pub id: RowId,
    /// The driver's name.
    pub name: Option<String>,
    /// The driver's photo that looks most alike.
    #[schema(value_type = String)]
    pub photo: RowId,
    /// How sure that is.
    pub likely: Likely,
}

/// Whose photo a shot becomes.
pub struct SaveShot {
    /// The park, if several have such a driver.
    pub park: Option<RowId>,
    /// The driver: profile id, licence number or phone.
    pub driver: String,
    /// Why it is sent in spite of a failed check.
    pub reason: Option<String>,
}

/// Why a shot or a frame was not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum ShotError {
    /// The picture is not taken.
    #[error(transparent)]
    Take(#[from] TakeError),
    /// The request cannot be met.
    #[error(transparent)]
    Use(#[from] Error),
    /// It waited too long, made room for newer ones, or was let go.
    #[error("this shot is gone: it was not saved within 15 minutes or made room for newer ones. Take the photo again")]
    Expired,
    /// A newer live frame took this one's place.
    #[error("a newer frame took this one's place: send the next one")]
    Superseded,
}

impl From<FacesError> for ShotError {
    fn from(error: FacesError) -> Self {
        match error {
            FacesError::Superseded => Self::Superseded,
            other @ (FacesError::Rejected(_)
            | FacesError::Quarantined
            | FacesError::Busy
            | FacesError::Unavailable(_)
            | FacesError::Stopped) => Self::Take(other.into()),
        }
    }
}

/// The shots in memory.
#[derive(Default)]
pub(crate) struct Shots {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: VecDeque<(RowId, Millis, Arc<Mutex<Kept>>)>,
    gone: VecDeque<(RowId, Gone)>,
}

#[derive(Clone)]
enum Gone {
    Saved(RowId),
    LetGo,
}

/// One shot. Its pictures are wiped when it is dropped.
struct Kept {
    shot: Shot,
    park: Option<RowId>,
    driver: Option<RowId>,
    expires_at: Millis,
    duplicate_of: Option<RowId>,
    /// What the machine framed: coming back to it gives the very same portrait.
    automatic: Option<(Cut, Vec<u8>, Quality)>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let analysis = &mut self.shot.analysis;
        analysis.original.zeroize();
        analysis.thumb.zeroize();
        analysis.portrait.zeroize();
        if let Some((_, portrait, _)) = &mut self.automatic {
            portrait.zeroize();
        }
    }
}

impl Shots {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of shots whose time is over.
    pub(crate) fn sweep(&self, now: Millis) {
        let mut state = self.lock();
        while let Some((id, _, _)) = state.kept.pop_front_if(|(_, expires, _)| *expires <= now) {
            state.forget(id, Gone::LetGo);
        }
    }

    fn put(&self, id: RowId, kept: Kept) {
        let mut state = self.lock();
        if state.kept.len() >= MOST
            && let Some((oldest, _, _)) = state.kept.pop_front()
        {
            state.forget(oldest, Gone::LetGo);
        }
        state.kept.push_back((id, kept.expires_at, Arc::new(Mutex::new(kept))));
    }

    fn get(&self, id: &RowId, now: Millis) -> Result<Arc<Mutex<Kept>>, ShotError> {
        self.sweep(now);
        let state = self.lock();
        if let Some((_, _, kept)) = state.kept.iter().find(|(known, _, _)| known == id) {
            return Ok(Arc::clone(kept));
        }
        match state.gone.iter().any(|(known, _)| known == id) {
            true => Err(ShotError::Expired),
            false => Err(Error::NotFound("shot").into()),
        }
    }

    fn saved_as(&self, id: &RowId) -> Option<RowId> {
        self.lock().gone.iter().find(|(known, _)| known == id).and_then(|(_, gone)| match gone {
            Gone::Saved(photo) => Some(photo.clone()),
            Gone::LetGo => None,
        })
    }

    fn end(&self, id: &RowId, how: Gone) -> bool {
        let mut state = self.lock();
        let Some(at) = state.kept.iter().position(|(known, _, _)| known == id) else { return false };
        state.kept.remove(at);
        state.forget(id.clone(), how);
        true
    }
}

impl State {
    fn forget(&mut self, id: RowId, how: Gone) {
        if self.gone.len() >= REMEMBERED {
            self.gone.pop_front();
        }
        self.gone.push_back((id, how));
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    /// Looks at a picture and keeps it in memory for a person to judge. Blocks while the faces process looks at it.
    ///
    /// # Errors
    /// [`ShotError`]; nothing is kept then.
    pub fn make_shot(&self, new: NewShot) -> Result<ShotView, ShotError> {
        self.device()?;
        let park = self.known_park(new.park.as_ref())?;
        if let Some(driver) = &new.driver {
            let park =
                park.as_ref().ok_or(Error::BadInput { field: "park", why: "several parks are served: name one" })?;
            self.driver_name(park, driver)?.ok_or(Error::NotFound("driver"))?;
        }
        let sha = BlobId::of(&new.bytes);
        let duplicate_of = self.find_taken(&sha)?;
        let analysis = self.look(new.bytes, Priority::Save)?;
        let automatic = analysis.cut.zip(analysis.portrait.clone());
        let automatic = automatic.map(|(cut, portrait)| (cut, portrait, analysis.quality.clone()));
        let expires_at = self.now().plus(LIVES_MS);
        let shot = Shot {
            sha,
            file_name: new.name,
            source: new.source,
            captured_at_ms: new.taken_at_ms,
            override_reason: None,
            analysis,
        };
        let id = self.new_row_id();
        let kept = Kept { shot, park, driver: new.driver, expires_at, duplicate_of, automatic };
        let view = self.shot_view(&id, &kept)?;
        self.shots.sweep(self.now());
        self.shots.put(id, kept);
        Ok(view)
    }

    /// A shot as it stands; with a driver, compared with that driver's photos from now on.
    ///
    /// # Errors
    /// [`ShotError::Expired`], or that there is no such shot or driver.
    pub fn get_shot(&self, id: &RowId, whose: Option<(RowId, RowId)>) -> Result<ShotView, ShotError> {
        let kept = self.shots.get(id, self.now())?;
        let mut kept = lock(&kept);
        if let Some((park, driver)) = whose {
            self.driver_name(&park, &driver)?.ok_or(Error::NotFound("driver"))?;
            (kept.park, kept.driver) = (Some(park), Some(driver));
        }
        self.shot_view(id, &kept)
    }

    /// The bytes of a shot's file.
    ///
    /// # Errors
    /// [`ShotError::Expired`], or that there is no such file.
    pub fn read_shot_file(&self, id: &RowId, class: FileClass) -> Result<Vec<u8>, ShotError> {
        let kept = self.shots.get(id, self.now())?;
        let kept = lock(&kept);
        let analysis = &kept.shot.analysis;
        match class {
            FileClass::Original => Ok(analysis.original.clone()),
            FileClass::Thumb => Ok(analysis.thumb.clone()),
            FileClass::Portrait => Ok(analysis.portrait.clone().ok_or(Error::NotFound("file"))?),
        }
    }

    /// Frames the portrait otherwise. Blocks while the faces process cuts it.
    ///
    /// # Errors
    /// That the rectangle is none: not 3:4, too small, or outside the picture.
    pub fn crop_shot(&self, id: &RowId, crop: CropView) -> Result<ShotView, ShotError> {
        let kept = self.shots.get(id, self.now())?;
        let mut kept = lock(&kept);
        let CropView { x, y, w, h, turn } = crop;
        let cut = Cut { x, y, w, h, turn };
        if let Some((automatic, portrait, quality)) = kept.automatic.clone().filter(|(automatic, ..)| *automatic == cut)
        {
            kept.shot.analysis.cut = Some(automatic);
            kept.shot.analysis.quality = quality;
            kept.shot.analysis.portrait.zeroize();
            kept.shot.analysis.portrait = Some(portrait);
            return self.shot_view(id, &kept);
        }
        let analysis = &mut kept.shot.analysis;
        if !cut_fits(&cut, analysis.width, analysis.height) {
            let why = "the rectangle is 3:4 (w = 3n, h = 4n), at least 90 px wide, and inside the picture when turned";
            return Err(Error::BadInput { field: "crop", why }.into());
        }
        let portrait = self.parts.faces.portrait(analysis.original.clone(), cut)?;
        analysis.portrait.zeroize();
        analysis.portrait = Some(portrait);
        analysis.cut = Some(cut);
        if let Some(face) = analysis.faces.first() {
            let (left, right) = face.eyes();
            analysis.quality.set_head_cut_off(cuts_head_off(&cut, left, right));
        }
        self.shot_view(id, &kept)
    }

    /// Lets a shot go.
    ///
    /// # Errors
    /// [`ShotError::Expired`], or that there is no such shot.
    pub fn drop_shot(&self, id: &RowId) -> Result<(), ShotError> {
        self.shots.get(id, self.now())?;
        self.shots.end(id, Gone::LetGo);
        Ok(())
    }

    /// Saves a shot as a photo of that driver; durable when it returns. Asked again, it answers with the photo it became.
    ///
    /// # Errors
    /// That a reason is missing; that the rules refuse it. The shot stays.
    pub fn save_shot(&self, id: &RowId, save: SaveShot) -> Result<Taken, ShotError> {
        if let Some(of) = self.shots.saved_as(id) {
            return Ok(Taken::Duplicate { of });
        }
        let kept = self.shots.get(id, self.now())?;
        let mut kept = lock(&kept);
        let reason = save.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if kept.shot.analysis.quality.fails() && reason.is_none() {
            let why = "a check failed: take another shot, or say why this one is sent in spite of it";
            return Err(Error::BadInput { field: "reason", why }.into());
        }
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON) {
            return Err(Error::BadInput { field: "reason", why: "at most 500 characters" }.into());
        }
        if let Some(of) = self.find_taken(&kept.shot.sha)? {
            self.shots.end(id, Gone::Saved(of.clone()));
            return Ok(Taken::Duplicate { of });
        }
        let (park, driver) = self.named_driver(save.park.as_ref().or(kept.park.as_ref()), &save.driver)?;
        kept.shot.override_reason = reason;
        let assigned_by = AssignedBy::Person;
        let photo = self.save_photo(&kept.shot, Whose { park, driver: driver.clone(), assigned_by }, None)?;
        self.shots.end(id, Gone::Saved(photo.clone()));
        drop(kept);
        Ok(self.captured(photo, driver, assigned_by))
    }

    /// The park that is meant: the named one, or the only one.
    fn known_park(&self, park: Option<&RowId>) -> Result<Option<RowId>, Error> {
        let parks = self.list_parks()?;
        match park {
            Some(id) if parks.iter().any(|park| park.id == *id) => Ok(Some(id.clone())),
            Some(_) => Err(Error::NotFound("park")),
            None => Ok(match parks.as_slice() {
                [only] => Some(only.id.clone()),
                _ => None,
            }),
        }
    }

    fn shot_view(&self, id: &RowId, kept: &Kept) -> Result<ShotView, ShotError> {
        let note = Note::new(&kept.shot, None);
        let analysis = &kept.shot.analysis;
        let nearest = self.nearest_of_shot(kept)?;
        let other_driver = self.other_driver(kept, nearest.as_ref().map(|nearest| nearest.likely.verdict))?;
        let crop = analysis.cut.map(|cut| Crop { x: cut.x, y: cut.y, w: cut.w, h: cut.h, turn: cut.turn });
        Ok(ShotView {
            id: id.clone(),
            width: analysis.width,
            height: analysis.height,
            findings: findings(Some(&note), &[]),
            faces: note.faces,
            portrait_size: crop.as_ref().map(portrait_size),
            crop: crop.map(Into::into),
            nearest,
            other_driver,
            duplicate_of: kept.duplicate_of.clone(),
            expires_at_ms: kept.expires_at,
        })
    }

    /// The template of the shot's main face, if this park lets it be compared and the templates known here are of its model.
    fn comparable<'a>(
        &self,
        kept: &'a Kept,
        policies: &[FacePolicy],
    ) -> Result<Option<(&'a Descriptor, RowId)>, Error> {
        let analysis = &kept.shot.analysis;
        let Some(park) = &kept.park else { return Ok(None) };
        let template = analysis.faces.first().and_then(|face| face.descriptor.as_ref());
        let Some(template) = template.filter(|_| self.matching.is_for(&analysis.model_id, &analysis.aligner_id)) else {
            return Ok(None);
        };
        Ok(policies.contains(&self.face_policy(park)?).then(|| (template, park.clone())))
    }

    fn nearest_of_shot(&self, kept: &Kept) -> Result<Option<NearestView>, Error> {
        let Some(driver) = &kept.driver else { return Ok(None) };
        let Some((template, park)) = self.comparable(kept, &[FacePolicy::Verify, FacePolicy::Search])? else {
            return Ok(None);
        };
        self.follow_photos()?;
        let Some(nearest) = self.matching.nearest_of(template, &park, driver) else { return Ok(None) };
        let note = self.replica().read(|tx| Note::read(tx, &nearest.photo))?;
        let file_name = note.map(|note| note.file_name);
        Ok(Some(NearestView { photo: nearest.photo, file_name, likely: nearest.likely }))
    }

    /// Somebody else of the park whom the face looks like: surely, or, unless it is surely the chosen driver, with less than
    /// one stranger expected to look as alike.
    fn other_driver(&self, kept: &Kept, own: Option<Likeness>) -> Result<Option<OtherDriver>, Error> {
        let Some((template, park)) = self.comparable(kept, &[FacePolicy::Search])? else { return Ok(None) };
        if !self.may_search("shot") {
            return Ok(None);
        }
        self.follow_photos()?;
        let found = self.matching.candidates(template, std::slice::from_ref(&park), 2);
        let worth_telling = |likely: &Likely| match likely.verdict {
            Likeness::Same => true,
            Likeness::Unsure => own != Some(Likeness::Same) && likely.false_matches_milli < 1000,
            Likeness::Different => false,
        };
        let mut others = found.into_iter().filter(|found| Some(&found.driver) != kept.driver.as_ref());
        let Some(other) = others.next().filter(|other| worth_telling(&other.likely)) else { return Ok(None) };
        let name = self.driver_name(&other.park, &other.driver)?;
        Ok(Some(OtherDriver { park: other.park, id: other.driver, name, photo: other.photo, likely: other.likely }))
    }
}
