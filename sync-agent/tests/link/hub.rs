//! A hub of few lines with the real wire shapes, and every way to fail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use parkdesk_app::sync::LinkStatus;
use parkdesk_domain::command::EnvelopeHead;
use parkdesk_domain::wire::{
    BlobCheckAnswer, BlobCheckRequest, BlobState, FrameHead, Judged, Limits, PullRequest, PushAnswer, PushRequest,
    Verdict, frame,
};
use parkdesk_domain::{BlobId, Kind, Millis, Row, Scope, canonical};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// The fake hub's clock is ahead by so much.
const AHEAD_MS: i64 = 40_000;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// A captive portal.
    Html,
    /// The request is carried out and the answer never comes.
    LoseAnswer,
    /// The answer ends after so many bytes.
    CutAt(usize),
    /// 503 with Retry-After.
    Busy { seconds: u64 },
    /// A bare status.
    Status(u16),
    /// A problem of a hub.
    Problem(u16, &'static str),
}

#[derive(Default)]
struct Inner {
    queued: Vec<(String, VecDeque<Fault>)>,
    always: Option<Fault>,
    paths: BTreeMap<String, Fault>,
    counts: BTreeMap<String, u32>,
    effects: Vec<u64>,
    seen: BTreeSet<u64>,
    rows: u64,
    files: BTreeMap<BlobId, Vec<u8>>,
    sizes: BTreeMap<BlobId, u64>,
    parts: BTreeMap<BlobId, BTreeMap<u32, Bytes>>,
    parts_taken: usize,
    stop_after_parts: usize,
    stop_after_bytes: Option<u64>,
    bytes_served: u64,
    gets: u64,
    refused: BTreeSet<BlobId>,
}

#[derive(Clone)]
pub(crate) struct Hub {
    inner: Arc<Mutex<Inner>>,
    address: SocketAddr,
    stop: Arc<Mutex<CancellationToken>>,
    task: Arc<tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let inner = Inner { stop_after_parts: usize::MAX, ..Inner::default() };
        let hub = Self { inner: Arc::new(Mutex::new(inner)), address, stop: Arc::default(), task: Arc::default() };
        hub.come_back().await;
        hub
    }

    pub(crate) async fn come_back(&self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        let stop = CancellationToken::new();
        *self.stop.lock().unwrap() = stop.clone();
        let task = tokio::spawn(async move {
            // Dropping the server drops its listener; its connections end with the token below.
            tokio::select! {
                served = axum::serve(listener, router) => served.unwrap(),
                () = stop.cancelled() => {}
            }
        });
        *self.task.lock().await = Some(task);
    }

    pub(crate) async fn go_away(&self) {
        self.stop.lock().unwrap().cancel();
        if let Some(task) = self.task.lock().await.take() {
            task.await.unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fail(&self, path: &str, fault: Fault) {
        let mut inner = self.lock();
        match inner.queued.iter_mut().find(|(known, _)| known == path) {
            Some((_, faults)) => faults.push_back(fault),
            None => inner.queued.push((path.into(), VecDeque::from([fault]))),
        }
    }

    pub(crate) fn fail_always(&self, fault: Option<Fault>) {
        self.lock().always = fault;
    }

    pub(crate) fn fail_path(&self, path: &str, fault: Option<Fault>) {
        let mut inner = self.lock();
        match fault {
            Some(fault) => inner.paths.insert(path.into(), fault),
            None => inner.paths.remove(path),
        };
    }

    pub(crate) fn set_rows(&self, rows: u64) {
        self.lock().rows = rows;
    }

    pub(crate) fn add_file(&self, bytes: &[u8]) -> BlobId {
        let id = BlobId::of(bytes);
        self.add_file_as(&id, bytes);
        id
    }

    pub(crate) fn add_file_as(&self, id: &BlobId, bytes: &[u8]) {
        self.lock().files.insert(id.clone(), bytes.to_vec());
    }

    pub(crate) fn has(&self, id: &BlobId) -> bool {
        self.lock().files.get(id).is_some_and(|bytes| BlobId::of(bytes) == *id)
    }

    pub(crate) fn effects(&self) -> Vec<u64> {
        self.lock().effects.clone()
    }

    pub(crate) fn count(&self, path: &str) -> u32 {
        self.lock().counts.get(path).copied().unwrap_or(0)
    }

    pub(crate) fn total(&self) -> u32 {
        self.lock().counts.values().sum()
    }

    pub(crate) fn stop_after_parts(&self, parts: usize) {
        self.lock().stop_after_parts = parts;
    }

    /// Downloads fail once so many bytes of files went out.
    pub(crate) fn stop_after_bytes(&self, bytes: Option<u64>) {
        self.lock().stop_after_bytes = bytes;
    }

    /// Downloads are answered again, once nothing comes any more of an appliance that stopped: it may have asked before.
    pub(crate) async fn go_on(&self) {
        loop {
            let gets = self.lock().gets;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            if self.lock().gets == gets {
                break;
            }
        }
        self.stop_after_bytes(None);
    }

    /// Bytes of files that went out.
    pub(crate) fn bytes_served(&self) -> u64 {
        self.lock().bytes_served
    }

    pub(crate) fn parts_held(&self, id: &BlobId) -> usize {
        self.lock().parts.get(id).map_or(0, BTreeMap::len)
    }

    pub(crate) fn parts_taken(&self) -> usize {
        self.lock().parts_taken
    }

    pub(crate) fn refuse_file(&self, id: &BlobId) {
        self.lock().refused.insert(id.clone());
    }

    pub(crate) fn offset_was_measured_from(&self, status: &LinkStatus) -> bool {
        (status.clock_offset_ms.unwrap() - AHEAD_MS).abs() < 5_000
    }

    fn fault_for(&self, path: &str) -> Option<Fault> {
        let mut inner = self.lock();
        *inner.counts.entry(path.to_owned()).or_default() += 1;
        let queued = inner.queued.iter_mut().find(|(known, _)| path.starts_with(known.as_str()));
        let next = queued.and_then(|(_, faults)| faults.pop_front());
        next.or(inner.always).or_else(|| inner.paths.get(path).copied())
    }
}

async fn answer(State(hub): State<Hub>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let stop = hub.stop.lock().unwrap().clone();
    if stop.is_cancelled() {
        return broken(b"");
    }
    let fault = hub.fault_for(&path);
    match fault {
        Some(Fault::Html) => {
            return (StatusCode::OK, [("content-type", "text/html")], "<html>log in</html>").into_response();
        }
        Some(Fault::Busy { seconds }) => {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())], "").into_response();
        }
        Some(Fault::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::Problem(status, code)) => return problem(status, code),
        Some(Fault::LoseAnswer | Fault::CutAt(_)) | None => {}
    }
    let true_answer = tokio::select! {
        response = handle(&hub, request) => response,
        () = stop.cancelled() => return broken(b""),
    };
    match fault {
        Some(Fault::LoseAnswer) => broken(b""),
        Some(Fault::CutAt(n)) => {
            let (parts, body) = true_answer.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            if n >= bytes.len() {
                return Response::from_parts(parts, Body::from(bytes));
            }
            let cut = broken(&bytes[..n]);
            let mut response = Response::from_parts(parts, cut.into_body());
            response.headers_mut().remove("content-length");
            response
        }
        _ => true_answer,
    }
}

