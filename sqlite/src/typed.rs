//! Typed tables: derived from bodies by this one decoder, in the transaction that writes the row; [`WriteTx::rebuild_typed`]
//! makes them anew. A body that does not decode has no typed row and stays raw ("needs a newer version").

use parkdesk_domain::body::{
    Car, Device, Driver, DriverCard, FileClass, Grant, MatchDecision, ParkCard, Photo, Subscription, User,
};
use parkdesk_domain::fold;
use parkdesk_domain::ids::RowId;
use parkdesk_domain::row::{Kind, RowRef};
use rusqlite::params;

use crate::error::Result;
use crate::rows::row_ref;
use crate::search::Profile;
use crate::tx::WriteTx;

pub(crate) const TABLES: &[&str] = &[
    "drivers",
    "cars",
    "driver_cards",
    "park_cards",
    "photos",
    "photo_files",
    "match_decisions",
    "grants",
    "subscriptions",
    "devices",
    "users",
    "driver_docs",
    "driver_keys",
    "driver_words",
    "driver_trigrams",
];

pub(crate) fn class_number(class: FileClass) -> i64 {
    match class {
        FileClass::Thumb => 0,
        FileClass::Portrait => 1,
        FileClass::Original => 2,
    }
}

pub(crate) fn class_of(number: i64) -> FileClass {
    match number {
        0 => FileClass::Thumb,
        1 => FileClass::Portrait,
        _ => FileClass::Original,
    }
}

fn id(id: Option<&RowId>) -> Option<&str> {
    id.map(RowId::as_str)
}

