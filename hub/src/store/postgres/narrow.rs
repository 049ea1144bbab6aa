//! The narrow tables: what was there of a row goes, what its new body says comes, in the row's own transaction.

use deadpool_postgres::Transaction;
use futures_util::future::try_join5;
use parkdesk_domain::DeviceId;

use super::error::Stop;
use super::flush::{Final, fills};
use super::load::{At, Columns};
use crate::index::Entry;

type Said<'a> = Vec<(&'a At, &'a Entry)>;

/// Brings all narrow tables in line with the rows.
pub(super) async fn write(tx: &Transaction<'_>, finals: &[Final]) -> Result<(), Stop> {
    let said: Said<'_> = finals.iter().flat_map(|f| f.row.entries.iter().map(move |entry| (&f.at, entry))).collect();
    let old = |table: &'static str| -> Vec<&At> {
        finals.iter().filter(|f| f.is_old() && fills(&f.at, table)).map(|f| &f.at).collect()
    };
    try_join5(
        async {
            delete(tx, "DELETE FROM keys t", &old("keys")).await?;
            insert_keys(tx, &said).await
        },
        async {
            delete(tx, "DELETE FROM blob_refs t", &old("blob_refs")).await?;
            insert_blob_refs(tx, &said).await
        },
        async {
            delete(tx, "DELETE FROM grants t", &old("grants")).await?;
            insert_grants(tx, &said).await
        },
        async {
            delete(tx, "DELETE FROM subscriptions t", &old("subscriptions")).await?;
            insert_subscriptions(tx, &said).await
        },
        async {
            delete(tx, "DELETE FROM devices t", &old("devices")).await?;
            insert_devices(tx, &said).await
        },
    )
    .await?;
    Ok(())
}

/// Fills the (empty) narrow tables with what these rows say.
pub(super) async fn fill(tx: &Transaction<'_>, said: &[(At, Entry)]) -> Result<(), Stop> {
    let said: Said<'_> = said.iter().map(|(at, entry)| (at, entry)).collect();
    insert_keys(tx, &said).await?;
    insert_blob_refs(tx, &said).await?;
    insert_grants(tx, &said).await?;
    insert_subscriptions(tx, &said).await?;
    insert_devices(tx, &said).await
}

async fn delete(tx: &Transaction<'_>, what: &str, rows: &[&At]) -> Result<(), Stop> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{what} USING unnest($1::text[], $2::int2[], $3::text[], $4::text[]) AS q (home, scope_no, kind, id)
         WHERE t.home = q.home AND t.scope_no = q.scope_no AND t.kind = q.kind AND t.id = q.id"
    );
    let stmt = tx.prepare_cached(&text).await?;
    let c: Columns<'_> = rows.iter().copied().collect();
    tx.execute(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id]).await?;
    Ok(())
}

async fn insert_keys(tx: &Transaction<'_>, said: &Said<'_>) -> Result<(), Stop> {
    let mut at = Vec::new();
    let (mut space, mut keys) = (Vec::new(), Vec::new());
    for (row, entry) in said {
        if let Entry::Key { space: ns, key } = entry {
            at.push(*row);
            space.push(ns.as_str());
            keys.push(key.as_str());
        }
    }
    if at.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO keys (home, scope_no, kind, id, ns, key)
             SELECT * FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::text[], $6::text[])",
        )
        .await?;
    let c: Columns<'_> = at.into_iter().collect();
    tx.execute(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id, &space, &keys]).await?;
    Ok(())
}

async fn insert_blob_refs(tx: &Transaction<'_>, said: &Said<'_>) -> Result<(), Stop> {
    let mut at = Vec::new();
    let (mut blobs, mut sizes, mut people) = (Vec::new(), Vec::new(), Vec::new());
    let (mut devices, mut withdrawn) = (Vec::new(), Vec::new());
    for (row, entry) in said {
        if let Entry::Blob { blob, size_bytes, person, device, is_withdrawn } = entry {
            at.push(*row);
            blobs.push(blob.as_str());
            sizes.push(size_bytes.map(u64::cast_signed));
            people.push(person.as_str());
            devices.push(device.as_ref().map(DeviceId::as_str));
            withdrawn.push(*is_withdrawn);
        }
    }
    if at.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO blob_refs (home, scope_no, kind, id, blob, size_bytes, person, device, is_withdrawn)
             SELECT * FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::text[], $6::int8[],
                                  $7::text[], $8::text[], $9::bool[])",
        )
        .await?;
    let c: Columns<'_> = at.into_iter().collect();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&c.home, &c.scope_no, &c.kind, &c.id, &blobs, &sizes, &people, &devices, &withdrawn];
    tx.execute(&stmt, &params).await?;
    Ok(())
}

async fn insert_grants(tx: &Transaction<'_>, said: &Said<'_>) -> Result<(), Stop> {
    let mut at = Vec::new();
    let (mut holders, mut roles, mut parks) = (Vec::new(), Vec::new(), Vec::new());
    for (row, entry) in said {
        if let Entry::Grant { holder, role, park } = entry {
            at.push(*row);
            holders.push(holder.to_string());
            roles.push(role.as_str());
            parks.push(park.as_str());
        }
    }
    if at.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO grants (home, scope_no, kind, id, holder, role, park)
             SELECT * FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])",
        )
        .await?;
    let c: Columns<'_> = at.into_iter().collect();
    tx.execute(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id, &holders, &roles, &parks]).await?;
    Ok(())
}

async fn insert_subscriptions(tx: &Transaction<'_>, said: &Said<'_>) -> Result<(), Stop> {
    let mut at = Vec::new();
    let mut scopes = Vec::new();
    for (row, entry) in said {
        if let Entry::Subscription { scope } = entry {
            at.push(*row);
            scopes.push(scope.to_string());
        }
    }
    if at.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO subscriptions (home, scope_no, kind, id, scope)
             SELECT * FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::text[])",
        )
        .await?;
    let c: Columns<'_> = at.into_iter().collect();
    tx.execute(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id, &scopes]).await?;
    Ok(())
}

async fn insert_devices(tx: &Transaction<'_>, said: &Said<'_>) -> Result<(), Stop> {
    let mut at = Vec::new();
    let (mut names, mut enrolled, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
    for (row, entry) in said {
        if let Entry::Device { name, enrolled_at_ms, revoked_at_ms } = entry {
            at.push(*row);
            names.push(name.as_str());
            enrolled.push(enrolled_at_ms.0);
            revoked.push(revoked_at_ms.map(|at| at.0));
        }
    }
    if at.is_empty() {
        return Ok(());
    }
    let stmt = tx
        .prepare_cached(
            "INSERT INTO devices (home, scope_no, kind, id, name, enrolled_at_ms, revoked_at_ms)
             SELECT * FROM unnest($1::text[], $2::int2[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[])",
        )
        .await?;
    let c: Columns<'_> = at.into_iter().collect();
    tx.execute(&stmt, &[&c.home, &c.scope_no, &c.kind, &c.id, &names, &enrolled, &revoked]).await?;
    Ok(())
}
