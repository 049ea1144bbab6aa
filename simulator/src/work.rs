//! What people do at an appliance: drivers, edits, photos, second thoughts. Ids come from the world's dice; what is edited
//! is picked among all rows that anybody made, as this appliance sees them.

use std::collections::BTreeMap;

use parkdesk_domain::body::{Driver, Entity, FaceBox, FaceRef, FileClass, Licence, MatchVerdict, Photo, PhotoFile};
use parkdesk_domain::command::*;
use parkdesk_domain::row::RowRef;
use parkdesk_domain::scope::Area;
use parkdesk_domain::{BlobId, CommandId, Millis, RowId, Scope};
use parkdesk_sqlite::{Draft, Origin, Priority, Replica, StoredFile, Submitted};
use rand::TryRng;
use serde_json::json;

use crate::appliance::Saved;
use crate::dice::Dice;

/// Ids that anybody made.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Drivers.
    pub(crate) drivers: Vec<RowId>,
    /// Photos.
    pub(crate) photos: Vec<RowId>,
}

/// What came of a person's wish.
#[derive(Debug)]
pub(crate) enum Wish {
    /// It is saved, the person was told.
    Saved(Saved),
    /// The rules or the disk said no; the person was told.
    Refused(&'static str, String),
    /// There is nothing to do it with.
    Nothing,
}

/// The park of all worlds.
#[must_use]
pub(crate) fn park() -> RowId {
    "p1".parse().expect("BUG: a name is an id")
}

fn uuid(dice: &mut Dice, now: Millis) -> uuid::Uuid {
    let mut random = [0; 10];
    let Ok(()) = dice.try_fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.0).unwrap_or(0), &random).into_uuid()
}

/// One thing that a person does.
pub(crate) fn wish(replica: &Replica, dice: &mut Dice, now: Millis, actor: &Actor, known: &mut Known) -> Wish {
    let id = CommandId::from_uuid(uuid(dice, now));
    let made = match dice.below(100) {
        0..20 => Some(create(dice, now)),
        20..50 => edit(replica, dice, known),
        50..78 => return capture(replica, dice, now, actor, id, known),
        78..86 => assign(replica, dice, known),
        86..93 => decide(dice, now, known),
        _ => withdraw(dice, known),
    };
    let Some(command) = made else { return Wish::Nothing };
    let draft = Draft { id: id.clone(), actor: actor.clone(), now, command };
    let driver = if let Command::DriverCreate(create) = &draft.command { Some(create.driver.clone()) } else { None };
    let wish = submit(replica, draft, Vec::new(), None);
    if matches!(wish, Wish::Saved(_)) {
        known.drivers.extend(driver);
    }
    wish
}

fn submit(replica: &Replica, draft: Draft, files: Vec<StoredFile>, photo: Option<RowId>) -> Wish {
    let (id, kind, now) = (draft.id.clone(), draft.command.kind(), draft.now);
    let told = replica.write(Priority::Person, |tx| {
        for file in &files {
            tx.add_blob(&file.to_blob(Origin::Local), now)?;
        }
        match tx.submit(draft)? {
            Submitted::Saved { .. } => Ok(()),
            // What belongs to a refused wish is not kept.
            Submitted::Refused(refusal) => Err(Stop::Refused(refusal.code.as_str().to_owned())),
        }
    });
    match told {
        Ok(()) => {
            let files = files.iter().map(|file| (file.id.clone(), file.size_bytes)).collect();
            Wish::Saved(Saved { id, kind, files, is_only_at_hub: false, photo })
        }
        Err(Stop::Refused(code)) => Wish::Refused(kind, code),
        Err(Stop::Failed(error)) => Wish::Refused(kind, error.to_string()),
    }
}

enum Stop {
    Refused(String),
    Failed(parkdesk_sqlite::Error),
}

impl From<parkdesk_sqlite::Error> for Stop {
    fn from(error: parkdesk_sqlite::Error) -> Self {
        Self::Failed(error)
    }
}

const NAMES: [&str; 8] = ["Иванов", "Ёлкин", "Осин", "Соснов", "Дубов", "Клёнов", "Липин", "Берёзов"];

fn create(dice: &mut Dice, now: Millis) -> Command {
    let driver = RowId::from_uuid(uuid(dice, now));
    let name = dice.pick(&NAMES).copied().unwrap_or("Иванов");
    // Few licences and plates, so that they are claimed twice.
    let licence =
        Licence { country: None, number: format!("77 {}", dice.below(12)), issued_on: None, expires_on: None };
    Command::DriverCreate(Box::new(DriverCreate {
        driver,
        park: park(),
        last_name: name.into(),
        first_name: "Пётр".into(),
        middle_name: None,
        phones: vec![format!("+7 900 000-00-{:02}", dice.below(100))],
        licence: dice.often(600).then_some(licence),
        plate: dice.often(500).then(|| format!("А{:03}АА77", dice.below(12))),
        comment: None,
    }))
}

