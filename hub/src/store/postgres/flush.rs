//! Writing what was staged (protocol, "The hub's writing transaction", 4 and 5): rows are locked in key order and must have
//! the version that was read, then the heads are bumped in scope order, then everything is written with the versions
//! that this gave. From the bump to the commit nobody else writes these scopes, so versions have commit order and no gaps.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use futures_util::future::{try_join, try_join5};
use parkdesk_domain::row::SCHEMA;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{DeviceId, Kind, Scope, canonical};

use super::error::{Stop, get};
use super::load::{At, Columns};
use super::narrow;
use super::staging::{PENDING, Places, Staging, Written};
use crate::store::place::{narrow_table, place};
use crate::store::transaction::verdict_row;
use crate::store::{Error, Judgement};

/// Where the versions of each scope began before this transaction.
pub(super) type Bases = BTreeMap<Scope, u64>;

/// Gives a verdict its versions.
pub(super) fn settle(verdict: &mut Verdict, bases: &Bases) {
    match verdict {
        Verdict::Applied { scopes, .. } => {
            for (scope, version) in scopes.iter_mut().filter(|(_, version)| **version > PENDING) {
                *version = settled(scope, *version, bases);
            }
        }
        Verdict::Duplicate { first } => settle(first, bases),
        Verdict::Merged { .. } | Verdict::Rejected { .. } | Verdict::Deferred { .. } => {}
    }
}

/// Gives all verdicts of a push their versions.
pub(super) fn settle_all(judgement: &mut Judgement, bases: &Bases) {
    if let Judgement::Done(done) = judgement {
        for judged in &mut done.verdicts {
            settle(&mut judged.verdict, bases);
        }
    }
}

fn settled(scope: &Scope, version: u64, bases: &Bases) -> u64 {
    bases.get(scope).copied().unwrap_or_default() + (version - PENDING)
}

/// A row with all its numbers.
pub(super) struct Final {
    pub(super) at: At,
    /// 0 if there is none yet.
    read: i64,
    version: i64,
    rev: i64,
    pub(super) row: Written,
    hash: String,
}

impl Final {
    /// Whether the row was there before: then its narrow tables may hold something of it.
    pub(super) fn is_old(&self) -> bool {
        self.read > 0
    }
}

/// What is in the store of a row to be written.
#[derive(Clone, Copy, Default)]
struct There {
    version: i64,
    rev: i64,
}

