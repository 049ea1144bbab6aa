//! After the hub was restored from a backup (protocol, "After a restore"): it may have lost what it judged since. The
//! commands of the last seven days are its last-resort log: they wait again as if they had never been judged, planned over
//! what it still has, so that nothing vanishes here meanwhile. It answers those it knows with their first verdict.

use std::collections::BTreeSet;

use parkdesk_domain::command::Envelope;
use parkdesk_domain::wire::Verdict;

use crate::change::ChangeTag;
use crate::error::{Result, from_json};
use crate::tx::WriteTx;

impl WriteTx<'_> {
    /// Queues again what this device epoch's commands did, and asks again whether the hub has the files made here.
    pub(crate) fn queue_judged_again(&mut self) -> Result<()> {
        // Their versions are those of another history.
        let waiting: BTreeSet<u64> =
            self.all("SELECT seq FROM outbox WHERE verdict IS NOT NULL", [], |row| row.get(0))?.into_iter().collect();
        self.exec("UPDATE outbox SET verdict = NULL, is_resent = 0, sent_at_ms = NULL WHERE verdict IS NOT NULL", [])?;
        let sql = "SELECT bytes, verdict FROM verdicts WHERE epoch = (SELECT epoch FROM identity) ORDER BY seq";
        let judged = self.all(sql, [], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?)))?;
        let mut again = waiting;
        for (bytes, verdict) in judged {
            // What was refused was settled by a person.
            if matches!(from_json::<Verdict>("verdict", verdict)?.first(), Verdict::Rejected { .. }) {
                continue;
            }
            let envelope: Envelope = from_json("command", bytes.clone())?;
            self.exec("DELETE FROM verdicts WHERE id = ?1", [envelope.id.as_str()])?;
            self.queue(&envelope, &bytes)?;
            again.insert(envelope.seq);
        }
        for seq in again {
            self.replan(seq)?;
        }
        let sql = "UPDATE blobs SET is_stored = 0 WHERE is_local = 1 AND is_stored = 1
                   AND EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = blobs.id)";
        self.exec(sql, [])?;
        self.tag(ChangeTag::Outbox);
        self.tag(ChangeTag::Blobs);
        Ok(())
    }
}
