//! How a request and its answer travel through the one `api` command, as bytes.
//!
//! Both ways: `u32` big-endian N, N bytes of JSON (the head), the rest is the body. The head of a request is
//! `{method, path, content_type}`, that of an answer `{status, content_type}`. The page's half is `ui/src/api/transport.ts`.
//! A frame that cannot be read is a fault of the page, so it is an error of the command and not an answer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Largest body either way; the API's own limits are lower and answer better.
pub(crate) const MAX_BODY: usize = 64 << 20;
const MAX_HEAD: usize = 16 << 10;

/// What the page asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) head: CallHead,
    pub(crate) body: Bytes,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallHead {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: Option<String>,
}

/// The methods of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Method {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
    #[serde(rename = "DELETE")]
    Delete,
}

/// What the API answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Bytes,
}

#[derive(Serialize)]
struct AnswerHead<'a> {
    status: u16,
    content_type: Option<&'a str>,
}

/// Why a frame cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    #[error("the frame ends before its head does")]
    Short,
    #[error("the frame's head is {0} bytes long; {MAX_HEAD} are taken")]
    LongHead(usize),
    #[error("the frame's head cannot be read: {0}")]
    Head(String),
    #[error("only addresses that begin with /api/v1/ are answered")]
    Path,
}

/// Reads a request.
pub(crate) fn read(frame: &[u8]) -> Result<Call, BadFrame> {
    let (length, rest) = frame.split_first_chunk::<4>().ok_or(BadFrame::Short)?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_HEAD {
        return Err(BadFrame::LongHead(length));
    }
    let (head, body) = rest.split_at_checked(length).ok_or(BadFrame::Short)?;
    let head: CallHead = serde_json::from_slice(head).map_err(|error| BadFrame::Head(error.to_string()))?;
    let is_plain = head.path.bytes().all(|b| b.is_ascii_graphic()) && !head.path.contains('#');
    if !is_plain || !head.path.starts_with("/api/v1/") {
        return Err(BadFrame::Path);
    }
    Ok(Call { head, body: Bytes::copy_from_slice(body) })
}

/// Writes an answer.
pub(crate) fn write(answer: &Answer) -> Vec<u8> {
    let head = AnswerHead { status: answer.status, content_type: answer.content_type.as_deref() };
    let head = serde_json::to_vec(&head).expect("BUG: a number and a text are always JSON");
    let length = u32::try_from(head.len()).expect("BUG: hyper takes no header of 4 GB");
    let mut frame = Vec::with_capacity(4 + head.len() + answer.body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(&answer.body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(head: &str, body: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(head.len()).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(head.as_bytes());
        frame.extend_from_slice(body);
        frame
    }

    #[test]
    fn a_request_is_read_with_its_body() {
        let head = r#"{"method":"POST","path":"/api/v1/live?x=%D0%98","content_type":"image/jpeg"}"#;
        let call = read(&frame(head, b"\xff\xd8\x00")).unwrap();
        assert_eq!(call.head.method, Method::Post);
        assert_eq!(call.head.path, "/api/v1/live?x=%D0%98");
        assert_eq!(call.head.content_type.as_deref(), Some("image/jpeg"));
        assert_eq!(&call.body[..], b"\xff\xd8\x00");
        let bare = read(&frame(r#"{"method":"GET","path":"/api/v1/status","content_type":null}"#, b"")).unwrap();
        assert!(bare.body.is_empty());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(read(b""), Err(BadFrame::Short));
        assert_eq!(read(b"\0\0\0\x05{}"), Err(BadFrame::Short));
        assert_eq!(read(b"\xff\xff\xff\xff"), Err(BadFrame::LongHead(u32::MAX as usize)));
        assert!(matches!(read(&frame("[]", b"")), Err(BadFrame::Head(_))));
        let trace = frame(r#"{"method":"TRACE","path":"/api/v1/status","content_type":null}"#, b"");
        assert!(matches!(read(&trace), Err(BadFrame::Head(_))));
    }

    #[test]
    fn only_the_api_is_reached() {
        let paths = [
            "/openapi.json",
            "http://evil.test/api/v1/status",
            "api/v1/status",
            "/api/v1/a b",
            "/api/v1/a\\r\\nHost: x",
            "/api/v1/\\u0438",
            "/api/v1/a#b",
        ];
        for path in paths {
            let head = format!(r#"{{"method":"GET","path":"{path}","content_type":null}}"#);
            assert_eq!(read(&frame(&head, b"")), Err(BadFrame::Path), "{path}");
        }
    }

    #[test]
    fn an_answer_is_head_and_body() {
        let answer = Answer { status: 200, content_type: Some("application/json".into()), body: Bytes::from("[1]") };
        let head = r#"{"status":200,"content_type":"application/json"}"#;
        assert_eq!(write(&answer), frame(head, b"[1]"));
        let bare = Answer { status: 204, content_type: None, body: Bytes::new() };
        assert_eq!(write(&bare), frame(r#"{"status":204,"content_type":null}"#, b""));
    }
}
