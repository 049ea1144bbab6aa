//! Devices on SQLite: tokens, one-time codes, enrolment, what a device reads.
//!
//! Tokens and codes are stored as hashes only; comparing hashes of 256-bit tokens and of whole codes leaks nothing by
//! its timing.

use std::collections::BTreeSet;

use parkdesk_domain::{Actor, DeviceId, Kind, Millis, Scope};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{rows, sql, tx::granted};
use crate::store::access;
use crate::store::enrolment::{Code, MAX_TOKENS, MAX_WRONG_TRIES, parse_device};
use crate::store::place::parse_id;
use crate::store::{Caller, DeviceView, Enrolment, Error, NewCode, Result};

pub(super) fn find_caller(tx: &Connection, token: [u8; 32]) -> Result<Option<(Caller, bool)>> {
    tx.prepare_cached(
        "SELECT t.device, t.used_at_ms IS NULL AS is_unused,
                EXISTS (SELECT 1 FROM devices d WHERE d.id = t.device AND d.revoked_at_ms IS NULL) AS is_live
         FROM tokens t WHERE t.hash = :hash",
    )
    .map_err(sql)?
    .query_row(named_params! {":hash": token}, |row| {
        Ok((row.get::<_, String>("device")?, row.get("is_unused")?, row.get::<_, bool>("is_live")?))
    })
    .optional()
    .map_err(sql)?
    .map(|(device, is_unused, is_live)| Ok((Caller { device: parse_device(&device)?, revoked: !is_live }, is_unused)))
    .transpose()
}

/// The device has this token: those of answers that never arrived end.
pub(super) fn confirm_token(tx: &Connection, token: [u8; 32], now: Millis) -> Result<()> {
    tx.execute(
        "UPDATE tokens SET used_at_ms = :now WHERE hash = :hash AND used_at_ms IS NULL",
        named_params! {":now": now.0, ":hash": token},
    )
    .map_err(sql)?;
    tx.execute(
        "DELETE FROM tokens WHERE hash <> :hash AND used_at_ms IS NULL
             AND device = (SELECT device FROM tokens WHERE hash = :hash)",
        named_params! {":hash": token},
    )
    .map_err(sql)?;
    Ok(())
}

pub(super) fn add_code(tx: &Connection, code: &NewCode, now: Millis) -> Result<bool> {
    let json = |e: serde_json::Error| Error::Poison(e.to_string());
    tx.execute("DELETE FROM enrolment_codes WHERE expires_at_ms < :now", named_params! {":now": now.0}).map_err(sql)?;
    let added = tx.execute(
        "INSERT INTO enrolment_codes (handle, hash, role, parks, scopes, expires_at_ms)
         VALUES (:handle, :hash, :role, :parks, :scopes, :expires_at_ms) ON CONFLICT (handle) DO NOTHING",
        named_params! {
            ":handle": code.handle,
            ":hash": code.hash,
            ":role": code.role.as_str(),
            ":parks": serde_json::to_string(&code.parks).map_err(json)?,
            ":scopes": serde_json::to_string(&code.scopes).map_err(json)?,
            ":expires_at_ms": code.expires_at.0,
        },
    );
    Ok(added.map_err(sql)? == 1)
}

pub(super) fn find_code(tx: &Connection, handle: &str, now: Millis) -> Result<Option<Code>> {
    tx.query_row(
        "SELECT hash, role, parks, scopes, request, device FROM enrolment_codes
         WHERE handle = :handle AND expires_at_ms > :now AND wrong_tries < :max",
        named_params! {":handle": handle, ":now": now.0, ":max": MAX_WRONG_TRIES},
        |row| {
            Ok(Code {
                hash: row.get("hash")?,
                role: row.get("role")?,
                parks: row.get("parks")?,
                scopes: row.get("scopes")?,
                request: row.get("request")?,
                device: row.get("device")?,
            })
        },
    )
    .optional()
    .map_err(sql)
}

pub(super) fn count_wrong_try(tx: &Connection, handle: &str) -> Result<()> {
    tx.execute(
        "UPDATE enrolment_codes SET wrong_tries = wrong_tries + 1 WHERE handle = :handle",
        named_params! {":handle": handle},
    )
    .map_err(sql)?;
    Ok(())
}

pub(super) fn use_code(tx: &Connection, attempt: &Enrolment) -> Result<()> {
    tx.execute(
        "UPDATE enrolment_codes SET request = :request, device = :device WHERE handle = :handle",
        named_params! {
            ":request": attempt.request.as_str(), ":device": attempt.device.as_str(), ":handle": attempt.handle
        },
    )
    .map_err(sql)?;
    Ok(())
}

pub(super) fn add_token(tx: &Connection, device: &DeviceId, attempt: &Enrolment, now: Millis) -> Result<bool> {
    let added = tx
        .execute(
            "INSERT INTO tokens (hash, device, made_at_ms)
             SELECT :hash, :device, :now
             WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE device = :device AND used_at_ms IS NOT NULL)
               AND (SELECT COUNT(*) FROM tokens WHERE device = :device) < :max",
            named_params! {":hash": attempt.token, ":device": device.as_str(), ":now": now.0, ":max": MAX_TOKENS},
        )
        .map_err(sql)?;
    Ok(added == 1)
}

pub(super) fn subscriptions(tx: &Connection, device: &DeviceId) -> Result<BTreeSet<Scope>> {
    let mut stmt = tx.prepare_cached("SELECT scope FROM subscriptions WHERE home = :home").map_err(sql)?;
    let mut found = stmt.query(named_params! {":home": Scope::Device(device.clone()).home()}).map_err(sql)?;
    let mut scopes = BTreeSet::new();
    while let Some(row) = found.next().map_err(sql)? {
        let text: String = row.get("scope").map_err(sql)?;
        // A scope of a newer hub is for a newer program to serve.
        scopes.extend(text.parse::<Scope>().ok());
    }
    Ok(scopes)
}

/// The device and what the same appliance was before.
pub(super) fn story(tx: &Connection, device: &DeviceId) -> Result<BTreeSet<DeviceId>> {
    let body = rows::find_body(tx, &Scope::Device(device.clone()), &Kind::Device, &device.as_row_id())?;
    access::story(device, body.as_deref())
}

pub(super) fn list(tx: &Connection) -> Result<Vec<DeviceView>> {
    let mut stmt = tx
        .prepare_cached("SELECT id, name, enrolled_at_ms, revoked_at_ms FROM devices ORDER BY name, id")
        .map_err(sql)?;
    let mut found = stmt.query([]).map_err(sql)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(sql)? {
        let id = parse_device(&row.get::<_, String>("id").map_err(sql)?)?;
        list.push(DeviceView {
            grants: granted(tx, &Actor::Device(id.clone()))?,
            id,
            name: row.get("name").map_err(sql)?,
            enrolled_at_ms: Millis(row.get("enrolled_at_ms").map_err(sql)?),
            revoked_at_ms: row.get::<_, Option<i64>>("revoked_at_ms").map_err(sql)?.map(Millis),
        });
    }
    Ok(list)
}

/// The id of this hub, made at the first start.
pub(super) fn hub_id(tx: &Connection) -> Result<Option<parkdesk_domain::RowId>> {
    tx.query_row("SELECT hub_id FROM hub", [], |row| row.get("hub_id"))
        .optional()
        .map_err(sql)?
        .map(parse_id)
        .transpose()
}
