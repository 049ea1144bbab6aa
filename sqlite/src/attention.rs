//! What only a person can settle: refused commands, conflicts, files that do not go through. An entry keeps the command's
//! bytes and holds its files until it is settled.
//!
//! Settling makes new commands with new ids (a command is never encoded again). Using an offered row instead writes an
//! alias, and every entry that named the old row is sent again with the new one.

use parkdesk_domain::command::{Actor, Command, Envelope};
use parkdesk_domain::ids::{BlobId, CommandId, Millis, RowId};
use parkdesk_domain::refusal::{FieldConflict, Offer, Refusal};
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::wire::Judged;
use serde::Serialize;

use crate::change::ChangeTag;
use crate::error::{Error, Result, from_json, parse, to_json};
use crate::outbox::{Draft, Submitted};
use crate::tx::{ReadTx, WriteTx};

/// Why an entry is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// The hub refused the command.
    Refused,
    /// The hub took the command, but not the fields that somebody else had changed.
    Conflict,
    /// A file cannot be sent or fetched.
    ParkedBlob,
    /// An unsent command saved from a damaged file.
    Salvaged,
}

impl AttentionKind {
    const ALL: [Self; 4] = [Self::Refused, Self::Conflict, Self::ParkedBlob, Self::Salvaged];

    fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::ParkedBlob => "parked_blob",
            Self::Salvaged => "salvaged",
        }
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeedsAttention {
    /// Its number.
    pub id: i64,
    /// Why it is there.
    pub kind: AttentionKind,
    /// The command, as it was sent; none for a file.
    pub command: Option<Envelope>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// Fields with both values.
    pub conflicts: Vec<FieldConflict>,
    /// The file.
    pub blob: Option<BlobId>,
    /// Rows it is about.
    pub rows: Vec<RowRef>,
    /// A row to use instead.
    pub offer: Option<Offer>,
    /// Since when.
    pub created_at_ms: Millis,
}

/// How a person settles an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// The same command once more (or the file's transfer).
    Retry,
    /// This command instead.
    Edit(Command),
    /// Let it be; its files go.
    Discard,
    /// Use the offered row instead.
    UseOffer,
}

/// Who settles, when, and where new command ids come from.
pub struct Settler<'a> {
    /// Who.
    pub actor: Actor,
    /// The device's clock.
    pub now: Millis,
    /// New command ids.
    pub new_id: &'a mut dyn FnMut() -> CommandId,
}

/// What settling did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The entry is gone; these new commands were queued.
    Done {
        /// Their places in the sequence.
        seqs: Vec<u64>,
    },
    /// The rules refuse the new command already here; the entry stays.
    Refused(Box<Refusal>),
}

/// An entry to be added.
pub(crate) struct NewEntry {
    kind: AttentionKind,
    command: Option<(String, Vec<u8>)>,
    refusal: Option<String>,
    conflicts: Vec<FieldConflict>,
    blob: Option<BlobId>,
    rows: Vec<RowRef>,
}

impl NewEntry {
    fn new(kind: AttentionKind) -> Self {
        Self { kind, command: None, refusal: None, conflicts: Vec::new(), blob: None, rows: Vec::new() }
    }

    pub(crate) fn refused(judged: &Judged, bytes: &[u8], refusal: &Refusal, mut rows: Vec<RowRef>) -> Self {
        rows.extend(refusal.row.clone());
        let command = Some((judged.id.as_str().to_owned(), bytes.to_owned()));
        let text = serde_json::to_string(refusal).ok();
        let conflicts = refusal.conflicts.clone();
        Self { command, refusal: text, conflicts, rows, ..Self::new(AttentionKind::Refused) }
    }

    pub(crate) fn conflict(judged: &Judged, bytes: &[u8], conflicts: &[FieldConflict], rows: Vec<RowRef>) -> Self {
        let command = Some((judged.id.as_str().to_owned(), bytes.to_owned()));
        Self { command, conflicts: conflicts.to_vec(), rows, ..Self::new(AttentionKind::Conflict) }
    }

