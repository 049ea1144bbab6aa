//! Replicated rows on SQLite: place of a scope, upsert with version and rev, pages by version, narrow tables.
//!
//! Invariant: versions of a scope have no gaps and a version is written by one transaction only, because the head is
//! bumped by [`open_version`] inside the writing transaction and there is one writer
//! (`versions_have_no_gaps_and_rows_come_once` in tests/hub/push.rs).

use parkdesk_domain::row::{Kind, Row, SCHEMA, Write};
use parkdesk_domain::{RowId, Scope, canonical};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::sql;
use crate::index::{self, Entry};
use crate::store::place::{NARROW, narrow_table, parse_id, place};
use crate::store::{Page, PageSize, Result};

/// The epoch of a scope that nothing was written to: that of the hub, so that what it held before a backup that did not
/// know it is never taken for what it holds now.
const NEW_EPOCH: &str = "SELECT COALESCE(MAX(epoch), 1) AS epoch FROM scope_heads";

/// Opens the next version of a scope in this transaction.
pub(super) fn open_version(tx: &Connection, scope: &Scope) -> Result<u64> {
    let (home, scope_no) = place(scope);
    let next: Option<i64> = tx
        .prepare_cached(
            "UPDATE scope_heads SET version = version + 1 WHERE home = :home AND scope_no = :scope_no
             RETURNING version",
        )
        .map_err(sql)?
        .query_row(named_params! {":home": home, ":scope_no": scope_no}, |row| row.get("version"))
        .optional()
        .map_err(sql)?;
    if let Some(version) = next {
        return Ok(version.unsigned_abs());
    }
    tx.prepare_cached(&format!(
        "INSERT INTO scope_heads (home, scope_no, scope, epoch, version)
         VALUES (:home, :scope_no, :scope, ({NEW_EPOCH}), 1)"
    ))
    .map_err(sql)?
    .execute(named_params! {":home": home, ":scope_no": scope_no, ":scope": scope.to_string()})
    .map_err(sql)?;
    Ok(1)
}

/// Writes one row at `version` of its scope, and its narrow tables.
pub(super) fn apply(tx: &Connection, write: &Write, version: u64) -> Result<()> {
    let (row, body, deleted) = match write {
        Write::Put { row, body } => (row, body.as_str(), false),
        Write::Delete { row } => (row, "", true),
    };
    let (home, scope_no) = place(&row.scope);
    // The rev counts writes in any scope, so that a move may arrive in any order.
    let rev: i64 = tx
        .prepare_cached("SELECT COALESCE(MAX(rev), 0) + 1 AS rev FROM sync_rows WHERE kind = :kind AND id = :id")
        .map_err(sql)?
        .query_row(named_params! {":kind": row.kind.as_str(), ":id": row.id.as_str()}, |r| r.get("rev"))
        .map_err(sql)?;
    tx.prepare_cached(
        "INSERT INTO sync_rows (home, scope_no, kind, id, version, rev, deleted, schema, hash, body)
         VALUES (:home, :scope_no, :kind, :id, :version, :rev, :deleted, :schema, :hash, :body)
         ON CONFLICT (home, scope_no, kind, id) DO UPDATE SET
             version = excluded.version, rev = excluded.rev, deleted = excluded.deleted,
             schema = excluded.schema, hash = excluded.hash, body = excluded.body",
    )
    .map_err(sql)?
    .execute(named_params! {
        ":home": home,
        ":scope_no": scope_no,
        ":kind": row.kind.as_str(),
        ":id": row.id.as_str(),
        ":version": version.cast_signed(),
        ":rev": rev,
        ":deleted": deleted,
        ":schema": SCHEMA,
        ":hash": canonical::hash(body),
        ":body": body,
    })
    .map_err(sql)?;
    let entries = if deleted { Vec::new() } else { index::entries(&row.kind, body) };
    reindex_row(tx, &At { home: &home, scope_no, kind: row.kind.as_str(), id: row.id.as_str() }, &entries)
}

/// The key of a row.
struct At<'a> {
    home: &'a str,
    scope_no: i16,
    kind: &'a str,
    id: &'a str,
}

