//! The queue of commands. A command's bytes are stored once and sent as they are; a command leaves the queue when the
//! hub's rows here hold its effect, or into needs-attention when it was refused (see [`crate::verdict`]).
//!
//! Nothing blocks anything else: a deferred command waits alone, and people's commands are sent before the device's.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::command::{Actor, Command, Envelope};
use parkdesk_domain::ids::{CommandId, Millis};
use parkdesk_domain::plan::Outcome;
use parkdesk_domain::refusal::{FieldConflict, Refusal};
use parkdesk_domain::row::{SCHEMA, Write};
use parkdesk_domain::wire::Verdict;
use serde::Serialize;

use crate::change::ChangeTag;
use crate::error::{Error, Result, from_json, parse};
use crate::rebase::Touch;
use crate::tx::{ReadTx, WriteTx};

/// Bytes of a command that the hub takes.
const MAX_BYTES: usize = 64 << 10;

/// A command as a person or the device wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id: submitted twice, it is one command.
    pub id: CommandId,
    /// Who wants it.
    pub actor: Actor,
    /// The device's clock.
    pub now: Millis,
    /// What is wanted.
    pub command: Command,
}

/// What became of a draft at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Saved; people see its effect, the hub will judge it.
    Saved {
        /// Its place in the sequence.
        seq: u64,
        /// Fields not taken, as they changed meanwhile.
        conflicts: Vec<FieldConflict>,
    },
    /// The rules refuse it already here; nothing was saved.
    Refused(Box<Refusal>),
}

/// A command to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the sequence.
    pub seq: u64,
    /// Its id.
    pub id: CommandId,
    /// The envelope, as it was stored.
    pub bytes: Vec<u8>,
}

/// A command that waits to be judged, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub id: CommandId,
    /// Its kind.
    pub kind: String,
    /// Who wants it.
    pub actor: Actor,
    /// When it was recorded.
    pub at_ms: Millis,
    /// Whether it is on its way.
    pub is_sent: bool,
    /// What is wanted, if this program knows such commands.
    pub command: Option<Command>,
}

/// How much waits to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PendingSummary {
    /// Commands.
    pub count: u64,
    /// When the oldest was recorded.
    pub oldest_at_ms: Option<Millis>,
}

/// What may go out, in its order.
pub(crate) const DUE: &str = "SELECT seq, id, bytes FROM outbox INDEXED BY outbox_due
    WHERE (verdict IS NULL OR is_resent = 1) AND coalesce(deferred_until_ms, 0) <= ?1
    ORDER BY is_resent DESC, is_person DESC, seq LIMIT ?2";

