//! The doctor: whether the replica is what its invariants say (protocol, "Rebase" and "Blobs"). It changes nothing: what
//! cannot be known without writing is written and rolled back.
//!
//! A finding names no person: counts, and the first thing at fault as kind and a short hash of its id.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use parkdesk_domain::canonical;
use parkdesk_domain::command::Envelope;
use parkdesk_domain::ids::BlobId;
use parkdesk_sqlcipher::Priority;
use parkdesk_sqlcipher::sealed::plain_size;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, parse};
use crate::replica::Replica;
use crate::tx::{ReadTx, WriteTx};
use crate::typed;

/// What is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Every page has its checksum.
    Pages,
    /// Every row has the hash of its body.
    RowHashes,
    /// No row is ahead of its scope's cursor.
    Cursors,
    /// Waiting commands read back as what the queue says of them.
    Queue,
    /// The hub's row lies aside for every row that a waiting command wrote, and for no other.
    Shadows,
    /// Files that were not sent yet are here.
    Unsent,
    /// Every file that is noted is in the folder in its size; thoroughly: with its SHA-256.
    Files,
    /// Every file and template has a key that opens it.
    Keys,
    /// The search tables are what the rows make of them.
    Typed,
    /// Planning all waiting commands again changes nothing.
    Plans,
}

impl Check {
    /// In the order in which they run.
    pub const ALL: &'static [Self] = &[
        Self::Pages,
        Self::RowHashes,
        Self::Cursors,
        Self::Queue,
        Self::Shadows,
        Self::Unsent,
        Self::Files,
        Self::Keys,
        Self::Typed,
        Self::Plans,
    ];

    /// Whether it runs only when all is examined, for nothing can be saved meanwhile.
    #[must_use]
    pub fn is_thorough(self) -> bool {
        matches!(self, Self::Typed | Self::Plans)
    }
}

/// How much is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What takes moments and holds up nobody.
    Quick,
    /// All: each file is opened, and nothing can be saved while the tables are made anew for comparison.
    Thorough,
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was examined.
    pub check: Check,
    /// How many things.
    pub examined: u64,
    /// How many of them are not as they must be.
    pub faults: u64,
    /// The first of these, without its id.
    pub first: Option<String>,
}

impl Finding {
    fn new(check: Check) -> Self {
        Self { check, examined: 0, faults: 0, first: None }
    }

    fn look(&mut self, is_sound: bool, what: impl FnOnce() -> String) {
        self.examined += 1;
        if !is_sound {
            self.fault(what());
        }
    }

    fn fault(&mut self, what: String) {
        self.faults += 1;
        self.first.get_or_insert(what);
    }
}

/// Which one, for somebody who has the id, and for nobody else.
fn veiled(kind: &str, id: &str) -> String {
    format!("{kind} {}", canonical::hash(id).get(..8).unwrap_or_default())
}

/// A transaction is rolled back with what it found.
enum Undone<T> {
    Found(T),
    Failed(Error),
}

impl<T> From<Error> for Undone<T> {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Replica {
    /// Examines the replica.
    ///
    /// # Errors
    /// If the file cannot be read at all.
    pub fn examine(&self, depth: Depth) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for check in Check::ALL {
            if check.is_thorough() && depth == Depth::Quick {
                continue;
            }
            let finding = match check {
                Check::Pages => self.examine_pages()?,
                Check::RowHashes => self.read(|tx| tx.examine_hashes())?,
                Check::Cursors => self.read(|tx| tx.examine_cursors())?,
                Check::Queue => self.read(|tx| tx.examine_queue())?,
                Check::Shadows => self.read(|tx| tx.examine_shadows())?,
                Check::Unsent => self.read(|tx| tx.examine_unsent())?,
                Check::Files => self.examine_files(depth)?,
                Check::Keys => self.read(|tx| tx.examine_keys())?,
                Check::Typed => self.compare(Check::Typed, "tables", typed::TABLES, |tx| tx.rebuild_typed())?,
                Check::Plans => self.compare(Check::Plans, "rows", PLANNED, |tx| tx.replan_all())?,
            };
            findings.push(finding);
        }
        Ok(findings)
    }

