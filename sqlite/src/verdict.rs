//! What the hub's verdicts do here. A verdict comes with the push answer or as a row of the device scope, in any order
//! with the rows of its effect and more than once; only the first time counts.
//!
//! An applied command stays pending until every scope of its verdict that is held here has reached its version, so that
//! its effect never blinks; a rejected one is undone at once and becomes a needs-attention entry.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::body::VerdictRow;
use parkdesk_domain::command::Envelope;
use parkdesk_domain::ids::Millis;
use parkdesk_domain::row::Row;
use parkdesk_domain::scope::Scope;
use parkdesk_domain::wire::{Judged, Verdict};

use crate::attention::NewEntry;
use crate::change::ChangeTag;
use crate::error::{Result, from_json, to_json};
use crate::tx::{ReadTx, WriteTx};

/// Judged commands are kept this long, as the hub's last-resort log (protocol, "After a restore").
pub(crate) const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// So many of the last ones are kept whatever their time.
const KEPT_LAST: u32 = 1000;
/// A command that misses what is not known here waits this long.
const UNKNOWN_MS: i64 = 60_000;

impl ReadTx<'_> {
    /// Judged commands whose effect is in the rows held here.
    pub(crate) fn reached(&self) -> Result<BTreeSet<u64>> {
        let sql = "SELECT seq, verdict FROM outbox INDEXED BY outbox_judged
                   WHERE verdict IS NOT NULL AND is_resent = 0";
        let judged = self.all(sql, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?)))?;
        let mut reached = BTreeSet::new();
        for (seq, verdict) in judged {
            let verdict: Verdict = from_json("verdict", verdict)?;
            if self.has_reached(&verdict)? {
                reached.insert(seq);
            }
        }
        Ok(reached)
    }

    fn has_reached(&self, verdict: &Verdict) -> Result<bool> {
        let none = BTreeMap::new();
        let scopes = match verdict.first() {
            Verdict::Applied { scopes, .. } | Verdict::Merged { scopes, .. } => scopes,
            Verdict::Rejected { .. } | Verdict::Deferred { .. } | Verdict::Duplicate { .. } => &none,
        };
        for (scope, version) in scopes {
            if self.held_version(scope)?.is_some_and(|held| held < *version) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl WriteTx<'_> {
    /// Takes verdicts of a push answer; `now` is the hub's time, so that a clock that jumps does not make the log of judged
    /// commands forget.
    ///
    /// # Errors
    /// If the file fails.
    pub fn apply_verdicts(&mut self, judged: &[Judged], now: Millis) -> Result<()> {
        let gone = self.note_verdicts(judged, now)?;
        self.let_reached_leave(gone, now)?;
        // The times of those that came as rows are the device's own, which may be wrong by months: the last ones stay.
        let sql = "DELETE FROM verdicts WHERE judged_at_ms < ?1 AND is_resent = 0 AND (epoch, seq) <
                       (SELECT epoch, seq FROM verdicts ORDER BY epoch DESC, seq DESC LIMIT 1 OFFSET ?2)";
        self.exec(sql, (now.0 - KEPT_MS, KEPT_LAST))?;
        self.purge_left_scopes()
    }

    /// Lets `gone` and every command whose effect is here leave the queue.
    pub(crate) fn let_reached_leave(&mut self, mut gone: BTreeSet<u64>, now: Millis) -> Result<()> {
        gone.extend(self.reached()?);
        if gone.is_empty() {
            return Ok(());
        }
        self.leave(&gone, now)?;
        self.rebase(BTreeSet::new(), &gone, |_| Ok(()))?;
        self.let_go_withdrawn()
    }

    /// The verdicts among rows of the device scope, if of this device and epoch.
    pub(crate) fn verdicts_in(&self, scope: &Scope, rows: &[Row]) -> Result<Vec<Judged>> {
        let (device, epoch) = (self.device()?, self.epoch()?);
        let bodies = rows.iter().filter(|row| row.kind == parkdesk_domain::row::Kind::Verdict && !row.deleted);
        let decoded = bodies.filter_map(|row| serde_json::from_str::<VerdictRow>(&row.body).ok());
        let ours = decoded.filter(|row| {
            Some(&row.device) == device.as_ref()
                && row.device_epoch == epoch
                && *scope == Scope::Device(row.device.clone())
        });
        Ok(ours.map(|row| Judged { seq: row.seq, id: row.command, verdict: row.verdict }).collect())
    }

    /// Notes verdicts; returns the rejected commands, which leave at once.
    pub(crate) fn note_verdicts(&mut self, judged: &[Judged], now: Millis) -> Result<BTreeSet<u64>> {
        let mut gone = BTreeSet::new();
        for one in judged {
            self.exec("UPDATE verdicts SET is_resent = 0 WHERE id = ?1", [one.id.as_str()])?;
            let sql = "SELECT bytes, verdict IS NOT NULL FROM outbox WHERE seq = ?1 AND id = ?2";
            let found = self
                .one(sql, (one.seq, one.id.as_str()), |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?)))?;
            let Some((bytes, is_judged)) = found else { continue };
            self.tag(ChangeTag::Outbox);
            self.exec("UPDATE outbox SET is_resent = 0 WHERE seq = ?1", [one.seq])?;
            if is_judged {
                continue;
            }
            if self.note_verdict(one, &bytes, now)? {
                gone.insert(one.seq);
            }
        }
        Ok(gone)
    }

    fn note_verdict(&mut self, one: &Judged, bytes: &[u8], now: Millis) -> Result<bool> {
        let first = one.verdict.first();
        if one.verdict.is_final() {
            let sql = "UPDATE outbox SET verdict = ?2, deferred_until_ms = NULL WHERE seq = ?1";
            self.exec(sql, (one.seq, to_json("verdict", first)?))?;
        }
        match first {
            // The hub did it: its files may travel.
            Verdict::Applied { conflicts, .. } => {
                self.accept_blobs(bytes)?;
                if !conflicts.is_empty() && !self.is_told(one.seq, first)? {
                    let rows = self.written_rows(one.seq)?;
                    self.add_attention(NewEntry::conflict(one, bytes, conflicts, rows), now)?;
                }
                Ok(false)
            }
            // Another row took its place.
            Verdict::Merged { .. } => {
                self.accept_blobs(bytes)?;
                Ok(false)
            }
            // Never as it stands: a person must settle it.
            Verdict::Rejected { refusal } => {
                let rows = self.written_rows(one.seq)?;
                self.add_attention(NewEntry::refused(one, bytes, refusal, rows), now)?;
                Ok(true)
            }
            // Not yet: it waits, at least as long as what it rests on; what the hub misses is sent again.
            Verdict::Deferred { until_ms, missing } => {
                let mut until = until_ms.map(|until| until.0);
                for seq in missing {
                    until = until.max(self.deferral_of(*seq, now)?);
                }
                let sql = "UPDATE outbox SET deferred_until_ms = ?2, sent_at_ms = NULL WHERE seq = ?1";
                self.exec(sql, (one.seq, until))?;
                for seq in missing {
                    self.exec("UPDATE outbox SET is_resent = verdict IS NOT NULL WHERE seq = ?1", [seq])?;
                    let sql =
                        "UPDATE verdicts SET is_resent = 1 WHERE seq = ?1 AND epoch = (SELECT epoch FROM identity)";
                    self.exec(sql, [seq])?;
                }
                Ok(false)
            }
            Verdict::Duplicate { .. } => Ok(false),
        }
    }

    /// Whether this very verdict was told before the hub was restored.
    fn is_told(&self, seq: u64, verdict: &Verdict) -> Result<bool> {
        let sql = "SELECT was_verdict FROM outbox WHERE seq = ?1";
        let was = self.one(sql, [seq], |row| row.get::<_, Option<String>>(0))?.flatten();
        let was: Option<Verdict> = was.map(|text| from_json("verdict", text)).transpose()?;
        Ok(was.is_some_and(|was| was.first() == verdict))
    }

    /// Until when a command that the hub misses waits itself; `None` = it may go out at once.
    fn deferral_of(&self, seq: u64, now: Millis) -> Result<Option<i64>> {
        let sql = "SELECT deferred_until_ms FROM outbox WHERE seq = ?1
                   UNION ALL SELECT NULL FROM verdicts WHERE seq = ?1 AND epoch = (SELECT epoch FROM identity)";
        let known = self.one(sql, [seq], |row| row.get(0))?;
        Ok(known.unwrap_or(Some(now.0 + UNKNOWN_MS)))
    }

    fn accept_blobs(&mut self, bytes: &[u8]) -> Result<()> {
        let envelope: Envelope = from_json("command", bytes)?;
        for file in envelope.command.blobs() {
            self.exec("UPDATE blobs SET is_accepted = 1 WHERE id = ?1", [file.id.as_str()])?;
            self.tag(ChangeTag::Blobs);
        }
        Ok(())
    }

    /// Moves commands that leave the queue into the log of judged ones.
    pub(crate) fn leave(&mut self, gone: &BTreeSet<u64>, now: Millis) -> Result<()> {
        for seq in gone {
            let sql = "INSERT OR REPLACE INTO verdicts (epoch, seq, id, bytes, verdict, judged_at_ms)
                       SELECT epoch, seq, id, bytes, verdict, ?2 FROM outbox WHERE seq = ?1 AND verdict IS NOT NULL";
            self.exec(sql, (seq, now.0))?;
            // A refused command's files stay with its needs-attention entry.
            let sql = "DELETE FROM command_blobs WHERE command_id IN (SELECT id FROM outbox WHERE seq = ?1)
                       AND command_id NOT IN (SELECT command_id FROM needs_attention WHERE command_id IS NOT NULL)";
            self.exec(sql, [seq])?;
            self.tag(ChangeTag::Outbox);
        }
        Ok(())
    }
}
