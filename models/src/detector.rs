//! The face detector: dlib's max-margin net over a tiled pyramid. Finds faces of about 80 px and more.
//!
//! All levels of the pyramid lie in one canvas, so that the net runs once. The score map has a stride of 8; a positive score
//! is a window of 80 px on its level, mapped back to the picture. Parity with dlib: same boxes, scores to 1e-4.

mod pyramid;

use std::path::Path;

use parkdesk_vision::picture::{Rgb, shrunk};
use tch::{Kind, Tensor};

use self::pyramid::Pyramid;
use crate::Result;
use crate::tensor::{self, Conv};
use crate::weights::Weights;

/// Longest side that is searched first; faces below 80 px of it are found only by the second look.
pub const LONG_SIDE: u32 = 800;
/// Longest side of the second look.
pub const SECOND_LONG_SIDE: u32 = 1600;
/// A box is dropped when it shares more than this part of the rectangle around both with a better one.
const OVERLAP: f64 = 0.338_276_135_110_995_5;
/// The net sees every 8th pixel; its first cell's window has its centre here.
const STRIDE: i64 = 8;
const FIRST_CENTRE: i64 = 14;
/// Half of the detector's window.
const HALF_WINDOW: f64 = 39.5;

/// A box with inclusive corners, as dlib has them; it may leave the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Left column.
    pub left: i32,
    /// Top row.
    pub top: i32,
    /// Right column, inside the box.
    pub right: i32,
    /// Bottom row, inside the box.
    pub bottom: i32,
    /// The net's score, above 0.
    pub score: f32,
}

/// The net with its weights.
pub struct Detector {
    convs: Vec<Conv>,
}

impl Detector {
    /// Loads the weights.
    ///
    /// # Errors
    /// If they are not the pinned ones.
    pub fn load(dir: &Path) -> Result<Self> {
        let weights = Weights::open(dir, "mmod")?;
        let plan = [
            ([16, 3, 5, 5], 2, 0),
            ([32, 16, 5, 5], 2, 0),
            ([32, 32, 5, 5], 2, 0),
            ([45, 32, 5, 5], 1, 2),
            ([45, 45, 5, 5], 1, 2),
            ([45, 45, 5, 5], 1, 2),
            ([1, 45, 9, 9], 1, 4),
        ];
        let load = |(place, (filters, stride, padding)): (usize, ([usize; 4], i64, i64))| {
            Conv::load(&weights, &format!("conv.{place:02}"), filters, stride, padding)
        };
        Ok(Self { convs: plan.into_iter().enumerate().map(load).collect::<Result<_>>()? })
    }

    /// Faces of a picture, best first, searched at this longest side; in the picture's own pixels.
    ///
    /// # Errors
    /// If torch fails.
    pub fn find(&self, picture: &Rgb, long_side: u32) -> Result<Vec<Detection>> {
        let _no_grad = tch::no_grad_guard();
        let Some(small) = shrunk(picture, long_side) else { return self.detect(&tensor::of_picture(picture)?) };
        let found = self.detect(&tensor::of_picture(&small)?)?;
        let across = f64::from(picture.width()) / f64::from(small.width());
        let down = f64::from(picture.height()) / f64::from(small.height());
        Ok(found.into_iter().map(|d| d.scaled(across, down)).collect())
    }

    /// The second look, at twice the size of the first and at most [`SECOND_LONG_SIDE`]: for small faces.
    ///
    /// # Errors
    /// If torch fails.
    pub fn find_small(&self, picture: &Rgb) -> Result<Vec<Detection>> {
        if picture.width().max(picture.height()) > LONG_SIDE {
            return self.find(picture, SECOND_LONG_SIDE);
        }
        let _no_grad = tch::no_grad_guard();
        let size = [i64::from(picture.height()) * 2, i64::from(picture.width()) * 2];
        let doubled = tensor::of_picture(picture)?.f_upsample_bilinear2d(size, false, None::<f64>, None::<f64>)?;
        Ok(self.detect(&doubled)?.into_iter().map(|d| d.scaled(0.5, 0.5)).collect())
    }

