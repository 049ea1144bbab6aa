//! Looking up many things in one round trip. Each answers by the place of what was asked.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use parkdesk_domain::{BlobId, Scope};

use super::error::{Stop, get};
use crate::store::place::place;

/// The key of a row. Its order is the order in which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) home: String,
    pub(super) scope_no: i16,
    pub(super) kind: String,
    pub(super) id: String,
}

/// A folded key in a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim {
    pub(super) home: String,
    pub(super) scope_no: i16,
    pub(super) space: &'static str,
    pub(super) key: String,
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) version: i64,
    /// None if deleted.
    pub(super) body: Option<String>,
}

/// The columns of keys, for `unnest`.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) home: Vec<&'a str>,
    pub(super) scope_no: Vec<i16>,
    pub(super) kind: Vec<&'a str>,
    pub(super) id: Vec<&'a str>,
}

impl<'a> FromIterator<&'a At> for Columns<'a> {
    fn from_iter<I: IntoIterator<Item = &'a At>>(list: I) -> Self {
        let mut columns = Self::default();
        for at in list {
            columns.home.push(&at.home);
            columns.scope_no.push(at.scope_no);
            columns.kind.push(&at.kind);
            columns.id.push(&at.id);
        }
        columns
    }
}

/// Counted from 1.
fn place_of(row: &tokio_postgres::Row) -> Result<usize, Stop> {
    let i: i64 = get(row, "i")?;
    Ok(usize::try_from(i - 1).unwrap_or(usize::MAX))
}

/// The rows with these keys; what is not there is `None`.
pub(super) async fn rows(tx: &Transaction<'_>, list: Vec<At>) -> Result<Vec<(At, Option<Read>)>, Stop> {
    let stmt = tx
        .prepare_cached(
            "SELECT q.i, r.version, r.deleted, r.body
             FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[])
                  WITH ORDINALITY AS q (home, scope_no, kind, id, i)
             JOIN sync_rows r USING (home, scope_no, kind, id)",
        )
        .await?;
    let found = {
        let c: Columns<'_> = list.iter().collect();
        tx.query(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id]).await?
    };
    let mut read: Vec<(At, Option<Read>)> = list.into_iter().map(|at| (at, None)).collect();
    for row in &found {
        let deleted: bool = get(row, "deleted")?;
        let body: String = get(row, "body")?;
        if let Some((_, held)) = read.get_mut(place_of(row)?) {
            *held = Some(Read { version: get(row, "version")?, body: (!deleted).then_some(body) });
        }
    }
    Ok(read)
}

/// Who holds these keys, as kind and id.
pub(super) async fn holders(
    tx: &Transaction<'_>,
    list: Vec<Claim>,
) -> Result<Vec<(Claim, Option<(String, String)>)>, Stop> {
    let stmt = tx
        .prepare_cached(
            "SELECT q.i, k.kind, k.id
             FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[])
                  WITH ORDINALITY AS q (home, scope_no, ns, key, i)
             JOIN keys k USING (home, scope_no, ns, key)",
        )
        .await?;
    let home: Vec<&str> = list.iter().map(|c| c.home.as_str()).collect();
    let scope_no: Vec<i16> = list.iter().map(|c| c.scope_no).collect();
    let space: Vec<&str> = list.iter().map(|c| c.space).collect();
    let key: Vec<&str> = list.iter().map(|c| c.key.as_str()).collect();
    let found = tx.query(&stmt, &[&home, &scope_no, &space, &key]).await?;
    let mut read: Vec<(Claim, Option<(String, String)>)> = list.into_iter().map(|claim| (claim, None)).collect();
    for row in &found {
        if let Some((_, held)) = read.get_mut(place_of(row)?) {
            *held = Some((get(row, "kind")?, get(row, "id")?));
        }
    }
    Ok(read)
}

/// The ids of a driver's photos that were not taken back, in order.
pub(super) async fn photos_of(
    tx: &Transaction<'_>,
    (home, scope_no): (&str, i16),
    driver: &str,
) -> Result<Vec<String>, Stop> {
    let stmt = tx
        .prepare_cached(
            "SELECT DISTINCT id FROM blob_refs
             WHERE home = $1 AND scope_no = $2 AND person = $3 AND kind = 'photo' AND NOT is_withdrawn ORDER BY id",
        )
        .await?;
    tx.query(&stmt, &[&home, &scope_no, &driver]).await?.iter().map(|row| get(row, "id")).collect()
}

/// A right as it was read, with the row that gives it.
#[derive(Debug, Clone)]
pub(super) struct Right {
    pub(super) at: At,
    pub(super) role: String,
    pub(super) park: String,
}

