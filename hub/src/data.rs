//! Opening a hub's data directory: `lock`, the key, `hub.db`, `keys.db`, `blobs/`; on PostgreSQL the lock and the key only.
//! Nothing is ever made in place of something that does not open.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parkdesk_domain::{Millis, RowId};
use parkdesk_sqlcipher::dir::{DataDir, LockError};
use parkdesk_sqlcipher::sealed::Folder;
use parkdesk_sqlcipher::system::os;
use parkdesk_sqlcipher::{Key, KeyError, OpenError, OpenMode, durable};

use crate::blob_files::{BlobError, BlobFiles};
use crate::clock;
use crate::protocol::enrol::new_uuid;
use crate::store::any::AnyStore;
use crate::store::embedded::Embedded;
use crate::store::person_keys::PersonKeys;
use crate::store::postgres::{Address, ConnectError, Reached};

/// Name of the systemd credential.
const CREDENTIAL: &str = "parkdesk-hub-key";

/// For the lock, and for the socket of a hub that starts.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
pub const PAUSE: Duration = Duration::from_millis(50);

/// The data directory, open and owned.
#[derive(Debug)]
pub struct Opened {
    /// Rows.
    pub store: AnyStore,
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
    /// The store is gone, what belongs to it is not.
    #[error(
        "{}/hub.db is missing, but {found} is there, so a hub lived here and nothing was made in its place: put hub.db \
         back (from a backup, with its keys.db), or move the whole folder aside to begin anew",
        .dir.display()
    )]
    StoreMissing {
        /// The data directory.
        dir: PathBuf,
        /// What of the hub is still there.
        found: &'static str,
    },
    /// There never was a hub.
    #[error("no hub lies in {}; start it with `parkdesk-hub serve --data {}`", .0.display(), .0.display())]
    NoHub(PathBuf),
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The blob folder does not open.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// PostgreSQL does not open.
    #[error(transparent)]
    Store(#[from] ConnectError),
    /// Another store lies here.
    #[error(
        "{}/hub.db is a hub on one file: to serve the store on PostgreSQL choose another data directory, to serve the file \
         leave --store out",
        .0.display()
    )]
    EmbeddedHere(PathBuf),
    /// A store was served from here that is not named now.
    #[error(
        "a hub on PostgreSQL was served from {}: name it again with --store (it was {url}), or choose another data directory",
        dir.display()
    )]
    SharedHere {
        /// The data directory.
        dir: PathBuf,
        /// The store's address.
        url: String,
    },
    /// The database is empty, what belongs to its hub is not.
    #[error(
        "{store} holds no hub, but {} is of one, so nothing was made in its place: check the address, or restore the \
         database from its backup; to begin anew choose another data directory and another folder of blobs",
        found.display()
    )]
    SharedStoreEmpty {
        /// Host and database.
        store: String,
        /// What of the hub is still there.
        found: PathBuf,
    },
    /// There is a store but no key for it.
    #[error("{} is missing, but {store} holds a hub already: copy the hub.key of its other process here", key.display())]
    SharedKeyMissing {
        /// Where the key was expected.
        key: PathBuf,
        /// The store.
        store: String,
    },
}

/// A store that hub processes share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where it is.
    pub address: Address,
    /// The folder of blobs that all of them see; `blobs/` in the data directory if there is one process only.
    pub blobs: Option<PathBuf>,
}

/// Opens the data directory of a hub process on PostgreSQL, or makes it: lock, key and socket are its own.
///
/// # Errors
/// [`StartError`].
pub async fn open_shared(
    data: &Path,
    key_file: Option<&Path>,
    shared: &Shared,
    now: Millis,
) -> Result<Opened, StartError> {
    let dir = lock(data)?;
    let reached = Reached::new(&shared.address).await?;
    open_reached(reached, dir, data, key_file, shared, now).await
}

/// The same for the administrator: one that another process owns is not waited for.
///
/// # Errors
/// [`StartError`].
pub async fn open_existing_shared(
    data: &Path,
    key_file: Option<&Path>,
    shared: &Shared,
    now: Millis,
) -> Result<Opened, StartError> {
    let reached = Reached::new(&shared.address).await?;
    if reached.is_new() {
        return Err(StartError::NoHub(data.to_owned()));
    }
    open_reached(reached, DataDir::lock(data)?, data, key_file, shared, now).await
}

/// Says which store was served from here.
const NOTE: &str = "store";

