//! Enrolment: a one-time code becomes a device with a token.
//!
//! The caller makes `request` once, keeps it until it has the answer, and gives the same again after a failure: the hub
//! answers the same request with the same device, so a lost answer does not use up the code.

use parkdesk_domain::RowId;
use parkdesk_domain::wire::{EnrolAnswer, EnrolRequest, ProblemCode};

use crate::codec::{self, Expect};
use crate::engine::{Failure, Request};
use crate::http::{ClientError, Http, NoAnswer};
use crate::session::{Method, Order};

/// Why there is no enrolment. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The address cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Wrong, used or expired: the hub does not tell which.
    #[error(
        "the hub does not take this code: it is mistyped, used or expired; ask the hub's administrator for a new one"
    )]
    BadCode,
    /// Nobody answers.
    #[error("no answer from the hub: check the address and the network, then try again (the code is not used up)")]
    Unreachable,
    /// The certificate of what answers is not trusted.
    #[error(
        "the certificate at this address is not trusted: check the address and this computer's date, or give the hub's own \
         certificate authority"
    )]
    NotTrusted,
    /// Somebody else answers.
    #[error(
        "what answers at this address is no Parkdesk hub: check the address, or log in to the network you are in first"
    )]
    NotHub,
    /// The hub asks for patience.
    #[error("the hub has too much to do or too many wrong codes were tried: try again in {} s", .seconds.unwrap_or(60))]
    Busy {
        /// When.
        seconds: Option<u64>,
    },
    /// The hub failed.
    #[error("the hub failed: try again, then look at the hub's log (the code is not used up)")]
    HubFailed,
    /// The hub cannot read the request.
    #[error("the hub does not understand this program ({0}): update the older of the two, or check the name given")]
    NotUnderstood(&'static str),
}

/// Asks the hub to take this appliance in.
///
/// # Errors
/// [`EnrolError`]; after any but `BadCode` and `Client` the same request may be made again.
pub async fn enrol(hub_url: &str, ca: Option<&[u8]>, request: &EnrolRequest) -> Result<EnrolAnswer, EnrolError> {
    let http = Http::new(hub_url, ca)?;
    let (body, encoding) = codec::pack(request);
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(encoding.map(|encoding| ("content-encoding", encoding.to_owned())));
    let order = Order {
        request: Request::Limits,
        method: Method::Post,
        path: "/v1/enrol".into(),
        headers,
        body,
        wait_ms: 0,
        answer_bytes: 64 << 10,
    };
    let received = http.try_send(&order, None).await.map_err(|no_answer| match no_answer {
        NoAnswer::Nobody => EnrolError::Unreachable,
        NoAnswer::NotTrusted => EnrolError::NotTrusted,
    })?;
    let plain = codec::unpack(&received, Expect::Json, 64 << 10).and_then(|plain| codec::read(&plain));
    plain.map_err(|unanswered| match unanswered.failure {
        Failure::Offline | Failure::Local => EnrolError::Unreachable,
        Failure::NotHub => EnrolError::NotHub,
        Failure::Busy => EnrolError::Busy { seconds: unanswered.retry_after_ms.map(|ms| ms.div_ceil(1000)) },
        Failure::HubError => EnrolError::HubFailed,
        Failure::Refused(ProblemCode::BadCode) => EnrolError::BadCode,
        Failure::Unauthorized | Failure::Revoked | Failure::Cloned | Failure::Restored => {
            EnrolError::NotUnderstood("identity")
        }
        Failure::Refused(_) => EnrolError::NotUnderstood("request"),
    })
}

/// A request to enrol, as the hub wants it; `request` is made once per attempt to enrol and kept.
#[must_use]
pub fn enrol_request(code: &str, name: &str, request: RowId) -> EnrolRequest {
    EnrolRequest { code: code.trim().to_owned(), request, name: name.trim().to_owned(), was: None }
}
