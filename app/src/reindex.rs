//! Templates for photos that others took: pulled from the hub, each appliance computes its own (architecture, invariant 8). In the
//! background, after everything a person waits for, only for parks that let faces be compared; and what else must be tended
//! while nobody asks: shots whose time is over.
//!
//! Nothing of it is remembered but the templates themselves, so it goes on after any end (`templates_come_after_a_restart`). A
//! photo on which this model finds no face is noted and not looked at again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parkdesk_domain::RowId;
use parkdesk_domain::body::{FaceBox, FacePolicy, FileClass};
use parkdesk_sqlite::{ChangeTag, NewTemplate, PhotoView, Priority as Write, WithoutTemplate};
use parkdesk_vision::faces::client::FacesError;
use parkdesk_vision::faces::protocol::{Analysis, Face, Priority};

use crate::App;
use crate::error::{Error, Result};
use crate::matching::Known;
use crate::watchdog;

/// How often the tender looks whether it is told to stop.
const LOOK: Duration = Duration::from_secs(1);
/// Pause after something was in the way (full queue, no face program, full disk).
const PAUSE: Duration = Duration::from_secs(30);
/// Photos asked for at a time.
const BATCH: u32 = 32;

/// The thread that tends; ends with it.
pub struct Tending {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tending {
    /// Tells it to end and waits for the photo under way. A faces client that stops ends that at once.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic was told by its hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.end();
    }
}

/// What became of one photo.
enum Indexed {
    Template,
    NoFace,
    /// Its file is gone or cannot be read now.
    NotHere,
}

impl App {
    /// Starts what must be tended in the background.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start_tending(&self) -> std::io::Result<Tending> {
        let stop = Arc::new(AtomicBool::new(false));
        let (app, told) = (self.clone(), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("tending".into()).spawn(move || app.tend(&told))?;
        Ok(Tending { stop, thread: Some(thread) })
    }

    fn tend(&self, stop: &AtomicBool) {
        let (mut seen, mut is_due, mut not_before, mut watch_at) = (0, true, Instant::now(), Instant::now());
        while !stop.load(Ordering::Relaxed) {
            self.shots.sweep(self.now());
            if Instant::now() >= watch_at {
                watch_at = Instant::now() + watchdog::EACH;
                if let Err(error) = self.watch_queue(Instant::now()) {
                    tracing::warn!(%error, "the queue cannot be watched");
                }
            }
            if is_due && Instant::now() >= not_before {
                match self.index_missing(stop) {
                    Ok(is_done) => is_due = !is_done,
                    Err(error) => {
                        tracing::warn!(%error, "photos from elsewhere wait for their templates");
                        not_before = Instant::now() + PAUSE;
                    }
                }
            }
            // While it waits for its time it only looks for the end.
            match self.replica().changes_after(seen, LOOK) {
                Ok((next, tags)) => {
                    seen = next;
                    is_due |= tags.iter().any(may_bring_photos);
                }
                Err(error) => {
                    tracing::warn!(%error, "changes cannot be read");
                    std::thread::park_timeout(LOOK);
                }
            }
        }
    }

    /// Makes the templates of all photos held here that have none, newest first, each tried once; answers whether it came to
    /// the end. It stops when it is told to, and while a camera is live: a frame would have to wait for the photo under way.
    ///
    /// # Errors
    /// What is in the way; what was made stays.
    pub fn index_missing(&self, stop: &AtomicBool) -> Result<bool> {
        let mut last = None;
        loop {
            let parks = self.comparing_parks()?;
            // Before the first picture no model is known; then every photo counts as one without a template.
            let (model, aligner) = self.matching.model();
            let (photos, left) = self.replica().read(|tx| -> Result<_> {
                let photos = tx.photos_without_template(&model, &aligner, &parks, last.as_ref(), BATCH)?;
                Ok((photos, tx.count_photos_without_template(&model, &aligner, &parks)?))
            })?;
            self.reindex_left.store(left, Ordering::Relaxed);
            if photos.is_empty() {
                return Ok(true);
            }
            let (mut left, mut made) = (left, 0);
            for WithoutTemplate { photo, .. } in &photos {
                if stop.load(Ordering::Relaxed) || self.is_camera_live() {
                    return Ok(false);
                }
                match self.index_photo(photo)? {
                    Indexed::Template | Indexed::NoFace => {
                        made += 1;
                        left = left.saturating_sub(1);
                    }
                    Indexed::NotHere => {}
                }
                self.reindex_left.store(left, Ordering::Relaxed);
            }
            last = photos.into_iter().last();
            tracing::info!(made, left, "templates made for photos from elsewhere");
        }
    }

    fn comparing_parks(&self) -> Result<Vec<RowId>> {
        let parks = self.list_parks()?.into_iter();
        let compares = |policy: &FacePolicy| matches!(policy, FacePolicy::Verify | FacePolicy::Search);
        Ok(parks.filter(|park| compares(&park.faces)).map(|park| park.id).collect())
    }

