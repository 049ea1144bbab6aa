//! Settings of this appliance: texts by name. Secrets in them (the hub's token) are as safe as the file.

use crate::error::Result;
use crate::tx::{ReadTx, WriteTx};

impl ReadTx<'_> {
    /// The setting's value.
    ///
    /// # Errors
    /// If the file fails.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        self.one("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0))
    }
}

impl WriteTx<'_> {
    /// Sets a value.
    ///
    /// # Errors
    /// If the file fails.
    pub fn set_setting(&mut self, key: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.exec(sql, [key, value])?;
        Ok(())
    }

    /// Removes a value.
    ///
    /// # Errors
    /// If the file fails.
    pub fn remove_setting(&mut self, key: &str) -> Result<()> {
        self.exec("DELETE FROM settings WHERE key = ?1", [key])?;
        Ok(())
    }
}
