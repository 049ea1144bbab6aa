//! The store on PostgreSQL: for any number of hub processes on one database.
//!
//! Judging is that of `transaction`, like on the embedded store. What differs is how a transaction reads and writes: it
//! locks its guards, is planned in memory ([`staging`]), and then written in a few statements ([`flush`]). Whoever was
//! slower than another process runs again. See docs/adr/0007-postgresql-store.md.

mod blobs;
mod connect;
mod devices;
mod error;
mod flush;
mod guards;
mod keys;
mod load;
mod narrow;
pub mod news;
mod rows;
mod staging;

use std::collections::BTreeSet;
use std::time::Duration;

use deadpool_postgres::{Client, Pool};
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{BlobId, CommandId, DeviceId, Envelope, Kind, Millis, RowId, Scope, plan};
use parkdesk_sqlcipher::Key;
use rand::RngExt;
use tokio_postgres::IsolationLevel;

use self::connect::Way;
pub use self::connect::{Address, ConnectError};
use self::error::{Stop, get};
pub(super) use self::keys::Vault;
use self::staging::Staging;
use super::transaction::{self, OneByOne, Sender};
use super::{
    Batch, BlobAccess, Caller, DeviceView, Enrolled, Enrolment, Error, Judgement, Missealed, NewCode, Page, PageSize,
    Part, Result, Stats, Store, StoredBlob, enrolment,
};

/// Attempts at a transaction that others are faster than.
const ATTEMPTS: u32 = 30;
/// Between two attempts at most, times their number.
const PAUSE_MS: u64 = 5;

/// The store on PostgreSQL.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    way: Way,
    vault: Vault,
}

/// A database with its tables, whose hub is not known yet.
pub struct Reached {
    pool: Pool,
    way: Way,
    key_check: Option<Vec<u8>>,
}

impl Reached {
    /// Reaches the database and brings its tables up to date.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn new(address: &Address) -> std::result::Result<Self, ConnectError> {
        let way = Way::new(address)?;
        way.migrate().await?;
        let pool = way.pool()?;
        let away = |error: Stop| ConnectError::Away { place: way.place.clone(), cause: Error::from(error).to_string() };
        let client = pool.get().await.map_err(|e| away(e.into()))?;
        let found = client.query_opt("SELECT key_check FROM hub", &[]).await.map_err(|e| away(e.into()))?;
        let key_check = found.map(|row| get(&row, "key_check")).transpose().map_err(away)?;
        Ok(Self { pool, way, key_check })
    }

    /// Whether no hub ever lived here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.key_check.is_none()
    }

    /// Host and database.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.way.place
    }

    /// The store; a new one gets the id `hub_id` and belongs to `key` from now on.
    ///
    /// # Errors
    /// If it was made with another key, or the server does not answer.
    pub async fn open(self, key: &Key, hub_id: &RowId, now: Millis) -> std::result::Result<Postgres, ConnectError> {
        let Self { pool, way, .. } = self;
        let away = |error: Stop| ConnectError::Away { place: way.place.clone(), cause: Error::from(error).to_string() };
        let vault = Vault::new(way.clone(), key);
        let client = pool.get().await.map_err(|e| away(e.into()))?;
        // Of two that are the first at once, the second finds the first one's.
        client
            .execute(
                "INSERT INTO hub (only_row, hub_id, created_at_ms, key_check) VALUES (1, $1, $2, $3)
                 ON CONFLICT DO NOTHING",
                &[&hub_id.as_str(), &now.0, &vault.key_check()],
            )
            .await
            .map_err(|e| away(e.into()))?;
        let row = client.query_one("SELECT key_check FROM hub", &[]).await.map_err(|e| away(e.into()))?;
        let held: Vec<u8> = get(&row, "key_check").map_err(away)?;
        if !vault.is_mine(&held) {
            return Err(ConnectError::OtherKey(way.place.clone()));
        }
        Ok(Postgres { pool, way, vault })
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Postgres({})", self.way.place)
    }
}

