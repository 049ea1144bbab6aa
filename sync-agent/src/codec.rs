//! Bytes to meanings and back: what is sent, and what an answer is worth. No IO.
//!
//! Everything from outside is checked in this order: status, type, size (compressed and decompressed), shape. What is not
//! an answer of a Parkdesk hub (a captive portal's page with status 200, a proxy's error page, cut or damaged zstd) is a
//! problem of the way to the hub and never of a command (sync.md, pitfall 10).

use std::io::Read;

use parkdesk_domain::wire::{Problem, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::Failure;

/// Zstd level of requests.
const LEVEL: i32 = 3;
/// Smaller bodies are sent as they are.
const COMPRESS_FROM: usize = 512;
/// The largest window a decoder allocates for: 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// An HTTP answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// `Content-Type`, as it stands.
    pub content_type: String,
    /// `Content-Encoding`, as it stands.
    pub encoding: String,
    /// `Retry-After` in milliseconds, if it was a number of seconds.
    pub retry_after_ms: Option<u64>,
    /// `Content-Range`, as it stands.
    pub content_range: Option<String>,
    /// The body, or what came of it.
    pub body: Vec<u8>,
    /// The body ended before its end.
    pub is_cut: bool,
    /// From the first byte out to the last byte in.
    pub took_ms: u64,
}

/// What an answer should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// JSON.
    Json,
    /// Frames.
    Frames,
    /// Bytes of a file.
    Bytes,
    /// Nothing.
    Nothing,
}

/// A request that brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    /// Why.
    pub failure: Failure,
    /// When the hub wants to be asked again.
    pub retry_after_ms: Option<u64>,
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { failure, retry_after_ms: None }
    }
}

/// A body to send with its `Content-Encoding`.
#[must_use]
pub fn pack<T: Serialize>(body: &T) -> (Vec<u8>, Option<&'static str>) {
    let plain = serde_json::to_vec(body).expect("BUG: wire shapes serialise");
    if plain.len() < COMPRESS_FROM {
        return (plain, None);
    }
    match zstd::stream::encode_all(plain.as_slice(), LEVEL) {
        Ok(packed) => (packed, Some("zstd")),
        // Only memory can fail here; the plain body is as good.
        Err(_) => (plain, None),
    }
}

/// The plain body of an answer, or what went wrong. `limit` bounds the decompressed size.
///
/// # Errors
/// If the answer is not what was expected.
pub fn unpack(received: &Received, expect: Expect, limit: usize) -> Result<Vec<u8>, Unanswered> {
    if !(200..300).contains(&received.status) {
        return Err(refusal(received));
    }
    let right_type = match expect {
        Expect::Json => is_type(received, "application/json"),
        Expect::Frames => is_type(received, "application/x-ndjson"),
        Expect::Bytes => is_type(received, "application/octet-stream"),
        // A hub says 204; an empty 200 is a proxy's, and nothing was stored.
        Expect::Nothing => received.status == 204 && received.body.is_empty(),
    };
    if !right_type {
        return Err(Failure::NotHub.into());
    }
    // Of a file, the part that came is worth keeping; of anything else it is not.
    if received.is_cut && expect != Expect::Bytes {
        return Err(Failure::Offline.into());
    }
    match received.encoding.as_str() {
        "" | "identity" if received.body.len() <= limit => Ok(received.body.clone()),
        "zstd" => decompress(&received.body, limit),
        _ => Err(Failure::NotHub.into()),
    }
}

/// Reads a JSON answer.
///
/// # Errors
/// If it has another shape: then it is no hub of ours that spoke.
pub fn read<T: DeserializeOwned>(plain: &[u8]) -> Result<T, Unanswered> {
    serde_json::from_slice(plain).map_err(|_| Failure::NotHub.into())
}

fn is_type(received: &Received, wanted: &str) -> bool {
    let main = received.content_type.split(';').next().unwrap_or_default().trim();
    main.eq_ignore_ascii_case(wanted)
}

fn decompress(packed: &[u8], limit: usize) -> Result<Vec<u8>, Unanswered> {
    let bad = |_| Unanswered::from(Failure::Offline);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(bad)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(bad)?;
    let mut plain = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut plain).map_err(bad)?;
    if plain.len() > limit { Err(Failure::NotHub.into()) } else { Ok(plain) }
}