impl Staging<'_> {
    /// Writes all that was staged; answers where the versions began.
    pub(super) async fn flush(mut self) -> Result<Bases, Stop> {
        if let Some(places) = &self.places {
            raise_floor(self.tx, places).await?;
        }
        let verdicts: Vec<At> =
            self.judged.iter().filter_map(|j| j.device.as_ref().map(|d| verdict_at(&d.0, j.id.as_str()))).collect();
        let there = self.lock_rows(&verdicts).await?;
        let bases = self.bump().await?;
        let mut finals = Vec::with_capacity(there.len());
        let tx = self.tx;
        for judged in &mut self.judged {
            settle(&mut judged.verdict, &bases);
            let Some((device, epoch, version)) = &judged.device else { continue };
            let write = verdict_row((device, *epoch), (judged.seq, &judged.id), &judged.verdict)?;
            let parkdesk_domain::row::Write::Put { row, body } = write else { continue };
            let written =
                Written { scope: row.scope, version: *version, times: 1, deleted: false, body, entries: Vec::new() };
            finals.push((verdict_at(device, judged.id.as_str()), written));
        }
        finals.extend(std::mem::take(&mut self.written));
        let finals: Vec<Final> = finals
            .into_iter()
            .map(|(at, row)| {
                let there = there.get(&at).copied().unwrap_or_default();
                let version = settled(&row.scope, row.version, &bases).cast_signed();
                let hash = canonical::hash(&row.body);
                Final { at, read: there.version, version, rev: there.rev + row.times, row, hash }
            })
            .collect();
        try_join5(
            try_join(update(tx, &finals), insert(tx, &finals)),
            narrow::write(tx, &finals),
            self.insert_commands(),
            self.insert_seqs(),
            self.delete_blobs(),
        )
        .await?;
        Ok(bases)
    }

    /// Locks the rows to be written, in their order, and compares their versions with those read.
    async fn lock_rows(&self, verdicts: &[At]) -> Result<BTreeMap<At, There>, Stop> {
        let list: Vec<&At> = {
            let mut list: Vec<&At> = self.written.keys().chain(verdicts).collect();
            list.sort_unstable();
            list
        };
        let lock = self
            .tx
            .prepare_cached(
                "SELECT q.i, r.version, r.rev
                 FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[])
                      WITH ORDINALITY AS q (home, scope_no, kind, id, i)
                 JOIN sync_rows r USING (home, scope_no, kind, id) ORDER BY q.i FOR UPDATE OF r",
            )
            .await?;
        // The rev counts writes in any scope, so that a move may arrive in any order. A verdict has one scope only.
        let revs = self
            .tx
            .prepare_cached(
                "SELECT q.i, max(r.rev) AS rev
                 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS q (kind, id, i)
                 JOIN sync_rows r ON r.kind = q.kind AND r.id = q.id GROUP BY q.i",
            )
            .await?;
        let c: Columns<'_> = list.iter().copied().collect();
        let rows: Vec<&At> = self.written.keys().collect();
        let r: Columns<'_> = rows.iter().copied().collect();
        let lock_params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&c.home, &c.scope_no, &c.kind, &c.id];
        let rev_params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&r.kind, &r.id];
        let (locked, revs) = try_join(self.tx.query(&lock, &lock_params), self.tx.query(&revs, &rev_params)).await?;
        let mut there: BTreeMap<At, There> = BTreeMap::new();
        for row in &locked {
            if let Some(at) = nth(&list, row)? {
                there.insert(at.clone(), There { version: get(row, "version")?, rev: get(row, "rev")? });
            }
        }
        for row in &revs {
            if let Some(at) = nth(&rows, row)? {
                let entry = there.entry(at.clone()).or_default();
                entry.rev = entry.rev.max(get(row, "rev")?);
            }
        }
        for at in &rows {
            let version = there.get(*at).map_or(0, |there| there.version);
            if self.version_read(at).is_some_and(|read| read != version) {
                return Err(Stop::Again(format!("{} {} changed meanwhile", at.kind, at.id)));
            }
        }
        Ok(there)
    }

    async fn bump(&self) -> Result<Bases, Stop> {
        let mut bases = Bases::new();
        if self.opened.is_empty() {
            return Ok(bases);
        }
        let stmt = self
            .tx
            .prepare_cached(
                "INSERT INTO scope_heads AS h (home, scope_no, scope, epoch, version)
                 SELECT q.home, q.scope_no, q.scope, (SELECT COALESCE(max(epoch), 1) FROM scope_heads), q.opened
                 FROM unnest($1::text[], $2::int2[], $3::text[], $4::int8[]) AS q (home, scope_no, scope, opened)
                 ON CONFLICT (home, scope_no) DO UPDATE SET version = h.version + excluded.version
                 RETURNING h.scope, h.version",
            )
            .await?;
        let places: Vec<(String, i16)> = self.opened.keys().map(place).collect();
        let home: Vec<&str> = places.iter().map(|(home, _)| home.as_str()).collect();
        let scope_no: Vec<i16> = places.iter().map(|(_, no)| *no).collect();
        let scope: Vec<String> = self.opened.keys().map(ToString::to_string).collect();
        let opened: Vec<i64> = self.opened.values().map(|n| n.cast_signed()).collect();
        for row in self.tx.query(&stmt, &[&home, &scope_no, &scope, &opened]).await? {
            let scope: String = get(&row, "scope")?;
            let scope: Scope = scope.parse().map_err(|_| Error::Poison(format!("{scope:?} is no scope")))?;
            let head: i64 = get(&row, "version")?;
            let opened = self.opened.get(&scope).copied().unwrap_or_default();
            bases.insert(scope, head.unsigned_abs() - opened);
        }
        Ok(bases)
    }

    async fn insert_commands(&self) -> Result<(), Stop> {
        if self.judged.is_empty() {
            return Ok(());
        }
        let stmt = self
            .tx
            .prepare_cached(
                "INSERT INTO commands (id, device, sha256, verdict, at_ms)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::int8[])
                 ON CONFLICT DO NOTHING",
            )
            .await?;
        let id: Vec<&str> = self.judged.iter().map(|j| j.id.as_str()).collect();
        let device: Vec<Option<&str>> =
            self.judged.iter().map(|j| j.device.as_ref().map(|(device, _, _)| device.as_str())).collect();
        let sha256: Vec<&[u8]> = self.judged.iter().map(|j| j.sha256.as_slice()).collect();
        let verdict: Vec<String> = self
            .judged
            .iter()
            .map(|j| serde_json::to_string(&j.verdict).map_err(|e| Error::Poison(e.to_string())))
            .collect::<Result<_, _>>()?;
        let at: Vec<i64> = self.judged.iter().map(|j| j.at.0).collect();
        let added = self.tx.execute(&stmt, &[&id, &device, &sha256, &verdict, &at]).await?;
        all(added, self.judged.len(), "a command was judged meanwhile")
    }

    async fn insert_seqs(&self) -> Result<(), Stop> {
        let Some(places) = self.places.as_ref().filter(|places| !places.used.is_empty()) else { return Ok(()) };
        let stmt = self
            .tx
            .prepare_cached(
                "INSERT INTO seqs (device, epoch, seq, command)
                 SELECT $1, $2, q.seq, q.command FROM unnest($3::int8[], $4::text[]) AS q (seq, command)
                 ON CONFLICT DO NOTHING",
            )
            .await?;
        let seq: Vec<i64> = places.used.iter().map(|(seq, _)| seq.cast_signed()).collect();
        let command: Vec<&str> = places.used.iter().map(|(_, id)| id.as_str()).collect();
        let epoch = places.epoch.cast_signed();
        self.tx.execute(&stmt, &[&places.device.as_str(), &epoch, &seq, &command]).await?;
        Ok(())
    }

    async fn delete_blobs(&self) -> Result<(), Stop> {
        if self.let_go.is_empty() {
            return Ok(());
        }
        let stmt = self
            .tx
            .prepare_cached(
                "DELETE FROM blobs b USING unnest($1::text[], $2::text[]) AS q (home, id)
                 WHERE b.home = q.home AND b.id = q.id",
            )
            .await?;
        let home: Vec<&str> = self.let_go.iter().map(|(home, _)| home.as_str()).collect();
        let id: Vec<&str> = self.let_go.iter().map(|(_, id)| id.as_str()).collect();
        self.tx.execute(&stmt, &[&home, &id]).await?;
        Ok(())
    }
}

