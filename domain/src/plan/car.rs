//! The car that a driver drives, named by its plate: a car of the park with that plate, or a new one.
//!
//! A plate typed for a driver never changes a car's own row: several drivers may share a car, and what is typed for one of them
//! means that this one drives another car.

use serde_json::{Map, Value};

use super::{Stop, check_text};
use crate::body::{Car, Driver, Entity};
use crate::command::{Change, DriverEdit, Envelope};
use crate::facts::{Fact, Facts, Space};
use crate::fold;
use crate::ids::RowId;
use crate::refusal::{FieldConflict, Refusal};
use crate::row::{RowRef, Write};
use crate::scope::{Area, Scope};

/// The name of the plate among the fields of `driver.edit`.
pub(super) const PLATE: &str = "plate";

/// A driver's car.
pub(super) struct Driven {
    pub(super) car: RowId,
    /// As it was typed.
    pub(super) plate: String,
    /// The row of a car that nobody knew.
    pub(super) made: Option<Write>,
}

/// What the plate of an edit comes to.
pub(super) enum Edited {
    /// Nothing was asked for, or it stands already.
    Stands,
    /// The driver drives that car, or none.
    Drives(Option<Driven>),
    /// It changed meanwhile.
    Conflict(FieldConflict),
}

/// The park's car with this plate; a plate that no car has makes one.
pub(super) fn by_plate(envelope: &Envelope, park: &RowId, text: &str, facts: &mut Facts) -> Result<Driven, Stop> {
    let plate = check_text(PLATE, text, 20)?;
    let key = fold::plate(&plate);
    if key.is_empty() {
        return Err(Refusal::invalid(PLATE).into());
    }
    let scope = Scope::park(park, Area::Fleet);
    if let Fact::Known(ids) = facts.holders(scope.clone(), Space::Plate, key)?
        && let Some(car) = ids.into_iter().next()
    {
        return Ok(Driven { car, plate, made: None });
    }
    let id = envelope.id.made("car");
    let car =
        Car { park_id: park.clone(), plate: plate.clone(), brand: None, model: None, callsign: None, more: Map::new() };
    let made = Write::put(RowRef { scope, kind: Car::KIND, id: id.clone() }, &car)?;
    Ok(Driven { car: id, plate, made: Some(made) })
}

/// What the plate of an edit comes to for a driver as it stands.
pub(super) fn edit(envelope: &Envelope, args: &DriverEdit, before: &Driver, facts: &mut Facts) -> Result<Edited, Stop> {
    let Some(Change { was, now }) = args.fields.get(PLATE) else { return Ok(Edited::Stands) };
    if args.fields.contains_key("car_id") || !is_text_or_null(now) || !is_text_or_null(was) {
        return Err(Refusal::invalid(PLATE).into());
    }
    let fleet = Scope::park(&args.park, Area::Fleet);
    let current = match before.car_id.as_ref().map(|car| facts.row::<Car>(fleet, car)).transpose()? {
        Some(Fact::Known(Some(car))) => Value::from(car.plate),
        // A car that is not known here cannot speak against what was seen.
        Some(Fact::Known(None) | Fact::Unknown) => was.clone(),
        None => Value::Null,
    };
    if key(&current) == key(now) {
        return Ok(Edited::Stands);
    }
    if key(&current) != key(was) {
        return Ok(Edited::Conflict(FieldConflict { field: PLATE.into(), now: now.clone(), current }));
    }
    Ok(Edited::Drives(match now.as_str() {
        Some(text) => Some(by_plate(envelope, &args.park, text, facts)?),
        None => None,
    }))
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

/// Plates are the same however they are written.
fn key(value: &Value) -> Option<String> {
    value.as_str().map(fold::plate)
}
