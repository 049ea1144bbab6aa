//! dlib's cascade of regression trees for 5 points (`image_processing/shape_predictor.h`).
//!
//! Written as rectangular tensors, so that the tables of `parkdesk-faces` need no reader of their own; a file whose
//! trees differ in size is refused.

use anyhow::{Context, Result, ensure};

use super::dlib::Reader;
use super::store::Tensors;

/// Five points.
const COORDINATES: usize = 10;

/// Reads the predictor's file into its tables.
pub(super) fn read(bytes: &[u8]) -> Result<Tensors> {
    let reader = &mut Reader::new(bytes);
    let version = reader.int()?;
    ensure!(version == 1, "predictor version {version} is unknown");
    let initial = reader.column()?;
    ensure!(initial.len() == COORDINATES, "the predictor has {} coordinates, not {COORDINATES}", initial.len());

    let cascades = reader.count(1)?;
    let (mut indices, mut thresholds, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    let (mut trees, mut splits) = (None, None);
    for _ in 0..cascades {
        let count = reader.count(1)?;
        ensure!(*trees.get_or_insert(count) == count, "the levels have different numbers of trees");
        for _ in 0..count {
            let nodes = reader.count(4)?;
            ensure!(*splits.get_or_insert(nodes) == nodes, "the trees have different depths");
            for _ in 0..nodes {
                indices.push(index(reader)?);
                indices.push(index(reader)?);
                thresholds.push(reader.weight()?);
            }
            let ends = reader.count(1)?;
            ensure!(ends == nodes + 1, "a tree of {nodes} splits has {ends} leaves");
            for _ in 0..ends {
                let leaf = reader.column()?;
                ensure!(leaf.len() == COORDINATES, "a leaf has {} coordinates", leaf.len());
                leaves.extend(leaf);
            }
        }
    }
    let (anchors, deltas, pixels) = read_pixels(reader, cascades)?;
    reader.end()?;

    let trees = trees.context("the predictor has no trees")?;
    let splits = splits.context("the predictor has no splits")?;
    ensure!((splits + 1).is_power_of_two(), "{splits} splits make no full tree");
    let known = i32::try_from(pixels).context("pixels")?;
    ensure!(indices.iter().all(|i| *i < known), "a split looks at a pixel that does not exist");
    let mut tensors = Tensors::default();
    tensors.floats("initial", &[COORDINATES], &initial)?;
    tensors.ints("anchors", &[cascades, pixels], &anchors)?;
    tensors.floats("deltas", &[cascades, pixels, 2], &deltas)?;
    tensors.ints("splits", &[cascades, trees, splits, 2], &indices)?;
    tensors.floats("thresholds", &[cascades, trees, splits], &thresholds)?;
    tensors.floats("leaves", &[cascades, trees, splits + 1, COORDINATES], &leaves)?;
    Ok(tensors)
}

/// The pixels each level looks at: a near point of the shape and the way from it.
fn read_pixels(reader: &mut Reader<'_>, cascades: usize) -> Result<(Vec<i32>, Vec<f32>, usize)> {
    let mut pixels = None;
    let mut anchors = Vec::new();
    ensure!(reader.count(1)? == cascades, "anchors and trees have different levels");
    for _ in 0..cascades {
        let count = reader.count(2)?;
        ensure!(*pixels.get_or_insert(count) == count, "the levels look at different numbers of pixels");
        for _ in 0..count {
            let anchor = index(reader)?;
            ensure!((anchor as usize) < COORDINATES / 2, "anchor {anchor} is no point of the shape");
            anchors.push(anchor);
        }
    }
    let pixels = pixels.context("the predictor has no pixels")?;
    let mut deltas = Vec::new();
    ensure!(reader.count(1)? == cascades, "deltas and trees have different levels");
    for _ in 0..cascades {
        ensure!(reader.count(4)? == pixels, "the levels look at different numbers of pixels");
        for _ in 0..pixels * 2 {
            deltas.push(reader.weight()?);
        }
    }
    Ok((anchors, deltas, pixels))
}

fn index(reader: &mut Reader<'_>) -> Result<i32> {
    let value = reader.size()?;
    ensure!(value < 1 << 16, "index {value} is out of range");
    i32::try_from(value).context("index")
}
