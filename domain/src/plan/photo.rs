//! `photo.capture`, `photo.assign` and the hub's `photo.bytes_stored`.
//!
//! Metadata commits even while the bytes are on the way; a photo enters moderation only when the hub has every file
//! (architecture, invariant 11). Status, priority rules and limits of the whole service (P30-P42) build on this.

use serde_json::Map;

use super::{Outcome, Plan, Stop, card_row, check_park_writable, check_text};
use crate::body::{Driver, DriverCard, Entity, Photo, PhotoFile, PhotoStatus};
use crate::command::{Envelope, PhotoAssign, PhotoBytesStored, PhotoCapture};
use crate::facts::{Fact, Facts, Question};
use crate::ids::RowId;
use crate::refusal::{FieldConflict, Refusal, RefusalCode, Remedy};
use crate::row::{RowRef, Write};
use crate::scope::{Area, Scope};

const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

fn photo_row(park: &RowId, photo: &RowId) -> RowRef {
    RowRef { scope: Scope::park(park, Area::Photos), kind: Photo::KIND, id: photo.clone() }
}

/// The driver must be in the park: known by the full profile, or on field devices by the card.
fn check_driver(park: &RowId, driver: &RowId, facts: &mut Facts) -> Result<Option<RowId>, Stop> {
    let card = card_row(park, driver);
    match facts.row::<Driver>(Scope::park(park, Area::Fleet), driver)? {
        Fact::Known(Some(found)) => return Ok(found.unique_driver_id),
        Fact::Known(None) => {}
        Fact::Unknown => match facts.row::<DriverCard>(card.scope.clone(), &card.id)? {
            Fact::Known(Some(_)) | Fact::Unknown => return Ok(None),
            Fact::Known(None) => {}
        },
    }
    Err(Refusal::new(RefusalCode::UnknownDriver, Remedy::EditField).field("driver").into())
}

pub(super) fn capture(envelope: &Envelope, args: &PhotoCapture, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    let card = card_row(&args.park, &args.driver);
    let fleet = Scope::park(&args.park, Area::Fleet);
    let driver = RowRef { scope: fleet, kind: Driver::KIND, id: args.driver.clone() };
    facts.foresee([row.clone(), card, driver].map(Question::Row));
    check_park_writable(&args.park, facts)?;
    if !matches!(args.priority.as_str(), "admin" | "taximeter") {
        return Err(Refusal::invalid("priority").into());
    }
    if !matches!(args.source.as_str(), "camera" | "folder" | "file" | "taximeter" | "migration") {
        return Err(Refusal::invalid("source").into());
    }
    if args.portrait.is_some() != args.crop.is_some() {
        return Err(Refusal::invalid("crop").into());
    }
    if args.codes.len() > 64 || args.codes.iter().any(|code| code.len() > 64) || args.quality.len() > 64 {
        return Err(Refusal::invalid("quality").into());
    }
    if args.crop.is_some_and(|crop| crop.w < 1 || crop.h < 1 || crop.turn.abs() > 18_000) {
        return Err(Refusal::invalid("crop").into());
    }
    for (field, file) in
        [("original", Some(&args.original)), ("portrait", args.portrait.as_ref()), ("thumb", Some(&args.thumb))]
    {
        if file.is_some_and(|f| f.size_bytes == 0 || f.size_bytes > MAX_FILE_BYTES) {
            return Err(Refusal::invalid(field).into());
        }
    }
    let override_reason = args.override_reason.as_deref().map(|r| check_text("override_reason", r, 500)).transpose()?;
    let unique_driver_id = check_driver(&args.park, &args.driver, facts)?;
    if let Fact::Known(Some(_)) = facts.row::<Photo>(row.scope.clone(), &args.photo)? {
        return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).row(row).into());
    }
    // Whatever a device says, only the hub knows what it has stored.
    let waiting = |file: &PhotoFile| PhotoFile { stored: false, ..file.clone() };
    let photo = Photo {
        park_id: args.park.clone(),
        driver_id: args.driver.clone(),
        unique_driver_id,
        priority: args.priority.clone(),
        status: PhotoStatus::New,
        reason: None,
        moderation_round: 0,
        captured_at_ms: args.captured_at_ms,
        captured_by: envelope.actor.clone(),
        source: args.source.clone(),
        original: waiting(&args.original),
        portrait: args.portrait.as_ref().map(waiting),
        thumb: waiting(&args.thumb),
        crop: args.crop,
        face: args.face,
        quality: args.quality.clone(),
        codes: args.codes.clone(),
        override_reason,
        superseded_by: None,
        more: Map::new(),
    };
    Ok(Outcome::accepted(vec![Write::put(row, &photo)?]))
}