fn reindex_row(tx: &Connection, at: &At<'_>, entries: &[Entry]) -> Result<()> {
    let Some(table) = narrow_table(&Kind::from(at.kind)) else { return Ok(()) };
    let by_row = "WHERE home = :home AND scope_no = :scope_no AND kind = :kind AND id = :id";
    tx.prepare_cached(&format!("DELETE FROM {table} {by_row}"))
        .map_err(sql)?
        .execute(named_params! {":home": at.home, ":scope_no": at.scope_no, ":kind": at.kind, ":id": at.id})
        .map_err(sql)?;
    for entry in entries {
        insert_entry(tx, at, entry).map_err(sql)?;
    }
    Ok(())
}

fn insert_entry(tx: &Connection, at: &At<'_>, entry: &Entry) -> rusqlite::Result<usize> {
    let At { home, scope_no, kind, id } = at;
    match entry {
        Entry::Key { space, key } => tx
            .prepare_cached(
                "INSERT INTO keys (ns, home, scope_no, key, kind, id) VALUES (:ns, :home, :scope_no, :key, :kind, :id)",
            )?
            .execute(named_params! {
                ":ns": space.as_str(), ":home": home, ":scope_no": scope_no, ":key": key, ":kind": kind, ":id": id
            }),
        Entry::Blob { blob, size_bytes, person, device, is_withdrawn } => tx
            .prepare_cached(
                "INSERT INTO blob_refs (home, scope_no, kind, id, blob, size_bytes, person, device, is_withdrawn)
                 VALUES (:home, :scope_no, :kind, :id, :blob, :size_bytes, :person, :device, :is_withdrawn)",
            )?
            .execute(named_params! {
                ":home": home, ":scope_no": scope_no, ":kind": kind, ":id": id, ":blob": blob.as_str(),
                ":size_bytes": size_bytes.map(u64::cast_signed),
                ":person": person.as_str(),
                ":device": device.as_ref().map(parkdesk_domain::DeviceId::as_str),
                ":is_withdrawn": is_withdrawn,
            }),
        Entry::Grant { holder, role, park } => tx
            .prepare_cached(
                "INSERT INTO grants (home, scope_no, kind, id, holder, role, park)
                 VALUES (:home, :scope_no, :kind, :id, :holder, :role, :park)",
            )?
            .execute(named_params! {
                ":home": home, ":scope_no": scope_no, ":kind": kind, ":id": id,
                ":holder": holder.to_string(), ":role": role.as_str(), ":park": park.as_str()
            }),
        Entry::Subscription { scope } => tx
            .prepare_cached(
                "INSERT INTO subscriptions (home, scope_no, kind, id, scope)
                 VALUES (:home, :scope_no, :kind, :id, :scope)",
            )?
            .execute(named_params! {
                ":home": home, ":scope_no": scope_no, ":kind": kind, ":id": id, ":scope": scope.to_string()
            }),
        Entry::Device { name, enrolled_at_ms, revoked_at_ms } => tx
            .prepare_cached(
                "INSERT INTO devices (home, scope_no, kind, id, name, enrolled_at_ms, revoked_at_ms)
                 VALUES (:home, :scope_no, :kind, :id, :name, :enrolled_at_ms, :revoked_at_ms)",
            )?
            .execute(named_params! {
                ":home": home, ":scope_no": scope_no, ":kind": kind, ":id": id, ":name": name,
                ":enrolled_at_ms": enrolled_at_ms.0, ":revoked_at_ms": revoked_at_ms.map(|at| at.0)
            }),
    }
}

