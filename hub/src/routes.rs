//! HTTP around the protocol functions: who calls, how much they may send, how the answer is packed. No rules.
//!
//! Every route is a line of [`Endpoint`], and the router is built from it, so that the test of foreign access cannot
//! miss one. In order: caller, requests in flight, body within its limit (compressed and not), the function on a thread
//! that may block, then the announcement of what is new, then the answer.

mod body;
mod pull;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use futures_util::Stream;
use metrics_exporter_prometheus::PrometheusHandle;
use parkdesk_domain::wire::{Limits, Problem, ProblemCode, Verdict};
use parkdesk_domain::{BlobId, DeviceId, Millis, Scope};
use parkdesk_sqlcipher::dir::DataDir;
use serde::Serialize;
use subtle::ConstantTimeEq;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::blob_files::BlobFiles;
use crate::data::Opened;
use crate::protocol::blobs::Wanted;
use crate::protocol::{Fault, Told, blobs, enrol, push};
use crate::store::any::AnyStore;
use crate::store::postgres::news::Heard;
use crate::store::{Caller, Store};

/// Requests of one device at a time.
const IN_FLIGHT: u32 = 8;
/// Whole blobs in memory at a time.
const HEAVY: usize = 4;

/// The running hub: what every request shares.
pub struct Hub {
    /// Rows, verdicts, devices.
    pub store: AnyStore,
    /// Bytes of photos.
    pub files: BlobFiles,
    /// The clock.
    pub clock: Box<dyn Fn() -> Millis + Send + Sync>,
    /// Ends waiting polls.
    pub stop: CancellationToken,
    /// What `/metrics` renders.
    pub metrics: Option<PrometheusHandle>,
    /// SHA-256 of the token for `/metrics` from elsewhere.
    pub metrics_token: Option<[u8; 32]>,
    _dir: DataDir,
    /// Where announcements go to the other processes of this hub, if there are any.
    pub others: Option<UnboundedSender<BTreeSet<Scope>>>,
    news: broadcast::Sender<Arc<Heard>>,
    heavy: Semaphore,
    in_flight: Mutex<BTreeMap<DeviceId, u32>>,
}

impl Hub {
    /// A hub over an open data directory.
    #[must_use]
    pub fn new(opened: Opened, clock: Box<dyn Fn() -> Millis + Send + Sync>) -> Self {
        let (news, _) = broadcast::channel(256);
        let Opened { store, files, dir } = opened;
        Self {
            _dir: dir,
            store,
            files,
            clock,
            stop: CancellationToken::new(),
            metrics: None,
            metrics_token: None,
            others: None,
            news,
            heavy: Semaphore::new(HEAVY),
            in_flight: Mutex::default(),
        }
    }

    /// Wakes those who wait for one of these scopes, here and at other processes; called only after the change is
    /// durable.
    pub fn announce(&self, touched: BTreeSet<Scope>) {
        if touched.is_empty() {
            return;
        }
        if let Some(others) = &self.others {
            // It ends with the hub only.
            let _ = others.send(touched.clone());
        }
        self.hear(Heard::Scopes(touched));
    }

    /// Wakes those who wait here.
    pub fn hear(&self, heard: Heard) {
        // Nobody waits: nothing to tell.
        let _ = self.news.send(Arc::new(heard));
    }
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anybody.
    Open,
    /// An enrolled device with its token.
    Device,
    /// Also a revoked one, which is told so.
    EvenRevoked,
    /// From this machine, or with the token for metrics.
    Operator,
}

