//! Blobs on SQLite: who may do what with one, parts on the way, what is here.
//!
//! A blob is kept per home, and every right to it rests on a row: knowing a hash opens nothing. Parts are kept per
//! device, so that nobody can spoil another's upload.

use parkdesk_domain::{BlobId, DeviceId, Kind, Millis, RowId, Scope};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{devices, sql};
use crate::store::access::{self, Ref};
use crate::store::place::{parse_id, place};
use crate::store::{BlobAccess, Error, Missealed, Part, Result, StoredBlob};

/// What the device may do with the blob, per home.
pub(super) fn access(tx: &Connection, device: &DeviceId, blob: &BlobId) -> Result<Vec<BlobAccess>> {
    let story = devices::story(tx, device)?;
    let scopes = devices::subscriptions(tx, device)?;
    let mut list = access::access(device, &story, scopes, refs(tx, blob)?);
    for access in &mut list {
        access.stored = find_stored(tx, &access.home, blob)?;
    }
    Ok(list)
}

fn refs(tx: &Connection, blob: &BlobId) -> Result<Vec<Ref>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT home, scope_no, size_bytes, person, device, is_withdrawn FROM blob_refs WHERE blob = :blob
             ORDER BY home, is_withdrawn, scope_no, kind, id",
        )
        .map_err(sql)?;
    let found = stmt
        .query_map(named_params! {":blob": blob.as_str()}, |row| {
            Ok(Ref {
                home: row.get("home")?,
                scope_no: row.get("scope_no")?,
                size_bytes: row.get::<_, Option<i64>>("size_bytes")?.map(i64::unsigned_abs),
                person: row.get("person")?,
                device: row.get("device")?,
                is_withdrawn: row.get("is_withdrawn")?,
            })
        })
        .map_err(sql)?;
    found.collect::<rusqlite::Result<_>>().map_err(sql)
}

fn find_stored(tx: &Connection, home: &str, blob: &BlobId) -> Result<Option<StoredBlob>> {
    tx.prepare_cached("SELECT object, person, size_bytes FROM blobs WHERE home = :home AND id = :id")
        .map_err(sql)?
        .query_row(named_params! {":home": home, ":id": blob.as_str()}, |row| {
            Ok(StoredBlob {
                object: row.get("object")?,
                person: row.get("person")?,
                size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
            })
        })
        .optional()
        .map_err(sql)
}

pub(super) fn parts(tx: &Connection, device: &DeviceId, blob: &BlobId) -> Result<Vec<Part>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT n, size_bytes, hash, person, object FROM blob_parts WHERE device = :device AND blob = :blob
             ORDER BY n",
        )
        .map_err(sql)?;
    let found = stmt
        .query_map(named_params! {":device": device.as_str(), ":blob": blob.as_str()}, |row| {
            Ok(Part {
                n: row.get("n")?,
                size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
                hash: row.get("hash")?,
                person: row.get("person")?,
                object: row.get("object")?,
            })
        })
        .map_err(sql)?;
    found.collect::<rusqlite::Result<_>>().map_err(sql)
}

/// Keeps a part; answers the object that it replaced.
pub(super) fn put_part(
    tx: &Connection,
    device: &DeviceId,
    blob: &BlobId,
    part: &Part,
    now: Millis,
) -> Result<Option<String>> {
    let old = parts(tx, device, blob)?.into_iter().find(|p| p.n == part.n).map(|p| p.object);
    tx.prepare_cached(
        "INSERT INTO blob_parts (device, blob, n, size_bytes, hash, person, object, at_ms)
         VALUES (:device, :blob, :n, :size_bytes, :hash, :person, :object, :at_ms)
         ON CONFLICT (device, blob, n) DO UPDATE SET
             size_bytes = excluded.size_bytes, hash = excluded.hash, person = excluded.person,
             object = excluded.object, at_ms = excluded.at_ms",
    )
    .map_err(sql)?
    .execute(named_params! {
        ":device": device.as_str(),
        ":blob": blob.as_str(),
        ":n": part.n,
        ":size_bytes": part.size_bytes.cast_signed(),
        ":hash": part.hash,
        ":person": part.person,
        ":object": part.object,
        ":at_ms": now.0,
    })
    .map_err(sql)?;
    Ok(old)
}

pub(super) fn drop_parts(tx: &Connection, device: &DeviceId, blob: &BlobId) -> Result<Vec<String>> {
    let mut stmt = tx
        .prepare_cached("DELETE FROM blob_parts WHERE device = :device AND blob = :blob RETURNING object")
        .map_err(sql)?;
    let found = stmt
        .query_map(named_params! {":device": device.as_str(), ":blob": blob.as_str()}, |row| row.get("object"))
        .map_err(sql)?;
    found.collect::<rusqlite::Result<_>>().map_err(sql)
}

pub(super) fn drop_old_parts(tx: &Connection, before: Millis) -> Result<Vec<String>> {
    let mut stmt = tx.prepare_cached("DELETE FROM blob_parts WHERE at_ms < :before RETURNING object").map_err(sql)?;
    let found = stmt.query_map(named_params! {":before": before.0}, |row| row.get("object")).map_err(sql)?;
    found.collect::<rusqlite::Result<_>>().map_err(sql)
}

