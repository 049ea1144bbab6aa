//! Where things lie: the checkout, the cache outside it, and the folder of links between them.
//!
//! The cache (`$PARKDESK_CACHE`, else `$XDG_CACHE_HOME/parkdesk`, else `~/.cache/parkdesk`) holds what is too big or too
//! slow to make for every checkout; `.setup/` in the checkout links to it, so that `.cargo/config.toml` can be relative.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or_else(|| manifest.to_path_buf(), Path::to_path_buf)
}

/// `.setup/NAME` in the checkout.
pub(crate) fn setup(name: &str) -> PathBuf {
    root().join(".setup").join(name)
}

/// The cache outside the checkout.
///
/// # Errors
/// If no home directory is known.
pub(crate) fn cache() -> Result<PathBuf> {
    let var = |name| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(dir) = var("PARKDESK_CACHE") {
        return Ok(dir);
    }
    let base = var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache")));
    Ok(base
        .context("neither PARKDESK_CACHE nor HOME is set; set PARKDESK_CACHE to a folder with 3 GB free")?
        .join("parkdesk"))
}

/// The folder in which cargo puts binaries of the dev profile.
pub(crate) fn bin(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    let dir = env::var_os("CARGO_TARGET_DIR").filter(|v| !v.is_empty()).map_or_else(|| "target".into(), PathBuf::from);
    root().join(dir)
}
