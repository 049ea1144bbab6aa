//! Writers of the forms that the readers read: dlib's serialised nets and predictors, and torch's legacy files.

use super::super::net::{Input, Layer, Loss, Net, Pool};

/// Writes dlib's primitives.
#[derive(Default)]
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        let bytes = value.unsigned_abs().to_le_bytes();
        let len = (8 - value.unsigned_abs().leading_zeros() as usize / 8).max(1);
        self.0.push(len as u8 | if value < 0 { 0x80 } else { 0 });
        self.0.extend(&bytes[..len]);
        self
    }

    pub(super) fn size(&mut self, value: usize) -> &mut Self {
        self.int(value as i64)
    }

    pub(super) fn ints(&mut self, values: &[usize]) -> &mut Self {
        values.iter().fold(self, |out, value| out.size(*value))
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(if value { b'1' } else { b'0' });
        self
    }

    pub(super) fn string(&mut self, text: &str) -> &mut Self {
        self.size(text.len());
        self.0.extend(text.as_bytes());
        self
    }

    /// As dlib: a mantissa without trailing zero bits, then the exponent.
    pub(super) fn float(&mut self, value: f64) -> &mut Self {
        let (mut mantissa, mut exponent) = (value, 0);
        while mantissa.abs() >= 2f64.powi(53) {
            mantissa /= 2.0;
            exponent += 1;
        }
        while mantissa != mantissa.trunc() {
            mantissa *= 2.0;
            exponent -= 1;
        }
        self.int(mantissa as i64).int(exponent)
    }

    pub(super) fn floats(&mut self, values: &[f64]) -> &mut Self {
        values.iter().fold(self, |out, value| out.float(*value))
    }

    pub(super) fn tensor(&mut self, shape: [usize; 4], values: &[f32]) -> &mut Self {
        self.int(2).ints(&shape);
        self.0.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        self
    }

    pub(super) fn alias(&mut self, shape: [usize; 4]) -> &mut Self {
        self.int(1).ints(&shape)
    }

    pub(super) fn column(&mut self, values: &[f32]) -> &mut Self {
        self.int(-(values.len() as i64)).int(-1);
        values.iter().fold(self, |out, value| out.float(f64::from(*value)))
    }

    pub(super) fn net(&mut self, net: &Net) -> &mut Self {
        self.int(1);
        match net.loss {
            Loss::Metric { margin, threshold } => self.string("loss_metric_2").floats(&[margin, threshold]),
            Loss::Mmod { window, overlap, covered } => {
                self.string("loss_mmod_").int(1).ints(&window).floats(&[1.0, 1.0, 0.5, overlap, covered, 0.5, 1.0])
            }
        };
        for (place, layer) in net.layers.iter().enumerate().rev() {
            let version = if *layer == Layer::Name { 1 } else { 2 };
            self.int(if place == 0 { 3 } else { version });
        }
        self.string(&net.input.kind).floats(&net.input.averages);
        if net.input.kind != "input_rgb_image_pyramid" {
            self.ints(&net.input.numbers);
        }
        for (place, layer) in net.layers.iter().enumerate() {
            if *layer == Layer::Name {
                continue;
            }
            self.layer(layer).bool(true).bool(false).bool(false);
            // One of the left-over tensors is filled, to be skipped by its shape.
            self.tensor([1, 1, 1, 2], &[5.0, 6.0]).tensor([0; 4], &[]).tensor([0; 4], &[]);
            if place == 0 {
                self.int(1);
            }
        }
        self
    }

    pub(super) fn layer(&mut self, layer: &Layer) -> &mut Self {
        match layer {
            Layer::Conv { filters, stride, padding, weight, bias } => {
                let params: Vec<f32> = weight.iter().chain(bias).copied().collect();
                let [outputs, _, rows, columns] = *filters;
                self.string("con_4").tensor([1, 1, 1, params.len()], &params).size(outputs);
                self.ints(&[rows, columns]).ints(stride).ints(padding).alias(*filters).alias([1, outputs, 1, 1]);
                self.floats(&[1.0; 4])
            }
            Layer::Scale { gain, shift } => {
                let params: Vec<f32> = gain.iter().chain(shift).map(|v| *v as f32).collect();
                let half = [1, gain.len(), 1, 1];
                self.string("affine_").tensor([1, params.len(), 1, 1], &params).alias(half).alias(half).int(0)
            }
            Layer::Relu => self.string("relu_"),
            Layer::MaxPool(pool) => self.string("max_pool_2").pool(pool),
            Layer::AveragePool(pool) => self.string("avg_pool_2").pool(pool),
            Layer::AddPrevious => self.string("add_prev_"),
            Layer::Linear { inputs, outputs, weight } => {
                let shape = [*inputs, *outputs, 1, 1];
                self.string("fc_2").ints(&[*outputs, *inputs]).tensor(shape, weight).alias(shape).alias([0; 4]).int(1);
                self.floats(&[1.0; 4])
            }
            Layer::Name => self,
        }
    }

    pub(super) fn pool(&mut self, pool: &Pool) -> &mut Self {
        self.ints(&pool.window).ints(&pool.stride).ints(&pool.padding)
    }
}

