//! The cost of refusing a bomb. One test, alone in its process, because it measures the process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

#[path = "support/pictures.rs"]
mod pictures;

use std::time::{Duration, Instant};

use parkdesk_vision::limits::RejectionCode;
use parkdesk_vision::picture::decode;

#[test]
fn a_60000_square_png_of_one_colour_is_refused_at_the_header() {
    let bytes = pictures::one_colour_png(60_000);
    let before = peak_kib();
    let started = Instant::now();
    let rejection = decode(&bytes).expect_err("3.6 gigapixels");
    let took = started.elapsed();
    assert_eq!(rejection.code, RejectionCode::TooManyPixels);
    assert_eq!((rejection.figure, rejection.limit), (Some(3_600_000_000), Some(50_000_000)));
    assert!(took < Duration::from_millis(50), "{took:?}");
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        assert!(after - before <= 32 * 1024, "{} KiB", after - before);
    }
}

/// The process's highest resident size so far, where the system tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
