//! Asks the running agent over its Unix socket.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use parkdesk_app::api::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::failure::Failure;

/// The socket of one agent.
pub(crate) struct Client {
    dir: PathBuf,
}

impl Client {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(&self.send(Method::GET, path, Bytes::new()).await?)
    }

    pub(crate) async fn bytes(&self, path: &str) -> Result<Bytes, Failure> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).context("the request cannot be written")?;
        read(&self.send(Method::POST, path, body.into()).await?)
    }

    pub(crate) async fn upload<T: DeserializeOwned>(&self, path: &str, bytes: Vec<u8>) -> Result<T, Failure> {
        read(&self.send(Method::POST, path, bytes.into()).await?)
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        let socket = self.dir.join("agent.sock");
        let stream = match UnixStream::connect(&socket).await {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Err(Failure::Stopped(self.dir.clone()));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let socket = socket.display();
                return Err(anyhow!("{socket} belongs to another user: run this as the user whose agent it is").into());
            }
            Err(error) => return Err(anyhow!(error).context(format!("{} does not answer", socket.display())).into()),
        };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.context("the agent does not answer")?;
        let driving = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "agent")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .context("the request cannot be written")?;
        let answer = sender.send_request(request).await.context("the agent ended while it was asked: ask again")?;
        let status = answer.status();
        let body =
            answer.into_body().collect().await.context("the agent ended while it answered: ask again")?.to_bytes();
        driving.abort();
        if status.is_success() { Ok(body) } else { Err(problem(status, &body)) }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).context("the agent is of another version: restart it").map_err(Failure::from)
}

fn problem(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Failure::Problem(problem),
        Err(_) => Failure::Other(anyhow!("the agent answered {status}: it is of another version, restart it")),
    }
}

/// A text as a part of a path or query.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
