//! The HTTP client: one connection pool, time-outs on everything, no redirects, bounded answers. It moves bytes and knows
//! no meanings; those are in [`crate::codec`].
//!
//! Every request has a connect, an idle and a total time-out (F19): the total grows with the bytes, so that a slow link is
//! slow and not broken. Redirects are never followed: a hub does not redirect, a captive portal does.

use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, Url, redirect};

use crate::codec::Received;
use crate::session::{CONNECT_MS, IDLE_MS, Method, Order};

const CONNECT: Duration = Duration::from_millis(CONNECT_MS);
const IDLE: Duration = Duration::from_millis(IDLE_MS);
/// Longest Retry-After that is read, in seconds; more is cut by the engine.
const LONGEST_RETRY: u64 = 1 << 32;

/// Why there is no client for a hub.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not a URL of a hub.
    #[error("{0:?} is not the address of a hub: write it like https://hub.example.org")]
    BadUrl(String),
    /// Plain http to another machine.
    #[error("{0:?} would send photos unprotected: use https (plain http is taken for this machine only)")]
    NotSecure(String),
    /// The hub's certificate authority cannot be used.
    #[error("the hub's certificate authority cannot be used ({0}): give a certificate in PEM form")]
    BadCa(String),
    /// The client cannot be built.
    #[error("the network client cannot start: {0}")]
    Client(#[from] reqwest::Error),
}

/// Installs the TLS implementation of this program (ring). Call it first in `main`; calling it again does nothing.
pub fn install_crypto() {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for one hub.
#[derive(Clone)]
pub struct Http {
    client: Client,
    hub: Url,
}

impl Http {
    /// A client for the hub at this address. `ca` = the only authority to trust, in PEM form.
    ///
    /// # Errors
    /// If the address is none of a hub or not safe, or the authority cannot be used.
    pub fn new(hub_url: &str, ca: Option<&[u8]>) -> Result<Self, ClientError> {
        install_crypto();
        let hub = check_url(hub_url)?;
        let agent = concat!("parkdesk-agent/", env!("CARGO_PKG_VERSION"));
        let mut builder = Client::builder()
            .user_agent(agent)
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never());
        if is_loopback(&hub) {
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca {
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|error| ClientError::BadCa(error.to_string()))?;
            if certificates.is_empty() {
                return Err(ClientError::BadCa("it holds no certificate".into()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        Ok(Self { client: builder.build()?, hub })
    }

    /// Sends a request. `None` = no answer at all; an answer that broke off is marked as cut.
    pub async fn send(&self, order: &Order, token: Option<&str>) -> Option<Received> {
        self.try_send(order, token).await.ok()
    }

    /// As [`Self::send`], saying why there is no answer.
    pub(crate) async fn try_send(&self, order: &Order, token: Option<&str>) -> Result<Received, NoAnswer> {
        let started = Instant::now();
        let url = self.hub.join(order.path.trim_start_matches('/')).map_err(|_| NoAnswer::Nobody)?;
        let method = match order.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let total = Duration::from_millis(order.total_ms());
        let mut request = self.client.request(method, url).timeout(total).header("accept-encoding", "zstd");
        for (name, value) in &order.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !order.body.is_empty() || order.method != Method::Get {
            request = request.body(order.body.clone());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let no_answer = if is_distrust(&error) { NoAnswer::NotTrusted } else { NoAnswer::Nobody };
                tracing::debug!(error = %error.without_url(), "no answer from the hub");
                return Err(no_answer);
            }
        };
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let seconds = header("retry-after").parse::<u64>().ok();
        let mut received = Received {
            status: response.status().as_u16(),
            content_type: header("content-type"),
            encoding: header("content-encoding"),
            retry_after_ms: seconds.map(|s| s.min(LONGEST_RETRY) * 1000),
            content_range: Some(header("content-range")).filter(|range| !range.is_empty()),
            ..Received::default()
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if received.body.len() as u64 + chunk.len() as u64 <= order.answer_bytes => {
                    received.body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                // Larger than any true answer, or broken off.
                Ok(Some(_)) | Err(_) => {
                    received.is_cut = true;
                    break;
                }
            }
        }
        received.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(received)
    }
}

/// Why a request had no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// No connection, or it broke.
    Nobody,
    /// What answered has a certificate that is not trusted.
    NotTrusted,
}

/// Whether the connection ended because of the other side's certificate.
fn is_distrust(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = error.downcast_ref::<rustls::Error>().or_else(|| inner.and_then(|e| e.downcast_ref()));
        if let Some(tls) = tls {
            return matches!(tls, rustls::Error::InvalidCertificate(_));
        }
        cause = error.source();
    }
    false
}

fn check_url(text: &str) -> Result<Url, ClientError> {
    let bad = || ClientError::BadUrl(text.to_owned());
    let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
    if url.host().is_none() || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(bad());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(ClientError::NotSecure(text.to_owned())),
        _ => return Err(bad()),
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine_is_a_hub() {
        for good in [
            "https://hub.example.org",
            "https://h:8443/parkdesk",
            "http://127.0.0.1:7000",
            "http://[::1]:1/",
            "http://localhost:80",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        assert!(matches!(check_url("http://hub.example.org"), Err(ClientError::NotSecure(_))));
        assert!(matches!(check_url("http://127.0.0.1.evil.org"), Err(ClientError::NotSecure(_))));
        for bad in ["", "hub", "ftp://hub", "https://user@hub", "https://hub/?a=1", "file:///etc"] {
            assert!(matches!(check_url(bad), Err(ClientError::BadUrl(_))), "{bad}");
        }
        let below = check_url("https://h/parkdesk").unwrap();
        assert_eq!(below.join("v1/push").unwrap().as_str(), "https://h/parkdesk/v1/push");
    }

    #[test]
    fn an_authority_without_certificates_is_refused() {
        assert!(matches!(Http::new("https://h", Some(b"nothing")), Err(ClientError::BadCa(_))));
    }
}
