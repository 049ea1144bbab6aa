//! Migrations: numbered SQL files of the crate that owns the tables, run by refinery in one IMMEDIATE transaction.
//!
//! A file of a newer program is refused before anything is written (`tests/open.rs`); before an existing file is changed
//! a snapshot is laid beside it. A shipped step is never edited: refinery compares checksums.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use refinery::{Migration, Runner};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use crate::durable;
use crate::error::OpenError;
use crate::system::System;

/// The steps of a file in order: name (`V1__first`) and SQL.
pub type Steps = &'static [(&'static str, &'static str)];

/// The newest step in the file, or `None` in a new one.
pub(crate) fn applied(conn: &Connection) -> Result<Option<i64>, rusqlite::Error> {
    let exists: Option<i64> = conn
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'", [], |row| row.get(0))
        .optional()?;
    match exists {
        None => Ok(None),
        Some(_) => conn.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0)),
    }
}

/// The newest step of the program.
pub(crate) fn known(steps: Steps) -> Result<i64, OpenError> {
    Ok(parse(steps)?.iter().map(Migration::version).max().map_or(0, i64::from))
}

fn parse(steps: Steps) -> Result<Vec<Migration>, OpenError> {
    let parsed = steps.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<_, _>>();
    parsed.map_err(|error| OpenError::Migration(error.to_string()))
}

/// Brings the file to the newest step; returns the step it was at if it was an older one.
pub(crate) fn run(
    system: &dyn System,
    conn: &mut Connection,
    path: Option<&Path>,
    steps: Steps,
) -> Result<Option<i64>, OpenError> {
    let (before, newest) = (applied(conn)?, known(steps)?);
    if before == Some(newest) {
        return Ok(None);
    }
    if let (Some(step), Some(path)) = (before, path) {
        snapshot(system, conn, path, step)?;
    }
    conn.set_transaction_behavior(TransactionBehavior::Immediate);
    let result = Runner::new(&parse(steps)?).set_grouped(true).set_abort_missing(true).run(conn);
    conn.set_transaction_behavior(TransactionBehavior::Deferred);
    result.map_err(|error| if is_full(&error) { OpenError::Full } else { OpenError::Migration(error.to_string()) })?;
    Ok(before)
}

fn is_full(error: &refinery::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<rusqlite::Error>() {
            return error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        }
        cause = inner.source();
    }
    false
}

/// `<file>.step<N>.bak`, encrypted like the file; an upgrade that cannot have its snapshot does not happen.
fn snapshot(system: &dyn System, conn: &Connection, path: &Path, step: i64) -> Result<(), OpenError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".step{step}.bak"));
    vacuum_into(system, conn, &path.with_file_name(name))
}

pub(crate) fn vacuum_into(system: &dyn System, conn: &Connection, target: &Path) -> Result<(), OpenError> {
    let io = |cause| OpenError::Io { path: target.to_owned(), cause };
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let tmp: PathBuf = target.with_file_name(name);
    // SQLite takes an empty file as it is, so the copy is private from its first byte.
    durable::write_synced(system, &tmp, b"").map_err(io)?;
    let copied = (|| {
        conn.execute("VACUUM INTO ?1", [tmp.to_string_lossy()])?;
        system.sync(&tmp).map_err(io)?;
        system.rename(&tmp, target).map_err(io)?;
        durable::sync_parent_on(system, target).map_err(io)
    })();
    if copied.is_err() {
        let _ = system.remove(&tmp);
    }
    copied
}
