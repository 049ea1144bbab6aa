//! What lies in the folder, and what of it has come to rest.
//!
//! Level-triggered: every look reads the whole folder, so an event that was lost, an overflow and a start are all the same
//! (F26). A file has come to rest when its identity, size and time of change were equal for the whole settling time.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders of ours in the watched one.
pub(super) const DONE: &str = "done";
pub(super) const REJECTED: &str = "rejected";
/// The sidecar's name.
pub(super) const SIDECAR: &str = "drivers.csv";
/// How deep sub-folders are read.
const DEPTH: usize = 4;
/// Endings of files that somebody is still writing.
const UNFINISHED: &[&str] = &["part", "tmp", "partial", "filepart", "crdownload", "download", "swp", "!ut"];
/// Endings of files that do not claim to be pictures: lists, notes and databases that people and systems keep beside them. They
/// stay where they are; what calls itself a picture, or nothing at all, is looked at.
const NO_PICTURES: &[&str] = &[
    "txt", "csv", "db", "ini", "log", "md", "rtf", "doc", "docx", "odt", "xls", "xlsx", "ods", "pdf", "xml", "json",
    "lnk", "url",
];

/// What tells whether a file is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) modified_ns: i128,
}

impl Stamp {
    pub(super) fn of(meta: &Metadata) -> Self {
        let modified_ns = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        Self { device: meta.dev(), inode: meta.ino(), size: meta.len(), modified_ns }
    }

    pub(super) fn modified_ms(&self) -> i64 {
        i64::try_from(self.modified_ns / 1_000_000).unwrap_or_default()
    }

    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// A file in the folder.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// One look at the folder.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Files that may be pictures, oldest first.
    pub(super) files: Vec<Found>,
    /// Sidecars.
    pub(super) sidecars: Vec<Found>,
    /// What could not be read; the rest is there.
    pub(super) errors: Vec<(PathBuf, io::Error)>,
}

/// Reads the folder and its sub-folders.
///
/// # Errors
/// If the folder itself cannot be read.
pub(super) fn look(root: &Path) -> io::Result<Look> {
    let mut look = Look::default();
    read_folder(root, DEPTH, true, &mut look)?;
    look.files.sort_by(|a, b| (a.stamp.modified_ns, &a.path).cmp(&(b.stamp.modified_ns, &b.path)));
    Ok(look)
}

fn read_folder(folder: &Path, depth: usize, is_root: bool, look: &mut Look) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if is_ignored(&name) || (is_root && (name == DONE || name == REJECTED)) {
            continue;
        }
        // Of the entry itself: a link is never followed.
        let meta = match entry.metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                look.errors.push((path, error));
                continue;
            }
        };
        if meta.is_dir() {
            if depth > 0
                && let Err(error) = read_folder(&path, depth - 1, false, look)
            {
                look.errors.push((path, error));
            }
        } else if meta.is_file() {
            let list = if name == SIDECAR { &mut look.sidecars } else { &mut look.files };
            list.push(Found { path, stamp: Stamp::of(&meta) });
        }
    }
    Ok(())
}

/// Hidden files, files that are still being written under another name, and files that do not claim to be pictures.
fn is_ignored(name: &OsStr) -> bool {
    if name == SIDECAR {
        return false;
    }
    let bytes = name.as_bytes();
    let lower = name.to_string_lossy().to_lowercase();
    let ending = lower.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    bytes.starts_with(b".")
        || bytes.starts_with(b"~")
        || bytes.ends_with(b"~")
        || UNFINISHED.contains(&ending)
        || NO_PICTURES.contains(&ending)
}

/// Remembers since when each file is as it is.
#[derive(Debug, Default)]
pub(super) struct Rest {
    seen: BTreeMap<PathBuf, (Stamp, u64)>,
}

impl Rest {
    /// Notes what was seen at `now_ms` and forgets what is gone.
    pub(super) fn note(&mut self, look: &Look, now_ms: u64) {
        let mut seen = BTreeMap::new();
        for found in look.files.iter().chain(&look.sidecars) {
            let since = match self.seen.get(&found.path) {
                Some((stamp, since)) if *stamp == found.stamp => *since,
                Some(_) | None => now_ms,
            };
            seen.insert(found.path.clone(), (found.stamp, since));
        }
        self.seen = seen;
    }

    /// How long the file has been as it is.
    pub(super) fn age_ms(&self, path: &Path, now_ms: u64) -> u64 {
        self.seen.get(path).map_or(0, |(_, since)| now_ms.saturating_sub(*since))
    }

    pub(super) fn clear(&mut self) {
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_and_unfinished_names_are_ignored() {
        for name in [
            ".a.jpg",
            "a.jpg~",
            "~a.jpg",
            "a.jpg.part",
            "a.TMP",
            "a.crdownload",
            "Thumbs.db",
            "desktop.ini",
            "notes.txt",
            "Прочти меня.TXT",
            "список.csv",
            "a.jpg.txt",
        ] {
            assert!(is_ignored(OsStr::new(name)), "{name}");
        }
        for name in ["a.jpg", "a", "part", "a.part.jpg", "Фото 1.JPG", "a\nb.jpg", "txt", "a.txt.jpg", "a.exe", SIDECAR]
        {
            assert!(!is_ignored(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_change_begins_the_rest_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jpg");
        fs::write(&path, "1").unwrap();
        let mut rest = Rest::default();
        rest.note(&look(dir.path()).unwrap(), 100);
        rest.note(&look(dir.path()).unwrap(), 2100);
        assert_eq!(rest.age_ms(&path, 2100), 2000);
        fs::write(&path, "12").unwrap();
        rest.note(&look(dir.path()).unwrap(), 2200);
        assert_eq!(rest.age_ms(&path, 2200), 0);
        fs::remove_file(&path).unwrap();
        rest.note(&look(dir.path()).unwrap(), 2300);
        assert!(rest.seen.is_empty(), "memory is bounded by what is there");
    }

    #[test]
    fn links_pipes_and_our_own_folders_are_not_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::write(root.join("real.jpg"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("real.jpg"), root.join("link.jpg")).unwrap();
        std::os::unix::fs::symlink("/nowhere", root.join("broken.jpg")).unwrap();
        std::os::unix::fs::symlink(root, root.join("loop")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe.jpg"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        for folder in ["folder.jpg", "done", "rejected", ".hidden"] {
            fs::create_dir(root.join(folder)).unwrap();
            fs::write(root.join(folder).join("in.jpg"), "x").unwrap();
        }
        let look = look(root).unwrap();
        let names: Vec<String> =
            look.files.iter().map(|f| f.path.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.contains(&"real.jpg".into()) && names.contains(&"folder.jpg/in.jpg".into()), "{names:?}");
    }
}
