//! Files that survive a power cut: written beside, synced, renamed, the folder synced (reliability F6: of files renamed
//! without fsync, every one was lost at the cut).

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes a folder that only its owner may enter, with its parents; their entries are synced too.
///
/// # Errors
/// If the system refuses.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_private_dir(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => sync_parent(path),
    }
}

/// Writes a file that only its owner may read, or replaces it: all of it or nothing.
///
/// # Errors
/// If the system refuses; then the old file stands.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(&beside, bytes)?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// Like [`replace`], but never over an existing file.
///
/// # Errors
/// `AlreadyExists` if there is one; else if the system refuses.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(&beside, bytes)?;
    // A hard link fails when the name is taken; a rename would replace.
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked?;
    sync_parent(path)
}

/// Writes and syncs; removes the rest of a failed write, so that a full disk is not kept full.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Syncs the folder that holds `path`, so that its name survives.
///
/// # Errors
/// If the system refuses.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(parent)?.sync_all()
}

fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
