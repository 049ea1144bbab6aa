//! Who may do what: roles granted at places. Reading is by scope and subscription; this is about writing only.
//!
//! The hub has the last word (architecture, invariant 5); a replica asks the same rules of the grants it holds, so that
//! a person is told at once.

use serde::{Deserialize, Serialize};

use crate::ids::RowId;

/// A role; what it may do is [`Role::may`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Role {
    /// A device without a person: takes photos.
    Field,
    /// Takes photos and says whose they are.
    PhotoStaff,
    /// Keeps a park's drivers.
    Operator,
    /// An operator who settles what others could not.
    Senior,
    /// Judges photos.
    Moderator,
    /// Judges face matches.
    Reviewer,
    /// Everything in the place.
    Admin,
    /// A role of a newer program: may do nothing here.
    Other(String),
}

impl Role {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Field => "field",
            Self::PhotoStaff => "photo_staff",
            Self::Operator => "operator",
            Self::Senior => "senior",
            Self::Moderator => "moderator",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
            Self::Other(text) => text,
        }
    }

    /// Whether this role may give commands of `kind`. Commands of the hub itself (`park.create`, `device.enrol`, ...)
    /// are granted to nobody.
    #[must_use]
    pub fn may(&self, kind: &str) -> bool {
        match self {
            Self::Field => kind == "photo.capture",
            Self::PhotoStaff => matches!(kind, "photo.capture" | "photo.assign" | "match.decide"),
            Self::Operator => matches!(kind, "photo.capture" | "photo.assign" | "driver.create" | "driver.edit"),
            Self::Reviewer => kind == "match.decide",
            Self::Senior | Self::Admin => {
                matches!(kind, "photo.capture" | "photo.assign" | "driver.create" | "driver.edit" | "match.decide")
            }
            Self::Moderator | Self::Other(_) => false,
        }
    }
}

impl From<String> for Role {
    fn from(text: String) -> Self {
        let known =
            [Self::Field, Self::PhotoStaff, Self::Operator, Self::Senior, Self::Moderator, Self::Reviewer, Self::Admin];
        known.into_iter().find(|role| role.as_str() == text).unwrap_or(Self::Other(text))
    }
}

impl From<Role> for String {
    fn from(role: Role) -> String {
        role.as_str().to_owned()
    }
}

/// A role at a park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The role.
    pub role: Role,
    /// The park it holds in.
    pub park: RowId,
}

/// All that an actor may do when judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    /// The grants in force; empty for unknown or revoked actors.
    pub granted: Vec<Granted>,
    /// The hub itself, for commands issued by its jobs and its administrator.
    pub hub: bool,
}

impl Rights {
    /// The rights of the hub itself.
    #[must_use]
    pub fn of_hub() -> Self {
        Self { granted: Vec::new(), hub: true }
    }

    /// Whether the actor may give a command of `kind` in `park`.
    #[must_use]
    pub fn allow(&self, kind: &str, park: &RowId) -> bool {
        self.hub || self.granted.iter().any(|g| g.park == *park && g.role.may(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_holds_in_its_park_only() {
        let park: RowId = "p1".parse().unwrap();
        let other: RowId = "p2".parse().unwrap();
        let rights = Rights { granted: vec![Granted { role: Role::PhotoStaff, park: park.clone() }], hub: false };
        assert!(rights.allow("photo.capture", &park));
        assert!(!rights.allow("photo.capture", &other));
        assert!(!rights.allow("driver.edit", &park));
    }

    #[test]
    fn nobody_is_granted_the_hubs_own_commands() {
        let park: RowId = "p1".parse().unwrap();
        let rights = Rights { granted: vec![Granted { role: Role::Admin, park: park.clone() }], hub: false };
        for kind in ["park.create", "park.set_faces", "device.enrol", "device.revoke", "photo.bytes_stored"] {
            assert!(!rights.allow(kind, &park), "{kind}");
            assert!(Rights::of_hub().allow(kind, &park));
        }
    }

    #[test]
    fn roles_of_newer_programs_may_do_nothing() {
        let role = Role::from("owner".to_owned());
        assert_eq!(role, Role::Other("owner".into()));
        assert!(!role.may("photo.capture"));
    }
}