fn verdict_at(device: &DeviceId, command: &str) -> At {
    let (home, scope_no) = place(&Scope::Device(device.clone()));
    At { home, scope_no, kind: Kind::Verdict.as_str().to_owned(), id: command.to_owned() }
}

fn nth<'a>(list: &[&'a At], row: &tokio_postgres::Row) -> Result<Option<&'a At>, Stop> {
    let i: i64 = get(row, "i")?;
    Ok(usize::try_from(i - 1).ok().and_then(|i| list.get(i)).copied())
}

/// A row that somebody else wrote between the lock and the write is a miss.
fn all(done: u64, wanted: usize, missed: &str) -> Result<(), Stop> {
    if done == wanted as u64 { Ok(()) } else { Err(Stop::Again(missed.to_owned())) }
}

/// The device has its verdicts up to the floor safe: their rows leave its scope.
async fn raise_floor(tx: &Transaction<'_>, places: &Places) -> Result<(), Stop> {
    let (old, new) = places.floor;
    if new <= old {
        return Ok(());
    }
    let (device, epoch) = (places.device.as_str(), places.epoch.cast_signed());
    let head = tx
        .prepare_cached(
            "INSERT INTO device_heads AS h (device, epoch, floor) VALUES ($1, $2, $3)
             ON CONFLICT (device, epoch) DO UPDATE SET floor = greatest(h.floor, excluded.floor)",
        )
        .await?;
    // Below the old floor nothing is left: those places are not looked at again.
    let rows = tx
        .prepare_cached(
            "DELETE FROM sync_rows WHERE home = $1 AND scope_no = $2 AND kind = 'verdict' AND id IN
                 (SELECT command FROM seqs WHERE device = $3 AND epoch = $4 AND seq > $5 AND seq <= $6)",
        )
        .await?;
    let (home, scope_no) = place(&Scope::Device(places.device.clone()));
    tx.execute(&head, &[&device, &epoch, &new]).await?;
    tx.execute(&rows, &[&home, &scope_no, &device, &epoch, &old, &new]).await?;
    Ok(())
}

