//! Devices on PostgreSQL: tokens, one-time codes, what a device reads. Tokens and codes are kept as hashes only.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{Client, GenericClient};
use parkdesk_domain::rights::{Granted, Role};
use parkdesk_domain::{DeviceId, Kind, Millis, Scope};

use super::error::{Stop, get};
use super::rows;
use super::staging::Staging;
use crate::store::enrolment::{Code, Codes, MAX_TOKENS, MAX_WRONG_TRIES, parse_device};
use crate::store::place::parse_id;
use crate::store::{Caller, DeviceView, Enrolment, Error, NewCode, access};

/// The device with this token, and whether the token is used for the first time.
pub(super) async fn find_caller(client: &Client, token: [u8; 32]) -> Result<Option<(Caller, bool)>, Stop> {
    let stmt = client
        .prepare_cached(
            "SELECT t.device, t.used_at_ms IS NULL AS is_unused,
                    EXISTS (SELECT 1 FROM devices d WHERE d.home = 'device/' || t.device AND d.id = t.device
                                AND d.revoked_at_ms IS NULL) AS is_live
             FROM tokens t WHERE t.hash = $1",
        )
        .await?;
    let Some(row) = client.query_opt(&stmt, &[&token.as_slice()]).await? else { return Ok(None) };
    let is_live: bool = get(&row, "is_live")?;
    let caller = Caller { device: parse_device(get(&row, "device")?)?, revoked: !is_live };
    Ok(Some((caller, get(&row, "is_unused")?)))
}

/// The device has this token: those of answers that never arrived end.
pub(super) async fn confirm_token(client: &mut Client, token: [u8; 32], now: Millis) -> Result<(), Stop> {
    let tx = client.transaction().await?;
    tx.execute(
        "UPDATE tokens SET used_at_ms = $1 WHERE hash = $2 AND used_at_ms IS NULL",
        &[&now.0, &token.as_slice()],
    )
    .await?;
    tx.execute(
        "DELETE FROM tokens WHERE hash <> $1 AND used_at_ms IS NULL
             AND device = (SELECT device FROM tokens WHERE hash = $1)",
        &[&token.as_slice()],
    )
    .await?;
    Ok(tx.commit().await?)
}

/// Keeps a one-time code; `false` if another one has its handle.
pub(super) async fn add_code(client: &mut Client, code: &NewCode, now: Millis) -> Result<bool, Stop> {
    let json = |e: serde_json::Error| Error::Poison(e.to_string());
    let parks = serde_json::to_string(&code.parks).map_err(json)?;
    let scopes = serde_json::to_string(&code.scopes).map_err(json)?;
    let tx = client.transaction().await?;
    tx.execute("DELETE FROM enrolment_codes WHERE expires_at_ms < $1", &[&now.0]).await?;
    let added = tx.execute(
        "INSERT INTO enrolment_codes (handle, hash, role, parks, scopes, expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
        &[
            &code.handle,
            &code.hash.as_slice(),
            &code.role.as_str(),
            &parks,
            &scopes,
            &code.expires_at.0,
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(added == 1)
}

impl Codes for Staging<'_> {
    async fn find_code(&mut self, handle: &str, now: Millis) -> Result<Option<Code>, Stop> {
        let found = self
            .tx
            .query_opt(
                "SELECT hash, role, parks, scopes, request, device FROM enrolment_codes
                 WHERE handle = $1 AND expires_at_ms > $2 AND wrong_tries < $3 FOR UPDATE",
                &[&handle, &now.0, &MAX_WRONG_TRIES],
            )
            .await?;
        let Some(row) = found else { return Ok(None) };
        let hash: &[u8] = get(&row, "hash")?;
        Ok(Some(Code {
            hash: hash.try_into().map_err(|_| Error::Poison("a hash has no 32 bytes".into()))?,
            role: get(&row, "role")?,
            parks: get(&row, "parks")?,
            scopes: get(&row, "scopes")?,
            request: get(&row, "request")?,
            device: get(&row, "device")?,
        }))
    }

    async fn count_wrong_try(&mut self, handle: &str) -> Result<(), Stop> {
        let count = "UPDATE enrolment_codes SET wrong_tries = wrong_tries + 1 WHERE handle = $1";
        self.tx.execute(count, &[&handle]).await?;
        Ok(())
    }

    async fn use_code(&mut self, attempt: &Enrolment) -> Result<(), Stop> {
        let used = "UPDATE enrolment_codes SET request = $1, device = $2 WHERE handle = $3";
        self.tx.execute(used, &[&attempt.request.as_str(), &attempt.device.as_str(), &attempt.handle]).await?;
        Ok(())
    }

    async fn add_token(&mut self, device: &DeviceId, attempt: &Enrolment, now: Millis) -> Result<bool, Stop> {
        let added = self
            .tx
            .execute(
                "INSERT INTO tokens (hash, device, made_at_ms)
                 SELECT $1::bytea, $2::text, $3::int8
                 WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE device = $2 AND used_at_ms IS NOT NULL)
                   AND (SELECT count(*) FROM tokens WHERE device = $2) < $4",
                &[&attempt.token.as_slice(), &device.as_str(), &now.0, &MAX_TOKENS],
            )
            .await?;
        Ok(added == 1)
    }
}

/// What a device reads besides its own scope.
pub(super) async fn subscriptions(client: &Client, device: &DeviceId) -> Result<BTreeSet<Scope>, Stop> {
    let stmt = client.prepare_cached("SELECT scope FROM subscriptions WHERE home = $1").await?;
    let found = client.query(&stmt, &[&Scope::Device(device.clone()).home()]).await?;
    let mut scopes = BTreeSet::new();
    for row in &found {
        // A scope of a newer hub is for a newer program to serve.
        scopes.extend(get::<&str>(row, "scope")?.parse::<Scope>().ok());
    }
    Ok(scopes)
}

/// The device and what the same appliance was before.
pub(super) async fn story(client: &Client, device: &DeviceId) -> Result<BTreeSet<DeviceId>, Stop> {
    let own = Scope::Device(device.clone());
    let body = rows::find_body(client, &own, &Kind::Device, &device.as_row_id()).await?;
    Ok(access::story(device, body.as_deref())?)
}

/// All devices, by name.
pub(super) async fn list(client: &Client) -> Result<Vec<DeviceView>, Stop> {
    let mut grants: BTreeMap<String, Vec<Granted>> = BTreeMap::new();
    let found = client
        .query("SELECT holder, role, park FROM grants WHERE holder LIKE 'device/%' ORDER BY holder, park, role", &[])
        .await?;
    for row in &found {
        let granted = Granted { role: Role::from(get::<String>(row, "role")?), park: parse_id(get(row, "park")?)? };
        grants.entry(get(row, "holder")?).or_default().push(granted);
    }
    let found =
        client.query("SELECT id, name, enrolled_at_ms, revoked_at_ms FROM devices ORDER BY name, id", &[]).await?;
    let mut list = Vec::new();
    for row in &found {
        let id = parse_device(get(row, "id")?)?;
        let revoked_at_ms = get::<Option<i64>>(row, "revoked_at_ms")?.map(Millis);
        // A revoked device may do nothing, whatever it was granted.
        let held = grants.remove(&format!("device/{id}")).filter(|_| revoked_at_ms.is_none());
        list.push(DeviceView {
            grants: held.unwrap_or_default(),
            id,
            name: get(row, "name")?,
            enrolled_at_ms: Millis(get(row, "enrolled_at_ms")?),
            revoked_at_ms,
        });
    }
    Ok(list)
}
