//! The pictures that wait for a driver.

use super::Desk;
use super::answer::{Answer, DONE, Done, answer, blocking, file_class, jpeg};
use super::extract::Open;
use super::extract::{Given, id};
use super::problem::Problem;
use crate::App;
use crate::capture::Taken;
use crate::tray::{Offers, TrayView};
use axum::extract::Path;
use axum::response::Response;
use parkdesk_domain::RowId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(unassigned))
        .routes(routes!(unassigned_file))
        .routes(routes!(offers))
        .routes(routes!(assign))
        .routes(routes!(discard))
        .routes(routes!(return_to_tray))
}

/// The pictures that wait for a driver.
#[utoipa::path(get, path = "/api/v1/unassigned", responses((status = 200, body = Vec<TrayView>)))]
pub(super) async fn unassigned(Open(app): Open) -> Answer<Vec<TrayView>> {
    answer(app, App::list_tray).await
}

/// A file of a waiting picture.
#[utoipa::path(get, path = "/api/v1/unassigned/{entry}/files/{class}",
    params(("entry" = String, Path), ("class" = String, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem)))]
pub(super) async fn unassigned_file(
    Open(app): Open,
    Path((entry, class)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (entry, class) = (id(&entry, "picture")?, file_class(&class)?);
    blocking(app, move |app| app.read_tray_file(&entry, class)).await.map(jpeg)
}

/// Who a waiting picture may show.
#[utoipa::path(get, path = "/api/v1/unassigned/{entry}/offers", params(("entry" = String, Path)),
    responses((status = 200, body = Offers), (status = 404, body = Problem)))]
pub(super) async fn offers(Open(app): Open, Path(entry): Path<String>) -> Answer<Offers> {
    let entry = id(&entry, "picture")?;
    answer(app, move |app| app.offers(&entry)).await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Assign {
    /// The driver: profile id, licence number or phone.
    driver: String,
    /// The driver's park, if several parks have such a driver.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    park: Option<RowId>,
    /// Why it is sent in spite of a failed check.
    #[serde(default)]
    reason: Option<String>,
}

/// Says whom a waiting picture shows.
#[utoipa::path(post, path = "/api/v1/unassigned/{entry}/assign", request_body = Assign, params(("entry" = String, Path)),
    responses((status = 200, body = Taken), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn assign(Open(app): Open, Path(entry): Path<String>, Given(to): Given<Assign>) -> Answer<Taken> {
    let entry = id(&entry, "picture")?;
    answer(app, move |app| app.assign_unassigned(&entry, to.park.as_ref(), &to.driver, to.reason)).await
}

/// Throws a waiting picture away: its key is destroyed.
#[utoipa::path(post, path = "/api/v1/unassigned/{entry}/discard", params(("entry" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(super) async fn discard(Open(app): Open, Path(entry): Path<String>) -> Answer<Done> {
    let entry = id(&entry, "picture")?;
    answer(app, move |app| app.discard_unassigned(&entry).map(|()| DONE)).await
}

/// Takes an assignment back: the photo is withdrawn and its picture waits in the tray again.
#[utoipa::path(post, path = "/api/v1/photos/{photo}/return-to-tray", params(("photo" = String, Path)),
    responses((status = 200, body = Taken), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn return_to_tray(Open(app): Open, Path(photo): Path<String>) -> Answer<Taken> {
    let photo = id(&photo, "photo")?;
    answer(app, move |app| app.return_to_tray(&photo)).await
}
