//! `device.enrol` and `device.revoke`: rows of the device's own scope, from which a replica learns what it may do, what
//! to replicate, and that it must lock.

use serde_json::Map;

use super::{Outcome, Plan, check_text};
use crate::body::{Device, Entity, Grant, Park, Subscription};
use crate::command::{Actor, DeviceEnrol, DeviceRevoke, Envelope};
use crate::facts::{Fact, Facts, Question};
use crate::ids::Millis;
use crate::refusal::{Refusal, RefusalCode, Remedy};
use crate::row::{RowRef, Write};
use crate::scope::Scope;

/// How many enrolments back an appliance's story is told.
const MOST_BEFORE: usize = 15;

pub(super) fn enrol(envelope: &Envelope, args: &DeviceEnrol, now: Millis, facts: &mut Facts) -> Plan {
    let scope = Scope::Device(args.device.clone());
    let parks = args.parks.iter();
    facts.foresee(parks.map(|id| Question::Row(RowRef { scope: Scope::Org, kind: Park::KIND, id: id.clone() })));
    if let Fact::Known(Some(_)) = facts.row::<Device>(scope.clone(), &args.device.as_row_id())? {
        return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).into());
    }
    for park in &args.parks {
        if facts.row::<Park>(Scope::Org, park)? == Fact::Known(None) {
            return Err(Refusal::new(RefusalCode::UnknownPark, Remedy::EditField).field("parks").into());
        }
    }
    // The same appliance comes again: its story goes on. One that nobody knows is not believed.
    let mut was = Vec::new();
    if let Some(before) = &args.was
        && let Fact::Known(Some(old)) = facts.row::<Device>(Scope::Device(before.clone()), &before.as_row_id())?
    {
        was.push(before.clone());
        was.extend(old.was.into_iter().take(MOST_BEFORE));
    }
    let device = Device {
        name: check_text("name", &args.name, 100)?,
        enrolled_at_ms: now,
        revoked_at_ms: None,
        was,
        more: Map::new(),
    };
    let row = |kind, id| RowRef { scope: scope.clone(), kind, id };
    let mut writes = vec![Write::put(row(Device::KIND, args.device.as_row_id()), &device)?];
    for park in &args.parks {
        let holder = Actor::Device(args.device.clone());
        let grant = Grant { holder, role: args.role.clone(), park: park.clone() };
        writes.push(Write::put(row(Grant::KIND, envelope.id.made(&format!("grant/{park}"))), &grant)?);
    }
    for wanted in &args.scopes {
        let id = envelope.id.made(&format!("subscription/{wanted}"));
        writes.push(Write::put(row(Subscription::KIND, id), &Subscription { scope: wanted.clone() })?);
    }
    Ok(Outcome::accepted(writes))
}

pub(super) fn revoke(args: &DeviceRevoke, now: Millis, facts: &mut Facts) -> Plan {
    let scope = Scope::Device(args.device.clone());
    let id = args.device.as_row_id();
    match facts.row::<Device>(scope.clone(), &id)? {
        // Revoked before: the first time stands.
        Fact::Known(Some(device)) if device.revoked_at_ms.is_some() => Ok(Outcome::accepted(Vec::new())),
        // The device is told by its own row, so that the replica locks at its next contact.
        Fact::Known(Some(mut device)) => {
            device.revoked_at_ms = Some(now);
            let row = RowRef { scope, kind: Device::KIND, id };
            Ok(Outcome::accepted(vec![Write::put(row, &device)?]))
        }
        Fact::Known(None) | Fact::Unknown => Err(Refusal::invalid("device").into()),
    }
}
