//! Reading rows on PostgreSQL: pages by version, lists, figures; and filling the narrow tables anew.

use std::collections::BTreeMap;

use deadpool_postgres::{Client, GenericClient, Transaction};
use parkdesk_domain::row::Row;
use parkdesk_domain::wire::Limits;
use parkdesk_domain::{Kind, Millis, RowId, Scope};

use super::error::{Stop, get};
use super::load::At;
use super::narrow;
use crate::index;
use crate::store::place::{NARROW, parse_id, place};
use crate::store::{Page, PageSize, Stats};

/// Rows read at a time when the narrow tables are filled anew.
const REINDEX: i64 = 2000;

/// Rows after version `from`; a page ends on a whole version and holds at least one if there is one.
pub(super) async fn page(client: &Client, scope: &Scope, from: u64, size: PageSize) -> Result<Page, Stop> {
    let (home, scope_no) = place(scope);
    let stmt =
        client.prepare_cached("SELECT epoch, version FROM scope_heads WHERE home = $1 AND scope_no = $2").await?;
    let number = |row: &tokio_postgres::Row, name| Ok::<u64, Stop>(get::<i64>(row, name)?.unsigned_abs());
    let (epoch, head) = match client.query_opt(&stmt, &[&home, &scope_no]).await? {
        Some(row) => (number(&row, "epoch")?, number(&row, "version")?),
        // Nothing was written to it yet: it has the hub's epoch, so that what it held before a backup that did not know
        // it is never taken for what it holds now.
        None => {
            let newest = client.prepare_cached("SELECT COALESCE(max(epoch), 1) AS epoch FROM scope_heads").await?;
            (number(&client.query_one(&newest, &[]).await?, "epoch")?, 0)
        }
    };
    let mut page = Page { epoch, head, to: head, rows: Vec::new() };
    if from >= head {
        return Ok(page);
    }
    // Read after the head, so all up to it is there; what is above it comes with the next page.
    let stmt = client
        .prepare_cached(
            "SELECT kind, id, version, rev, deleted, schema, hash, body FROM sync_rows
             WHERE home = $1 AND scope_no = $2 AND version > $3 AND version <= $4
             ORDER BY version, kind, id LIMIT $5",
        )
        .await?;
    // Enough for the version in which the page is full.
    let mut most = size.rows.saturating_add(Limits::default().version_rows as usize + 1);
    loop {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let bounds = (from.cast_signed(), head.cast_signed());
        let found = client.query(&stmt, &[&home, &scope_no, &bounds.0, &bounds.1, &limit]).await?;
        let is_cut = found.len() >= most;
        let mut bytes = 0;
        for line in &found {
            let row = row_of(line)?;
            if let Some(last) = page.rows.last().map(|r: &Row| r.version)
                && row.version != last
                && (page.rows.len() >= size.rows || bytes >= size.bytes)
            {
                page.to = last;
                return Ok(page);
            }
            bytes += row.body.len();
            page.rows.push(row);
        }
        if !is_cut {
            return Ok(page);
        }
        // A version wider than any that is written today: its end was not seen.
        page.rows.clear();
        most = most.saturating_mul(2);
    }
}

fn row_of(line: &tokio_postgres::Row) -> Result<Row, Stop> {
    let schema: i32 = get(line, "schema")?;
    Ok(Row {
        kind: Kind::from(get::<String>(line, "kind")?),
        id: parse_id(get(line, "id")?)?,
        version: get::<i64>(line, "version")?.unsigned_abs(),
        rev: get::<i64>(line, "rev")?.unsigned_abs(),
        deleted: get(line, "deleted")?,
        schema: schema.unsigned_abs(),
        hash: get(line, "hash")?,
        body: get(line, "body")?,
    })
}

/// The live body of a row.
pub(super) async fn find_body(client: &Client, scope: &Scope, kind: &Kind, id: &RowId) -> Result<Option<String>, Stop> {
    let (home, scope_no) = place(scope);
    let stmt = client
        .prepare_cached(
            "SELECT body FROM sync_rows
             WHERE home = $1 AND scope_no = $2 AND kind = $3 AND id = $4 AND NOT deleted",
        )
        .await?;
    let found = client.query_opt(&stmt, &[&home, &scope_no, &kind.as_str(), &id.as_str()]).await?;
    found.map(|row| get(&row, "body")).transpose()
}

