//! Encrypted SQLite files and sealed objects: the leaf under the replica and the hub's embedded store.
//!
//! Owns: opening a file (and only this crate opens a `rusqlite::Connection`), asserting the library's version and that it
//! really encrypts, migrations, the one writer queue and the read pool of a file ([`File`]); the key and its sources
//! ([`Key`], [`recovery`]); files sealed with a person's key in a folder ([`sealed`]); the lock of a data directory
//! ([`dir`]); and the seam to the computer under all of it ([`system`]). Knows no table of anybody and no rule of the product.
//!
//! Invariant: nothing here falls back to plaintext or makes a new file in place of one that does not open
//! (`tests/open.rs`).

pub mod dir;
pub mod durable;
mod error;
mod file;
mod key;
mod library;
mod migrate;
mod open;
pub mod recovery;
pub mod sealed;
pub mod system;
mod writer;

pub use error::{Error, OpenError};
pub use file::{File, Priority};
pub use key::{Key, KeyError};
pub use library::start_library;
pub use migrate::Steps;
pub use open::{OpenMode, check_key, move_aside, open_damaged};
pub use writer::Writer;
