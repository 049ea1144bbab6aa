//! The faces process seen from outside: what is said over the pipe, and the client that keeps it running.

pub mod client;
pub mod protocol;
