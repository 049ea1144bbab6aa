//! Scopes: the unit of filter, order, reading right, snapshot and purge (protocol, "Scopes and grants").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, RowId};

/// The parts of a park, by sensitivity of what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Names, plates, ids; all that a field device may hold.
    Directory,
    /// Drivers, cars, work rules in full.
    Fleet,
    /// Users, groups, what headless devices need a person for.
    Staff,
    /// Photos and their story.
    Photos,
    /// People's decisions about faces, never templates.
    Faces,
    /// Open office chats.
    Chats,
}

impl Area {
    /// All areas, in the order of their names on the wire.
    pub const ALL: [Self; 6] = [Self::Directory, Self::Fleet, Self::Staff, Self::Photos, Self::Faces, Self::Chats];

    fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Fleet => "fleet",
            Self::Staff => "staff",
            Self::Photos => "photos",
            Self::Faces => "faces",
            Self::Chats => "chats",
        }
    }
}

/// A scope id. On the wire and in tables it is its text form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// `park/{id}/{area}`.
    Park(RowId, Area),
    /// `city/{id}/directory/{0..15}`: cards of a city's drivers, for photo centres.
    City(RowId, u8),
    /// `work/{device}`: rows leased to one device.
    Work(DeviceId),
    /// `device/{id}`: verdicts, grants, subscriptions, revocation.
    Device(DeviceId),
    /// `tags`.
    Tags,
    /// `org`.
    Org,
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope")]
pub struct BadScope(String);

impl Scope {
    /// The scope `park/{park}/{area}`.
    #[must_use]
    pub fn park(park: &RowId, area: Area) -> Self {
        Self::Park(park.clone(), area)
    }

    /// The home of the scope: park, city, device, `org` or `tags`; what the hub's tables are distributed by.
    #[must_use]
    pub fn home(&self) -> String {
        match self {
            Self::Park(id, _) => format!("park/{id}"),
            Self::City(id, _) => format!("city/{id}"),
            Self::Work(id) | Self::Device(id) => format!("device/{id}"),
            Self::Tags => "tags".into(),
            Self::Org => "org".into(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Park(id, area) => write!(f, "park/{id}/{}", area.name()),
            Self::City(id, shard) => write!(f, "city/{id}/directory/{shard}"),
            Self::Work(id) => write!(f, "work/{id}"),
            Self::Device(id) => write!(f, "device/{id}"),
            Self::Tags => f.write_str("tags"),
            Self::Org => f.write_str("org"),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> String {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = BadScope;
    fn try_from(text: String) -> Result<Self, BadScope> {
        text.parse()
    }
}

impl FromStr for Scope {
    type Err = BadScope;
    fn from_str(text: &str) -> Result<Self, BadScope> {
        let bad = || BadScope(text.chars().take(120).collect());
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["org"] => Ok(Self::Org),
            ["tags"] => Ok(Self::Tags),
            ["work", id] => Ok(Self::Work(id.parse().map_err(|_| bad())?)),
            ["device", id] => Ok(Self::Device(id.parse().map_err(|_| bad())?)),
            ["park", id, area] => {
                let area = Area::ALL.into_iter().find(|a| a.name() == *area).ok_or_else(bad)?;
                Ok(Self::Park(id.parse().map_err(|_| bad())?, area))
            }
            ["city", id, "directory", shard] => {
                let number: u8 = shard.parse().ok().filter(|n| *n < 16).ok_or_else(bad)?;
                if number.to_string() != *shard {
                    return Err(bad());
                }
                Ok(Self::City(id.parse().map_err(|_| bad())?, number))
            }
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in ["park/p1/fleet", "city/msk/directory/15", "work/d1", "device/d1", "tags", "org"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "park/p1", "park/p1/other", "park/../fleet", "city/msk/directory/16", "city/m/directory/07", "org/x"]
        {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }
}
