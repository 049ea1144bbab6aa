//! Replicated rows: what people see (`rows`), what the hub has of rows that pending commands wrote (`shadow`), and the one
//! place that writes either, so that typed tables and change tags never miss a change.
//!
//! Invariant: a row has a shadow exactly while a pending command wrote it (`tests/rebase.rs`).

use parkdesk_domain::body::Entity;
use parkdesk_domain::canonical;
use parkdesk_domain::ids::RowId;
use parkdesk_domain::row::{Kind, Row, RowRef, SCHEMA, Write};
use parkdesk_domain::scope::Scope;
use serde::Serialize;

use crate::change::ChangeTag;
use crate::error::{Result, parse};
use crate::tx::{ReadTx, WriteTx};

/// Where a row stands between this appliance and the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Saved here, not sent yet.
    Saved,
    /// Sent, not judged yet.
    Sent,
    /// The hub has it so.
    Accepted,
    /// The hub refused a change of it; a person must settle it.
    Refused,
    /// Somebody else changed the same fields; a person must choose.
    Conflict,
}

/// A stored body with its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) version: u64,
    pub(crate) rev: u64,
    pub(crate) schema: u32,
    pub(crate) hash: String,
    pub(crate) body: String,
}

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        version: row.get("version")?,
        rev: row.get("rev")?,
        schema: row.get("schema")?,
        hash: row.get("hash")?,
        body: row.get("body")?,
    })
}

fn key(row: &RowRef) -> (String, &str, &str) {
    (row.scope.to_string(), row.kind.as_str(), row.id.as_str())
}

pub(crate) fn row_ref(scope: &str, kind: &str, id: &str) -> Result<RowRef> {
    Ok(RowRef { scope: parse("row", scope)?, kind: Kind::from(kind), id: parse("row", id)? })
}

impl ReadTx<'_> {
    pub(crate) fn stored(&self, row: &RowRef) -> Result<Option<Stored>> {
        let sql = "SELECT version, rev, schema, hash, body FROM rows WHERE scope = ?1 AND kind = ?2 AND id = ?3";
        self.one(sql, key(row), stored)
    }

    /// The body that the hub has, if a pending command wrote another.
    pub(crate) fn shadow_body(&self, row: &RowRef) -> Result<Option<String>> {
        let sql = "SELECT body FROM shadow WHERE scope = ?1 AND kind = ?2 AND id = ?3 AND is_present = 1";
        self.one(sql, key(row), |row| row.get(0))
    }

    /// The canonical body of a row as people see it.
    ///
    /// # Errors
    /// If the file fails.
    pub fn body(&self, row: &RowRef) -> Result<Option<String>> {
        Ok(self.stored(row)?.map(|stored| stored.body))
    }

    /// The typed body of a row as people see it; `None` also for a body that needs a newer program.
    ///
    /// # Errors
    /// If the file fails.
    pub fn entity<E: Entity>(&self, scope: &Scope, id: &RowId) -> Result<Option<E>> {
        let row = RowRef { scope: scope.clone(), kind: E::KIND, id: id.clone() };
        Ok(self.body(&row)?.and_then(|body| serde_json::from_str(&body).ok()))
    }

    /// All rows of a scope as people see them, by kind and id.
    ///
    /// # Errors
    /// If the file fails.
    pub fn rows_of(&self, scope: &Scope) -> Result<Vec<Row>> {
        let sql = "SELECT kind, id, version, rev, schema, hash, body FROM rows WHERE scope = ?1 ORDER BY kind, id";
        let rows = self.all(sql, [scope.to_string()], |row| {
            Ok((row.get::<_, String>("kind")?, row.get::<_, String>("id")?, stored(row)?))
        })?;
        rows.into_iter()
            .map(|(kind, id, stored)| {
                Ok(Row {
                    kind: Kind::from(kind),
                    id: parse("row", &id)?,
                    version: stored.version,
                    rev: stored.rev,
                    deleted: false,
                    schema: stored.schema,
                    hash: stored.hash,
                    body: stored.body,
                })
            })
            .collect()
    }

    /// Where a row stands.
    ///
    /// # Errors
    /// If the file fails.
    pub fn row_state(&self, row: &RowRef) -> Result<RowState> {
        let pending = "SELECT outbox.sent_at_ms IS NOT NULL FROM pending_touch JOIN outbox USING (seq)
                       WHERE scope = ?1 AND pending_touch.kind = ?2 AND pending_touch.id = ?3 AND is_write = 1
                         AND verdict IS NULL
                       ORDER BY 1 LIMIT 1";
        if let Some(is_sent) = self.one(pending, key(row), |row| row.get::<_, bool>(0))? {
            return Ok(if is_sent { RowState::Sent } else { RowState::Saved });
        }
        let open = "SELECT needs_attention.kind = 'conflict' FROM attention_rows
                    JOIN needs_attention ON needs_attention.id = attention_rows.entry
                    WHERE scope = ?1 AND attention_rows.kind = ?2 AND attention_rows.id = ?3
                    ORDER BY needs_attention.id DESC LIMIT 1";
        Ok(match self.one(open, key(row), |row| row.get::<_, bool>(0))? {
            Some(true) => RowState::Conflict,
            Some(false) => RowState::Refused,
            None => RowState::Accepted,
        })
    }
}

