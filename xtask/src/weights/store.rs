//! Named tensors on their way into a safetensors file. The bytes depend on names and values alone, so that the result's
//! SHA-256 can be pinned in `models/manifest.toml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// A set of named tensors.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Tensors(BTreeMap<String, Held>);

#[derive(Debug, Clone, PartialEq)]
struct Held {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensors {
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.insert(name, Dtype::F32, shape, values.len(), bytes)
    }

    pub(super) fn ints(&mut self, name: &str, shape: &[usize], values: &[i32]) -> Result<()> {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.insert(name, Dtype::I32, shape, values.len(), bytes)
    }

    fn insert(&mut self, name: &str, dtype: Dtype, shape: &[usize], len: usize, bytes: Vec<u8>) -> Result<()> {
        let size = shape.iter().try_fold(1usize, |all, side| all.checked_mul(*side));
        ensure!(size == Some(len), "{name} has {len} values, its shape is {shape:?}");
        let held = Held { dtype, shape: shape.to_vec(), bytes };
        ensure!(self.0.insert(name.to_owned(), held).is_none(), "{name} comes twice");
        Ok(())
    }

    /// Values of a float tensor.
    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let held = self.0.get(name)?;
        let values = held.bytes.as_chunks::<4>().0.iter().map(|quad| f32::from_le_bytes(*quad)).collect();
        Some((held.shape.clone(), values))
    }

    /// Names and shapes, in order.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.0.iter().map(|(name, held)| (name.as_str(), held.shape.as_slice()))
    }

    /// The file's bytes.
    pub(super) fn to_safetensors(&self) -> Result<Vec<u8>> {
        let views = self
            .0
            .iter()
            .map(|(name, held)| Ok((name, TensorView::new(held.dtype, held.shape.clone(), &held.bytes)?)))
            .collect::<Result<Vec<_>>>()?;
        safetensors::serialize(views, None).context("cannot write safetensors")
    }
}