macro_rules! endpoints {
    ($($name:ident = $method:ident $path:literal $guard:ident $limit:expr;)*) => {
        /// Every route of the hub.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Endpoint {
            $(#[doc = $path] $name,)*
        }

        impl Endpoint {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Method, path, who may call, largest body.
            #[must_use]
            pub fn line(self) -> (Method, &'static str, Guard, usize) {
                match self {
                    $(Self::$name => (Method::$method, $path, Guard::$guard, $limit),)*
                }
            }
        }
    };
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

endpoints! {
    Enrol = POST "/v1/enrol" Open 4 * KIB;
    Push = POST "/v1/push" Device MIB;
    Pull = POST "/v1/pull" EvenRevoked 256 * KIB;
    BlobCheck = POST "/v1/blobs/check" Device 64 * KIB;
    BlobPart = PUT "/v1/blobs/{id}/parts/{n}" Device MIB;
    BlobComplete = POST "/v1/blobs/{id}/complete" Device KIB;
    BlobPut = PUT "/v1/blobs/{id}" Device MIB;
    BlobGet = GET "/v1/blobs/{id}" Device 0;
    Limits = GET "/v1/limits" Open 0;
    Healthz = GET "/healthz" Open 0;
    Metrics = GET "/metrics" Operator 0;
}

/// The router over all [`Endpoint`]s.
pub fn router(hub: Arc<Hub>) -> Router {
    let mut router = Router::new();
    for endpoint in Endpoint::ALL.iter().copied() {
        let (method, path, _, _) = endpoint.line();
        let filter = MethodFilter::try_from(method).expect("BUG: the table holds known methods");
        let handler = move |State(hub): State<Arc<Hub>>, params: RawPathParams, request: Request| {
            serve(endpoint, hub, params, request)
        };
        router = router.route(path, on(filter, handler));
    }
    let problem = |code, text: &'static str| move || async move { Fault::new(code, text).into_response() };
    router
        .fallback(problem(ProblemCode::NotFound, "there is no such route"))
        .method_not_allowed_fallback(problem(ProblemCode::NotFound, "there is no such method here"))
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("BUG: a request panicked");
            Fault::new(ProblemCode::Unavailable, "the hub failed").retry_after_ms(5_000).into_response()
        }))
        .with_state(hub)
}

async fn serve(endpoint: Endpoint, hub: Arc<Hub>, params: RawPathParams, request: Request) -> Response {
    let started = std::time::Instant::now();
    let (_, path, _, _) = endpoint.line();
    let response = match answer(endpoint, &hub, &params, request).await {
        Ok(response) => response,
        Err(fault) => fault.into_response(),
    };
    let status = response.status();
    metrics::counter!("hub_requests_total", "route" => path, "status" => status.as_str().to_owned()).increment(1);
    metrics::histogram!("hub_request_seconds", "route" => path).record(started.elapsed().as_secs_f64());
    tracing::debug!(http.route = path, http.status = status.as_u16(), duration_ms = started.elapsed().as_millis());
    response
}