/// Weights that differ from each other and are exact in every form.
pub(super) fn ramp(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 61) as f32 / 64.0 - 0.25).collect()
}

pub(super) fn conv(filters: [usize; 4], stride: usize) -> Layer {
    let [outputs, inputs, rows, columns] = filters;
    let padding = if stride == 1 { rows / 2 } else { 0 };
    Layer::Conv {
        filters,
        stride: [stride; 2],
        padding: [padding; 2],
        weight: ramp(outputs * inputs * rows * columns),
        bias: ramp(outputs),
    }
}

pub(super) fn scale(width: usize) -> Layer {
    Layer::Scale { gain: vec![2.0; width], shift: vec![0.5; width] }
}

pub(super) fn mmod_net() -> Net {
    let mut layers = Vec::new();
    for (filters, stride) in [
        ([16, 3, 5, 5], 2),
        ([32, 16, 5, 5], 2),
        ([32, 32, 5, 5], 2),
        ([45, 32, 5, 5], 1),
        ([45, 45, 5, 5], 1),
        ([45, 45, 5, 5], 1),
    ] {
        layers.extend([conv(filters, stride), scale(filters[0]), Layer::Relu]);
    }
    layers.push(conv([1, 45, 9, 9], 1));
    let averages = [122.782, 117.001, 104.298].map(|v: f64| (v * 65536.0).round() / 65536.0);
    Net {
        loss: Loss::Mmod { window: [80, 80], overlap: 0.338_276_135_110_995_5, covered: 1.0 },
        input: Input { kind: "input_rgb_image_pyramid".into(), averages, numbers: [10, 11] },
        layers,
    }
}

/// One of everything, with a tag in the middle.
pub(super) fn small_net() -> Net {
    let pool = Pool { window: [2, 2], stride: [2, 2], padding: [0, 0] };
    let layers = vec![
        conv([4, 3, 3, 3], 2),
        scale(4),
        Layer::Relu,
        Layer::Name,
        Layer::MaxPool(pool),
        Layer::AveragePool(pool),
        Layer::AddPrevious,
        Layer::Linear { inputs: 4, outputs: 2, weight: ramp(8) },
    ];
    Net {
        loss: Loss::Metric { margin: 0.0625, threshold: 0.5 },
        input: Input { kind: "input_rgb_image_sized".into(), averages: [1.5, 2.0, -3.25], numbers: [150, 150] },
        layers,
    }
}

pub(super) fn predictor(levels: usize, trees: usize, pixels: usize) -> Vec<u8> {
    let mut out = Out::default();
    out.int(1).column(&ramp(10)).size(levels);
    for _ in 0..levels {
        out.size(trees);
        for _ in 0..trees {
            out.size(3);
            for split in 0..3 {
                out.size(split % pixels).size(pixels - 1).float(0.125);
            }
            out.size(4);
            (0..4).for_each(|_| {
                out.column(&ramp(10));
            });
        }
    }
    out.size(levels);
    for _ in 0..levels {
        out.size(pixels).ints(&vec![4; pixels]);
    }
    out.size(levels);
    for _ in 0..levels {
        out.size(pixels).floats(&vec![-0.5; pixels * 2]);
    }
    out.0
}

/// A legacy torch file with one tensor: shape, strides, and the storage behind it.
pub(super) fn torch_file(shape: [u8; 2], strides: [u8; 2], storage: &[f32]) -> Vec<u8> {
    let text = |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let pair = |[a, b]: [u8; 2]| vec![b'(', b'K', a, b'K', b, b't'];
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    bytes.extend(b"\x80\x02M\xe9\x03.");
    bytes.extend([b"\x80\x02}q\x00(", &text("little_endian")[..], b"\x88u."].concat());
    bytes.extend(b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(");
    bytes.extend(text("layer.weight"));
    bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\nq\x02((");
    bytes.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text("key"), text("cpu")].concat());
    bytes.extend([b'K', storage.len() as u8, b'N', b't', b'Q', b'K', 0]);
    bytes.extend([pair(shape), pair(strides)].concat());
    bytes.extend(b"\x89h\x00)RtRu.");
    bytes.extend([b"\x80\x02]q\x00(", &text("key")[..], b"e."].concat());
    bytes.extend((storage.len() as u64).to_le_bytes());
    bytes.extend(storage.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}
