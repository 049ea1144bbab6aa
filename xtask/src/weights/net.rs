//! dlib's networks as they stand in a file (`dnn/core.h`, `dnn/layers.h`): nesting, then one record per layer.
//!
//! The file is self-describing: a run of version numbers (outer layer first), the input record, then the layers from
//! the inside out, each with its tag. [`read`] takes any such net of the layers we know; whether it is the graph that
//! `parkdesk-faces` computes is checked by `graph` before a byte is written.

use anyhow::{Context, Result, bail, ensure};

use super::dlib::{Reader, Tensor};

/// A net, its layers from the input outwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Net {
    pub(super) loss: Loss,
    pub(super) input: Input,
    pub(super) layers: Vec<Layer>,
}

/// What the outermost record says about how the output is used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loss {
    /// A descriptor: margin and distance threshold of the training.
    Metric { margin: f64, threshold: f64 },
    /// A detector: window side, and the overlap (inner / outer, covered) above which a weaker box is dropped.
    Mmod { window: [usize; 2], overlap: f64, covered: f64 },
}

/// The input record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Input {
    pub(super) kind: String,
    pub(super) averages: [f64; 3],
    /// Fixed size of the picture, or padding and outer padding of the pyramid.
    pub(super) numbers: [usize; 2],
}

/// One layer's record. Both batch normalisation and its frozen form are a gain and a shift per channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layer {
    Conv {
        filters: [usize; 4],
        stride: [usize; 2],
        padding: [usize; 2],
        weight: Vec<f32>,
        bias: Vec<f32>,
    },
    Scale {
        gain: Vec<f64>,
        shift: Vec<f64>,
    },
    Relu,
    MaxPool(Pool),
    AveragePool(Pool),
    AddPrevious,
    /// `weight` is inputs x outputs, as dlib multiplies.
    Linear {
        inputs: usize,
        outputs: usize,
        weight: Vec<f32>,
    },
    /// A tag or a skip: they name places of the graph and have no record.
    Name,
}

/// A pooling window; 0 x 0 is the whole map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pool {
    pub(super) window: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
}

/// Reads a whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Net> {
    let reader = &mut Reader::new(bytes);
    let version = reader.int()?;
    ensure!(version == 1, "loss layer version {version} is unknown");
    let loss = read_loss(reader)?;
    let (versions, name_len) = read_versions(reader)?;
    let kind = std::str::from_utf8(reader.take(name_len)?).context("the input's name is not UTF-8")?;
    let input = read_input(reader, kind)?;
    let mut layers = Vec::with_capacity(versions.len());
    for (place, version) in versions.iter().rev().enumerate() {
        let innermost = place == 0;
        if *version == 1 && !innermost {
            layers.push(Layer::Name);
            continue;
        }
        let layer = read_layer(reader).with_context(|| format!("layer {place} from the input"))?;
        read_tail(reader, innermost, *version)?;
        layers.push(layer);
    }
    reader.end()?;
    Ok(Net { loss, input, layers })
}

/// The versions of all layers, and the length of the input's name, which is the first integer that is no version.
fn read_versions(reader: &mut Reader<'_>) -> Result<(Vec<i64>, usize)> {
    let mut versions = Vec::new();
    loop {
        match reader.int()? {
            version @ 1..=3 => versions.push(version),
            len @ 4..=64 => return Ok((versions, usize::try_from(len).context("name length")?)),
            other => bail!("byte {}: {other} is neither a layer version nor the input's name", reader.position()),
        }
        ensure!(versions.len() <= 1000, "more than 1000 layers");
    }
}

fn read_loss(reader: &mut Reader<'_>) -> Result<Loss> {
    match reader.string()? {
        "loss_metric_" => Ok(Loss::Metric { margin: 0.1, threshold: 0.75 }),
        "loss_metric_2" => Ok(Loss::Metric { margin: reader.float()?, threshold: reader.float()? }),
        "loss_mmod_" => read_mmod_options(reader),
        other => bail!("loss {other:?} is unknown"),
    }
}

fn read_mmod_options(reader: &mut Reader<'_>) -> Result<Loss> {
    let version = reader.int()?;
    let window = match version {
        1 => [reader.size()?, reader.size()?],
        2..=4 => {
            let windows = reader.count(3)?;
            ensure!(windows == 1, "{windows} detector windows, we know one");
            let kind = reader.int()?;
            let window = [reader.size()?, reader.size()?];
            if kind >= 2 {
                reader.string()?;
            }
            window
        }
        other => bail!("mmod options version {other} is unknown"),
    };
    for _ in 0..3 {
        reader.float()?;
    }
    let (overlap, covered) = (reader.float()?, reader.float()?);
    reader.float()?;
    reader.float()?;
    if version >= 3 {
        reader.byte()?;
    }
    if version >= 4 {
        ensure!(!reader.bool()?, "box regression is unknown to us");
        reader.float()?;
    }
    Ok(Loss::Mmod { window, overlap, covered })
}

fn read_input(reader: &mut Reader<'_>, kind: &str) -> Result<Input> {
    let averages = [reader.float()?, reader.float()?, reader.float()?];
    let numbers = match kind {
        "input_rgb_image_sized" | "input_rgb_image_pyramid2" => [reader.size()?, reader.size()?],
        "input_rgb_image_pyramid" => [10, 11],
        "input_rgb_image" => [0, 0],
        other => bail!("input {other:?} is unknown"),
    };
    Ok(Input { kind: kind.to_owned(), averages, numbers })
}

