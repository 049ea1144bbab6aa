//! A new device epoch: the numbers of this appliance's commands are another's too (a copied or restored image), or belong
//! to a device it no longer is.
//!
//! A command's bytes carry its number and are never changed, so each command that is not judged becomes a new one with the
//! same wish, time and person: its id is derived from the old one's, so that the same step twice is one. What the hub did
//! with the old one after all is not done twice, since rows are named by the wish and not by the command.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::command::{Actor, Envelope};
use parkdesk_domain::ids::{CommandId, DeviceId, Millis};

use crate::change::ChangeTag;
use crate::error::{Error, Result, from_json};
use crate::tx::WriteTx;

impl WriteTx<'_> {
    /// Begins a new device epoch, with sequence numbers from 1.
    ///
    /// # Errors
    /// If the file fails.
    pub fn begin_epoch(&mut self, now: Millis) -> Result<()> {
        let seqs: BTreeSet<u64> = self.all("SELECT seq FROM outbox", [], |row| row.get(0))?.into_iter().collect();
        self.undo(&seqs)?;
        // Their effect comes with the hub's rows.
        let judged = self.all("SELECT seq FROM outbox WHERE verdict IS NOT NULL", [], |row| row.get::<_, u64>(0))?;
        self.leave(&judged.into_iter().collect(), now)?;
        let sql = "SELECT seq, bytes FROM outbox WHERE verdict IS NULL ORDER BY seq";
        let pending = self.all(sql, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        self.exec("DELETE FROM outbox", [])?;
        self.exec("UPDATE verdicts SET is_resent = 0", [])?;
        self.exec("UPDATE identity SET epoch = epoch + 1, next_seq = 1", [])?;
        let (epoch, device) = (self.epoch()?, self.device()?);
        let mut numbers = BTreeMap::new();
        for ((old_seq, bytes), seq) in pending.into_iter().zip(1..) {
            let old: Envelope = from_json("command", bytes)?;
            let old_id = old.id.clone();
            numbers.insert(old_seq, seq);
            let new = renewed(old, seq, epoch, device.as_ref(), &numbers);
            let bytes = encoded(&new)?;
            self.queue(&new, &bytes)?;
            self.exec("DELETE FROM command_blobs WHERE command_id = ?1", [old_id.as_str()])?;
            self.replan(seq)?;
        }
        self.tag(ChangeTag::Outbox);
        Ok(())
    }
}

/// The same wish as a command of the device's present epoch.
pub(crate) fn renewed(
    old: Envelope,
    seq: u64,
    epoch: u64,
    device: Option<&DeviceId>,
    numbers: &BTreeMap<u64, u64>,
) -> Envelope {
    let actor = match (old.actor, device) {
        (Actor::Device(_), Some(device)) => Actor::Device(device.clone()),
        (actor, _) => actor,
    };
    Envelope {
        seq,
        id: CommandId::of_job(old.id.as_str(), &format!("epoch/{epoch}")),
        actor,
        after: old.after.iter().filter_map(|before| numbers.get(before).copied()).collect(),
        ..old
    }
}

pub(crate) fn encoded(envelope: &Envelope) -> Result<Vec<u8>> {
    envelope.to_bytes().map_err(|cause| Error::Unreadable { what: "command", cause: cause.to_string() })
}
