//! Files by their SHA-256: which are held here under which object, which may be sent, which are wanted.
//!
//! Invariant: a file that the hub does not have is never removed while a photo, a pending or refused command or the tray
//! refers to it. The same bytes may belong to several persons: each has an object of its own, so that destroying one
//! person's key never takes another's file. Objects are removed from the folder only after the commit that forgot them ([`crate::Replica::empty_trash`]).

use parkdesk_domain::body::FileClass;
use parkdesk_domain::ids::{BlobId, Millis, RowId};
use parkdesk_domain::row::RowRef;
use parkdesk_sqlcipher::sealed::ObjectName;
use serde::Serialize;

use crate::attention::NewEntry;
use crate::change::ChangeTag;
use crate::error::{Result, parse, to_json};
use crate::tx::{ReadTx, WriteTx};
use crate::typed::{class_number, class_of};

/// Where a file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Made here: to be sent.
    Local,
    /// Fetched from the hub.
    Hub,
}

/// A file put into the store, to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBlob {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// Its object in the store.
    pub object: ObjectName,
    /// Whose key seals it.
    pub person: RowId,
    /// What it is for.
    pub class: FileClass,
    /// Where it came from.
    pub origin: Origin,
}

/// A file that is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blob {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// What it is for.
    pub class: FileClass,
    /// One of its objects, if its bytes are held here.
    #[serde(skip)]
    pub object: Option<ObjectName>,
    /// The hub has it.
    pub is_stored: bool,
    /// Why it is not tried any more.
    pub parked: Option<String>,
}

/// Some files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Their number.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// All files that are to move one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToMove {
    /// Small pictures, and whole ones that are urgent.
    pub first: Sum,
    /// Whole pictures that are not urgent: a metered network holds them back.
    pub patient: Sum,
}

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// What it is for.
    pub class: FileClass,
}

/// Photos that were taken back, and those that were not, of the file `blobs.id`.
const OF_WITHDRAWN: &str = "SELECT 1 FROM photo_files JOIN photos USING (scope)
    WHERE photos.id = photo_files.photo_id AND blob_id = blobs.id AND status = 'withdrawn'";
const OF_LIVE: &str = "SELECT 1 FROM photo_files JOIN photos USING (scope)
    WHERE photos.id = photo_files.photo_id AND blob_id = blobs.id AND status <> 'withdrawn'";

/// The files to send.
fn to_send() -> String {
    format!(
        "FROM blobs
         WHERE is_local = 1 AND is_stored = 0 AND is_accepted = 1 AND parked IS NULL
           AND EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = blobs.id)
           AND (NOT EXISTS ({OF_WITHDRAWN}) OR EXISTS ({OF_LIVE}))"
    )
}

/// The files to fetch.
const TO_FETCH: &str = "FROM photo_files INDEXED BY photo_files_missing
    WHERE is_missing = 1 AND blob_id NOT IN (SELECT id FROM blobs WHERE parked IS NOT NULL)";

/// The next files to fetch.
pub(crate) fn next_to_fetch() -> String {
    format!(
        "SELECT blob_id, size_bytes, class, photo_id,
             (SELECT driver_id FROM photos WHERE photos.scope = photo_files.scope AND photos.id = photo_id) AS driver_id
         {TO_FETCH} ORDER BY class, captured_at_ms DESC, photo_id LIMIT ?1"
    )
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Their number.
    pub size_bytes: u64,
    /// What it is for.
    pub class: FileClass,
    /// The photo.
    pub photo: RowId,
    /// The driver shown, whose key is to seal it.
    pub driver: RowId,
}

