//! The handlers. Each reads its request, runs one use case on a blocking thread, and answers.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use parkdesk_domain::body::{FaceBox, FaceRef, FileClass, MatchVerdict};
use parkdesk_domain::{Millis, RowId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MOST_WAIT_MS;
use super::extract::{Asked, Given, Whole, id};
use super::problem::{Code, Problem};
use crate::App;
use crate::attention::{AttentionView, Decision};
use crate::capture::{AssignedBy, Source, TakeFile, Taken};
use crate::drivers::{DriverHitView, DriverView, EditDriver, NewDriver};
use crate::note::BoxView;
use crate::photos::PhotoView;
use crate::status::Status;
use crate::tray::{Offers, TrayView};

type Answer<T> = Result<Json<T>, Problem>;

/// The one place where the API crosses over to blocking code.
async fn blocking<T, E>(app: App, work: impl FnOnce(&App) -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    match tokio::task::spawn_blocking(move || work(&app)).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Problem::new(Code::Internal, "this program failed or is stopping: the log says more")),
    }
}

async fn answer<T, E>(app: App, work: impl FnOnce(&App) -> Result<T, E> + Send + 'static) -> Answer<T>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    blocking(app, work).await.map(Json)
}

/// Done; nothing to tell.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub(super) struct Done {
    /// Always true.
    pub done: bool,
}

const DONE: Done = Done { done: true };

/// One glance at the appliance.
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
pub(super) async fn status(State(app): State<App>) -> Answer<Status> {
    answer(app, App::status).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindDrivers {
    /// Name, plate, phone or licence as typed; everybody without it.
    #[serde(default)]
    text: String,
    /// At most so many (200).
    limit: Option<u32>,
}

/// Finds drivers.
#[utoipa::path(get, path = "/api/v1/drivers", params(FindDrivers), responses((status = 200, body = Vec<DriverHitView>)))]
pub(super) async fn drivers(State(app): State<App>, Asked(q): Asked<FindDrivers>) -> Answer<Vec<DriverHitView>> {
    answer(app, move |app| app.find_drivers(&q.text, q.limit.unwrap_or(20))).await
}

/// Adds a driver.
#[utoipa::path(post, path = "/api/v1/drivers", request_body = NewDriver,
    responses((status = 200, body = DriverView), (status = 409, body = Problem)))]
pub(super) async fn create_driver(State(app): State<App>, Given(new): Given<NewDriver>) -> Answer<DriverView> {
    answer(app, move |app| app.create_driver(new)).await
}

/// A driver of a park in full.
#[utoipa::path(get, path = "/api/v1/parks/{park}/drivers/{driver}",
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = DriverView), (status = 404, body = Problem)))]
pub(super) async fn driver(State(app): State<App>, Path((park, driver)): Path<(String, String)>) -> Answer<DriverView> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.get_driver(&park, &driver)).await
}

/// Changes a driver: per field what was seen and what is wanted.
#[utoipa::path(post, path = "/api/v1/parks/{park}/drivers/{driver}", request_body = EditDriver,
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = DriverView), (status = 409, body = Problem)))]
pub(super) async fn edit_driver(
    State(app): State<App>,
    Path((park, driver)): Path<(String, String)>,
    Given(edit): Given<EditDriver>,
) -> Answer<DriverView> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.edit_driver(&park, &driver, edit)).await
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
pub(super) async fn photos(State(app): State<App>, Asked(q): Asked<FindPhotos>) -> Answer<Vec<PhotoView>> {
    let driver = q.driver.as_deref().map(|text| id(text, "driver")).transpose()?;
    answer(app, move |app| app.list_photos(driver.as_ref(), q.limit.unwrap_or(50))).await
}

/// A photo.
#[utoipa::path(get, path = "/api/v1/photos/{photo}", params(("photo" = String, Path)),
    responses((status = 200, body = PhotoView), (status = 404, body = Problem)))]
pub(super) async fn photo(State(app): State<App>, Path(photo): Path<String>) -> Answer<PhotoView> {
    let photo = id(&photo, "photo")?;
    answer(app, move |app| app.get_photo(&photo)).await
}

/// A file of a photo: `original`, `portrait` or `thumb`.
#[utoipa::path(get, path = "/api/v1/photos/{photo}/files/{class}",
    params(("photo" = String, Path), ("class" = String, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem)))]
pub(super) async fn photo_file(
    State(app): State<App>,
    Path((photo, class)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (photo, class) = (id(&photo, "photo")?, file_class(&class)?);
    blocking(app, move |app| app.read_photo_file(&photo, class)).await.map(jpeg)
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
pub(super) async fn take(State(app): State<App>, Asked(q): Asked<TakeQuery>, Whole(bytes): Whole) -> Answer<Taken> {
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

/// The pictures that wait for a driver.
#[utoipa::path(get, path = "/api/v1/unassigned", responses((status = 200, body = Vec<TrayView>)))]
pub(super) async fn unassigned(State(app): State<App>) -> Answer<Vec<TrayView>> {
    answer(app, App::list_tray).await
}

/// A file of a waiting picture.
#[utoipa::path(get, path = "/api/v1/unassigned/{entry}/files/{class}",
    params(("entry" = String, Path), ("class" = String, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 404, body = Problem)))]
pub(super) async fn unassigned_file(
    State(app): State<App>,
    Path((entry, class)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (entry, class) = (id(&entry, "picture")?, file_class(&class)?);
    blocking(app, move |app| app.read_tray_file(&entry, class)).await.map(jpeg)
}

/// Who a waiting picture may show.
#[utoipa::path(get, path = "/api/v1/unassigned/{entry}/offers", params(("entry" = String, Path)),
    responses((status = 200, body = Offers), (status = 404, body = Problem)))]
