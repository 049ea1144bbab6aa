//! The link, steered.

use super::Desk;
use super::answer::{Answer, DONE, Done, answer};
use super::extract::Given;
use super::extract::Open;
use super::problem::Problem;
use parkdesk_domain::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(sync_now)).routes(routes!(sync_pause)).routes(routes!(sync_resume))
}

/// Tries the link at once.
#[utoipa::path(post, path = "/api/v1/sync/now", responses((status = 200, body = Done)))]
pub(super) async fn sync_now(Open(app): Open) -> Answer<Done> {
    answer(app, |app| -> Result<Done, Problem> {
        app.sync_now();
        Ok(DONE)
    })
    .await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Pause {
    /// Until then; without it until it is resumed.
    #[serde(default)]
    until_ms: Option<i64>,
}

/// Pauses the link.
#[utoipa::path(post, path = "/api/v1/sync/pause", request_body = Pause, responses((status = 200, body = Done)))]
pub(super) async fn sync_pause(Open(app): Open, Given(pause): Given<Pause>) -> Answer<Done> {
    answer(app, move |app| -> Result<Done, Problem> {
        app.pause_sync(pause.until_ms.map(Millis));
        Ok(DONE)
    })
    .await
}

/// Ends a pause.
#[utoipa::path(post, path = "/api/v1/sync/resume", responses((status = 200, body = Done)))]
pub(super) async fn sync_resume(Open(app): Open) -> Answer<Done> {
    answer(app, |app| -> Result<Done, Problem> {
        app.resume_sync();
        Ok(DONE)
    })
    .await
}