    pub(crate) fn parked(blob: &BlobId) -> Self {
        Self { blob: Some(blob.clone()), ..Self::new(AttentionKind::ParkedBlob) }
    }

    pub(crate) fn salvaged(id: &CommandId, bytes: &[u8]) -> Self {
        let command = Some((id.as_str().to_owned(), bytes.to_owned()));
        Self { command, ..Self::new(AttentionKind::Salvaged) }
    }
}

type Raw = (i64, String, Option<Vec<u8>>, Option<String>, String, Option<String>, i64);

const COLUMNS: &str = "SELECT id, kind, bytes, refusal, conflicts, blob_id, created_at_ms FROM needs_attention";

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get("id")?,
        row.get("kind")?,
        row.get("bytes")?,
        row.get("refusal")?,
        row.get("conflicts")?,
        row.get("blob_id")?,
        row.get("created_at_ms")?,
    ))
}

impl ReadTx<'_> {
    /// All entries, oldest first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn needs_attention(&self) -> Result<Vec<NeedsAttention>> {
        let rows = self.all(&format!("{COLUMNS} ORDER BY id"), [], raw)?;
        rows.into_iter().map(|row| self.entry(row)).collect()
    }

    /// One entry.
    ///
    /// # Errors
    /// If the file fails.
    pub fn attention_entry(&self, id: i64) -> Result<Option<NeedsAttention>> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), [id], raw)?.map(|row| self.entry(row)).transpose()
    }

    fn entry(&self, (id, kind, bytes, refusal, conflicts, blob, created): Raw) -> Result<NeedsAttention> {
        let known = AttentionKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let refusal: Option<Refusal> = refusal.map(|text| from_json("refusal", text)).transpose()?;
        let sql = "SELECT scope, kind, id FROM attention_rows WHERE entry = ?1 ORDER BY scope, kind, id";
        let rows = self
            .all(sql, [id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
        Ok(NeedsAttention {
            id,
            kind: known.ok_or(Error::Unreadable { what: "needs-attention entry", cause: kind })?,
            command: bytes.map(|bytes| from_json("command", bytes)).transpose()?,
            offer: refusal.as_ref().and_then(|refusal| refusal.offer.clone()),
            refusal,
            conflicts: from_json("conflicts", conflicts)?,
            blob: blob.map(|text| parse("blob", &text)).transpose()?,
            rows: rows.iter().map(|(s, k, i)| crate::rows::row_ref(s, k, i)).collect::<Result<_>>()?,
            created_at_ms: Millis(created),
        })
    }
}

impl WriteTx<'_> {
    pub(crate) fn add_attention(&mut self, new: NewEntry, now: Millis) -> Result<()> {
        let sql = "INSERT INTO needs_attention (kind, command_id, bytes, refusal, conflicts, blob_id, created_at_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (id, bytes) = new.command.unzip();
        let blob = new.blob.as_ref().map(BlobId::as_str);
        let conflicts = to_json("conflicts", &new.conflicts)?;
        self.exec(sql, (new.kind.as_str(), id, bytes, new.refusal, conflicts, blob, now.0))?;
        let entry = self.conn.last_insert_rowid();
        for row in new.rows {
            let sql = "INSERT OR IGNORE INTO attention_rows (entry, scope, kind, id) VALUES (?1, ?2, ?3, ?4)";
            self.exec(sql, (entry, row.scope.to_string(), row.kind.as_str(), row.id.as_str()))?;
            self.tag(ChangeTag::Row(row.kind, row.id));
        }
        self.tag(ChangeTag::NeedsAttention);
        Ok(())
    }

    /// Settles an entry.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NotSettleable`]; if the file fails.
    pub fn settle(&mut self, id: i64, how: Settle, settler: &mut Settler<'_>) -> Result<Settled> {
        let missing = || Error::Missing { what: "needs-attention entry", id: id.to_string() };
        let entry = self.attention_entry(id)?.ok_or_else(missing)?;
        match (how, entry.command.clone(), &entry.blob) {
            (Settle::Discard, _, _) => {
                self.remove_entry(&entry)?;
                self.release_unreferenced()?;
                Ok(Settled::Done { seqs: Vec::new() })
            }
            (Settle::Retry, None, Some(blob)) => {
                self.unpark_blob(blob)?;
                self.remove_entry(&entry)?;
                Ok(Settled::Done { seqs: Vec::new() })
            }
            (Settle::Retry, Some(old), _) => self.send_again(&entry, old.command, settler),
            (Settle::Edit(command), Some(_), _) => self.send_again(&entry, command, settler),
            (Settle::UseOffer, Some(old), _) => self.use_offer(&entry, &old, settler),
            (Settle::Edit(_) | Settle::UseOffer | Settle::Retry, None, _) => Err(Error::NotSettleable),
        }
    }

    fn send_again(&mut self, entry: &NeedsAttention, command: Command, settler: &mut Settler<'_>) -> Result<Settled> {
        let draft = Draft { id: (settler.new_id)(), actor: settler.actor.clone(), now: settler.now, command };
        match self.submit(draft)? {
            Submitted::Refused(refusal) => Ok(Settled::Refused(refusal)),
            Submitted::Saved { seq, .. } => {
                self.remove_entry(entry)?;
                self.release_unreferenced()?;
                Ok(Settled::Done { seqs: vec![seq] })
            }
        }
    }

    /// The offered row is used: what named the row that was not made is sent again with it.
    fn use_offer(&mut self, entry: &NeedsAttention, old: &Envelope, settler: &mut Settler<'_>) -> Result<Settled> {
        let (Some(offer), Command::DriverCreate(args)) = (&entry.offer, &old.command) else {
            return Err(Error::NotSettleable);
        };
        if offer.kind != Kind::Driver {
            return Err(Error::NotSettleable);
        }
        let sql = "INSERT OR REPLACE INTO aliases (old_id, new_id, at_ms) VALUES (?1, ?2, ?3)";
        self.exec(sql, (args.driver.as_str(), offer.id.as_str(), settler.now.0))?;
        self.remove_entry(entry)?;
        let mut seqs = Vec::new();
        for other in self.needs_attention()? {
            let named = other.command.clone().and_then(|other| with_driver(other.command, &args.driver, &offer.id));
            if let Some(command) = named
                && let Settled::Done { seqs: sent } = self.send_again(&other, command, settler)?
            {
                seqs.extend(sent);
            }
        }
        Ok(Settled::Done { seqs })
    }

    fn remove_entry(&mut self, entry: &NeedsAttention) -> Result<()> {
        self.exec("DELETE FROM needs_attention WHERE id = ?1", [entry.id])?;
        if let Some(command) = &entry.command {
            let sql = "DELETE FROM command_blobs WHERE command_id = ?1 AND ?1 NOT IN (SELECT id FROM outbox)";
            self.exec(sql, [command.id.as_str()])?;
        }
        for row in &entry.rows {
            self.tag(ChangeTag::Row(row.kind.clone(), row.id.clone()));
        }
        self.tag(ChangeTag::NeedsAttention);
        Ok(())
    }
}

/// The command with `new` in place of `old`, if it names it.
fn with_driver(command: Command, old: &RowId, new: &RowId) -> Option<Command> {
    match command {
        Command::PhotoCapture(mut args) if args.driver == *old => {
            args.driver = new.clone();
            Some(Command::PhotoCapture(args))
        }
        Command::PhotoAssign(mut args) if args.driver.now == *old => {
            args.driver.now = new.clone();
            Some(Command::PhotoAssign(args))
        }
        Command::PhotoCapture(_)
        | Command::PhotoAssign(_)
        | Command::PhotoWithdraw(_)
        | Command::DriverCreate(_)
        | Command::DriverEdit(_)
        | Command::MatchDecide(_)
        | Command::PersonCreate(_)
        | Command::PersonSetPassCode(_)
        | Command::PersonRemove(_)
        | Command::ParkCreate(_)
        | Command::DeviceEnrol(_)
        | Command::DeviceRevoke(_)
        | Command::ParkSetFaces(_)
        | Command::PhotoBytesStored(_) => None,
    }
}
