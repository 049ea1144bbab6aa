//! The HTTP API over the use cases: one router for the command line, the browser and the window.
//!
//! Served on a Unix socket whose mode says who may speak ([`Api::for_socket`]) and, only when asked, on loopback behind
//! a door, together with the pages ([`Api::for_loopback`]). Handlers hold no rules: they read the request, cross over to a blocking thread at one
//! place, and answer with a view or a [`Problem`]. Requests are not logged, because searches hold names and phones.

mod answer;
mod attention;
mod capture;
mod doctor;
mod door;
mod drivers;
mod extract;
mod installation;
mod listen;
mod matches;
mod pages;
mod photos;
mod problem;
mod session;
mod settings;
mod shots;
mod status;
mod sync;
mod tray;

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use parkdesk_vision::limits::MAX_BYTES;
use serde::{Deserialize, Serialize};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;

pub use self::door::Sessions;
pub use self::listen::{ListenError, bind_loopback, bind_socket};
pub use self::problem::{Code, Problem};
use crate::installation::Installation;

/// Longest wait of `/changes`.
const MOST_WAIT_MS: u64 = 25_000;

#[derive(OpenApi)]
#[openapi(info(
    title = "Parkdesk appliance",
    description = "What the appliance's own pages, its command line and scripts on the same computer use.",
    version = "1"
))]
struct Description;

/// What handlers are given. They ask for the open appliance with the extractors of [`extract`], never directly.
#[derive(Clone)]
struct Desk {
    installation: Arc<dyn Installation>,
}

/// The use cases as an API.
#[derive(Clone)]
pub struct Api {
    installation: Arc<dyn Installation>,
    sessions: Option<Arc<Sessions>>,
    pages: Option<PathBuf>,
}

/// A link for a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OneTimeLink {
    /// To be opened within ten minutes, once.
    pub url: String,
}

impl Api {
    /// With `sessions` when browsers may come in over loopback, and `pages`, the folder of the built pages they are given.
    #[must_use]
    pub fn new(installation: Arc<dyn Installation>, sessions: Option<Arc<Sessions>>, pages: Option<PathBuf>) -> Self {
        Self { installation, sessions, pages }
    }

    /// For the Unix socket: the file's mode says who may speak. Only here a link for a browser can be made.
    pub fn for_socket(&self) -> Router {
        let sessions = self.sessions.clone();
        let open = move || std::future::ready(new_link(sessions.as_deref()));
        self.common().route("/api/v1/open", post(open)).layer(middleware::from_fn(extract::note_caller))
    }

    /// For loopback: only this host and port, only the own origin, only with a session; nothing if there are no sessions.
    pub fn for_loopback(&self) -> Option<Router> {
        let sessions = self.sessions.clone()?;
        let door = Router::new().route("/open/{link}", get(door::open)).with_state(sessions.clone());
        let common = self.common().merge(door).fallback_service(pages::serve(self.pages.clone()));
        Some(common.layer(middleware::from_fn_with_state(sessions, door::guard)))
    }

    fn common(&self) -> Router {
        let (router, description) = described().split_for_parts();
        router
            .with_state(Desk { installation: self.installation.clone() })
            .route("/openapi.json", get(move || std::future::ready(Json(description.clone()))))
            .fallback(|| std::future::ready(Problem::new(Code::NotFound, "there is no such address here")))
            .method_not_allowed_fallback(|| {
                std::future::ready(Problem::new(Code::BadRequest, "this address takes another method"))
            })
            .layer(DefaultBodyLimit::max(MAX_BYTES))
            .layer(CatchPanicLayer::custom(|_| -> Response {
                tracing::error!("a request made the program panic");
                Problem::new(Code::Internal, "this program failed: the log says more").into_response()
            }))
    }
}

/// The OpenAPI description, as `/openapi.json` has it.
#[must_use]
pub fn open_api() -> utoipa::openapi::OpenApi {
    described().split_for_parts().1
}

fn new_link(sessions: Option<&Sessions>) -> Result<Json<OneTimeLink>, Problem> {
    match sessions {
        Some(sessions) => Ok(Json(OneTimeLink { url: sessions.new_link() })),
        None => Err(Problem::new(
            Code::Later,
            "no browser is let in: start the agent with --listen 127.0.0.1:PORT, then ask for a link again",
        )),
    }
}

fn described() -> OpenApiRouter<Desk> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(installation::routes())
        .merge(status::routes())
        .merge(drivers::routes())
        .merge(photos::routes())
        .merge(capture::routes())
        .merge(shots::routes())
        .merge(tray::routes())
        .merge(matches::routes())
        .merge(attention::routes())
        .merge(session::routes())
        .merge(settings::routes())
        .merge(sync::routes())
        .merge(doctor::routes())
}
