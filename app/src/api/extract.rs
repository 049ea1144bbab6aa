//! Reads requests so that whatever is wrong with them is answered as a [`Problem`], never as plain text of the framework.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use parkdesk_domain::RowId;
use serde::de::DeserializeOwned;

use super::Desk;
use super::problem::{Code, Problem};
use crate::App;

/// The open appliance.
pub(super) struct Open(pub(super) App);

impl FromRequestParts<Desk> for Open {
    type Rejection = Problem;
    async fn from_request_parts(_: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        Ok(Self(desk.app.clone()))
    }
}

/// The query, typed.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match query {
            Ok(Query(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(Code::BadRequest, "the query cannot be read: see /openapi.json")),
        }
    }
}

/// The JSON body, typed.
pub(super) struct Given<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        match body {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Err(_) => {
                Err(Problem::new(Code::BadRequest, "the body cannot be read as JSON of this kind: see /openapi.json"))
            }
        }
    }
}

/// The body as it is.
pub(super) struct Whole(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body: Result<Bytes, BytesRejection> = Bytes::from_request(request, state).await;
        match body {
            Ok(bytes) => Ok(Self(bytes)),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(too_large()),
            Err(_) => Err(Problem::new(Code::BadRequest, "the body ended early: send it again")),
        }
    }
}

fn too_large() -> Problem {
    Problem::new(
        Code::TooLarge,
        "the body is larger than what is taken (25 MB): save the photo with a lower quality or size",
    )
}

/// An id in a path; a text that is none names nothing here.
pub(super) fn id(text: &str, what: &'static str) -> Result<RowId, Problem> {
    text.parse().map_err(|_| Problem::from(crate::error::Error::NotFound(what)))
}
