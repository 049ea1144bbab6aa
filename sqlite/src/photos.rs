//! Photos as people see them.

use parkdesk_domain::body::Photo;
use parkdesk_domain::ids::{BlobId, RowId};
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::scope::Scope;
use serde::Serialize;

use crate::error::{Result, parse};
use crate::rows::RowState;
use crate::tx::ReadTx;

/// A photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhotoView {
    /// Its id.
    pub id: RowId,
    /// Its body.
    pub photo: Photo,
    /// Where the row stands.
    pub state: RowState,
}

/// Photos by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PhotoCounts {
    /// All that are held here and not taken back.
    pub total: u64,
    /// Those that a command not judged yet wrote.
    pub pending: u64,
    /// Those of which the hub has every file.
    pub stored: u64,
}

impl ReadTx<'_> {
    /// How many photos there are, and how far they have come.
    ///
    /// # Errors
    /// If the file fails.
    pub fn photo_counts(&self) -> Result<PhotoCounts> {
        // What waits, is not stored or was taken back is little and has its own index; only the sum of all looks at all.
        let sql = "WITH waiting AS (
                       SELECT DISTINCT photos.scope, photos.id FROM outbox JOIN pending_touch USING (seq)
                       JOIN photos ON photos.scope = pending_touch.scope AND photos.id = pending_touch.id
                       WHERE pending_touch.kind = 'photo' AND is_write = 1 AND verdict IS NULL AND status <> 'withdrawn'),
                   unstored AS (
                       SELECT DISTINCT photos.scope, photos.id FROM photo_files INDEXED BY photo_files_unstored
                       JOIN photos ON photos.scope = photo_files.scope AND photos.id = photo_files.photo_id
                       WHERE is_stored = 0 AND status <> 'withdrawn')
                   SELECT total, pending, total - (SELECT count(*) FROM unstored) AS stored
                   FROM (SELECT (SELECT count(*) FROM photos) - (SELECT count(*) FROM photos WHERE status = 'withdrawn') AS total,
                                (SELECT count(*) FROM waiting) AS pending)";
        let counts = self.one(sql, [], |row| {
            Ok(PhotoCounts { total: row.get("total")?, pending: row.get("pending")?, stored: row.get("stored")? })
        })?;
        Ok(counts.unwrap_or_default())
    }

    /// One photo.
    ///
    /// # Errors
    /// If the file fails.
    pub fn photo(&self, id: &RowId) -> Result<Option<PhotoView>> {
        let mut found = self.photos("SELECT scope, id FROM photos WHERE id = ?1 LIMIT 1", [id.as_str()])?;
        Ok(found.pop())
    }

    /// A photo that a file belongs to.
    ///
    /// # Errors
    /// If the file fails.
    pub fn photo_of_blob(&self, blob: &BlobId) -> Result<Option<PhotoView>> {
        let sql = "SELECT scope, photo_id FROM photo_files WHERE blob_id = ?1 ORDER BY photo_id LIMIT 1";
        Ok(self.photos(sql, [blob.as_str()])?.pop())
    }

    /// A driver's photos that were not taken back, newest first.
    ///
    /// # Errors
    /// If the file fails.
    pub fn photos_of_driver(&self, park: Option<&RowId>, driver: &RowId) -> Result<Vec<PhotoView>> {
        let sql = "SELECT scope, id FROM photos WHERE driver_id = ?1 AND (?2 IS NULL OR park_id = ?2) AND status <> 'withdrawn'
                   ORDER BY captured_at_ms DESC, id DESC";
        self.photos(sql, (driver.as_str(), park.map(RowId::as_str)))
    }

    /// All photos that were ever taken of a driver, newest first, also those taken back.
    ///
    /// # Errors
    /// If the file fails.
    pub fn story_of_driver(&self, park: &RowId, driver: &RowId) -> Result<Vec<PhotoView>> {
        let sql = "SELECT scope, id FROM photos WHERE driver_id = ?1 AND park_id = ?2
                   ORDER BY captured_at_ms DESC, id DESC";
        self.photos(sql, (driver.as_str(), park.as_str()))
    }

    /// The newest photos that were not taken back.
    ///
    /// # Errors
    /// If the file fails.
    pub fn recent_photos(&self, limit: u32) -> Result<Vec<PhotoView>> {
        let sql =
            "SELECT scope, id FROM photos WHERE status <> 'withdrawn' ORDER BY captured_at_ms DESC, id DESC LIMIT ?1";
        self.photos(sql, [limit])
    }

    fn photos(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<PhotoView>> {
        let rows = self.all(sql, params, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut photos = Vec::new();
        for (scope, id) in rows {
            let (scope, id): (Scope, RowId) = (parse("scope", &scope)?, parse("photo", &id)?);
            let Some(photo) = self.entity(&scope, &id)? else { continue };
            let state = self.row_state(&RowRef { scope, kind: Kind::Photo, id: id.clone() })?;
            photos.push(PhotoView { id, photo, state });
        }
        Ok(photos)
    }
}
