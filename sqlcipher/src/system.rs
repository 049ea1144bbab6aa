//! What a data directory stands on: its files, the SQLite VFS over the same files, and randomness. [`Os`] is this
//! computer; the simulator brings a disk in memory that loses at a crash what was not flushed.
//!
//! Everything in this crate and above it that touches a file of a data directory goes through here; nothing else opens
//! one (`cargo xtask tidy`).

use std::fmt::Debug;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::SysRng;
use rand::{TryCryptoRng, TryRng};

/// A handle; clones share it.
pub type Sys = Arc<dyn System>;

/// An open file for reading.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// What is known of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// It is a folder.
    pub is_dir: bool,
    /// Bytes.
    pub size: u64,
    /// When it was last written, UTC milliseconds.
    pub modified_ms: i64,
}

/// Files, the VFS over them, and randomness.
pub trait System: Debug + Send + Sync {
    /// The name of the VFS that SQLite is to use; its own if `None`.
    fn vfs(&self) -> Option<&str>;

    /// Fills with random bytes that nobody can guess.
    ///
    /// # Errors
    /// If the system gives none.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;

    /// What is known of a path, following links.
    ///
    /// # Errors
    /// `NotFound`, or if the system refuses.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`, or if the system refuses.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>>;

    /// Writes a file (0600) from its start and flushes it; what failed may be there in part.
    ///
    /// # Errors
    /// If the system refuses.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Flushes a file, or the names in a folder.
    ///
    /// # Errors
    /// If the system refuses.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of what has it.
    ///
    /// # Errors
    /// If the system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// `AlreadyExists` if something has it, or if the system refuses.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, or if the system refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes one folder that only its owner may enter (0700).
    ///
    /// # Errors
    /// `AlreadyExists`, or if the system refuses.
    fn make_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// `NotFound`, or if the system refuses.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Sets when a file was last written.
    ///
    /// # Errors
    /// If the system refuses.
    fn set_modified(&self, path: &Path, at_ms: i64) -> io::Result<()>;
}

/// This computer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Os;

/// This computer, as a handle.
#[must_use]
pub fn os() -> Sys {
    Arc::new(Os)
}

impl System for Os {
    fn vfs(&self) -> Option<&str> {
        None
    }

    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        SysRng.try_fill_bytes(bytes).map_err(io::Error::other)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let meta = fs::metadata(path)?;
        let since = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Ok(Stat { is_dir: meta.is_dir(), size: meta.len(), modified_ms })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn set_modified(&self, path: &Path, at_ms: i64) -> io::Result<()> {
        let at: SystemTime = UNIX_EPOCH + Duration::from_millis(u64::try_from(at_ms).unwrap_or(0));
        fs::File::open(path)?.set_modified(at)
    }
}

/// A generator over the system's randomness; fails as the system does.
#[derive(Debug, Clone)]
pub struct SystemRng(pub Sys);

impl TryRng for SystemRng {
    type Error = io::Error;

    fn try_next_u32(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.fill(bytes)
    }
}

impl TryCryptoRng for SystemRng {}
