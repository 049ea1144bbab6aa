//! Photos and their files.

use super::Desk;
use super::answer::{Answer, DONE, Done, answer, blocking, file_class, jpeg};
use super::extract::Open;
use super::extract::{Asked, id};
use super::problem::Problem;
use crate::photos::PhotoView;
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(photos))
        .routes(routes!(photo))
        .routes(routes!(photo_file))
        .routes(routes!(withdraw))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindPhotos {
    /// Only this driver's.
    driver: Option<String>,
    /// At most so many (200).
    limit: Option<u32>,
}

/// Photos, the latest first.
#[utoipa::path(get, path = "/api/v1/photos", params(FindPhotos), responses((status = 200, body = Vec<PhotoView>)))]
pub(super) async fn photos(Open(app): Open, Asked(q): Asked<FindPhotos>) -> Answer<Vec<PhotoView>> {
    let driver = q.driver.as_deref().map(|text| id(text, "driver")).transpose()?;
    answer(app, move |app| app.list_photos(driver.as_ref(), q.limit.unwrap_or(50))).await
}

/// A photo.
#[utoipa::path(get, path = "/api/v1/photos/{photo}", params(("photo" = String, Path)),
    responses((status = 200, body = PhotoView), (status = 404, body = Problem)))]
pub(super) async fn photo(Open(app): Open, Path(photo): Path<String>) -> Answer<PhotoView> {
    let photo = id(&photo, "photo")?;
    answer(app, move |app| app.get_photo(&photo)).await
}

/// A file of a photo: `original`, `portrait` or `thumb`.
#[utoipa::path(get, path = "/api/v1/photos/{photo}/files/{class}",
    params(("photo" = String, Path), ("class" = String, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem)))]
pub(super) async fn photo_file(
    Open(app): Open,
    Path((photo, class)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (photo, class) = (id(&photo, "photo")?, file_class(&class)?);
    blocking(app, move |app| app.read_photo_file(&photo, class)).await.map(jpeg)
}

/// Takes a photo back, until somebody judged it.
#[utoipa::path(post, path = "/api/v1/photos/{photo}/withdraw", params(("photo" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn withdraw(Open(app): Open, Path(photo): Path<String>) -> Answer<Done> {
    let photo = id(&photo, "photo")?;
    answer(app, move |app| app.withdraw_photo(&photo).map(|()| DONE)).await
}