/// A body that breaks off after these bytes.
fn broken(bytes: &[u8]) -> Response {
    let first = Ok(Bytes::copy_from_slice(bytes));
    let error = Err(std::io::Error::other("cut"));
    Body::from_stream(futures_util::stream::iter([first, error])).into_response()
}

fn problem(status: u16, code: &str) -> Response {
    let body = serde_json::json!({"code": code, "message": "m"}).to_string();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/problem+json")], body).into_response()
}

fn json<T: serde::Serialize>(body: &T) -> Response {
    ([("content-type", "application/json")], serde_json::to_vec(body).unwrap()).into_response()
}

fn plain(headers: &HeaderMap, body: &Bytes) -> Vec<u8> {
    match headers.get("content-encoding") {
        Some(_) => zstd::stream::decode_all(body.as_ref()).unwrap(),
        None => body.to_vec(),
    }
}

async fn handle(hub: &Hub, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    if path == "/v1/limits" {
        return json(&Limits::default());
    }
    assert_eq!(parts.headers.get("authorization").unwrap(), "Bearer secret");
    let sent = plain(&parts.headers, &body);
    let steps: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (&parts.method, steps.as_slice()) {
        (&Method::POST, ["push"]) => push(hub, &sent),
        (&Method::POST, ["pull"]) => pull(hub, &sent).await,
        (&Method::POST, ["blobs", "check"]) => check(hub, &sent),
        (&Method::PUT, ["blobs", id]) => put(hub, &id.parse().unwrap(), None, &parts.headers, body),
        (&Method::PUT, ["blobs", id, "parts", n]) => {
            put(hub, &id.parse().unwrap(), Some(n.parse().unwrap()), &parts.headers, body)
        }
        (&Method::POST, ["blobs", id, "complete"]) => complete(hub, &id.parse().unwrap()),
        (&Method::GET, ["blobs", id]) => get(hub, &id.parse().unwrap(), &parts.headers),
        _ => problem(404, "not_found"),
    }
}

