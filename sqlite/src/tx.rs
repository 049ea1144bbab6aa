//! Transactions as the modules of the replica see them. Reads are methods of [`ReadTx`], writes of [`WriteTx`], each in
//! the module of its noun; statements are prepared once per connection.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use rusqlite::{Connection, OptionalExtension, Params, Row as SqlRow};

use crate::change::ChangeTag;
use crate::error::Result;
use crate::files::Files;
use crate::search::Profile;

/// A snapshot of the replica.
pub struct ReadTx<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) files: &'a Files,
}

/// A write transaction; what it did is committed when its closure ends well.
pub struct WriteTx<'a> {
    read: ReadTx<'a>,
    pub(crate) tags: BTreeSet<ChangeTag>,
    /// Drivers whose search documents are to be made, by park and driver.
    pub(crate) documents: BTreeMap<(String, String), Option<Profile>>,
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;
    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(conn: &'a Connection, files: &'a Files) -> Self {
        Self { conn, files }
    }

    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnOnce(&SqlRow<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, from_row).optional()?)
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        from_row: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut query = self.conn.prepare_cached(sql)?;
        let rows = query.query_map(params, from_row)?.collect::<rusqlite::Result<_>>()?;
        Ok(rows)
    }

    pub(crate) fn texts(&self, sql: &str, params: impl Params) -> Result<Vec<String>> {
        self.all(sql, params, |row| row.get(0))
    }
}

impl<'a> WriteTx<'a> {
    pub(crate) fn new(conn: &'a Connection, files: &'a Files) -> Self {
        Self { read: ReadTx::new(conn, files), tags: BTreeSet::new(), documents: BTreeMap::new() }
    }

    pub(crate) fn exec(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    pub(crate) fn tag(&mut self, tag: ChangeTag) {
        self.tags.insert(tag);
    }

    /// Makes what is made once for all that the transaction did: search documents, change tags. Called last, just before the
    /// commit.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.make_documents()?;
        for tag in &ChangeTag::folded(std::mem::take(&mut self.tags)) {
            self.exec("INSERT INTO change_tags (tag) VALUES (?1)", [tag.to_string()])?;
        }
        // Who is further behind than this reads everything again.
        self.exec("DELETE FROM change_tags WHERE n < (SELECT max(n) FROM change_tags) - 20000", [])?;
        Ok(())
    }
}
