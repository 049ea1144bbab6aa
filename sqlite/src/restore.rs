//! After the hub was restored from a backup (protocol, "After a restore"): it may have lost what it judged since. The
//! commands of the last seven days are its last-resort log: they wait again as if they had never been judged, planned over
//! what it still has, so that nothing vanishes here meanwhile. It answers those it knows with their first verdict.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::Actor;
use parkdesk_domain::command::{Command, Envelope, PhotoWithdraw};
use parkdesk_domain::ids::{CommandId, Millis};
use parkdesk_domain::wire::Verdict;

use crate::change::ChangeTag;
use crate::epoch::{encoded, renewed};
use crate::error::{Result, from_json};
use crate::tx::{ReadTx, WriteTx};
use crate::verdict::KEPT_MS;

impl ReadTx<'_> {
    /// The newest epoch of scopes that was seen here; none before the first answer.
    ///
    /// # Errors
    /// If the file fails.
    pub fn hub_epoch(&self) -> Result<Option<u64>> {
        let newest = self.one("SELECT max(epoch) FROM cursors", [], |row| row.get::<_, Option<u64>>(0))?;
        Ok(newest.flatten().filter(|epoch| *epoch > 0))
    }
}

impl WriteTx<'_> {
    /// A hub that was restored begins a new epoch in every scope: the first one that is seen here tells it, also if it is
    /// a scope that was never held (the backup did not know this appliance, which was enrolled anew).
    pub(crate) fn look_for_restore(&mut self, epoch: u64, now: Millis) -> Result<()> {
        // Before the first answer to a pull any epoch but the first may be a newer one than that of the verdicts held here.
        if epoch > self.hub_epoch()?.unwrap_or(1) { self.queue_judged_again(now) } else { Ok(()) }
    }

    /// Queues again what this device epoch's commands did, and asks again whether the hub has the files made here.
    fn queue_judged_again(&mut self, now: Millis) -> Result<()> {
        // Their versions are those of another history.
        let waiting: Vec<Vec<u8>> =
            self.all("SELECT bytes FROM outbox WHERE verdict IS NOT NULL", [], |row| row.get(0))?;
        let sql = "UPDATE outbox SET was_verdict = verdict, verdict = NULL, is_resent = 0, sent_at_ms = NULL
                   WHERE verdict IS NOT NULL";
        self.exec(sql, [])?;
        let sql = "SELECT bytes, verdict FROM verdicts WHERE epoch = (SELECT epoch FROM identity) ORDER BY seq";
        let judged = self.all(sql, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?)))?;
        for bytes in waiting {
            self.hold_back_files(&from_json("command", bytes)?)?;
        }
        for (bytes, verdict) in judged {
            // What was refused was settled by a person.
            if matches!(from_json::<Verdict>("verdict", verdict.clone())?.first(), Verdict::Rejected { .. }) {
                continue;
            }
            let envelope: Envelope = from_json("command", bytes.clone())?;
            self.exec("DELETE FROM verdicts WHERE id = ?1", [envelope.id.as_str()])?;
            self.queue_again(&envelope, &bytes)?;
            self.exec("UPDATE outbox SET was_verdict = ?2 WHERE seq = ?1", (envelope.seq, verdict))?;
        }
        self.queue_of_earlier_epochs()?;
        self.take_back_again(now)?;
        self.replan_all()?;
        let sql = "UPDATE blobs SET is_stored = 0 WHERE is_local = 1 AND is_stored = 1
                   AND EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = blobs.id)";
        self.exec(sql, [])?;
        self.tag(ChangeTag::Outbox);
        self.tag(ChangeTag::Blobs);
        Ok(())
    }

    /// A photo of this appliance that somebody elsewhere took back has no bytes here any more: a hub that lost both would wait
    /// for them for ever. So it is taken back once more, behind the command that makes it again.
    fn take_back_again(&mut self, now: Millis) -> Result<()> {
        let device = self.device()?;
        let sql = "SELECT bytes FROM outbox WHERE kind IN ('photo.capture', 'photo.withdraw') ORDER BY seq";
        let (mut made, mut taken_back) = (Vec::new(), BTreeSet::new());
        for bytes in self.all(sql, [], |row| row.get::<_, Vec<u8>>(0))? {
            let envelope: Envelope = from_json("command", bytes)?;
            if let Command::PhotoCapture(capture) = &envelope.command {
                made.push((capture.clone(), envelope));
            } else if let Command::PhotoWithdraw(withdraw) = envelope.command {
                taken_back.insert(withdraw.photo);
            }
        }
        for (capture, envelope) in made.into_iter().filter(|(capture, _)| !taken_back.contains(&capture.photo)) {
            let sql = "SELECT 1 FROM photos WHERE id = ?1 AND status = 'withdrawn'";
            if self.one(sql, [capture.photo.as_str()], |_| Ok(()))?.is_none() {
                continue;
            }
            let again = Envelope {
                seq: self.one("SELECT next_seq FROM identity", [], |row| row.get(0))?.unwrap_or(1),
                id: CommandId::of_job(envelope.id.as_str(), "taken back"),
                // Who did it the first time sits elsewhere: this appliance speaks for itself only.
                actor: device.clone().map_or(envelope.actor.clone(), Actor::Device),
                after: vec![envelope.seq],
                recorded_at_ms: now,
                command: Command::PhotoWithdraw(PhotoWithdraw { photo: capture.photo, park: capture.park }),
                ..envelope
            };
            self.queue(&again, &encoded(&again)?)?;
        }
        Ok(())
    }

    fn queue_again(&mut self, envelope: &Envelope, bytes: &[u8]) -> Result<()> {
        self.hold_back_files(envelope)?;
        self.queue(envelope, bytes)?;
        // A photo that was taken back meanwhile has no bytes here any more.
        let sql = "DELETE FROM command_blobs WHERE command_id = ?1 AND blob_id NOT IN (SELECT id FROM blobs)";
        self.exec(sql, [envelope.id.as_str()])?;
        Ok(())
    }

    /// Files wait for the verdict as they did the first time: a hub that does not know the photo takes none of them, and
    /// what was given up because of that is tried again.
    fn hold_back_files(&mut self, envelope: &Envelope) -> Result<()> {
        for file in envelope.command.blobs() {
            let sql = "UPDATE blobs SET is_accepted = 0, parked = NULL WHERE id = ?1 AND is_local = 1";
            self.exec(sql, [file.id.as_str()])?;
            self.exec("DELETE FROM needs_attention WHERE blob_id = ?1", [file.id.as_str()])?;
        }
        Ok(())
    }

    /// What was judged under a number that this appliance has no more is wished for anew, under the present one, if it is of
    /// the last seven days. What the hub did not lose is not done twice, since rows are named by the wish and not by the
    /// command; an edit only if somebody set its field back to what it was meanwhile.
    fn queue_of_earlier_epochs(&mut self) -> Result<()> {
        let (epoch, device) = (self.epoch()?, self.device()?);
        let sql = "SELECT epoch, seq, bytes, verdict FROM verdicts
                   WHERE epoch < ?1 AND judged_at_ms >= (SELECT max(judged_at_ms) FROM verdicts) - ?2 ORDER BY epoch, seq";
        let judged = self.all(sql, (epoch, KEPT_MS), |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, String>(3)?))
        })?;
        let (mut numbers, mut of_epoch) = (BTreeMap::new(), 0);
        for (old_epoch, old_seq, bytes, verdict) in judged {
            if matches!(from_json::<Verdict>("verdict", verdict)?.first(), Verdict::Rejected { .. }) {
                continue;
            }
            if old_epoch != of_epoch {
                numbers.clear();
                of_epoch = old_epoch;
            }
            let seq = self.one("SELECT next_seq FROM identity", [], |row| row.get(0))?.unwrap_or(1);
            let old: Envelope = from_json("command", bytes)?;
            self.exec("DELETE FROM verdicts WHERE id = ?1", [old.id.as_str()])?;
            numbers.insert(old_seq, seq);
            let new = renewed(old, seq, epoch, device.as_ref(), &numbers);
            self.queue_again(&new, &encoded(&new)?)?;
        }
        Ok(())
    }
}
