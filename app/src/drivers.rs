//! Finding drivers, looking at one, adding one, changing one.
//!
//! A list is read in pages by a key, so that it neither repeats nor skips while rows change; the key travels as an opaque text.

use std::collections::BTreeMap;

use parkdesk_domain::body::Licence;
use parkdesk_domain::command::{Change, DriverCreate, DriverEdit, SetEdit};
use parkdesk_domain::{Command, RowId};
use parkdesk_sqlite::{Draft, DriverHit, DriverRow, Page, Priority, Search, SearchKey, Submitted};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::attention::AttentionView;
use crate::error::{Error, Result};
use crate::note::to_json;
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
    /// The car's callsign.
    #[serde(default)]
    pub callsign: Option<String>,
    /// Licence number, where this appliance may know it.
    #[serde(default)]
    pub licence_number: Option<String>,
    /// Status of the latest photo.
    pub photo_status: Option<String>,
    /// The latest photo whose thumb is here.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub photo: Option<RowId>,
    /// How far the latest change has come.
    pub state: RecordState,
}

/// A page of drivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriverPage {
    /// The drivers.
    pub rows: Vec<DriverHitView>,
    /// To be given as `after` for the next page; none on the last one.
    pub next: Option<String>,
    /// All drivers of the list, told with its first page; not of a search.
    pub total: Option<u64>,
}

/// Which drivers.
#[derive(Debug, Clone, Default)]
pub struct FindDrivers {
    /// What was typed; nothing lists all by name.
    pub text: String,
    /// Only this park's.
    pub park: Option<RowId>,
    /// Where the last page ended.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A driving licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenceView {
    /// ISO country.
    pub country: Option<String>,
    /// Number as written.
    pub number: String,
    /// ISO date.
    pub issued_on: Option<String>,
    /// ISO date.
    pub expires_on: Option<String>,
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
    /// The licence in full.
    pub licence: Option<LicenceView>,
    /// ISO date.
    pub birth_date: Option<String>,
    /// ISO date.
    pub hired_on: Option<String>,
    /// `working`, `not_working`, `fired`.
    pub work_status: Option<String>,
    /// The car's plate.
    pub plate: Option<String>,
    /// The car's callsign.
    pub callsign: Option<String>,
    /// The office's note.
    pub comment: Option<String>,
    /// Status of the latest photo.
    pub photo_status: Option<String>,
    /// The latest photo whose thumb is here.
    #[schema(value_type = Option<String>)]
    pub photo: Option<RowId>,
    /// The park is a mirror: nothing can be changed here.
    pub read_only: bool,
    /// What a person must settle about the driver and the driver's photos.
    pub attention: Vec<AttentionView>,
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
    /// Finds drivers by name, plate, phone, licence or callsign; without a text lists all by name.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an `after` that no page gave; if the replica fails.
    pub fn find_drivers(&self, find: FindDrivers) -> Result<DriverPage> {
        let after = find.after.as_deref().map(read_key).transpose()?;
        let is_first_of_all = after.is_none() && find.text.trim().is_empty();
        let search = Search { text: find.text, park: find.park, after, limit: find.limit.clamp(1, MOST) };
        let (page, total): (Page<DriverHit>, _) = self.replica().read(|tx| -> Result<_> {
            let total = is_first_of_all.then(|| tx.count_drivers(search.park.as_ref())).transpose()?;
            Ok((tx.search_drivers(&search)?, total))
        })?;
        let next = page.next.as_ref().map(to_json).transpose()?.map(hex::encode);
        Ok(DriverPage { rows: page.items.into_iter().map(|hit| hit.driver.into()).collect(), next, total })
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
        self.replica().read(|tx| {
            let found = tx.driver(park, driver)?.ok_or(Error::NotFound("driver"))?;
            let photos = tx.photos_of_driver(Some(park), driver)?;
            let mut photo = None;
            for view in &photos {
                if tx.blob(&view.photo.thumb.id)?.is_some_and(|blob| blob.object.is_some()) {
                    photo = Some(view.id.clone());
                    break;
                }
            }
            let ids: Vec<RowId> = photos.into_iter().map(|view| view.id).collect();
            let attention = Self::attention_of_driver(tx, driver, &ids)?;
            let read_only = tx.parks()?.into_iter().find(|known| known.id == *park).is_some_and(|park| park.read_only);
            let profile = found.profile;
            let text = |field: fn(&parkdesk_domain::body::Driver) -> Option<String>| profile.as_ref().and_then(field);
            Ok(DriverView {
                id: driver.clone(),
                park: park.clone(),
                name: found.name,
                last_name: text(|p| Some(p.last_name.clone())),
                first_name: text(|p| Some(p.first_name.clone())),
                middle_name: text(|p| p.middle_name.clone()),
                phones: profile.as_ref().map(|p| p.phones.clone()).unwrap_or_default(),
                licence_number: text(|p| p.licence.as_ref().map(|licence| licence.number.clone())),
                licence: profile.as_ref().and_then(|p| p.licence.clone()).map(|licence| LicenceView {
                    country: licence.country,
                    number: licence.number,
                    issued_on: licence.issued_on,
                    expires_on: licence.expires_on,
                }),
                birth_date: text(|p| p.birth_date.clone()),
                hired_on: text(|p| p.hired_on.clone()),
                work_status: text(|p| Some(p.work_status.clone())),
                comment: text(|p| p.comment.clone()),
                plate: found.plate,
                callsign: found.callsign,
                photo_status: found.photo_status.map(|status| status.as_str().to_owned()),
                photo,
                read_only,
                attention,
                state: found.state.into(),
            })
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

impl From<DriverRow> for DriverHitView {
    fn from(row: DriverRow) -> Self {
        Self {
            id: row.id,
            park: row.park,
            name: row.name,
            plate: row.plate,
            phone: row.phone,
            callsign: row.callsign,
            licence_number: row.licence_number,
            photo_status: row.photo_status,
            photo: row.photo,
            state: row.state.into(),
        }
    }
}

/// Reads the key that a page gave.
fn read_key(text: &str) -> Result<SearchKey> {
    let bad = || Error::BadInput { field: "after", why: "it is not what a page gave as next" };
    let bytes = hex::decode(text).map_err(|_| bad())?;
    serde_json::from_slice(&bytes).map_err(|_| bad())
}