fn push(hub: &Hub, sent: &[u8]) -> Response {
    let request: PushRequest = serde_json::from_slice(sent).unwrap();
    let mut inner = hub.lock();
    let mut verdicts = Vec::new();
    for command in request.commands {
        let head: EnvelopeHead = serde_json::from_str(command.get()).unwrap();
        let applied = Verdict::Applied { scopes: BTreeMap::new(), conflicts: Vec::new() };
        let verdict = if inner.seen.insert(head.seq) {
            inner.effects.push(head.seq);
            applied
        } else {
            Verdict::Duplicate { first: Box::new(applied) }
        };
        verdicts.push(Judged { seq: head.seq, id: head.id, verdict });
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = Millis(i64::try_from(now.as_millis()).unwrap() + AHEAD_MS);
    json(&PushAnswer { verdicts, now_ms })
}

async fn pull(hub: &Hub, sent: &[u8]) -> Response {
    let request: PullRequest = serde_json::from_slice(sent).unwrap();
    let from = request.scopes[0].version;
    let deadline = tokio::time::Instant::now() + Duration::from_millis(request.wait_ms);
    while hub.lock().rows <= from && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let to = hub.lock().rows;
    let mut out = Vec::new();
    if to > from {
        let head = FrameHead { scope: Scope::Org, epoch: 1, from, to, head: to, schema: 1, refused: None };
        let rows: Vec<Row> = (from + 1..=to)
            .map(|version| Row {
                kind: Kind::Other("thing".into()),
                id: format!("r{version}").parse().unwrap(),
                version,
                rev: 1,
                deleted: false,
                schema: 1,
                hash: canonical::hash("{}"),
                body: "{}".into(),
            })
            .collect();
        frame::encode(&head, &rows, &mut out).unwrap();
    }
    let packed = zstd::stream::encode_all(out.as_slice(), 3).unwrap();
    ([("content-type", "application/x-ndjson"), ("content-encoding", "zstd")], packed).into_response()
}

fn check(hub: &Hub, sent: &[u8]) -> Response {
    let request: BlobCheckRequest = serde_json::from_slice(sent).unwrap();
    let mut inner = hub.lock();
    let mut blobs = Vec::new();
    for wanted in request.blobs {
        inner.sizes.insert(wanted.id.clone(), wanted.size_bytes);
        blobs.push(match inner.parts.get(&wanted.id) {
            _ if inner.files.contains_key(&wanted.id) => BlobState::Present,
            Some(parts) => BlobState::Partial { parts: parts.keys().copied().collect() },
            None => BlobState::Missing,
        });
    }
    json(&BlobCheckAnswer { blobs })
}

fn put(hub: &Hub, id: &BlobId, part: Option<u32>, headers: &HeaderMap, body: Bytes) -> Response {
    let mut inner = hub.lock();
    if inner.refused.contains(id) {
        return problem(422, "hash_mismatch");
    }
    let hash = hex::encode(Sha256::digest(&body));
    assert_eq!(headers.get("parkdesk-part-hash").unwrap().to_str().unwrap(), hash);
    match part {
        None if BlobId::of(&body) == *id => {
            inner.files.insert(id.clone(), body.to_vec());
        }
        None => return problem(422, "hash_mismatch"),
        Some(_) if inner.parts_taken >= inner.stop_after_parts => return StatusCode::BAD_GATEWAY.into_response(),
        Some(n) => {
            inner.parts_taken += 1;
            inner.parts.entry(id.clone()).or_default().insert(n, body);
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

fn complete(hub: &Hub, id: &BlobId) -> Response {
    let mut inner = hub.lock();
    let whole: Vec<u8> = inner.parts.get(id).into_iter().flat_map(BTreeMap::values).flatten().copied().collect();
    if BlobId::of(&whole) != *id {
        return problem(409, "incomplete");
    }
    inner.files.insert(id.clone(), whole);
    StatusCode::NO_CONTENT.into_response()
}

fn get(hub: &Hub, id: &BlobId, headers: &HeaderMap) -> Response {
    let mut inner = hub.lock();
    inner.gets += 1;
    if inner.stop_after_bytes.is_some_and(|most| inner.bytes_served >= most) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let Some(bytes) = inner.files.get(id).cloned() else { return problem(404, "not_found") };
    let range = headers.get("range").unwrap().to_str().unwrap().trim_start_matches("bytes=");
    let (from, to) = range.split_once('-').unwrap();
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    let to = to.min(bytes.len() - 1);
    inner.bytes_served += (to - from + 1) as u64;
    let content_range = format!("bytes {from}-{to}/{}", bytes.len());
    (
        StatusCode::PARTIAL_CONTENT,
        [("content-type", "application/octet-stream".to_owned()), ("content-range", content_range)],
        bytes[from..=to].to_vec(),
    )
        .into_response()
}
