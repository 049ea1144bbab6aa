//! How good a photo is for recognition and for a driver's card, in figures and in words.
//!
//! Components follow ISO/IEC 29794-5 as OFIQ computes them (0 = bad, 100 = good), as far as they need no learnt model. A
//! finding is a component that broke a limit: *warn* (staff see it) or *fail* (the desk asks for another shot). Neither is a
//! rejection: the picture is kept and sent with its codes, and the machine never approves or refuses a person by itself.
//!
//! Pose comes from five points and gates at about 12 to 15 degrees; it certifies nothing finer.

mod advice;
mod assess;
mod light;
mod pose;
mod sharpness;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::advice::{Lang, advice};
pub use self::assess::{Purpose, Subject, assess};
pub use self::pose::Pose;

/// The verdict on one photo.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quality {
    /// Component name -> 0 to 100. Which components are there depends on what could be measured.
    pub components: BTreeMap<String, i32>,
    /// What broke a limit; fails first, then in the order of [`QualityCode`].
    pub findings: Vec<Finding>,
}

impl Quality {
    /// Whether any finding is a fail.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Fail)
    }

    /// Says anew whether the head is cut off, after a person framed the photo otherwise.
    pub fn set_head_cut_off(&mut self, is_cut_off: bool) {
        self.findings.retain(|finding| finding.code != QualityCode::HeadCutOff);
        if is_cut_off {
            self.findings.push(Finding::head_cut_off());
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.findings.sort_by_key(|finding| (finding.level, finding.code));
    }

    /// The one thing to say first, if there is anything to say.
    pub fn first_advice(&self) -> Option<QualityCode> {
        self.findings.first().map(|finding| finding.code)
    }

    /// How ready the sitter is, in per cent: 100 without findings, at most 40 with a fail.
    pub fn readiness_percent(&self) -> u8 {
        let fails = self.findings.iter().filter(|finding| finding.level == Level::Fail).count();
        let warns = self.findings.len() - fails;
        let full = if fails > 0 { 40_usize } else { 100 };
        let lost = fails.saturating_sub(1) * 15 + warns * if fails > 0 { 5 } else { 12 };
        u8::try_from(full.saturating_sub(lost)).unwrap_or(0)
    }
}

/// One broken limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub code: QualityCode,
    /// How bad it is.
    pub level: Level,
    /// What was measured, in thousandths of the code's unit.
    pub figure_milli: i64,
    /// The limit it broke, in thousandths of the same unit.
    pub limit_milli: i64,
}

impl Finding {
    fn head_cut_off() -> Self {
        Self { code: QualityCode::HeadCutOff, level: Level::Warn, figure_milli: 0, limit_milli: 1000 }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Another shot is asked for; staff may go on with a reason.
    Fail,
    /// Shown, nothing more.
    Warn,
}

/// What can be wrong, in the order in which it is worth saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityCode {
    /// No face was found (figure: faces).
    NoFace,
    /// More than one face of a comparable size (figure: area of the second as a share of the first).
    ManyFaces,
    /// Eyes too close together for recognition (figure: eye distance in pixels).
    FaceTooSmall,
    /// Turned to the side (figure: the nose's offset in eye distances, or the eyes-mouth distance in eye distances).
    TurnedHead,
    /// Chin too high, or the camera too low (figure: the nose's place between eyes and mouth).
    ChinUp,
    /// Chin too low, or the camera too high (figure: the same).
    ChinDown,
    /// Not sharp (figure: finest detail against the face's contrast, in per cent).
    Blurred,
    /// The head does not fit into the portrait (figure: heads that fit).
    HeadCutOff,
    /// Face too dark (figure: mean grey, 0 to 1).
    TooDark,
    /// Face too bright (figure: mean grey, 0 to 1, or the share of white pixels).
    TooBright,
    /// One side lit, the other not (figure: overlap of the cheeks' histograms).
    UnevenLight,
    /// No contrast in the face (figure: entropy of its greys in bits).
    FlatLight,
    /// Skin in an unnatural colour, or no colour at all (figure: distance from natural tones).
    UnnaturalColour,
    /// Leaning to a shoulder (figure: degrees).
    Tilted,
    /// Face far from the middle (figure: the eyes' place across the picture).
    OffCentre,
}
