//! What the link did, for people: codes and figures, no personal data; the newest 2000 lines.

use parkdesk_domain::ids::Millis;
use serde::Serialize;

use crate::change::ChangeTag;
use crate::error::Result;
use crate::tx::{ReadTx, WriteTx};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncEvent {
    /// Its number.
    pub n: i64,
    /// When, by the device's clock.
    pub at_ms: Millis,
    /// A stable code.
    pub event: String,
    /// Figures and codes.
    pub detail: String,
}

impl ReadTx<'_> {
    /// The newest lines, newest first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn sync_log(&self, limit: u32) -> Result<Vec<SyncEvent>> {
        let sql = "SELECT n, at_ms, event, detail FROM sync_log ORDER BY n DESC LIMIT ?1";
        self.all(sql, [limit], |row| {
            Ok(SyncEvent {
                n: row.get("n")?,
                at_ms: Millis(row.get("at_ms")?),
                event: row.get("event")?,
                detail: row.get("detail")?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// The queue stands still although the hub answers, or moves again.
    ///
    /// # Errors
    /// If the file fails.
    pub fn note_stuck(&mut self, is_stuck: bool, now: Millis) -> Result<()> {
        self.tag(ChangeTag::NeedsAttention);
        self.log_sync(if is_stuck { "stuck" } else { "moves" }, "{}", now)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If the file fails.
    pub fn log_sync(&mut self, event: &str, detail: &str, now: Millis) -> Result<()> {
        let sql = "INSERT INTO sync_log (at_ms, event, detail) VALUES (?1, ?2, ?3)";
        self.exec(sql, (now.0, event, detail))?;
        self.exec("DELETE FROM sync_log WHERE n <= (SELECT max(n) FROM sync_log) - 2000", [])?;
        self.tag(ChangeTag::Sync);
        Ok(())
    }
}
