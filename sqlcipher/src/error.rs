//! What can go wrong with an encrypted file. Opening has its own errors because a person can act on each of them; once a
//! file is open only "full" and "damaged" differ from a plain failure.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a file does not open. In every case the file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no file, and none was to be made.
    #[error("{} is missing; nothing was made in its place", .0.display())]
    Missing(PathBuf),
    /// The key is not the one the file was made with (or the file's first 16 bytes are damaged).
    #[error("{} was made with another key", .0.display())]
    WrongKey(PathBuf),
    /// The file is not an encrypted database of ours.
    #[error("{} is not an encrypted database: {why}", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        why: &'static str,
    },
    /// The key is right, but pages are damaged: move it aside ([`crate::move_aside`]) after salvage.
    #[error("{} is damaged: {why}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// The file was written by a newer program.
    #[error("{} was written by a newer program (step {found}, this program knows {known}): update the program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest step in the file.
        found: i64,
        /// The newest step of this program.
        known: i64,
    },
    /// A migration failed; the file is as before.
    #[error("a migration failed, the file is as before: {0}")]
    Migration(String),
    /// The SQLite library is not the one this program was made for.
    #[error("SQLite library: {0}")]
    Library(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// A file operation failed.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

/// What can break while a file is used. A failed write leaves nothing behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full: nothing was written; reading goes on, writing works again when there is space.
    #[error("the disk is full")]
    Full,
    /// A page does not have its checksum.
    #[error("the database file is damaged: {0}")]
    Corrupt(String),
    /// A closure panicked; its transaction was rolled back.
    #[error("BUG: a transaction panicked: {0}")]
    Panicked(String),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            Some(_) | None => Self::Sqlite(error),
        }
    }
}
