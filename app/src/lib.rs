//! The use cases of the appliance and its HTTP API.
//!
//! One module per noun: capture, tray, drivers, photos, matching, attention, sync, keys. Each use case is a blocking function
//! over the replica; the API crosses over from async at one place. This crate holds no SQL, no models and no network
//! client; rules live in `domain`.

pub mod capture;
pub mod sync;
