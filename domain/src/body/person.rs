//! People of a park: who may sign in at its desks. What they may do is said by their [`super::Grant`] rows.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Entity;
use crate::ids::{Millis, RowId};
use crate::rights::Role;
use crate::row::Kind;

/// A person of a park. A removed one keeps the name, as the story of photos and decisions tells it; login and verifier go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The park.
    pub park_id: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk; empty for a removed person.
    #[serde(default)]
    pub login: String,
    /// What the person may do.
    pub role: Role,
    /// PHC string of the pass code, for signing in without the hub; absent for a removed person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// Since when the person no longer works there, by the judging place's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at_ms: Option<Millis>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(User, User);

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { park_id, name: _, login: _, role, verifier: _, removed_at_ms, more: _ } = self;
        let mut shown = f.debug_struct("User");
        shown.field("park_id", park_id).field("role", role).field("removed_at_ms", removed_at_ms);
        shown.finish_non_exhaustive()
    }
}
