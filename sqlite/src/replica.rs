//! The replica as a whole: its files in a data directory, transactions, announced changes, and what touches the disk beside
//! a transaction.
//!
//! `replica.db` and `keys.db` are made together; where one is, the other must be, so that a lost file is never replaced by
//! an empty one.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parkdesk_domain::body::FileClass;
use parkdesk_domain::ids::{BlobId, RowId};
use parkdesk_sqlcipher::sealed::PersonKey;
use parkdesk_sqlcipher::system::{Sys, os};
use parkdesk_sqlcipher::{File, Key, OpenMode, Priority, Steps};

use crate::change::ChangeTag;
use crate::error::{Error, OpenError, Result, parse};
use crate::files::{Files, StoredFile};
use crate::partial::Parts;
use crate::templates::Template;
use crate::tx::{ReadTx, WriteTx};

pub(crate) const STEPS: Steps = &[
    ("V1__replica", include_str!("../migrations/0001_replica.sql")),
    ("V2__people", include_str!("../migrations/0002_people.sql")),
    ("V3__withdrawn", include_str!("../migrations/0003_withdrawn.sql")),
    ("V4__documents", include_str!("../migrations/0004_documents.sql")),
    ("V5__wanted", include_str!("../migrations/0005_wanted.sql")),
    ("V6__queue", include_str!("../migrations/0006_queue.sql")),
    ("V7__marks", include_str!("../migrations/0007_marks.sql")),
];

/// The setting that a migration leaves when derived tables must be made anew.
const REBUILD: &str = "rebuild";

/// An appliance's replica; clones share it.
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

struct Inner {
    file: File,
    files: Files,
    /// `None` in memory.
    parts: Option<Parts>,
    changes: Changes,
}

/// The newest announced change.
#[derive(Default)]
struct Changes {
    newest: Mutex<i64>,
    announced: Condvar,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("file", &self.inner.file).finish_non_exhaustive()
    }
}

impl Replica {
    /// Opens the replica of a data directory that the caller owns ([`parkdesk_sqlcipher::dir::DataDir`]), or makes it in
    /// an empty one.
    ///
    /// # Errors
    /// See [`OpenError`]; the files are as they were.
    pub fn open(dir: &Path, key: &Key) -> std::result::Result<Self, OpenError> {
        Self::open_on(&os(), dir, key)
    }

    /// As [`Self::open`], on any system.
    ///
    /// # Errors
    /// See [`OpenError`]; the files are as they were.
    pub fn open_on(system: &Sys, dir: &Path, key: &Key) -> std::result::Result<Self, OpenError> {
        parkdesk_sqlcipher::durable::make_private_dir_on(&**system, dir)?;
        // keys.db is made second: with it there, replica.db must be there too, and the other way round once it is marked.
        let mode = if system.stat(&dir.join("keys.db")).is_ok() { OpenMode::Existing } else { OpenMode::Create };
        let file = File::open_on(system, &dir.join("replica.db"), key, STEPS, mode)?;
        let has_keys = file.read(|tx| -> Result<bool> {
            Ok(tx.query_row("SELECT count(*) FROM settings WHERE key = 'keys_made'", [], |row| row.get(0))?)
        })?;
        let files = Files::open(system, dir, key, if has_keys { OpenMode::Existing } else { OpenMode::Create })?;
        let replica = Self::new(file, files, Some(Parts::new(system, dir)))?;
        if !has_keys {
            replica.write(Priority::Person, |tx| tx.set_setting("keys_made", "1"))?;
        }
        // A mark in the file and not in memory: an upgrade that is cut off between its steps goes on at the next start.
        if replica.read(|tx| tx.setting(REBUILD))?.is_some() {
            replica.write(Priority::Person, |tx| {
                tx.rebuild_typed()?;
                tx.replan_all()?;
                tx.remove_setting(REBUILD)
            })?;
        }
        replica.sweep_objects()?;
        // Those whose sealing a crash cut off. What cannot be sealed anew now (damaged, no space) is tried at the next start and
        // keeps nobody from the rest.
        let _ = replica.reseal(None);
        replica.sweep_partial()?;
        Ok(replica)
    }

    /// A replica in memory, for tests; it holds no files.
    ///
    /// # Errors
    /// If a migration fails.
    pub fn in_memory() -> std::result::Result<Self, OpenError> {
        Self::new(File::in_memory(STEPS)?, Files::in_memory()?, None)
    }

    pub(crate) fn new(file: File, files: Files, parts: Option<Parts>) -> std::result::Result<Self, OpenError> {
        let replica = Self { inner: Arc::new(Inner { file, files, parts, changes: Changes::default() }) };
        let newest = replica.newest_change()?;
        replica.announce(newest);
        Ok(replica)
    }