/// What a holder may do, and whether it is a device that was revoked.
pub(super) async fn rights(tx: &Transaction<'_>, holder: &str) -> Result<(Vec<Right>, bool), Stop> {
    let stmt = tx.prepare_cached("SELECT home, scope_no, kind, id, role, park FROM grants WHERE holder = $1").await?;
    let mut list = Vec::new();
    for row in tx.query(&stmt, &[&holder]).await? {
        let at = At {
            home: get(&row, "home")?,
            scope_no: get(&row, "scope_no")?,
            kind: get(&row, "kind")?,
            id: get(&row, "id")?,
        };
        list.push(Right { at, role: get(&row, "role")?, park: get(&row, "park")? });
    }
    let Some(device) = holder.strip_prefix("device/") else { return Ok((list, false)) };
    let stmt = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM devices
                            WHERE home = $1 AND id = $2 AND revoked_at_ms IS NOT NULL) AS revoked",
        )
        .await?;
    let revoked = get(&tx.query_one(&stmt, &[&holder, &device]).await?, "revoked")?;
    Ok((list, revoked))
}

/// A judged command as it is kept: device, hash, verdict.
pub(super) type Kept = (Option<String>, [u8; 32], String);

/// The commands judged before under these ids.
pub(super) async fn commands(tx: &Transaction<'_>, ids: &[&str]) -> Result<BTreeMap<String, Kept>, Stop> {
    let stmt =
        tx.prepare_cached("SELECT id, device, sha256, verdict FROM commands WHERE id = ANY ($1::text[])").await?;
    let mut found = BTreeMap::new();
    for row in tx.query(&stmt, &[&ids]).await? {
        let sha256: &[u8] = get(&row, "sha256")?;
        let sha256 = sha256.try_into().map_err(|_| crate::store::Error::Poison("a hash has no 32 bytes".into()))?;
        found.insert(get(&row, "id")?, (get(&row, "device")?, sha256, get(&row, "verdict")?));
    }
    Ok(found)
}

/// The places of a device epoch that are taken, with the commands that took them, and the floor.
pub(super) async fn places(
    tx: &Transaction<'_>,
    (device, epoch): (&str, i64),
    seqs: &[i64],
) -> Result<(BTreeMap<u64, String>, i64), Stop> {
    let stmt = tx
        .prepare_cached("SELECT seq, command FROM seqs WHERE device = $1 AND epoch = $2 AND seq = ANY ($3::int8[])")
        .await?;
    let mut taken = BTreeMap::new();
    for row in tx.query(&stmt, &[&device, &epoch, &seqs]).await? {
        taken.insert(get::<i64>(&row, "seq")?.unsigned_abs(), get(&row, "command")?);
    }
    let stmt = tx.prepare_cached("SELECT floor FROM device_heads WHERE device = $1 AND epoch = $2").await?;
    let floor = match tx.query_opt(&stmt, &[&device, &epoch]).await? {
        Some(row) => get(&row, "floor")?,
        None => 0,
    };
    Ok((taken, floor))
}

/// Which of these blobs are here, of one home.
pub(super) async fn stored(tx: &Transaction<'_>, home: &str, ids: &[&str]) -> Result<Vec<String>, Stop> {
    let stmt = tx.prepare_cached("SELECT id FROM blobs WHERE home = $1 AND id = ANY ($2::text[])").await?;
    tx.query(&stmt, &[&home, &ids]).await?.iter().map(|row| get(row, "id")).collect()
}

/// The rows of a home that wait for a blob or show it.
pub(super) async fn refs(tx: &Transaction<'_>, home: &str, blob: &BlobId) -> Result<Vec<At>, Stop> {
    let stmt = tx
        .prepare_cached(
            "SELECT home, scope_no, kind, id FROM blob_refs WHERE blob = $1 AND home = $2 AND NOT is_withdrawn",
        )
        .await?;
    let found = tx.query(&stmt, &[&blob.as_str(), &home]).await?;
    let at = |row: &tokio_postgres::Row| {
        Ok(At {
            home: get(row, "home")?,
            scope_no: get(row, "scope_no")?,
            kind: get(row, "kind")?,
            id: get(row, "id")?,
        })
    };
    found.iter().map(at).collect()
}

/// The newest versions of these scopes; 0 for one that nothing was written to.
pub(super) async fn heads(tx: &Transaction<'_>, scopes: &[&Scope]) -> Result<Vec<u64>, Stop> {
    let stmt = tx
        .prepare_cached(
            "SELECT q.i, h.version FROM unnest($1::text[], $2::int2[]) WITH ORDINALITY AS q (home, scope_no, i)
             JOIN scope_heads h USING (home, scope_no)",
        )
        .await?;
    let (home, scope_no): (Vec<String>, Vec<i16>) = scopes.iter().map(|scope| place(scope)).unzip();
    let mut heads = vec![0; scopes.len()];
    for row in &tx.query(&stmt, &[&home, &scope_no]).await? {
        if let Some(head) = heads.get_mut(place_of(row)?) {
            *head = get::<i64>(row, "version")?.unsigned_abs();
        }
    }
    Ok(heads)
}
