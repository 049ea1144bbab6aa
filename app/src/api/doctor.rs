//! Is this appliance sound, and what may be told of it elsewhere.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::{Given, Open};
use super::problem::Problem;
use crate::App;
use crate::doctor::{DoctorReport, DoctorWish, SupportBundle};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(doctor)).routes(routes!(support_bundle))
}

/// Examines the appliance; nothing is changed.
#[utoipa::path(post, path = "/api/v1/doctor", request_body = DoctorWish,
    responses((status = 200, body = DoctorReport), (status = 400, body = Problem)))]
pub(super) async fn doctor(Open(app): Open, Given(wish): Given<DoctorWish>) -> Answer<DoctorReport> {
    answer(app, move |app| app.doctor(wish)).await
}

/// What may be sent to somebody who helps: counts, codes and times, no personal data.
#[utoipa::path(get, path = "/api/v1/support-bundle", responses((status = 200, body = SupportBundle)))]
pub(super) async fn support_bundle(Open(app): Open) -> Answer<SupportBundle> {
    answer(app, App::support_bundle).await
}