async fn answer(
    endpoint: Endpoint,
    hub: &Arc<Hub>,
    params: &RawPathParams,
    request: Request,
) -> Result<Response, Fault> {
    let (_, _, guard, limit) = endpoint.line();
    let (parts, sent) = request.into_parts();
    let caller = match guard {
        Guard::Open => None,
        Guard::Operator => {
            check_operator(hub, &parts.headers, parts.extensions.get())?;
            None
        }
        Guard::Device | Guard::EvenRevoked => Some(recognise(hub, &parts.headers).await?),
    };
    if guard == Guard::Device && caller.as_ref().is_some_and(|caller| caller.revoked) {
        return Err(Fault::new(ProblemCode::Revoked, "this device was revoked"));
    }
    let _place = caller.as_ref().map(|caller| Place::take(hub, &caller.device)).transpose()?;
    let bytes = body::receive(&parts.headers, sent, limit).await?;
    let id = || -> Result<BlobId, Fault> {
        let text = params.iter().find(|(name, _)| *name == "id").map(|(_, value)| value);
        text.and_then(|text| text.parse().ok()).ok_or_else(Fault::not_found)
    };
    let headers = parts.headers;
    match (endpoint, caller) {
        (Endpoint::Pull, Some(caller)) => pull::pull(hub, caller, &headers, &bytes).await,
        (Endpoint::Limits, _) => Ok(body::json(&headers, &Limits::default())),
        (Endpoint::Healthz, _) => {
            blocking(hub, move |hub| async move { Ok(hub.store.hub_id().await?) }).await?;
            Ok(body::json(&headers, &serde_json::json!({"status": "ok"})))
        }
        (Endpoint::Metrics, _) => {
            Ok(hub.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default().into_response())
        }
        (Endpoint::Enrol, _) => {
            let told = blocking(hub, |hub| async move {
                enrol::enrol(&hub.store, (hub.clock)(), &mut crate::clock::rng(), &bytes).await
            });
            Ok(tell(hub, &headers, told.await?))
        }
        (Endpoint::Push, Some(Caller { device, .. })) => {
            let told = blocking(hub, |hub| async move { push::push(&hub.store, (hub.clock)(), &device, &bytes).await });
            let told = told.await?;
            count_verdicts(told.answer.verdicts.iter().map(|judged| &judged.verdict));
            Ok(tell(hub, &headers, told))
        }
        (Endpoint::BlobCheck, Some(Caller { device, .. })) => {
            let answer = blocking(hub, |hub| async move { blobs::check(&hub.store, &device, &bytes).await });
            Ok(body::json(&headers, &answer.await?))
        }
        (Endpoint::BlobPart, Some(Caller { device, .. })) => {
            let n = params.iter().find(|(name, _)| *name == "n").and_then(|(_, n)| n.parse().ok());
            put_part(hub, device, &headers, (id()?, n.ok_or_else(Fault::not_found)?), bytes).await
        }
        (Endpoint::BlobComplete, Some(Caller { device, .. })) => {
            let id = id()?;
            let _turn = hub.heavy.acquire().await;
            let told = blocking(hub, |hub| async move {
                blobs::complete(&hub.store, &hub.files, (hub.clock)(), &device, &id).await
            });
            Ok(tell_empty(hub, told.await?))
        }
        (Endpoint::BlobPut, Some(Caller { device, .. })) => {
            let id = id()?;
            let told = blocking(hub, |hub| async move {
                blobs::put_whole(&hub.store, &hub.files, (hub.clock)(), &device, &id, &bytes).await
            });
            Ok(tell_empty(hub, told.await?))
        }
        (Endpoint::BlobGet, Some(Caller { device, .. })) => get_blob(hub, device, &headers, id()?).await,
        (
            Endpoint::Push
            | Endpoint::Pull
            | Endpoint::BlobCheck
            | Endpoint::BlobPart
            | Endpoint::BlobComplete
            | Endpoint::BlobPut
            | Endpoint::BlobGet,
            None,
        ) => Err(Fault::new(ProblemCode::Unauthorized, "a device must say who it is")),
    }
}

