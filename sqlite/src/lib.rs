//! The replica: what an appliance knows, on an encrypted SQLite file.
//!
//! Owns the tables (`migrations/`), what a person's command does to them at once ([`outbox`]), how the hub's rows and
//! verdicts replace it ([`frame`], [`verdict`], [`rebase`] inside), search, files and keys. Holds no rule of the product:
//! those are `parkdesk_domain::plan`, run here over local facts. Makes no network call and reads no clock.
//!
//! Read in this order: [`Replica`], [`WriteTx`] / [`ReadTx`], then the module of the noun.

mod attention;
mod blobs;
mod change;
mod doctor;
mod drivers;
mod epoch;
mod error;
mod facts;
mod files;
mod frame;
mod history;
mod identity;
mod outbox;
mod partial;
mod people;
mod photos;
mod rebase;
mod replica;
mod restore;
mod rows;
mod salvage;
mod search;
mod settings;
mod subscriptions;
mod sync_log;
mod taken;
mod templates;
mod tray;
mod tx;
mod typed;
mod verdict;

pub use attention::{AttentionKind, NeedsAttention, Settle, Settled, Settler};
pub use blobs::{Blob, Download, NewBlob, Origin, Sum, ToMove, Upload};
pub use change::ChangeTag;
pub use doctor::{Check, Depth, Finding};
pub use drivers::{DriverView, ParkView};
pub use error::{Error, OpenError, Result};
pub use files::StoredFile;
pub use frame::FrameOutcome;
pub use history::OwnCommand;
pub use identity::Identity;
pub use outbox::{Draft, Pending, PendingSummary, Submitted, Waiting};
pub use people::Person;
pub use photos::{PhotoCounts, PhotoView};
pub use replica::Replica;
pub use rows::RowState;
pub use salvage::Salvaged;
pub use search::{DriverHit, DriverRow, MatchOn, Page, Search, SearchKey};
pub use sync_log::SyncEvent;
pub use taken::{Taken, TakenOutcome};
pub use templates::{NewTemplate, Template, WithoutTemplate};
pub use tray::{NewUnassigned, Unassigned};
pub use tx::{ReadTx, WriteTx};

pub use parkdesk_sqlcipher::{Key, Priority};
