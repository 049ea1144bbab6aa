//! Files taken before, by SHA-256 of their bytes as they came: the same file is never taken twice.

use parkdesk_domain::ids::{BlobId, Millis};
use serde::Serialize;

use crate::error::{Error, Result, parse};
use crate::tx::{ReadTx, WriteTx};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenOutcome {
    /// A photo.
    Captured,
    /// An entry of the Unassigned tray.
    Tray,
    /// Not a usable picture.
    Rejected,
}

impl TakenOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Tray => "tray",
            Self::Rejected => "rejected",
        }
    }
}

/// A file taken before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// SHA-256 of its bytes.
    pub sha256: BlobId,
    /// Its name then.
    pub name: String,
    /// What became of it.
    pub outcome: TakenOutcome,
    /// The photo or the tray's entry.
    pub subject: Option<String>,
    /// When.
    pub at_ms: Millis,
}

impl ReadTx<'_> {
    /// Whether a file with this SHA-256 was taken before.
    ///
    /// # Errors
    /// If the file fails.
    pub fn taken_file(&self, sha256: &BlobId) -> Result<Option<Taken>> {
        let sql = "SELECT sha256, name, outcome, subject, at_ms FROM taken_files WHERE sha256 = ?1";
        let found = self.one(sql, [sha256.as_str()], |row| {
            Ok((
                row.get::<_, String>("sha256")?,
                row.get("name")?,
                row.get::<_, String>("outcome")?,
                row.get("subject")?,
                row.get("at_ms")?,
            ))
        })?;
        let Some((sha256, name, outcome, subject, at_ms)) = found else { return Ok(None) };
        let all = [TakenOutcome::Captured, TakenOutcome::Tray, TakenOutcome::Rejected];
        let known = all.into_iter().find(|known| known.as_str() == outcome);
        let outcome = known.ok_or(Error::Unreadable { what: "taken file", cause: outcome })?;
        Ok(Some(Taken { sha256: parse("taken file", &sha256)?, name, outcome, subject, at_ms: Millis(at_ms) }))
    }
}

impl WriteTx<'_> {
    /// Remembers a file; a later outcome replaces an earlier one.
    ///
    /// # Errors
    /// If the file fails.
    pub fn record_taken(&mut self, taken: &Taken) -> Result<()> {
        let sql = "INSERT INTO taken_files (sha256, name, outcome, subject, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (sha256) DO UPDATE SET name = excluded.name, outcome = excluded.outcome,
                       subject = excluded.subject, at_ms = excluded.at_ms";
        self.exec(sql, (taken.sha256.as_str(), &taken.name, taken.outcome.as_str(), &taken.subject, taken.at_ms.0))?;
        Ok(())
    }
}
