//! Blobs on PostgreSQL: who may do what with one, parts on the way, what is here.

use deadpool_postgres::{Client, GenericClient};
use parkdesk_domain::{BlobId, DeviceId, Millis};

use super::devices;
use super::error::{Stop, get};
use crate::store::access::{self, Ref};
use crate::store::{BlobAccess, Error, Missealed, Part, StoredBlob};

/// What the device may do with the blob, per home.
pub(super) async fn access(client: &Client, device: &DeviceId, blob: &BlobId) -> Result<Vec<BlobAccess>, Stop> {
    let story = devices::story(client, device).await?;
    let scopes = devices::subscriptions(client, device).await?;
    let stmt = client
        .prepare_cached(
            "SELECT home, scope_no, size_bytes, person, device, is_withdrawn FROM blob_refs WHERE blob = $1
             ORDER BY home, is_withdrawn, scope_no, kind, id",
        )
        .await?;
    let mut refs = Vec::new();
    for row in client.query(&stmt, &[&blob.as_str()]).await? {
        refs.push(Ref {
            home: get(&row, "home")?,
            scope_no: get(&row, "scope_no")?,
            size_bytes: get::<Option<i64>>(&row, "size_bytes")?.map(i64::unsigned_abs),
            person: get(&row, "person")?,
            device: get(&row, "device")?,
            is_withdrawn: get(&row, "is_withdrawn")?,
        });
    }
    let mut list = access::access(device, &story, scopes, refs);
    for access in &mut list {
        access.stored = find_stored(client, &access.home, blob).await?;
    }
    Ok(list)
}

async fn find_stored(client: &Client, home: &str, blob: &BlobId) -> Result<Option<StoredBlob>, Stop> {
    let stmt =
        client.prepare_cached("SELECT object, person, size_bytes FROM blobs WHERE home = $1 AND id = $2").await?;
    let found = client.query_opt(&stmt, &[&home, &blob.as_str()]).await?;
    found.as_ref().map(stored).transpose()
}

fn stored(row: &tokio_postgres::Row) -> Result<StoredBlob, Stop> {
    Ok(StoredBlob {
        object: get(row, "object")?,
        person: get(row, "person")?,
        size_bytes: get::<i64>(row, "size_bytes")?.unsigned_abs(),
    })
}

/// The device's parts of a blob, by number.
pub(super) async fn parts(client: &Client, device: &DeviceId, blob: &BlobId) -> Result<Vec<Part>, Stop> {
    let stmt = client
        .prepare_cached(
            "SELECT n, size_bytes, hash, person, object FROM blob_parts WHERE device = $1 AND blob = $2 ORDER BY n",
        )
        .await?;
    let mut list = Vec::new();
    for row in client.query(&stmt, &[&device.as_str(), &blob.as_str()]).await? {
        let n: i64 = get(&row, "n")?;
        list.push(Part {
            n: u32::try_from(n).map_err(|_| Error::Poison(format!("a part has the number {n}")))?,
            size_bytes: get::<i64>(&row, "size_bytes")?.unsigned_abs(),
            hash: get(&row, "hash")?,
            person: get(&row, "person")?,
            object: get(&row, "object")?,
        });
    }
    Ok(list)
}

/// Keeps a part; answers the object that it replaced.
pub(super) async fn put_part(
    client: &mut Client,
    device: &DeviceId,
    blob: &BlobId,
    part: &Part,
    now: Millis,
) -> Result<Option<String>, Stop> {
    let tx = client.transaction().await?;
    let n = i64::from(part.n);
    let old = tx
        .query_opt(
            "SELECT object FROM blob_parts WHERE device = $1 AND blob = $2 AND n = $3 FOR UPDATE",
            &[&device.as_str(), &blob.as_str(), &n],
        )
        .await?;
    let old: Option<String> = old.map(|row| get(&row, "object")).transpose()?;
    let stmt = tx
        .prepare_cached(
            "INSERT INTO blob_parts (device, blob, n, size_bytes, hash, person, object, at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (device, blob, n) DO UPDATE SET
                 size_bytes = excluded.size_bytes, hash = excluded.hash, person = excluded.person,
                 object = excluded.object, at_ms = excluded.at_ms",
        )
        .await?;
    let size = part.size_bytes.cast_signed();
    tx.execute(&stmt, &[&device.as_str(), &blob.as_str(), &n, &size, &part.hash, &part.person, &part.object, &now.0])
        .await?;
    tx.commit().await?;
    Ok(old)
}

/// Forgets the device's parts of a blob; answers their objects.
pub(super) async fn drop_parts(client: &Client, device: &DeviceId, blob: &BlobId) -> Result<Vec<String>, Stop> {
    let stmt = client.prepare_cached("DELETE FROM blob_parts WHERE device = $1 AND blob = $2 RETURNING object").await?;
    let found = client.query(&stmt, &[&device.as_str(), &blob.as_str()]).await?;
    found.iter().map(|row| get(row, "object")).collect()
}

/// Forgets parts older than `before`; answers their objects.
pub(super) async fn drop_old_parts(client: &Client, before: Millis) -> Result<Vec<String>, Stop> {
    let found = client.query("DELETE FROM blob_parts WHERE at_ms < $1 RETURNING object", &[&before.0]).await?;
    found.iter().map(|row| get(row, "object")).collect()
}

/// Blobs that no row needs under the key they are sealed with, by home and id.
pub(super) async fn missealed(
    client: &Client,
    after: Option<&(String, BlobId)>,
    limit: u32,
) -> Result<Vec<Missealed>, Stop> {
    // No home is empty.
    let (home, id) = after.map_or(("", ""), |(home, id)| (home.as_str(), id.as_str()));
    let found = client
        .query(
            "SELECT b.home, b.id, b.object, b.person, b.size_bytes, b.home || '/' || min(r.person) AS wanted
             FROM blobs b JOIN blob_refs r ON r.home = b.home AND r.blob = b.id AND NOT r.is_withdrawn
             WHERE (b.home, b.id) > ($1, $2)
             GROUP BY b.home, b.id, b.object, b.person, b.size_bytes
             HAVING NOT bool_or(b.home || '/' || r.person = b.person)
             ORDER BY b.home, b.id LIMIT $3",
            &[&home, &id, &i64::from(limit)],
        )
        .await?;
    let missealed = |row: &tokio_postgres::Row| {
        let blob: &str = get(row, "id")?;
        Ok(Missealed {
            home: get(row, "home")?,
            blob: blob.parse().map_err(|e: parkdesk_domain::ids::BadId| Error::Poison(e.to_string()))?,
            stored: stored(row)?,
            person: get(row, "wanted")?,
        })
    };
    found.iter().map(missealed).collect()
}

/// Puts another object in the place of one that is as it was.
pub(super) async fn resealed(client: &Client, old: &Missealed, object: &str) -> Result<bool, Stop> {
    let changed = client
        .execute(
            "UPDATE blobs SET object = $1, person = $2 WHERE home = $3 AND id = $4 AND object = $5",
            &[&object, &old.person, &old.home, &old.blob.as_str(), &old.stored.object],
        )
        .await?;
    Ok(changed == 1)
}

/// Whether an object of the folder is in use.
pub(super) async fn is_object_used(client: &Client, object: &str) -> Result<bool, Stop> {
    let stmt = client
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM blobs WHERE object = $1)
                 OR EXISTS (SELECT 1 FROM blob_parts WHERE object = $1) AS used",
        )
        .await?;
    get(&client.query_one(&stmt, &[&object]).await?, "used")
}