async fn update(tx: &Transaction<'_>, finals: &[Final]) -> Result<(), Stop> {
    let rows: Vec<&Final> = finals.iter().filter(|row| row.is_old()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "UPDATE sync_rows r SET version = q.version, rev = q.rev, deleted = q.deleted, schema = $11,
                 hash = q.hash, body = q.body
             FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[],
                         $8::bool[], $9::text[], $10::text[])
                  AS q (home, scope_no, kind, id, read, version, rev, deleted, hash, body)
             WHERE r.home = q.home AND r.scope_no = q.scope_no AND r.kind = q.kind AND r.id = q.id
                   AND r.version = q.read",
        )
        .await?;
    let c: Columns<'_> = rows.iter().map(|row| &row.at).collect();
    let n = Numbers::new(&rows);
    let done = tx
        .execute(
            &stmt,
            &[
                &c.home,
                &c.scope_no,
                &c.kind,
                &c.id,
                &n.read,
                &n.version,
                &n.rev,
                &n.deleted,
                &n.hash,
                &n.body,
                &SCHEMA.cast_signed(),
            ],
        )
        .await?;
    all(done, rows.len(), "a row was changed meanwhile")
}

async fn insert(tx: &Transaction<'_>, finals: &[Final]) -> Result<(), Stop> {
    let rows: Vec<&Final> = finals.iter().filter(|row| !row.is_old()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO sync_rows (home, scope_no, kind, id, version, rev, deleted, schema, hash, body)
             SELECT q.home, q.scope_no, q.kind, q.id, q.version, q.rev, q.deleted, $10, q.hash, q.body
             FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::bool[],
                         $8::text[], $9::text[])
                  AS q (home, scope_no, kind, id, version, rev, deleted, hash, body)
             ON CONFLICT DO NOTHING",
        )
        .await?;
    let c: Columns<'_> = rows.iter().map(|row| &row.at).collect();
    let n = Numbers::new(&rows);
    let done = tx
        .execute(
            &stmt,
            &[
                &c.home,
                &c.scope_no,
                &c.kind,
                &c.id,
                &n.version,
                &n.rev,
                &n.deleted,
                &n.hash,
                &n.body,
                &SCHEMA.cast_signed(),
            ],
        )
        .await?;
    all(done, rows.len(), "a row was made meanwhile")
}

struct Numbers<'a> {
    read: Vec<i64>,
    version: Vec<i64>,
    rev: Vec<i64>,
    deleted: Vec<bool>,
    hash: Vec<&'a str>,
    body: Vec<&'a str>,
}

impl<'a> Numbers<'a> {
    fn new(rows: &[&'a Final]) -> Self {
        Self {
            read: rows.iter().map(|row| row.read).collect(),
            version: rows.iter().map(|row| row.version).collect(),
            rev: rows.iter().map(|row| row.rev).collect(),
            deleted: rows.iter().map(|row| row.row.deleted).collect(),
            hash: rows.iter().map(|row| row.hash.as_str()).collect(),
            body: rows.iter().map(|row| row.row.body.as_str()).collect(),
        }
    }
}

/// Whether a row's kind fills the narrow table.
pub(super) fn fills(at: &At, table: &str) -> bool {
    narrow_table(&Kind::from(at.kind.as_str())) == Some(table)
}
