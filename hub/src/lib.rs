//! The upstream of Parkdesk's appliances: judges their commands, keeps the rows and the photos, tells the others.
//!
//! [`protocol`] holds what is said over the link, as functions over a [`store::Store`] that know no server; `routes` is a
//! thin HTTP shell around them; `admin` is the administrator's side of the same store; `serve` puts it together. The
//! rules themselves are in `domain` and, for what a pushed command gets before its plan, in [`judging`].
//!
//! Architecture invariant: the hub never sees the replica's crate; they meet in the protocol only.

pub mod admin;
pub mod blob_files;
pub mod clock;
pub mod data;
pub mod index;
pub mod judging;
pub mod protocol;
pub mod routes;
pub mod serve;
pub mod store;
