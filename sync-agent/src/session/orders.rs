//! Actions of the engine as HTTP requests: method, path, headers, body. The one place that knows the hub's routes
//! (`docs/protocol.md`).

use parkdesk_domain::BlobId;
use parkdesk_domain::wire::{BlobCheckRequest, BlobWanted, PullRequest, PushRequest};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Local, LocalError, RANGE, Sender, Session};
use crate::codec;
use crate::engine::{Action, FileWork, Now, Request};

/// HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What it is for the engine.
    pub request: Request,
    /// How.
    pub method: Method,
    /// Where, from the hub's root.
    pub path: String,
    /// Headers besides the token and those of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How long the hub may keep silent on purpose.
    pub wait_ms: u64,
    /// Bytes of an answer worth reading.
    pub answer_bytes: u64,
}

/// Longest wait for a connection.
pub const CONNECT_MS: u64 = 5_000;
/// Longest silence in an answer: longer than the longest wait of a pull.
pub const IDLE_MS: u64 = 30_000;
/// Time of a request without bytes.
const TOTAL_MS: u64 = 60_000;
/// Bytes per second below which a transfer is not worth waiting for.
const SLOWEST: u64 = 4 << 10;

impl Order {
    /// How long it may take in all: it grows with the bytes, so that a slow link is slow and not broken.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        let bytes = self.body.len() as u64 + self.answer_bytes.min(4 << 20);
        TOTAL_MS + self.wait_ms + bytes / SLOWEST * 1000
    }
}

/// Bytes of an ordinary answer, as they come over the link.
const ANSWER: u64 = 16 << 20;

fn order(request: Request, method: Method, path: impl Into<String>) -> Order {
    let (headers, body) = (Vec::new(), Vec::new());
    Order { request, method, path: path.into(), headers, body, wait_ms: 0, answer_bytes: ANSWER }
}

fn with_json<T: serde::Serialize>(mut order: Order, body: &T) -> Order {
    let (bytes, encoding) = codec::pack(body);
    order.headers.push(("content-type", "application/json".into()));
    if let Some(encoding) = encoding {
        order.headers.push(("content-encoding", encoding.into()));
    }
    order.body = bytes;
    order
}

impl<L: Local> Session<L> {
    /// The request for an action that is one.
    pub(super) fn order(&mut self, now: Now, action: Action) -> Result<Order, (Request, LocalError)> {
        match action {
            Action::Push { seqs } => self.push_order(now, &seqs).map_err(|e| (Request::Push, e)),
            Action::Pull { wait_ms } => {
                let scopes = self.local.cursors().map_err(|e| (Request::Pull, e))?;
                let pull = order(Request::Pull, Method::Post, "/v1/pull");
                let pull = with_json(pull, &PullRequest { scopes, wait_ms });
                Ok(Order { wait_ms, answer_bytes: 4 * ANSWER, ..pull })
            }
            Action::CheckFiles { files } => {
                let wanted = |f: &FileWork| BlobWanted { id: f.id.clone(), size_bytes: f.size_bytes };
                let request = BlobCheckRequest { blobs: files.iter().map(wanted).collect() };
                self.checked = files;
                Ok(with_json(order(Request::Check, Method::Post, "/v1/blobs/check"), &request))
            }
            Action::SendPart { file, part } => {
                let request = Request::Part { id: file.id.clone(), part };
                self.part_order(&file, part).map_err(|e| (request, e))
            }
            Action::Complete { file } => {
                let path = format!("/v1/blobs/{}/complete", file.id);
                Ok(order(Request::Complete { id: file.id }, Method::Post, path))
            }
            Action::Fetch { file, from } => {
                let from = self.held_of(&file).map_err(|e| (Request::Fetch { id: file.id.clone(), have: from }, e))?;
                let end = (from + RANGE).min(file.size_bytes).saturating_sub(1);
                let path = format!("/v1/blobs/{}", file.id);
                let mut fetch = order(Request::Fetch { id: file.id, have: from }, Method::Get, path);
                fetch.headers.push(("range", format!("bytes={from}-{end}")));
                Ok(Order { answer_bytes: RANGE, ..fetch })
            }
            Action::AskLimits => Ok(order(Request::Limits, Method::Get, "/v1/limits")),
            Action::ParkFile { .. } | Action::NewEpoch | Action::Report(_) | Action::SleepUntil(_) => {
                unreachable!("BUG: the session does these itself")
            }
        }
    }

    fn push_order(&mut self, now: Now, seqs: &[u64]) -> Result<Order, LocalError> {
        let sender = self.local.sender()?.ok_or_else(|| LocalError("not enrolled".into()))?;
        let mut commands = Vec::with_capacity(seqs.len());
        for bytes in seqs.iter().filter_map(|seq| self.outgoing.get(seq)) {
            let text = String::from_utf8(bytes.clone()).map_err(|e| LocalError(e.into()))?;
            commands.push(RawValue::from_string(text).map_err(|e| LocalError(e.into()))?);
        }
        self.local.mark_sent(seqs, now.wall)?;
        self.sent = seqs.iter().copied().collect();
        let Sender { device, epoch, floor, hub_epoch } = sender;
        let push = PushRequest { device, epoch, floor, hub_epoch, commands };
        Ok(with_json(order(Request::Push, Method::Post, "/v1/push"), &push))
    }

    fn part_order(&mut self, file: &FileWork, part: u32) -> Result<Order, LocalError> {
        let part_bytes = self.engine.limits().part_bytes;
        if self.held.as_ref().is_none_or(|(id, _)| *id != file.id) {
            let plain = self.local.read_file(&file.id)?;
            // A file that rotted on this disk is never sent as good (F11).
            if BlobId::of(&plain) != file.id {
                return Err(LocalError("the file's hash is wrong".into()));
            }
            self.held = Some((file.id.clone(), plain));
        }
        let plain = self.held.as_ref().map(|(_, plain)| plain.as_slice()).unwrap_or_default();
        let start = usize::try_from(u64::from(part) * part_bytes).unwrap_or(usize::MAX).min(plain.len());
        let len = usize::try_from(part_bytes).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = plain.iter().skip(start).take(len).copied().collect();
        let request = Request::Part { id: file.id.clone(), part };
        let mut put = if file.size_bytes <= part_bytes {
            order(request, Method::Put, format!("/v1/blobs/{}", file.id))
        } else {
            order(request, Method::Put, format!("/v1/blobs/{}/parts/{part}", file.id))
        };
        put.headers.push(("parkdesk-part-hash", hex::encode(Sha256::digest(&bytes))));
        put.headers.push(("content-type", "application/octet-stream".into()));
        put.body = bytes;
        Ok(put)
    }
}