/// Keeps that the bytes are here, if a row waits for them.
pub(super) fn add(tx: &Connection, home: &str, blob: &BlobId, stored: &StoredBlob, now: Millis) -> Result<bool> {
    let added = tx
        .execute(
            "INSERT INTO blobs (home, id, size_bytes, object, person, stored_at_ms)
             SELECT :home, :id, :size_bytes, :object, :person, :stored_at_ms
             WHERE EXISTS (SELECT 1 FROM blob_refs WHERE home = :home AND blob = :id AND is_withdrawn = 0)
             ON CONFLICT (home, id) DO NOTHING",
            named_params! {
                ":home": home,
                ":id": blob.as_str(),
                ":size_bytes": stored.size_bytes.cast_signed(),
                ":object": stored.object,
                ":person": stored.person,
                ":stored_at_ms": now.0,
            },
        )
        .map_err(sql)?;
    Ok(added == 1)
}

/// Forgets bytes that no row of the home refers to any more but such as let them go; their object is swept by its age.
pub(super) fn let_go(tx: &Connection, home: &str, blob: &BlobId) -> Result<()> {
    tx.prepare_cached(
        "DELETE FROM blobs WHERE home = :home AND id = :id
             AND NOT EXISTS (SELECT 1 FROM blob_refs WHERE home = :home AND blob = :id AND is_withdrawn = 0)",
    )
    .map_err(sql)?
    .execute(named_params! {":home": home, ":id": blob.as_str()})
    .map_err(sql)?;
    Ok(())
}

/// Blobs that no row needs under the key they are sealed with.
pub(super) fn missealed(tx: &Connection, after: Option<&(String, BlobId)>, limit: u32) -> Result<Vec<Missealed>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT b.home, b.id, b.object, b.person, b.size_bytes, b.home || '/' || MIN(r.person) AS wanted
             FROM blobs b JOIN blob_refs r ON r.home = b.home AND r.blob = b.id AND r.is_withdrawn = 0
             WHERE (b.home, b.id) > (:home, :id)
             GROUP BY b.home, b.id
             HAVING SUM(b.home || '/' || r.person = b.person) = 0
             ORDER BY b.home, b.id
             LIMIT :limit",
        )
        .map_err(sql)?;
    // No home is empty.
    let (home, id) = after.map_or(("", ""), |(home, id)| (home.as_str(), id.as_str()));
    let mut found = stmt.query(named_params! {":home": home, ":id": id, ":limit": limit}).map_err(sql)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(sql)? {
        let blob: String = row.get("id").map_err(sql)?;
        list.push(Missealed {
            home: row.get("home").map_err(sql)?,
            blob: blob.parse().map_err(|e: parkdesk_domain::ids::BadId| Error::Poison(e.to_string()))?,
            stored: StoredBlob {
                object: row.get("object").map_err(sql)?,
                person: row.get("person").map_err(sql)?,
                size_bytes: row.get::<_, i64>("size_bytes").map_err(sql)?.unsigned_abs(),
            },
            person: row.get("wanted").map_err(sql)?,
        });
    }
    Ok(list)
}

/// Puts another object in the place of one that is as it was.
pub(super) fn resealed(tx: &Connection, old: &Missealed, object: &str) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE blobs SET object = :object, person = :person
             WHERE home = :home AND id = :id AND object = :old",
        )
        .map_err(sql)?
        .execute(named_params! {
            ":object": object, ":person": old.person, ":home": old.home, ":id": old.blob.as_str(),
            ":old": old.stored.object
        })
        .map_err(sql)?;
    Ok(changed == 1)
}

/// A driver's photos that were not taken back, by id.
pub(super) fn photos_of(tx: &Connection, scope: &Scope, driver: &str) -> Result<Vec<RowId>> {
    let (home, scope_no) = place(scope);
    let mut stmt = tx
        .prepare_cached(
            "SELECT DISTINCT id FROM blob_refs
             WHERE home = :home AND scope_no = :scope_no AND person = :person AND kind = 'photo' AND is_withdrawn = 0
             ORDER BY id",
        )
        .map_err(sql)?;
    let found = stmt
        .query_map(named_params! {":home": home, ":scope_no": scope_no, ":person": driver}, |row| row.get("id"))
        .map_err(sql)?;
    found.collect::<rusqlite::Result<Vec<String>>>().map_err(sql)?.into_iter().map(parse_id).collect()
}

pub(super) fn waiting_photos(tx: &Connection, home: &str, blob: &BlobId) -> Result<Vec<(RowId, String)>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT r.id, r.body FROM blob_refs b JOIN sync_rows r USING (home, scope_no, kind, id)
             WHERE b.blob = :blob AND b.home = :home AND b.kind = :kind AND b.is_withdrawn = 0 ORDER BY r.id",
        )
        .map_err(sql)?;
    let mut found = stmt
        .query(named_params! {":blob": blob.as_str(), ":home": home, ":kind": Kind::Photo.as_str()})
        .map_err(sql)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(sql)? {
        list.push((parse_id(row.get("id").map_err(sql)?)?, row.get("body").map_err(sql)?));
    }
    Ok(list)
}

pub(super) fn is_object_used(tx: &Connection, object: &str) -> Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM blobs WHERE object = :object)
             OR EXISTS (SELECT 1 FROM blob_parts WHERE object = :object) AS used",
    )
    .map_err(sql)?
    .query_row(named_params! {":object": object}, |row| row.get("used"))
    .map_err(sql)
}