    fn index_photo(&self, photo: &RowId) -> Result<Indexed> {
        let view: Option<PhotoView> = self.replica().read(|tx| tx.photo(photo))?;
        let Some(view) = view else { return Ok(Indexed::NotHere) };
        let bytes = match self.read_photo_file(photo, FileClass::Original) {
            Ok(bytes) => bytes,
            Err(Error::NotHere | Error::NotFound(_)) => return Ok(Indexed::NotHere),
            // A damaged file has no template; the others have theirs all the same.
            Err(error @ (Error::Damaged(_) | Error::Replica(_))) => {
                tracing::warn!(%error, photo = %photo, "a photo cannot be read, so it is not compared");
                return Ok(Indexed::NotHere);
            }
            Err(other) => return Err(other),
        };
        let analysis = match self.look(bytes, Priority::Reindex) {
            Ok(analysis) => analysis,
            Err(FacesError::Rejected(_) | FacesError::Quarantined) => return self.note_no_face(photo, None),
            Err(FacesError::Busy | FacesError::Superseded) => return Err(Error::Busy),
            Err(error @ (FacesError::Unavailable(_) | FacesError::Stopped)) => {
                tracing::debug!(%error, "no template now");
                return Err(Error::Busy);
            }
        };
        let Some((face, descriptor)) =
            main_face(&analysis, view.photo.face).and_then(|face| Some((face, face.descriptor.clone()?)))
        else {
            return self.note_no_face(photo, Some(&analysis));
        };
        let area = face.area;
        let template = NewTemplate {
            photo: photo.clone(),
            face: view.photo.face.unwrap_or(FaceBox { x: area.x, y: area.y, w: area.w, h: area.h }),
            person: view.photo.driver_id.clone(),
            model_id: analysis.model_id.clone(),
            aligner_id: analysis.aligner_id.clone(),
            vector: descriptor.to_bytes(),
        };
        self.replica().write(Write::Sync, |tx| tx.put_template(&template))?;
        let known = Known {
            photo: photo.clone(),
            park: view.photo.park_id,
            driver: view.photo.driver_id,
            captured_at_ms: view.photo.captured_at_ms,
            template: descriptor,
        };
        self.know(known, &analysis.model_id, &analysis.aligner_id)?;
        Ok(Indexed::Template)
    }

    /// A photo without a face for this model; what the model is, is known from the picture or from earlier ones.
    fn note_no_face(&self, photo: &RowId, analysis: Option<&Analysis>) -> Result<Indexed> {
        let (model, aligner) = match analysis {
            Some(analysis) => (analysis.model_id.clone(), analysis.aligner_id.clone()),
            None => self.matching.model(),
        };
        self.replica().write(Write::Sync, |tx| tx.mark_without_face(photo, &model, &aligner))?;
        Ok(Indexed::NoFace)
    }

    /// Keeps aside what an earlier run of this version kept aside; a newer version looks at everything again.
    pub(crate) fn load_quarantine(&self) -> Result<()> {
        let kept: Option<String> = self.replica().read(|tx| tx.setting(QUARANTINE))?;
        let Some((version, pictures)) = kept.as_deref().and_then(|text| text.split_once('\n')) else { return Ok(()) };
        if version == env!("CARGO_PKG_VERSION") {
            let hashes = pictures.lines().filter_map(|line| hex::decode(line).ok()?.try_into().ok());
            self.parts.faces.quarantine(hashes.collect());
        }
        Ok(())
    }

    /// Writes down what is kept aside now.
    pub(crate) fn keep_quarantine(&self) {
        let mut text = env!("CARGO_PKG_VERSION").to_owned();
        for picture in self.parts.faces.quarantined() {
            text.push('\n');
            text.push_str(&hex::encode(picture));
        }
        let mut kept = self.kept_aside.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == text {
            return;
        }
        match self.replica().write(Write::Person, |tx| tx.set_setting(QUARANTINE, &text)) {
            Ok(()) => *kept = text,
            // It is tried with the next such picture; until then only this run knows.
            Err(error) => tracing::warn!(%error, "which pictures are kept aside was not saved"),
        }
    }
}

const QUARANTINE: &str = "faces.kept_aside";

fn may_bring_photos(tag: &ChangeTag) -> bool {
    use parkdesk_domain::Kind;
    match tag {
        ChangeTag::Row(kind, _) | ChangeTag::Rows(kind) => matches!(kind, Kind::Photo | Kind::ParkCard),
        ChangeTag::Blobs => true,
        ChangeTag::Outbox
        | ChangeTag::NeedsAttention
        | ChangeTag::Tray
        | ChangeTag::Sync
        | ChangeTag::Identity
        | ChangeTag::Other(_) => false,
    }
}

/// The face that the photo's row calls its main face: the one that shares most with that box; without one the largest.
fn main_face(analysis: &Analysis, told: Option<FaceBox>) -> Option<&Face> {
    let Some(told) = told else { return analysis.faces.first() };
    let shared = |face: &Face| {
        let span = |a: i32, a_len: i32, b: i32, b_len: i32| {
            (i64::from(a) + i64::from(a_len)).min(i64::from(b) + i64::from(b_len)) - i64::from(a.max(b))
        };
        let (w, h) = (span(face.area.x, face.area.w, told.x, told.w), span(face.area.y, face.area.h, told.y, told.h));
        w.max(0) * h.max(0)
    };
    analysis.faces.iter().filter(|face| shared(face) > 0).max_by_key(|face| shared(face))
}
