//! Which scopes are held and how far: cursors, and the subscription rows of the device scope that say which to hold.
//! A scope no longer subscribed lets its pending commands be judged, then its rows and unreferenced files go.

use parkdesk_domain::scope::Scope;
use parkdesk_domain::wire::Cursor;

use crate::change::ChangeTag;
use crate::error::{Result, parse};
use crate::frame::cursor_of;
use crate::tx::{ReadTx, WriteTx};

impl ReadTx<'_> {
    /// How far each scope is held, the device scope first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn cursors(&self) -> Result<Vec<Cursor>> {
        let sql = "SELECT scope, epoch, version FROM cursors WHERE is_leaving = 0
                   ORDER BY scope NOT LIKE 'device/%', scope";
        let rows = self.all(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
        rows.into_iter()
            .map(|(scope, epoch, version)| Ok(cursor_of(parse("cursor", &scope)?, epoch, version)))
            .collect()
    }

    pub(crate) fn cursor(&self, scope: &Scope) -> Result<Option<Cursor>> {
        let sql = "SELECT epoch, version FROM cursors WHERE scope = ?1 AND is_leaving = 0";
        let found = self.one(sql, [scope.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.map(|(epoch, version)| cursor_of(scope.clone(), epoch, version)))
    }

    /// The version of a scope that is held, `None` of one that is not.
    pub(crate) fn held_version(&self, scope: &Scope) -> Result<Option<u64>> {
        Ok(self.cursor(scope)?.map(|cursor| cursor.version))
    }

    /// Whether a missing row of this scope means that there is none.
    pub(crate) fn is_known_whole(&self, scope: &Scope) -> Result<bool> {
        let sql = "SELECT 1 FROM cursors WHERE scope = ?1 AND is_complete = 1 AND is_leaving = 0";
        Ok(self.one(sql, [scope.to_string()], |_| Ok(()))?.is_some())
    }

    /// Whether every subscribed scope was held to its head once.
    ///
    /// # Errors
    /// If the file fails.
    pub fn is_bootstrapped(&self) -> Result<bool> {
        let sql = "SELECT count(*) > 0 AND min(is_complete) = 1 FROM cursors WHERE is_leaving = 0";
        Ok(self.one(sql, [], |row| row.get::<_, Option<bool>>(0))?.flatten().unwrap_or(false))
    }
}

impl WriteTx<'_> {
    pub(crate) fn add_cursor(&mut self, scope: &Scope) -> Result<()> {
        let sql = "INSERT INTO cursors (scope) VALUES (?1) ON CONFLICT (scope) DO UPDATE SET is_leaving = 0";
        self.exec(sql, [scope.to_string()])?;
        self.tag(ChangeTag::Sync);
        Ok(())
    }

    pub(crate) fn set_cursor(&mut self, scope: &Scope, epoch: u64, version: u64, is_head: bool) -> Result<()> {
        let sql = "UPDATE cursors SET epoch = ?2, version = ?3, is_complete = max(is_complete, ?4) WHERE scope = ?1";
        self.exec(sql, (scope.to_string(), epoch, version, is_head))?;
        Ok(())
    }

    /// After a frame of the device scope: begins new subscriptions, marks ended ones as leaving.
    pub(crate) fn follow_subscriptions(&mut self) -> Result<()> {
        let Some(own) = self.device_scope()? else { return Ok(()) };
        let wanted = self.texts("SELECT DISTINCT wanted FROM subscriptions WHERE scope = ?1", [own.to_string()])?;
        for scope in &wanted {
            self.add_cursor(&parse("subscription", scope)?)?;
        }
        for held in self.texts("SELECT scope FROM cursors WHERE is_leaving = 0", [])? {
            if held != own.to_string() && !wanted.contains(&held) {
                self.exec("UPDATE cursors SET is_leaving = 1 WHERE scope = ?1", [&held])?;
                self.tag(ChangeTag::Sync);
            }
        }
        Ok(())
    }

    /// Purges leaving scopes in which nothing is pending any more.
    pub(crate) fn purge_left_scopes(&mut self) -> Result<()> {
        let sql = "SELECT scope FROM cursors WHERE is_leaving = 1 AND NOT EXISTS
                       (SELECT 1 FROM pending_touch JOIN outbox USING (seq)
                        WHERE pending_touch.scope = cursors.scope AND is_write = 1)";
        for text in self.texts(sql, [])? {
            self.purge_rows(&parse("cursor", &text)?)?;
            self.exec("DELETE FROM cursors WHERE scope = ?1", [&text])?;
            self.release_unreferenced()?;
            self.tag(ChangeTag::Sync);
        }
        Ok(())
    }
}