pub(super) async fn offers(State(app): State<App>, Path(entry): Path<String>) -> Answer<Offers> {
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
pub(super) async fn assign(
    State(app): State<App>,
    Path(entry): Path<String>,
    Given(to): Given<Assign>,
) -> Answer<Taken> {
    let entry = id(&entry, "picture")?;
    answer(app, move |app| app.assign_unassigned(&entry, to.park.as_ref(), &to.driver, to.reason)).await
}

/// Throws a waiting picture away: its key is destroyed.
#[utoipa::path(post, path = "/api/v1/unassigned/{entry}/discard", params(("entry" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(super) async fn discard(State(app): State<App>, Path(entry): Path<String>) -> Answer<Done> {
    let entry = id(&entry, "picture")?;
    answer(app, move |app| app.discard_unassigned(&entry).map(|()| DONE)).await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Face {
    /// The photo.
    #[schema(value_type = String)]
    photo: RowId,
    /// The face's box in its original.
    face: BoxView,
}

impl From<Face> for FaceRef {
    fn from(face: Face) -> Self {
        let BoxView { x, y, w, h } = face.face;
        Self { photo: face.photo, face: FaceBox { x, y, w, h } }
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Decide {
    /// The park.
    #[schema(value_type = String)]
    park: RowId,
    /// One face.
    a: Face,
    /// The other.
    b: Face,
    /// `same`, `different`, `unsure` or `ignore`.
    #[schema(value_type = String)]
    verdict: MatchVerdict,
    /// The decision that this one undoes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    undoes: Option<RowId>,
}

/// A saved decision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct Decided {
    /// Its id, to undo it with.
    #[schema(value_type = String)]
    pub decision: RowId,
}

/// Decides whether two faces are one person.
#[utoipa::path(post, path = "/api/v1/matches", request_body = Decide,
    responses((status = 200, body = Decided), (status = 409, body = Problem)))]
pub(super) async fn decide(State(app): State<App>, Given(what): Given<Decide>) -> Answer<Decided> {
    let Decide { park, a, b, verdict, undoes } = what;
    answer(app, move |app| {
        app.decide_match(&park, (a.into(), b.into()), verdict, undoes).map(|decision| Decided { decision })
    })
    .await
}

/// What a person must settle.
#[utoipa::path(get, path = "/api/v1/needs-attention", responses((status = 200, body = Vec<AttentionView>)))]
pub(super) async fn needs_attention(State(app): State<App>) -> Answer<Vec<AttentionView>> {
    answer(app, App::list_attention).await
}

/// Settles something.
#[utoipa::path(post, path = "/api/v1/needs-attention/{entry}", request_body = Decision, params(("entry" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn settle(
    State(app): State<App>,
    Path(entry): Path<String>,
    Given(how): Given<Decision>,
) -> Answer<Done> {
    answer(app, move |app| app.settle(&entry, how).map(|()| DONE)).await
}

/// Tries the link at once.
#[utoipa::path(post, path = "/api/v1/sync/now", responses((status = 200, body = Done)))]
pub(super) async fn sync_now(State(app): State<App>) -> Answer<Done> {
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
pub(super) async fn sync_pause(State(app): State<App>, Given(pause): Given<Pause>) -> Answer<Done> {
    answer(app, move |app| -> Result<Done, Problem> {
        app.pause_sync(pause.until_ms.map(Millis));
        Ok(DONE)
    })
    .await
}

/// Ends a pause.
#[utoipa::path(post, path = "/api/v1/sync/resume", responses((status = 200, body = Done)))]
pub(super) async fn sync_resume(State(app): State<App>) -> Answer<Done> {
    answer(app, |app| -> Result<Done, Problem> {
        app.resume_sync();
        Ok(DONE)
    })
    .await
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
pub(super) async fn changes(State(app): State<App>, Asked(q): Asked<ChangesQuery>) -> Answer<Changes> {
    let wait = Duration::from_millis(q.wait_ms.min(MOST_WAIT_MS));
    answer(app, move |app| app.changes_after(q.after, wait).map(|(next, tags)| Changes { next, tags })).await
}

fn file_class(text: &str) -> Result<FileClass, Problem> {
    match text {
        "original" => Ok(FileClass::Original),
        "portrait" => Ok(FileClass::Portrait),
        "thumb" => Ok(FileClass::Thumb),
        _ => Err(crate::error::Error::NotFound("file").into()),
    }
}

fn jpeg(bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::CONTENT_DISPOSITION, "inline"),
    ];
    (headers, bytes).into_response()
}