    fn examine_pages(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Pages);
        finding.examined = self.read(|tx| tx.count("PRAGMA page_count"))?;
        for damage in self.damaged_pages()? {
            finding.fault(damage);
        }
        Ok(finding)
    }

    fn examine_files(&self, depth: Depth) -> Result<Finding> {
        let mut finding = Finding::new(Check::Files);
        let sql = "SELECT blobs.id, person, object, size_bytes FROM blob_holders JOIN blobs ON blobs.id = blob_id
                   ORDER BY blobs.id, person";
        let held: Vec<(String, String, String, u64)> =
            self.read(|tx| tx.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))))?;
        let keys = self.files().all_keys()?;
        for (id, person, object, size_bytes) in held {
            let object = parse("object", &object)?;
            let is_sound = match depth {
                Depth::Quick => self.files().sealed_size(&object).ok().and_then(plain_size) == Some(size_bytes),
                Depth::Thorough => keys.get(&person).is_some_and(|key| {
                    self.files().get_with(key, &object).is_ok_and(|plain| BlobId::of(&plain).as_str() == id)
                }),
            };
            finding.look(is_sound, || veiled("file", &id));
        }
        Ok(finding)
    }

    /// Does something that must change nothing, compares, and rolls it back.
    fn compare(
        &self,
        check: Check,
        what: &str,
        tables: &[&str],
        again: impl FnOnce(&mut WriteTx<'_>) -> Result<()>,
    ) -> Result<Finding> {
        let undone = self.write(Priority::Person, |tx| -> std::result::Result<(), Undone<_>> {
            let before = tx.digests(tables)?;
            again(tx)?;
            tx.make_documents()?;
            Err(Undone::Found((before, tx.digests(tables)?)))
        });
        let (before, after) = match undone {
            Err(Undone::Found(found)) => found,
            Err(Undone::Failed(error)) => return Err(error),
            Ok(()) => return Err(Error::Plan("BUG: an examination was committed".into())),
        };
        let mut finding = Finding::new(check);
        for ((table, before), (_, after)) in before.iter().zip(&after) {
            finding.look(before == after, || format!("{what} of {table}"));
        }
        Ok(finding)
    }
}

/// What a table holds, whatever the order of its rows; none of a text index, which has no content to be read.
fn content(table: &str) -> Option<String> {
    Some(match table {
        "driver_words" | "driver_trigrams" => return None,
        // Documents are numbered anew.
        "driver_docs" => "SELECT park_id, driver_id, sort_name FROM driver_docs".to_owned(),
        "driver_keys" => {
            "SELECT park_id, driver_id, space, key FROM driver_docs JOIN driver_keys USING (doc)".to_owned()
        }
        table => format!("SELECT * FROM {table}"),
    })
}

const PLANNED: &[&str] = &["rows", "shadow", "pending_touch"];

