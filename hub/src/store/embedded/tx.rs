//! What the writing transaction asks of SQLite.
//!
//! Guards and `WHERE version = <version read>` have nothing to do here: one writer, and facts are read inside the
//! writing transaction. Nothing waits, so the futures are done when they are first asked.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::facts::{Answer, Question, Space};
use parkdesk_domain::rights::{Granted, Role};
use parkdesk_domain::row::Write;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{Actor, BlobId, CommandId, DeviceId, Millis, RowId, Scope};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{blobs, devices, rows, sql};
use crate::judging::{Earlier, Pushed};
use crate::store::enrolment::{Code, Codes};
use crate::store::place::{parse_id, place};
use crate::store::transaction::{Sender, Tx, verdict_row};
use crate::store::{Batch, Enrolment, Error, Result, StoredBlob};

/// An open transaction.
pub(super) struct Writing<'a>(pub(super) &'a Connection);

impl Tx for Writing<'_> {
    type Error = Error;

    async fn held_seqs(&mut self, batch: &Batch) -> Result<BTreeMap<u64, String>> {
        let mut stmt = self
            .0
            .prepare_cached("SELECT command FROM seqs WHERE device = :device AND epoch = :epoch AND seq = :seq")
            .map_err(sql)?;
        let mut held = BTreeMap::new();
        for seq in batch.commands.iter().map(|p| p.head.seq) {
            let params = named_params! {
                ":device": batch.device.as_str(), ":epoch": batch.epoch.cast_signed(), ":seq": seq.cast_signed()
            };
            if let Some(id) = stmt.query_row(params, |row| row.get("command")).optional().map_err(sql)? {
                held.insert(seq, id);
            }
        }
        Ok(held)
    }

    async fn raise_floor(&mut self, batch: &Batch) -> Result<()> {
        // Below the old floor nothing is left: those places are not looked at again.
        let old: i64 = self
            .0
            .prepare_cached("SELECT floor FROM device_heads WHERE device = :device AND epoch = :epoch")
            .map_err(sql)?
            .query_row(named_params! {":device": batch.device.as_str(), ":epoch": batch.epoch.cast_signed()}, |row| {
                row.get("floor")
            })
            .optional()
            .map_err(sql)?
            .unwrap_or(0);
        let raised = self
            .0
            .prepare_cached(
                "INSERT INTO device_heads (device, epoch, floor) VALUES (:device, :epoch, :floor)
                 ON CONFLICT (device, epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor",
            )
            .map_err(sql)?
            .execute(named_params! {
                ":device": batch.device.as_str(),
                ":epoch": batch.epoch.cast_signed(),
                ":floor": batch.floor.cast_signed(),
            })
            .map_err(sql)?;
        if raised == 0 {
            return Ok(());
        }
        let (home, scope_no) = place(&Scope::Device(batch.device.clone()));
        self.0
            .prepare_cached(
                "DELETE FROM sync_rows WHERE home = :home AND scope_no = :scope_no AND kind = 'verdict' AND id IN
                     (SELECT command FROM seqs
                      WHERE device = :device AND epoch = :epoch AND seq > :old AND seq <= :floor)",
            )
            .map_err(sql)?
            .execute(named_params! {
                ":home": home,
                ":scope_no": scope_no,
                ":device": batch.device.as_str(),
                ":epoch": batch.epoch.cast_signed(),
                ":old": old,
                ":floor": batch.floor.cast_signed(),
            })
            .map_err(sql)?;
        Ok(())
    }

    async fn guard(&mut self, _park: Option<&RowId>, _names: &BTreeSet<String>) -> Result<()> {
        Ok(())
    }

    async fn earlier(&mut self, id: &CommandId) -> Result<Option<Earlier>> {
        self.0
            .prepare_cached("SELECT device, sha256, verdict FROM commands WHERE id = :id")
            .map_err(sql)?
            .query_row(named_params! {":id": id.as_str()}, |row| {
                Ok((row.get::<_, Option<String>>("device")?, row.get("sha256")?, row.get::<_, String>("verdict")?))
            })
            .optional()
            .map_err(sql)?
            .map(|(device, sha256, verdict)| Earlier::read(device, sha256, &verdict).map_err(Error::Poison))
            .transpose()
    }

    async fn is_seen(&mut self, device: &DeviceId, epoch: u64, seq: u64) -> Result<bool> {
        self.0
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM seqs WHERE device = :device AND epoch = :epoch AND seq = :seq)
                     OR EXISTS (SELECT 1 FROM device_heads
                                WHERE device = :device AND epoch = :epoch AND floor >= :seq) AS seen",
            )
            .map_err(sql)?
            .query_row(
                named_params! {":device": device.as_str(), ":epoch": epoch.cast_signed(), ":seq": seq.cast_signed()},
                |row| row.get("seen"),
            )
            .map_err(sql)
    }

    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>> {
        questions.iter().map(|question| answer(self.0, question)).collect()
    }

    async fn granted(&mut self, holder: &Actor) -> Result<Vec<Granted>> {
        granted(self.0, holder)
    }

    async fn open_version(&mut self, scope: &Scope) -> Result<u64> {
        rows::open_version(self.0, scope)
    }

    async fn apply(&mut self, write: &Write, version: u64) -> Result<()> {
        rows::apply(self.0, write, version)
    }

    async fn keep_verdict(
        &mut self,
        sender: Sender<'_>,
        pushed: &Pushed,
        verdict: &Verdict,
        now: Millis,
    ) -> Result<()> {
        let text = serde_json::to_string(verdict).map_err(|e| Error::Poison(e.to_string()))?;
        self.0
            .prepare_cached(
                "INSERT INTO commands (id, device, sha256, verdict, at_ms)
                 VALUES (:id, :device, :sha256, :verdict, :at_ms)",
            )
            .map_err(sql)?
            .execute(named_params! {
                ":id": pushed.head.id.as_str(),
                ":device": sender.id().map(DeviceId::as_str),
                ":sha256": pushed.sha256,
                ":verdict": text,
                ":at_ms": now.0,
            })
            .map_err(sql)?;
        self.keep_seq(sender, pushed).await?;
        let Some(device) = sender.device else { return Ok(()) };
        let write = verdict_row(device, (pushed.head.seq, &pushed.head.id), verdict)?;
        let version = rows::open_version(self.0, &write.row().scope)?;
        rows::apply(self.0, &write, version)
    }

    async fn keep_seq(&mut self, sender: Sender<'_>, pushed: &Pushed) -> Result<()> {
        let Some((device, epoch)) = sender.device else { return Ok(()) };
        self.0
            .prepare_cached(
                "INSERT INTO seqs (device, epoch, seq, command) VALUES (:device, :epoch, :seq, :command)
                 ON CONFLICT DO NOTHING",
            )
            .map_err(sql)?
            .execute(named_params! {
                ":device": device.as_str(),
                ":epoch": epoch.cast_signed(),
                ":seq": pushed.head.seq.cast_signed(),
                ":command": pushed.head.id.as_str(),
            })
            .map_err(sql)?;
        Ok(())
    }

    async fn is_stored(&mut self, home: &str, blob: &BlobId) -> Result<bool> {
        self.0
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM blobs WHERE home = :home AND id = :id) AS stored")
            .map_err(sql)?
            .query_row(named_params! {":home": home, ":id": blob.as_str()}, |r| r.get("stored"))
            .map_err(sql)
    }

    async fn let_go(&mut self, home: &str, blob: &BlobId) -> Result<()> {
        blobs::let_go(self.0, home, blob)
    }

    async fn add_blob(&mut self, home: &str, blob: &BlobId, stored: &StoredBlob, now: Millis) -> Result<bool> {
        blobs::add(self.0, home, blob, stored, now)
    }

    async fn waiting_photos(&mut self, home: &str, blob: &BlobId) -> Result<Vec<(RowId, String)>> {
        blobs::waiting_photos(self.0, home, blob)
    }
}

