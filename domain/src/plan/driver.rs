//! `driver.create` and `driver.edit`. An edit carries per field what was seen and what is wanted: a field that still
//! has the seen value is written, one that has the wanted value already is done, anything else is a conflict shown with
//! both values while the other fields still merge (protocol, "Push").

use serde_json::{Map, Value};

use super::car::{self, Edited, PLATE};
use super::{Outcome, Plan, Stop, card_row, check_date, check_park_writable, check_text};
use crate::body::{Car, Driver, DriverCard, Entity, Licence};
use crate::canonical;
use crate::command::{DriverCreate, DriverEdit, Envelope, SetEdit};
use crate::facts::{Fact, Facts, Question, Space};
use crate::fold;
use crate::ids::RowId;
use crate::refusal::{FieldConflict, Offer, Refusal, RefusalCode, Remedy};
use crate::row::{Kind, RowRef, Write};
use crate::scope::{Area, Scope};

/// The fields that `driver.edit` may change, by their names in the body; phones are edited as a set, and `plate` stands for
/// the car that has it.
pub const EDITABLE: &[&str] = &[
    "last_name",
    "first_name",
    "middle_name",
    "licence",
    "car_id",
    "work_rule_id",
    "work_status",
    "birth_date",
    "hired_on",
    "comment",
];

/// Phones of one driver.
const MAX_PHONES: usize = 10;

fn fleet(park: &RowId) -> Scope {
    Scope::park(park, Area::Fleet)
}

fn driver_row(park: &RowId, id: &RowId) -> RowRef {
    RowRef { scope: fleet(park), kind: Driver::KIND, id: id.clone() }
}

pub(super) fn create(envelope: &Envelope, args: &DriverCreate, facts: &mut Facts) -> Plan {
    let row = driver_row(&args.park, &args.driver);
    facts.foresee([Question::Row(row.clone())]);
    check_park_writable(&args.park, facts)?;
    let mut driver = new_driver(args)?;
    match facts.row::<Driver>(row.scope.clone(), &args.driver)? {
        // The very same profile: it was made before the appliance got new numbers, and comes again.
        Fact::Known(Some(old)) if is_made_so(&old, &driver) => return Ok(Outcome::accepted(Vec::new())),
        Fact::Known(Some(_)) => return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).row(row).into()),
        Fact::Known(None) | Fact::Unknown => {}
    }
    check_licence_free(&args.park, &args.driver, driver.licence.as_ref(), facts)?;
    let mut writes = Vec::new();
    let driven = args.plate.as_deref().map(|text| car::by_plate(envelope, &args.park, text, facts)).transpose()?;
    let plate = driven.map(|driven| {
        driver.car_id = Some(driven.car);
        writes.extend(driven.made);
        driven.plate
    });
    let card = DriverCard {
        driver_id: args.driver.clone(),
        park_id: args.park.clone(),
        name: driver.full_name(),
        plate,
        photo_status: None,
        thumb: None,
        photo_id: None,
        photo_at_ms: None,
        more: Map::new(),
    };
    writes.push(Write::put(row, &driver)?);
    writes.push(Write::put(card_row(&args.park, &args.driver), &card)?);
    Ok(Outcome::accepted(writes))
}

fn is_made_so(old: &Driver, new: &Driver) -> bool {
    old.full_name() == new.full_name() && old.phones == new.phones && old.licence == new.licence
}

fn new_driver(args: &DriverCreate) -> Result<Driver, Stop> {
    if args.phones.len() > MAX_PHONES {
        return Err(Refusal::invalid("phones").into());
    }
    let optional = |field, text: &Option<String>, max| text.as_deref().map(|t| check_text(field, t, max)).transpose();
    Ok(Driver {
        park_id: args.park.clone(),
        unique_driver_id: None,
        last_name: check_text("last_name", &args.last_name, 100)?,
        first_name: check_text("first_name", &args.first_name, 100)?,
        middle_name: optional("middle_name", &args.middle_name, 100)?,
        phones: args.phones.iter().map(|p| check_phone(p)).collect::<Result<_, _>>()?,
        licence: args.licence.as_ref().map(check_licence).transpose()?,
        car_id: None,
        work_rule_id: None,
        work_status: "working".into(),
        birth_date: None,
        hired_on: None,
        comment: optional("comment", &args.comment, 2000)?,
        parent_driver_id: None,
        more: Map::new(),
    })
}

