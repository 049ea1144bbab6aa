//! The one shape of every answer that is not a success: a closed code that pages and scripts act on, a sentence, a detail.
//!
//! The sentence says what happened, what it means and what to do; it never holds personal data.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use parkdesk_domain::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capture::{ShotError, TakeError};
use crate::error::Error;
use crate::installation::EnrolError;
use crate::keys::KeysError;
use crate::words::{self, Lang};

/// The closed list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be read, or a field has an impossible value (`detail` names it).
    BadRequest,
    /// No such thing on this appliance.
    NotFound,
    /// The file of a photo is not here yet.
    NotHere,
    /// The appliance belongs to no hub yet.
    NotEnrolled,
    /// No data is open here: `/installation` says why.
    NotSetUp,
    /// The hub did not take the appliance in (`detail` says why).
    EnrolFailed,
    /// This recovery code opens nothing here.
    WrongRecoveryCode,
    /// A person must sign in first.
    SignedOut,
    /// Not the pass code of this person.
    WrongPassCode,
    /// Too many wrong pass codes (`detail` is the time, in UTC milliseconds, until which none is taken).
    LockedOut,
    /// The rules refuse it (`detail` is the refusal's code).
    Refused,
    /// The file is no picture that is taken (`detail` is the rejection's code).
    Rejected,
    /// The picture stopped the face program twice.
    Quarantined,
    /// Too much to do just now; try again soon.
    Busy,
    /// It cannot be done now; nothing was changed.
    Later,
    /// The disk is full; nothing was changed.
    DiskFull,
    /// The request is larger than what is taken.
    TooLarge,
    /// Not from here.
    Forbidden,
    /// Not let in.
    Unauthorized,
    /// A newer live frame took this one's place.
    Superseded,
    /// The shot is gone.
    Expired,
    /// A fault of this program or its disk; the log says more.
    Internal,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NotHere => StatusCode::NOT_FOUND,
            Self::NotEnrolled | Self::NotSetUp | Self::EnrolFailed | Self::Refused => StatusCode::CONFLICT,
            Self::Rejected | Self::Quarantined => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Later => StatusCode::SERVICE_UNAVAILABLE,
            Self::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unauthorized | Self::WrongRecoveryCode | Self::SignedOut | Self::WrongPassCode => {
                StatusCode::UNAUTHORIZED
            }
            Self::LockedOut => StatusCode::TOO_MANY_REQUESTS,
            Self::Superseded => StatusCode::CONFLICT,
            Self::Expired => StatusCode::GONE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why there is no success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What a program acts on.
    pub code: Code,
    /// What a person reads, in English.
    pub message: String,
    /// The code within the code, or the field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem without a detail.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn refused(refusal: &Refusal) -> Self {
        let mut message = format!("refused: {}", words::refusal(&refusal.code, Lang::En));
        if let Some(field) = &refusal.field {
            message.push_str(&format!(" (field {field})"));
        }
        Self::new(Code::Refused, message).detail(refusal.code.as_str())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Somebody else's fault: the hub's, or of the way to it.
        let is_theirs = matches!(self.detail.as_deref(), Some("unreachable" | "not_a_hub" | "tls"));
        let status =
            if self.code == Code::EnrolFailed && is_theirs { StatusCode::BAD_GATEWAY } else { self.code.status() };
        (status, Json(self)).into_response()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound(what) => Self::new(Code::NotFound, message).detail(what),
            Error::NotHere => Self::new(Code::NotHere, message),
            Error::NotEnrolled => Self::new(Code::NotEnrolled, message),
            Error::Revoked => Self::new(Code::Forbidden, message),
            Error::BadInput { field, .. } => Self::new(Code::BadRequest, message).detail(field),
            Error::Refused(refusal) => Self::refused(&refusal),
            Error::SignedOut(_) => Self::new(Code::SignedOut, message),
            Error::WrongPassCode => Self::new(Code::WrongPassCode, message),
            Error::LockedOut(until) => Self::new(Code::LockedOut, message).detail(until.0.to_string()),
            Error::NotYours => Self::new(Code::Forbidden, message),
            Error::DiskFull => Self::new(Code::DiskFull, message),
            Error::Busy => Self::new(Code::Busy, message),
            Error::Damaged(_) | Error::Replica(_) => {
                tracing::error!(error = %message, "a request failed");
                Self::new(Code::Internal, message)
            }
        }
    }
}

impl From<ShotError> for Problem {
    fn from(error: ShotError) -> Self {
        let message = error.to_string();
        match error {
            ShotError::Take(error) => error.into(),
            ShotError::Use(error) => error.into(),
            ShotError::Expired => Self::new(Code::Expired, message),
            ShotError::Superseded => Self::new(Code::Superseded, message),
        }
    }
}

impl From<TakeError> for Problem {
    fn from(error: TakeError) -> Self {
        let message = error.to_string();
        match error {
            TakeError::Rejected(rejection) => Self::new(Code::Rejected, message).detail(rejection.code.as_str()),
            TakeError::Quarantined => Self::new(Code::Quarantined, message),
            TakeError::Busy => Self::new(Code::Busy, message),
            TakeError::Later(_) => Self::new(Code::Later, message),
            TakeError::Refused(refusal) => Self::refused(&refusal),
        }
    }
}

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        Self::new(Code::EnrolFailed, error.message).detail(error.why.as_str())
    }
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        let message = error.to_string();
        match error {
            KeysError::Recovery(_) => Self::new(Code::WrongRecoveryCode, message),
            KeysError::NoWrappedCopy | KeysError::NoData(_) => {
                Self::new(Code::NotFound, message).detail("recovery copy")
            }
            KeysError::NoKey(_)
            | KeysError::NoKeyStore(_)
            | KeysError::Key(_)
            | KeysError::NotKept
            | KeysError::OtherKey { .. }
            | KeysError::Unchecked { .. }
            | KeysError::CredentialIsReadOnly
            | KeysError::Io { .. } => Self::new(Code::Later, message),
        }
    }
}
