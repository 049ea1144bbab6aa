//! The two graphs that `parkdesk-faces` computes, and the folding of a file's layers into them.
//!
//! A file whose layers, in order, are not exactly these is refused: the nets in `models` have the graph in their code,
//! so weights of another graph would give wrong vectors in silence. Each convolution takes its gain and shift in
//! (`w' = g w`, `b' = g b + s`, in f64).

use anyhow::{Context, Result, ensure};

use super::net::{Input, Layer, Loss, Net, Pool};
use super::store::Tensors;

/// A layer as the forward pass does it, without its weights.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Conv { filters: [usize; 4], stride: usize, padding: usize },
    Relu,
    MaxPool(Pool),
    AveragePool(Pool),
    Add,
    Linear { inputs: usize, outputs: usize },
}

const AVERAGES: [f64; 3] = [122.782, 117.001, 104.298];

/// Tensors of the face descriptor's net (ResNet with 29 convolutions).
pub(super) fn resnet(net: &Net) -> Result<Tensors> {
    ensure!(matches!(net.loss, Loss::Metric { .. }), "not a descriptor's net");
    check_input(&net.input, "input_rgb_image_sized", [150, 150])?;
    fold(net, &resnet_steps())
}

/// Tensors of the face detector's net.
pub(super) fn mmod(net: &Net) -> Result<Tensors> {
    let expected = Loss::Mmod { window: [80, 80], overlap: 0.338_276_135_110_995_5, covered: 1.0 };
    ensure!(net.loss == expected, "the detector's options are {:?}, the code knows {expected:?}", net.loss);
    check_input(&net.input, "input_rgb_image_pyramid", [10, 11])?;
    fold(net, &mmod_steps())
}

fn check_input(input: &Input, kind: &str, numbers: [usize; 2]) -> Result<()> {
    let close = input.averages.iter().zip(AVERAGES).all(|(got, want)| (got - want).abs() < 1e-4);
    ensure!(
        input.kind.trim_end_matches('2') == kind && close && input.numbers == numbers,
        "the input is {input:?}, the code knows {kind} {numbers:?} with averages {AVERAGES:?}"
    );
    Ok(())
}

fn conv(filters: [usize; 4], stride: usize) -> Step {
    let [_, _, side, _] = filters;
    // dlib's rule: strided convolutions are not padded.
    Step::Conv { filters, stride, padding: if stride == 1 { side / 2 } else { 0 } }
}

fn resnet_steps() -> Vec<Step> {
    let halve = Pool { window: [2, 2], stride: [2, 2], padding: [0, 0] };
    let mut steps = vec![
        conv([32, 3, 7, 7], 2),
        Step::Relu,
        Step::MaxPool(Pool { window: [3, 3], stride: [2, 2], padding: [0, 0] }),
    ];
    let mut channels = 32;
    // Blocks from the input outwards: true = half the size.
    let blocks: [(usize, &[bool]); 5] = [
        (32, &[false; 3]),
        (64, &[true, false, false, false]),
        (128, &[true, false, false]),
        (256, &[true, false, false]),
        (256, &[true]),
    ];
    for (width, halvings) in blocks {
        for half in halvings {
            steps.push(conv([width, channels, 3, 3], if *half { 2 } else { 1 }));
            steps.push(Step::Relu);
            steps.push(conv([width, width, 3, 3], 1));
            if *half {
                steps.push(Step::AveragePool(halve));
            }
            steps.push(Step::Add);
            steps.push(Step::Relu);
            channels = width;
        }
    }
    steps.push(Step::AveragePool(Pool { window: [0, 0], stride: [1, 1], padding: [0, 0] }));
    steps.push(Step::Linear { inputs: 256, outputs: 128 });
    steps
}

fn mmod_steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for filters in [[16, 3, 5, 5], [32, 16, 5, 5], [32, 32, 5, 5]] {
        steps.extend([conv(filters, 2), Step::Relu]);
    }
    for filters in [[45, 32, 5, 5], [45, 45, 5, 5], [45, 45, 5, 5]] {
        steps.extend([conv(filters, 1), Step::Relu]);
    }
    steps.push(conv([1, 45, 9, 9], 1));
    steps
}

