//! The contract of the hub's stores, on PostgreSQL: the very tests that the store on one file passes (hub/tests/hub), and
//! what only several hub processes on one database can show.
//!
//! The heavy ones are ignored and run by `cargo xtask test contract`; `PARKDESK_CONTRACT=full` runs them at full size.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails on whatever it did not expect"
)]

#[path = "../hub/admin.rs"]
mod admin;
mod backend;
#[path = "../hub/blobs.rs"]
mod blobs;
mod database;
#[path = "../hub/enrol.rs"]
mod enrol;
#[path = "../hub/foreign.rs"]
mod foreign;
#[path = "../hub/http.rs"]
mod http;
#[path = "../hub/people.rs"]
mod people;
#[path = "../hub/process.rs"]
mod process;
mod processes;
#[path = "../hub/pull.rs"]
mod pull;
#[path = "../hub/push.rs"]
mod push;
mod server;
mod together;
#[path = "../hub/world.rs"]
mod world;
