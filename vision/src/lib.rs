//! Images without torch: limits before decoding, turn, colour, crop, encoding, perceptual hash, quality formulas, the exact
//! index over templates, and the client of the faces process.
//!
//! What it must not do: link torch, open a database, see an async runtime or speak to a network. Decoding (`picture`) runs
//! only inside `parkdesk-faces` and in tests; every other process talks to it through [`faces::client`], so that a hostile
//! picture can at worst kill a child (`docs/architecture.md`, invariant 7).

pub mod faces;
pub mod geometry;
pub mod hash;
pub mod index;
pub mod limits;
pub mod picture;
pub mod quality;
