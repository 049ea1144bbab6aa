//! Arguments of the commands about the people of a park. Debug texts leave names and verifiers out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::RowId;
use crate::rights::Role;

/// Arguments of `person.create`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCreate {
    /// The new person's id.
    pub person: RowId,
    /// The park.
    pub park: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk.
    pub login: String,
    /// What the person may do.
    pub role: Role,
    /// Of the pass code ([`crate::pass_code`]); the code itself never leaves the desk it was typed at.
    pub verifier: String,
}

/// Arguments of `person.set_pass_code`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSetPassCode {
    /// The person.
    pub person: RowId,
    /// The park.
    pub park: RowId,
    /// Of the new pass code.
    pub verifier: String,
}

/// Arguments of `person.remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRemove {
    /// The person.
    pub person: RowId,
    /// The park.
    pub park: RowId,
}

// Verifiers are no secret like a pass code is, but a log is no place for them either.
impl fmt::Debug for PersonCreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, park, name: _, login: _, role, verifier: _ } = self;
        f.debug_struct("PersonCreate")
            .field("person", person)
            .field("park", park)
            .field("role", role)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PersonSetPassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { person, park, verifier: _ } = self;
        f.debug_struct("PersonSetPassCode").field("person", person).field("park", park).finish_non_exhaustive()
    }
}
