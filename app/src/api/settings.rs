//! The desk's settings.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::{Given, Open, Seen};
use super::problem::Problem;
use crate::App;
use crate::settings::{ChangeSettings, Settings};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(settings, change_settings))
}

/// The settings of this appliance.
#[utoipa::path(get, path = "/api/v1/settings", responses((status = 200, body = Settings)))]
pub(super) async fn settings(Seen(app): Seen) -> Answer<Settings> {
    answer(app, App::settings).await
}

/// Changes settings; what is absent stays as it is.
#[utoipa::path(put, path = "/api/v1/settings", request_body = ChangeSettings,
    responses((status = 200, body = Settings), (status = 400, body = Problem)))]
pub(super) async fn change_settings(Open(app): Open, Given(change): Given<ChangeSettings>) -> Answer<Settings> {
    answer(app, move |app| app.change_settings(change)).await
}
