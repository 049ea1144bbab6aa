//! What PostgreSQL's errors mean for the hub.

use std::collections::BTreeSet;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::store::Error;

/// Why an attempt at a transaction ends without a commit.
#[derive(Debug)]
pub(super) enum Stop {
    /// Somebody else was faster: run it again.
    Again(String),
    /// These guards are needed, too: run it again with them.
    Guards(BTreeSet<i64>),
    /// It broke.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Again(cause) => Self::Failed(cause),
            Stop::Guards(_) => Self::Poison("BUG: a guard was asked for outside a writing transaction".into()),
            Stop::Error(error) => error,
        }
    }
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = told(&error);
        let Some(code) = error.code() else {
            // No answer of the server: it is away, or an answer does not decode.
            let is_away =
                error.is_closed() || std::error::Error::source(&error).is_some_and(|s| s.is::<std::io::Error>());
            return Self::Error(if is_away { Error::Failed(away(&text)) } else { Error::Poison(text) });
        };
        // A unique violation means that another hub process wrote the same meanwhile.
        // Of several statements on their way at once, one that came after the overtaken one may be heard first.
        if [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
            SqlState::IN_FAILED_SQL_TRANSACTION,
        ]
        .contains(code)
        {
            return Self::Again(text);
        }
        if *code == SqlState::DISK_FULL {
            return Self::Error(Error::Full);
        }
        // Classes: wrong data, broken constraint, wrong statement. All others are the server's state.
        let is_poison = ["22", "23", "42"].iter().any(|class| code.code().starts_with(class));
        Self::Error(if is_poison { Error::Poison(text) } else { Error::Failed(text) })
    }
}

impl From<PoolError> for Stop {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match Self::from(error) {
                Self::Error(Error::Poison(text)) | Self::Again(text) => Self::Error(Error::Failed(away(&text))),
                stop @ (Self::Guards(_) | Self::Error(_)) => stop,
            },
            other @ (PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => Self::Error(Error::Failed(away(&other.to_string()))),
        }
    }
}

fn away(cause: &str) -> String {
    format!("PostgreSQL does not answer: {cause}")
}

/// The error with what the server said of it, but without the values in it.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// A column of a row.
pub(super) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a tokio_postgres::Row,
    name: &str,
) -> Result<T, Stop> {
    Ok(row.try_get(name)?)
}
