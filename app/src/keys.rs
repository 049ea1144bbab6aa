//! The key of a data directory: where it is kept, how it is made, and what to do when it is gone.
//!
//! The chain: `--key-file` when given; else the systemd credential `parkdesk-key` when the service has one; else the OS
//! keyring. The first start makes the key, keeps it there, reads it back and makes a recovery code, whose wrapped copy of the
//! key lies beside the file (`recovery.bin`).
//!
//! Invariant: a directory that holds a replica never gets a new key, and nothing ever falls back to a plain file that nobody
//! asked for (`a_gone_keyring_is_no_key_and_nothing_is_made`). Without a key there are three ways, and [`NoKey`] names them:
//! the recovery code, unlocking the keyring, enrolling anew beside the old file.

pub mod ring;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use parkdesk_sqlcipher::OpenError;
use parkdesk_sqlcipher::recovery::{self, RecoveryCode, RecoveryError};
use parkdesk_sqlcipher::{Key, KeyError, check_key, durable};
use uuid::Uuid;

use self::ring::{Ring, RingError};

/// The name of the systemd credential.
pub const CREDENTIAL: &str = "parkdesk-key";
/// The file with the wrapped copy of the key.
pub(crate) const WRAPPED: &str = "recovery.bin";
const INSTALLATION: &str = "installation";
const REPLICA: &str = "replica.db";
const STAGED: &str = "enrol-new";
/// All that belongs to one key. The replica goes last: while it is there, the directory counts as used.
const OLD_FILES: [&str; 10] = [
    "keys.db-wal",
    "keys.db-shm",
    "keys.db",
    "blobs",
    "partial",
    WRAPPED,
    INSTALLATION,
    "replica.db-shm",
    "replica.db-wal",
    REPLICA,
];

/// A data directory and the key file that was asked for, if one was.
#[derive(Debug, Clone)]
pub struct KeyPlace {
    /// The data directory.
    pub dir: PathBuf,
    /// `--key-file`.
    pub key_file: Option<PathBuf>,
}

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file that only its owner may read.
    File(PathBuf),
    /// A credential that systemd hands over.
    Credential,
    /// The keyring of the desktop.
    Keyring,
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key file {}", path.display()),
            Self::Credential => write!(f, "the systemd credential {CREDENTIAL}"),
            Self::Keyring => f.write_str("the keyring"),
        }
    }
}

/// A key with what is to be told about it.
#[derive(Debug)]
pub struct Opened {
    /// The key.
    pub key: Key,
    /// Where it is kept.
    pub source: KeySource,
    /// The recovery code, at the first start only: to be shown once.
    pub recovery: Option<RecoveryCode>,
}

/// A key that is back.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Where it is kept.
    pub source: KeySource,
    /// Where the key file that lay there is now.
    pub moved: Option<PathBuf>,
}

