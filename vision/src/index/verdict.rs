//! What a distance means: same, unsure or different, and how many strangers would be as near in a gallery of that size.
//!
//! The table is the false-match rate of dlib's 128-number templates, measured over all pairs of 12,797 photos of 5,467 people.
//! It carries a 1:1 decision; against a gallery the same distance means less the more people there are, so the limit for
//! "same" follows from the expected number of false matches, and above [`AUTO_GALLERY`] persons nothing is decided at all.

use serde::{Deserialize, Serialize};

/// Largest gallery in which a search may answer "same" by itself.
pub const AUTO_GALLERY: usize = 10_000;
/// Below it two photos of one claimed driver are the same person.
const SAME: f32 = 0.45;
/// Above it they are not.
const DIFFERENT: f32 = 0.60;
/// Most strangers expected within the limit of an automatic "same" in a search.
const AUTO_FALSE_MATCHES: f64 = 0.4;
/// Distance and false-match rate.
const RATES: [(f64, f64); 5] = [(0.40, 4e-6), (0.45, 3.5e-5), (0.50, 2.4e-4), (0.55, 1.1e-3), (0.60, 5.5e-3)];

/// The answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// The same person.
    Same,
    /// A person must look.
    Unsure,
    /// Different persons.
    Different,
}

/// The answer with its honest figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Same, unsure or different.
    pub sameness: Sameness,
    /// How many strangers of the gallery are expected to be as near as this, in thousandths, rounded up to one significant
    /// digit: coarse on purpose, because an exact figure would be the raw score in disguise.
    pub expected_false_matches_milli: u64,
}

/// Judges a distance found among `gallery` other persons, or against the photos of one claimed driver (`one_to_one`).
///
/// A distance that is not a number is `Unsure`: it can never be the same.
pub fn judge(distance: f32, gallery: usize, one_to_one: bool) -> Verdict {
    let strangers = if one_to_one { 1.0 } else { gallery.max(1) as f64 };
    if !distance.is_finite() || distance < 0.0 {
        return Verdict { sameness: Sameness::Unsure, expected_false_matches_milli: one_digit_milli(strangers) };
    }
    let expected = strangers * false_match_rate(f64::from(distance));
    let same = if one_to_one {
        distance < SAME
    } else {
        distance < SAME && gallery <= AUTO_GALLERY && expected <= AUTO_FALSE_MATCHES
    };
    let sameness = if same {
        Sameness::Same
    } else if distance > DIFFERENT {
        Sameness::Different
    } else {
        Sameness::Unsure
    };
    Verdict { sameness, expected_false_matches_milli: one_digit_milli(expected) }
}

/// The false-match rate at a distance: between the measured ones on a straight line of its logarithm, below them the lowest
/// one (nothing better was measured), above them on the last line up to one.
fn false_match_rate(distance: f64) -> f64 {
    let line = |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| {
        let share = (distance - x0) / (x1 - x0);
        (y0.ln() + share * (y1.ln() - y0.ln())).exp().min(1.0)
    };
    let [first, .., before_last, last] = RATES;
    if distance <= first.0 {
        return first.1;
    }
    let between = RATES.iter().zip(RATES.iter().skip(1)).find(|(_, upper)| distance <= upper.0);
    match between {
        Some((lower, upper)) => line(*lower, *upper),
        None => line(before_last, last),
    }
}

/// Thousandths rounded up to one significant digit, at least one.
fn one_digit_milli(expected: f64) -> u64 {
    // The hair taken off keeps a figure that is one digit already from being rounded up by the last bit of an f32 distance.
    let milli = ((expected * 1000.0 * (1.0 - 1e-5)).ceil() as u64).max(1);
    let unit = 10_u64.pow(milli.ilog10());
    milli.div_ceil(unit) * unit
}
