//! `park.create` and `park.set_faces`: the park in `org` and its card in its own directory always change together.

use serde_json::Map;

use super::{Outcome, Plan, check_text};
use crate::body::{Entity, FacePolicy, Park, ParkCard};
use crate::command::{ParkCreate, ParkSetFaces};
use crate::facts::{Fact, Facts};
use crate::refusal::{Refusal, RefusalCode, Remedy};
use crate::row::{RowRef, Write};
use crate::scope::{Area, Scope};

pub(super) fn create(args: &ParkCreate, facts: &mut Facts) -> Plan {
    let row = RowRef { scope: Scope::Org, kind: Park::KIND, id: args.park.clone() };
    if let Fact::Known(Some(_)) = facts.row::<Park>(Scope::Org, &args.park)? {
        return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).row(row).into());
    }
    let park = Park {
        name: check_text("name", &args.name, 200)?,
        city: check_text("city", &args.city, 100)?,
        fleet_type: None,
        parent_park_id: None,
        time_zone: None,
        settings: args.settings.clone(),
        more: Map::new(),
    };
    write(row, &park)
}

pub(super) fn set_faces(args: &ParkSetFaces, facts: &mut Facts) -> Plan {
    let row = RowRef { scope: Scope::Org, kind: Park::KIND, id: args.park.clone() };
    let Fact::Known(Some(mut park)) = facts.row::<Park>(Scope::Org, &args.park)? else {
        return Err(Refusal::new(RefusalCode::UnknownPark, Remedy::Discard).row(row).into());
    };
    // A newer program's policy is not for this one to set.
    if args.faces == FacePolicy::Other {
        return Err(Refusal::invalid("faces").into());
    }
    park.settings.faces = args.faces;
    write(row, &park)
}

/// The park and its card.
fn write(row: RowRef, park: &Park) -> Plan {
    let directory = Scope::park(&row.id, Area::Directory);
    let card = ParkCard {
        park_id: row.id.clone(),
        name: park.name.clone(),
        city: park.city.clone(),
        read_only: park.is_read_only(),
        settings: park.settings.clone(),
        more: Map::new(),
    };
    let card_row = RowRef { kind: ParkCard::KIND, id: row.id.projected(&directory.to_string()), scope: directory };
    Ok(Outcome::accepted(vec![Write::put(row, park)?, Write::put(card_row, &card)?]))
}