fn check_phone(text: &str) -> Result<String, Stop> {
    let text = check_text("phones", text, 32)?;
    let digits = fold::phone(&text).len();
    if (6..=15).contains(&digits) { Ok(text) } else { Err(Refusal::invalid("phones").into()) }
}

fn check_licence(licence: &Licence) -> Result<Licence, Stop> {
    let number = check_text("licence", &licence.number, 40)?;
    if fold::plate(&number).len() < 4 {
        return Err(Refusal::invalid("licence").into());
    }
    Ok(Licence { number, ..licence.clone() })
}

/// One licence, one driver of a park: a second profile is offered the first one.
fn check_licence_free(park: &RowId, driver: &RowId, licence: Option<&Licence>, facts: &mut Facts) -> Result<(), Stop> {
    let Some(licence) = licence else { return Ok(()) };
    if let Fact::Known(ids) = facts.holders(fleet(park), Space::Licence, fold::plate(&licence.number))?
        && let Some(other) = ids.into_iter().find(|id| id != driver)
    {
        let mut refusal = Refusal::new(RefusalCode::LicenceTaken, Remedy::UseOffer).field("licence");
        refusal.offer = Some(Offer { kind: Kind::Driver, id: other });
        return Err(refusal.into());
    }
    Ok(())
}

pub(super) fn edit(envelope: &Envelope, args: &DriverEdit, facts: &mut Facts) -> Plan {
    let row = driver_row(&args.park, &args.driver);
    let card_row = card_row(&args.park, &args.driver);
    facts.foresee([row.clone(), card_row.clone()].map(Question::Row));
    check_park_writable(&args.park, facts)?;
    if let Some(field) = args.fields.keys().find(|f| !EDITABLE.contains(&f.as_str()) && f.as_str() != PLATE) {
        return Err(Refusal::invalid(field).into());
    }
    let before = match facts.row::<Driver>(row.scope.clone(), &args.driver)? {
        Fact::Known(Some(driver)) => driver,
        Fact::Known(None) => {
            return Err(Refusal::new(RefusalCode::UnknownDriver, Remedy::Discard).row(row).into());
        }
        Fact::Unknown => return Ok(Outcome::accepted(Vec::new())),
    };
    let (mut driver, mut conflicts) = merge_fields(&before, args)?;
    let mut writes = Vec::new();
    let mut plate = None;
    match car::edit(envelope, args, &before, facts)? {
        Edited::Stands => {}
        Edited::Conflict(conflict) => conflicts.push(conflict),
        Edited::Drives(driven) => {
            driver.car_id = driven.as_ref().map(|driven| driven.car.clone());
            plate = Some(driven.as_ref().map(|driven| driven.plate.clone()));
            writes.extend(driven.and_then(|driven| driven.made));
        }
    }
    edit_phones(&mut driver.phones, &args.phones)?;
    check_edited(&mut driver, &before)?;
    if driver.licence != before.licence {
        check_licence_free(&args.park, &args.driver, driver.licence.as_ref(), facts)?;
    }
    if driver == before && !conflicts.is_empty() {
        let mut refusal = Refusal::new(RefusalCode::Conflict, Remedy::Choose).row(row);
        refusal.conflicts = conflicts;
        return Err(refusal.into());
    }
    if driver != before {
        writes.push(Write::put(row, &driver)?);
        let card = facts.row::<DriverCard>(card_row.scope.clone(), &card_row.id)?;
        let plate = match (&driver.car_id, driver.car_id != before.car_id) {
            (_, true) if plate.is_some() => plate,
            (Some(car), true) => match facts.row::<Car>(fleet(&args.park), car)? {
                Fact::Known(Some(car)) => Some(Some(car.plate)),
                Fact::Known(None) => return Err(Refusal::invalid("car_id").into()),
                Fact::Unknown => None,
            },
            (None, true) => Some(None),
            (_, false) => None,
        };
        if let Fact::Known(Some(mut card)) = card {
            let old = card.clone();
            card.name = driver.full_name();
            if let Some(plate) = plate {
                card.plate = plate;
            }
            if card != old {
                writes.push(Write::put(card_row, &card)?);
            }
        }
    }
    Ok(Outcome::Accepted { writes, conflicts })
}

