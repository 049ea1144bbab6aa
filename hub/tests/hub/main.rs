//! The hub through its real router, store and folder, and (kill, command line) through its real binary.

#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails on whatever it did not expect"
)]

mod admin;
mod binary;
mod blobs;
mod enrol;
mod foreign;
mod http;
mod people;
mod pull;
mod push;
mod world;
