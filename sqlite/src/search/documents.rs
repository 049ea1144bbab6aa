//! The documents of drivers in the text indexes, made of profile, card and car. A transaction notes which drivers changed and
//! makes each document once, at its end; one that says the same as before is left alone (a card mostly repeats its profile).

use std::collections::BTreeSet;

use parkdesk_domain::body::Driver;
use parkdesk_domain::fold;

use super::stem;
use crate::error::Result;
use crate::tx::{ReadTx, WriteTx};

/// Without the hint all drivers of the scope would be looked through for every car.
pub(super) const DRIVERS_OF_CAR: &str =
    "SELECT park_id, id FROM drivers INDEXED BY drivers_by_car WHERE scope = ?1 AND car_id = ?2";

/// What a profile gives to a document.
pub(crate) struct Profile {
    name: String,
    keys: Vec<(&'static str, String)>,
    car: Option<String>,
}

impl From<&Driver> for Profile {
    fn from(driver: &Driver) -> Self {
        let phones = driver.phones.iter().map(|phone| ("phone", fold::phone(phone).chars().rev().collect()));
        let licence = driver.licence.iter().map(|licence| ("licence", fold::plate(&licence.number)));
        Self {
            name: fold::name(&driver.full_name()),
            keys: phones.chain(licence).collect(),
            car: driver.car_id.as_ref().map(ToString::to_string),
        }
    }
}

/// What a document is made of.
#[derive(Default)]
struct Parts {
    names: BTreeSet<String>,
    keys: BTreeSet<(&'static str, String)>,
}

impl Parts {
    fn name(&self) -> String {
        self.names.iter().cloned().collect::<Vec<_>>().join(" ")
    }

    fn key_texts(&self) -> String {
        let texts: Vec<String> = self.keys.iter().map(|(space, key)| format!("{space} {key}")).collect();
        texts.join("\n")
    }
}

impl ReadTx<'_> {
    fn parts(&self, park: &str, driver: &str, known: Option<Profile>) -> Result<Option<Parts>> {
        let mut parts = Parts::default();
        let mut is_there = false;
        let sql = "SELECT name, plate FROM driver_cards WHERE driver_id = ?2 AND park_id = ?1";
        let cards =
            self.all(sql, (park, driver), |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
        for (name, plate) in cards {
            is_there = true;
            parts.names.insert(fold::name(&name));
            parts.keys.extend(plate.map(|plate| ("plate", fold::plate(&plate))));
        }
        let fleet = format!("park/{park}/fleet");
        let profile = match known {
            Some(known) => Some(known),
            None => self.profile(&fleet, driver)?,
        };
        if let Some(profile) = profile {
            is_there = true;
            parts.names.insert(profile.name);
            parts.keys.extend(profile.keys);
            let sql = "SELECT plate, callsign FROM cars WHERE scope = ?1 AND id = ?2";
            let car = profile.car.map(|car| {
                self.one(sql, (&fleet, car), |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))
            });
            if let Some((plate, callsign)) = car.transpose()?.flatten() {
                parts.keys.insert(("plate", fold::plate(&plate)));
                parts.keys.extend(callsign.map(|callsign| ("callsign", fold::plate(&callsign))));
            }
        }
        parts.keys.retain(|(_, key)| !key.is_empty());
        Ok(is_there.then_some(parts))
    }

