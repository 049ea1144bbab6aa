//! The order of the steps, from a decoded picture to an analysis (`docs/architecture.md`, "The face pipeline").
//!
//! detect (once more for small faces if there is none) -> face check -> points -> chip -> descriptor; then quality and the
//! files, which are `vision`'s. Everything is in the pixels of the picture that is kept as the original.

use std::path::Path;

use parkdesk_vision::faces::protocol::{Analysis, Face, LiveAdvice, MAX_FACES};
use parkdesk_vision::geometry::{Area, portrait_cut};
use parkdesk_vision::hash::perceptual_hash;
use parkdesk_vision::picture::{self, Rgb};
use parkdesk_vision::quality::{Purpose, Subject, assess};

use crate::Result;
use crate::check::{FaceCheck, LEAST_PROBABILITY};
use crate::chip::{self, ALIGNER_ID};
use crate::detector::{Detection, Detector, LONG_SIDE};
use crate::embedder::{CHIP_SIDE, Embedder};
use crate::points::Predictor;

/// Longest side at which live frames are searched: the frame as it comes. The detector needs 80 px of a face; a driver an arm's
/// length and a half from an office camera has 80 to 160 of 640, so that searching at less would lose the face in front.
const LIVE_LONG_SIDE: u32 = 640;

/// All nets, loaded.
pub struct Pipeline {
    detector: Detector,
    check: FaceCheck,
    predictor: Predictor,
    embedder: Embedder,
}

impl Pipeline {
    /// Loads all weights.
    ///
    /// # Errors
    /// If a file is missing or not the pinned one.
    pub fn load(weights: &Path) -> Result<Self> {
        Ok(Self {
            detector: Detector::load(weights)?,
            check: FaceCheck::load(weights)?,
            predictor: Predictor::load(weights)?,
            embedder: Embedder::load(weights)?,
        })
    }

    /// SHA-256 of the embedder's weights.
    #[must_use]
    pub fn model_id(&self) -> &str {
        self.embedder.model_id()
    }

    /// Runs every net once, so that the first photo does not pay for their set-up.
    ///
    /// # Errors
    /// If torch fails.
    pub fn warm_up(&self) -> Result<()> {
        let grey = |w: u32, h: u32| Rgb::new(w, h, vec![128; (w * h * 3) as usize]).expect("BUG: sizes agree");
        let frame = grey(LIVE_LONG_SIDE, LIVE_LONG_SIDE * 3 / 4);
        self.detector.find(&frame, LIVE_LONG_SIDE)?;
        let whole = Detection { left: 0, top: 0, right: 200, bottom: 200, score: 1.0 };
        self.check.check(&frame, &[whole])?;
        self.embedder.embed(&[grey(CHIP_SIDE, CHIP_SIDE)])?;
        Ok(())
    }

    /// The faces of a picture with their descriptors, largest first.
    ///
    /// # Errors
    /// If torch fails.
    pub fn describe(&self, picture: &Rgb) -> Result<Vec<Face>> {
        let mut faces = self.faces(picture, &self.detector.find(picture, LONG_SIDE)?)?;
        if faces.is_empty() {
            faces = self.faces(picture, &self.detector.find_small(picture)?)?;
        }
        let chips: Vec<Rgb> = faces.iter().map(|face| chip::extract(picture, &chip::Place::of(&face.points))).collect();
        for (face, descriptor) in faces.iter_mut().zip(self.embedder.embed(&chips)?) {
            face.descriptor = descriptor;
        }
        Ok(faces)
    }

    /// Everything about one picture.
    ///
    /// # Errors
    /// If torch fails; a picture without a face is no error.
    pub fn analyse(&self, picture: &Rgb) -> Result<Analysis> {
        let faces = self.describe(picture)?;
        let portrait = faces.first().map(|face| {
            let (left, right) = face.eyes();
            portrait_cut(left, right, picture.width(), picture.height())
        });
        let head_cut_off = portrait.is_some_and(|(_, cut_off)| cut_off);
        let quality = assess(&Subject { picture, faces: &faces, head_cut_off, purpose: Purpose::Photo });
        let cut = portrait.map(|(cut, _)| cut);
        let files = picture::files(picture, cut.as_ref());
        Ok(Analysis {
            width: picture.width(),
            height: picture.height(),
            faces,
            quality,
            cut,
            perceptual_hash: perceptual_hash(picture),
            model_id: self.model_id().to_owned(),
            aligner_id: ALIGNER_ID.to_owned(),
            original: files.original,
            portrait: files.portrait,
            thumb: files.thumb,
        })
    }

    /// The one thing to tell the sitter of a camera frame.
    ///
    /// # Errors
    /// If torch fails.
    pub fn advise(&self, picture: &Rgb) -> Result<LiveAdvice> {
        let faces = self.faces(picture, &self.detector.find(picture, LIVE_LONG_SIDE)?)?;
        let head_cut_off = faces.first().is_some_and(|face| {
            let (left, right) = face.eyes();
            portrait_cut(left, right, picture.width(), picture.height()).1
        });
        let quality = assess(&Subject { picture, faces: &faces, head_cut_off, purpose: Purpose::Live });
        let main = faces.first();
        Ok(LiveAdvice {
            width: picture.width(),
            height: picture.height(),
            area: main.map(|face| face.area),
            marks: main.map(|face| face.marks),
            advice: quality.first_advice(),
            level: quality.findings.first().map(|finding| finding.level),
            readiness_percent: quality.readiness_percent(),
        })
    }

    /// The boxes that the check takes for faces, largest first, with their points.
    fn faces(&self, picture: &Rgb, found: &[Detection]) -> Result<Vec<Face>> {
        let checked = self.check.check(picture, found)?;
        let mut sure: Vec<(&Detection, f32)> = found
            .iter()
            .zip(checked)
            .filter_map(|(detection, checked)| Some((detection, checked?.probability)))
            .filter(|(_, probability)| *probability >= LEAST_PROBABILITY)
            .collect();
        sure.sort_by_key(|(detection, _)| std::cmp::Reverse(detection.pixels()));
        sure.truncate(MAX_FACES);
        let faces = sure.into_iter().map(|(detection, probability)| self.face(picture, detection, probability));
        Ok(faces.collect::<Result<Vec<Option<Face>>>>()?.into_iter().flatten().collect())
    }

    /// One face. Its marks are looked for again in the box that its points imply: the detector's own box jumps with the
    /// pyramid's steps of 6 to 5, and the nose of the very same face with it, by 0.05 eye distances.
    fn face(&self, picture: &Rgb, detection: &Detection, probability: f32) -> Result<Option<Face>> {
        let points = self.predictor.points(picture, detection);
        let [checked] = *self.check.check(picture, &[self.predictor.frame(&points)])? else { return Ok(None) };
        let milli = |value: f32| (value * 1000.0).round() as i32;
        Ok(checked.map(|checked| Face {
            area: Area {
                x: detection.left,
                y: detection.top,
                w: detection.right - detection.left + 1,
                h: detection.bottom - detection.top + 1,
            },
            detection_milli: milli(detection.score),
            probability_milli: milli(probability),
            points,
            marks: checked.marks,
            descriptor: None,
        }))
    }
}