/// The directory holds a replica whose key cannot be had.
#[derive(Debug)]
pub struct NoKey {
    /// The data directory.
    pub dir: PathBuf,
    /// The key file that was asked for, if one was.
    pub key_file: Option<PathBuf>,
    /// Where the key was looked for.
    pub looked_in: KeySource,
    /// What was found there.
    pub why: Missing,
    /// Whether a recovery code can open it.
    pub has_wrapped_copy: bool,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dir = self.dir.display();
        let place = match &self.key_file {
            Some(file) => format!("--data {dir} --key-file {}", file.display()),
            None => format!("--data {dir}"),
        };
        write!(
            f,
            "the data in {dir} is locked: its key is not in {} ({}). Nothing was changed. ",
            self.looked_in, self.why
        )?;
        if self.key_file.is_none() {
            f.write_str("If it was made with --key-file, that is missing from this command. ")?;
        }
        f.write_str("There are three ways on: ")?;
        if self.has_wrapped_copy {
            write!(f, "(1) enter the recovery code: parkdesk-agent recover {place}; ")?;
        } else {
            write!(f, "(1) the recovery code does not help, because its file {WRAPPED} is gone; ")?;
        }
        f.write_str(
            "(2) unlock the keyring (sign in to the desktop again) or put the key file back, and start again; ",
        )?;
        write!(
            f,
            "(3) enrol anew beside the old data: parkdesk-agent enrol --beside-old {place} --hub URL --code CODE --name NAME"
        )
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There is a replica, but not its key.
    #[error("{0}")]
    NoKey(Box<NoKey>),
    /// A first start without a place to keep the key.
    #[error(
        "the keyring cannot keep the key ({0}). The data would not be protected, so nothing was made. Sign in to a desktop \
         with a keyring, or start with --key-file FILE, or give the service a systemd credential named parkdesk-key"
    )]
    NoKeyStore(RingError),
    /// The key file or credential is there, but cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keyring did not keep what it was given.
    #[error("the keyring did not keep the key, so nothing was made: check the keyring or start with --key-file FILE")]
    NotKept,
    /// The recovery code does not open the wrapped copy.
    #[error("{0}")]
    Recovery(#[from] RecoveryError),
    /// There is no wrapped copy to open.
    #[error("there is no file {WRAPPED} in the data directory: a recovery code cannot help here")]
    NoWrappedCopy,
    /// The directory holds no data that a key could open.
    #[error("there is no data in {}: check --data; nothing was made", .0.display())]
    NoData(PathBuf),
    /// The key is one, but not of this data.
    #[error(
        "the key in {place} does not open the data in {}: check --data and --key-file; nothing was changed and the recovery \
         code stays as it was",
        dir.display()
    )]
    OtherKey {
        /// The data directory.
        dir: PathBuf,
        /// Where the key was found.
        place: String,
    },
    /// The data cannot be looked at.
    #[error("the data in {} cannot be read, so its key was not checked and nothing was changed: {why}", dir.display())]
    Unchecked {
        /// The data directory.
        dir: PathBuf,
        /// Why.
        why: String,
    },
    /// A systemd credential cannot be written from here.
    #[error(
        "the key comes from a systemd credential, which only the administrator can restore (systemd-creds encrypt)"
    )]
    CredentialIsReadOnly,
    /// A file operation failed.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl KeyPlace {
    /// Whether the directory holds a replica, which then has a key somewhere.
    #[must_use]
    pub fn has_replica(&self) -> bool {
        self.dir.join(REPLICA).exists()
    }

    /// Where the key of this place is looked for.
    #[must_use]
    pub fn source(&self) -> KeySource {
        match &self.key_file {
            Some(path) => KeySource::File(path.clone()),
            None if has_credential() => KeySource::Credential,
            None => KeySource::Keyring,
        }
    }

    /// Whether a recovery code can open this place's data.
    #[must_use]
    pub fn has_wrapped_copy(&self) -> bool {
        self.dir.join(WRAPPED).exists()
    }

    /// The key: found, or made at the first start.
    ///
    /// # Errors
    /// [`KeysError`]; in every case nothing was made that was not asked for.
    pub fn open(&self, ring: &dyn Ring) -> Result<Opened, KeysError> {
        let (found, source) = self.find(ring)?;
        match found {
            Ok(key) if self.has_replica() => Ok(Opened { key, source, recovery: None }),
            // A start that ended before there was a replica: its key is good, its recovery code may never have been read.
            Ok(key) => {
                durable::make_private_dir(&self.dir).map_err(|cause| self.io(&self.dir, cause))?;
                self.with_code(key, source)
            }
            Err(why) if self.has_replica() => Err(self.no_key(source, why)),
            Err(Missing::Unreachable(error)) => Err(KeysError::NoKeyStore(error)),
            Err(Missing::Absent) => {
                durable::make_private_dir(&self.dir).map_err(|cause| self.io(&self.dir, cause))?;
                let key = match &source {
                    KeySource::File(path) => Key::create_file(path)?,
                    KeySource::Credential | KeySource::Keyring => {
                        let key = Key::random()?;
                        self.keep(ring, &key)?;
                        key
                    }
                };
                self.with_code(key, source)
            }
        }
    }

    /// Makes a new recovery code; the old one no longer opens anything. Only a key that opens the data is wrapped: the copy
    /// that is replaced may be the last one.
    ///
    /// # Errors
    /// As [`Self::open`]; [`KeysError::NoData`] and [`KeysError::OtherKey`].
    pub fn renew_recovery(&self, ring: &dyn Ring) -> Result<RecoveryCode, KeysError> {
        if !self.has_replica() {
            return Err(KeysError::NoData(self.dir.clone()));
        }
        let opened = self.open(ring)?;
        self.prove(&opened.key, &opened.source.to_string())?;
        self.wrap(&opened.key)
    }

    /// Opens the wrapped copy with a recovery code, proves the key and puts it back where it is looked for. A key file that
    /// holds something else is kept beside.
    ///
    /// # Errors
    /// If the code is mistyped or another one, its key is of other data, or the key cannot be kept.
    pub fn recover(&self, ring: &dyn Ring, code: &str) -> Result<Recovered, KeysError> {
        let path = self.dir.join(WRAPPED);
        let wrapped = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeysError::NoWrappedCopy),
            other => other.map_err(|cause| self.io(&path, cause))?,
        };
        let key = recovery::unwrap(&wrapped, &RecoveryCode::parse(code)?)?;
        if self.has_replica() {
            self.prove(&key, WRAPPED)?;
        }
        if let Some(path) = &self.key_file {
            let source = KeySource::File(path.clone());
            if Key::from_file(path).is_ok_and(|kept| kept == key) {
                return Ok(Recovered { source, moved: None });
            }
            let moved = if path.exists() { Some(self.move_beside(path)?) } else { None };
            durable::create(path, key.to_hex().as_bytes()).map_err(|cause| self.io(path, cause))?;
            return Ok(Recovered { source, moved });
        }
        if has_credential() {
            return Err(KeysError::CredentialIsReadOnly);
        }
        self.keep(ring, &key)?;
        Ok(Recovered { source: KeySource::Keyring, moved: None })
    }

    /// Whether the key is that of the data; said of the key found in `place`.
    fn prove(&self, key: &Key, place: &str) -> Result<(), KeysError> {
        match check_key(&self.dir.join(REPLICA), key) {
            Ok(()) => Ok(()),
            Err(OpenError::WrongKey(_)) => Err(KeysError::OtherKey { dir: self.dir.clone(), place: place.to_owned() }),
            Err(error) => Err(KeysError::Unchecked { dir: self.dir.clone(), why: error.to_string() }),
        }
    }

    /// Renames a file to a free name beside it.
    fn move_beside(&self, path: &Path) -> Result<PathBuf, KeysError> {
        let named = |n: u32| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".old-{n}"));
            PathBuf::from(name)
        };
        let free = (1..).map(named).find(|beside| !beside.exists()).expect("BUG: a folder is finite");
        fs::rename(path, &free).map_err(|cause| self.io(path, cause))?;
        Ok(free)
    }

    /// Where an enrolment beside old data is made ready.
    #[must_use]
    pub fn staged(&self) -> Self {
        let dir = self.dir.join(STAGED);
        let key_file = self.key_file.clone().map(|file| if file.exists() { file } else { dir.join("key") });
        Self { dir, key_file }
    }

    /// Puts what was made ready in [`Self::staged`] into this directory, which must hold no replica. Its key file comes
    /// first: a replica is never without its key.
    ///
    /// # Errors
    /// If something cannot be moved; then everything is where it was.
    pub fn take_staged(&self) -> Result<(), KeysError> {
        let staged = self.staged();
        if let (Some(to), Some(from)) = (&self.key_file, &staged.key_file)
            && to != from
        {
            let key = Key::from_file(from)?;
            durable::create(to, key.to_hex().as_bytes()).map_err(|cause| self.io(to, cause))?;
        }
        let moved = self.move_files(&staged.dir, &self.dir);
        if let (Err(_), Some(to)) = (&moved, self.key_file.as_ref().filter(|to| Some(*to) != staged.key_file.as_ref()))
        {
            fs::remove_file(to).map_err(|cause| self.io(to, cause))?;
        }
        moved?;
        // Nothing but a copy of the key is left there.
        fs::remove_dir_all(&staged.dir).map_err(|cause| self.io(&staged.dir, cause))
    }

    /// Moves everything that belongs to the old key into a folder beside, so that the directory can be enrolled anew. The
    /// old files stay encrypted and whole, unsent work included.
    ///
    /// # Errors
    /// If a file cannot be moved; then everything is where it was.
    pub fn set_aside(&self, label: &str) -> Result<PathBuf, KeysError> {
        let aside = self.dir.join(format!("aside-{label}"));
        durable::make_private_dir(&aside).map_err(|cause| self.io(&aside, cause))?;
        self.move_files(&self.dir, &aside)?;
        Ok(aside)
    }

    /// Undoes [`Self::set_aside`].
    ///
    /// # Errors
    /// If a file cannot be moved.
    pub fn put_back(&self, aside: &Path) -> Result<(), KeysError> {
        self.move_files(aside, &self.dir)
    }

    /// Moves all files of one key, or none.
    fn move_files(&self, from: &Path, to: &Path) -> Result<(), KeysError> {
        let mut moved = Vec::new();
        for name in OLD_FILES {
            match fs::rename(from.join(name), to.join(name)) {
                Ok(()) => moved.push(name),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => {
                    for name in moved.iter().rev() {
                        fs::rename(to.join(name), from.join(name)).map_err(|cause| self.io(&to.join(name), cause))?;
                    }
                    return Err(self.io(&from.join(name), cause));
                }
            }
        }
        for folder in [from, to] {
            durable::sync_parent(&folder.join(REPLICA)).map_err(|cause| self.io(folder, cause))?;
        }
        Ok(())
    }

    /// Looks where the key should be: the outer error is a place that is there and unusable.
    fn find(&self, ring: &dyn Ring) -> Result<(Result<Key, Missing>, KeySource), KeysError> {
        if let Some(path) = &self.key_file {
            let found = if path.exists() { Ok(Key::from_file(path)?) } else { Err(Missing::Absent) };
            return Ok((found, KeySource::File(path.clone())));
        }
        match Key::from_credential(CREDENTIAL) {
            Ok(key) => return Ok((Ok(key), KeySource::Credential)),
            Err(KeyError::NoCredential(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(user) = self.installation()? else { return Ok((Err(Missing::Absent), KeySource::Keyring)) };
        let found = match ring.get(&user) {
            Ok(Some(text)) => Ok(Key::from_hex(&text)?),
            Ok(None) => Err(Missing::Absent),
            Err(error) => Err(Missing::Unreachable(error)),
        };
        Ok((found, KeySource::Keyring))
    }

    fn keep(&self, ring: &dyn Ring, key: &Key) -> Result<(), KeysError> {
        let user = match self.installation()? {
            Some(user) => user,
            None => self.new_installation()?,
        };
        let text = key.to_hex();
        ring.set(&user, &text).map_err(KeysError::NoKeyStore)?;
        let kept = ring.get(&user).map_err(KeysError::NoKeyStore)?;
        if kept.is_some_and(|kept| kept == text) { Ok(()) } else { Err(KeysError::NotKept) }
    }

    fn with_code(&self, key: Key, source: KeySource) -> Result<Opened, KeysError> {
        let code = self.wrap(&key)?;
        Ok(Opened { key, source, recovery: Some(code) })
    }

    fn wrap(&self, key: &Key) -> Result<RecoveryCode, KeysError> {
        let mut rng = rand::rng();
        let code = recovery::new_code(&mut rng);
        let path = self.dir.join(WRAPPED);
        durable::replace(&path, &recovery::wrap(key, &code, &mut rng)).map_err(|cause| self.io(&path, cause))?;
        Ok(code)
    }

    /// The name under which the keyring knows this directory: it moves with the directory.
    fn installation(&self) -> Result<Option<String>, KeysError> {
        let path = self.dir.join(INSTALLATION);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.io(&path, cause)),
        }
    }

    fn new_installation(&self) -> Result<String, KeysError> {
        let path = self.dir.join(INSTALLATION);
        let id = Uuid::new_v4().simple().to_string();
        durable::create(&path, id.as_bytes()).map_err(|cause| self.io(&path, cause))?;
        Ok(id)
    }

    fn no_key(&self, looked_in: KeySource, why: Missing) -> KeysError {
        let has_wrapped_copy = self.has_wrapped_copy();
        KeysError::NoKey(Box::new(NoKey {
            dir: self.dir.clone(),
            key_file: self.key_file.clone(),
            looked_in,
            why,
            has_wrapped_copy,
        }))
    }

    #[allow(clippy::unused_self, reason = "reads as a part of the place at every call")]
    fn io(&self, path: &Path, cause: io::Error) -> KeysError {
        KeysError::Io { path: path.to_owned(), cause }
    }
}

fn has_credential() -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|dir| Path::new(&dir).join(CREDENTIAL).exists())
}

/// A place that answers without a key.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The place is there, this key is not.
    #[error("it holds no key for this data")]
    Absent,
    /// The place does not answer.
    #[error(transparent)]
    Unreachable(RingError),
}

#[cfg(test)]
mod tests;
