//! What is true in Parkdesk: types and rules of every system, commands, plans and wire bodies.
//!
//! No IO, no async runtime, no clock, no randomness, no threads: time and ids come from the caller, so that every rule
//! can be replayed. The replica, the hub and the simulator all run this very code (`docs/architecture.md`, "One way
//! through").
//!
//! Read in this order: [`command`] (what somebody wants), [`facts`] (what a plan may ask), [`plan`] (the rules),
//! [`body`] (what is replicated), [`wire`] (what crosses the link).

pub mod body;
pub mod canonical;
pub mod command;
pub mod facts;
pub mod fold;
pub mod ids;
pub mod pass_code;
pub mod plan;
pub mod refusal;
pub mod rights;
pub mod row;
pub mod scope;
pub mod wire;

pub use command::{Actor, Command, Envelope};
pub use ids::{BlobId, CommandId, DeviceId, Millis, RowId};
pub use refusal::{Refusal, RefusalCode};
pub use row::{Kind, Row};
pub use scope::Scope;
