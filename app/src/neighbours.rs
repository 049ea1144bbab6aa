//! Keeps [`Matching`](crate::matching) and the replica together: loads the templates at the start, follows photos that were
//! given to another driver or went away, and saves people's decisions about faces.
//!
//! Which model the templates are of is known from the first picture that was looked at; it is remembered in the settings,
//! and another model begins the index anew.

use std::sync::PoisonError;
use std::time::Duration;

use parkdesk_domain::body::{FaceRef, MatchVerdict};
use parkdesk_domain::command::MatchDecide;
use parkdesk_domain::{Command, Kind, RowId};
use parkdesk_sqlite::{ChangeTag, PhotoView, Priority, Template};
use parkdesk_vision::faces::protocol::Descriptor;

use crate::App;
use crate::error::Result;
use crate::matching::Known;

const MODEL: &str = "faces.model";

impl App {
    /// Loads the templates of the model last used.
    pub(crate) fn load_matching(&self) -> Result<()> {
        let model: Option<String> = self.replica().read(|tx| tx.setting(MODEL))?;
        if let Some((model, aligner)) = model.as_deref().and_then(|text| text.split_once('\n')) {
            self.load_model(model, aligner)?;
        }
        Ok(())
    }

    /// Adds a photo that was just saved.
    pub(crate) fn know(&self, known: Known, model_id: &str, aligner_id: &str) -> Result<()> {
        if self.matching.is_for(model_id, aligner_id) {
            self.matching.put(known);
            return Ok(());
        }
        let text = format!("{model_id}\n{aligner_id}");
        self.replica().write(Priority::Person, |tx| tx.set_setting(MODEL, &text))?;
        self.load_model(model_id, aligner_id)
    }

    /// Follows what was committed since the last look: photos that moved to another driver, and those that are gone.
    pub(crate) fn follow_photos(&self) -> Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (newest, tags) = self.replica().changes_after(*seen, Duration::ZERO)?;
        let touches_photos =
            |tag: &ChangeTag| matches!(tag, ChangeTag::Row(Kind::Photo, _) | ChangeTag::Rows(Kind::Photo));
        if tags.iter().any(touches_photos) {
            let photos = self.matching.photos();
            let mut drivers = std::collections::HashMap::new();
            self.replica().read(|tx| -> Result<()> {
                for photo in photos {
                    let view: Option<PhotoView> = tx.photo(&photo)?;
                    // One that was taken back shows nobody any more.
                    let view = view.filter(|view| !view.photo.is_withdrawn());
                    drivers.insert(photo, view.map(|view| view.photo.driver_id));
                }
                Ok(())
            })?;
            self.matching.keep_in_step(|photo| drivers.get(photo).cloned().flatten());
        }
        *seen = newest;
        Ok(())
    }

    /// Saves a decision whether two faces are one person; answers its id.
    ///
    /// # Errors
    /// [`crate::Error::Refused`].
    pub fn decide_match(
        &self,
        park: &RowId,
        (a, b): (FaceRef, FaceRef),
        verdict: MatchVerdict,
        undoes: Option<RowId>,
    ) -> Result<RowId> {
        let decision = self.new_row_id();
        let decide = MatchDecide { decision: decision.clone(), park: park.clone(), a, b, verdict, undoes };
        self.submit(Command::MatchDecide(decide))?;
        Ok(decision)
    }

    fn load_model(&self, model_id: &str, aligner_id: &str) -> Result<()> {
        let known = self.replica().read(|tx| -> Result<Vec<Known>> {
            let templates: Vec<Template> = tx.templates(model_id, aligner_id)?;
            let mut known = Vec::with_capacity(templates.len());
            for template in templates {
                let view: Option<PhotoView> = tx.photo(&template.photo)?;
                // A vector that is none (a fault long ago) is left out: it would be near nothing or everything.
                if let (Some(view), Ok(vector)) = (view, Descriptor::from_bytes(&template.vector)) {
                    known.push(Known {
                        photo: template.photo,
                        park: view.photo.park_id,
                        driver: template.driver,
                        captured_at_ms: view.photo.captured_at_ms,
                        template: vector,
                    });
                }
            }
            Ok(known)
        })?;
        self.matching.load(model_id, aligner_id, known);
        Ok(())
    }
}
