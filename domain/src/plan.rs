//! The rules: `plan(command, facts) -> rows to write | refusal`. Pure, re-entered until it answers.
//!
//! Each arm opens with what happened in the world. The replica runs a plan when a person acts and again at every
//! rebase; the hub runs the same plan and has the last word. An `Unknown` fact never refuses: the replica goes on
//! provisionally, and the hub knows.

mod car;
mod device;
pub mod driver;
mod matching;
mod park;
mod person;
mod photo;

use std::collections::BTreeSet;

use crate::body::{DriverCard, Entity, ParkCard};
use crate::canonical::CanonicalError;
use crate::command::{Actor, Command, Envelope};
use crate::facts::{Asked, Fact, Facts};
use crate::fold;
use crate::ids::{BlobId, Millis, RowId};
use crate::refusal::{FieldConflict, Refusal, RefusalCode, Remedy};
use crate::row::{RowRef, Write};
use crate::scope::{Area, Scope};

/// What a plan decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Write these rows; fields that somebody else changed meanwhile are listed and keep their stored value.
    Accepted {
        /// Rows to write; none if everything stands already.
        writes: Vec<Write>,
        /// Edited fields not taken.
        conflicts: Vec<FieldConflict>,
    },
    /// Nothing is written.
    Refused(Refusal),
}

impl Outcome {
    pub(crate) fn accepted(writes: Vec<Write>) -> Self {
        Self::Accepted { writes, conflicts: Vec::new() }
    }
}

/// Refused or asked: why a plan ends early.
pub(crate) enum Stop {
    Asked,
    Refused(Box<Refusal>),
}

