//! Files that survive a power cut: written beside, synced, renamed, the folder synced (reliability F6: of files renamed
//! without fsync, every one was lost at the cut).

use std::io;
use std::path::Path;

use crate::system::{Os, System};

/// Makes a folder on this computer that only its owner may enter, with its parents; their entries are synced too.
///
/// # Errors
/// If the system refuses.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    make_private_dir_on(&Os, path)
}

/// As [`make_private_dir`], on any system.
///
/// # Errors
/// If the system refuses.
pub fn make_private_dir_on(system: &dyn System, path: &Path) -> io::Result<()> {
    if system.stat(path).is_ok_and(|stat| stat.is_dir) {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_private_dir_on(system, parent)?;
    }
    match system.make_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => sync_parent_on(system, path),
    }
}

/// Writes a file of this computer that only its owner may read, or replaces it: all of it or nothing.
///
/// # Errors
/// If the system refuses; then the old file stands.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_on(&Os, path, bytes)
}

/// As [`replace`], on any system.
///
/// # Errors
/// If the system refuses; then the old file stands.
pub fn replace_on(system: &dyn System, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(system, &beside, bytes)?;
    system.rename(&beside, path)?;
    sync_parent_on(system, path)
}

/// Like [`replace`], but never over an existing file.
///
/// # Errors
/// `AlreadyExists` if there is one; else if the system refuses.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(&Os, &beside, bytes)?;
    // A second name fails when it is taken; a rename would replace.
    let linked = Os.link(&beside, path);
    Os.remove(&beside)?;
    linked?;
    sync_parent(path)
}

/// Writes and syncs; removes the rest of a failed write, so that a full disk is not kept full.
pub(crate) fn write_synced(system: &dyn System, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = system.write(path, bytes);
    if written.is_err() {
        let _ = system.remove(path);
    }
    written
}

/// Syncs the folder that holds `path` on this computer, so that its name survives.
///
/// # Errors
/// If the system refuses.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync_parent_on(&Os, path)
}

/// As [`sync_parent`], on any system.
pub(crate) fn sync_parent_on(system: &dyn System, path: &Path) -> io::Result<()> {
    system.sync(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
