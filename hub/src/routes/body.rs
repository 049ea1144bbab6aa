//! Bodies in and out: limits before anything is buffered, zstd within bounds (SEC27).
//!
//! A body has its limit compressed and again decompressed; a decompressed one is at most [`MAX_RATIO`] times what came.
//! A sender that pauses longer than [`IDLE`], or is slower than [`SLOWEST`], is let go.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use parkdesk_domain::wire::ProblemCode;
use serde::Serialize;

use super::set;
use crate::protocol::Fault;

const IDLE: Duration = Duration::from_secs(30);
/// Bytes per second, below which a body is not worth waiting for.
const SLOWEST: usize = 4 << 10;
const MAX_RATIO: usize = 100;
/// Small bodies may compress as well as they like.
const RATIO_FROM: usize = 64 << 10;
/// 2^23 bytes: what zstd's strongest usual level needs.
const WINDOW_LOG_MAX: u32 = 23;
/// Smaller answers are not worth compressing.
const COMPRESS_FROM: usize = 512;
const LEVEL: i32 = 3;

/// Receives a body of at most `limit` bytes, decompressed.
pub(super) async fn receive(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Fault> {
    let too_large = || Fault::new(ProblemCode::TooLarge, format!("the body has at most {limit} bytes"));
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|h| h.to_str().ok()).and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    let total = Duration::from_secs(60 + (limit / SLOWEST) as u64);
    let slow = || Fault::new(ProblemCode::Malformed, "the body came too slowly");
    let collected = tokio::time::timeout(total, collect(body, limit)).await.map_err(|_| slow())?;
    let bytes = match collected {
        Ok(bytes) => bytes,
        Err(Broken::TooLarge) => return Err(too_large()),
        Err(Broken::Idle) => return Err(slow()),
        Err(Broken::Cut) => return Err(Fault::new(ProblemCode::Malformed, "the body was cut off")),
    };
    match headers.get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(bytes),
        Some(b"zstd") => decompress(&bytes, limit)?.ok_or_else(too_large),
        Some(_) => Err(Fault::new(ProblemCode::Malformed, "the body's encoding must be zstd or none")),
    }
}

enum Broken {
    TooLarge,
    Idle,
    Cut,
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Broken> {
    let mut bytes = BytesMut::new();
    loop {
        match tokio::time::timeout(IDLE, body.frame()).await {
            Err(_) => return Err(Broken::Idle),
            Ok(None) => return Ok(bytes.freeze()),
            Ok(Some(Err(_))) => return Err(Broken::Cut),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                if bytes.len() + data.len() > limit {
                    return Err(Broken::TooLarge);
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

/// `None` if it is larger than it may be.
fn decompress(bytes: &[u8], limit: usize) -> Result<Option<Bytes>, Fault> {
    let bad = |_| Fault::new(ProblemCode::Malformed, "the body is not sound zstd");
    let bound = limit.min(RATIO_FROM.max(bytes.len().saturating_mul(MAX_RATIO)));
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(bad)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(bad)?;
    let mut plain = Vec::new();
    decoder.take(bound as u64 + 1).read_to_end(&mut plain).map_err(bad)?;
    Ok((plain.len() <= bound).then(|| plain.into()))
}

/// A JSON answer, compressed if the caller takes that.
pub(super) fn json<T: Serialize>(headers: &HeaderMap, answer: &T) -> Response {
    match serde_json::to_vec(answer) {
        Ok(text) => packed(headers, text, "application/json"),
        Err(error) => {
            tracing::error!(%error, "BUG: an answer does not encode");
            Fault::new(ProblemCode::Unavailable, "the answer does not encode").into_response()
        }
    }
}

/// An answer, compressed if the caller takes that.
pub(super) fn packed(headers: &HeaderMap, plain: Vec<u8>, content_type: &str) -> Response {
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|h| h.to_str().ok())
        .is_some_and(|h| h.split(',').any(|coding| coding.trim() == "zstd"));
    let compressed = if accepts && plain.len() >= COMPRESS_FROM {
        zstd::stream::encode_all(plain.as_slice(), LEVEL).ok()
    } else {
        None
    };
    let is_compressed = compressed.is_some();
    let mut response = compressed.unwrap_or(plain).into_response();
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::VARY, "accept-encoding");
    if is_compressed {
        set(&mut response, header::CONTENT_ENCODING, "zstd");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_decompresses_within_its_limit() {
        let plain = vec![7u8; 50_000];
        let packed = zstd::stream::encode_all(plain.as_slice(), 3).unwrap();
        assert_eq!(decompress(&packed, 1 << 20).unwrap().unwrap(), plain);
        assert_eq!(decompress(&packed, 49_999).unwrap(), None);
    }

    #[test]
    fn a_bomb_is_stopped_at_a_hundred_times_its_size() {
        let packed = zstd::stream::encode_all(vec![0u8; 900_000].as_slice(), 19).unwrap();
        assert!(packed.len() < 9_000, "{}", packed.len());
        assert_eq!(decompress(&packed, 1 << 20).unwrap(), None);
    }

    #[test]
    fn a_window_larger_than_memory_allows_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        std::io::Write::write_all(&mut encoder, &[1u8; 100]).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(decompress(&packed, 1 << 20).is_err());
    }

    #[test]
    fn cut_and_garbage_are_refused() {
        let packed = zstd::stream::encode_all([9u8; 5000].as_slice(), 3).unwrap();
        for end in 1..packed.len() {
            assert!(decompress(&packed[..end], 1 << 20).is_err(), "cut at {end}");
        }
        assert!(decompress(b"not zstd", 1 << 20).is_err());
    }
}
