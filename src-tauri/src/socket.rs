//! The way to the appliance: HTTP over the Unix socket of the data directory.
//!
//! There is one way, whoever serves it: the appliance that this program started itself or a `parkdesk-agent` that owns the
//! data directory. Each call has a connection of its own, so that a long poll keeps nobody waiting. Every call says
//! `parkdesk-desk: 1`: a person may have to sign in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::frame::{Answer, Call, CallHead, MAX_BODY, Method};
use parkdesk_sync_agent::appliance::SOCKET;

/// Longer than any long poll and any look at a picture.
const LONGEST: Duration = Duration::from_secs(120);

/// The appliance's socket.
#[derive(Debug, Clone)]
pub(crate) struct Socket {
    path: PathBuf,
    /// Why the appliance does not start, if that is known.
    hindrance: Arc<Mutex<Option<String>>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("nobody listens: {0}")]
    Nobody(std::io::Error),
    #[error("the appliance ended while it was asked")]
    Ended(#[from] hyper::Error),
    #[error("the appliance's answer is too large")]
    TooLarge,
    #[error("the appliance did not answer in time")]
    Late,
    #[error("the request cannot be written: {0}")]
    Request(#[from] hyper::http::Error),
}

impl Socket {
    /// Of this data directory.
    pub(crate) fn of(data: &Path) -> Self {
        Self { path: data.join(SOCKET), hindrance: Arc::default() }
    }

    /// What is answered while nobody listens.
    pub(crate) fn set_hindrance(&self, why: Option<String>) {
        *self.hindrance.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Whether somebody listens.
    pub(crate) async fn is_served(&self) -> bool {
        UnixStream::connect(&self.path).await.is_ok()
    }

    /// Asks; whatever hinders it is an answer too, in the API's own shape.
    pub(crate) async fn ask(&self, call: Call) -> Answer {
        if call.body.len() > MAX_BODY {
            return problem(413, "too_large", "this file is larger than what is taken: choose a smaller one");
        }
        match tokio::time::timeout(LONGEST, self.send(call)).await.unwrap_or(Err(NoAnswer::Late)) {
            Ok(answer) => answer,
            Err(why) => {
                tracing::debug!(%why, "no answer");
                let hindrance = self.hindrance.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let waiting = "the appliance does not answer just now: it is starting or was stopped";
                problem(503, "later", hindrance.as_deref().unwrap_or(waiting))
            }
        }
    }

    /// Asks for a view; none if the appliance cannot answer now.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let head = CallHead { method: Method::Get, path: path.to_owned(), content_type: None };
        let answer = self.ask(Call { head, body: Bytes::new() }).await;
        if answer.status != 200 {
            return None;
        }
        serde_json::from_slice(&answer.body).ok()
    }

    async fn send(&self, call: Call) -> Result<Answer, NoAnswer> {
        let stream = UnixStream::connect(&self.path).await.map_err(NoAnswer::Nobody)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let answer = match sender.send_request(request(call)?).await {
            Ok(response) => read(response).await,
            Err(error) => Err(error.into()),
        };
        driving.abort();
        answer
    }
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let method = match call.head.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
        Method::Put => hyper::Method::PUT,
        Method::Delete => hyper::Method::DELETE,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(&call.head.path)
        .header(header::HOST, "desk")
        .header("parkdesk-desk", "1");
    if let Some(content_type) = &call.head.content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request.body(Full::new(call.body))
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Answer, NoAnswer> {
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await.map_err(|_| NoAnswer::TooLarge)?;
    Ok(Answer { status, content_type, body: body.to_bytes() })
}

fn problem(status: u16, code: &str, message: &str) -> Answer {
    let body = serde_json::json!({ "code": code, "message": message }).to_string();
    Answer { status, content_type: Some("application/json".into()), body: body.into() }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    fn get(path: &str) -> Call {
        let head = CallHead { method: Method::Get, path: path.into(), content_type: None };
        Call { head, body: Bytes::new() }
    }

    /// Answers `/api/v1/changes` after a second and everything else at once with what was asked.
    fn serve(listener: UnixListener) {
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut bytes = vec![0; 4096];
                    let n = stream.read(&mut bytes).await.unwrap();
                    let asked = String::from_utf8_lossy(&bytes[..n]).into_owned();
                    if asked.contains("/changes") {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
                        asked.len()
                    );
                    stream.write_all(format!("{head}{asked}").as_bytes()).await.unwrap();
                });
            }
        });
    }

    #[tokio::test]
    async fn a_call_says_that_it_comes_from_the_desk() {
        let dir = tempfile::tempdir().unwrap();
        serve(UnixListener::bind(dir.path().join("agent.sock")).unwrap());
        let answer = Socket::of(dir.path()).ask(get("/api/v1/status?a=1")).await;
        let asked = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(answer.status, 200);
        assert!(asked.starts_with("GET /api/v1/status?a=1 HTTP/1.1"), "{asked}");
        assert!(asked.contains("parkdesk-desk: 1"), "{asked}");
    }

    #[tokio::test]
    async fn a_long_poll_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        serve(UnixListener::bind(dir.path().join("agent.sock")).unwrap());
        let socket = Socket::of(dir.path());
        let polling = tokio::spawn({
            let socket = socket.clone();
            async move { socket.ask(get("/api/v1/changes?after=1")).await }
        });
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(socket.ask(get("/api/v1/status")).await.status, 200);
        }
        assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
        assert!(!polling.is_finished());
        assert_eq!(polling.await.unwrap().status, 200);
    }

    #[tokio::test]
    async fn without_an_appliance_the_answer_is_later() {
        let dir = tempfile::tempdir().unwrap();
        let socket = Socket::of(dir.path());
        let answer = socket.ask(get("/api/v1/status")).await;
        assert_eq!(answer.status, 503);
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["code"], "later");
        assert!(!socket.is_served().await);
        socket.set_hindrance(Some("the disk is read-only".into()));
        let answer = socket.ask(get("/api/v1/status")).await;
        assert!(String::from_utf8_lossy(&answer.body).contains("read-only"));
    }
}