fn edit(replica: &Replica, dice: &mut Dice, known: &Known) -> Option<Command> {
    let driver = dice.pick(&known.drivers)?.clone();
    let fleet = Scope::park(&park(), Area::Fleet);
    let seen: Driver = replica.read(|tx| tx.entity(&fleet, &driver)).ok().flatten()?;
    let mut fields = BTreeMap::new();
    let mut phones = SetEdit::default();
    match dice.below(3) {
        0 => {
            let now = json!(format!("note {}", dice.below(1000)));
            fields.insert("comment".to_owned(), Change { was: json!(seen.comment), now });
        }
        1 => {
            let name = dice.pick(&NAMES).copied().unwrap_or("Иванов");
            fields.insert("last_name".to_owned(), Change { was: json!(seen.last_name), now: json!(name) });
        }
        _ => {
            phones.add.push(format!("+7 900 000-01-{:02}", dice.below(100)));
            phones.remove.extend(seen.phones.first().filter(|_| dice.often(500)).cloned());
        }
    }
    Some(Command::DriverEdit(DriverEdit { driver, park: park(), fields, phones }))
}

fn picture(dice: &mut Dice, size: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let Ok(()) = dice.try_fill_bytes(&mut bytes);
    bytes
}

fn capture(replica: &Replica, dice: &mut Dice, now: Millis, actor: &Actor, id: CommandId, known: &mut Known) -> Wish {
    let Some(driver) = dice.pick(&known.drivers).cloned() else { return Wish::Nothing };
    let fleet = Scope::park(&park(), Area::Fleet);
    // A person picks among those on the screen.
    if !matches!(replica.read(|tx| tx.entity::<Driver>(&fleet, &driver)), Ok(Some(_))) {
        return Wish::Nothing;
    }
    let photo = RowId::from_uuid(uuid(dice, now));
    let whole = if dice.often(60) { dice.between(1_100_000, 1_300_000) } else { dice.between(3_000, 30_000) };
    let sizes = [(FileClass::Thumb, dice.between(200, 900)), (FileClass::Original, whole)];
    let pictures: Vec<(FileClass, Vec<u8>)> =
        sizes.iter().map(|(class, size)| (*class, picture(dice, *size))).collect();
    let mut files = Vec::new();
    for (class, bytes) in &pictures {
        match replica.put_file(&driver, *class, bytes) {
            Ok(file) => files.push(file),
            Err(error) => return Wish::Refused("photo.capture", error.to_string()),
        }
    }
    let file = |class: FileClass| {
        let found = pictures.iter().find(|(each, _)| *each == class).map(|(_, bytes)| bytes.as_slice());
        let bytes = found.unwrap_or_default();
        PhotoFile { id: BlobId::of(bytes), size_bytes: bytes.len() as u64, stored: false }
    };
    let command = Command::PhotoCapture(Box::new(PhotoCapture {
        photo: photo.clone(),
        park: park(),
        driver,
        priority: "admin".into(),
        source: "folder".into(),
        captured_at_ms: now,
        original: file(FileClass::Original),
        portrait: None,
        thumb: file(FileClass::Thumb),
        crop: None,
        face: None,
        quality: BTreeMap::new(),
        codes: Vec::new(),
        override_reason: None,
    }));
    let wish = submit(replica, Draft { id, actor: actor.clone(), now, command }, files, Some(photo.clone()));
    if matches!(wish, Wish::Saved(_)) {
        known.photos.push(photo);
    }
    wish
}

fn assign(replica: &Replica, dice: &mut Dice, known: &Known) -> Option<Command> {
    let (photo, to) = (dice.pick(&known.photos)?.clone(), dice.pick(&known.drivers)?.clone());
    let row = RowRef { scope: Scope::park(&park(), Area::Photos), kind: Photo::KIND, id: photo.clone() };
    let seen: Photo = replica.read(|tx| tx.entity(&row.scope, &photo)).ok().flatten()?;
    Some(Command::PhotoAssign(PhotoAssign { photo, park: park(), driver: Change { was: seen.driver_id, now: to } }))
}

fn decide(dice: &mut Dice, now: Millis, known: &Known) -> Option<Command> {
    let mut face = || {
        let photo = dice.pick(&known.photos)?.clone();
        Some(FaceRef { photo, face: FaceBox { x: 1, y: 2, w: 30, h: 40 } })
    };
    let (a, b) = (face()?, face()?);
    let decision = RowId::from_uuid(uuid(dice, now));
    let verdict = if dice.often(500) { MatchVerdict::Same } else { MatchVerdict::Different };
    Some(Command::MatchDecide(MatchDecide { decision, park: park(), a, b, verdict, undoes: None }))
}

fn withdraw(dice: &mut Dice, known: &Known) -> Option<Command> {
    let photo = dice.pick(&known.photos)?.clone();
    Some(Command::PhotoWithdraw(PhotoWithdraw { photo, park: park() }))
}
