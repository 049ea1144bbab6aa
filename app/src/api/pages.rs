//! The built pages: files as they are, the first page for every address of the pages themselves.

use std::convert::Infallible;
use std::path::PathBuf;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};
use tower_http::services::{ServeDir, ServeFile};

use super::problem::{Code, Problem};

/// Folder of files whose names change with their content.
const HASHED: &str = "/assets/";

/// Answers everything that the API does not.
pub(super) fn serve(folder: Option<PathBuf>) -> BoxCloneSyncService<Request, Response, Infallible> {
    BoxCloneSyncService::new(service_fn(move |request| {
        let folder = folder.clone();
        async move { Ok(answer(folder, request).await) }
    }))
}

async fn answer(folder: Option<PathBuf>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || path.starts_with("/api") {
        return Problem::new(Code::NotFound, "there is no such address here").into_response();
    }
    let Some(folder) = folder else {
        let text = "the pages are not installed beside this program: start it with --ui DIR";
        return Problem::new(Code::NotFound, text).into_response();
    };
    let wants_page = text(&request, header::ACCEPT).contains("text/html");
    let first = folder.join("index.html");
    let files = ServeDir::new(folder).append_index_html_on_directories(true);
    let result = if wants_page && !path.starts_with(HASHED) {
        files.fallback(ServeFile::new(first)).oneshot(request).await
    } else {
        files.oneshot(request).await
    };
    let Ok(response) = result;
    let mut response = response.map(Body::new);
    if response.status().is_client_error() {
        return Problem::new(Code::NotFound, "there is no such page here").into_response();
    }
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn text(request: &Request, name: header::HeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
