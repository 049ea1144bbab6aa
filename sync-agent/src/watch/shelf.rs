//! Where files go after they were looked at: `done/`, or `rejected/` with a reason beside them.
//!
//! Invariant: only the very file that was read is moved. Somebody may have put another under its name meanwhile; then the
//! other goes back and is looked at in its turn (guarded by `a_file_that_was_replaced_meanwhile_stays`). Nothing is ever
//! overwritten: the kernel is asked to refuse.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::scan::{DONE, REJECTED, Stamp};

/// Most bytes of a file's name.
const NAME_MAX: usize = 255;
const REASON: &str = ".reason.txt";

/// A regular file, read to its end without following a link.
pub(super) enum Opened {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It is larger than it may be; nothing was read.
    TooLarge,
    /// It changed, vanished or is no file any more.
    Changed,
}

/// Reads the file if it is still the one that was seen.
pub(super) fn read(path: &Path, stamp: &Stamp, most: u64) -> io::Result<Opened> {
    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Changed),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Ok(Opened::Changed);
        }
        Err(error) => return Err(error),
    };
    let before = file.metadata()?;
    if !before.is_file() || Stamp::of(&before) != *stamp {
        return Ok(Opened::Changed);
    }
    if stamp.size > most {
        return Ok(Opened::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or_default());
    (&mut file).take(most + 1).read_to_end(&mut bytes)?;
    let after = Stamp::of(&file.metadata()?);
    if after != *stamp || bytes.len() as u64 != stamp.size {
        return Ok(Opened::Changed);
    }
    Ok(Opened::Bytes(bytes))
}

/// Moves a taken file to `done/`. `false` = another file lies under its name now, or none.
pub(super) fn keep_done(root: &Path, path: &Path, stamp: &Stamp) -> io::Result<bool> {
    Ok(move_to(root, DONE, path, stamp)?.is_some())
}

/// Moves a refused file to `rejected/` and writes why beside it.
pub(super) fn keep_rejected(root: &Path, path: &Path, stamp: &Stamp, reason: &str) -> io::Result<bool> {
    let Some(moved) = move_to(root, REJECTED, path, stamp)? else { return Ok(false) };
    let (folder, name) = (moved.parent().unwrap_or(root), moved.file_name().unwrap_or_default());
    let mut reason_name = name.to_owned();
    reason_name.push(REASON);
    // Hidden, and only this thread writes here: one name is enough.
    let part = folder.join(".reason.part");
    let mut file = File::create(&part)?;
    file.write_all(reason.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, folder.join(reason_name))?;
    sync_folder(folder)?;
    Ok(true)
}

fn move_to(root: &Path, shelf: &str, path: &Path, stamp: &Stamp) -> io::Result<Option<PathBuf>> {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let folder = root.join(shelf).join(inside.parent().unwrap_or(Path::new("")));
    fs::create_dir_all(&folder)?;
    let name = inside.file_name().unwrap_or_default();
    for n in 1..=10_000u32 {
        let target = folder.join(numbered(name, n));
        match rename_new(path, &target) {
            Ok(()) => {
                let moved = Stamp::of(&fs::symlink_metadata(&target)?);
                if !moved.is_same_file(stamp) {
                    rename_new(&target, path)?;
                    return Ok(None);
                }
                sync_folder(&folder)?;
                sync_folder(path.parent().unwrap_or(root))?;
                return Ok(Some(target));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "ten thousand files of this name were moved before"))
}

/// Renames without replacing.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Some file systems (older NFS, some FUSE) cannot refuse by themselves.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        Err(error) => Err(error.into()),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// `name.jpg`, `name (2).jpg`, ...; short enough to have a reason file of its own beside it.
fn numbered(name: &OsStr, n: u32) -> OsString {
    let path = Path::new(name);
    let mut ending = OsString::new();
    if n > 1 {
        ending.push(format!(" ({n})"));
    }
    if let Some(extension) = path.extension() {
        ending.push(".");
        ending.push(shortened(extension, NAME_MAX - 16));
    }
    let mut result = shortened(path.file_stem().unwrap_or(name), ending.len() + REASON.len());
    result.push(ending);
    result
}

/// The name, cut so that `room` bytes fit behind it.
fn shortened(name: &OsStr, room: usize) -> OsString {
    let mut bytes = name.as_bytes().to_vec();
    bytes.truncate(NAME_MAX.saturating_sub(room));
    // Do not end within a character.
    while !bytes.is_empty() && std::str::from_utf8(&bytes).is_err_and(|e| e.error_len().is_none()) {
        bytes.pop();
    }
    OsString::from_vec(bytes)
}

/// Removes files from `done/` for which `is_over` says so; folders that became empty go, too.
pub(super) fn clean_done(root: &Path, mut is_over: impl FnMut(&Path, &fs::Metadata) -> bool) -> io::Result<u64> {
    let done = root.join(DONE);
    let removed = clean_folder(&done, &mut is_over, 5);
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        other => other,
    }
}

fn clean_folder(
    folder: &Path,
    is_over: &mut impl FnMut(&Path, &fs::Metadata) -> bool,
    depth: usize,
) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, meta) = (entry.path(), entry.metadata()?);
        if meta.is_dir() && depth > 0 {
            removed += clean_folder(&path, is_over, depth - 1)?;
            // Fails while something is left in it, as it should.
            let _ = fs::remove_dir(&path);
        } else if meta.is_file() && is_over(&path, &meta) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// When the file came to where it is: a rename sets this time, a copy's own times stay.
pub(super) fn moved_at_ms(meta: &fs::Metadata) -> i64 {
    meta.ctime().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&fs::symlink_metadata(path).unwrap())
    }

    #[test]
    fn a_file_that_was_replaced_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jpg");
        fs::write(&path, "taken").unwrap();
        let seen = stamp(&path);
        fs::write(dir.path().join("b"), "other").unwrap();
        fs::rename(dir.path().join("b"), &path).unwrap();
        assert!(!keep_done(dir.path(), &path, &seen).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"other", "the newcomer was not taken yet");
        assert!(matches!(read(&path, &seen, 100).unwrap(), Opened::Changed));
    }

    #[test]
    fn names_never_collide_and_long_ones_are_shortened() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let long = format!("{}.jpg", "ж".repeat(125));
        for name in ["a.jpg", "a.jpg", "a.jpg", "line\nbreak.jpg", &long, &long] {
            let path = root.join(name);
            fs::write(&path, name).unwrap();
            assert!(keep_rejected(root, &path, &stamp(&path), "why").unwrap());
        }
        let names: Vec<String> =
            fs::read_dir(root.join(REJECTED)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names.len(), 12, "{names:?}");
        assert!(names.contains(&"a (3).jpg".into()) && names.contains(&"a (3).jpg.reason.txt".into()), "{names:?}");
    }

    #[test]
    fn links_and_large_files_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        fs::write(&real, "0123456789").unwrap();
        let seen = stamp(&real);
        assert!(matches!(read(&real, &seen, 10).unwrap(), Opened::Bytes(b) if b.len() == 10));
        assert!(matches!(read(&real, &seen, 9).unwrap(), Opened::TooLarge));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(read(&link, &seen, 10).unwrap(), Opened::Changed));
        assert!(matches!(read(&dir.path().join("none"), &seen, 10).unwrap(), Opened::Changed));
    }
}
