//! The hub through its real router, store and folder, and (kill, command line) through its real binary.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails on whatever it did not expect"
)]

mod admin;
mod backend;
mod binary;
mod blobs;
mod enrol;
mod files;
mod foreign;
mod http;
mod people;
mod process;
mod pull;
mod push;
#[path = "../contract/together.rs"]
mod together;
mod world;
