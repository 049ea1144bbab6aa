//! The hub through its real router, store and folder, and (kill, command line) through its real binary.

mod admin;
mod binary;
mod blobs;
mod enrol;
mod foreign;
mod http;
mod pull;
mod push;
mod world;
