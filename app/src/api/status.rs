//! The glance at the appliance, and what changed since.

use super::Desk;
use super::MOST_WAIT_MS;
use super::answer::{Answer, answer};
use super::extract::Asked;
use super::extract::Seen;
use crate::App;
use crate::status::Status;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(changes))
}

/// One glance at the appliance.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
pub(super) async fn status(Seen(app): Seen) -> Answer<Status> {
    answer(app, App::status).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The number of the last answer; 0 at first.
    #[serde(default)]
    after: i64,
    /// How long to wait if there is nothing new (25,000).
    #[serde(default)]
    wait_ms: u64,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Changes {
    /// To be given as `after` next.
    pub next: i64,
    /// `driver/{id}`, `photo/{id}`, `outbox`, `tray`, ...: what to read again.
    pub tags: Vec<String>,
}

/// Waits for changes.
#[utoipa::path(get, path = "/api/v1/changes", params(ChangesQuery), responses((status = 200, body = Changes)))]
pub(super) async fn changes(Seen(app): Seen, Asked(q): Asked<ChangesQuery>) -> Answer<Changes> {
    let wait = Duration::from_millis(q.wait_ms.min(MOST_WAIT_MS));
    answer(app, move |app| app.changes_after(q.after, wait).map(|(next, tags)| Changes { next, tags })).await
}
