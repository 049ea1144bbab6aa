//! Who gives a command: rights are this one's when it is judged, capped by the device's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, RowId};

/// Who wants it. Text form: `user/{id}`, `device/{id}`, `hub`, `job/{name}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A person signed in at a desk.
    User(RowId),
    /// A headless device acting for itself.
    Device(DeviceId),
    /// The hub's administrator.
    Hub,
    /// A job of the hub.
    Job(RowId),
}

impl Actor {
    /// Whether only the hub itself may speak as this actor.
    #[must_use]
    pub fn is_hub(&self) -> bool {
        matches!(self, Self::Hub | Self::Job(_))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user/{id}"),
            Self::Device(id) => write!(f, "device/{id}"),
            Self::Hub => f.write_str("hub"),
            Self::Job(name) => write!(f, "job/{name}"),
        }
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Actor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "not an actor (user/{id}, device/{id}, hub, job/{name})".to_owned();
        match text.split_once('/') {
            None if text == "hub" => Ok(Self::Hub),
            Some(("user", id)) => Ok(Self::User(id.parse().map_err(|_| bad())?)),
            Some(("device", id)) => Ok(Self::Device(id.parse().map_err(|_| bad())?)),
            Some(("job", name)) => Ok(Self::Job(name.parse().map_err(|_| bad())?)),
            _ => Err(bad()),
        }
    }
}