impl WriteTx<'_> {
    fn put(&mut self, row: &RowRef, new: &Stored, was_there: bool) -> Result<()> {
        let sql = "INSERT INTO rows (scope, kind, id, version, rev, schema, hash, body)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (scope, kind, id) DO UPDATE SET version = excluded.version, rev = excluded.rev,
                       schema = excluded.schema, hash = excluded.hash, body = excluded.body";
        let (scope, kind, id) = key(row);
        self.exec(sql, (scope, kind, id, new.version, new.rev, new.schema, &new.hash, &new.body))?;
        self.put_typed(row, &new.body, was_there)?;
        self.tag(ChangeTag::Row(row.kind.clone(), row.id.clone()));
        Ok(())
    }

    fn remove(&mut self, row: &RowRef) -> Result<()> {
        self.exec("DELETE FROM rows WHERE scope = ?1 AND kind = ?2 AND id = ?3", key(row))?;
        self.delete_typed(row)?;
        self.tag(ChangeTag::Row(row.kind.clone(), row.id.clone()));
        Ok(())
    }

    /// A pending command's write: the hub's row goes into the shadow first.
    pub(crate) fn write_optimistic(&mut self, write: &Write) -> Result<()> {
        let row = write.row();
        let old = self.stored(row)?;
        let sql = "INSERT OR IGNORE INTO shadow (scope, kind, id, is_present, version, rev, schema, hash, body)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let absent = Stored { version: 0, rev: 0, schema: SCHEMA, hash: String::new(), body: String::new() };
        let (is_present, old) = (old.is_some(), old.unwrap_or(absent));
        let (scope, kind, id) = key(row);
        self.exec(sql, (scope, kind, id, is_present, old.version, old.rev, old.schema, &old.hash, &old.body))?;
        match write {
            Write::Put { row, body } => {
                let new = Stored { schema: SCHEMA, hash: canonical::hash(body), body: body.clone(), ..old };
                self.put(row, &new, true)
            }
            Write::Delete { row } => self.remove(row),
        }
    }

    /// Puts the hub's row back in place of what pending commands made of it.
    pub(crate) fn restore_shadow(&mut self, row: &RowRef) -> Result<()> {
        let sql = "SELECT is_present, version, rev, schema, hash, body FROM shadow
                   WHERE scope = ?1 AND kind = ?2 AND id = ?3";
        let found = self.one(sql, key(row), |row| Ok((row.get::<_, bool>("is_present")?, stored(row)?)))?;
        match found {
            Some((true, hubs)) => self.put(row, &hubs, true)?,
            Some((false, _)) => self.remove(row)?,
            None => return Ok(()),
        }
        self.exec("DELETE FROM shadow WHERE scope = ?1 AND kind = ?2 AND id = ?3", key(row))?;
        Ok(())
    }

    /// A row of the hub, onto a row without shadow. A lower rev never replaces a higher one, a tombstone deletes only a
    /// lower one; `is_anew` (the scope is begun again) takes any.
    pub(crate) fn put_hub_row(&mut self, scope: &Scope, row: &Row, is_anew: bool) -> Result<()> {
        let at = RowRef { scope: scope.clone(), kind: row.kind.clone(), id: row.id.clone() };
        let sql = "SELECT rev FROM rows WHERE scope = ?1 AND kind = ?2 AND id = ?3";
        let old_rev = self.one(sql, key(&at), |row| row.get::<_, u64>(0))?;
        if row.deleted {
            return match old_rev {
                Some(rev) if rev < row.rev || is_anew => self.remove(&at),
                Some(_) | None => Ok(()),
            };
        }
        if old_rev.is_some_and(|rev| rev > row.rev) && !is_anew {
            return Ok(());
        }
        let new = Stored {
            version: row.version,
            rev: row.rev,
            schema: row.schema,
            hash: row.hash.clone(),
            body: row.body.clone(),
        };
        self.put(&at, &new, old_rev.is_some())?;
        if at.kind == Kind::Photo { self.note_stored_files(&at) } else { Ok(()) }
    }

    /// Deletes a row that the hub has no more.
    pub(crate) fn delete_hub_row(&mut self, row: &RowRef) -> Result<()> {
        self.remove(row)
    }
}
