//! The face check: MTCNN's output net on the detector's box. Says how surely it is a face, and where eyes, nose and mouth are.
//!
//! The points serve the pose; alignment uses dlib's own (`points`), which fit the descriptor's training.

use std::path::Path;

use parkdesk_vision::geometry::Point;
use parkdesk_vision::picture::Rgb;
use tch::{Kind, Tensor};

use crate::detector::Detection;
use crate::tensor::{self, Conv};
use crate::weights::Weights;
use crate::{Error, Result};

/// A box below this probability is no face.
pub const LEAST_PROBABILITY: f32 = 0.9;

const SIDE: i64 = 48;

/// What the net says about one box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// Probability of a face.
    pub probability: f32,
    /// Image-left eye, image-right eye, nose tip, image-left and image-right mouth corner.
    pub marks: [Point; 5],
}

/// The net with its weights.
pub struct FaceCheck {
    convs: [(Conv, Tensor); 4],
    dense: (Tensor, Tensor, Tensor),
    probability: (Tensor, Tensor),
    marks: (Tensor, Tensor),
}

impl FaceCheck {
    /// Loads the weights.
    ///
    /// # Errors
    /// If they are not the pinned ones.
    pub fn load(dir: &Path) -> Result<Self> {
        let weights = Weights::open(dir, "onet")?;
        let conv = |place: usize, filters: [usize; 4]| -> Result<(Conv, Tensor)> {
            let [outputs, ..] = filters;
            let slope = weights.tensor(&format!("prelu{place}.weight"), &[outputs])?;
            Ok((Conv::load(&weights, &format!("conv{place}"), filters, 1, 0)?, slope))
        };
        let linear = |name: &str, outputs: usize, inputs: usize| -> Result<(Tensor, Tensor)> {
            let weight = weights.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
            Ok((weight, weights.tensor(&format!("{name}.bias"), &[outputs])?))
        };
        let (weight, bias) = linear("dense5", 256, 1152)?;
        Ok(Self {
            convs: [
                conv(1, [32, 3, 3, 3])?,
                conv(2, [64, 32, 3, 3])?,
                conv(3, [64, 64, 3, 3])?,
                conv(4, [128, 64, 2, 2])?,
            ],
            dense: (weight, bias, weights.tensor("prelu5.weight", &[256])?),
            probability: linear("dense6_1", 2, 256)?,
            marks: linear("dense6_3", 10, 256)?,
        })
    }

    /// Looks at the boxes of one picture; one outside the picture is no face.
    ///
    /// # Errors
    /// If torch fails.
    pub fn check(&self, picture: &Rgb, boxes: &[Detection]) -> Result<Vec<Option<Checked>>> {
        let _no_grad = tch::no_grad_guard();
        boxes.iter().map(|face| self.check_one(picture, face)).collect()
    }

    fn check_one(&self, picture: &Rgb, face: &Detection) -> Result<Option<Checked>> {
        let Some((inside, crop)) = crop(picture, face) else { return Ok(None) };
        let input = tensor::of_picture(&crop)?.f_adaptive_avg_pool2d([SIDE, SIDE])?;
        let (probability, marks) = self.forward(&input.f_sub_scalar(127.5)?.f_mul_scalar(0.007_812_5)?)?;
        let [_, probability] = *tensor::values(&probability)? else { return Err(shape("probability")) };
        let values: [f32; 10] = tensor::values(&marks)?.try_into().map_err(|_| shape("marks"))?;
        let (xs, ys) = values.split_at(5);
        let along = |from: i32, to: i32, share: f32| (to - from + 1) as f32 * share + from as f32 - 1.0;
        let mut points = xs
            .iter()
            .zip(ys)
            .map(|(x, y)| Point { x: along(inside.left, inside.right, *x), y: along(inside.top, inside.bottom, *y) });
        let marks = std::array::from_fn(|_| points.next().unwrap_or_default());
        Ok(Some(Checked { probability, marks }))
    }

    fn forward(&self, input: &Tensor) -> Result<(Tensor, Tensor)> {
        let mut x = input.shallow_clone();
        for ((conv, slope), pool) in self.convs.iter().zip([Some(3), Some(3), Some(2), None]) {
            x = conv.forward(&x)?.f_prelu(slope)?;
            if let Some(window) = pool {
                x = x.f_max_pool2d([window; 2], [2, 2], [0, 0], [1, 1], true)?;
            }
        }
        // Width before height: the weights come from a net that stored its maps column by column.
        let flat = x.f_permute([0, 3, 2, 1])?.f_flatten(1, 3)?;
        let (weight, bias, slope) = &self.dense;
        let features = flat.f_linear(weight, Some(bias))?.f_prelu(slope)?;
        let (weight, bias) = &self.probability;
        let probability = features.f_linear(weight, Some(bias))?.f_softmax(1, Kind::Float)?;
        let (weight, bias) = &self.marks;
        Ok((probability, features.f_linear(weight, Some(bias))?))
    }
}

/// The part of a box inside the picture, and its pixels; facenet-pytorch counts pixels from 1.
fn crop(picture: &Rgb, face: &Detection) -> Option<(Detection, Rgb)> {
    let most = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let inside = Detection {
        left: face.left.max(1),
        top: face.top.max(1),
        right: face.right.min(most(picture.width())),
        bottom: face.bottom.min(most(picture.height())),
        score: face.score,
    };
    if inside.right <= inside.left || inside.bottom <= inside.top {
        return None;
    }
    let [left, top, right, bottom] =
        [inside.left - 1, inside.top - 1, inside.right, inside.bottom].map(|v| usize::try_from(v).unwrap_or_default());
    let rows = picture.data().chunks_exact(picture.width() as usize * 3).take(bottom).skip(top);
    let data: Vec<u8> = rows.filter_map(|row| row.get(left * 3..right * 3)).flatten().copied().collect();
    let crop = Rgb::new(u32::try_from(right - left).ok()?, u32::try_from(bottom - top).ok()?, data)?;
    Some((inside, crop))
}

fn shape(what: &str) -> Error {
    Error::Torch(tch::TchError::Shape(format!("the face check's {what} have another shape")))
}
