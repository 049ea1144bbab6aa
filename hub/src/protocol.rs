//! What is said over the link (docs/protocol.md), as functions over a store: no server, no runtime, no clock, no
//! randomness of their own, so that the simulator runs this very code. They read bytes and answer typed bodies; the
//! shell (`routes`) knows about HTTP and compression, and announces what [`Told::touched`] names after the answer is
//! durable.

pub mod blobs;
pub mod code;
pub mod enrol;
pub mod pull;
pub mod push;

use std::collections::BTreeSet;

use parkdesk_domain::Scope;
use parkdesk_domain::wire::{Problem, ProblemCode};
use serde::de::DeserializeOwned;

use crate::blob_files::BlobError;
use crate::store;

/// An answer, and the scopes in which something is new.
#[derive(Debug)]
pub struct Told<T> {
    /// The answer.
    pub answer: T,
    /// To be announced.
    pub touched: BTreeSet<Scope>,
}

/// An answer that is not 2xx: it speaks only of transport and identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub Problem);

impl Fault {
    /// A fault with a code and a sentence for logs.
    #[must_use]
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self(Problem { code, message: message.into(), retry_after_ms: None })
    }

    /// One answer for what is not there and for what is not for this device.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "there is no such thing for this device")
    }

    /// The HTTP status that says it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.0.code {
            ProblemCode::Malformed => 400,
            ProblemCode::Unauthorized | ProblemCode::Revoked => 401,
            ProblemCode::BadCode => 403,
            ProblemCode::NotFound => 404,
            ProblemCode::Cloned | ProblemCode::Restored | ProblemCode::Incomplete => 409,
            ProblemCode::TooLarge => 413,
            ProblemCode::HashMismatch => 422,
            ProblemCode::TooMany => 429,
            ProblemCode::Unavailable | ProblemCode::Other => 503,
        }
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.0.retry_after_ms = Some(ms);
        self
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        // What broke is for the hub's log, not for the link.
        match error {
            store::Error::Full => {
                tracing::error!("the disk is full");
                Self::new(ProblemCode::Unavailable, "the hub's disk is full").retry_after_ms(60_000)
            }
            // It is about this request: coming again soon would not help, and is not asked for.
            store::Error::Poison(cause) => {
                tracing::error!(%cause, "a request cannot be carried out");
                Self::new(ProblemCode::Unavailable, "the hub cannot carry out this request")
            }
            store::Error::Failed(cause) => {
                tracing::error!(%cause, "the store failed");
                Self::new(ProblemCode::Unavailable, "the hub's store failed").retry_after_ms(5_000)
            }
        }
    }
}

impl From<BlobError> for Fault {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => store::Error::Full.into(),
            BlobError::Store(error) => error.into(),
            BlobError::Io(cause) => store::Error::Failed(cause.to_string()).into(),
            BlobError::Lost(cause) => {
                tracing::error!(%cause, "a blob is lost");
                Self::not_found()
            }
        }
    }
}

/// Reads a JSON body.
///
/// # Errors
/// `malformed`, without repeating any of the body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| {
        let message =
            format!("the body cannot be read: {:?} at line {}, column {}", e.classify(), e.line(), e.column());
        Fault::new(ProblemCode::Malformed, message)
    })
}
