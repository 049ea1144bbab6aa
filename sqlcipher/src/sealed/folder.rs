//! A folder of sealed objects: random names (`aa/bb/<32 hex>`), so that a name tells nothing and is never reused.
//!
//! An object is written to `tmp/`, synced, renamed, and its folder synced before its row is committed; what a power cut
//! leaves in `tmp/` is swept at the next start, what never got its row is the owner's to sweep ([`Folder::names`]).

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rand::CryptoRng;

use crate::durable;
use crate::system::{ReadSeek, Stat, Sys};

/// The random name of an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// A new name.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no object name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an object name (32 lowercase hex digits)")]
pub struct BadName;

impl FromStr for ObjectName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_name = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if is_name { Ok(Self(text.to_owned())) } else { Err(BadName) }
    }
}

/// Why the folder did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The disk is full; nothing of the object is left.
    #[error("the disk is full")]
    Full,
    /// There is no such object.
    #[error("object {0} is missing")]
    Missing(ObjectName),
    /// Another failure of the file system.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&error.kind()) { Self::Full } else { Self::Io(error) }
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Folder {
    system: Sys,
    root: PathBuf,
}

impl Folder {
    /// Opens or makes the folder (0700) and sweeps what a crash left unfinished.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(system: &Sys, root: &Path) -> Result<Self, FolderError> {
        let folder = Self::open_shared(system, root)?;
        folder.sweep_unfinished(i64::MAX)?;
        Ok(folder)
    }

    /// The same for a folder in which other processes may be at work: nothing is swept.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open_shared(system: &Sys, root: &Path) -> Result<Self, FolderError> {
        let folder = Self { system: Sys::clone(system), root: root.to_owned() };
        durable::make_private_dir_on(&**system, &folder.tmp())?;
        Ok(folder)
    }

    /// Removes what was begun before `before_ms` and never finished.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn sweep_unfinished(&self, before_ms: i64) -> Result<(), FolderError> {
        for name in self.system.list(&self.tmp())? {
            let path = self.tmp().join(name);
            let swept = self
                .system
                .stat(&path)
                .and_then(|stat| if stat.modified_ms < before_ms { self.system.remove(&path) } else { Ok(()) });
            match swept {
                // Another process finished or swept it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn path(&self, name: &ObjectName) -> PathBuf {
        let (a, rest) = name.0.split_at(2);
        let (b, _) = rest.split_at(2);
        self.root.join(a).join(b).join(&name.0)
    }

    /// Stores an object so that it survives a power cut once this returns.
    ///
    /// # Errors
    /// [`FolderError::Full`] or another failure; then nothing is left of it.
    pub fn put(&self, name: &ObjectName, sealed: &[u8]) -> Result<(), FolderError> {
        let (tmp, path) = (self.tmp().join(&name.0), self.path(name));
        let system = &*self.system;
        durable::write_synced(system, &tmp, sealed)?;
        let placed = (|| {
            if let Some(parent) = path.parent() {
                durable::make_private_dir_on(system, parent)?;
            }
            system.rename(&tmp, &path)?;
            durable::sync_parent_on(system, &path)
        })();
        if placed.is_err() {
            let _ = system.remove(&tmp);
        }
        Ok(placed?)
    }

    /// The sealed bytes.
    ///
    /// # Errors
    /// [`FolderError::Missing`], or another failure.
    pub fn get(&self, name: &ObjectName) -> Result<Vec<u8>, FolderError> {
        let mut bytes = Vec::new();
        self.file(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The object as a file, for [`super::open_range`].
    ///
    /// # Errors
    /// [`FolderError::Missing`], or another failure.
    pub fn file(&self, name: &ObjectName) -> Result<Box<dyn ReadSeek>, FolderError> {
        self.system.open(&self.path(name)).map_err(|error| missing(error, name))
    }

    /// What is known of the object's file.
    ///
    /// # Errors
    /// [`FolderError::Missing`], or another failure.
    pub fn stat(&self, name: &ObjectName) -> Result<Stat, FolderError> {
        self.system.stat(&self.path(name)).map_err(|error| missing(error, name))
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn delete(&self, name: &ObjectName) -> Result<(), FolderError> {
        match self.system.remove(&self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => Ok(other?),
        }
    }

    /// Moves an object to another folder of the same file system; its age counts anew from `now_ms`.
    ///
    /// # Errors
    /// [`FolderError::Missing`], or another failure; then it is in one of the two.
    pub fn move_to(&self, other: &Self, name: &ObjectName, now_ms: i64) -> Result<(), FolderError> {
        let (from, to) = (self.path(name), other.path(name));
        let system = &*self.system;
        system.set_modified(&from, now_ms).map_err(|error| missing(error, name))?;
        if let Some(parent) = to.parent() {
            durable::make_private_dir_on(system, parent)?;
        }
        system.rename(&from, &to).map_err(|error| missing(error, name))?;
        durable::sync_parent_on(system, &to)?;
        Ok(durable::sync_parent_on(system, &from)?)
    }

    /// Whether the folder at `root` holds no object; nothing is made or swept.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn is_empty(system: &Sys, root: &Path) -> Result<bool, FolderError> {
        Ok(Self { system: Sys::clone(system), root: root.to_owned() }.names()?.is_empty())
    }

    /// The names of all objects, to find those without a row.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn names(&self) -> Result<Vec<ObjectName>, FolderError> {
        let mut names = Vec::new();
        for a in self.folders(&self.root)? {
            for b in self.folders(&a)? {
                names.extend(self.system.list(&b)?.iter().filter_map(|name| name.parse().ok()));
            }
        }
        Ok(names)
    }

    fn folders(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let two = self.system.list(path)?.into_iter().filter(|name| name.len() == 2).map(|name| path.join(name));
        Ok(two.filter(|path| self.system.stat(path).is_ok_and(|stat| stat.is_dir)).collect())
    }
}

fn missing(error: io::Error, name: &ObjectName) -> FolderError {
    if error.kind() == io::ErrorKind::NotFound { FolderError::Missing(name.clone()) } else { error.into() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn an_object_is_private_can_be_read_listed_and_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&crate::system::os(), &dir.path().join("blobs")).unwrap();
        let name = ObjectName::random(&mut StdRng::seed_from_u64(1));
        folder.put(&name, b"sealed").unwrap();
        assert_eq!(folder.get(&name).unwrap(), b"sealed");
        assert_eq!(folder.names().unwrap(), std::slice::from_ref(&name));
        let meta = fs::metadata(folder.path(&name)).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o600);
        folder.delete(&name).unwrap();
        folder.delete(&name).unwrap();
        assert!(matches!(folder.get(&name), Err(FolderError::Missing(_))));
    }

    #[test]
    fn what_a_crash_left_unfinished_is_swept_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(&crate::system::os(), dir.path()).unwrap();
        fs::write(folder.tmp().join("half"), b"x").unwrap();
        let folder = Folder::open(&crate::system::os(), dir.path()).unwrap();
        assert_eq!(fs::read_dir(folder.tmp()).unwrap().count(), 0);
    }
}
