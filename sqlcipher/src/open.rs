//! Opening an encrypted file: the only place where a connection is made.
//!
//! The file's first 16 bytes (SQLCipher's salt) are ours to choose: a mark, six random bytes and six bytes of a hash of
//! them with the key. So *not a database*, *another key* and *damaged pages* are told apart without a file beside it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::durable;
use crate::error::OpenError;
use crate::key::Key;
use crate::library::start_library;
use crate::migrate::{self, Steps};
use crate::system::{Os, System};

const MARK: &[u8; 4] = b"PDsk";

/// Whether a missing file may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Make it if it is missing or empty.
    Create,
    /// It must be there.
    Existing,
}

pub(crate) struct Opened {
    pub(crate) writer: Connection,
    pub(crate) migrated_from: Option<i64>,
}

/// Opens, checks, migrates. In order, so that nothing is written before all is known to be well.
pub(crate) fn open(
    system: &dyn System,
    path: &Path,
    key: &Key,
    steps: Steps,
    mode: OpenMode,
) -> Result<Opened, OpenError> {
    start_library()?;
    let head = read_head(system, path)?;
    let salt = match (&head, mode) {
        (Some(head), _) if !head.is_empty() => {
            check_head(path, key, head)?;
            None
        }
        (None, OpenMode::Existing) => return Err(OpenError::Missing(path.to_owned())),
        (Some(_), OpenMode::Existing) => {
            return Err(OpenError::NotADatabase { path: path.to_owned(), why: "it is empty" });
        }
        (Some(_) | None, OpenMode::Create) => {
            durable::replace_on(system, path, b"").map_err(|cause| OpenError::Io { path: path.to_owned(), cause })?;
            Some(new_salt(system, key)?)
        }
    };
    if salt.is_none() {
        check_version(system, path, key, steps)?;
    }
    let mut writer = connect(system, path, key, salt.as_ref(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up_writer(&writer).map_err(|error| damaged(path, error))?;
    let migrated_from = migrate::run(system, &mut writer, Some(path), steps)?;
    Ok(Opened { writer, migrated_from })
}

/// A second connection for reading.
pub(crate) fn open_reader(system: &dyn System, path: &Path, key: &Key) -> Result<Connection, OpenError> {
    let conn = connect(system, path, key, None, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// A database in memory for tests: same steps, no key, gone when closed.
pub(crate) fn open_in_memory(steps: Steps) -> Result<Connection, OpenError> {
    start_library()?;
    let mut conn = Connection::open_in_memory()?;
    set_up(&conn)?;
    migrate::run(&Os, &mut conn, None, steps)?;
    Ok(conn)
}

/// Opens a damaged file for reading what can still be read; nothing is checked, migrated or written.
///
/// # Errors
/// If not even a connection can be made.
pub fn open_damaged(path: &Path, key: &Key) -> Result<Connection, OpenError> {
    connect(&Os, path, key, None, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Whether this is the key of that file, told from the file's head alone: works on a damaged file and beside one who uses it.
///
/// # Errors
/// [`OpenError::WrongKey`], or that there is no such file.
pub fn check_key(path: &Path, key: &Key) -> Result<(), OpenError> {
    let head = read_head(&Os, path)?.ok_or_else(|| OpenError::Missing(path.to_owned()))?;
    check_head(path, key, &head)
}

/// Moves a file that does not open out of the way, with its WAL and the reason; the caller's explicit act, after salvage.
/// Returns where it is now.
///
/// # Errors
/// If the system refuses.
pub fn move_aside(path: &Path, label: &str, reason: &str) -> std::io::Result<PathBuf> {
    let aside = |suffix: &str| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".aside-{label}{suffix}"));
        path.with_file_name(name)
    };
    durable::replace(&aside(".reason.txt"), reason.as_bytes())?;
    for suffix in ["-wal", "-shm", ""] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        match fs::rename(&from, aside(suffix)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    durable::sync_parent(path)?;
    Ok(aside(""))
}

fn read_head(system: &dyn System, path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    let io = |cause| OpenError::Io { path: path.to_owned(), cause };
    let file = match system.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io)?,
    };
    let mut head = Vec::new();
    file.take(16).read_to_end(&mut head).map_err(io)?;
    Ok(Some(head))
}

fn check_head(path: &Path, key: &Key, head: &[u8]) -> Result<(), OpenError> {
    let why = |why| OpenError::NotADatabase { path: path.to_owned(), why };
    if head.starts_with(b"SQLite format 3") {
        return Err(why("it is a plain SQLite file"));
    }
    let Some((random, check)) = head.strip_prefix(MARK).and_then(|rest| rest.split_at_checked(6)) else {
        return Err(why("it does not begin as one"));
    };
    if check != key_check(key, random) { Err(OpenError::WrongKey(path.to_owned())) } else { Ok(()) }
}

fn key_check(key: &Key, random: &[u8]) -> Vec<u8> {
    let digest =
        Sha256::new().chain_update(b"parkdesk file").chain_update(key.as_bytes()).chain_update(random).finalize();
    digest.iter().take(6).copied().collect()
}

fn new_salt(system: &dyn System, key: &Key) -> Result<Vec<u8>, OpenError> {
    let mut random = [0; 6];
    system.fill(&mut random).map_err(|error| OpenError::Library(error.to_string()))?;
    Ok([MARK.as_slice(), &random, &key_check(key, &random)].concat())
}

/// A newer file is told before a connection that may write is made.
fn check_version(system: &dyn System, path: &Path, key: &Key, steps: Steps) -> Result<(), OpenError> {
    let conn = connect(system, path, key, None, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found = migrate::applied(&conn).map_err(|error| damaged(path, error))?;
    let known = migrate::known(steps)?;
    match found {
        Some(found) if found > known => Err(OpenError::Newer { path: path.to_owned(), found, known }),
        Some(_) | None => Ok(()),
    }
}

/// The key fits (its check is in the file's head), so an unreadable page is a damaged one.
fn damaged(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Corrupt { path: path.to_owned(), why: error.to_string() }
        }
        Some(_) | None => error.into(),
    }
}

fn connect(
    system: &dyn System,
    path: &Path,
    key: &Key,
    salt: Option<&Vec<u8>>,
    mode: OpenFlags,
) -> Result<Connection, OpenError> {
    start_library()?;
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match system.vfs() {
        None => Connection::open_with_flags(path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
    };
    let version: Option<String> = conn.query_row("PRAGMA cipher_version", [], |row| row.get(0)).ok();
    if version.is_none_or(|version| version.is_empty()) {
        return Err(OpenError::Library("it cannot encrypt (no SQLCipher)".into()));
    }
    // Its errors come to us as errors; on stderr they would only frighten.
    conn.pragma_update(None, "cipher_log_level", "NONE")?;
    let mut spec = Zeroizing::new(String::from("x'"));
    spec.push_str(&key.to_hex());
    spec.push_str(&salt.map(hex::encode).unwrap_or_default());
    spec.push('\'');
    conn.pragma_update(None, "key", spec.as_str())?;
    set_up(&conn)?;
    Ok(conn)
}

fn set_up(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.set_prepared_statement_cache_capacity(256);
    Ok(())
}

fn set_up_writer(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // A page out of the cache is decrypted and checked again: large parks are applied from memory.
    conn.pragma_update(None, "cache_size", -(16 << 10))?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)
}