impl ReadTx<'_> {
    /// A file.
    ///
    /// # Errors
    /// If the file fails.
    pub fn blob(&self, id: &BlobId) -> Result<Option<Blob>> {
        let sql = "SELECT size_bytes, class, is_stored, parked,
                       (SELECT min(object) FROM blob_holders WHERE blob_id = id) AS object
                   FROM blobs WHERE id = ?1";
        let found = self.one(sql, [id.as_str()], |row| {
            Ok((
                row.get("size_bytes")?,
                row.get::<_, i64>("class")?,
                row.get::<_, Option<String>>("object")?,
                row.get("is_stored")?,
                row.get("parked")?,
            ))
        })?;
        let Some((size_bytes, class, object, is_stored, parked)) = found else { return Ok(None) };
        Ok(Some(Blob {
            id: id.clone(),
            size_bytes,
            class: class_of(class),
            object: object.map(|name| parse("blob", &name)).transpose()?,
            is_stored,
            parked,
        }))
    }

    /// Files to send, thumbs first, then portraits, then originals: only those whose command the hub has applied.
    ///
    /// # Errors
    /// If the file fails.
    pub fn uploads(&self, limit: u32) -> Result<Vec<Upload>> {
        let sql = format!("SELECT id, size_bytes, class {} ORDER BY class, created_at_ms, id LIMIT ?1", to_send());
        let rows = self.all(&sql, [limit], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?)))?;
        rows.into_iter()
            .map(|(id, size_bytes, class)| Ok(Upload { id: parse("blob", &id)?, size_bytes, class: class_of(class) }))
            .collect()
    }

    /// How many files wait to be sent, with those whose command is not judged yet.
    ///
    /// # Errors
    /// If the file fails.
    pub fn uploads_waiting(&self) -> Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM blobs WHERE is_local = 1 AND is_stored = 0
             AND (is_accepted = 1 OR id IN (SELECT blob_id FROM command_blobs))
             AND (NOT EXISTS ({OF_WITHDRAWN}) OR EXISTS ({OF_LIVE}))"
        );
        Ok(self.one(&sql, [], |row| row.get(0))?.unwrap_or(0))
    }

    /// The sums of [`Self::uploads`], over all of them.
    ///
    /// # Errors
    /// If the file fails.
    pub fn uploads_sum(&self, urgent: &[BlobId]) -> Result<ToMove> {
        self.sum(&format!("SELECT id, size_bytes, class {}", to_send()), urgent)
    }

    /// The sums of [`Self::wanted_downloads`], over all of them.
    ///
    /// # Errors
    /// If the file fails.
    pub fn downloads_sum(&self, urgent: &[BlobId]) -> Result<ToMove> {
        self.sum(&format!("SELECT blob_id AS id, size_bytes, class {TO_FETCH}"), urgent)
    }

    fn sum(&self, of: &str, urgent: &[BlobId]) -> Result<ToMove> {
        let urgent = to_json("urgent", &urgent.iter().map(BlobId::as_str).collect::<Vec<_>>())?;
        let sql = format!(
            "SELECT patient, count(*), coalesce(sum(size_bytes), 0)
             FROM (SELECT size_bytes, class = ?1 AND id NOT IN (SELECT value FROM json_each(?2)) AS patient FROM ({of}))
             GROUP BY patient"
        );
        let mut sums = ToMove::default();
        let rows = self.all(&sql, (class_number(FileClass::Original), urgent), |row| {
            Ok((row.get::<_, bool>(0)?, Sum { files: row.get(1)?, bytes: row.get(2)? }))
        })?;
        for (is_patient, sum) in rows {
            *if is_patient { &mut sums.patient } else { &mut sums.first } = sum;
        }
        Ok(sums)
    }

    /// Files that the hub has and this appliance has not, thumbs first, newest photos first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn wanted_downloads(&self, limit: u32) -> Result<Vec<Download>> {
        let rows = self.all(&next_to_fetch(), [limit], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, String>(4)?,
            ))
        })?;
        rows.into_iter()
            .map(|(id, size_bytes, class, photo, driver)| {
                Ok(Download {
                    id: parse("blob", &id)?,
                    size_bytes,
                    class: class_of(class),
                    photo: parse("photo", &photo)?,
                    driver: parse("driver", &driver)?,
                })
            })
            .collect()
    }

    /// Files of photos (of these, or of all) that are sealed for others only than the driver shown, as the hub has it.
    pub(crate) fn missealed(&self, photos: Option<&[RowId]>) -> Result<Vec<(BlobId, FileClass, RowId)>> {
        let ids = photos.map(|ids| ids.iter().map(RowId::as_str).collect::<Vec<_>>());
        let ids = ids.map(|ids| to_json("photos", &ids)).transpose()?;
        let sql = "SELECT DISTINCT photo_files.blob_id, photo_files.class, driver_id
                   FROM photos JOIN photo_files ON photo_files.scope = photos.scope AND photo_id = photos.id
                   WHERE (?1 IS NULL OR photos.id IN (SELECT value FROM json_each(?1))) AND status <> 'withdrawn'
                     AND NOT EXISTS (SELECT 1 FROM shadow
                         WHERE shadow.scope = photos.scope AND shadow.kind = 'photo' AND shadow.id = photos.id)
                     AND EXISTS (SELECT 1 FROM blob_holders WHERE blob_holders.blob_id = photo_files.blob_id)
                     AND NOT EXISTS (SELECT 1 FROM blob_holders
                         WHERE blob_holders.blob_id = photo_files.blob_id AND person = driver_id)";
        let rows = self
            .all(sql, [ids], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)))?;
        rows.iter()
            .map(|(blob, class, driver)| Ok((parse("blob", blob)?, class_of(*class), parse("driver", driver)?)))
            .collect()
    }

    /// A file's objects with the persons whose keys seal them.
    pub(crate) fn holders(&self, id: &BlobId) -> Result<Vec<(RowId, ObjectName)>> {
        let sql = "SELECT person, object FROM blob_holders WHERE blob_id = ?1 ORDER BY person";
        let rows = self.all(sql, [id.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.iter().map(|(person, object)| Ok((parse("blob", person)?, parse("blob", object)?))).collect()
    }

    /// All objects that rows refer to.
    pub(crate) fn known_objects(&self) -> Result<Vec<String>> {
        self.texts("SELECT object FROM blob_holders UNION SELECT object FROM trash", [])
    }
}

impl WriteTx<'_> {
    /// Remembers a file that was put into the store. Known bytes sealed with the same person's key are kept and the new
    /// object goes; for another person the new object is kept beside the others.
    ///
    /// # Errors
    /// If the file fails.
    pub fn add_blob(&mut self, new: &NewBlob, now: Millis) -> Result<()> {
        let is_local = new.origin == Origin::Local;
        let (id, object, person) = (new.id.as_str(), new.object.as_str(), new.person.as_str());
        if self.blob(&new.id)?.is_none() {
            let sql = "INSERT INTO blobs (id, size_bytes, class, is_local, is_stored, created_at_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            self.exec(sql, (id, new.size_bytes, class_number(new.class), is_local, !is_local, now.0))?;
        }
        let sql = "INSERT OR IGNORE INTO blob_holders (blob_id, person, object) VALUES (?1, ?2, ?3)";
        if self.exec(sql, (id, person, object))? > 0 {
            self.exec("UPDATE blobs SET parked = NULL, is_local = max(is_local, ?2) WHERE id = ?1", (id, is_local))?;
        } else {
            let sql = "INSERT OR IGNORE INTO trash (object)
                       SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM blob_holders WHERE object = ?1)";
            self.exec(sql, [object])?;
        }
        self.tag(ChangeTag::Blobs);
        Ok(())
    }

    /// Remembers the object sealed for the driver shown; those of persons whom nothing refers to any more go.
    pub(crate) fn add_holder(&mut self, id: &BlobId, person: &RowId, object: &ObjectName) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO blob_holders (blob_id, person, object) VALUES (?1, ?2, ?3)";
        self.exec(sql, (id.as_str(), person.as_str(), object.as_str()))?;
        const LEFT: &str = "blob_id = ?1 AND person <> ?2
            AND NOT EXISTS (SELECT 1 FROM command_blobs WHERE command_blobs.blob_id = blob_holders.blob_id)
            AND NOT EXISTS (SELECT 1 FROM unassigned WHERE unassigned.id = person)
            AND NOT EXISTS (SELECT 1 FROM photos JOIN photo_files
                ON photo_files.scope = photos.scope AND photo_id = photos.id
                WHERE photo_files.blob_id = blob_holders.blob_id AND driver_id = person)";
        let at = (id.as_str(), person.as_str());
        self.exec(&format!("INSERT OR IGNORE INTO trash (object) SELECT object FROM blob_holders WHERE {LEFT}"), at)?;
        self.exec(&format!("DELETE FROM blob_holders WHERE {LEFT}"), at)?;
        // A template is made anew from the picture, under the right key.
        let sql = "DELETE FROM templates WHERE person <> ?2 AND photo_id IN
                       (SELECT photo_id FROM photo_files JOIN photos ON photos.id = photo_id AND photos.scope = photo_files.scope
                        WHERE blob_id = ?1 AND driver_id = ?2)";
        self.exec(sql, at)?;
        Ok(())
    }

    /// Notes that the hub has the file.
    ///
    /// # Errors
    /// If the file fails.
    pub fn set_blob_stored(&mut self, id: &BlobId) -> Result<()> {
        let sql = "UPDATE blobs SET is_stored = 1 WHERE id = ?1 AND is_stored = 0";
        if self.exec(sql, [id.as_str()])? > 0 {
            self.tag(ChangeTag::Blobs);
        }
        Ok(())
    }

    /// Notes which files of a photo the hub has. Only its own row tells it: one that is planned here over an older row would
    /// say so of a hub that was restored and has them no more.
    pub(crate) fn note_stored_files(&mut self, photo: &RowRef) -> Result<()> {
        let sql = "UPDATE blobs SET is_stored = 1 WHERE is_stored = 0 AND id IN (
                       SELECT blob_id FROM photo_files WHERE scope = ?1 AND photo_id = ?2 AND is_stored = 1)";
        if self.exec(sql, (photo.scope.to_string(), photo.id.as_str()))? > 0 {
            self.tag(ChangeTag::Blobs);
        }
        Ok(())
    }

    /// Gives a file up after too many tries, with the reason (a code); a person may try again.
    ///
    /// # Errors
    /// If the file fails.
    pub fn park_blob(&mut self, wanted: &Download, reason: &str, now: Millis) -> Result<()> {
        let sql = "INSERT INTO blobs (id, size_bytes, class, is_local, is_stored, parked, created_at_ms)
                   VALUES (?1, ?2, ?3, 0, 1, ?4, ?5) ON CONFLICT (id) DO UPDATE SET parked = excluded.parked";
        let class = class_number(wanted.class);
        self.exec(sql, (wanted.id.as_str(), wanted.size_bytes, class, reason, now.0))?;
        self.note_parked(&wanted.id, now)
    }

    /// Gives a file's sending up, as [`Self::park_blob`] its fetching.
    ///
    /// # Errors
    /// If the file fails.
    pub fn park_upload(&mut self, id: &BlobId, reason: &str, now: Millis) -> Result<()> {
        self.exec("UPDATE blobs SET parked = ?2 WHERE id = ?1", (id.as_str(), reason))?;
        self.note_parked(id, now)
    }

    fn note_parked(&mut self, id: &BlobId, now: Millis) -> Result<()> {
        let known = "SELECT 1 FROM needs_attention WHERE blob_id = ?1";
        if self.one(known, [id.as_str()], |_| Ok(()))?.is_none() {
            self.add_attention(NewEntry::parked(id), now)?;
        }
        self.tag(ChangeTag::Blobs);
        Ok(())
    }

    pub(crate) fn unpark_blob(&mut self, id: &BlobId) -> Result<()> {
        self.exec("UPDATE blobs SET parked = NULL WHERE id = ?1", [id.as_str()])?;
        self.tag(ChangeTag::Blobs);
        Ok(())
    }

    /// Photos that the hub has as taken back (no pending command's doing): nobody waits for their files any more.
    pub(crate) fn let_go_withdrawn(&mut self) -> Result<()> {
        const IS_FINAL: &str = "NOT EXISTS (SELECT 1 FROM shadow
            WHERE shadow.scope = photos.scope AND shadow.kind = 'photo' AND shadow.id = photos.id)";
        let sql = format!(
            "SELECT DISTINCT photos.id FROM photos
             JOIN photo_files ON photo_files.scope = photos.scope AND photo_files.photo_id = photos.id
             JOIN blobs ON blobs.id = photo_files.blob_id
             WHERE status = 'withdrawn' AND {IS_FINAL} AND NOT EXISTS ({OF_LIVE})"
        );
        let photos = self.texts(&sql, [])?;
        for id in &photos {
            let sql = format!(
                "UPDATE blobs SET is_accepted = 0
                 WHERE id IN (SELECT blob_id FROM photo_files WHERE photo_id = ?1) AND NOT EXISTS ({OF_LIVE})"
            );
            self.exec(&sql, [id])?;
            self.exec("DELETE FROM templates WHERE photo_id = ?1", [id])?;
        }
        if photos.is_empty() { Ok(()) } else { self.release_unreferenced() }
    }

    /// Forgets files that nothing refers to: no photo, no command here, no entry of the tray.
    ///
    /// # Errors
    /// If the file fails.
    pub fn release_unreferenced(&mut self) -> Result<()> {
        let sql = format!(
            "SELECT id FROM blobs
             WHERE NOT EXISTS ({OF_LIVE})
               AND NOT EXISTS (SELECT 1 FROM command_blobs WHERE blob_id = blobs.id)
               AND NOT EXISTS (SELECT 1 FROM unassigned, json_each(unassigned.files)
                               WHERE json_extract(json_each.value, '$[1]') = blobs.id)
               AND (is_local = 0 OR is_stored = 1 OR is_accepted = 0)"
        );
        for id in self.texts(&sql, [])? {
            let sql = "INSERT OR IGNORE INTO trash (object)
                       SELECT object FROM blob_holders WHERE blob_id = ?1";
            self.exec(sql, [&id])?;
            self.exec("DELETE FROM blobs WHERE id = ?1", [&id])?;
            self.tag(ChangeTag::Blobs);
        }
        // Templates of photos that are gone have nothing to be compared with.
        self.exec("DELETE FROM templates WHERE photo_id NOT IN (SELECT id FROM photos)", [])?;
        Ok(())
    }
}
