//! What can break in the replica. A refusal of a command is no error.

use parkdesk_domain::ids::RowId;
use parkdesk_sqlcipher::sealed::{FolderError, SealError};

/// Result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why a replica does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// One of its files does not open.
    #[error(transparent)]
    File(#[from] parkdesk_sqlcipher::OpenError),
    /// The folder of photo files cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The first reading failed.
    #[error(transparent)]
    Replica(#[from] Error),
    /// The folder cannot be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What can break while a replica is used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full: nothing was written.
    #[error("the disk is full")]
    Full,
    /// The file failed.
    #[error(transparent)]
    Store(parkdesk_sqlcipher::Error),
    /// This device was revoked: it takes no more commands.
    #[error("this device was revoked")]
    Locked,
    /// The appliance is not enrolled.
    #[error("not enrolled")]
    NotEnrolled,
    /// The appliance is enrolled with another hub or as another device.
    #[error("already enrolled with another hub or as another device")]
    AlreadyEnrolled,
    /// A row of a local table cannot be read.
    #[error("{what} cannot be read: {cause}")]
    Unreadable {
        /// What it is.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] parkdesk_domain::canonical::CanonicalError),
    /// A plan does not end: a bug.
    #[error("{0}")]
    Plan(String),
    /// The person's key was destroyed.
    #[error("the key of person {0} was destroyed")]
    KeyDestroyed(RowId),
    /// There is no such thing.
    #[error("{what} {id} is not here")]
    Missing {
        /// What was asked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A settlement that does not fit the entry.
    #[error("this entry cannot be settled so")]
    NotSettleable,
    /// A file does not open with its key.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The folder of files failed.
    #[error("file store: {0}")]
    Folder(FolderError),
}

impl From<parkdesk_sqlcipher::Error> for Error {
    fn from(error: parkdesk_sqlcipher::Error) -> Self {
        if matches!(error, parkdesk_sqlcipher::Error::Full) { Self::Full } else { Self::Store(error) }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        parkdesk_sqlcipher::Error::from(error).into()
    }
}

impl From<FolderError> for Error {
    fn from(error: FolderError) -> Self {
        if matches!(error, FolderError::Full) { Self::Full } else { Self::Folder(error) }
    }
}

/// Reads an id, JSON and the like from a local table.
pub(crate) fn parse<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|cause: T::Err| Error::Unreadable { what, cause: cause.to_string() })
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, bytes: impl AsRef<[u8]>) -> Result<T> {
    serde_json::from_slice(bytes.as_ref()).map_err(|cause| Error::Unreadable { what, cause: cause.to_string() })
}

pub(crate) fn to_json(what: &'static str, value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| Error::Unreadable { what, cause: cause.to_string() })
}
