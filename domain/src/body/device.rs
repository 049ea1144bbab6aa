//! Rows of a device's own scope: itself, what it may do, what it replicates, what became of its commands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Entity;
use crate::command::Actor;
use crate::ids::{CommandId, DeviceId, Millis, RowId};
use crate::rights::Role;
use crate::row::Kind;
use crate::scope::Scope;
use crate::wire::Verdict;

/// An enrolled appliance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name given at enrolment.
    pub name: String,
    /// When it was enrolled, hub time.
    pub enrolled_at_ms: Millis,
    /// When it was revoked, hub time: the replica locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<Millis>,
    /// What the same appliance was before, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<DeviceId>,
    /// Fields of newer programs.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
entity!(Device, Device);

/// A right to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who holds it.
    pub holder: Actor,
    /// The role.
    pub role: Role,
    /// The park it holds in.
    pub park: RowId,
}
entity!(Grant, Grant);

/// A scope that a device replicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The scope.
    pub scope: Scope,
}
entity!(Subscription, Subscription);

/// What the hub answered to one command; its id is the command's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// The judged command's place in its device's sequence.
    pub seq: u64,
    /// The command.
    pub command: CommandId,
    /// The device epoch it was pushed in.
    pub device_epoch: u64,
    /// The device.
    pub device: DeviceId,
    /// The answer.
    pub verdict: Verdict,
}
entity!(VerdictRow, Verdict);