/// Walks the layers beside the steps and collects `conv.NN.weight`, `conv.NN.bias` and `fc.weight` (outputs x inputs).
fn fold(net: &Net, steps: &[Step]) -> Result<Tensors> {
    let mut tensors = Tensors::default();
    let mut layers = net.layers.iter().filter(|layer| **layer != Layer::Name).peekable();
    let mut convs = 0;
    for (place, step) in steps.iter().enumerate() {
        let layer = layers.next().context("the net has fewer layers than the graph")?;
        let found = step_of(layer)?;
        ensure!(found == *step, "layer {place} is {found:?}, the graph has {step:?}");
        match layer {
            Layer::Conv { filters, weight, bias, .. } => {
                let scale = layers.next_if(|next| matches!(next, Layer::Scale { .. }));
                let (weight, bias) = folded(weight, bias, scale)?;
                tensors.floats(&format!("conv.{convs:02}.weight"), filters, &weight)?;
                tensors.floats(&format!("conv.{convs:02}.bias"), &[bias.len()], &bias)?;
                convs += 1;
            }
            Layer::Linear { inputs, outputs, weight } => {
                let turned: Vec<f32> =
                    (0..*outputs).flat_map(|o| weight.iter().skip(o).step_by(*outputs)).copied().collect();
                tensors.floats("fc.weight", &[*outputs, *inputs], &turned)?;
            }
            Layer::Scale { .. }
            | Layer::Relu
            | Layer::MaxPool(_)
            | Layer::AveragePool(_)
            | Layer::AddPrevious
            | Layer::Name => {}
        }
    }
    ensure!(layers.next().is_none(), "the net has more layers than the graph");
    Ok(tensors)
}

fn step_of(layer: &Layer) -> Result<Step> {
    Ok(match layer {
        Layer::Conv { filters, stride: [sy, sx], padding: [py, px], .. } => {
            ensure!(sy == sx && py == px, "a convolution treats rows and columns differently");
            Step::Conv { filters: *filters, stride: *sy, padding: *py }
        }
        Layer::Relu => Step::Relu,
        Layer::MaxPool(pool) => Step::MaxPool(*pool),
        Layer::AveragePool(pool) => Step::AveragePool(*pool),
        Layer::AddPrevious => Step::Add,
        Layer::Linear { inputs, outputs, .. } => Step::Linear { inputs: *inputs, outputs: *outputs },
        Layer::Scale { .. } | Layer::Name => anyhow::bail!("a gain without a convolution before it"),
    })
}

fn folded(weight: &[f32], bias: &[f32], scale: Option<&Layer>) -> Result<(Vec<f32>, Vec<f32>)> {
    let Some(Layer::Scale { gain, shift }) = scale else {
        return Ok((weight.to_vec(), bias.to_vec()));
    };
    ensure!(gain.len() == bias.len() && shift.len() == bias.len(), "a gain has another width than its convolution");
    ensure!(!bias.is_empty(), "a convolution without filters");
    let per_filter = weight.len() / bias.len();
    let weight: Vec<f32> = weight
        .chunks(per_filter.max(1))
        .zip(gain)
        .flat_map(|(filter, g)| filter.iter().map(move |w| (f64::from(*w) * g) as f32))
        .collect();
    let bias: Vec<f32> = bias.iter().zip(gain).zip(shift).map(|((b, g), s)| (f64::from(*b) * g + s) as f32).collect();
    ensure!(weight.iter().chain(&bias).all(|v| v.is_finite()), "a folded weight is not finite");
    Ok((weight, bias))
}

/// The tensors of the O-Net (facenet-pytorch), by their names in the state dict.
pub(super) fn check_onet(tensors: &Tensors) -> Result<()> {
    let expected: [(&str, &[usize]); 21] = [
        ("conv1.bias", &[32]),
        ("conv1.weight", &[32, 3, 3, 3]),
        ("conv2.bias", &[64]),
        ("conv2.weight", &[64, 32, 3, 3]),
        ("conv3.bias", &[64]),
        ("conv3.weight", &[64, 64, 3, 3]),
        ("conv4.bias", &[128]),
        ("conv4.weight", &[128, 64, 2, 2]),
        ("dense5.bias", &[256]),
        ("dense5.weight", &[256, 1152]),
        ("dense6_1.bias", &[2]),
        ("dense6_1.weight", &[2, 256]),
        ("dense6_2.bias", &[4]),
        ("dense6_2.weight", &[4, 256]),
        ("dense6_3.bias", &[10]),
        ("dense6_3.weight", &[10, 256]),
        ("prelu1.weight", &[32]),
        ("prelu2.weight", &[64]),
        ("prelu3.weight", &[64]),
        ("prelu4.weight", &[128]),
        ("prelu5.weight", &[256]),
    ];
    ensure!(tensors.shapes().eq(expected), "these are not the O-Net's tensors");
    Ok(())
}
