//! Five points of a face: dlib's cascade of regression trees, on the full picture inside the detector's box.
//!
//! Points are whole pixels, as dlib rounds them before it aligns; the chip's parity rests on that.
#![allow(
    clippy::indexing_slicing,
    reason = "a numeric kernel: tables have fixed sizes, their indices are checked when loaded"
)]

use std::path::Path;

use parkdesk_vision::geometry::Point;
use parkdesk_vision::picture::Rgb;

use crate::detector::Detection;
use crate::similarity::Similarity;
use crate::weights::Weights;
use crate::{Error, Result};

const CASCADES: usize = 15;
const TREES: usize = 500;
const SPLITS: usize = 15;
const LEAVES: usize = SPLITS + 1;
const PIXELS: usize = 800;
const COORDINATES: usize = 10;

/// The trees.
pub struct Predictor {
    initial: [f32; COORDINATES],
    anchors: Vec<u16>,
    deltas: Vec<f32>,
    splits: Vec<u16>,
    thresholds: Vec<f32>,
    leaves: Vec<f32>,
}

impl Predictor {
    /// Loads the trees.
    ///
    /// # Errors
    /// If they are not the pinned ones.
    pub fn load(dir: &Path) -> Result<Self> {
        let weights = Weights::open(dir, "predictor5")?;
        let wrong = |what: &str| Error::Wrong { path: "predictor5".into(), what: what.into() };
        let initial = weights.floats("initial", &[COORDINATES])?;
        let anchors = weights.indices("anchors", &[CASCADES, PIXELS])?;
        let splits = weights.indices("splits", &[CASCADES, TREES, SPLITS, 2])?;
        if anchors.iter().any(|a| usize::from(*a) >= COORDINATES / 2)
            || splits.iter().any(|s| usize::from(*s) >= PIXELS)
        {
            return Err(wrong("an index is out of range"));
        }
        Ok(Self {
            initial: initial.try_into().map_err(|_| wrong("the first shape"))?,
            anchors,
            deltas: weights.floats("deltas", &[CASCADES, PIXELS, 2])?,
            splits,
            thresholds: weights.floats("thresholds", &[CASCADES, TREES, SPLITS])?,
            leaves: weights.floats("leaves", &[CASCADES, TREES, LEAVES, COORDINATES])?,
        })
    }

    /// The points of the face in this box: image-right eye outer and inner corner, image-left eye outer and inner
    /// corner, base of the nose.
    #[must_use]
    pub fn points(&self, picture: &Rgb, face: &Detection) -> [Point; 5] {
        let mut shape = self.initial;
        let mut pixels = [0.0_f32; PIXELS];
        for cascade in 0..CASCADES {
            self.look(cascade, picture, face, &shape, &mut pixels);
            for tree in cascade * TREES..(cascade + 1) * TREES {
                let mut node = 0;
                while node < SPLITS {
                    let split = tree * SPLITS + node;
                    let difference =
                        pixels[usize::from(self.splits[split * 2])] - pixels[usize::from(self.splits[split * 2 + 1])];
                    node = 2 * node + if difference > self.thresholds[split] { 1 } else { 2 };
                }
                let leaf = (tree * LEAVES + node - SPLITS) * COORDINATES;
                for (value, step) in shape.iter_mut().zip(&self.leaves[leaf..leaf + COORDINATES]) {
                    *value += step;
                }
            }
        }
        std::array::from_fn(|i| {
            let (x, y) = in_picture(face, shape[2 * i], shape[2 * i + 1]);
            Point { x: x as f32, y: y as f32 }
        })
    }

    /// The box in which the mean face would have these points: the same for a face however its detector's box fell.
    #[must_use]
    pub fn frame(&self, points: &[Point; 5]) -> Detection {
        let fit = Similarity::between(&pairs(&self.initial), &points.map(|p| (f64::from(p.x), f64::from(p.y))));
        let (x, y) = fit.map((0.5, 0.5));
        let half = fit.a.hypot(fit.b) / 2.0;
        let [left, top, right, bottom] = [x - half, y - half, x + half, y + half].map(|v| v.round() as i32);
        Detection { left, top, right, bottom, score: 1.0 }
    }

    /// Reads the greys around the current shape; those outside the picture count as black.
    fn look(
        &self,
        cascade: usize,
        picture: &Rgb,
        face: &Detection,
        shape: &[f32; COORDINATES],
        pixels: &mut [f32; PIXELS],
    ) {
        let turn = Similarity::between(&pairs(&self.initial), &pairs(shape));
        let (a, b) = (turn.a as f32, turn.b as f32);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            let at = cascade * PIXELS + i;
            let anchor = usize::from(self.anchors[at]);
            let (dx, dy) = (self.deltas[at * 2], self.deltas[at * 2 + 1]);
            let x = a * dx - b * dy + shape[anchor * 2];
            let y = b * dx + a * dy + shape[anchor * 2 + 1];
            let (x, y) = in_picture(face, x, y);
            let inside = (u32::try_from(x).ok()).zip(u32::try_from(y).ok()).and_then(|(x, y)| picture.pixel(x, y));
            *pixel = inside.map_or(0.0, |rgb| (rgb.iter().map(|v| u32::from(*v)).sum::<u32>() / 3) as f32);
        }
    }
}

/// From the box's unit square to the nearest whole pixel.
fn in_picture(face: &Detection, x: f32, y: f32) -> (i64, i64) {
    let place = |from: i32, to: i32, share: f32| {
        (f64::from(from) + f64::from(share) * (f64::from(to) - f64::from(from)) + 0.5).floor() as i64
    };
    (place(face.left, face.right, x), place(face.top, face.bottom, y))
}

fn pairs(shape: &[f32; COORDINATES]) -> [(f64, f64); COORDINATES / 2] {
    std::array::from_fn(|i| (f64::from(shape[2 * i]), f64::from(shape[2 * i + 1])))
}
