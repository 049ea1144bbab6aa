//! Opening a hub's data directory: `lock`, the key, `hub.db`, `keys.db`, `blobs/`. Nothing is ever made in place of
//! something that does not open.

use std::path::{Path, PathBuf};

use parkdesk_domain::{Millis, RowId};
use parkdesk_sqlcipher::dir::{DataDir, LockError};
use parkdesk_sqlcipher::{Key, KeyError, OpenError, OpenMode};

use crate::blob_files::{BlobError, BlobFiles};
use crate::clock;
use crate::protocol::enrol::new_uuid;
use crate::store::embedded::Embedded;
use crate::store::person_keys::PersonKeys;

/// Name of the systemd credential.
const CREDENTIAL: &str = "parkdesk-hub-key";

/// The data directory, open and owned.
#[derive(Debug)]
pub struct Opened {
    /// Rows.
    pub store: Embedded,
    /// Bytes.
    pub files: BlobFiles,
    /// The lock.
    pub dir: DataDir,
}

/// Why a data directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody else owns it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is a store but no key for it.
    #[error("{} is missing, but {} is there: put the key file back (nothing was changed)", key.display(), store.display())]
    KeyMissing {
        /// Where the key was expected.
        key: PathBuf,
        /// The store.
        store: PathBuf,
    },
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The blob folder does not open.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// Opens a data directory, or makes it.
///
/// # Errors
/// [`StartError`]; nothing is ever made in place of something that does not open.
pub fn open(data: &Path, key_file: Option<&Path>, now: Millis) -> Result<Opened, StartError> {
    let dir = DataDir::lock(data)?;
    let key = find_key(data, key_file)?;
    let hub_id = RowId::from_uuid(new_uuid(now, &mut clock::rng()));
    // The keys of the persons were made along with the store: alone missing, they are lost, and that must be seen.
    let mode = if data.join("hub.db").exists() { OpenMode::Existing } else { OpenMode::Create };
    let keys = PersonKeys::open(data, &key, mode)?;
    let store = Embedded::open(data, &key, mode, &hub_id, now)?;
    let files = BlobFiles::open(data, keys)?;
    Ok(Opened { store, files, dir })
}

fn find_key(data: &Path, key_file: Option<&Path>) -> Result<Key, StartError> {
    let credential = || match Key::from_credential(CREDENTIAL) {
        Err(KeyError::NoCredential(_)) => Ok(None),
        found => found.map(Some),
    };
    let path = match key_file {
        Some(path) => path.to_owned(),
        None => match credential()? {
            Some(key) => return Ok(key),
            None => data.join("hub.key"),
        },
    };
    if path.exists() {
        return Ok(Key::from_file(&path)?);
    }
    let store = data.join("hub.db");
    if store.exists() {
        return Err(StartError::KeyMissing { key: path, store });
    }
    Ok(Key::create_file(&path)?)
}
