//! `parkdesk-agent`.
fn main() {}