impl ReadTx<'_> {
    /// How much waits to be judged.
    ///
    /// # Errors
    /// If the file fails.
    pub fn pending_summary(&self) -> Result<PendingSummary> {
        let sql = "SELECT count(*), min(recorded_at_ms) FROM outbox WHERE verdict IS NULL";
        let found = self.one(sql, [], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
        Ok(found.map(|(count, oldest)| PendingSummary { count, oldest_at_ms: oldest.map(Millis) }).unwrap_or_default())
    }

    /// The oldest commands that wait to be judged, for people.
    ///
    /// # Errors
    /// If the file fails.
    pub fn waiting(&self, limit: u32) -> Result<Vec<Waiting>> {
        let sql = "SELECT id, kind, actor, bytes, recorded_at_ms, sent_at_ms IS NOT NULL FROM outbox
                   WHERE verdict IS NULL ORDER BY seq LIMIT ?1";
        self.waiting_by(sql, limit)
    }

    fn waiting_by(&self, sql: &str, param: impl rusqlite::ToSql) -> Result<Vec<Waiting>> {
        let rows = self.all(sql, [param], |row| {
            let (id, kind, actor) = (row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?);
            Ok((id, kind, actor, row.get::<_, Vec<u8>>(3)?, row.get(4)?, row.get(5)?))
        })?;
        rows.into_iter()
            .map(|(id, kind, actor, bytes, at_ms, is_sent)| {
                let command = serde_json::from_slice::<Envelope>(&bytes).ok().map(|envelope| envelope.command);
                let (id, actor) = (parse("outbox", &id)?, parse("outbox", &actor)?);
                Ok(Waiting { id, kind, actor, at_ms: Millis(at_ms), is_sent, command })
            })
            .collect()
    }

    /// The oldest command that may go out at this time of the hub and is not judged.
    ///
    /// # Errors
    /// If the file fails.
    pub fn oldest_sendable(&self, now: Millis) -> Result<Option<Waiting>> {
        let sql = "SELECT id, kind, actor, bytes, recorded_at_ms, sent_at_ms IS NOT NULL FROM outbox
                   WHERE verdict IS NULL AND coalesce(deferred_until_ms, 0) <= ?1 ORDER BY seq LIMIT 1";
        Ok(self.waiting_by(sql, now.0)?.pop())
    }

    /// All unjudged commands in their order, for showing them.
    ///
    /// # Errors
    /// If the file fails.
    pub fn pending(&self, limit: u32) -> Result<Vec<Pending>> {
        let sql = "SELECT seq, id, bytes FROM outbox WHERE verdict IS NULL ORDER BY seq LIMIT ?1";
        self.all(sql, [limit], raw)?.into_iter().map(from_raw).collect()
    }

    /// The next commands to send, in the order of their sequence: people's before the device's, none whose time has not
    /// come, each together with what it rests on. Also those that the hub asked for again.
    ///
    /// # Errors
    /// If the file fails.
    pub fn outbox_batch(&self, max_commands: u32, max_bytes: u64, now: Millis) -> Result<Vec<Pending>> {
        let again = "SELECT seq, id, bytes FROM verdicts WHERE is_resent = 1 AND epoch = ?1 ORDER BY seq LIMIT ?2";
        let mut rows = self.all(again, (self.epoch()?, max_commands), raw)?;
        rows.extend(self.all(DUE, (now.0, max_commands), raw)?);
        let (mut batch, mut bytes) = (BTreeMap::new(), 0);
        for pending in rows {
            let pending = from_raw(pending)?;
            for one in self.with_dependencies(pending, now)? {
                bytes += one.bytes.len() as u64;
                batch.insert(one.seq, one);
            }
            if batch.len() >= usize::try_from(max_commands).unwrap_or(usize::MAX) || bytes >= max_bytes {
                break;
            }
        }
        // What rests on another comes after it; cutting the end never cuts that bond.
        let mut bytes = 0;
        let fits =
            batch.into_values().take(usize::try_from(max_commands).unwrap_or(usize::MAX)).take_while(|pending| {
                bytes += pending.bytes.len() as u64;
                bytes <= max_bytes || bytes == pending.bytes.len() as u64
            });
        Ok(fits.collect())
    }

    /// A command after those unjudged ones it rests on.
    fn with_dependencies(&self, pending: Pending, now: Millis) -> Result<Vec<Pending>> {
        let sql = "SELECT seq, id, bytes FROM outbox
                   WHERE seq = ?1 AND verdict IS NULL AND coalesce(deferred_until_ms, 0) <= ?2";
        let (mut found, mut open) = (BTreeMap::new(), vec![pending]);
        while let Some(one) = open.pop() {
            let envelope = Envelope::from_bytes(&one.bytes)
                .map_err(|cause| Error::Unreadable { what: "command", cause: cause.to_string() })?;
            for seq in envelope.after {
                if !found.contains_key(&seq)
                    && let Some(before) = self.one(sql, (seq, now.0), raw)?
                {
                    open.push(from_raw(before)?);
                }
            }
            found.insert(one.seq, one);
        }
        Ok(found.into_values().collect())
    }

    /// Verdicts up to this seq are safe here: the hub may forget them.
    ///
    /// # Errors
    /// If the file fails.
    pub fn push_floor(&self) -> Result<u64> {
        let sql = "SELECT coalesce((SELECT min(seq) FROM outbox WHERE verdict IS NULL), next_seq) - 1 FROM identity";
        Ok(self.one(sql, [], |row| row.get(0))?.unwrap_or(0))
    }
}

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u64, String, Vec<u8>)> {
    Ok((row.get("seq")?, row.get("id")?, row.get("bytes")?))
}

fn from_raw((seq, id, bytes): (u64, String, Vec<u8>)) -> Result<Pending> {
    Ok(Pending { seq, id: parse("command", &id)?, bytes })
}

