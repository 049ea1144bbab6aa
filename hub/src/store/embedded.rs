//! The store on one encrypted file (`hub.db`): for an office, and the default.
//!
//! Its methods never wait for anything but the file, so they may block; the shell calls them from a thread that may.
//! One writer, so that the guards of the protocol have nothing to lock.

mod blobs;
mod devices;
mod rows;
mod tx;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::FutureExt;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{BlobId, DeviceId, Envelope, Kind, Millis, RowId, Scope};
use parkdesk_sqlcipher::system::Sys;
use parkdesk_sqlcipher::{File, Key, OpenError, OpenMode, Priority, Steps};
use rusqlite::{Connection, named_params};

use self::tx::Writing;
use super::transaction::{self, OneByOne};
use super::{
    Batch, BlobAccess, Caller, DeviceView, Enrolled, Enrolment, Error, Judgement, Missealed, NewCode, Page, PageSize,
    Part, Result, Stats, Store, StoredBlob, enrolment,
};

/// The store on one file.
#[derive(Debug, Clone)]
pub struct Embedded {
    file: File,
}

/// Why a transaction ends without a commit.
enum Stop<T> {
    /// On purpose: this is the answer, nothing is kept.
    Undo(T),
    /// It broke.
    Error(Error),
}

impl<T> From<Error> for Stop<T> {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<T> From<parkdesk_sqlcipher::Error> for Stop<T> {
    fn from(error: parkdesk_sqlcipher::Error) -> Self {
        Self::Error(error.into())
    }
}

impl From<parkdesk_sqlcipher::Error> for Error {
    fn from(error: parkdesk_sqlcipher::Error) -> Self {
        let text = error.to_string();
        match error {
            parkdesk_sqlcipher::Error::Full => Self::Full,
            parkdesk_sqlcipher::Error::Panicked(_) => Self::Poison(text),
            parkdesk_sqlcipher::Error::Sqlite(cause)
                if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
            {
                Self::Poison(text)
            }
            parkdesk_sqlcipher::Error::Corrupt(_) | parkdesk_sqlcipher::Error::Sqlite(_) => Self::Failed(text),
            // The enum may grow.
            _ => Self::Failed(text),
        }
    }
}

fn sql(error: rusqlite::Error) -> Error {
    parkdesk_sqlcipher::Error::from(error).into()
}

const STEPS: Steps = &[
    ("V1__hub", include_str!("../../migrations/V1__hub.sql")),
    ("V2__withdrawn", include_str!("../../migrations/V2__withdrawn.sql")),
];

impl Embedded {
    /// Opens `hub.db` in the folder, or makes it if `mode` says so; a new one gets the id `hub_id`.
    ///
    /// # Errors
    /// See [`OpenError`]; in every case the file is as it was.
    pub fn open(
        system: &Sys,
        dir: &Path,
        key: &Key,
        mode: OpenMode,
        hub_id: &RowId,
        now: Millis,
    ) -> std::result::Result<Self, OpenError> {
        let file = File::open_on(system, &dir.join("hub.db"), key, STEPS, mode)?;
        let store = Self { file };
        store
            .write(|tx| {
                tx.execute(
                    "INSERT INTO hub (only_row, hub_id, created_at_ms) VALUES (1, :hub_id, :now)
                     ON CONFLICT DO NOTHING",
                    named_params! {":hub_id": hub_id.as_str(), ":now": now.0},
                )
                .map_err(sql)?;
                Ok(())
            })
            .map_err(|e| match e {
                Error::Full => OpenError::Full,
                Error::Failed(why) | Error::Poison(why) => OpenError::Migration(why),
            })?;
        Ok(store)
    }

    fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.file.read(|tx| f(tx))
    }