/// Live rows of a kind in a scope, by id.
pub(super) async fn list(client: &Client, scope: &Scope, kind: &Kind) -> Result<Vec<(RowId, String)>, Stop> {
    let (home, scope_no) = place(scope);
    let stmt = client
        .prepare_cached(
            "SELECT id, body FROM sync_rows
             WHERE home = $1 AND scope_no = $2 AND kind = $3 AND NOT deleted ORDER BY id",
        )
        .await?;
    let found = client.query(&stmt, &[&home, &scope_no, &kind.as_str()]).await?;
    found.iter().map(|row| Ok((parse_id(get(row, "id")?)?, get(row, "body")?))).collect()
}

/// Figures.
pub(super) async fn stats(client: &Client) -> Result<Stats, Stop> {
    let found = client.query("SELECT kind, count(*) AS n FROM sync_rows WHERE NOT deleted GROUP BY kind", &[]).await?;
    let mut rows = BTreeMap::new();
    for row in &found {
        rows.insert(get(row, "kind")?, get::<i64>(row, "n")?.unsigned_abs());
    }
    let one = client
        .query_one(
            "SELECT (SELECT count(*) FROM commands) AS commands,
                    (SELECT count(*) FROM devices WHERE revoked_at_ms IS NULL) AS devices,
                    (SELECT count(*) FROM blobs) AS blobs,
                    (SELECT COALESCE(sum(size_bytes), 0)::int8 FROM blobs) AS blob_bytes,
                    (SELECT count(*) FROM blob_parts) AS parts",
            &[],
        )
        .await?;
    let count = |name: &str| Ok::<u64, Stop>(get::<i64>(&one, name)?.unsigned_abs());
    Ok(Stats {
        rows,
        commands: count("commands")?,
        devices: count("devices")?,
        blobs: count("blobs")?,
        blob_bytes: count("blob_bytes")?,
        parts: count("parts")?,
    })
}

/// Empties all narrow tables and fills them from the live rows; answers how many rows were read. Nobody writes meanwhile.
pub(super) async fn reindex(tx: &Transaction<'_>) -> Result<u64, Stop> {
    tx.batch_execute("SET LOCAL statement_timeout = 0; LOCK TABLE scope_heads IN EXCLUSIVE MODE").await?;
    for table in NARROW {
        tx.batch_execute(&format!("DELETE FROM {table}")).await?;
    }
    let mut after = At { home: String::new(), scope_no: 0, kind: String::new(), id: String::new() };
    let mut count = 0;
    loop {
        let found = tx
            .query(
                "SELECT home, scope_no, kind, id, body FROM sync_rows
                 WHERE (home, scope_no, kind, id) > ($1, $2, $3, $4) AND NOT deleted
                 ORDER BY home, scope_no, kind, id LIMIT $5",
                &[&after.home, &after.scope_no, &after.kind, &after.id, &REINDEX],
            )
            .await?;
        let mut said = Vec::new();
        for row in &found {
            let kind: String = get(row, "kind")?;
            let at = At { home: get(row, "home")?, scope_no: get(row, "scope_no")?, kind, id: get(row, "id")? };
            let entries = index::entries(&Kind::from(at.kind.as_str()), get(row, "body")?);
            said.extend(entries.into_iter().map(|entry| (at.clone(), entry)));
            after = at;
            count += 1;
        }
        narrow::fill(tx, &said).await?;
        if found.is_empty() {
            return Ok(count);
        }
    }
}

/// Begins a new epoch in every scope.
pub(super) async fn begin_epoch(tx: &Transaction<'_>, now: Millis) -> Result<u64, Stop> {
    tx.batch_execute("SET LOCAL statement_timeout = 0; LOCK TABLE scope_heads IN EXCLUSIVE MODE").await?;
    let sql = "UPDATE scope_heads SET epoch = greatest($1, (SELECT max(epoch) FROM scope_heads) + 1)";
    let changed = tx.execute(sql, &[&now.0.div_euclid(1000)]).await?;
    tx.execute(
        "INSERT INTO scope_epochs (home, scope_no, epoch, began_at)
         SELECT home, scope_no, epoch, version FROM scope_heads ON CONFLICT DO NOTHING",
        &[],
    )
    .await?;
    Ok(changed)
}
