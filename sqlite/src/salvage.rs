//! What is saved from a damaged replica when a person gives it up: commands that were not judged or were refused, files
//! that the hub does not have, and the tray. Everything else comes again from the hub.
//!
//! Each table is read until a page of it cannot be; what was read before that is kept.

use std::collections::BTreeSet;
use std::path::Path;

use parkdesk_domain::command::{Envelope, EnvelopeHead};
use parkdesk_domain::ids::Millis;
use parkdesk_sqlcipher::system::os;
use parkdesk_sqlcipher::{File, Key, OpenMode, Priority, move_aside, open_damaged};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::attention::NewEntry;
use crate::error::{OpenError, Result};
use crate::files::Files;
use crate::partial::Parts;
use crate::replica::{Replica, STEPS};
use crate::tx::WriteTx;

/// What was saved from a damaged replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged file is now.
    pub aside: std::path::PathBuf,
    /// Unsent and refused commands saved; each is a needs-attention entry of the new replica.
    pub commands: usize,
    /// Files saved that the hub does not have.
    pub files: usize,
    /// What could not be read, if not all.
    pub unread: Option<String>,
}

/// What is read and how it is written; the columns are the same on both sides.
const COMMANDS: &str = "SELECT bytes FROM outbox WHERE verdict IS NULL
    UNION ALL SELECT bytes FROM needs_attention WHERE bytes IS NOT NULL";
const BLOBS: (&str, &str) = (
    "SELECT id, size_bytes, class, is_accepted, created_at_ms FROM blobs WHERE is_local = 1 AND is_stored = 0",
    "INSERT OR IGNORE INTO blobs (id, size_bytes, class, is_accepted, created_at_ms, is_local) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
);
const HOLDERS: (&str, &str) = (
    "SELECT blob_id, person, object FROM blob_holders
     WHERE blob_id IN (SELECT id FROM blobs WHERE is_local = 1 AND is_stored = 0)",
    "INSERT OR IGNORE INTO blob_holders (blob_id, person, object)
     SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM blobs WHERE id = ?1)",
);
const TRAY: (&str, &str) = (
    "SELECT id, name, source_sha256, park_id, source, files, analysis, offers, reason, captured_at_ms, created_at_ms
     FROM unassigned",
    "INSERT OR IGNORE INTO unassigned (id, name, source_sha256, park_id, source, files, analysis, offers, reason,
         captured_at_ms, created_at_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
);

type Rows = Vec<Vec<Value>>;

/// What could be read.
#[derive(Default)]
struct Read {
    commands: Rows,
    blobs: Rows,
    holders: Rows,
    tray: Rows,
    unread: Option<String>,
}

impl Replica {
    /// The person's explicit act on a damaged replica: what only it had is read as far as it can be, the file is moved
    /// aside with the reason, and a new replica is made in which each saved command is a needs-attention entry that holds
    /// its files.
    ///
    /// # Errors
    /// If the files cannot be moved or the new one cannot be made.
    pub fn salvage(
        dir: &Path,
        key: &Key,
        reason: &str,
        now: Millis,
    ) -> std::result::Result<(Self, Salvaged), OpenError> {
        let path = dir.join("replica.db");
        let read = read(&path, key);
        let aside = move_aside(&path, &now.0.to_string(), reason)?;
        let file = File::open(&path, key, STEPS, OpenMode::Create)?;
        let keys = if dir.join("keys.db").exists() { OpenMode::Existing } else { OpenMode::Create };
        let replica = Self::new(file, Files::open(&os(), dir, key, keys)?, Some(Parts::new(&os(), dir)))?;
        let commands = replica.write(Priority::Person, |tx| -> Result<usize> {
            tx.set_setting("keys_made", "1")?;
            tx.put_rows(BLOBS.1, &read.blobs)?;
            tx.put_rows(HOLDERS.1, &read.holders)?;
            tx.put_rows(TRAY.1, &read.tray)?;
            tx.put_commands(&read.commands, now)
        })?;
        Ok((replica, Salvaged { aside, commands, files: read.blobs.len(), unread: read.unread }))
    }
}

impl WriteTx<'_> {
    fn put_rows(&mut self, sql: &str, rows: &Rows) -> Result<()> {
        for row in rows {
            self.exec(sql, params_from_iter(row))?;
        }
        Ok(())
    }

    /// Each command once, with the files that it holds until a person settles it.
    fn put_commands(&mut self, rows: &Rows, now: Millis) -> Result<usize> {
        let mut seen = BTreeSet::new();
        for bytes in rows.iter().flatten() {
            let Value::Blob(bytes) = bytes else { continue };
            let Ok(head) = serde_json::from_slice::<EnvelopeHead>(bytes) else { continue };
            if !seen.insert(head.id.clone()) {
                continue;
            }
            self.add_attention(NewEntry::salvaged(&head.id, bytes), now)?;
            let command = Envelope::from_bytes(bytes).map(|envelope| envelope.command);
            for file in command.iter().flat_map(|command| command.blobs()) {
                let sql = "INSERT OR IGNORE INTO command_blobs (command_id, blob_id) VALUES (?1, ?2)";
                self.exec(sql, (head.id.as_str(), file.id.as_str()))?;
            }
        }
        Ok(seen.len())
    }
}

fn read(path: &Path, key: &Key) -> Read {
    let conn = match open_damaged(path, key) {
        Ok(conn) => conn,
        Err(error) => return Read { unread: Some(error.to_string()), ..Read::default() },
    };
    let mut found = Read::default();
    for (sql, rows) in [
        (COMMANDS, &mut found.commands),
        (BLOBS.0, &mut found.blobs),
        (HOLDERS.0, &mut found.holders),
        (TRAY.0, &mut found.tray),
    ] {
        if let Err(error) = read_rows(&conn, sql, rows) {
            found.unread.get_or_insert(error.to_string());
        }
    }
    found
}

fn read_rows(conn: &Connection, sql: &str, found: &mut Rows) -> rusqlite::Result<()> {
    let mut query = conn.prepare(sql)?;
    let columns = query.column_count();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        found.push((0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?);
    }
    Ok(())
}
