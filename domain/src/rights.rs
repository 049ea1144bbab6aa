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
    /// The roles that a person can have, the least first.
    pub const OF_PEOPLE: [Self; 6] =
        [Self::PhotoStaff, Self::Operator, Self::Senior, Self::Moderator, Self::Reviewer, Self::Admin];

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
            Self::Field => matches!(kind, "photo.capture" | "photo.withdraw"),
            Self::PhotoStaff => matches!(kind, "photo.capture" | "photo.withdraw" | "photo.assign" | "match.decide"),
            Self::Operator => {
                matches!(kind, "photo.capture" | "photo.withdraw" | "photo.assign" | "driver.create" | "driver.edit")
            }
            Self::Reviewer => kind == "match.decide",
            Self::Senior | Self::Admin => matches!(
                kind,
                "photo.capture"
                    | "photo.withdraw"
                    | "photo.assign"
                    | "driver.create"
                    | "driver.edit"
                    | "match.decide"
                    | "person.create"
                    | "person.set_pass_code"
                    | "person.remove"
            ),
            Self::Moderator | Self::Other(_) => false,
        }
    }

    /// Whether a person can have it; the others are a device's alone or of a newer program.
    #[must_use]
    pub fn is_of_people(&self) -> bool {
        Self::OF_PEOPLE.contains(self)
    }

    /// Whether this role may give `other` to a person, and change or remove who has it: a senior makes no admin.
    #[must_use]
    pub fn may_make(&self, other: &Self) -> bool {
        match self {
            Self::Admin => other.is_of_people(),
            Self::Senior => other.is_of_people() && *other != Self::Admin,
            Self::Field | Self::PhotoStaff | Self::Operator | Self::Moderator | Self::Reviewer | Self::Other(_) => {
                false
            }
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// The grants in force; empty for unknown or revoked actors.
    granted: Vec<Granted>,
    /// What the device may do that a person acts at: nobody may do more there.
    cap: Option<Vec<Granted>>,
    /// The hub itself, for commands issued by its jobs and its administrator.
    hub: bool,
}

impl Rights {
    /// The rights of the hub itself.
    #[must_use]
    pub fn of_hub() -> Self {
        Self { hub: true, ..Self::default() }
    }

    /// The rights of a device acting for itself.
    #[must_use]
    pub fn of_device(granted: Vec<Granted>) -> Self {
        Self { granted, ..Self::default() }
    }

    /// The rights of a person at a device: what both may do (architecture, invariant 5).
    #[must_use]
    pub fn of_person(granted: Vec<Granted>, device: Vec<Granted>) -> Self {
        Self { granted, cap: Some(device), hub: false }
    }

    /// Whether the actor may give a command of `kind` in `park`.
    #[must_use]
    pub fn allow(&self, kind: &str, park: &RowId) -> bool {
        self.hold(park, |role| role.may(kind))
    }

    /// Whether the actor may make somebody of `role` in `park`, change their pass code or remove them.
    #[must_use]
    pub fn allow_making(&self, role: &Role, park: &RowId) -> bool {
        self.hold(park, |mine| mine.may_make(role))
    }

    /// Whether the actor is somebody in `park` at all.
    #[must_use]
    pub fn are_any(&self, park: &RowId) -> bool {
        self.hold(park, |_| true)
    }

    /// Whether this is the hub itself.
    #[must_use]
    pub fn are_the_hubs(&self) -> bool {
        self.hub
    }

    fn hold(&self, park: &RowId, may: impl Fn(&Role) -> bool) -> bool {
        let any = |granted: &[Granted]| granted.iter().any(|g| g.park == *park && may(&g.role));
        self.hub || (any(&self.granted) && self.cap.as_deref().is_none_or(any))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_holds_in_its_park_only() {
        let park: RowId = "p1".parse().unwrap();
        let other: RowId = "p2".parse().unwrap();
        let rights = Rights::of_device(vec![Granted { role: Role::PhotoStaff, park: park.clone() }]);
        assert!(rights.allow("photo.capture", &park));
        assert!(!rights.allow("photo.capture", &other));
        assert!(!rights.allow("driver.edit", &park));
    }

    #[test]
    fn nobody_is_granted_the_hubs_own_commands() {
        let park: RowId = "p1".parse().unwrap();
        let rights = Rights::of_device(vec![Granted { role: Role::Admin, park: park.clone() }]);
        for kind in ["park.create", "park.set_faces", "device.enrol", "device.revoke", "photo.bytes_stored"] {
            assert!(!rights.allow(kind, &park), "{kind}");
            assert!(Rights::of_hub().allow(kind, &park));
        }
    }

    #[test]
    fn a_person_at_a_device_may_do_what_both_may() {
        let park: RowId = "p1".parse().unwrap();
        let at = |role| vec![Granted { role, park: park.clone() }];
        let other = vec![Granted { role: Role::Admin, park: "p2".parse().unwrap() }];
        for (person, device, kind, allowed) in [
            (at(Role::Operator), at(Role::Admin), "driver.edit", true),
            (at(Role::Operator), at(Role::Admin), "match.decide", false),
            (at(Role::Admin), at(Role::PhotoStaff), "driver.edit", false),
            (at(Role::Admin), at(Role::PhotoStaff), "photo.capture", true),
            (at(Role::Admin), other.clone(), "photo.capture", false),
            (other, at(Role::Admin), "photo.capture", false),
            (Vec::new(), at(Role::Admin), "photo.capture", false),
        ] {
            let rights = Rights::of_person(person, device);
            assert_eq!(rights.allow(kind, &park), allowed, "{rights:?} {kind}");
        }
        let senior_desk = Rights::of_person(at(Role::Admin), at(Role::Senior));
        assert!(senior_desk.allow_making(&Role::Senior, &park) && !senior_desk.allow_making(&Role::Admin, &park));
    }

    #[test]
    fn roles_of_newer_programs_may_do_nothing() {
        let role = Role::from("owner".to_owned());
        assert_eq!(role, Role::Other("owner".into()));
        assert!(!role.may("photo.capture"));
    }
}
