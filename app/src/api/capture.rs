//! Taking pictures.

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::Open;
use super::extract::{Asked, Whole, id};
use super::problem::Problem;
use crate::capture::{AssignedBy, LiveView, Source, TakeFile, Taken};
use parkdesk_domain::Millis;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(take)).routes(routes!(live))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TakeQuery {
    /// The file's name.
    name: String,
    /// Whose photo it is: profile id, licence number or phone.
    driver: Option<String>,
    /// The park, if the appliance serves several.
    park: Option<String>,
    /// When the shot was taken.
    taken_at_ms: i64,
    /// Why it is sent in spite of a failed check.
    reason: Option<String>,
}

/// Takes a picture file, as the watched folder does; the body is the file.
#[utoipa::path(post, path = "/api/v1/files", params(TakeQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Taken), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn take(Open(app): Open, Asked(q): Asked<TakeQuery>, Whole(bytes): Whole) -> Answer<Taken> {
    let park = q.park.as_deref().map(|text| id(text, "park")).transpose()?;
    let file = TakeFile {
        name: q.name,
        bytes: bytes.into(),
        hint: q.driver,
        hint_from: AssignedBy::Hint,
        source: Source::File,
        modified_at_ms: Millis(q.taken_at_ms),
        park,
        override_reason: q.reason,
    };
    answer(app, move |app| app.take_file(file)).await
}

/// Looks at a camera frame (JPEG, 640 px on the long side): the newest wins.
#[utoipa::path(post, path = "/api/v1/live", request_body(content = Vec<u8>, content_type = "image/jpeg"),
    responses((status = 200, body = LiveView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn live(Open(app): Open, Whole(frame): Whole) -> Answer<LiveView> {
    answer(app, move |app| app.look_live(frame.into())).await
}
