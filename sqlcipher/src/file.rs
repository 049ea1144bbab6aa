//! An open file: one writer, a few readers (`query_only`, snapshot per closure), all in this process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};

use crate::error::{Error, OpenError};
use crate::key::Key;
use crate::migrate::{self, Steps};
use crate::open::{self, OpenMode};
use crate::system::{Os, Sys, os};
use crate::writer::{Taken, Turn, Writer, guarded};

/// Readers at most; one more waits.
const READERS: usize = 6;

/// Whose write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person waits for it.
    Person,
    /// The background.
    Sync,
}

/// An encrypted file; clones share it.
#[derive(Clone)]
pub struct File {
    inner: Arc<Inner>,
}

struct Inner {
    turn: Turn,
    writer: Mutex<Writer>,
    migrated_from: Option<i64>,
    /// `None` in memory, where reading goes through the writer.
    pool: Option<Pool>,
}

struct Pool {
    path: PathBuf,
    key: Key,
    state: Mutex<PoolState>,
    returned: Condvar,
    /// Last, so that it outlives the readers.
    system: Sys,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<Connection>,
    open: usize,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("path", &self.inner.pool.as_ref().map(|pool| &pool.path)).finish()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic rolls its transaction back, so what the mutex guards is sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl File {
    /// Opens the file, migrates it to the newest of `steps`, and makes it if `mode` says so.
    ///
    /// # Errors
    /// See [`OpenError`]; in every case the file is as it was.
    pub fn open(path: &Path, key: &Key, steps: Steps, mode: OpenMode) -> Result<Self, OpenError> {
        Self::open_on(&os(), path, key, steps, mode)
    }

    /// As [`Self::open`], on any system.
    ///
    /// # Errors
    /// See [`OpenError`]; in every case the file is as it was.
    pub fn open_on(system: &Sys, path: &Path, key: &Key, steps: Steps, mode: OpenMode) -> Result<Self, OpenError> {
        let opened = open::open(&**system, path, key, steps, mode)?;
        let (system, path, key) = (Sys::clone(system), path.to_owned(), key.clone());
        let pool = Pool { path, key, state: Mutex::default(), returned: Condvar::new(), system };
        Ok(Self::new(opened.writer, opened.migrated_from, Some(pool)))
    }

    /// A database in memory, unencrypted, for tests. Reading inside a write of the same file would
    /// wait for itself: read through the write's transaction.
    ///
    /// # Errors
    /// If a step fails.
    pub fn in_memory(steps: Steps) -> Result<Self, OpenError> {
        Ok(Self::new(open::open_in_memory(steps)?, None, None))
    }

    fn new(writer: Connection, migrated_from: Option<i64>, pool: Option<Pool>) -> Self {
        let writer = Mutex::new(Writer::new(writer));
        Self { inner: Arc::new(Inner { turn: Turn::default(), writer, migrated_from, pool }) }
    }

    /// The step that opening migrated an older file from.
    #[must_use]
    pub fn migrated_from(&self) -> Option<i64> {
        self.inner.migrated_from
    }

    /// Runs `f` in one write transaction, people before sync (see [`Writer::run`]).
    ///
    /// # Errors
    /// Those of `f`, and [`Error`]; then nothing of it is written.
    pub fn write<T, E: From<Error>>(
        &self,
        priority: Priority,
        f: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (_turn, mut writer) = self.writer(priority);
        writer.run(f)
    }

    /// Runs `f` over one snapshot.
    ///
    /// # Errors
    /// Those of `f`, and [`Error`].
    pub fn read<T, E: From<Error>>(&self, f: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let Some(pool) = &self.inner.pool else {
            let (_turn, mut writer) = self.writer(Priority::Person);
            return writer.read(f);
        };
        let mut reader = pool.take()?;
        let conn = reader.conn.as_mut().expect("BUG: a reader holds its connection until dropped");
        let tx = conn.transaction().map_err(Error::from)?;
        guarded(|| f(&tx))
    }

    fn writer(&self, priority: Priority) -> (Taken<'_>, MutexGuard<'_, Writer>) {
        (self.inner.turn.take(priority), locked(&self.inner.writer))
    }

    /// A whole copy at `path`, encrypted with the same key.
    ///
    /// # Errors
    /// If it cannot be written; then nothing is left of it.
    pub fn backup_to(&self, path: &Path) -> Result<(), OpenError> {
        match &self.inner.pool {
            Some(pool) => {
                let conn = open::open_reader(&*pool.system, &pool.path, &pool.key)?;
                // VACUUM INTO counts as writing, though it only writes the copy.
                conn.pragma_update(None, "query_only", false)?;
                migrate::vacuum_into(&*pool.system, &conn, path)
            }
            None => migrate::vacuum_into(&Os, self.writer(Priority::Sync).1.conn(), path),
        }
    }

    /// Moves everything from the WAL into the file and empties it, so that what was deleted is in neither. With
    /// `secure_delete` this is how a secret leaves a file.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn checkpoint(&self) -> Result<(), Error> {
        let (_turn, writer) = self.writer(Priority::Sync);
        writer.conn().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Overwrites deleted content from now on.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn set_secure_delete(&self) -> Result<(), Error> {
        let (_turn, writer) = self.writer(Priority::Sync);
        Ok(writer.conn().pragma_update(None, "secure_delete", true)?)
    }

    /// Limits the file to this many pages, so that a quota (or a test) ends in [`Error::Full`] as a full disk does.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn set_max_pages(&self, pages: u32) -> Result<(), Error> {
        let (_turn, writer) = self.writer(Priority::Sync);
        writer.conn().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Every page's checksum; the damaged pages by what SQLCipher says of them.
    ///
    /// # Errors
    /// If SQLite fails.
    pub fn damaged_pages(&self) -> Result<Vec<String>, Error> {
        self.read(|tx| {
            let mut query = tx.prepare("PRAGMA cipher_integrity_check")?;
            let found = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>();
            Ok(found?)
        })
    }
}

impl Pool {
    fn take(&self) -> Result<Reader<'_>, Error> {
        let mut state = locked(&self.state);
        loop {
            if let Some(conn) = state.idle.pop() {
                return Ok(Reader { pool: self, conn: Some(conn) });
            }
            if state.open < READERS {
                state.open += 1;
                drop(state);
                return match open::open_reader(&*self.system, &self.path, &self.key) {
                    Ok(conn) => Ok(Reader { pool: self, conn: Some(conn) }),
                    Err(error) => {
                        self.give_back(None);
                        Err(match error {
                            OpenError::Sqlite(error) => error.into(),
                            OpenError::Full => Error::Full,
                            other @ (OpenError::Missing(_)
                            | OpenError::WrongKey(_)
                            | OpenError::NotADatabase { .. }
                            | OpenError::Corrupt { .. }
                            | OpenError::Newer { .. }
                            | OpenError::Migration(_)
                            | OpenError::Library(_)
                            | OpenError::Io { .. }) => Error::Corrupt(other.to_string()),
                        })
                    }
                };
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, conn: Option<Connection>) {
        let mut state = locked(&self.state);
        match conn {
            Some(conn) => state.idle.push(conn),
            None => state.open -= 1,
        }
        drop(state);
        self.returned.notify_one();
    }
}

struct Reader<'a> {
    pool: &'a Pool,
    conn: Option<Connection>,
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.pool.give_back(self.conn.take());
    }
}
