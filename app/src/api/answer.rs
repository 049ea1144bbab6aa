//! How handlers answer: one crossing to blocking code, and the shapes that several of them share.

use super::problem::{Code, Problem};
use crate::App;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use parkdesk_domain::body::FileClass;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) type Answer<T> = Result<Json<T>, Problem>;

/// The one place where the API crosses over to blocking code.
pub(super) async fn apart<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Problem::new(Code::Internal, "this program failed or is stopping: the log says more")),
    }
}

pub(super) async fn blocking<T, E>(
    app: App,
    work: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    apart(move || work(&app)).await
}

pub(super) async fn answer<T, E>(app: App, work: impl FnOnce(&App) -> Result<T, E> + Send + 'static) -> Answer<T>
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

pub(super) const DONE: Done = Done { done: true };

pub(super) fn file_class(text: &str) -> Result<FileClass, Problem> {
    match text {
        "original" => Ok(FileClass::Original),
        "portrait" => Ok(FileClass::Portrait),
        "thumb" => Ok(FileClass::Thumb),
        _ => Err(crate::error::Error::NotFound("file").into()),
    }
}

pub(super) fn jpeg(bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::CONTENT_DISPOSITION, "inline"),
    ];
    (headers, bytes).into_response()
}
