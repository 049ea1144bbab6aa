//! A seeded world of appliances and a hub over the real code, in one thread (docs/protocol.md, "Proof").
//!
//! Real: the engine and the session over it, the codec, the replica on SQLCipher, the hub's protocol functions and its
//! embedded store. Replaced: the clock, chance, the link ([`weather`]), the files and the SQLite VFS ([`disk`], [`vfs`]).
//! A world is a function of its seed ([`world::run`]); [`world::check`] runs it twice.
//!
//! Read in this order: [`world`], [`mishap`], [`oracle`]; [`plant`] proves that all of it can fail.

mod appliance;
pub mod dice;
pub mod disk;
mod hub;
mod mishap;
mod oracle;
mod plant;
mod trace;
mod vfs;
mod weather;
mod work;
mod world;

pub use plant::Plant;
pub use world::{Report, Settings, check, run};
