//! Face templates: local to this appliance, sealed with the person's key, never sent, never logged (architecture,
//! invariant 8).

use parkdesk_domain::body::FaceBox;
use parkdesk_domain::ids::{Millis, RowId};
use parkdesk_sqlcipher::sealed;

use crate::error::{Result, parse};
use crate::tx::{ReadTx, WriteTx};

/// A template to be sealed and kept.
pub struct NewTemplate {
    /// The photo (or the tray's entry).
    pub photo: RowId,
    /// The face in its original.
    pub face: FaceBox,
    /// Whose key seals it.
    pub person: RowId,
    /// SHA-256 of the weights.
    pub model_id: String,
    /// How the chip was cut.
    pub aligner_id: String,
    /// The vector's bytes.
    pub vector: Vec<u8>,
}

/// A photo that has no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutTemplate {
    /// The photo.
    pub photo: RowId,
    /// When it was taken, the beginning of time if that is not known.
    pub captured_at_ms: Millis,
}

/// An opened template.
pub struct Template {
    /// The photo.
    pub photo: RowId,
    /// The driver it shows now.
    pub driver: RowId,
    /// The face in its original.
    pub face: FaceBox,
    /// The vector's bytes.
    pub vector: Vec<u8>,
}

fn name(photo: &str, face: FaceBox, model: &str, aligner: &str) -> String {
    format!("template/{photo}/{},{},{},{}/{model}/{aligner}", face.x, face.y, face.w, face.h)
}

/// Photos of the parks `?3` with an original here and no template of model `?1` and aligner `?2`.
macro_rules! without_template {
    () => {
        "FROM photos JOIN photo_files ON photo_files.scope = photos.scope AND photo_files.photo_id = photos.id AND class = 2
         WHERE photos.park_id IN (SELECT value FROM json_each(?3)) AND photos.status <> 'withdrawn'
           AND EXISTS (SELECT 1 FROM blob_holders WHERE blob_holders.blob_id = photo_files.blob_id)
           AND NOT EXISTS (SELECT 1 FROM templates WHERE templates.photo_id = photos.id
               AND templates.model_id = ?1 AND templates.aligner_id = ?2)
           AND NOT EXISTS (SELECT 1 FROM settings WHERE key = 'without_face/' || photos.id
               AND value = ?1 || '/' || ?2)"
    };
}

impl WriteTx<'_> {
    /// Notes that this model finds no face on a photo, so that it is not looked at again and again.
    ///
    /// # Errors
    /// If the file fails.
    pub fn mark_without_face(&mut self, photo: &RowId, model_id: &str, aligner_id: &str) -> Result<()> {
        self.set_setting(&format!("without_face/{photo}"), &format!("{model_id}/{aligner_id}"))
    }

    /// Seals and keeps a template, in place of an earlier one of the same face and model.
    ///
    /// # Errors
    /// If the person's key was destroyed or the file fails.
    pub fn put_template(&mut self, new: &NewTemplate) -> Result<()> {
        let name = name(new.photo.as_str(), new.face, &new.model_id, &new.aligner_id);
        let sealed = self.files.seal(&new.person, &name, &new.vector)?;
        let sql = "INSERT OR REPLACE INTO templates (photo_id, x, y, w, h, model_id, aligner_id, person, sealed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (photo, person, face) = (new.photo.as_str(), new.person.as_str(), new.face);
        self.exec(sql, (photo, face.x, face.y, face.w, face.h, &new.model_id, &new.aligner_id, person, sealed))?;
        Ok(())
    }

    /// Removes a photo's templates.
    ///
    /// # Errors
    /// If the file fails.
    pub fn delete_templates(&mut self, photo: &RowId) -> Result<()> {
        self.exec("DELETE FROM templates WHERE photo_id = ?1", [photo.as_str()])?;
        Ok(())
    }
}

impl ReadTx<'_> {
    /// The templates of this model and aligner whose photo is here and not taken back, and whose key stands.
    ///
    /// # Errors
    /// If the file fails.
    pub fn templates(&self, model_id: &str, aligner_id: &str) -> Result<Vec<Template>> {
        let sql = "SELECT DISTINCT photo_id, driver_id, x, y, w, h, person, sealed
                   FROM templates JOIN photos ON photos.id = templates.photo_id
                   WHERE model_id = ?1 AND aligner_id = ?2 AND status <> 'withdrawn' ORDER BY photo_id, x, y";
        let rows = self.all(sql, (model_id, aligner_id), |row| {
            let face = FaceBox { x: row.get("x")?, y: row.get("y")?, w: row.get("w")?, h: row.get("h")? };
            let (photo, driver) = (row.get::<_, String>("photo_id")?, row.get::<_, String>("driver_id")?);
            Ok((photo, driver, face, row.get::<_, String>("person")?, row.get::<_, Vec<u8>>("sealed")?))
        })?;
        let keys = self.files.all_keys()?;
        let mut templates = Vec::with_capacity(rows.len());
        for (photo, driver, face, person, sealed) in rows {
            let Some(key) = keys.get(&person) else { continue };
            let vector = sealed::open(key, &name(&photo, face, model_id, aligner_id), &sealed)?;
            templates.push(Template {
                photo: parse("photo", &photo)?,
                driver: parse("driver", &driver)?,
                face,
                vector,
            });
        }
        Ok(templates)
    }

    /// Photos of these parks held here with bytes of their original but without a template of this model and aligner, newest
    /// first, behind `after`; not those that were found to have no face for it ([`WriteTx::mark_without_face`]).
    ///
    /// # Errors
    /// If the file fails.
    pub fn photos_without_template(
        &self,
        model_id: &str,
        aligner_id: &str,
        parks: &[RowId],
        after: Option<&WithoutTemplate>,
        limit: u32,
    ) -> Result<Vec<WithoutTemplate>> {
        let sql = concat!(
            "SELECT photos.id, ifnull(photos.captured_at_ms, 0) AS at ",
            without_template!(),
            " AND (?5 IS NULL OR (-ifnull(photos.captured_at_ms, 0), photos.id) > (-?4, ?5)) ORDER BY at DESC, photos.id LIMIT ?6"
        );
        let (at, id) = (after.map(|last| last.captured_at_ms.0), after.map(|last| last.photo.as_str()));
        let rows = self.all(sql, (model_id, aligner_id, list(parks), at, id, limit), |row| {
            Ok((row.get::<_, String>("id")?, row.get("at")?))
        })?;
        let without =
            |(id, at): (String, i64)| Ok(WithoutTemplate { photo: parse("photo", &id)?, captured_at_ms: Millis(at) });
        rows.into_iter().map(without).collect()
    }

    /// How many such photos there are.
    ///
    /// # Errors
    /// If the file fails.
    pub fn count_photos_without_template(&self, model_id: &str, aligner_id: &str, parks: &[RowId]) -> Result<u64> {
        let sql = concat!("SELECT count(*) ", without_template!());
        Ok(self.one(sql, (model_id, aligner_id, list(parks)), |row| row.get(0))?.unwrap_or(0))
    }
}

/// A list for `json_each`: ids need no escaping, and a value bound is no syntax.
fn list(ids: &[RowId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}