/// What a status that is no success means. Only a body of the hub's own shape speaks of the token or the request.
fn refusal(received: &Received) -> Unanswered {
    let is_problem = is_type(received, "application/problem+json") || is_type(received, "application/json");
    let problem: Option<Problem> =
        is_problem.then(|| serde_json::from_slice(&received.body).ok()).flatten().filter(|_| !received.is_cut);
    let told = problem.as_ref().and_then(|p| p.retry_after_ms);
    let retry_after_ms = received.retry_after_ms.max(told);
    let failure = match (received.status, problem.map(|p| p.code)) {
        (429, _) | (503, _) => Failure::Busy,
        (500.., _) => Failure::HubError,
        (_, Some(ProblemCode::Unauthorized)) => Failure::Unauthorized,
        (_, Some(ProblemCode::Revoked)) => Failure::Revoked,
        (_, Some(ProblemCode::Cloned)) => Failure::Cloned,
        (_, Some(ProblemCode::Restored)) => Failure::Restored,
        (_, Some(ProblemCode::TooMany | ProblemCode::Unavailable)) => Failure::Busy,
        (_, Some(code)) => Failure::Refused(code),
        // A proxy on the way limits bodies, too.
        (413, None) => Failure::Refused(ProblemCode::TooLarge),
        (_, None) => Failure::NotHub,
    };
    Unanswered { failure, retry_after_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &[u8]) -> Received {
        Received { status, content_type: content_type.into(), body: body.to_vec(), ..Received::default() }
    }

    fn problem(status: u16, code: ProblemCode) -> Received {
        let body = serde_json::to_vec(&Problem { code, message: "m".into(), retry_after_ms: Some(1500) }).unwrap();
        answer(status, "application/problem+json", &body)
    }

    #[test]
    fn every_status_has_its_meaning() {
        let html = b"<html>log in to the network</html>";
        for (received, wanted) in [
            (answer(200, "text/html; charset=utf-8", html), Failure::NotHub),
            (answer(200, "application/json", b""), Failure::NotHub),
            (answer(302, "text/html", html), Failure::NotHub),
            (answer(401, "text/html", html), Failure::NotHub),
            (answer(403, "text/html", html), Failure::NotHub),
            (answer(404, "text/html", html), Failure::NotHub),
            (answer(407, "text/html", html), Failure::NotHub),
            (answer(413, "text/html", html), Failure::Refused(ProblemCode::TooLarge)),
            (answer(500, "text/html", html), Failure::HubError),
            (answer(502, "text/html", html), Failure::HubError),
            (answer(520, "", b""), Failure::HubError),
            (answer(503, "text/html", html), Failure::Busy),
            (answer(429, "", b""), Failure::Busy),
            (problem(401, ProblemCode::Unauthorized), Failure::Unauthorized),
            (problem(403, ProblemCode::Revoked), Failure::Revoked),
            (problem(409, ProblemCode::Cloned), Failure::Cloned),
            (problem(409, ProblemCode::Restored), Failure::Restored),
            (problem(503, ProblemCode::Unavailable), Failure::Busy),
            (problem(500, ProblemCode::Unauthorized), Failure::HubError),
            (problem(422, ProblemCode::HashMismatch), Failure::Refused(ProblemCode::HashMismatch)),
        ] {
            let result = unpack(&received, Expect::Json, 1 << 20).and_then(|plain| read::<Problem>(&plain));
            assert_eq!(result.unwrap_err().failure, wanted, "{received:?}");
        }
    }

    #[test]
    fn only_a_204_says_that_bytes_were_stored() {
        for (status, is_stored) in [(200, false), (201, false), (202, false), (206, false), (204, true)] {
            let result = unpack(&answer(status, "", b""), Expect::Nothing, 0);
            assert_eq!(result.err().map(|e| e.failure), (!is_stored).then_some(Failure::NotHub), "{status}");
        }
    }

    #[test]
    fn the_later_of_header_and_body_is_when_to_come_again() {
        let mut received = problem(503, ProblemCode::Unavailable);
        assert_eq!(unpack(&received, Expect::Json, 10).unwrap_err().retry_after_ms, Some(1500));
        received.retry_after_ms = Some(7000);
        assert_eq!(unpack(&received, Expect::Json, 10).unwrap_err().retry_after_ms, Some(7000));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit_and_a_cut_body_is_no_answer() {
        let bomb = zstd::stream::encode_all(vec![b' '; 50 << 20].as_slice(), 19).unwrap();
        let mut received = answer(200, "application/json", &bomb);
        received.encoding = "zstd".into();
        assert_eq!(unpack(&received, Expect::Json, 1 << 20).unwrap_err().failure, Failure::NotHub);
        let packed = zstd::stream::encode_all([7u8; 9000].as_slice(), 3).unwrap();
        for end in 0..packed.len() {
            received.body = packed[..end].to_vec();
            let result = unpack(&received, Expect::Json, 1 << 20);
            assert!(result.is_err() || end == 0, "cut at {end}");
        }
    }

    #[test]
    fn what_is_packed_is_what_was_meant() {
        let long = vec!["слово"; 500];
        let (packed, encoding) = pack(&long);
        let received = Received {
            status: 200,
            content_type: "application/json".into(),
            encoding: encoding.unwrap().into(),
            body: packed,
            ..Received::default()
        };
        let plain = unpack(&received, Expect::Json, 1 << 20).unwrap();
        assert_eq!(read::<Vec<String>>(&plain).unwrap(), long);
    }
}
