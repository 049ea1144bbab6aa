//! SQLite itself, which a process has once: that it is new enough, and that it has started.
//!
//! SQLite before 3.51.3 can corrupt a WAL file (reliability 0.1), hence the assertion.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::OpenError;

const MIN_VERSION: i32 = 3_051_003;

/// Asserts the library's version and starts it. Each way of opening does so; who registers a VFS of its own with SQLite does
/// it before, too.
///
/// SQLite starts with a process's first connection and calls itself ready before it has started SQLCipher: whoever opens a
/// file in between is refused with "An error occurred with PRAGMA key". So the first connection is made alone.
///
/// # Errors
/// [`OpenError::Library`] if it is too old; or it cannot start.
pub fn start_library() -> Result<(), OpenError> {
    static IS_STARTED: Mutex<bool> = Mutex::new(false);
    let found = rusqlite::version_number();
    if found < MIN_VERSION {
        return Err(OpenError::Library(format!("{} is older than 3.51.3", rusqlite::version())));
    }
    let mut is_started = IS_STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_started {
        Connection::open_in_memory()?;
        *is_started = true;
    }
    Ok(())
}
