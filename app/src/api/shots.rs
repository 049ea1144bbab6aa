//! Shots: looked at, framed and judged before they are saved.

use super::Desk;
use super::answer::{Answer, DONE, Done, answer, blocking, file_class, jpeg};
use super::extract::Open;
use super::extract::{Asked, Given, Whole, id};
use super::problem::{Code, Problem};
use crate::capture::{NewShot, SaveShot, ShotView, Source, Taken};
use crate::note::CropView;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use parkdesk_domain::{Millis, RowId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(make))
        .routes(routes!(shot, let_go))
        .routes(routes!(file))
        .routes(routes!(crop))
        .routes(routes!(save))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ShotQuery {
    /// The park, if the appliance serves several.
    park: Option<String>,
    /// The driver, if that is known already.
    driver: Option<String>,
    /// The file's name, or what the camera is called.
    name: String,
    /// `camera` or `file`.
    #[param(inline)]
    source: ShotSource,
    /// When it was taken.
    taken_at_ms: i64,
}

/// Where a shot comes from.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShotSource {
    /// Shot at the desk.
    Camera,
    /// Given by a person.
    File,
}

impl From<ShotSource> for Source {
    fn from(source: ShotSource) -> Self {
        match source {
            ShotSource::Camera => Self::Camera,
            ShotSource::File => Self::File,
        }
    }
}

/// Looks at a picture and keeps it in memory for 15 minutes; the body is the picture.
#[utoipa::path(post, path = "/api/v1/shots", params(ShotQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ShotView), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn make(Open(app): Open, Asked(q): Asked<ShotQuery>, Whole(bytes): Whole) -> Answer<ShotView> {
    let park = q.park.as_deref().map(|text| id(text, "park")).transpose()?;
    let driver = q.driver.as_deref().map(|text| id(text, "driver")).transpose()?;
    let taken_at_ms = Millis(q.taken_at_ms);
    let new = NewShot { bytes: bytes.into(), name: q.name, source: q.source.into(), taken_at_ms, park, driver };
    answer(app, move |app| app.make_shot(new)).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// The driver's park.
    park: Option<String>,
    /// The driver to compare it with from now on.
    driver: Option<String>,
}

/// A shot as it stands; with park and driver, compared with that driver's photos from now on.
#[utoipa::path(get, path = "/api/v1/shots/{shot}", params(("shot" = String, Path), Whose),
    responses((status = 200, body = ShotView), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn shot(Open(app): Open, Path(shot): Path<String>, Asked(q): Asked<Whose>) -> Answer<ShotView> {
    let shot = id(&shot, "shot")?;
    let whose = match (q.park.as_deref(), q.driver.as_deref()) {
        (Some(park), Some(driver)) => Some((id(park, "park")?, id(driver, "driver")?)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(Problem::new(Code::BadRequest, "park and driver are given together").detail("driver"));
        }
    };
    answer(app, move |app| app.get_shot(&shot, whose)).await
}

/// Lets a shot go.
#[utoipa::path(delete, path = "/api/v1/shots/{shot}", params(("shot" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn let_go(Open(app): Open, Path(shot): Path<String>) -> Answer<Done> {
    let shot = id(&shot, "shot")?;
    answer(app, move |app| app.drop_shot(&shot).map(|()| DONE)).await
}

/// A file of a shot: `original`, `portrait` or `thumb`.
#[utoipa::path(get, path = "/api/v1/shots/{shot}/files/{class}",
    params(("shot" = String, Path), ("class" = String, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem),
        (status = 410, body = Problem)))]
pub(super) async fn file(Open(app): Open, Path((shot, class)): Path<(String, String)>) -> Result<Response, Problem> {
    let (shot, class) = (id(&shot, "shot")?, file_class(&class)?);
    let mut response = blocking(app, move |app| app.read_shot_file(&shot, class)).await.map(jpeg)?;
    // The portrait changes with its rectangle, and none of it is meant to last.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Frames the portrait otherwise.
#[utoipa::path(post, path = "/api/v1/shots/{shot}/crop", request_body = CropView, params(("shot" = String, Path)),
    responses((status = 200, body = ShotView), (status = 400, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn crop(Open(app): Open, Path(shot): Path<String>, Given(to): Given<CropView>) -> Answer<ShotView> {
    let shot = id(&shot, "shot")?;
    answer(app, move |app| app.crop_shot(&shot, to)).await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Save {
    /// The driver's park, if several parks have such a driver.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    park: Option<RowId>,
    /// The driver: profile id, licence number or phone.
    driver: String,
    /// Why it is sent in spite of a failed check.
    #[serde(default)]
    reason: Option<String>,
}

/// Saves a shot as a photo; durable when it answers. Asked again, it answers `duplicate` with the photo it became.
#[utoipa::path(post, path = "/api/v1/shots/{shot}/save", request_body = Save, params(("shot" = String, Path)),
    responses((status = 200, body = Taken), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 410, body = Problem)))]
pub(super) async fn save(Open(app): Open, Path(shot): Path<String>, Given(how): Given<Save>) -> Answer<Taken> {
    let shot = id(&shot, "shot")?;
    let save = SaveShot { park: how.park, driver: how.driver, reason: how.reason };
    answer(app, move |app| app.save_shot(&shot, save)).await
}