pub(super) fn assign(args: &PhotoAssign, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    facts.foresee([Question::Row(row.clone())]);
    let unique_driver_id = check_driver(&args.park, &args.driver.now, facts)?;
    match facts.row::<Photo>(row.scope.clone(), &args.photo)? {
        Fact::Known(None) => Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into()),
        // It shows that driver already: nothing to do.
        Fact::Known(Some(photo)) if photo.driver_id == args.driver.now => Ok(Outcome::accepted(Vec::new())),
        // As the person saw it: the photo moves, off the card of the one and onto that of the other.
        Fact::Known(Some(mut photo)) if photo.driver_id == args.driver.was => {
            let mut cards = [&args.driver.was, &args.driver.now].map(|id| card_row(&args.park, id)).into_iter();
            let mut writes = Vec::new();
            if let Some(old) = cards.next()
                && let Fact::Known(Some(mut card)) = facts.row::<DriverCard>(old.scope.clone(), &old.id)?
                && card.photo_id.as_ref() == Some(&args.photo)
            {
                (card.photo_status, card.thumb, card.photo_id, card.photo_at_ms) = (None, None, None, None);
                writes.push(Write::put(old, &card)?);
            }
            photo.driver_id = args.driver.now.clone();
            photo.unique_driver_id = unique_driver_id;
            if let Some(new) = cards.next()
                && photo.is_stored()
            {
                writes.extend(show_on_card(new, &args.photo, &photo, facts)?);
            }
            writes.insert(0, Write::put(row, &photo)?);
            Ok(Outcome::accepted(writes))
        }
        // Somebody else moved it to a third driver meanwhile: a person must choose.
        Fact::Known(Some(photo)) => {
            let mut refusal = Refusal::new(RefusalCode::Conflict, Remedy::Choose).field("driver").row(row);
            refusal.conflicts.push(FieldConflict {
                field: "driver".into(),
                now: args.driver.now.as_str().into(),
                current: photo.driver_id.as_str().into(),
            });
            Err(refusal.into())
        }
        Fact::Unknown => Ok(Outcome::accepted(Vec::new())),
    }
}

/// The card shows the latest photo: an older one that arrives later does not take its place.
fn show_on_card(row: RowRef, id: &RowId, photo: &Photo, facts: &mut Facts) -> Result<Option<Write>, Stop> {
    let Fact::Known(Some(mut card)) = facts.row::<DriverCard>(row.scope.clone(), &row.id)? else { return Ok(None) };
    if card.photo_at_ms.is_some_and(|shown| shown > photo.captured_at_ms) {
        return Ok(None);
    }
    card.photo_status = Some(photo.status.clone());
    card.thumb = Some(photo.thumb.id.clone());
    card.photo_id = Some(id.clone());
    card.photo_at_ms = Some(photo.captured_at_ms);
    Ok(Some(Write::put(row, &card)?))
}

/// A file arrived whole: its flag is set, and when it was the last one the photo enters moderation and shows on the
/// driver's card.
pub(super) fn bytes_stored(args: &PhotoBytesStored, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    let Fact::Known(Some(mut photo)) = facts.row::<Photo>(row.scope.clone(), &args.photo)? else {
        return Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into());
    };
    let mut changed = false;
    for file in [Some(&mut photo.original), photo.portrait.as_mut(), Some(&mut photo.thumb)].into_iter().flatten() {
        if file.id == args.blob && !file.stored {
            file.stored = true;
            changed = true;
        }
    }
    if !changed {
        return Ok(Outcome::accepted(Vec::new()));
    }
    let mut writes = Vec::new();
    if photo.status == PhotoStatus::New && photo.is_stored() {
        photo.status = PhotoStatus::NeedsModeration;
        photo.moderation_round += 1;
        writes.extend(show_on_card(card_row(&args.park, &photo.driver_id), &args.photo, &photo, facts)?);
    }
    writes.insert(0, Write::put(row, &photo)?);
    Ok(Outcome::accepted(writes))
}