impl WriteTx<'_> {
    /// Plans a draft over local facts, writes its rows, and queues its bytes.
    ///
    /// # Errors
    /// [`Error::Locked`] on a revoked device; if the file fails.
    pub fn submit(&mut self, draft: Draft) -> Result<Submitted> {
        if self.is_revoked()? {
            return Err(Error::Locked);
        }
        let known = "SELECT seq, verdict FROM outbox WHERE id = ?1
                     UNION ALL SELECT seq, verdict FROM verdicts WHERE id = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?));
        if let Some((seq, verdict)) = self.one(known, [draft.id.as_str()], read)? {
            return match verdict.map(|text| from_json("verdict", text)).transpose()? {
                Some(Verdict::Rejected { refusal }) => Ok(Submitted::Refused(refusal)),
                _ => Ok(Submitted::Saved { seq, conflicts: Vec::new() }),
            };
        }
        let seq: u64 = self.one("SELECT next_seq FROM identity", [], |row| row.get(0))?.unwrap_or(1);
        let mut envelope = Envelope {
            seq,
            id: draft.id,
            schema: SCHEMA,
            actor: draft.actor,
            after: Vec::new(),
            recorded_at_ms: draft.now,
            command: draft.command,
        };
        let planned = self.plan(&envelope)?;
        let (writes, conflicts) = match planned.outcome {
            Outcome::Accepted { writes, conflicts } => (writes, conflicts),
            Outcome::Refused(refusal) => return Ok(Submitted::Refused(Box::new(refusal))),
        };
        envelope.after = self.rests_on(&planned.asked, &writes)?;
        let Ok(bytes) = envelope.to_bytes() else {
            return Ok(Submitted::Refused(Box::new(Refusal::invalid("text"))));
        };
        // No hub would ever take it (protocol, "Commands").
        if bytes.len() > MAX_BYTES {
            return Ok(Submitted::Refused(Box::new(Refusal::invalid("args"))));
        }
        self.queue(&envelope, &bytes)?;
        self.apply_plan(seq, &planned.asked, &writes)?;
        Ok(Submitted::Saved { seq, conflicts })
    }

    /// The pending commands that wrote what this one reads or writes.
    fn rests_on(&self, asked: &[parkdesk_domain::facts::Question], writes: &[Write]) -> Result<Vec<u64>> {
        let mut touches: BTreeSet<Touch> = asked.iter().map(Touch::of_question).collect();
        touches.extend(writes.iter().map(|write| Touch::of_row(write.row())));
        let sql = "SELECT seq FROM pending_touch JOIN outbox USING (seq)
                   WHERE scope = ?1 AND pending_touch.kind = ?2 AND pending_touch.id = ?3 AND is_write = 1
                     AND verdict IS NULL";
        let mut seqs = BTreeSet::new();
        for touch in touches {
            seqs.extend(self.all(sql, (&touch.scope, &touch.kind, &touch.id), |row| row.get::<_, u64>(0))?);
        }
        Ok(seqs.into_iter().collect())
    }

    pub(crate) fn queue(&mut self, envelope: &Envelope, bytes: &[u8]) -> Result<()> {
        let sql = "INSERT INTO outbox (seq, id, epoch, kind, actor, bytes, recorded_at_ms)
                   VALUES (?1, ?2, (SELECT epoch FROM identity), ?3, ?4, ?5, ?6)";
        let (id, kind, actor) = (envelope.id.as_str(), envelope.command.kind(), envelope.actor.to_string());
        self.exec(sql, (envelope.seq, id, kind, actor, bytes, envelope.recorded_at_ms.0))?;
        self.exec("UPDATE identity SET next_seq = max(next_seq, ?1)", [envelope.seq + 1])?;
        for file in envelope.command.blobs() {
            let sql = "INSERT OR IGNORE INTO command_blobs (command_id, blob_id) VALUES (?1, ?2)";
            self.exec(sql, (id, file.id.as_str()))?;
        }
        self.tag(ChangeTag::Outbox);
        Ok(())
    }

    /// Notes that commands are on their way (people see *sent*).
    ///
    /// # Errors
    /// If the file fails.
    pub fn mark_sent(&mut self, seqs: &[u64], now: Millis) -> Result<()> {
        for seq in seqs {
            self.exec("UPDATE outbox SET sent_at_ms = ?2 WHERE seq = ?1", (seq, now.0))?;
            for row in self.written_rows(*seq)? {
                self.tag(ChangeTag::Row(row.kind, row.id));
            }
        }
        self.tag(ChangeTag::Outbox);
        Ok(())
    }
}
