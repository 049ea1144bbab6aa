//! Who may come in over loopback: a browser that was let in by a one-time link, and nobody else.
//!
//! Any page in any browser can send requests to 127.0.0.1, and any name can be made to point there (DNS rebinding). So on
//! loopback every request must name this very host and port, must not come from another origin, and must carry a session
//! cookie that only the one-time link gives. The Unix socket needs none of this: its file mode says who may speak.
//!
//! Tokens are kept as hashes and only in memory: a restart ends all sessions.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parkdesk_domain::Millis;
use rand::Rng;
use sha2::{Digest, Sha256};

use super::problem::{Code, Problem};

/// The session cookie's name.
const COOKIE: &str = "parkdesk_session";
const LINK_LIVES_MS: i64 = 10 * 60 * 1000;
const SESSION_LIVES_MS: i64 = 12 * 60 * 60 * 1000;
/// Links and sessions kept at most; the oldest go first.
const MOST: usize = 64;

/// What a page may do: only what comes from here, no inline script or style, pictures and camera as bytes of its own.
const CSP: &str = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' blob: data:; media-src 'self' blob: mediastream:; object-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-src 'none'; frame-ancestors 'none'";

type Token = [u8; 32];

/// Links and sessions of one loopback listener.
pub struct Sessions {
    address: SocketAddr,
    clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    state: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    links: HashMap<Token, Millis>,
    sessions: HashMap<Token, Millis>,
}

impl Sessions {
    /// For a listener on this address.
    #[must_use]
    pub fn new(address: SocketAddr, clock: Arc<dyn Fn() -> Millis + Send + Sync>) -> Self {
        Self { address, clock, state: Mutex::default() }
    }

    /// A link that lets one browser in, once, within ten minutes.
    #[must_use]
    pub fn new_link(&self) -> String {
        let (text, token) = new_token();
        let expires = (self.clock)().plus(LINK_LIVES_MS);
        insert(&mut self.lock().links, token, expires);
        format!("http://{}/open/{text}", self.address)
    }

    fn take_link(&self, text: &str) -> Option<String> {
        let now = (self.clock)();
        let mut state = self.lock();
        let expires = state.links.remove(&hash(text))?;
        if expires < now {
            return None;
        }
        let (cookie, token) = new_token();
        insert(&mut state.sessions, token, now.plus(SESSION_LIVES_MS));
        Some(cookie)
    }

    fn is_live(&self, cookie: &str) -> bool {
        // Looked up by hash: the time it takes says nothing about the token.
        self.lock().sessions.get(&hash(cookie)).is_some_and(|expires| *expires >= (self.clock)())
    }

    fn is_ours(&self, host: &str) -> bool {
        let port = self.address.port();
        [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")]
            .iter()
            .any(|own| own == host)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(tokens: &mut HashMap<Token, Millis>, token: Token, expires: Millis) {
    if tokens.len() >= MOST
        && let Some(oldest) = tokens.iter().min_by_key(|(_, expires)| **expires).map(|(token, _)| *token)
    {
        tokens.remove(&oldest);
    }
    tokens.insert(token, expires);
}

fn new_token() -> (String, Token) {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let text = hex::encode(bytes);
    let token = hash(&text);
    (text, token)
}

fn hash(text: &str) -> Token {
    Sha256::digest(text.as_bytes()).into()
}

/// The door: lets a request in or answers why not.
pub(super) async fn guard(State(sessions): State<Arc<Sessions>>, request: Request, next: Next) -> Response {
    if let Err(problem) = check(&sessions, &request) {
        return with_headers(problem.into_response());
    }
    with_headers(next.run(request).await)
}

fn check(sessions: &Sessions, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    if !text(headers, &header::HOST).is_some_and(|host| sessions.is_ours(host)) {
        return Err(Problem::new(
            Code::Forbidden,
            "this name is not the appliance's: open the link that parkdesk-agent open prints",
        ));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let same_origin = match text(headers, &header::ORIGIN) {
        Some(origin) => origin.strip_prefix("http://").is_some_and(|host| sessions.is_ours(host)),
        None => reads && !headers.contains_key(header::ORIGIN),
    };
    if !same_origin {
        return Err(Problem::new(Code::Forbidden, "another page asked for this: open the appliance's own page"));
    }
    // The pages hold no data; the link gives the cookie. All data is below /api.
    let path = request.uri().path();
    if reads && !path.starts_with("/api") && path != "/openapi.json" {
        return Ok(());
    }
    let cookie = text(headers, &header::COOKIE)
        .and_then(|all| all.split(';').find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('=')));
    if !cookie.is_some_and(|cookie| sessions.is_live(cookie)) {
        return Err(Problem::new(
            Code::Unauthorized,
            "this browser was not let in: run parkdesk-agent open and use the link it prints",
        ));
    }
    Ok(())
}

/// `GET /open/{link}`: the one-time link gives the cookie and goes on to the first page.
pub(super) fn open(State(sessions): State<Arc<Sessions>>, Path(link): Path<String>) -> Ready<Response> {
    ready(let_in(&sessions, &link))
}

fn let_in(sessions: &Sessions, link: &str) -> Response {
    let Some(cookie) = sessions.take_link(link) else {
        return Problem::new(
            Code::Unauthorized,
            "this link was used or is too old: run parkdesk-agent open for a new one",
        )
        .into_response();
    };
    let cookie = format!("{COOKIE}={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", SESSION_LIVES_MS / 1000);
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, CSP),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    // A header sent twice means different things to different readers: it is read as absent.
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
