//! The face descriptor: dlib's ResNet with 29 convolutions, 150 px chip in, 128 numbers out (Euclidean, not normalised).
//!
//! The graph is dlib's `anet_type`. Its quirk: where a block's two operands differ in size, dlib pads the smaller one with
//! zeros at the bottom, the right and the last channels; twice that happens to the convolutions' own result.

use std::path::Path;

use parkdesk_vision::faces::protocol::Descriptor;
use parkdesk_vision::picture::Rgb;
use tch::Tensor;

use crate::Result;
use crate::tensor::{self, Conv};
use crate::weights::Weights;

/// Side of the chip.
pub const CHIP_SIDE: u32 = 150;
/// Chips that go through the net at once.
const BATCH: usize = 16;

/// The net with its weights.
pub struct Embedder {
    model_id: String,
    stem: Conv,
    blocks: Vec<Block>,
    /// outputs x inputs
    linear: Tensor,
}

struct Block {
    first: Conv,
    second: Conv,
    halves: bool,
}

impl Embedder {
    /// Loads the weights.
    ///
    /// # Errors
    /// If they are not the pinned ones.
    pub fn load(dir: &Path) -> Result<Self> {
        let weights = Weights::open(dir, "resnet")?;
        let stem = Conv::load(&weights, "conv.00", [32, 3, 7, 7], 2, 0)?;
        // Blocks from the input on: channels, and whether they halve the size.
        let plan = [
            (32, false),
            (32, false),
            (32, false),
            (64, true),
            (64, false),
            (64, false),
            (64, false),
            (128, true),
            (128, false),
            (128, false),
            (256, true),
            (256, false),
            (256, false),
            (256, true),
        ];
        let mut channels = 32;
        let mut blocks = Vec::with_capacity(plan.len());
        for (place, (width, halves)) in plan.into_iter().enumerate() {
            let name = |offset: usize| format!("conv.{:02}", place * 2 + 1 + offset);
            let (stride, padding) = if halves { (2, 0) } else { (1, 1) };
            blocks.push(Block {
                first: Conv::load(&weights, &name(0), [width, channels, 3, 3], stride, padding)?,
                second: Conv::load(&weights, &name(1), [width, width, 3, 3], 1, 1)?,
                halves,
            });
            channels = width;
        }
        let linear = weights.tensor("fc.weight", &[128, 256])?;
        Ok(Self { model_id: weights.sha256().to_owned(), stem, blocks, linear })
    }

    /// SHA-256 of the weights; templates of different ids are never compared.
    #[must_use]
    pub fn model_id(&self) -> &str {
        &self.model_id
    }

    /// The descriptors of chips, in their order.
    ///
    /// # Errors
    /// If torch fails.
    pub fn embed(&self, chips: &[Rgb]) -> Result<Vec<Option<Descriptor>>> {
        let _no_grad = tch::no_grad_guard();
        let mut descriptors = Vec::with_capacity(chips.len());
        for batch in chips.chunks(BATCH) {
            let inputs = batch.iter().map(tensor::of_picture).collect::<Result<Vec<_>>>()?;
            let outputs = self.forward(&tensor::normalise(&Tensor::f_cat(&inputs, 0)?)?)?;
            let values = tensor::values(&outputs)?;
            descriptors.extend(values.chunks(128).map(|values| Descriptor::new(values.to_vec()).ok()));
        }
        Ok(descriptors)
    }

    /// Normalised chips (n x 3 x 150 x 150) to descriptors (n x 128).
    ///
    /// # Errors
    /// If torch fails.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward_relu(input)?.f_max_pool2d([3, 3], [2, 2], [0, 0], [1, 1], false)?;
        for block in &self.blocks {
            let inner = block.second.forward(&block.first.forward_relu(&x)?)?;
            x = if block.halves {
                let skip = x.f_avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None::<i64>)?;
                add_padded(&skip, &inner)?
            } else {
                inner.f_add(&x)?
            };
            x = x.f_relu_()?;
        }
        Ok(x.f_mean_dim(&[2i64, 3][..], false, tch::Kind::Float)?.f_linear(&self.linear, None::<&Tensor>)?)
    }
}

/// dlib's `add_prev`: both operands padded with zeros to the larger of each dimension.
fn add_padded(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let ((_, ac, ah, aw), (_, bc, bh, bw)) = (a.size4()?, b.size4()?);
    let (c, h, w) = (ac.max(bc), ah.max(bh), aw.max(bw));
    let pad = |t: &Tensor, tc: i64, th: i64, tw: i64| t.f_constant_pad_nd([0, w - tw, 0, h - th, 0, c - tc]);
    Ok(pad(a, ac, ah, aw)?.f_add(&pad(b, bc, bh, bw)?)?)
}
