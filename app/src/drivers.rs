//! Finding drivers, looking at one, adding one, changing one.

use std::collections::BTreeMap;

use parkdesk_domain::body::Licence;
use parkdesk_domain::command::{Change, DriverCreate, DriverEdit, SetEdit};
use parkdesk_domain::{Command, RowId};
use parkdesk_sqlite::{Draft, DriverHit, Page, Priority, Search, Submitted};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::photos::RecordState;

/// A driver in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriverHitView {
    /// The driver.
    #[schema(value_type = String)]
    pub id: RowId,
    /// The park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// Last, first and middle name.
    pub name: String,
    /// The car's plate.
    pub plate: Option<String>,
    /// The first phone, where this appliance may know it.
    pub phone: Option<String>,
    /// Status of the latest photo.
    pub photo_status: Option<String>,
    /// How far the latest change has come.
    pub state: RecordState,
}

/// A driver in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriverView {
    /// The driver.
    #[schema(value_type = String)]
    pub id: RowId,
    /// The park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// Last, first and middle name.
    pub name: String,
    /// Фамилия; none where only the card is known.
    pub last_name: Option<String>,
    /// Имя.
    pub first_name: Option<String>,
    /// Отчество.
    pub middle_name: Option<String>,
    /// Phones as written.
    pub phones: Vec<String>,
    /// Licence number as written.
    pub licence_number: Option<String>,
    /// `working`, `not_working`, `fired`.
    pub work_status: Option<String>,
    /// The car's plate.
    pub plate: Option<String>,
    /// The office's note.
    pub comment: Option<String>,
    /// How far the latest change has come.
    pub state: RecordState,
}

/// A new driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewDriver {
    /// The park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// Фамилия.
    pub last_name: String,
    /// Имя.
    pub first_name: String,
    /// Отчество.
    #[serde(default)]
    pub middle_name: Option<String>,
    /// Phones.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Licence number.
    #[serde(default)]
    pub licence_number: Option<String>,
    /// The plate of the car driven.
    #[serde(default)]
    pub plate: Option<String>,
}

/// Changed fields of a driver: per field what was seen and what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct EditDriver {
    /// Field -> {was, now}.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, Change<Value>>,
    /// Phones to add.
    #[serde(default)]
    pub add_phones: Vec<String>,
    /// Phones to take out.
    #[serde(default)]
    pub remove_phones: Vec<String>,
}

/// Most drivers in one answer.
const MOST: u32 = 200;

impl App {
    /// Finds drivers by name, plate, phone or licence.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn find_drivers(&self, text: &str, limit: u32) -> Result<Vec<DriverHitView>> {
        let search = Search { text: text.to_owned(), park: None, after: None, limit: limit.clamp(1, MOST) };
        let page: Page<DriverHit> = self.replica().read(|tx| tx.search_drivers(&search))?;
        Ok(page
            .items
            .into_iter()
            .map(|DriverHit { driver, .. }| DriverHitView {
                id: driver.id,
                park: driver.park,
                name: driver.name,
                plate: driver.plate,
                phone: driver.phones.into_iter().next(),
                photo_status: driver.photo_status.map(|status| status.as_str().to_owned()),
                state: driver.state.into(),
            })
            .collect())
    }

    /// Whether a text names a driver of this appliance.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn knows_driver(&self, hint: &str) -> Result<bool> {
        Ok(!self.find_by_hint(hint)?.is_empty())
    }

    /// The drivers, with their parks, that a text names: profile id, licence number or phone.
    pub(crate) fn find_by_hint(&self, hint: &str) -> Result<Vec<(RowId, RowId)>> {
        self.replica().read(|tx| {
            let (ids, parks) = (tx.find_driver_by_hint(hint)?, tx.parks()?);
            let mut found = Vec::new();
            for park in &parks {
                for id in &ids {
                    if tx.driver(&park.id, id)?.is_some() {
                        found.push((park.id.clone(), id.clone()));
                    }
                }
            }
            Ok(found)
        })
    }

    /// The driver's name as people write it.
    pub(crate) fn driver_name(&self, park: &RowId, driver: &RowId) -> Result<Option<String>> {
        Ok(self.find_driver(park, driver)?.map(|driver| driver.name))
    }

    fn find_driver(&self, park: &RowId, driver: &RowId) -> Result<Option<parkdesk_sqlite::DriverView>> {
        Ok(self.replica().read(|tx| tx.driver(park, driver))?)
    }

    /// A driver in full; on an appliance that holds only cards, what the card says.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get_driver(&self, park: &RowId, driver: &RowId) -> Result<DriverView> {
        let found = self.find_driver(park, driver)?.ok_or(Error::NotFound("driver"))?;
        let profile = found.profile;
        Ok(DriverView {
            id: driver.clone(),
            park: park.clone(),
            name: found.name,
            last_name: profile.as_ref().map(|p| p.last_name.clone()),
            first_name: profile.as_ref().map(|p| p.first_name.clone()),
            middle_name: profile.as_ref().and_then(|p| p.middle_name.clone()),
            phones: profile.as_ref().map(|p| p.phones.clone()).unwrap_or_default(),
            licence_number: profile.as_ref().and_then(|p| p.licence.as_ref()).map(|licence| licence.number.clone()),
            work_status: profile.as_ref().map(|p| p.work_status.clone()),
            comment: profile.and_then(|p| p.comment),
            plate: found.plate,
            state: found.state.into(),
        })
    }

    /// Adds a driver.
    ///
    /// # Errors
    /// [`Error::Refused`], for one because another driver has the licence.
    pub fn create_driver(&self, new: NewDriver) -> Result<DriverView> {
        let driver = self.new_row_id();
        let park = new.park.clone();
        let licence =
            new.licence_number.map(|number| Licence { country: None, number, issued_on: None, expires_on: None });
        self.submit(Command::DriverCreate(Box::new(DriverCreate {
            driver: driver.clone(),
            park: new.park,
            last_name: new.last_name,
            first_name: new.first_name,
            middle_name: new.middle_name,
            phones: new.phones,
            licence,
            plate: new.plate,
            comment: None,
        })))?;
        self.get_driver(&park, &driver)
    }

    /// Changes a driver.
    ///
    /// # Errors
    /// [`Error::Refused`]; when only some fields met a conflict the others are saved and the entry waits for a person.
    pub fn edit_driver(&self, park: &RowId, driver: &RowId, edit: EditDriver) -> Result<DriverView> {
        self.submit(Command::DriverEdit(DriverEdit {
            driver: driver.clone(),
            park: park.clone(),
            fields: edit.fields,
            phones: SetEdit { add: edit.add_phones, remove: edit.remove_phones },
        }))?;
        self.get_driver(park, driver)
    }

    /// Saves a command of the person at this appliance and wakes the link.
    pub(crate) fn submit(&self, command: Command) -> Result<()> {
        let draft = Draft { id: self.new_command_id(), actor: self.actor()?, now: self.now(), command };
        self.replica().write(Priority::Person, |tx| match tx.submit(draft)? {
            Submitted::Saved { .. } => Ok(()),
            Submitted::Refused(refusal) => Err(Error::Refused(refusal)),
        })?;
        (self.parts.poke)();
        Ok(())
    }
}