/// What a writing transaction is for.
enum Job<'a> {
    Push(&'a Batch),
    Issue { commands: &'a [Envelope], dry_run: bool },
    Enrol(&'a Enrolment),
    Blob { home: &'a str, blob: &'a BlobId, stored: &'a StoredBlob },
}

/// What came of it.
enum Done {
    Push(Judgement),
    Issue(Vec<Verdict>, BTreeSet<Scope>),
    Enrol(Enrolled, BTreeSet<Scope>),
    Blob(bool, BTreeSet<Scope>),
}

impl Done {
    /// Whether it is to be kept.
    fn is_kept(&self, job: &Job<'_>) -> bool {
        match self {
            Self::Push(judgement) => !matches!(judgement, Judgement::Cloned { .. }),
            Self::Issue(..) => !matches!(job, Job::Issue { dry_run: true, .. }),
            Self::Enrol(enrolled, _) => !matches!(enrolled, Enrolled::Refused(_)),
            Self::Blob(is_new, _) => *is_new,
        }
    }

    fn settle(&mut self, bases: &flush::Bases) {
        match self {
            Self::Push(judgement) => flush::settle_all(judgement, bases),
            Self::Issue(verdicts, _) => {
                for verdict in verdicts {
                    flush::settle(verdict, bases);
                }
            }
            Self::Enrol(..) | Self::Blob(..) => {}
        }
    }
}

impl Job<'_> {
    /// The guards that need no reads.
    fn guards(&self) -> BTreeSet<i64> {
        let of = |envelope: &Envelope| guards::keys(envelope.command.park(), &plan::guards(&envelope.command));
        match self {
            Self::Push(batch) => {
                let known = batch.commands.iter().filter_map(|pushed| pushed.envelope.as_ref());
                known.flat_map(of).chain([guards::of_sender(&batch.device)]).collect()
            }
            Self::Issue { commands, .. } => commands.iter().flat_map(of).collect(),
            Self::Enrol(_) => BTreeSet::new(),
            Self::Blob { home, blob, .. } => {
                let park = home.strip_prefix("park/").and_then(|id| id.parse::<RowId>().ok());
                let name = park.as_ref().map(|park| plan::blob_guard(park, blob));
                guards::keys(park.as_ref(), &name.into_iter().collect())
            }
        }
    }

    async fn run(&self, tx: &mut Staging<'_>, now: Millis) -> Result<Done, Stop> {
        let mut touched = BTreeSet::new();
        Ok(match self {
            Self::Push(batch) => {
                let ids: Vec<&CommandId> = batch.commands.iter().map(|pushed| &pushed.head.id).collect();
                let known: Vec<&Envelope> = batch.commands.iter().filter_map(|p| p.envelope.as_ref()).collect();
                let sender = Sender { device: Some((&batch.device, batch.epoch)) };
                tx.look_ahead(sender, &ids, &known, now).await?;
                Done::Push(transaction::push(tx, batch, now).await?)
            }
            Self::Issue { commands, .. } => {
                let ids: Vec<&CommandId> = commands.iter().map(|envelope| &envelope.id).collect();
                let known: Vec<&Envelope> = commands.iter().collect();
                tx.look_ahead(Sender::HUB, &ids, &known, now).await?;
                let mut verdicts = Vec::with_capacity(commands.len());
                for envelope in *commands {
                    verdicts.push(transaction::issue(tx, envelope.clone(), now, &mut touched).await?);
                }
                Done::Issue(verdicts, touched)
            }
            Self::Enrol(attempt) => {
                let enrolled = enrolment::enrol(tx, attempt, now, &mut touched).await?;
                Done::Enrol(enrolled, touched)
            }
            Self::Blob { home, blob, stored } => {
                let is_new = transaction::blob_stored(tx, (home, blob), stored, now, &mut touched).await?;
                Done::Blob(is_new, touched)
            }
        })
    }
}

impl Postgres {
    pub(super) fn vault(&self) -> Vault {
        self.vault.clone()
    }

    async fn client(&self) -> Result<Client, Stop> {
        Ok(self.pool.get().await?)
    }

    /// Runs a transaction until nobody else is faster.
    async fn write(&self, job: &Job<'_>, now: Millis) -> Result<Done> {
        let mut guards = job.guards();
        let mut cause = String::new();
        for attempt in 1..=ATTEMPTS {
            match self.attempt(job, &guards, now).await {
                Ok(done) => return Ok(done),
                Err(Stop::Guards(more)) => guards.extend(more),
                Err(Stop::Again(why)) => {
                    metrics::counter!("hub_transactions_again_total").increment(1);
                    let pause = rand::rng().random_range(1..=PAUSE_MS * u64::from(attempt));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    cause = why;
                }
                Err(Stop::Error(error)) => return Err(error),
            }
        }
        let cause = format!("{ATTEMPTS} attempts were overtaken, the last because {cause}");
        // A command that always fails like this is at fault itself and holds up no other; the rest may come again.
        Err(if matches!(job, Job::Push(_)) { Error::Poison(cause) } else { Error::Failed(cause) })
    }

    async fn attempt(&self, job: &Job<'_>, held: &BTreeSet<i64>, now: Millis) -> Result<Done, Stop> {
        let mut client = self.client().await?;
        let tx = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        guards::lock(&tx, held).await?;
        let mut staging = Staging::new(&tx, held);
        let mut done = job.run(&mut staging, now).await?;
        if done.is_kept(job) {
            let bases = staging.flush().await?;
            tx.commit().await?;
            done.settle(&bases);
        } else {
            let bases = staging.bases().await?;
            tx.rollback().await?;
            done.settle(&bases);
        }
        Ok(done)
    }

    async fn push_at_once(&self, batch: &Batch, now: Millis) -> Result<Judgement> {
        match self.write(&Job::Push(batch), now).await? {
            Done::Push(judgement) => Ok(judgement),
            Done::Issue(..) | Done::Enrol(..) | Done::Blob(..) => Err(mixed_up()),
        }
    }
}

fn mixed_up() -> Error {
    Error::Poison("BUG: a transaction answered for another".into())
}

impl Store for Postgres {
    async fn hub_id(&self) -> Result<RowId> {
        let client = self.client().await?;
        let row = client.query_one("SELECT hub_id FROM hub", &[]).await.map_err(Stop::from)?;
        super::place::parse_id(get(&row, "hub_id")?)
    }

    async fn caller(&self, token: [u8; 32], now: Millis) -> Result<Option<Caller>> {
        let mut client = self.client().await?;
        let Some((caller, is_unused)) = devices::find_caller(&client, token).await? else { return Ok(None) };
        if is_unused {
            devices::confirm_token(&mut client, token, now).await?;
        }
        Ok(Some(caller))
    }

    async fn add_code(&self, code: NewCode, now: Millis) -> Result<bool> {
        Ok(devices::add_code(&mut self.client().await?, &code, now).await?)
    }

    async fn enrol(&self, attempt: Enrolment, now: Millis) -> Result<(Enrolled, BTreeSet<Scope>)> {
        match self.write(&Job::Enrol(&attempt), now).await? {
            Done::Enrol(refused @ Enrolled::Refused(_), _) => Ok((refused, BTreeSet::new())),
            Done::Enrol(enrolled, touched) => Ok((enrolled, touched)),
            Done::Push(_) | Done::Issue(..) | Done::Blob(..) => Err(mixed_up()),
        }
    }

    async fn push(&self, batch: Batch, now: Millis) -> Result<Judgement> {
        let cause = match self.push_at_once(&batch, now).await {
            Err(error @ Error::Poison(_)) => error,
            done => return done,
        };
        let (mut each, batches) = OneByOne::new(batch, now, &cause);
        for one in batches {
            let outcome = self.push_at_once(&one, now).await;
            if let Some(ended) = each.take(&one, outcome) {
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
        match self.write(&Job::Issue { commands: &commands, dry_run }, now).await? {
            Done::Issue(verdicts, _) if dry_run => Ok((verdicts, BTreeSet::new())),
            Done::Issue(verdicts, touched) => Ok((verdicts, touched)),
            Done::Push(_) | Done::Enrol(..) | Done::Blob(..) => Err(mixed_up()),
        }
    }

    async fn page(&self, scope: &Scope, from: u64, size: PageSize) -> Result<Page> {
        Ok(rows::page(&self.client().await?, scope, from, size).await?)
    }

    async fn subscriptions(&self, device: &DeviceId) -> Result<BTreeSet<Scope>> {
        Ok(devices::subscriptions(&self.client().await?, device).await?)
    }

    async fn blob_access(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<BlobAccess>> {
        Ok(blobs::access(&self.client().await?, device, blob).await?)
    }

    async fn parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<Part>> {
        Ok(blobs::parts(&self.client().await?, device, blob).await?)
    }

    async fn put_part(&self, device: &DeviceId, blob: &BlobId, part: Part, now: Millis) -> Result<Option<String>> {
        Ok(blobs::put_part(&mut self.client().await?, device, blob, &part, now).await?)
    }

    async fn drop_parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<String>> {
        Ok(blobs::drop_parts(&self.client().await?, device, blob).await?)
    }

    async fn drop_old_parts(&self, before: Millis) -> Result<Vec<String>> {
        Ok(blobs::drop_old_parts(&self.client().await?, before).await?)
    }

    async fn blob_stored(
        &self,
        home: &str,
        blob: &BlobId,
        stored: StoredBlob,
        now: Millis,
    ) -> Result<(bool, BTreeSet<Scope>)> {
        match self.write(&Job::Blob { home, blob, stored: &stored }, now).await? {
            Done::Blob(is_new, touched) => Ok((is_new, touched)),
            Done::Push(_) | Done::Issue(..) | Done::Enrol(..) => Err(mixed_up()),
        }
    }

    async fn missealed(&self, after: Option<(String, BlobId)>, limit: u32) -> Result<Vec<Missealed>> {
        Ok(blobs::missealed(&self.client().await?, after.as_ref(), limit).await?)
    }

    async fn blob_resealed(&self, old: &Missealed, object: &str) -> Result<bool> {
        Ok(blobs::resealed(&self.client().await?, old, object).await?)
    }

    async fn is_object_used(&self, object: &str) -> Result<bool> {
        Ok(blobs::is_object_used(&self.client().await?, object).await?)
    }

    async fn list_rows(&self, scope: &Scope, kind: &Kind) -> Result<Vec<(RowId, String)>> {
        Ok(rows::list(&self.client().await?, scope, kind).await?)
    }

    async fn list_devices(&self) -> Result<Vec<DeviceView>> {
        Ok(devices::list(&self.client().await?).await?)
    }

    async fn stats(&self) -> Result<Stats> {
        Ok(rows::stats(&self.client().await?).await?)
    }

    async fn begin_epoch(&self, now: Millis) -> Result<u64> {
        let mut client = self.client().await?;
        let tx = client.transaction().await.map_err(Stop::from)?;
        let count = rows::begin_epoch(&tx, now).await?;
        tx.commit().await.map_err(Stop::from)?;
        Ok(count)
    }

    async fn reindex(&self) -> Result<u64> {
        let mut client = self.client().await?;
        let tx = client.transaction().await.map_err(Stop::from)?;
        let count = rows::reindex(&tx).await?;
        tx.commit().await.map_err(Stop::from)?;
        Ok(count)
    }

    async fn forget_commands(&self, before: Millis) -> Result<u64> {
        let forget = "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE at_ms < $1 LIMIT 1000)";
        Ok(self.client().await?.execute(forget, &[&before.0]).await.map_err(Stop::from)?)
    }
}
