//! The OS keyring: the Secret Service on Linux, the keychain elsewhere.
//!
//! A locked keyring may ask a person in a window of its own and answer late or never, so every question has a deadline.
//! Blocking; must not be called from an async thread.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

const SERVICE: &str = "parkdesk";

/// A place that keeps a short secret under a name.
pub trait Ring {
    /// The secret, if there is one.
    ///
    /// # Errors
    /// If the keyring cannot be asked.
    fn get(&self, user: &str) -> Result<Option<Zeroizing<String>>, RingError>;
    /// Keeps the secret, replacing an older one.
    ///
    /// # Errors
    /// If the keyring cannot be asked.
    fn set(&self, user: &str, secret: &str) -> Result<(), RingError>;
}

/// Why the keyring cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// There is none, or it does not answer to this session.
    #[error("no keyring answers: {0}")]
    Absent(String),
    /// It is there and locked.
    #[error("the keyring is locked: {0}")]
    Locked(String),
    /// It asks a person and nobody answered.
    #[error("the keyring did not answer within {0} seconds: look for its window and unlock it")]
    Silent(u64),
    /// It answered something unusable.
    #[error("the keyring failed: {0}")]
    Failed(String),
}

/// The keyring of the system this program runs on.
#[derive(Debug, Clone, Copy)]
pub struct OsRing {
    /// Longest wait for one answer.
    pub wait: Duration,
}

impl Default for OsRing {
    fn default() -> Self {
        Self { wait: Duration::from_secs(60) }
    }
}

impl Ring for OsRing {
    fn get(&self, user: &str) -> Result<Option<Zeroizing<String>>, RingError> {
        let user = user.to_owned();
        self.ask(move || match entry(&user)?.get_password() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(&error)),
        })
    }

    fn set(&self, user: &str, secret: &str) -> Result<(), RingError> {
        let (user, secret) = (user.to_owned(), Zeroizing::new(secret.to_owned()));
        self.ask(move || entry(&user)?.set_password(&secret).map_err(|error| failure(&error)))
    }
}

impl OsRing {
    fn ask<T: Send + 'static>(
        self,
        question: impl FnOnce() -> Result<T, RingError> + Send + 'static,
    ) -> Result<T, RingError> {
        let (answer, wait) = mpsc::sync_channel(1);
        let asking = thread::Builder::new().name("keyring".into()).spawn(move || {
            // Nobody listens any more if the deadline passed.
            let _ = answer.send(question());
        });
        asking.map_err(|error| RingError::Failed(error.to_string()))?;
        match wait.recv_timeout(self.wait) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(RingError::Silent(self.wait.as_secs())),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(RingError::Failed("the keyring library stopped".into())),
        }
    }
}

fn entry(user: &str) -> Result<keyring::Entry, RingError> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(RingError::Absent(error.to_string()));
    }
    keyring::Entry::new(SERVICE, user).map_err(|error| failure(&error))
}

fn failure(error: &keyring::Error) -> RingError {
    match error {
        keyring::Error::NoStorageAccess(cause) => RingError::Locked(cause.to_string()),
        keyring::Error::NoDefaultStore => RingError::Absent("the desktop session has none".into()),
        keyring::Error::PlatformFailure(cause) => RingError::Absent(cause.to_string()),
        // The other variants tell of one secret or carry it; their own texts never show it, but nothing here relies on that.
        keyring::Error::NoEntry
        | keyring::Error::BadEncoding(_)
        | keyring::Error::BadDataFormat(..)
        | keyring::Error::BadStoreFormat(_)
        | keyring::Error::TooLong(..)
        | keyring::Error::Invalid(..)
        | keyring::Error::Ambiguous(_)
        | keyring::Error::NotSupportedByStore(_)
        | _ => RingError::Failed("it gave no usable answer".into()),
    }
}
