//! Pictures as tensors, and the few operations the nets share.

use parkdesk_vision::picture::Rgb;
use tch::{Kind, Tensor};

use crate::Result;
use crate::weights::Weights;

/// What dlib subtracts from red, green and blue before it divides by 256.
const AVERAGES: [f32; 3] = [122.782, 117.001, 104.298];

/// A picture as 1 x 3 x height x width floats, 0 to 255.
pub(crate) fn of_picture(picture: &Rgb) -> Result<Tensor> {
    let size = [i64::from(picture.height()), i64::from(picture.width()), 3];
    let bytes = Tensor::f_from_data_size(picture.data(), &size, Kind::Uint8)?;
    Ok(bytes.f_permute([2, 0, 1])?.f_unsqueeze(0)?.f_to_kind(Kind::Float)?.f_contiguous()?)
}

/// Floats as dlib's nets want them.
pub(crate) fn normalise(pixels: &Tensor) -> Result<Tensor> {
    let averages = Tensor::f_from_slice(&AVERAGES)?.f_reshape([1, 3, 1, 1])?;
    Ok(pixels.f_sub(&averages)?.f_div_scalar(256.0)?)
}

/// A convolution with its weights.
pub(crate) struct Conv {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv {
    /// Loads `{name}.weight` and `{name}.bias`.
    pub(crate) fn load(weights: &Weights, name: &str, filters: [usize; 4], stride: i64, padding: i64) -> Result<Self> {
        let [outputs, ..] = filters;
        Ok(Self {
            weight: weights.tensor(&format!("{name}.weight"), &filters)?,
            bias: weights.tensor(&format!("{name}.bias"), &[outputs])?,
            stride,
            padding,
        })
    }

    /// Goes straight to oneDNN: torch's own choice takes a slower way for small batches on one thread.
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        Ok(input.f_mkldnn_convolution(&self.weight, Some(&self.bias), padding, stride, [1, 1], 1)?)
    }

    pub(crate) fn forward_relu(&self, input: &Tensor) -> Result<Tensor> {
        Ok(self.forward(input)?.f_relu_()?)
    }
}

/// The values of a tensor, row by row.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::<f32>::try_from(tensor.f_contiguous()?.f_reshape([-1])?)?)
}