fn read_layer(reader: &mut Reader<'_>) -> Result<Layer> {
    let tag = reader.string()?;
    match tag {
        "con_4" | "con_5" | "con_6" => read_conv(reader, tag),
        "bn_con2" | "bn_fc2" => read_batch_norm(reader),
        "affine_" | "affine_2" => {
            let params = reader.weights()?;
            let (gamma, beta) = split(&params, reader.alias()?, reader.alias()?)?;
            reader.int()?;
            if tag == "affine_2" {
                ensure!(!reader.bool()?, "a switched-off layer is unknown to us");
            }
            Ok(Layer::Scale { gain: widen(&gamma), shift: widen(&beta) })
        }
        "relu_" => Ok(Layer::Relu),
        "relu_2" => {
            ensure!(!reader.bool()?, "a switched-off layer is unknown to us");
            Ok(Layer::Relu)
        }
        "max_pool_2" => Ok(Layer::MaxPool(read_pool(reader)?)),
        "avg_pool_2" => Ok(Layer::AveragePool(read_pool(reader)?)),
        "add_prev_" => Ok(Layer::AddPrevious),
        "fc_2" | "fc_3" => read_linear(reader, tag),
        other => bail!("layer {other:?} is unknown"),
    }
}

fn read_conv(reader: &mut Reader<'_>, tag: &str) -> Result<Layer> {
    let params = reader.weights()?;
    let count = reader.size()?;
    let kernel = [reader.size()?, reader.size()?];
    let stride = [reader.size()?, reader.size()?];
    let padding = [reader.size()?, reader.size()?];
    let filters = reader.alias()?;
    let (weight, bias) = split(&params, filters, reader.alias()?)?;
    for _ in 0..4 {
        reader.float()?;
    }
    if tag != "con_4" {
        ensure!(reader.bool()?, "a convolution without bias is unknown to us");
    }
    if tag == "con_6" {
        ensure!(!reader.bool()?, "a convolution with its own relu is unknown to us");
    }
    let [outputs, _, rows, columns] = filters;
    ensure!(outputs == count && [rows, columns] == kernel && bias.len() == count, "a convolution contradicts itself");
    Ok(Layer::Conv { filters, stride, padding, weight, bias })
}

fn read_batch_norm(reader: &mut Reader<'_>) -> Result<Layer> {
    let params = reader.weights()?;
    let (gamma, beta) = split(&params, reader.alias()?, reader.alias()?)?;
    reader.tensor()?;
    reader.tensor()?;
    let (means, variances) = (reader.weights()?.data, reader.weights()?.data);
    reader.int()?;
    reader.int()?;
    for _ in 0..4 {
        reader.float()?;
    }
    let eps = reader.float()?;
    ensure!(
        means.len() == gamma.len() && variances.len() == gamma.len() && beta.len() == gamma.len(),
        "a batch normalisation contradicts itself"
    );
    let gain: Vec<f64> =
        gamma.iter().zip(&variances).map(|(g, v)| f64::from(*g) / (f64::from(*v) + eps).sqrt()).collect();
    let shift = beta.iter().zip(&means).zip(&gain).map(|((b, m), g)| f64::from(*b) - g * f64::from(*m)).collect();
    ensure!(gain.iter().all(|g| g.is_finite()), "a batch normalisation has no usable variance");
    Ok(Layer::Scale { gain, shift })
}

fn read_pool(reader: &mut Reader<'_>) -> Result<Pool> {
    Ok(Pool {
        window: [reader.size()?, reader.size()?],
        stride: [reader.size()?, reader.size()?],
        padding: [reader.size()?, reader.size()?],
    })
}

fn read_linear(reader: &mut Reader<'_>, tag: &str) -> Result<Layer> {
    let outputs = reader.size()?;
    let inputs = reader.size()?;
    let params = reader.weights()?;
    reader.alias()?;
    reader.alias()?;
    let mode = reader.int()?;
    for _ in 0..4 {
        reader.float()?;
    }
    if tag == "fc_3" {
        reader.bool()?;
    }
    ensure!(mode == 1, "a linear layer with bias is unknown to us");
    ensure!(inputs.checked_mul(outputs) == Some(params.data.len()), "a linear layer contradicts itself");
    Ok(Layer::Linear { inputs, outputs, weight: params.data })
}

/// What follows each layer's details: three flags, and tensors left over from training, which we skip by their shape.
fn read_tail(reader: &mut Reader<'_>, innermost: bool, version: i64) -> Result<()> {
    for _ in 0..3 {
        reader.bool()?;
    }
    reader.tensor()?;
    reader.tensor()?;
    if innermost || version >= 2 {
        reader.tensor()?;
    }
    if innermost && version >= 3 {
        reader.int()?;
    }
    Ok(())
}

/// The two parts of a parameter tensor, which must use it up.
fn split(params: &Tensor, first: [usize; 4], second: [usize; 4]) -> Result<(Vec<f32>, Vec<f32>)> {
    let product = |shape: [usize; 4]| shape.iter().try_fold(1usize, |all, side| all.checked_mul(*side));
    let len = product(first).context("an alias overflows")?;
    let (head, tail) = params.data.split_at_checked(len).context("an alias is larger than its parameters")?;
    ensure!(product(second) == Some(tail.len()), "two aliases do not use up their parameters");
    Ok((head.to_vec(), tail.to_vec()))
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}