async fn put_part(
    hub: &Arc<Hub>,
    device: DeviceId,
    headers: &HeaderMap,
    part: (BlobId, u32),
    bytes: Bytes,
) -> Result<Response, Fault> {
    let hash = headers.get("parkdesk-part-hash").and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned();
    blocking(hub, move |hub| async move {
        blobs::put_part(&hub.store, &hub.files, (hub.clock)(), &device, (&part.0, part.1), &hash, &bytes).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn get_blob(hub: &Arc<Hub>, device: DeviceId, headers: &HeaderMap, id: BlobId) -> Result<Response, Fault> {
    let wanted = Wanted::parse(headers.get(header::RANGE).and_then(|r| r.to_str().ok()));
    let etag = format!("\"{id}\"");
    // The first piece is read before the answer begins: what is lost is `not_found`, not half a body.
    let (download, first) = blocking(hub, move |hub| async move {
        let mut download = blobs::get(&hub.store, &device, &id, wanted).await?;
        let first = download.read(&hub.files)?;
        Ok((download, first))
    })
    .await?;
    let (total, end) = (download.total, download.range.end);
    let start = download.range.start - first.len() as u64;
    let mut response = if wanted != Wanted::All && first.is_empty() {
        let mut refused = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
        set(&mut refused, header::CONTENT_RANGE, &format!("bytes */{total}"));
        refused
    } else {
        let mut whole = Body::from_stream(pieces(Arc::clone(hub), download, first)).into_response();
        set(&mut whole, header::CONTENT_LENGTH, &(end - start).to_string());
        if wanted != Wanted::All {
            *whole.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(&mut whole, header::CONTENT_RANGE, &format!("bytes {start}-{}/{total}", end - 1));
        }
        whole
    };
    set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::ETAG, &etag);
    set(&mut response, header::CACHE_CONTROL, "private, no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    Ok(response)
}

/// The pieces of a download, each read when the one before it was sent. A failure cuts the body: the reader goes on by
/// range.
fn pieces(
    hub: Arc<Hub>,
    download: blobs::Download,
    first: Vec<u8>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::try_unfold((download, first), move |(mut download, piece)| {
        let hub = Arc::clone(&hub);
        async move {
            if piece.is_empty() {
                return Ok(None);
            }
            let read = blocking(&hub, |hub| async move {
                let next = download.read(&hub.files)?;
                Ok((download, next))
            });
            let rest = read.await.map_err(|fault| std::io::Error::other(fault.0.message))?;
            Ok(Some((Bytes::from(piece), rest)))
        }
    })
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Runs a protocol function where it may block: the one place at which the server crosses over.
async fn blocking<T, F, Fut>(hub: &Arc<Hub>, f: F) -> Result<T, Fault>
where
    T: Send + 'static,
    F: FnOnce(Arc<Hub>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Fault>>,
{
    let hub = Arc::clone(hub);
    let run = tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(f(hub)));
    run.await.unwrap_or_else(|panicked| {
        tracing::error!(%panicked, "BUG: a request panicked");
        Err(Fault::new(ProblemCode::Unavailable, "the hub failed").retry_after_ms(5_000))
    })
}

fn tell<T: Serialize>(hub: &Hub, headers: &HeaderMap, told: Told<T>) -> Response {
    hub.announce(told.touched);
    body::json(headers, &told.answer)
}

fn tell_empty(hub: &Hub, told: Told<()>) -> Response {
    hub.announce(told.touched);
    StatusCode::NO_CONTENT.into_response()
}

async fn recognise(hub: &Arc<Hub>, headers: &HeaderMap) -> Result<Caller, Fault> {
    let unknown = || Fault::new(ProblemCode::Unauthorized, "no such token");
    let token = enrol::token_hash(bearer(headers).ok_or_else(unknown)?);
    let caller = blocking(hub, move |hub| async move { Ok(hub.store.caller(token, (hub.clock)()).await?) });
    caller.await?.ok_or_else(unknown)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn check_operator(hub: &Hub, headers: &HeaderMap, peer: Option<&ConnectInfo<SocketAddr>>) -> Result<(), Fault> {
    // Behind a proxy everybody seems to be on this machine.
    let proxied = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name));
    let is_local = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback()) && !proxied;
    let has_token = match (hub.metrics_token, bearer(headers)) {
        (Some(hash), Some(token)) => bool::from(hash.ct_eq(&enrol::token_hash(token))),
        (Some(_) | None, _) => false,
    };
    if is_local || has_token {
        Ok(())
    } else {
        Err(Fault::new(ProblemCode::Unauthorized, "not from here without a token"))
    }
}

/// A device's place among the requests in flight.
struct Place<'a> {
    hub: &'a Hub,
    device: DeviceId,
}

impl<'a> Place<'a> {
    fn take(hub: &'a Hub, device: &DeviceId) -> Result<Self, Fault> {
        let mut all = hub.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = all.entry(device.clone()).or_default();
        if *mine >= IN_FLIGHT {
            return Err(Fault::new(ProblemCode::TooMany, "too many requests at a time").retry_after_ms(1_000));
        }
        *mine += 1;
        Ok(Self { hub, device: device.clone() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut all = self.hub.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = all.get_mut(&self.device) {
            *mine -= 1;
            if *mine == 0 {
                all.remove(&self.device);
            }
        }
    }
}

fn count_verdicts<'a>(verdicts: impl Iterator<Item = &'a Verdict>) {
    for verdict in verdicts {
        let (name, code) = match verdict {
            Verdict::Applied { .. } => ("applied", ""),
            Verdict::Duplicate { .. } => ("duplicate", ""),
            Verdict::Merged { .. } => ("merged", ""),
            Verdict::Deferred { .. } => ("deferred", ""),
            Verdict::Rejected { refusal } => ("rejected", refusal.code.as_str()),
        };
        metrics::counter!("hub_verdicts_total", "verdict" => name, "code" => code.to_owned()).increment(1);
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let Self(problem) = self;
        let retry_after = problem.retry_after_ms.map(|ms| Duration::from_millis(ms).as_secs().max(1).to_string());
        let text = serde_json::to_vec::<Problem>(&problem).unwrap_or_default();
        let mut response = (status, Body::from(text)).into_response();
        set(&mut response, header::CONTENT_TYPE, "application/problem+json");
        if let Some(seconds) = retry_after {
            set(&mut response, header::RETRY_AFTER, &seconds);
        }
        response
    }
}