impl Codes for Writing<'_> {
    async fn find_code(&mut self, handle: &str, now: Millis) -> Result<Option<Code>> {
        devices::find_code(self.0, handle, now)
    }

    async fn count_wrong_try(&mut self, handle: &str) -> Result<()> {
        devices::count_wrong_try(self.0, handle)
    }

    async fn use_code(&mut self, attempt: &Enrolment) -> Result<()> {
        devices::use_code(self.0, attempt)
    }

    async fn add_token(&mut self, device: &DeviceId, attempt: &Enrolment, now: Millis) -> Result<bool> {
        devices::add_token(self.0, device, attempt, now)
    }
}

fn answer(tx: &Connection, question: &Question) -> Result<Answer> {
    match question {
        Question::Row(row) => Ok(Answer::Row(rows::find_body(tx, &row.scope, &row.kind, &row.id)?)),
        Question::Key { scope, space: Space::PhotosOf, key } => Ok(Answer::Ids(blobs::photos_of(tx, scope, key)?)),
        Question::Key { scope, space, key } => {
            let (home, scope_no) = place(scope);
            let id: Option<String> = tx
                .prepare_cached(
                    "SELECT id FROM keys WHERE ns = :ns AND home = :home AND scope_no = :scope_no AND key = :key",
                )
                .map_err(sql)?
                .query_row(
                    named_params! {":ns": space.as_str(), ":home": home, ":scope_no": scope_no, ":key": key},
                    |row| row.get("id"),
                )
                .optional()
                .map_err(sql)?;
            Ok(Answer::Ids(id.map(parse_id).transpose()?.into_iter().collect()))
        }
        // Who may do what is put together by the transaction.
        Question::Rights(_) => Ok(Answer::Unknown),
    }
}

/// What a holder may do; nothing for a revoked device.
pub(super) fn granted(tx: &Connection, holder: &Actor) -> Result<Vec<Granted>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT g.role, g.park FROM grants g
             WHERE g.holder = :holder
               AND NOT EXISTS (SELECT 1 FROM devices d WHERE 'device/' || d.id = g.holder AND d.revoked_at_ms IS NOT NULL)
             ORDER BY g.park, g.role",
        )
        .map_err(sql)?;
    let mut found = stmt.query(named_params! {":holder": holder.to_string()}).map_err(sql)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(sql)? {
        let role = Role::from(row.get::<_, String>("role").map_err(sql)?);
        list.push(Granted { role, park: parse_id(row.get("park").map_err(sql)?)? });
    }
    Ok(list)
}
