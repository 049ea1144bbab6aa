//! `person.create`, `person.set_pass_code` and `person.remove`: the person's row in the park's staff scope and the grant
//! beside it always change together, so that rights are known wherever people are.
//!
//! Devices may make people, too, by their own grant: that is how a park gets its first person, and how an office gets in
//! again when nobody remembers a pass code.

use serde_json::Map;

use super::{Outcome, Plan, Stop, check_park_writable, check_text, not_allowed};
use crate::body::{Entity, Grant, User};
use crate::command::{Actor, Envelope, PersonCreate, PersonRemove, PersonSetPassCode};
use crate::facts::{Fact, Facts, Question, Space};
use crate::ids::{Millis, RowId};
use crate::refusal::{Offer, Refusal, RefusalCode, Remedy};
use crate::rights::Role;
use crate::row::{Kind, RowRef, Write};
use crate::scope::{Area, Scope};
use crate::{fold, pass_code};

fn staff(park: &RowId) -> Scope {
    Scope::park(park, Area::Staff)
}

fn person_row(park: &RowId, person: &RowId) -> RowRef {
    RowRef { scope: staff(park), kind: User::KIND, id: person.clone() }
}

/// The row that says what the person may do.
fn grant_row(park: &RowId, person: &RowId) -> RowRef {
    let scope = staff(park);
    RowRef { kind: Grant::KIND, id: person.projected(&scope.to_string()), scope }
}

/// Nobody makes, changes or removes somebody whose role they may not give.
fn check_rank(envelope: &Envelope, role: &Role, park: &RowId, facts: &mut Facts) -> Result<(), Stop> {
    match facts.rights(&envelope.actor)? {
        Fact::Known(rights) if !rights.allow_making(role, park) => Err(not_allowed()),
        Fact::Known(_) | Fact::Unknown => Ok(()),
    }
}

fn check_verifier(text: &str) -> Result<(), Stop> {
    if pass_code::is_verifier(text) { Ok(()) } else { Err(Refusal::invalid("verifier").into()) }
}

pub(super) fn create(envelope: &Envelope, args: &PersonCreate, facts: &mut Facts) -> Plan {
    let row = person_row(&args.park, &args.person);
    facts.foresee([Question::Row(row.clone())]);
    check_park_writable(&args.park, facts)?;
    if !args.role.is_of_people() {
        return Err(Refusal::invalid("role").into());
    }
    check_rank(envelope, &args.role, &args.park, facts)?;
    check_verifier(&args.verifier)?;
    let user = User {
        park_id: args.park.clone(),
        name: check_text("name", &args.name, 100)?,
        login: check_text("login", &args.login, 64)?,
        role: args.role.clone(),
        verifier: Some(args.verifier.clone()),
        removed_at_ms: None,
        more: Map::new(),
    };
    let key = fold::name(&user.login);
    if key.is_empty() {
        return Err(Refusal::invalid("login").into());
    }
    match facts.row::<User>(row.scope.clone(), &args.person)? {
        // The very same person: made before the appliance got new numbers, and coming again.
        Fact::Known(Some(old)) if (&old.name, &old.login, &old.role) == (&user.name, &user.login, &user.role) => {
            return Ok(Outcome::accepted(Vec::new()));
        }
        Fact::Known(Some(_)) => return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).row(row).into()),
        Fact::Known(None) | Fact::Unknown => {}
    }
    // One login, one person of a park.
    if let Fact::Known(ids) = facts.holders(row.scope.clone(), Space::Login, key)?
        && let Some(other) = ids.into_iter().find(|id| *id != args.person)
    {
        let mut refusal = Refusal::new(RefusalCode::LoginTaken, Remedy::EditField).field("login");
        refusal.offer = Some(Offer { kind: Kind::User, id: other });
        return Err(refusal.into());
    }
    let holder = Actor::User(args.person.clone());
    let grant = Grant { holder, role: args.role.clone(), park: args.park.clone() };
    Ok(Outcome::accepted(vec![Write::put(row, &user)?, Write::put(grant_row(&args.park, &args.person), &grant)?]))
}

/// The person, still working there; `None` where people are not known.
fn find_live(park: &RowId, person: &RowId, facts: &mut Facts) -> Result<Option<User>, Stop> {
    let row = person_row(park, person);
    match facts.row::<User>(row.scope.clone(), person)? {
        Fact::Known(Some(user)) if user.removed_at_ms.is_none() => Ok(Some(user)),
        Fact::Known(_) => Err(Refusal::new(RefusalCode::UnknownPerson, Remedy::Discard).row(row).into()),
        Fact::Unknown => Ok(None),
    }
}

pub(super) fn set_pass_code(envelope: &Envelope, args: &PersonSetPassCode, facts: &mut Facts) -> Plan {
    check_park_writable(&args.park, facts)?;
    check_verifier(&args.verifier)?;
    let Some(mut user) = find_live(&args.park, &args.person, facts)? else {
        return Ok(Outcome::accepted(Vec::new()));
    };
    if envelope.actor != Actor::User(args.person.clone()) {
        check_rank(envelope, &user.role, &args.park, facts)?;
    }
    user.verifier = Some(args.verifier.clone());
    Ok(Outcome::accepted(vec![Write::put(person_row(&args.park, &args.person), &user)?]))
}

pub(super) fn remove(envelope: &Envelope, args: &PersonRemove, now: Millis, facts: &mut Facts) -> Plan {
    let row = person_row(&args.park, &args.person);
    check_park_writable(&args.park, facts)?;
    // Who removes themselves may lock everybody out.
    if envelope.actor == Actor::User(args.person.clone()) {
        return Err(Refusal::new(RefusalCode::NotAllowed, Remedy::Discard).field("person").row(row).into());
    }
    let mut user = match facts.row::<User>(row.scope.clone(), &args.person)? {
        // Removed before: the first time stands.
        Fact::Known(Some(user)) if user.removed_at_ms.is_some() => return Ok(Outcome::accepted(Vec::new())),
        Fact::Known(Some(user)) => user,
        Fact::Known(None) => {
            return Err(Refusal::new(RefusalCode::UnknownPerson, Remedy::Discard).row(row).into());
        }
        Fact::Unknown => return Ok(Outcome::accepted(Vec::new())),
    };
    check_rank(envelope, &user.role, &args.park, facts)?;
    user.removed_at_ms = Some(now);
    user.login.clear();
    user.verifier = None;
    Ok(Outcome::accepted(vec![Write::put(row, &user)?, Write::Delete { row: grant_row(&args.park, &args.person) }]))
}
