//! The Unassigned tray: pictures whose driver nobody named yet. Their files are sealed with a key of the entry's own (its
//! id is the person), and sealed anew for the driver when one is named.

use parkdesk_domain::body::FileClass;
use parkdesk_domain::ids::{BlobId, Millis, RowId};
use serde::{Deserialize, Serialize};

use crate::change::ChangeTag;
use crate::error::{Result, from_json, parse, to_json};
use crate::tx::{ReadTx, WriteTx};

/// A picture to wait for a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUnassigned {
    /// The entry.
    pub id: RowId,
    /// File name, for people.
    pub name: String,
    /// Of the file as it came.
    pub source_sha256: BlobId,
    /// The park, if known.
    pub park: Option<RowId>,
    /// `folder`, `file` or `camera`.
    pub source: String,
    /// Its files, put into the store and [`WriteTx::add_blob`] before.
    pub files: Vec<(FileClass, BlobId)>,
    /// What the face pipeline said, JSON.
    pub analysis: String,
    /// Drivers offered, JSON.
    pub offers: String,
    /// Why it waits: a code.
    pub reason: String,
    /// When it was taken.
    pub captured_at_ms: Millis,
}

/// A picture that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unassigned {
    /// What was put in.
    #[serde(flatten)]
    pub entry: NewUnassigned,
    /// Since when.
    pub created_at_ms: Millis,
}

const COLUMNS: &str =
    "SELECT id, name, source_sha256, park_id, source, files, analysis, offers, reason, captured_at_ms,
                       created_at_ms FROM unassigned";

type Raw = (Vec<Option<String>>, i64, i64);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    let texts = (0..9).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?;
    Ok((texts, row.get("captured_at_ms")?, row.get("created_at_ms")?))
}

fn from_raw((texts, captured, created): Raw) -> Result<Unassigned> {
    let park = texts.get(3).cloned().flatten().map(|text| parse("tray", &text)).transpose()?;
    let mut texts = texts.into_iter().map(Option::unwrap_or_default);
    let mut next = || texts.next().unwrap_or_default();
    let (id, name, source_sha256) = (parse("tray", &next())?, next(), parse("tray", &next())?);
    let _park = next();
    let (source, files) = (next(), from_json("tray", next())?);
    let entry = NewUnassigned {
        id,
        name,
        source_sha256,
        park,
        source,
        files,
        analysis: next(),
        offers: next(),
        reason: next(),
        captured_at_ms: Millis(captured),
    };
    Ok(Unassigned { entry, created_at_ms: Millis(created) })
}

impl ReadTx<'_> {
    /// All entries, oldest first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn unassigned(&self) -> Result<Vec<Unassigned>> {
        let rows = self.all(&format!("{COLUMNS} ORDER BY created_at_ms, id"), [], raw)?;
        rows.into_iter().map(from_raw).collect()
    }

    /// One entry.
    ///
    /// # Errors
    /// If the file fails.
    pub fn unassigned_entry(&self, id: &RowId) -> Result<Option<Unassigned>> {
        self.one(&format!("{COLUMNS} WHERE id = ?1"), [id.as_str()], raw)?.map(from_raw).transpose()
    }
}

impl WriteTx<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// If the file fails.
    pub fn add_unassigned(&mut self, new: &NewUnassigned, now: Millis) -> Result<()> {
        let sql = "INSERT INTO unassigned (id, name, source_sha256, park_id, source, files, analysis, offers, reason,
                       captured_at_ms, created_at_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let files = to_json("tray", &new.files)?;
        self.exec(
            sql,
            rusqlite::params![
                new.id.as_str(),
                new.name,
                new.source_sha256.as_str(),
                new.park.as_ref().map(RowId::as_str),
                new.source,
                files,
                new.analysis,
                new.offers,
                new.reason,
                new.captured_at_ms.0,
                now.0
            ],
        )?;
        self.tag(ChangeTag::Tray);
        Ok(())
    }

    /// Replaces the drivers offered (JSON).
    ///
    /// # Errors
    /// If the file fails.
    pub fn set_offers(&mut self, id: &RowId, offers: &str) -> Result<()> {
        self.exec("UPDATE unassigned SET offers = ?2 WHERE id = ?1", [id.as_str(), offers])?;
        self.tag(ChangeTag::Tray);
        Ok(())
    }

    /// Removes an entry; files that no photo took are swept at the next start.
    ///
    /// # Errors
    /// If the file fails.
    pub fn remove_unassigned(&mut self, id: &RowId) -> Result<()> {
        self.exec("DELETE FROM unassigned WHERE id = ?1", [id.as_str()])?;
        self.tag(ChangeTag::Tray);
        Ok(())
    }
}
