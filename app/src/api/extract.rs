//! Reads requests so that whatever is wrong with them is answered as a [`Problem`], never as plain text of the framework.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use parkdesk_domain::RowId;
use serde::de::DeserializeOwned;

use super::Desk;
use super::answer::apart;
use super::problem::{Code, Problem};
use crate::App;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// A person at a page: in a browser, or in the window.
    Desk,
    /// A program of the appliance's owner on the socket: it acts as the appliance.
    Device,
}

/// The header with which the window says on the socket that a person asks.
const DESK: &str = "parkdesk-desk";

/// On the socket: who asks is said by a header. Everywhere else a person asks.
pub(super) async fn note_caller(mut request: Request, next: Next) -> Response {
    let caller = if request.headers().contains_key(DESK) { Caller::Desk } else { Caller::Device };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn caller(parts: &Parts) -> Caller {
    parts.extensions.get::<Caller>().copied().unwrap_or(Caller::Desk)
}

fn app_of(desk: &Desk) -> Result<App, Problem> {
    desk.installation.app().ok_or_else(|| {
        Problem::new(Code::NotSetUp, "no data is open here yet: see /api/v1/installation for what is missing")
    })
}

/// The open appliance, on behalf of who asks: the person who signed in, or the appliance itself.
pub(super) struct Open(pub(super) App);

impl FromRequestParts<Desk> for Open {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let app = app_of(desk)?;
        if caller(parts) == Caller::Device {
            return Ok(Self(app));
        }
        let works = !matches!(parts.method, Method::GET | Method::HEAD);
        apart(move || app.at_desk(works)).await.map(Self)
    }
}

/// The open appliance for what everybody may see, signed in or not.
pub(super) struct Seen(pub(super) App);

impl FromRequestParts<Desk> for Seen {
    type Rejection = Problem;
    async fn from_request_parts(_: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        app_of(desk).map(Self)
    }
}

/// Somebody who may take care of the open appliance's key.
pub(super) struct Keeper;

impl FromRequestParts<Desk> for Keeper {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let Open(app) = Open::from_request_parts(parts, desk).await?;
        apart(move || app.check_keeper()).await.map(|()| Self)
    }
}

/// Somebody who may enrol here: everybody while there is no appliance at work, or one that the hub revoked; then who may
/// take care of its key.
pub(super) struct Enroller;

impl FromRequestParts<Desk> for Enroller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let Some(app) = desk.installation.app() else { return Ok(Self) };
        if apart(move || app.is_revoked()).await? {
            return Ok(Self);
        }
        Keeper::from_request_parts(parts, desk).await.map(|_| Self)
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