async fn open_reached(
    reached: Reached,
    dir: DataDir,
    data: &Path,
    key_file: Option<&Path>,
    shared: &Shared,
    now: Millis,
) -> Result<Opened, StartError> {
    if data.join("hub.db").exists() {
        return Err(StartError::EmbeddedHere(data.to_owned()));
    }
    let blobs = shared.blobs.clone().unwrap_or_else(|| data.join("blobs"));
    if reached.is_new() {
        check_shared_traces(data, &blobs, reached.place())?;
    }
    let key = match look_for_key(data, key_file)? {
        Found::Key(key) => key,
        Found::Nowhere(path) if reached.is_new() => Key::create_file(&path)?,
        Found::Nowhere(key) => return Err(StartError::SharedKeyMissing { key, store: reached.place().to_owned() }),
    };
    let hub_id = RowId::from_uuid(new_uuid(now, &mut clock::rng()));
    let store = reached.open(&key, &hub_id, now).await?;
    durable::replace(&data.join(NOTE), shared.address.url.as_bytes()).map_err(BlobError::Io)?;
    let files = BlobFiles::open_shared(&os(), &blobs, PersonKeys::of(&store))?;
    Ok(Opened { store: AnyStore::Postgres(Box::new(store)), files, dir })
}

/// Opens a data directory, or makes it.
///
/// # Errors
/// [`StartError`]; nothing is ever made in place of something that does not open.
pub fn open(data: &Path, key_file: Option<&Path>, now: Millis) -> Result<Opened, StartError> {
    let dir = lock(data)?;
    open_locked(dir, data, key_file, now)
}

/// Opens the data directory of a hub that was served before; makes nothing.
///
/// # Errors
/// [`StartError`]; one that another process owns is not waited for.
pub fn open_existing(data: &Path, key_file: Option<&Path>, now: Millis) -> Result<Opened, StartError> {
    // Before the lock: it would be made in a folder that is not ours.
    if !data.join("hub.db").exists() {
        check_traces(data)?;
        return Err(StartError::NoHub(data.to_owned()));
    }
    open_locked(DataDir::lock(data)?, data, key_file, now)
}

/// Waits a little for the lock: an administrator's command beside the start holds it for a moment.
fn lock(data: &Path) -> Result<DataDir, LockError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match DataDir::lock(data) {
            Err(LockError::AlreadyOwned(_)) if Instant::now() < until => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// A hub in an empty database in place of a lost one (or of one whose name was mistyped) would forget whose the objects are.
fn check_shared_traces(data: &Path, blobs: &Path, place: &str) -> Result<(), StartError> {
    let found = if data.join(NOTE).exists() {
        data.join(NOTE)
    } else if blobs.is_dir() && !Folder::is_empty(&os(), blobs).map_err(BlobError::from)? {
        blobs.to_owned()
    } else {
        return Ok(());
    };
    Err(StartError::SharedStoreEmpty { store: place.to_owned(), found })
}

/// An empty store in place of a lost one would forget whose the objects are.
fn check_traces(data: &Path) -> Result<(), StartError> {
    if let Ok(url) = std::fs::read_to_string(data.join(NOTE)) {
        return Err(StartError::SharedHere { dir: data.to_owned(), url });
    }
    let lost = |found| Err(StartError::StoreMissing { dir: data.to_owned(), found });
    if data.join("keys.db").exists() {
        return lost("keys.db");
    }
    if data.join("blobs").is_dir() && !Folder::is_empty(&os(), &data.join("blobs")).map_err(BlobError::from)? {
        return lost("blobs/ with objects");
    }
    Ok(())
}

fn open_locked(dir: DataDir, data: &Path, key_file: Option<&Path>, now: Millis) -> Result<Opened, StartError> {
    let is_new = !data.join("hub.db").exists();
    if is_new {
        check_traces(data)?;
    }
    let key = find_key(data, key_file)?;
    let hub_id = RowId::from_uuid(new_uuid(now, &mut clock::rng()));
    let system = os();
    // The keys of the persons were made along with the store: alone missing, they are lost, and that must be seen.
    let mode = if is_new { OpenMode::Create } else { OpenMode::Existing };
    let keys = PersonKeys::open(&system, data, &key, mode)?;
    let store = Embedded::open(&system, data, &key, mode, &hub_id, now)?;
    let files = BlobFiles::open(&system, &data.join("blobs"), keys)?;
    Ok(Opened { store: AnyStore::Embedded(store), files, dir })
}

fn find_key(data: &Path, key_file: Option<&Path>) -> Result<Key, StartError> {
    let path = match look_for_key(data, key_file)? {
        Found::Key(key) => return Ok(key),
        Found::Nowhere(path) => path,
    };
    let store = data.join("hub.db");
    if store.exists() {
        return Err(StartError::KeyMissing { key: path, store });
    }
    Ok(Key::create_file(&path)?)
}

enum Found {
    Key(Key),
    /// Nor at this path, where it would be.
    Nowhere(PathBuf),
}

fn look_for_key(data: &Path, key_file: Option<&Path>) -> Result<Found, StartError> {
    let path = match key_file {
        Some(path) => path.to_owned(),
        None => match Key::from_credential(CREDENTIAL) {
            Ok(key) => return Ok(Found::Key(key)),
            Err(KeyError::NoCredential(_)) => data.join("hub.key"),
            Err(error) => return Err(error.into()),
        },
    };
    if path.exists() { Ok(Found::Key(Key::from_file(&path)?)) } else { Ok(Found::Nowhere(path)) }
}