    fn profile(&self, fleet: &str, driver: &str) -> Result<Option<Profile>> {
        let (Ok(scope), Ok(id)) = (fleet.parse(), driver.parse()) else { return Ok(None) };
        Ok(self.entity::<Driver>(&scope, &id)?.as_ref().map(Profile::from))
    }
}

impl WriteTx<'_> {
    /// Notes the drivers of a car.
    pub(crate) fn index_drivers_of_car(&mut self, scope: &str, car: &str) -> Result<()> {
        let drivers =
            self.all(DRIVERS_OF_CAR, (scope, car), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        for (park, driver) in drivers {
            self.index_part(&park, &driver);
        }
        Ok(())
    }

    /// Notes a driver; `profile` if this transaction just wrote it, else what lies in the rows counts.
    pub(crate) fn index_driver(&mut self, park: &str, driver: &str, profile: Option<Profile>) {
        self.documents.insert((park.to_owned(), driver.to_owned()), profile);
    }

    /// Notes the driver of a card or car; a profile that was noted stays.
    pub(crate) fn index_part(&mut self, park: &str, driver: &str) {
        self.documents.entry((park.to_owned(), driver.to_owned())).or_default();
    }

    /// Makes the documents of the drivers that were noted; removes those that have neither profile nor card any more.
    pub(crate) fn make_documents(&mut self) -> Result<()> {
        for ((park, driver), profile) in std::mem::take(&mut self.documents) {
            let sql = "SELECT doc, names, keys FROM driver_docs WHERE park_id = ?1 AND driver_id = ?2";
            let old = self.one(sql, (&park, &driver), |row| {
                Ok((row.get::<_, i64>("doc")?, row.get::<_, String>("names")?, row.get::<_, String>("keys")?))
            })?;
            let parts = self.parts(&park, &driver, profile)?;
            match (old, parts) {
                (None, None) => {}
                (None, Some(parts)) => {
                    let sql = "INSERT INTO driver_docs (park_id, driver_id, sort_name, names, keys)
                               VALUES (?1, ?2, ?3, ?4, ?5)";
                    let (first, name) = (parts.names.first().cloned().unwrap_or_default(), parts.name());
                    self.exec(sql, (&park, &driver, first, &name, parts.key_texts()))?;
                    self.put_document(self.conn.last_insert_rowid(), &name, &parts)?;
                }
                (Some((doc, names, keys)), Some(parts)) => {
                    let (name, key_texts) = (parts.name(), parts.key_texts());
                    if (&names, &keys) == (&name, &key_texts) {
                        continue;
                    }
                    self.clear_document(doc)?;
                    let sql = "UPDATE driver_docs SET sort_name = ?2, names = ?3, keys = ?4 WHERE doc = ?1";
                    let first = parts.names.first().cloned().unwrap_or_default();
                    self.exec(sql, (doc, first, &name, key_texts))?;
                    self.put_document(doc, &name, &parts)?;
                }
                (Some((doc, ..)), None) => {
                    self.clear_document(doc)?;
                    self.exec("DELETE FROM driver_docs WHERE doc = ?1", [doc])?;
                }
            }
        }
        Ok(())
    }

    fn clear_document(&self, doc: i64) -> Result<()> {
        for sql in [
            "DELETE FROM driver_words WHERE rowid = ?1",
            "DELETE FROM driver_trigrams WHERE rowid = ?1",
            "DELETE FROM driver_keys WHERE doc = ?1",
        ] {
            self.exec(sql, [doc])?;
        }
        Ok(())
    }

    fn put_document(&self, doc: i64, name: &str, parts: &Parts) -> Result<()> {
        let stems: Vec<String> = name.split(' ').map(stem).collect();
        let sql = "INSERT INTO driver_words (rowid, words, stems) VALUES (?1, ?2, ?3)";
        self.exec(sql, (doc, name, stems.join(" ")))?;
        let keys: Vec<&str> =
            parts.keys.iter().filter(|(space, _)| *space != "phone").map(|(_, key)| key.as_str()).collect();
        let sql = "INSERT INTO driver_trigrams (rowid, name, keys) VALUES (?1, ?2, ?3)";
        self.exec(sql, (doc, name, keys.join(" ")))?;
        for (space, key) in &parts.keys {
            let sql = "INSERT OR IGNORE INTO driver_keys (space, key, doc) VALUES (?1, ?2, ?3)";
            self.exec(sql, (space, key, doc))?;
        }
        Ok(())
    }
}
