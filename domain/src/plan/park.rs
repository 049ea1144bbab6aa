//! `park.create`.

use serde_json::Map;

use super::{Outcome, Plan, check_text};
use crate::body::{Entity, Park, ParkCard};
use crate::command::ParkCreate;
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
    let directory = Scope::park(&args.park, Area::Directory);
    let card = ParkCard {
        park_id: args.park.clone(),
        name: park.name.clone(),
        city: park.city.clone(),
        read_only: park.is_read_only(),
        settings: park.settings.clone(),
        more: Map::new(),
    };
    let card_row = RowRef { kind: ParkCard::KIND, id: args.park.projected(&directory.to_string()), scope: directory };
    Ok(Outcome::accepted(vec![Write::put(row, &park)?, Write::put(card_row, &card)?]))
}
