//! `photo.capture`, `photo.assign`, `photo.withdraw` and the hub's `photo.bytes_stored`.
//!
//! Metadata commits even while the bytes are on the way; a photo enters moderation only when the hub has every file
//! (architecture, invariant 11). Status, priority rules and limits of the whole service (P30-P42) build on this.

use serde_json::Map;

use super::{Outcome, Plan, Stop, blob_guard, card_row, check_park_writable, check_text, not_allowed};
use crate::body::{Driver, DriverCard, Entity, Photo, PhotoFile, PhotoStatus};
use crate::command::{Envelope, PhotoAssign, PhotoBytesStored, PhotoCapture, PhotoWithdraw};
use crate::facts::{Fact, Facts, Question, Space};
use crate::ids::{Millis, RowId};
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
    match facts.row::<Photo>(row.scope.clone(), &args.photo)? {
        // The very same picture: it was captured before the appliance got new numbers, and comes again.
        Fact::Known(Some(old))
            if (&old.original.id, &old.thumb.id, old.captured_at_ms)
                == (&args.original.id, &args.thumb.id, args.captured_at_ms) =>
        {
            return Ok(Outcome::accepted(Vec::new()));
        }
        Fact::Known(Some(_)) => return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).row(row).into()),
        Fact::Known(None) | Fact::Unknown => {}
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
        withdrawn_by: None,
        withdrawn_at_ms: None,
        more: Map::new(),
    };
    Ok(Outcome::accepted(vec![Write::put(row, &photo)?]))
}