    /// Faces in pixels (1 x 3 x h x w floats, 0 to 255) as they are.
    fn detect(&self, pixels: &Tensor) -> Result<Vec<Detection>> {
        let (_, _, height, width) = pixels.size4()?;
        let pyramid = Pyramid::of(width, height);
        let canvas = paint(&tensor::normalise(pixels)?, &pyramid)?;
        let scores = self.forward(&canvas)?;
        let (_, _, _, columns) = scores.size4()?;
        let mut found: Vec<Detection> = Vec::new();
        for (place, score) in tensor::values(&scores)?.into_iter().enumerate() {
            if score > 0.0 {
                let place = i64::try_from(place).expect("BUG: score maps are small");
                let x = (place % columns) * STRIDE + FIRST_CENTRE;
                let y = (place / columns) * STRIDE + FIRST_CENTRE;
                let [left, top, right, bottom] = pyramid.to_picture(x, y, HALF_WINDOW).map(|v| v.round() as i32);
                found.push(Detection { left, top, right, bottom, score });
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(best_of_overlapping(found))
    }

    /// A normalised canvas to its score map.
    fn forward(&self, canvas: &Tensor) -> Result<Tensor> {
        let Some((last, inner)) = self.convs.split_last() else { return Ok(canvas.shallow_clone()) };
        let mut x = canvas.shallow_clone();
        for conv in inner {
            x = conv.forward_relu(&x)?;
        }
        last.forward(&x)
    }
}

/// Level 0 and its shrunk copies in their places; the rest stays 0, which after normalisation is no colour at all.
fn paint(level0: &Tensor, pyramid: &Pyramid) -> Result<Tensor> {
    let (columns, rows) = pyramid.canvas;
    let canvas = Tensor::f_zeros([1, 3, rows, columns], (Kind::Float, tch::Device::Cpu))?;
    let mut level = level0.shallow_clone();
    for (place, rect) in pyramid.levels.iter().enumerate() {
        if place > 0 {
            level = level.f_upsample_bilinear2d([rect.h, rect.w], true, None::<f64>, None::<f64>)?;
        }
        canvas.f_narrow(2, rect.y, rect.h)?.f_narrow(3, rect.x, rect.w)?.f_copy_(&level)?;
    }
    Ok(canvas)
}

fn best_of_overlapping(sorted: Vec<Detection>) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for detection in sorted {
        if !kept.iter().any(|better| better.overlap(&detection) > OVERLAP) {
            kept.push(detection);
        }
    }
    kept
}

impl Detection {
    /// Pixels of the box.
    #[must_use]
    pub fn pixels(&self) -> i64 {
        span(self.left, self.right) * span(self.top, self.bottom)
    }

    fn scaled(self, across: f64, down: f64) -> Self {
        // Pixel centres, so that a box keeps its place under any scale.
        let map = |v: i32, scale: f64| ((f64::from(v) + 0.5) * scale - 0.5).round() as i32;
        Self {
            left: map(self.left, across),
            top: map(self.top, down),
            right: map(self.right, across),
            bottom: map(self.bottom, down),
            score: self.score,
        }
    }

    /// The shared part of the rectangle around both boxes (dlib's measure, not the union of the two).
    fn overlap(&self, other: &Self) -> f64 {
        let inner = span(self.left.max(other.left), self.right.min(other.right))
            * span(self.top.max(other.top), self.bottom.min(other.bottom));
        let outer = span(self.left.min(other.left), self.right.max(other.right))
            * span(self.top.min(other.top), self.bottom.max(other.bottom));
        inner as f64 / outer.max(1) as f64
    }
}

fn span(from: i32, to: i32) -> i64 {
    (i64::from(to) - i64::from(from) + 1).max(0)
}