impl ReadTx<'_> {
    /// How many rows there are of each kind.
    ///
    /// # Errors
    /// If the file fails.
    pub fn count_rows(&self) -> Result<Vec<(String, u64)>> {
        self.all("SELECT kind, count(*) FROM rows GROUP BY kind", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn count(&self, sql: &str) -> Result<u64> {
        Ok(self.one(sql, [], |row| row.get(0))?.unwrap_or(0))
    }

    /// A digest of what each table holds.
    fn digests(&self, tables: &[&str]) -> Result<Vec<(String, u64)>> {
        let digest = |(table, sql): (&str, String)| {
            let mut query = self.conn.prepare(&sql)?;
            let columns = query.column_count();
            let mut rows = query.query([])?;
            let mut all = 0_u64;
            while let Some(row) = rows.next()? {
                let mut hash = DefaultHasher::new();
                for column in 0..columns {
                    format!("{:?}", row.get_ref(column)?).hash(&mut hash);
                }
                all = all.wrapping_add(hash.finish());
            }
            Ok((table.to_owned(), all))
        };
        tables.iter().filter_map(|table| Some((*table, content(table)?))).map(digest).collect()
    }

    fn examine_hashes(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::RowHashes);
        let mut query = self.conn.prepare(
            "SELECT kind, id, hash, body FROM rows
             UNION ALL SELECT kind, id, hash, body FROM shadow WHERE is_present = 1",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get("kind")?, row.get("id")?);
            let (hash, body): (String, String) = (row.get("hash")?, row.get("body")?);
            finding.look(canonical::hash(&body) == hash, || veiled(&kind, &id));
        }
        Ok(finding)
    }

    fn examine_cursors(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Cursors);
        finding.examined = self.count("SELECT count(*) FROM cursors")?;
        // The hub's own rows: in the shadow where a waiting command wrote. Those of a scope begun again are older than it.
        let sql = "WITH hubs AS (
                       SELECT scope, kind, id, version FROM rows
                       WHERE NOT EXISTS (SELECT 1 FROM shadow WHERE shadow.scope = rows.scope
                           AND shadow.kind = rows.kind AND shadow.id = rows.id)
                       UNION ALL SELECT scope, kind, id, version FROM shadow WHERE is_present = 1)
                   SELECT hubs.kind, hubs.id FROM hubs LEFT JOIN cursors ON cursors.scope = hubs.scope
                   WHERE (cursors.scope IS NULL OR hubs.version > cursors.version)
                     AND NOT EXISTS (SELECT 1 FROM sweep WHERE sweep.scope = hubs.scope
                         AND sweep.kind = hubs.kind AND sweep.id = hubs.id)";
        for (kind, id) in self.pairs(sql)? {
            finding.fault(veiled(&kind, &id));
        }
        Ok(finding)
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>> {
        self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn examine_queue(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Queue);
        let next: u64 = self.count("SELECT next_seq FROM identity")?;
        let epoch = self.epoch()?;
        let mut query = self.conn.prepare("SELECT seq, id, epoch, bytes FROM outbox ORDER BY seq")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, id): (u64, String) = (row.get("seq")?, row.get("id")?);
            let bytes: Vec<u8> = row.get("bytes")?;
            let is_itself = serde_json::from_slice::<Envelope>(&bytes)
                .is_ok_and(|envelope| envelope.seq == seq && envelope.id.as_str() == id);
            let is_ours = row.get::<_, u64>("epoch")? == epoch;
            finding.look(is_itself && is_ours && seq < next, || veiled("command", &id));
        }
        let lost = "SELECT 'touch', seq FROM pending_touch WHERE seq NOT IN (SELECT seq FROM outbox) GROUP BY seq
                    UNION ALL
                    SELECT 'number', seq + 1 FROM (SELECT seq FROM outbox UNION SELECT seq FROM verdicts, identity
                        WHERE verdicts.epoch = identity.epoch) AS known
                    WHERE seq >= (SELECT min(seq) FROM outbox) AND seq + 1 < (SELECT next_seq FROM identity)
                      AND seq + 1 NOT IN (SELECT seq FROM outbox)
                      AND seq + 1 NOT IN (SELECT seq FROM verdicts, identity WHERE verdicts.epoch = identity.epoch)";
        for (what, seq) in self.all(lost, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?)))? {
            finding.fault(format!("{what} {seq}"));
        }
        Ok(finding)
    }

    fn examine_shadows(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Shadows);
        finding.examined = self.count("SELECT count(*) FROM shadow")?;
        let sql = "SELECT kind, id FROM shadow WHERE NOT EXISTS (SELECT 1 FROM pending_touch AS touch
                       WHERE touch.scope = shadow.scope AND touch.kind = shadow.kind AND touch.id = shadow.id
                         AND is_write = 1)
                   UNION ALL
                   SELECT kind, id FROM pending_touch AS touch
                   WHERE is_write = 1 AND kind NOT LIKE 'key/%' AND kind <> 'rights'
                     AND NOT EXISTS (SELECT 1 FROM shadow WHERE touch.scope = shadow.scope
                         AND touch.kind = shadow.kind AND touch.id = shadow.id)";
        for (kind, id) in self.pairs(sql)? {
            finding.fault(veiled(&kind, &id));
        }
        Ok(finding)
    }

    fn examine_unsent(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Unsent);
        let unsent = "FROM blobs WHERE is_local = 1 AND is_stored = 0 AND parked IS NULL";
        finding.examined = self.count(&format!("SELECT count(*) {unsent}"))?;
        let sql = format!(
            "SELECT 'file', id {unsent} AND NOT EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = blobs.id)
             UNION ALL
             SELECT 'file', blob_id FROM command_blobs JOIN outbox ON outbox.id = command_id
             WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.id = blob_id)"
        );
        for (kind, id) in self.pairs(&sql)? {
            finding.fault(veiled(&kind, &id));
        }
        Ok(finding)
    }

    fn examine_keys(&self) -> Result<Finding> {
        let mut finding = Finding::new(Check::Keys);
        let known: BTreeSet<String> = self.files.all_keys()?.into_keys().collect();
        let sql = "SELECT person FROM blob_holders UNION SELECT person FROM templates";
        for person in self.texts(sql, [])? {
            finding.look(known.contains(&person), || veiled("person", &person));
        }
        Ok(finding)
    }
}
