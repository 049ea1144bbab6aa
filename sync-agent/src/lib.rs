//! The background agent: the sans-IO engine of sync, its driver, the transfer of files, enrolment and the watched folder.
//!
//! The engine decides, the session feeds it from the replica and writes answers back, the driver moves bytes. None of them
//! holds a rule of the product: those are in `domain`. [`appliance`] puts this together with `app`; the program
//! `parkdesk-agent` and the desktop window are shells around it.
//!
//! Read in this order: [`appliance`]; [`engine`], [`session`], [`driver`]; [`watch`] stands alone.

pub mod appliance;
pub mod clock;
pub mod codec;
pub mod driver;
pub mod engine;
pub mod enrol;
pub mod http;
mod replica;
pub mod session;
pub mod watch;

pub use appliance::{Appliance, ApplianceConfig, StartError};
pub use driver::{Sync, SyncConfig};
pub use http::install_crypto;
