//! Where rows lie, the same in every store: a scope's home and number, and the narrow tables of a kind.

use parkdesk_domain::scope::Area;
use parkdesk_domain::{Kind, RowId, Scope};

use super::{Error, Result};

/// The narrow tables, all filled from the rows.
pub(super) const NARROW: [&str; 5] = ["keys", "blob_refs", "grants", "subscriptions", "devices"];

/// Where a scope's rows are: its home and its number within it. Fixed for ever.
pub(super) fn place(scope: &Scope) -> (String, i16) {
    let no = match scope {
        Scope::Park(_, area) => match area {
            Area::Directory => 0,
            Area::Fleet => 1,
            Area::Staff => 2,
            Area::Photos => 3,
            Area::Faces => 4,
            Area::Chats => 5,
        },
        Scope::City(_, shard) => i16::from(*shard),
        Scope::Device(_) | Scope::Tags | Scope::Org => 0,
        Scope::Work(_) => 1,
    };
    (scope.home(), no)
}

/// The narrow table of a kind; kinds without one need no look into them.
pub(super) fn narrow_table(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Driver | Kind::Car | Kind::User => Some("keys"),
        Kind::Photo | Kind::DriverCard => Some("blob_refs"),
        Kind::Grant => Some("grants"),
        Kind::Subscription => Some("subscriptions"),
        Kind::Device => Some("devices"),
        Kind::Park | Kind::ParkCard | Kind::MatchDecision | Kind::Verdict | Kind::Other(_) => None,
    }
}

/// A row id read back.
pub(super) fn parse_id(text: String) -> Result<RowId> {
    text.try_into().map_err(|e: parkdesk_domain::ids::BadId| Error::Poison(e.to_string()))
}