    /// Reads one snapshot.
    ///
    /// # Errors
    /// Those of `f` and of the file.
    pub fn read<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&ReadTx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.inner.file.read(|tx| f(&ReadTx::new(tx, &self.inner.files)).map_err(Outer::Theirs)).map_err(Outer::flat)
    }

    /// Writes in one transaction, people before sync. Changes are announced after the commit.
    ///
    /// # Errors
    /// Those of `f` and of the file; then nothing was written.
    pub fn write<T, E: From<Error>>(
        &self,
        priority: Priority,
        f: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let written = self.inner.file.write(priority, |tx| {
            let mut write = WriteTx::new(tx, &self.inner.files);
            let value = f(&mut write).map_err(Outer::Theirs)?;
            write.finish().map_err(Outer::Ours)?;
            let newest = newest(&write).map_err(Outer::Ours)?;
            Ok((value, newest))
        });
        let (value, newest) = written.map_err(Outer::flat)?;
        self.announce(newest);
        Ok(value)
    }

    fn newest_change(&self) -> Result<i64> {
        self.read(newest)
    }

    fn announce(&self, newest: i64) {
        let changes = &self.inner.changes;
        let mut known = changes.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *known = newest.max(*known);
        drop(known);
        changes.announced.notify_all();
    }

    /// What was committed after change `n`, with the number of the newest; waits up to `timeout` if nothing was. Blocks.
    ///
    /// # Errors
    /// If the file fails.
    pub fn changes_after(&self, n: i64, timeout: Duration) -> Result<(i64, Vec<ChangeTag>)> {
        let changes = &self.inner.changes;
        let until = Instant::now() + timeout;
        let mut newest = changes.newest.lock().unwrap_or_else(PoisonError::into_inner);
        while *newest <= n {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok((n, Vec::new()));
            }
            newest = changes.announced.wait_timeout(newest, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let newest = *newest;
        let sql = "SELECT tag FROM change_tags WHERE n > ?1 AND n <= ?2 GROUP BY tag ORDER BY max(n)";
        let tags = self.read(|tx| tx.texts(sql, (n, newest)))?;
        Ok((newest, tags.into_iter().map(ChangeTag::from).collect()))
    }

    /// The person's key, made at first use.
    ///
    /// # Errors
    /// [`Error::KeyDestroyed`]; if the file fails.
    pub fn person_key(&self, person: &RowId) -> Result<PersonKey> {
        self.inner.files.person_key(person)
    }

    /// Destroys a person's key and forgets what it sealed: files and templates are unreadable from the first step on,
    /// also in copies made before.
    ///
    /// # Errors
    /// If the file fails.
    pub fn destroy_person_key(&self, person: &RowId) -> Result<()> {
        self.inner.files.destroy_key(person)?;
        self.write(Priority::Person, |tx| -> Result<()> {
            tx.exec("DELETE FROM templates WHERE person = ?1", [person.as_str()])?;
            let sql = "INSERT OR IGNORE INTO trash (object)
                       SELECT object FROM blob_holders WHERE person = ?1";
            tx.exec(sql, [person.as_str()])?;
            // What nobody else holds is given up, except what another driver's photo can fetch from the hub again.
            let sql = "UPDATE blobs SET parked = 'key_destroyed'
                       WHERE id IN (SELECT blob_id FROM blob_holders WHERE person = ?1)
                         AND NOT EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = blobs.id AND person <> ?1)
                         AND NOT EXISTS (SELECT 1 FROM photo_files
                             JOIN photos ON photos.scope = photo_files.scope AND photos.id = photo_files.photo_id
                             WHERE photo_files.blob_id = blobs.id AND driver_id <> ?1)";
            tx.exec(sql, [person.as_str()])?;
            tx.exec("DELETE FROM blob_holders WHERE person = ?1", [person.as_str()])?;
            tx.tag(ChangeTag::Blobs);
            Ok(())
        })?;
        self.empty_trash()
    }

    /// Seals a file with the person's key and stores it durably, before any row speaks of it. To be remembered by
    /// [`WriteTx::add_blob`]; else the next start sweeps it.
    ///
    /// # Errors
    /// [`Error::Full`], then nothing is left; [`Error::KeyDestroyed`].
    pub fn put_file(&self, person: &RowId, class: FileClass, plain: &[u8]) -> Result<StoredFile> {
        self.inner.files.put(person, class, plain)
    }

    /// The plain bytes of a file held here, by whichever of its objects can be read.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::KeyDestroyed`], or if the file fails.
    pub fn read_file(&self, id: &BlobId) -> Result<Vec<u8>> {
        let missing = || Error::Missing { what: "file", id: id.to_string() };
        let mut result = Err(missing());
        for (person, object) in self.read(|tx| tx.holders(id))? {
            result = self.inner.files.get(&person, &object);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Seals files with the key of the driver whom their photos (these, or all) turned out to show, so that destroying a
    /// person's key takes all of theirs and nobody else's. One that cannot be sealed anew stays as it is and holds up no
    /// other.
    ///
    /// # Errors
    /// The first failure, after all others were done.
    pub fn reseal(&self, photos: Option<&[RowId]>) -> Result<()> {
        let moved = self.read(|tx| tx.missealed(photos))?;
        let mut failed = Ok(());
        for (id, class, driver) in &moved {
            failed = failed.and(self.reseal_file(id, *class, driver));
        }
        if !moved.is_empty() {
            self.empty_trash()?;
        }
        failed
    }

    fn reseal_file(&self, id: &BlobId, class: FileClass, driver: &RowId) -> Result<()> {
        let plain = match self.read_file(id) {
            Err(Error::Missing { .. } | Error::KeyDestroyed(_)) => return Ok(()),
            plain => plain?,
        };
        let stored = match self.put_file(driver, class, &plain) {
            Err(Error::KeyDestroyed(_)) => return Ok(()),
            stored => stored?,
        };
        self.write(Priority::Sync, |tx| tx.add_holder(id, driver, &stored.object))
    }

    /// Opened templates ([`ReadTx::templates`]).
    ///
    /// # Errors
    /// If the file fails.
    pub fn templates(&self, model_id: &str, aligner_id: &str) -> Result<Vec<Template>> {
        self.read(|tx| tx.templates(model_id, aligner_id))
    }

    /// Folder and keys.
    pub(crate) fn files(&self) -> &Files {
        &self.inner.files
    }

    /// Where unfinished downloads are kept.
    pub(crate) fn parts(&self) -> Option<&Parts> {
        self.inner.parts.as_ref()
    }

    /// Removes objects that a committed transaction forgot.
    ///
    /// # Errors
    /// If the file or the folder fails.
    pub fn empty_trash(&self) -> Result<()> {
        let objects = self.read(|tx| tx.texts("SELECT object FROM trash", []))?;
        for text in &objects {
            self.inner.files.remove(&parse("object", text)?)?;
        }
        if objects.is_empty() {
            return Ok(());
        }
        self.write(Priority::Sync, |tx| -> Result<()> {
            for text in &objects {
                tx.exec("DELETE FROM trash WHERE object = ?1", [text])?;
            }
            Ok(())
        })
    }

    /// At start: objects that never got their row (a crash came between).
    fn sweep_objects(&self) -> Result<()> {
        let known = self.read(|tx| tx.known_objects())?;
        let known: std::collections::BTreeSet<&str> = known.iter().map(String::as_str).collect();
        for object in self.inner.files.objects()? {
            if !known.contains(object.as_str()) {
                self.inner.files.remove(&object)?;
            }
        }
        self.empty_trash()
    }

    /// A whole copy of the replica's file, encrypted with the same key; files and person keys are not in it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn backup_to(&self, path: &Path) -> std::result::Result<(), OpenError> {
        Ok(self.inner.file.backup_to(path)?)
    }

    /// The pages that do not have their checksum.
    ///
    /// # Errors
    /// If the file fails.
    pub fn damaged_pages(&self) -> Result<Vec<String>> {
        Ok(self.inner.file.damaged_pages()?)
    }

    /// Limits the replica's file to so many pages, as a quota.
    ///
    /// # Errors
    /// If the file fails.
    pub fn set_max_pages(&self, pages: u32) -> Result<()> {
        Ok(self.inner.file.set_max_pages(pages)?)
    }
}

impl ReadTx<'_> {
    /// The statements that made the tables, for reports of the doctor and the reviewed `schema.snap`.
    ///
    /// # Errors
    /// If the file fails.
    pub fn schema(&self) -> Result<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'refinery%'
                   ORDER BY tbl_name, type DESC, name";
        Ok(self.texts(sql, [])?.join(";\n"))
    }
}

fn newest(tx: &ReadTx<'_>) -> Result<i64> {
    Ok(tx.one("SELECT coalesce(max(n), 0) FROM change_tags", [], |row| row.get(0))?.unwrap_or(0))
}

/// The caller's error or ours, on its way through the file.
enum Outer<E> {
    Ours(Error),
    Theirs(E),
}

impl<E> From<parkdesk_sqlcipher::Error> for Outer<E> {
    fn from(error: parkdesk_sqlcipher::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl<E: From<Error>> Outer<E> {
    fn flat(self) -> E {
        match self {
            Self::Ours(error) => error.into(),
            Self::Theirs(error) => error,
        }
    }
}