fn merge_fields(before: &Driver, args: &DriverEdit) -> Result<(Driver, Vec<FieldConflict>), Stop> {
    let Ok(Value::Object(mut body)) = serde_json::to_value(before) else {
        return Err(Refusal::invalid("driver").into());
    };
    let mut conflicts = Vec::new();
    for (field, change) in args.fields.iter().filter(|(field, _)| field.as_str() != PLATE) {
        let current = body.get(field).cloned().unwrap_or(Value::Null);
        if same(&current, &change.now) {
            continue;
        }
        if same(&current, &change.was) {
            if change.now.is_null() {
                body.remove(field);
            } else {
                body.insert(field.clone(), change.now.clone());
            }
        } else {
            conflicts.push(FieldConflict { field: field.clone(), now: change.now.clone(), current });
        }
    }
    let merged: Result<Driver, _> = serde_json::from_value(Value::Object(body));
    match merged {
        Ok(driver) => Ok((driver, conflicts)),
        Err(_) => {
            let field = args.fields.keys().next().map_or("driver", String::as_str);
            Err(Refusal::invalid(field).into())
        }
    }
}

/// Equal as canonical text, so that key order and an absent optional field make no difference.
fn same(a: &Value, b: &Value) -> bool {
    canonical::to_string(a).ok() == canonical::to_string(b).ok()
}

fn edit_phones(phones: &mut Vec<String>, edit: &SetEdit) -> Result<(), Stop> {
    let folded: Vec<String> = edit.remove.iter().map(|p| fold::phone(p)).collect();
    phones.retain(|p| !folded.contains(&fold::phone(p)));
    for text in &edit.add {
        let text = check_phone(text)?;
        if !phones.iter().any(|p| fold::phone(p) == fold::phone(&text)) {
            phones.push(text);
        }
    }
    Ok(())
}

fn check_edited(driver: &mut Driver, before: &Driver) -> Result<(), Stop> {
    driver.last_name = check_text("last_name", &driver.last_name, 100)?;
    driver.first_name = check_text("first_name", &driver.first_name, 100)?;
    for (field, text, old, max) in [
        ("middle_name", &mut driver.middle_name, &before.middle_name, 100),
        ("comment", &mut driver.comment, &before.comment, 2000),
    ] {
        if text != old
            && let Some(typed) = text
        {
            *text = Some(check_text(field, typed, max)?);
        }
    }
    for (field, text, old) in
        [("birth_date", &driver.birth_date, &before.birth_date), ("hired_on", &driver.hired_on, &before.hired_on)]
    {
        if text != old
            && let Some(date) = text
        {
            check_date(field, date)?;
        }
    }
    if driver.phones != before.phones && driver.phones.len() > MAX_PHONES {
        return Err(Refusal::invalid("phones").into());
    }
    if let Some(licence) = driver.licence.as_ref().filter(|l| Some(*l) != before.licence.as_ref()) {
        driver.licence = Some(check_licence(licence)?);
    }
    if driver.work_status != before.work_status
        && !matches!(driver.work_status.as_str(), "working" | "not_working" | "fired")
    {
        return Err(Refusal::invalid("work_status").into());
    }
    Ok(())
}
