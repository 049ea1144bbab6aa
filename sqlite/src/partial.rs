//! Downloads that are not finished: what came of a file is kept over a restart, sealed like everything else, and is read
//! again when the file is asked for the next time.
//!
//! One file per range, named by a hash that nobody can make without the person's key and by the range's first byte. No row
//! speaks of them: a range that does not open is not there, and the whole file is checked by its own hash in the end. What
//! is not among the next files to fetch is swept at the start.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use parkdesk_domain::ids::BlobId;
use parkdesk_sqlcipher::durable;
use parkdesk_sqlcipher::sealed::{self, PersonKey};
use parkdesk_sqlcipher::system::Sys;

use crate::Replica;
use crate::blobs::Download;
use crate::error::{Error, Result};
use crate::files::rng;

/// Files whose parts outlive a start.
const KEPT: u32 = 256;

/// The folder of parts.
#[derive(Debug)]
pub(crate) struct Parts {
    system: Sys,
    root: PathBuf,
}

impl Parts {
    pub(crate) fn new(system: &Sys, dir: &Path) -> Self {
        Self { system: Sys::clone(system), root: dir.join("partial") }
    }

    /// Keeps a range of a file.
    pub(crate) fn keep(&self, key: &PersonKey, id: &BlobId, from: u64, plain: &[u8]) -> Result<()> {
        durable::make_private_dir_on(&*self.system, &self.root).map_err(failed)?;
        let name = part_name(key, id, from);
        let sealed = sealed::seal(key, &name, plain, &mut rng(&self.system));
        durable::replace_on(&*self.system, &self.root.join(name), &sealed).map_err(failed)
    }

    /// What is there of a file from its first byte on, without a gap.
    pub(crate) fn read(&self, key: &PersonKey, id: &BlobId) -> Vec<u8> {
        let mut plain = Vec::new();
        loop {
            let name = part_name(key, id, plain.len() as u64);
            let opened = self.bytes(&name).ok().and_then(|bytes| sealed::open(key, &name, &bytes).ok());
            match opened {
                Some(range) if !range.is_empty() => plain.extend_from_slice(&range),
                Some(_) | None => return plain,
            }
        }
    }

    /// Removes all ranges of a file.
    pub(crate) fn remove(&self, key: &PersonKey, id: &BlobId) -> Result<()> {
        let prefix = file_name(key, id);
        self.retain(|name| !name.starts_with(&prefix))
    }

    fn retain(&self, is_kept: impl Fn(&str) -> bool) -> Result<()> {
        for name in self.names()?.iter().filter(|name| !is_kept(name)) {
            self.system.remove(&self.root.join(name)).map_err(failed)?;
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        match self.system.list(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            names => names.map_err(failed),
        }
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.system.open(&self.root.join(name))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn file_name(key: &PersonKey, id: &BlobId) -> String {
    BlobId::of(&[b"partial".as_slice(), key.as_bytes(), id.as_str().as_bytes()].concat()).to_string()
}

fn part_name(key: &PersonKey, id: &BlobId, from: u64) -> String {
    format!("{}.{from:016x}", file_name(key, id))
}

fn failed(error: io::Error) -> Error {
    Error::from(sealed::FolderError::from(error))
}

impl Replica {
    /// Keeps a range of a file that is being fetched, over a restart.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::KeyDestroyed`], or if the folder fails; what was kept before stands.
    pub fn keep_partial(&self, wanted: &Download, from: u64, plain: &[u8]) -> Result<()> {
        let key = self.person_key(&wanted.driver)?;
        self.parts().map_or(Ok(()), |parts| parts.keep(&key, &wanted.id, from, plain))
    }

    /// What was kept of a file from its first byte on; it is not checked.
    ///
    /// # Errors
    /// [`Error::KeyDestroyed`], or if the key store fails.
    pub fn partial(&self, wanted: &Download) -> Result<Vec<u8>> {
        let key = self.person_key(&wanted.driver)?;
        Ok(self.parts().map(|parts| parts.read(&key, &wanted.id)).unwrap_or_default())
    }

    /// Forgets what was kept of a file.
    ///
    /// # Errors
    /// [`Error::KeyDestroyed`], or if the folder fails.
    pub fn drop_partial(&self, wanted: &Download) -> Result<()> {
        let key = self.person_key(&wanted.driver)?;
        self.parts().map_or(Ok(()), |parts| parts.remove(&key, &wanted.id))
    }

    /// At start: parts of files that are not among the next ones to fetch.
    pub(crate) fn sweep_partial(&self) -> Result<()> {
        let Some(parts) = self.parts().filter(|parts| parts.names().is_ok_and(|names| !names.is_empty())) else {
            return Ok(());
        };
        let wanted = self.read(|tx| tx.wanted_downloads(KEPT))?;
        let kept = wanted.iter().filter_map(|file| Some(file_name(&self.person_key(&file.driver).ok()?, &file.id)));
        let kept: BTreeSet<String> = kept.collect();
        parts.retain(|name| name.split_once('.').is_some_and(|(file, _)| kept.contains(file)))
    }
}