pub(super) fn assign(args: &PhotoAssign, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    let cards = [&args.driver.was, &args.driver.now].map(|driver| card_row(&args.park, driver));
    facts.foresee(cards.into_iter().chain([row.clone()]).map(Question::Row));
    let unique_driver_id = check_driver(&args.park, &args.driver.now, facts)?;
    match facts.row::<Photo>(row.scope.clone(), &args.photo)? {
        Fact::Known(None) => Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into()),
        // It was taken back meanwhile: it shows nobody.
        Fact::Known(Some(photo)) if photo.is_withdrawn() => {
            Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into())
        }
        // It shows that driver already: nothing to do.
        Fact::Known(Some(photo)) if photo.driver_id == args.driver.now => Ok(Outcome::accepted(Vec::new())),
        // As the person saw it: the photo moves, off the card of the one and onto that of the other.
        Fact::Known(Some(mut photo)) if photo.driver_id == args.driver.was => {
            let mut writes = Vec::new();
            writes.extend(take_off_card(&args.park, &args.photo, &photo, facts)?);
            photo.driver_id = args.driver.now.clone();
            photo.unique_driver_id = unique_driver_id;
            if photo.is_stored() {
                writes.extend(show_on_card(card_row(&args.park, &args.driver.now), &args.photo, &photo, facts)?);
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
    set_shown(&mut card, Some((id, photo)));
    Ok(Some(Write::put(row, &card)?))
}

fn set_shown(card: &mut DriverCard, shown: Option<(&RowId, &Photo)>) {
    card.photo_status = shown.map(|(_, photo)| photo.status.clone());
    card.thumb = shown.map(|(_, photo)| photo.thumb.id.clone());
    card.photo_id = shown.map(|(id, _)| id.clone());
    card.photo_at_ms = shown.map(|(_, photo)| photo.captured_at_ms);
}

/// The card of the photo's driver goes back to the latest of the others, if it shows this one.
fn take_off_card(park: &RowId, id: &RowId, photo: &Photo, facts: &mut Facts) -> Result<Option<Write>, Stop> {
    // What the card shows next is a choice among the driver's photos: nobody may add one meanwhile.
    facts.guard(format!("driver/{}", photo.driver_id));
    let row = card_row(park, &photo.driver_id);
    let Fact::Known(Some(mut card)) = facts.row::<DriverCard>(row.scope.clone(), &row.id)? else { return Ok(None) };
    if card.photo_id.as_ref() != Some(id) {
        return Ok(None);
    }
    let photos = Scope::park(park, Area::Photos);
    let others = match facts.holders(photos.clone(), Space::PhotosOf, photo.driver_id.as_str().to_owned())? {
        Fact::Known(ids) => ids,
        Fact::Unknown => Vec::new(),
    };
    let others: Vec<RowId> = others.into_iter().filter(|other| other != id).collect();
    facts.foresee(others.iter().map(|other| Question::Row(photo_row(park, other))));
    let mut latest: Option<(RowId, Photo)> = None;
    for other in others {
        if let Fact::Known(Some(found)) = facts.row::<Photo>(photos.clone(), &other)?
            && found.driver_id == photo.driver_id
            && found.is_stored()
            && !found.is_withdrawn()
            && latest.as_ref().is_none_or(|(_, held)| held.captured_at_ms <= found.captured_at_ms)
        {
            latest = Some((other, found));
        }
    }
    set_shown(&mut card, latest.as_ref().map(|(id, photo)| (id, photo)));
    Ok(Some(Write::put(row, &card)?))
}

/// A capture is taken back: its story stays, its files go, and the card shows what it showed before.
pub(super) fn withdraw(envelope: &Envelope, args: &PhotoWithdraw, now: Millis, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    facts.foresee([Question::Row(row.clone())]);
    check_park_writable(&args.park, facts)?;
    let mut photo = match facts.row::<Photo>(row.scope.clone(), &args.photo)? {
        Fact::Known(Some(photo)) => photo,
        Fact::Known(None) => {
            return Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into());
        }
        Fact::Unknown => return Ok(Outcome::accepted(Vec::new())),
    };
    match photo.status {
        // Taken back before: the first time stands.
        PhotoStatus::Withdrawn => return Ok(Outcome::accepted(Vec::new())),
        PhotoStatus::New | PhotoStatus::NeedsModeration | PhotoStatus::Error => {}
        // Somebody judged it (or a newer program knows more): that is not undone from here.
        PhotoStatus::Approved | PhotoStatus::Rejected | PhotoStatus::Other(_) => {
            return Err(Refusal::new(RefusalCode::PhotoJudged, Remedy::Discard).row(row).into());
        }
    }
    // Somebody else's photo is taken back by those only who may also say whose it is.
    if photo.captured_by != envelope.actor
        && let Fact::Known(rights) = facts.rights(&envelope.actor)?
        && !rights.allow("photo.assign", &args.park)
    {
        return Err(not_allowed());
    }
    for (_, file) in photo.files() {
        facts.guard(blob_guard(&args.park, &file.id));
    }
    let mut writes = Vec::new();
    writes.extend(take_off_card(&args.park, &args.photo, &photo, facts)?);
    photo.status = PhotoStatus::Withdrawn;
    photo.withdrawn_by = Some(envelope.actor.clone());
    photo.withdrawn_at_ms = Some(now);
    writes.insert(0, Write::put(row, &photo)?);
    Ok(Outcome::accepted(writes))
}

/// A file arrived whole: its flag is set, and when it was the last one the photo enters moderation and shows on the
/// driver's card.
pub(super) fn bytes_stored(args: &PhotoBytesStored, facts: &mut Facts) -> Plan {
    let row = photo_row(&args.park, &args.photo);
    let Fact::Known(Some(mut photo)) = facts.row::<Photo>(row.scope.clone(), &args.photo)? else {
        return Err(Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard).row(row).into());
    };
    // Taken back while its last bytes came: nobody waits for them.
    if photo.is_withdrawn() {
        return Ok(Outcome::accepted(Vec::new()));
    }
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
        facts.guard(format!("driver/{}", photo.driver_id));
        writes.extend(show_on_card(card_row(&args.park, &photo.driver_id), &args.photo, &photo, facts)?);
    }
    writes.insert(0, Write::put(row, &photo)?);
    Ok(Outcome::accepted(writes))
}
