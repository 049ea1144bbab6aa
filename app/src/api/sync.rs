//! The link: looked at and steered.

use axum::extract::Path;
use parkdesk_domain::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Desk;
use super::answer::{Answer, DONE, Done, answer};
use super::extract::{Given, Open, id};
use super::problem::Problem;
use crate::sync::SyncPolicy;
use crate::{App, DayPoint, SyncView};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(sync))
        .routes(routes!(sync_policy))
        .routes(routes!(sync_day))
        .routes(routes!(send_now))
        .routes(routes!(sync_now))
        .routes(routes!(sync_pause))
        .routes(routes!(sync_resume))
}

/// The link with everything that waits for it.
#[utoipa::path(get, path = "/api/v1/sync", responses((status = 200, body = SyncView)))]
pub(super) async fn sync(Open(app): Open) -> Answer<SyncView> {
    answer(app, App::sync_view).await
}

/// Changes when the link may work and what it may carry.
#[utoipa::path(put, path = "/api/v1/sync/policy", request_body = SyncPolicy,
    responses((status = 200, body = SyncPolicy), (status = 400, body = Problem)))]
pub(super) async fn sync_policy(Open(app): Open, Given(policy): Given<SyncPolicy>) -> Answer<SyncPolicy> {
    answer(app, move |app| app.set_sync_policy(policy)).await
}

/// The last 24 hours of the link in tens of minutes; those in which nothing happened are left out.
#[utoipa::path(get, path = "/api/v1/sync/day", responses((status = 200, body = Vec<DayPoint>)))]
pub(super) async fn sync_day(Open(app): Open) -> Answer<Vec<DayPoint>> {
    answer(app, App::sync_day).await
}

/// Lets the whole picture of a photo go now, in spite of a metered network.
#[utoipa::path(post, path = "/api/v1/photos/{photo}/send-now", params(("photo" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(super) async fn send_now(Open(app): Open, Path(photo): Path<String>) -> Answer<Done> {
    let photo = id(&photo, "photo")?;
    answer(app, move |app| app.send_now(&photo).map(|()| DONE)).await
}

/// Tries the link at once.
#[utoipa::path(post, path = "/api/v1/sync/now", responses((status = 200, body = Done)))]
pub(super) async fn sync_now(Open(app): Open) -> Answer<Done> {
    answer(app, |app| app.sync_now().map(|()| DONE)).await
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
    answer(app, move |app| app.pause_sync(pause.until_ms.map(Millis)).map(|()| DONE)).await
}

/// Ends a pause.
#[utoipa::path(post, path = "/api/v1/sync/resume", responses((status = 200, body = Done)))]
pub(super) async fn sync_resume(Open(app): Open) -> Answer<Done> {
    answer(app, |app| app.resume_sync().map(|()| DONE)).await
}
