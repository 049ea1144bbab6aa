//! `parkdesk-hub`.
fn main() {}
