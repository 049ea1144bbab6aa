//! What happened here, as far as this appliance knows: its own commands with their verdicts, and people's decisions about
//! photos. The hub's rows carry no history; what others did shows as the row it left.

use parkdesk_domain::body::MatchDecision;
use parkdesk_domain::command::Envelope;
use parkdesk_domain::ids::RowId;
use parkdesk_domain::wire::Verdict;

use crate::error::{Result, from_json, parse};
use crate::rows::RowState;
use crate::tx::ReadTx;

/// Most own commands in one answer.
const MOST: u32 = 500;

/// A command of this appliance, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCommand {
    /// As it was recorded.
    pub envelope: Envelope,
    /// Where it stands.
    pub state: RowState,
}

impl ReadTx<'_> {
    /// The commands of this appliance whose text names this id, the newest first: those that wait and those that were judged
    /// lately.
    ///
    /// # Errors
    /// If the file fails.
    pub fn own_commands_naming(&self, id: &RowId) -> Result<Vec<OwnCommand>> {
        let sql = "SELECT bytes, verdict, sent_at_ms IS NOT NULL AS is_sent, recorded_at_ms AS at_ms FROM outbox
                   WHERE instr(bytes, CAST(?1 AS BLOB)) > 0
                   UNION ALL
                   SELECT bytes, verdict, 1, judged_at_ms FROM verdicts WHERE instr(bytes, CAST(?1 AS BLOB)) > 0
                   ORDER BY at_ms DESC LIMIT ?2";
        let quoted = format!("\"{id}\"");
        let rows = self.all(sql, (quoted, MOST), |row| {
            Ok((
                row.get::<_, Vec<u8>>("bytes")?,
                row.get::<_, Option<String>>("verdict")?,
                row.get::<_, bool>("is_sent")?,
            ))
        })?;
        let mut commands = Vec::with_capacity(rows.len());
        for (bytes, verdict, is_sent) in rows {
            // A command of a newer program is not history that could be told.
            let Ok(envelope) = Envelope::from_bytes(&bytes) else { continue };
            let verdict: Option<Verdict> = verdict.map(|text| from_json("verdict", text)).transpose()?;
            commands.push(OwnCommand { envelope, state: state(verdict.as_ref(), is_sent) });
        }
        Ok(commands)
    }

    /// The decisions about faces of a photo that nobody undid, with their ids, the newest first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn decisions_of_photo(&self, photo: &RowId) -> Result<Vec<(RowId, MatchDecision)>> {
        let sql = "SELECT scope, id FROM match_decisions WHERE photo_a = ?1 AND undone_by IS NULL
                   UNION SELECT scope, id FROM match_decisions WHERE photo_b = ?1 AND undone_by IS NULL";
        let rows = self.all(sql, [photo.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut decisions = Vec::new();
        for (scope, id) in rows {
            let id: RowId = parse("decision", &id)?;
            decisions.extend(self.entity::<MatchDecision>(&parse("scope", &scope)?, &id)?.map(|found| (id, found)));
        }
        decisions.sort_by_key(|(_, decision)| std::cmp::Reverse(decision.at_ms));
        Ok(decisions)
    }

    /// The name of a device, if its row is held here.
    ///
    /// # Errors
    /// If the file fails.
    pub fn device_name(&self, device: &str) -> Result<Option<String>> {
        self.one("SELECT name FROM devices WHERE id = ?1", [device], |row| row.get(0))
    }
}

fn state(verdict: Option<&Verdict>, is_sent: bool) -> RowState {
    match verdict {
        None | Some(Verdict::Deferred { .. }) if is_sent => RowState::Sent,
        None | Some(Verdict::Deferred { .. }) => RowState::Saved,
        Some(Verdict::Rejected { .. }) => RowState::Refused,
        Some(Verdict::Duplicate { first }) => state(Some(first), is_sent),
        Some(Verdict::Applied { conflicts, .. }) if !conflicts.is_empty() => RowState::Conflict,
        Some(Verdict::Applied { .. } | Verdict::Merged { .. }) => RowState::Accepted,
    }
}
