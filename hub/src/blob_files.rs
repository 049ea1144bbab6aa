//! The bytes of blobs: sealed with the person's key before they touch the disk, under random names, synced before
//! their row is written. Parts on the way lie sealed in the same folder. No rules, no rows.

use std::ops::Range;
use std::path::Path;

use parkdesk_domain::Millis;
use parkdesk_sqlcipher::sealed::{self, Folder, FolderError, ObjectName, SealError};
use parkdesk_sqlcipher::system::{Sys, SystemRng};
use rand::rand_core::UnwrapErr;

use crate::store::person_keys::PersonKeys;
use crate::store::{self};

/// Why bytes cannot be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No room left; nothing is left of the object.
    #[error("the disk is full")]
    Full,
    /// The person's key is gone, and with it the bytes, or the object is missing or damaged.
    #[error("the object cannot be opened: {0}")]
    Lost(String),
    /// The key store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file system failed.
    #[error("the blob folder failed: {0}")]
    Io(std::io::Error),
}

impl From<FolderError> for BlobError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Full => Self::Full,
            FolderError::Missing(name) => Self::Lost(format!("object {name} is missing")),
            FolderError::Io(cause) => Self::Io(cause),
            // The enum may grow.
            other => Self::Io(std::io::Error::other(other.to_string())),
        }
    }
}

impl From<SealError> for BlobError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Io(cause) => Self::Io(cause),
            SealError::Refused | SealError::NotSealed => Self::Lost(error.to_string()),
        }
    }
}

/// The folder with its keys.
#[derive(Debug, Clone)]
pub struct BlobFiles {
    system: Sys,
    folder: Folder,
    /// Objects that no row names: kept a while, for a row may come back with a backup.
    lost: Folder,
    keys: PersonKeys,
}

impl BlobFiles {
    /// Opens the folder of blobs, `blobs/` in the data directory.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(system: &Sys, root: &Path, keys: PersonKeys) -> Result<Self, BlobError> {
        let folder = Folder::open(system, root)?;
        let lost = Folder::open(system, &root.join("lost"))?;
        Ok(Self { system: Sys::clone(system), folder, lost, keys })
    }

    /// Opens a folder of blobs that hub processes share.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open_shared(system: &Sys, root: &Path, keys: PersonKeys) -> Result<Self, BlobError> {
        let folder = Folder::open_shared(system, root)?;
        let lost = Folder::open_shared(system, &root.join("lost"))?;
        Ok(Self { system: Sys::clone(system), folder, lost, keys })
    }

    /// Removes what was begun before and never finished.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn sweep_unfinished(&self, before: Millis) -> Result<(), BlobError> {
        Ok(self.folder.sweep_unfinished(before.0)?)
    }

    /// Seals and stores; durable when it returns. Answers the object's name.
    ///
    /// # Errors
    /// [`BlobError`]; then nothing is left of it.
    pub fn put(&self, person: &str, plain: &[u8], now: Millis) -> Result<String, BlobError> {
        let key = self.keys.get_or_make(person, now)?;
        let mut rng = UnwrapErr(SystemRng(Sys::clone(&self.system)));
        let name = ObjectName::random(&mut rng);
        self.folder.put(&name, &sealed::seal(&key, name.as_str(), plain, &mut rng))?;
        Ok(name.to_string())
    }

    /// A range of the plain bytes, cut at their end.
    ///
    /// # Errors
    /// [`BlobError::Lost`] if key or object are gone or damaged.
    pub fn read(&self, person: &str, object: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let name = parse(object)?;
        let key = self.keys.find(person)?.ok_or_else(|| BlobError::Lost("the person's key is gone".into()))?;
        let mut file = self.folder.file(&name)?;
        let size = self.folder.stat(&name)?.size;
        Ok(sealed::open_range(&key, name.as_str(), &mut file, size, range)?)
    }

    /// Removes an object; gone already is well.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn delete(&self, object: &str) -> Result<(), BlobError> {
        Ok(self.folder.delete(&parse(object)?)?)
    }

    /// Objects last written before `before`: those without a row may be swept, younger ones may still get theirs.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn older_than(&self, before: Millis) -> Result<Vec<String>, BlobError> {
        older(&self.folder, before)
    }

    /// Puts an object aside into `lost/`.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn put_aside(&self, object: &str, now: Millis) -> Result<(), BlobError> {
        Ok(self.folder.move_to(&self.lost, &parse(object)?, now.0)?)
    }

    /// Objects put aside.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn put_aside_objects(&self) -> Result<Vec<String>, BlobError> {
        Ok(self.lost.names()?.iter().map(ToString::to_string).collect())
    }

    /// Brings back an object put aside.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn bring_back(&self, object: &str, now: Millis) -> Result<(), BlobError> {
        Ok(self.lost.move_to(&self.folder, &parse(object)?, now.0)?)
    }

    /// Deletes objects put aside before `before`; answers how many.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn delete_aside(&self, before: Millis) -> Result<usize, BlobError> {
        let old = older(&self.lost, before)?;
        for object in &old {
            self.lost.delete(&parse(object)?)?;
        }
        Ok(old.len())
    }
}

fn older(folder: &Folder, before: Millis) -> Result<Vec<String>, BlobError> {
    let mut old = Vec::new();
    for name in folder.names()? {
        // Swept by somebody else meanwhile: nothing to do.
        let Ok(stat) = folder.stat(&name) else { continue };
        if stat.modified_ms < before.0 {
            old.push(name.to_string());
        }
    }
    Ok(old)
}

fn parse(object: &str) -> Result<ObjectName, BlobError> {
    object.parse().map_err(|_| BlobError::Lost(format!("{object:?} is no object name")))
}