    fn write<T>(&self, f: impl FnOnce(&Connection) -> std::result::Result<T, Stop<T>>) -> Result<T> {
        match self.file.write(Priority::Person, |tx| f(tx)) {
            Ok(answer) | Err(Stop::Undo(answer)) => Ok(answer),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn push_at_once(&self, batch: &Batch, now: Millis) -> Result<Judgement> {
        self.write(|tx| Ok(at_once(transaction::push(&mut Writing(tx), batch, now))?))
    }
}

/// The result of a future that waits for nothing.
fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    future.now_or_never().unwrap_or_else(|| Err(Error::Poison("BUG: the embedded store was made to wait".into())))
}

fn count(tx: &Connection, query: &str) -> Result<u64> {
    let n: i64 = tx.query_row(query, [], |row| row.get(0)).map_err(sql)?;
    Ok(n.unsigned_abs())
}

impl Store for Embedded {
    async fn hub_id(&self) -> Result<RowId> {
        let id = self.read(devices::hub_id)?;
        id.ok_or_else(|| Error::Poison("the hub has no id".into()))
    }

    async fn caller(&self, token: [u8; 32], now: Millis) -> Result<Option<Caller>> {
        let Some((caller, is_unused)) = self.read(|tx| devices::find_caller(tx, token))? else { return Ok(None) };
        if is_unused {
            self.write(|tx| Ok(devices::confirm_token(tx, token, now)?))?;
        }
        Ok(Some(caller))
    }

    async fn add_code(&self, code: NewCode, now: Millis) -> Result<bool> {
        self.write(|tx| Ok(devices::add_code(tx, &code, now)?))
    }

    async fn enrol(&self, attempt: Enrolment, now: Millis) -> Result<(Enrolled, BTreeSet<Scope>)> {
        self.write(|tx| {
            let mut touched = BTreeSet::new();
            match at_once(enrolment::enrol(&mut Writing(tx), &attempt, now, &mut touched))? {
                refused @ Enrolled::Refused(_) => Err(Stop::Undo((refused, BTreeSet::new()))),
                answer @ (Enrolled::Device(_) | Enrolled::BadCode) => Ok((answer, touched)),
            }
        })
    }

    async fn push(&self, batch: Batch, now: Millis) -> Result<Judgement> {
        let cause = match self.push_at_once(&batch, now) {
            Err(error @ Error::Poison(_)) => error,
            done => return done,
        };
        let (mut each, batches) = OneByOne::new(batch, now, &cause);
        for one in batches {
            if let Some(ended) = each.take(&one, self.push_at_once(&one, now)) {
                return ended;
            }
        }
        Ok(each.done())
    }

    async fn issue(
        &self,
        commands: Vec<Envelope>,
        dry_run: bool,
        now: Millis,
    ) -> Result<(Vec<Verdict>, BTreeSet<Scope>)> {
        self.write(|tx| {
            let mut touched = BTreeSet::new();
            let verdicts = commands
                .into_iter()
                .map(|envelope| at_once(transaction::issue(&mut Writing(tx), envelope, now, &mut touched)))
                .collect::<Result<Vec<_>>>()?;
            if dry_run { Err(Stop::Undo((verdicts, BTreeSet::new()))) } else { Ok((verdicts, touched)) }
        })
    }

    async fn page(&self, scope: &Scope, from: u64, size: PageSize) -> Result<Page> {
        self.read(|tx| rows::page(tx, scope, from, size))
    }

    async fn subscriptions(&self, device: &DeviceId) -> Result<BTreeSet<Scope>> {
        self.read(|tx| devices::subscriptions(tx, device))
    }