impl WriteTx<'_> {
    /// Decodes a row into its typed tables, in place of what `was_there`.
    pub(crate) fn put_typed(&mut self, row: &RowRef, body: &str, was_there: bool) -> Result<()> {
        if was_there {
            self.delete_typed(row)?;
        }
        let (scope, row_id) = (row.scope.to_string(), row.id.as_str());
        let at = (scope.as_str(), row_id);
        match &row.kind {
            Kind::Driver => self.put_driver(at, body)?,
            Kind::Car => self.put_car(at, body)?,
            Kind::DriverCard => self.put_card(at, body)?,
            Kind::Photo => self.put_photo(at, body)?,
            Kind::ParkCard => {
                let Ok(card) = serde_json::from_str::<ParkCard>(body) else { return Ok(()) };
                let sql = "INSERT INTO park_cards (scope, id, park_id, name, city, is_read_only)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                self.exec(sql, params![at.0, at.1, card.park_id.as_str(), card.name, card.city, card.read_only])?;
            }
            Kind::MatchDecision => {
                let Ok(decision) = serde_json::from_str::<MatchDecision>(body) else { return Ok(()) };
                let sql = "INSERT INTO match_decisions (scope, id, photo_a, photo_b, verdict, undone_by)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let verdict = serde_json::to_value(decision.verdict).unwrap_or_default();
                let (a, b) = (decision.a.photo.as_str(), decision.b.photo.as_str());
                self.exec(sql, params![at.0, at.1, a, b, verdict.as_str(), id(decision.undone_by.as_ref())])?;
            }
            Kind::Grant => {
                let Ok(grant) = serde_json::from_str::<Grant>(body) else { return Ok(()) };
                let sql = "INSERT INTO grants (scope, id, holder, role, park_id) VALUES (?1, ?2, ?3, ?4, ?5)";
                let holder = grant.holder.to_string();
                self.exec(sql, params![at.0, at.1, holder, grant.role.as_str(), grant.park.as_str()])?;
            }
            Kind::Subscription => {
                let Ok(subscription) = serde_json::from_str::<Subscription>(body) else { return Ok(()) };
                let sql = "INSERT INTO subscriptions (scope, id, wanted) VALUES (?1, ?2, ?3)";
                self.exec(sql, params![at.0, at.1, subscription.scope.to_string()])?;
            }
            Kind::User => {
                let Ok(user) = serde_json::from_str::<User>(body) else { return Ok(()) };
                let sql = "INSERT INTO users (scope, id, park_id, name, login_key, role, removed_at_ms)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let login = Some(fold::name(&user.login)).filter(|key| !key.is_empty());
                let (park, removed) = (user.park_id.as_str(), user.removed_at_ms.map(|at| at.0));
                self.exec(sql, params![at.0, at.1, park, user.name, login, user.role.as_str(), removed])?;
            }
            Kind::Device => {
                let Ok(device) = serde_json::from_str::<Device>(body) else { return Ok(()) };
                let sql = "INSERT INTO devices (scope, id, name, revoked_at_ms) VALUES (?1, ?2, ?3, ?4)";
                self.exec(sql, params![at.0, at.1, device.name, device.revoked_at_ms.map(|at| at.0)])?;
            }
            Kind::Park | Kind::Verdict | Kind::Other(_) => {}
        }
        Ok(())
    }

    fn put_driver(&mut self, at: (&str, &str), body: &str) -> Result<()> {
        let Ok(driver) = serde_json::from_str::<Driver>(body) else { return Ok(()) };
        let sql = "INSERT INTO drivers (scope, id, park_id, unique_driver_id, last_name, first_name, middle_name,
                       licence_key, car_id, work_status)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let licence = driver.licence.as_ref().map(|licence| fold::plate(&licence.number));
        self.exec(
            sql,
            params![
                at.0,
                at.1,
                driver.park_id.as_str(),
                id(driver.unique_driver_id.as_ref()),
                driver.last_name,
                driver.first_name,
                driver.middle_name,
                licence,
                id(driver.car_id.as_ref()),
                driver.work_status
            ],
        )?;
        self.index_driver(driver.park_id.as_str(), at.1, Some(Profile::from(&driver)));
        Ok(())
    }

    fn put_car(&mut self, at: (&str, &str), body: &str) -> Result<()> {
        let Ok(car) = serde_json::from_str::<Car>(body) else { return Ok(()) };
        let sql = "INSERT INTO cars (scope, id, park_id, plate, plate_key, callsign, brand, model)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let plate_key = fold::plate(&car.plate);
        let park = car.park_id.as_str();
        self.exec(sql, params![at.0, at.1, park, car.plate, plate_key, car.callsign, car.brand, car.model])?;
        self.index_drivers_of_car(at.0, at.1)
    }

    fn put_card(&mut self, at: (&str, &str), body: &str) -> Result<()> {
        let Ok(card) = serde_json::from_str::<DriverCard>(body) else { return Ok(()) };
        let sql = "INSERT INTO driver_cards (scope, id, driver_id, park_id, name, plate, photo_status, thumb)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let status = card.photo_status.as_ref().map(|status| status.as_str().to_owned());
        let thumb = card.thumb.as_ref().map(|blob| blob.as_str().to_owned());
        let (driver, park) = (card.driver_id.as_str(), card.park_id.as_str());
        self.exec(sql, params![at.0, at.1, driver, park, card.name, card.plate, status, thumb])?;
        self.index_part(park, driver);
        Ok(())
    }

    fn put_photo(&mut self, at: (&str, &str), body: &str) -> Result<()> {
        let Ok(photo) = serde_json::from_str::<Photo>(body) else { return Ok(()) };
        let sql = "INSERT INTO photos (scope, id, park_id, driver_id, unique_driver_id, priority, status, reason,
                       moderation_round, captured_at_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.exec(
            sql,
            params![
                at.0,
                at.1,
                photo.park_id.as_str(),
                photo.driver_id.as_str(),
                id(photo.unique_driver_id.as_ref()),
                photo.priority,
                photo.status.as_str(),
                photo.reason,
                photo.moderation_round,
                photo.captured_at_ms.0
            ],
        )?;
        for (class, file) in photo.files() {
            let sql = "INSERT INTO photo_files (scope, photo_id, class, blob_id, size_bytes, is_stored, captured_at_ms, is_missing)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
                           ?8 AND NOT EXISTS (SELECT 1 FROM blob_holders WHERE blob_id = ?4))";
            let (class, id) = (class_number(class), file.id.as_str());
            let may_be_missing = file.stored && !photo.is_withdrawn();
            let at_ms = photo.captured_at_ms.0;
            self.exec(sql, params![at.0, at.1, class, id, file.size_bytes, file.stored, at_ms, may_be_missing])?;
        }
        Ok(())
    }

    pub(crate) fn delete_typed(&mut self, row: &RowRef) -> Result<()> {
        let (scope, row_id) = (row.scope.to_string(), row.id.as_str());
        let at = (scope.as_str(), row_id);
        match &row.kind {
            Kind::Driver => {
                let sql = "DELETE FROM drivers WHERE scope = ?1 AND id = ?2 RETURNING park_id";
                if let Some(park) = self.one(sql, at, |row| row.get::<_, String>(0))? {
                    self.index_driver(&park, at.1, None);
                }
            }
            Kind::DriverCard => {
                let sql = "DELETE FROM driver_cards WHERE scope = ?1 AND id = ?2 RETURNING park_id, driver_id";
                let gone = self.one(sql, at, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
                if let Some((park, driver)) = gone {
                    self.index_part(&park, &driver);
                }
            }
            Kind::Car => {
                if self.exec("DELETE FROM cars WHERE scope = ?1 AND id = ?2", at)? > 0 {
                    self.index_drivers_of_car(at.0, at.1)?;
                }
            }
            Kind::Photo => {
                self.exec("DELETE FROM photos WHERE scope = ?1 AND id = ?2", at)?;
                self.exec("DELETE FROM photo_files WHERE scope = ?1 AND photo_id = ?2", at)?;
            }
            Kind::ParkCard => {
                self.exec("DELETE FROM park_cards WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::MatchDecision => {
                self.exec("DELETE FROM match_decisions WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::Grant => {
                self.exec("DELETE FROM grants WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::Subscription => {
                self.exec("DELETE FROM subscriptions WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::User => {
                self.exec("DELETE FROM users WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::Device => {
                self.exec("DELETE FROM devices WHERE scope = ?1 AND id = ?2", at)?;
            }
            Kind::Park | Kind::Verdict | Kind::Other(_) => {}
        }
        Ok(())
    }

    /// Makes all typed tables and search indexes anew from the bodies; after an upgrade that reads more of them.
    ///
    /// # Errors
    /// If the file fails.
    pub fn rebuild_typed(&mut self) -> Result<()> {
        for table in TABLES {
            self.exec(&format!("DELETE FROM {table}"), [])?;
        }
        let rows = self.all("SELECT scope, kind, id FROM rows", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for (scope, kind, id) in rows {
            let row = row_ref(&scope, &kind, &id)?;
            if let Some(body) = self.body(&row)? {
                self.put_typed(&row, &body, false)?;
            }
        }
        Ok(())
    }
}
