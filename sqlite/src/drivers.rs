//! Drivers and parks as people see them: the full profile where the park's fleet is held, else the card of its directory
//! (all that a field device may hold).

use parkdesk_domain::body::{Car, Driver, DriverCard, Licence, ParkCard, ParkSettings, PhotoStatus};
use parkdesk_domain::ids::{BlobId, RowId};
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::scope::{Area, Scope};
use serde::Serialize;

use crate::error::{Result, parse};
use crate::rows::RowState;
use crate::tx::ReadTx;

/// A driver of a park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriverView {
    /// The driver.
    pub id: RowId,
    /// The park.
    pub park: RowId,
    /// Last, first and middle name.
    pub name: String,
    /// The car's plate.
    pub plate: Option<String>,
    /// The car's callsign.
    pub callsign: Option<String>,
    /// Phones; empty where only the card is held.
    pub phones: Vec<String>,
    /// Driving licence; none where only the card is held.
    pub licence: Option<Licence>,
    /// The same person across parks.
    pub unique_driver_id: Option<RowId>,
    /// `working`, `not_working`, `fired`.
    pub work_status: Option<String>,
    /// Status of the latest photo.
    pub photo_status: Option<PhotoStatus>,
    /// Its thumbnail.
    pub thumb: Option<BlobId>,
    /// The whole profile, for editing.
    pub profile: Option<Driver>,
    /// Where the row stands.
    pub state: RowState,
}

/// A park held here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkView {
    /// The park.
    pub id: RowId,
    /// Its name.
    pub name: String,
    /// The city's id.
    pub city: String,
    /// A mirror of another system: takes no changes.
    pub read_only: bool,
    /// Settings.
    pub settings: ParkSettings,
}

impl ReadTx<'_> {
    /// A driver of a park.
    ///
    /// # Errors
    /// If the file fails.
    pub fn driver(&self, park: &RowId, id: &RowId) -> Result<Option<DriverView>> {
        let (fleet, directory) = (Scope::park(park, Area::Fleet), Scope::park(park, Area::Directory));
        let card_id = id.projected(&directory.to_string());
        let card: Option<DriverCard> = self.entity(&directory, &card_id)?;
        let profile: Option<Driver> = self.entity(&fleet, id)?;
        let row = match (&profile, &card) {
            (Some(_), _) => RowRef { scope: fleet.clone(), kind: Kind::Driver, id: id.clone() },
            (None, Some(_)) => RowRef { scope: directory, kind: Kind::DriverCard, id: card_id },
            (None, None) => return Ok(None),
        };
        let car_id = profile.as_ref().and_then(|profile| profile.car_id.clone());
        let car: Option<Car> = car_id.map(|car| self.entity(&fleet, &car)).transpose()?.flatten();
        let name = profile.as_ref().map(Driver::full_name).or_else(|| card.as_ref().map(|card| card.name.clone()));
        Ok(Some(DriverView {
            id: id.clone(),
            park: park.clone(),
            name: name.unwrap_or_default(),
            plate: car.as_ref().map(|car| car.plate.clone()).or_else(|| card.as_ref().and_then(|c| c.plate.clone())),
            callsign: car.and_then(|car| car.callsign),
            phones: profile.as_ref().map(|profile| profile.phones.clone()).unwrap_or_default(),
            licence: profile.as_ref().and_then(|profile| profile.licence.clone()),
            unique_driver_id: profile.as_ref().and_then(|profile| profile.unique_driver_id.clone()),
            work_status: profile.as_ref().map(|profile| profile.work_status.clone()),
            photo_status: card.as_ref().and_then(|card| card.photo_status.clone()),
            thumb: card.and_then(|card| card.thumb),
            profile,
            state: self.row_state(&row)?,
        }))
    }

    /// The parks whose directory is held, by name.
    ///
    /// # Errors
    /// If the file fails.
    pub fn parks(&self) -> Result<Vec<ParkView>> {
        let rows = self.all("SELECT scope, id FROM park_cards ORDER BY name, id", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut parks = Vec::new();
        for (scope, id) in rows {
            let card: Option<ParkCard> = self.entity(&parse("scope", &scope)?, &parse("park", &id)?)?;
            parks.extend(card.map(|card| ParkView {
                id: card.park_id,
                name: card.name,
                city: card.city,
                read_only: card.read_only,
                settings: card.settings,
            }));
        }
        Ok(parks)
    }
}