/// Empties all narrow tables and fills them from the live rows; answers how many rows were read.
pub(super) fn reindex(tx: &Connection) -> Result<u64> {
    for table in NARROW {
        tx.execute(&format!("DELETE FROM {table}"), []).map_err(sql)?;
    }
    let mut stmt = tx
        .prepare("SELECT home, scope_no, kind, id, body FROM sync_rows WHERE deleted = 0 ORDER BY home, scope_no")
        .map_err(sql)?;
    let mut rows = stmt.query([]).map_err(sql)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(sql)? {
        let (home, kind): (String, String) = (row.get("home").map_err(sql)?, row.get("kind").map_err(sql)?);
        let (id, body): (String, String) = (row.get("id").map_err(sql)?, row.get("body").map_err(sql)?);
        let at = At { home: &home, scope_no: row.get("scope_no").map_err(sql)?, kind: &kind, id: &id };
        for entry in index::entries(&Kind::from(kind.as_str()), &body) {
            insert_entry(tx, &at, &entry).map_err(sql)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Rows after version `from`; a page ends on a whole version and holds at least one if there is one.
pub(super) fn page(tx: &Connection, scope: &Scope, from: u64, size: PageSize) -> Result<Page> {
    let (home, scope_no) = place(scope);
    let head = tx
        .prepare_cached("SELECT epoch, version FROM scope_heads WHERE home = :home AND scope_no = :scope_no")
        .map_err(sql)?
        .query_row(named_params! {":home": home, ":scope_no": scope_no}, |row| {
            Ok((row.get::<_, i64>("epoch")?, row.get::<_, i64>("version")?))
        })
        .optional()
        .map_err(sql)?;
    let (epoch, head) = match head {
        Some(head) => head,
        // Nothing was written to it yet.
        None => (tx.query_row(NEW_EPOCH, [], |row| row.get("epoch")).map_err(sql)?, 0),
    };
    let mut page =
        Page { epoch: epoch.unsigned_abs(), head: head.unsigned_abs(), to: head.unsigned_abs(), rows: Vec::new() };
    let mut stmt = tx
        .prepare_cached(
            "SELECT kind, id, version, rev, deleted, schema, hash, body FROM sync_rows
             WHERE home = :home AND scope_no = :scope_no AND version > :from
             ORDER BY version, kind, id",
        )
        .map_err(sql)?;
    let mut found =
        stmt.query(named_params! {":home": home, ":scope_no": scope_no, ":from": from.cast_signed()}).map_err(sql)?;
    let mut bytes = 0;
    while let Some(line) = found.next().map_err(sql)? {
        let row = row_of(line)?;
        if let Some(last) = page.rows.last().map(|r: &Row| r.version)
            && row.version != last
            && (page.rows.len() >= size.rows || bytes >= size.bytes)
        {
            page.to = last;
            break;
        }
        bytes += row.body.len();
        page.rows.push(row);
    }
    Ok(page)
}

fn row_of(line: &rusqlite::Row<'_>) -> Result<Row> {
    let id: String = line.get("id").map_err(sql)?;
    Ok(Row {
        kind: Kind::from(line.get::<_, String>("kind").map_err(sql)?),
        id: parse_id(id)?,
        version: line.get::<_, i64>("version").map_err(sql)?.unsigned_abs(),
        rev: line.get::<_, i64>("rev").map_err(sql)?.unsigned_abs(),
        deleted: line.get("deleted").map_err(sql)?,
        schema: line.get("schema").map_err(sql)?,
        hash: line.get("hash").map_err(sql)?,
        body: line.get("body").map_err(sql)?,
    })
}

/// The live body of a row.
pub(super) fn find_body(tx: &Connection, scope: &Scope, kind: &Kind, id: &RowId) -> Result<Option<String>> {
    let (home, scope_no) = place(scope);
    tx.prepare_cached(
        "SELECT body FROM sync_rows
         WHERE home = :home AND scope_no = :scope_no AND kind = :kind AND id = :id AND deleted = 0",
    )
    .map_err(sql)?
    .query_row(
        named_params! {":home": home, ":scope_no": scope_no, ":kind": kind.as_str(), ":id": id.as_str()},
        |row| row.get("body"),
    )
    .optional()
    .map_err(sql)
}

/// Live rows of a kind in a scope, by id.
pub(super) fn list(tx: &Connection, scope: &Scope, kind: &Kind) -> Result<Vec<(RowId, String)>> {
    let (home, scope_no) = place(scope);
    let mut stmt = tx
        .prepare_cached(
            "SELECT id, body FROM sync_rows
             WHERE home = :home AND scope_no = :scope_no AND kind = :kind AND deleted = 0 ORDER BY id",
        )
        .map_err(sql)?;
    let mut found =
        stmt.query(named_params! {":home": home, ":scope_no": scope_no, ":kind": kind.as_str()}).map_err(sql)?;
    let mut list = Vec::new();
    while let Some(line) = found.next().map_err(sql)? {
        list.push((parse_id(line.get("id").map_err(sql)?)?, line.get("body").map_err(sql)?));
    }
    Ok(list)
}
