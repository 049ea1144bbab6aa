//! Weights: safetensors files whose SHA-256 stands in `manifest.toml`.
//!
//! Order of checks (reliability, SEC7): a plain file, not a link; the pinned size; the pinned SHA-256; then the format,
//! each tensor's type and shape; only then a tensor. A file that passed the hash can only be wrong by a mistake of ours.
//! There is no reader of pickles in this program.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use crate::{Error, Result};

const MANIFEST: &str = include_str!("../manifest.toml");

#[derive(Deserialize)]
struct Manifest {
    weights: Vec<Pinned>,
}

#[derive(Deserialize)]
struct Pinned {
    name: String,
    file: String,
    sha256: String,
    bytes: u64,
}

/// A file of weights, checked.
pub struct Weights {
    path: String,
    sha256: String,
    bytes: Vec<u8>,
}

impl Weights {
    /// Reads and checks the file that the manifest calls `name`.
    ///
    /// # Errors
    /// If it is not there or not the pinned one.
    pub fn open(dir: &Path, name: &str) -> Result<Self> {
        let manifest: Manifest = toml::from_str(MANIFEST).expect("BUG: the embedded manifest is tested");
        let pinned = manifest.weights.into_iter().find(|w| w.name == name).expect("BUG: names are tested");
        Self::open_pinned(dir, pinned)
    }

    fn open_pinned(dir: &Path, pinned: Pinned) -> Result<Self> {
        let file_path = dir.join(&pinned.file);
        let path = file_path.display().to_string();
        let missing = |source: io::Error| Error::Missing { path: path.clone(), source };
        let wrong = |what: &str| Error::Wrong { path: path.clone(), what: what.to_owned() };
        let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).expect("BUG: flags fit");
        let file = OpenOptions::new().read(true).custom_flags(no_link).open(&file_path).map_err(missing)?;
        let metadata = file.metadata().map_err(missing)?;
        if !metadata.is_file() || metadata.len() != pinned.bytes {
            return Err(wrong("another size"));
        }
        let mut bytes = Vec::new();
        file.take(pinned.bytes + 1).read_to_end(&mut bytes).map_err(missing)?;
        if hex::encode(Sha256::digest(&bytes)) != pinned.sha256 {
            return Err(wrong("another SHA-256"));
        }
        Ok(Self { path, sha256: pinned.sha256, bytes })
    }

    /// SHA-256 of the file, as 64 hex digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// A float tensor of exactly this shape.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let bytes = self.checked(name, Dtype::F32, shape)?;
        let size: Vec<i64> = shape.iter().map(|side| i64::try_from(*side).expect("BUG: shapes are small")).collect();
        Ok(Tensor::f_from_data_size(&bytes, &size, Kind::Float)?)
    }

    /// The values of a float tensor of exactly this shape.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let bytes = self.checked(name, Dtype::F32, shape)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|quad| f32::from_le_bytes(*quad)).collect())
    }

    /// The values of a tensor of small non-negative integers of exactly this shape.
    pub(crate) fn indices(&self, name: &str, shape: &[usize]) -> Result<Vec<u16>> {
        let bytes = self.checked(name, Dtype::I32, shape)?;
        let index = |quad: &[u8; 4]| u16::try_from(i32::from_le_bytes(*quad)).ok();
        let values: Option<Vec<u16>> = bytes.as_chunks::<4>().0.iter().map(index).collect();
        values.ok_or_else(|| self.wrong(format!("{name} holds no indices")))
    }

    fn checked(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<Vec<u8>> {
        let file = SafeTensors::deserialize(&self.bytes).map_err(|error| self.wrong(error.to_string()))?;
        let view = file.tensor(name).map_err(|error| self.wrong(error.to_string()))?;
        if view.dtype() != dtype || view.shape() != shape {
            return Err(self.wrong(format!("{name} is {:?} {:?}", view.dtype(), view.shape())));
        }
        Ok(view.data().to_vec())
    }

    fn wrong(&self, what: String) -> Error {
        Error::Wrong { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;

    fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes
    }

    fn pin(bytes: &[u8]) -> Pinned {
        let sha256 = hex::encode(Sha256::digest(bytes));
        Pinned { name: "w".into(), file: "w.safetensors".into(), sha256, bytes: bytes.len() as u64 }
    }

    fn open(bytes: &[u8], pinned: Pinned) -> Result<Weights> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("w.safetensors"), bytes).unwrap();
        Weights::open_pinned(dir.path(), pinned)
    }

    #[test]
    fn the_manifest_names_the_four_files() {
        let manifest: Manifest = toml::from_str(MANIFEST).unwrap();
        let names: Vec<_> = manifest.weights.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(names, ["resnet", "mmod", "predictor5", "onet"]);
        assert!(manifest.weights.iter().all(|w| w.sha256.len() == 64 && w.bytes < 32 << 20));
    }

    #[test]
    fn pinned_weights_are_read() {
        let bytes = file(HEADER, &[0, 0, 128, 63, 0, 0, 0, 64]);
        let weights = open(&bytes, pin(&bytes)).unwrap();
        assert_eq!(weights.floats("w", &[2]).unwrap(), [1.0, 2.0]);
        assert_eq!(weights.tensor("w", &[2]).unwrap().size(), [2]);
    }

    #[test]
    fn another_hash_size_or_link_is_refused_before_it_is_parsed() {
        let bytes = file(HEADER, &[0; 8]);
        let mut other = bytes.clone();
        *other.last_mut().unwrap() = 1;
        assert!(matches!(open(&other, pin(&bytes)), Err(Error::Wrong { what, .. }) if what.contains("SHA-256")));
        let giant = file("{}", &[0; 4096]);
        assert!(matches!(open(&giant, pin(&bytes)), Err(Error::Wrong { what, .. }) if what.contains("size")));

        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("real"), &bytes).unwrap();
        std::os::unix::fs::symlink(dir.path().join("real"), dir.path().join("w.safetensors")).unwrap();
        assert!(matches!(Weights::open_pinned(dir.path(), pin(&bytes)), Err(Error::Missing { .. })));
    }

    #[test]
    fn hostile_headers_are_errors_even_with_the_right_hash() {
        let mut endless = file(HEADER, &[0; 8]);
        endless.splice(..8, (1_u64 << 63).to_le_bytes());
        let outside = file(r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,800]}}"#, &[0; 8]);
        let overlapping = file(
            r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            &[0; 8],
        );
        let pickle = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec();
        for bytes in [endless, outside, overlapping, pickle] {
            let weights = open(&bytes, pin(&bytes)).unwrap();
            assert!(matches!(weights.floats("w", &[2]), Err(Error::Wrong { .. })));
        }
    }

    #[test]
    fn another_type_or_shape_is_refused() {
        let bytes = file(HEADER, &[0; 8]);
        let weights = open(&bytes, pin(&bytes)).unwrap();
        assert!(weights.floats("w", &[1, 2]).is_err());
        assert!(weights.indices("w", &[2]).is_err());
        assert!(weights.tensor("v", &[2]).is_err());
    }
}