    async fn blob_access(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<BlobAccess>> {
        self.read(|tx| blobs::access(tx, device, blob))
    }

    async fn parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<Part>> {
        self.read(|tx| blobs::parts(tx, device, blob))
    }

    async fn put_part(&self, device: &DeviceId, blob: &BlobId, part: Part, now: Millis) -> Result<Option<String>> {
        self.write(|tx| Ok(blobs::put_part(tx, device, blob, &part, now)?))
    }

    async fn drop_parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<String>> {
        self.write(|tx| Ok(blobs::drop_parts(tx, device, blob)?))
    }

    async fn drop_old_parts(&self, before: Millis) -> Result<Vec<String>> {
        self.write(|tx| Ok(blobs::drop_old_parts(tx, before)?))
    }

    async fn blob_stored(
        &self,
        home: &str,
        blob: &BlobId,
        stored: StoredBlob,
        now: Millis,
    ) -> Result<(bool, BTreeSet<Scope>)> {
        self.write(|tx| {
            let mut touched = BTreeSet::new();
            let mut tx = Writing(tx);
            let is_new = at_once(transaction::blob_stored(&mut tx, (home, blob), &stored, now, &mut touched))?;
            Ok((is_new, touched))
        })
    }

    async fn missealed(&self, after: Option<(String, BlobId)>, limit: u32) -> Result<Vec<Missealed>> {
        self.read(|tx| blobs::missealed(tx, after.as_ref(), limit))
    }

    async fn blob_resealed(&self, old: &Missealed, object: &str) -> Result<bool> {
        self.write(|tx| Ok(blobs::resealed(tx, old, object)?))
    }

    async fn is_object_used(&self, object: &str) -> Result<bool> {
        self.read(|tx| blobs::is_object_used(tx, object))
    }

    async fn list_rows(&self, scope: &Scope, kind: &Kind) -> Result<Vec<(RowId, String)>> {
        self.read(|tx| rows::list(tx, scope, kind))
    }

    async fn list_devices(&self) -> Result<Vec<DeviceView>> {
        self.read(devices::list)
    }

    async fn stats(&self) -> Result<Stats> {
        self.read(|tx| {
            let mut stmt = tx
                .prepare("SELECT kind, COUNT(*) AS n FROM sync_rows WHERE deleted = 0 GROUP BY kind ORDER BY kind")
                .map_err(sql)?;
            let rows = stmt
                .query_map([], |row| Ok((row.get("kind")?, row.get::<_, i64>("n")?.unsigned_abs())))
                .map_err(sql)?
                .collect::<rusqlite::Result<BTreeMap<String, u64>>>()
                .map_err(sql)?;
            Ok(Stats {
                rows,
                commands: count(tx, "SELECT COUNT(*) FROM commands")?,
                devices: count(tx, "SELECT COUNT(*) FROM devices WHERE revoked_at_ms IS NULL")?,
                blobs: count(tx, "SELECT COUNT(*) FROM blobs")?,
                blob_bytes: count(tx, "SELECT COALESCE(SUM(size_bytes), 0) FROM blobs")?,
                parts: count(tx, "SELECT COUNT(*) FROM blob_parts")?,
            })
        })
    }

    async fn begin_epoch(&self, now: Millis) -> Result<u64> {
        self.write(|tx| {
            let newer = "UPDATE scope_heads SET epoch = max(?1, (SELECT max(epoch) FROM scope_heads) + 1)";
            let changed = tx.execute(newer, [now.0.div_euclid(1000)]).map_err(sql)?;
            tx.execute(
                "INSERT INTO scope_epochs (home, scope_no, epoch, began_at)
                 SELECT home, scope_no, epoch, version FROM scope_heads WHERE true ON CONFLICT DO NOTHING",
                [],
            )
            .map_err(sql)?;
            Ok(changed as u64)
        })
    }

    async fn reindex(&self) -> Result<u64> {
        self.write(|tx| Ok(rows::reindex(tx)?))
    }

    async fn forget_commands(&self, before: Millis) -> Result<u64> {
        self.write(|tx| {
            let forgotten = tx
                .execute(
                    "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE at_ms < :before LIMIT 1000)",
                    named_params! {":before": before.0},
                )
                .map_err(sql)?;
            Ok(forgotten as u64)
        })
    }
}