impl From<Asked> for Stop {
    fn from(_: Asked) -> Self {
        Self::Asked
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<CanonicalError> for Stop {
    fn from(_: CanonicalError) -> Self {
        Refusal::invalid("text").into()
    }
}

type Plan = Result<Outcome, Stop>;

/// Plans one command. `now` is the command's recorded time on the replica and the hub's clock on the hub.
///
/// # Errors
/// [`Asked`] if a fact is missing; the executor loads it and runs this again.
pub fn plan(envelope: &Envelope, now: Millis, facts: &mut Facts) -> Result<Outcome, Asked> {
    match decide(envelope, now, facts) {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Refused(refusal)) => Ok(Outcome::Refused(*refusal)),
        Err(Stop::Asked) => Err(Asked),
    }
}

fn decide(envelope: &Envelope, now: Millis, facts: &mut Facts) -> Plan {
    check_rights(envelope, facts)?;
    match &envelope.command {
        Command::PhotoCapture(args) => photo::capture(envelope, args, facts),
        Command::PhotoAssign(args) => photo::assign(args, facts),
        Command::PhotoWithdraw(args) => photo::withdraw(envelope, args, now, facts),
        Command::PhotoBytesStored(args) => photo::bytes_stored(args, facts),
        Command::DriverCreate(args) => driver::create(envelope, args, facts),
        Command::DriverEdit(args) => driver::edit(envelope, args, facts),
        Command::MatchDecide(args) => matching::decide(envelope, args, now, facts),
        Command::PersonCreate(args) => person::create(envelope, args, facts),
        Command::PersonSetPassCode(args) => person::set_pass_code(envelope, args, facts),
        Command::PersonRemove(args) => person::remove(envelope, args, now, facts),
        Command::ParkCreate(args) => park::create(args, facts),
        Command::ParkSetFaces(args) => park::set_faces(args, facts),
        Command::DeviceEnrol(args) => device::enrol(envelope, args, now, facts),
        Command::DeviceRevoke(args) => device::revoke(args, now, facts),
    }
}

fn check_rights(envelope: &Envelope, facts: &mut Facts) -> Result<(), Stop> {
    let kind = envelope.command.kind();
    let Fact::Known(rights) = facts.rights(&envelope.actor)? else { return Ok(()) };
    let allowed = match (envelope.command.park(), &envelope.command) {
        // A person's own pass code is theirs to change.
        (Some(park), Command::PersonSetPassCode(args)) if envelope.actor == Actor::User(args.person.clone()) => {
            rights.are_any(park)
        }
        (Some(park), _) => rights.allow(kind, park),
        (None, _) => rights.are_the_hubs(),
    };
    if allowed { Ok(()) } else { Err(not_allowed()) }
}

fn not_allowed() -> Stop {
    Refusal::new(RefusalCode::NotAllowed, Remedy::AskForRight).into()
}

/// The guards that the hub locks, sorted, before it loads facts (protocol, "The hub's writing transaction"): commands
/// that could decide differently in another order share one. Needs no reads.
#[must_use]
pub fn guards(command: &Command) -> BTreeSet<String> {
    let list = match command {
        Command::PhotoCapture(args) => {
            let mut list = vec![format!("photo/{}", args.photo), format!("driver/{}", args.driver)];
            let files = [Some(&args.original), args.portrait.as_ref(), Some(&args.thumb)];
            list.extend(files.into_iter().flatten().map(|file| blob_guard(&args.park, &file.id)));
            list
        }
        Command::PhotoAssign(args) => vec![
            format!("photo/{}", args.photo),
            format!("driver/{}", args.driver.was),
            format!("driver/{}", args.driver.now),
        ],
        Command::PhotoWithdraw(args) => vec![format!("photo/{}", args.photo)],
        Command::PhotoBytesStored(args) => {
            vec![format!("photo/{}", args.photo), blob_guard(&args.park, &args.blob)]
        }
        Command::DriverCreate(args) => {
            let mut list = vec![format!("driver/{}", args.driver)];
            list.extend(args.licence.as_ref().map(|l| format!("licence/{}/{}", args.park, fold::plate(&l.number))));
            list.extend(args.plate.as_ref().map(|p| format!("plate/{}/{}", args.park, fold::plate(p))));
            list
        }
        Command::DriverEdit(args) => {
            let mut list = vec![format!("driver/{}", args.driver)];
            let licence = args.fields.get("licence").and_then(|c| c.now.get("number")).and_then(|n| n.as_str());
            list.extend(licence.map(|n| format!("licence/{}/{}", args.park, fold::plate(n))));
            let plate = args.fields.get(car::PLATE).and_then(|c| c.now.as_str());
            list.extend(plate.map(|p| format!("plate/{}/{}", args.park, fold::plate(p))));
            list
        }
        Command::MatchDecide(args) => vec![format!("decision/{}", args.decision)],
        Command::PersonCreate(args) => {
            vec![format!("person/{}", args.person), format!("login/{}/{}", args.park, fold::name(&args.login))]
        }
        Command::PersonSetPassCode(args) => vec![format!("person/{}", args.person)],
        Command::PersonRemove(args) => vec![format!("person/{}", args.person)],
        Command::ParkCreate(args) => vec![format!("park/{}", args.park)],
        Command::ParkSetFaces(args) => vec![format!("park/{}", args.park)],
        Command::DeviceEnrol(args) => vec![format!("device/{}", args.device)],
        Command::DeviceRevoke(args) => vec![format!("device/{}", args.device)],
    };
    list.into_iter().collect()
}

/// Bytes that arrive, a photo that begins to wait for them, and one that lets them go must see each other.
#[must_use]
pub fn blob_guard(park: &RowId, blob: &BlobId) -> String {
    format!("blob/{park}/{blob}")
}

/// The card of a driver in the park's directory.
fn card_row(park: &RowId, driver: &RowId) -> RowRef {
    let scope = Scope::park(park, Area::Directory);
    RowRef { kind: DriverCard::KIND, id: driver.projected(&scope.to_string()), scope }
}

/// A mirrored park takes no changes from here, an unknown one none at all.
fn check_park_writable(park: &RowId, facts: &mut Facts) -> Result<(), Stop> {
    let directory = Scope::park(park, Area::Directory);
    match facts.row::<ParkCard>(directory.clone(), &park.projected(&directory.to_string()))? {
        Fact::Known(Some(card)) if card.read_only => {
            Err(Refusal::new(RefusalCode::ParkReadOnly, Remedy::Discard).field("park").into())
        }
        Fact::Known(None) => Err(Refusal::new(RefusalCode::UnknownPark, Remedy::Discard).field("park").into()),
        Fact::Known(Some(_)) | Fact::Unknown => Ok(()),
    }
}

/// An ISO date, `2026-11-21`.
fn check_date(field: &str, text: &str) -> Result<(), Stop> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, digits: usize| text.parse::<u32>().ok().filter(|_| text.len() == digits);
    let is_date = match parts.as_slice() {
        [year, month, day] => {
            number(year, 4).is_some_and(|y| (1900..=2200).contains(&y))
                && number(month, 2).is_some_and(|m| (1..=12).contains(&m))
                && number(day, 2).is_some_and(|d| (1..=31).contains(&d))
        }
        _ => false,
    };
    if is_date { Ok(()) } else { Err(Refusal::invalid(field).into()) }
}

/// Texts that people type: trimmed, not empty, at most `max` characters, no control characters.
fn check_text(field: &str, text: &str, max: usize) -> Result<String, Stop> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(field).into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
