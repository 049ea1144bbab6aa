//! `photo://localhost/...`: pictures for `<img>`, read only.
//!
//! Schemes are outside Tauri's access list, so this one guards itself: only the main window, only GET, only the files of
//! photos, waiting pictures and shots, each part of the address from a small alphabet, nothing encoded. The answer is a
//! JPEG or nothing; what the appliance says besides is not passed on.

use std::borrow::Cow;

use bytes::Bytes;
use tauri::http::{Request, Response, header};

use crate::frame::{Answer, Call, CallHead, Method};
use crate::socket::Socket;
use crate::window::MAIN;

/// Answers a request of this window for a picture.
pub(crate) async fn answer(socket: &Socket, window: &str, request: &Request<Vec<u8>>) -> Response<Cow<'static, [u8]>> {
    let Some(path) = path(window, request) else {
        return response(404, None);
    };
    let head = CallHead { method: Method::Get, path, content_type: None };
    let Answer { status, content_type, body } = socket.ask(Call { head, body: Bytes::new() }).await;
    match (status, content_type.as_deref()) {
        (200, Some("image/jpeg")) => response(200, Some(body)),
        (200, _) => response(404, None),
        (status, _) => response(status, None),
    }
}

/// The API's address of what is asked for, if it may be asked for.
fn path(window: &str, request: &Request<Vec<u8>>) -> Option<String> {
    let uri = request.uri();
    let is_ours = window == MAIN && request.method() == tauri::http::Method::GET && uri.host() == Some("localhost");
    if !is_ours || uri.query().is_some() {
        return None;
    }
    let (kind, rest) = uri.path().strip_prefix("/api/v1/")?.split_once('/')?;
    let (id, class) = rest.split_once("/files/")?;
    let is_file = matches!(kind, "photos" | "unassigned" | "shots")
        && (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && matches!(class, "original" | "portrait" | "thumb");
    is_file.then(|| uri.path().to_owned())
}

fn response(status: u16, jpeg: Option<Bytes>) -> Response<Cow<'static, [u8]>> {
    let mut response = Response::builder().status(status).header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if jpeg.is_some() {
        response =
            response.header(header::CONTENT_TYPE, "image/jpeg").header(header::CACHE_CONTROL, "private, max-age=3600");
    } else {
        response = response.header(header::CACHE_CONTROL, "no-store");
    }
    let body = jpeg.map(Vec::from).unwrap_or_default();
    response.body(Cow::Owned(body)).expect("BUG: fixed headers are always valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str) -> Option<String> {
        let request = Request::builder().method(method).uri(uri).body(Vec::new()).ok()?;
        path(MAIN, &request)
    }

    #[test]
    fn files_of_photos_pictures_and_shots_are_found() {
        for kind in ["photos", "unassigned", "shots"] {
            for class in ["original", "portrait", "thumb"] {
                let path = format!("/api/v1/{kind}/0199-ab/files/{class}");
                assert_eq!(asked("GET", &format!("photo://localhost{path}")), Some(path));
            }
        }
    }

    #[test]
    fn nothing_else_is_answered() {
        let bad = [
            "photo://localhost/api/v1/photos/../drivers/files/thumb",
            "photo://localhost/api/v1/photos/%2e%2e/files/thumb",
            "photo://localhost/api/v1/photos/a%00/files/thumb",
            "photo://localhost/api/v1/photos/a%5cb/files/thumb",
            "photo://localhost/api/v1/photos/..;/files/thumb",
            "photo://localhost/api/v1/photos/~/files/thumb",
            "photo://localhost/api/v1/photos/.git/files/thumb",
            "photo://localhost/api/v1/photos//etc/passwd/files/thumb",
            "photo://localhost/api/v1/photos//files/thumb",
            "photo://localhost/api/v1/photos/a/files/thumb/x",
            "photo://localhost/api/v1/photos/a/files/thumb?x=1",
            "photo://localhost/api/v1/photos/a/files/key",
            "photo://localhost/api/v1/drivers/a/files/thumb",
            "photo://localhost/api/v1/status",
            "photo://localhost/etc/passwd",
            "photo://evil.test/api/v1/photos/a/files/thumb",
            "photo://localhost/api/v1/photos/\u{ff0e}\u{ff0e}/files/thumb",
        ];
        for uri in bad {
            assert_eq!(asked("GET", uri), None, "{uri}");
        }
        let long = format!("photo://localhost/api/v1/photos/{}/files/thumb", "a".repeat(65));
        assert_eq!(asked("GET", &long), None);
        for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
            assert_eq!(asked(method, "photo://localhost/api/v1/photos/a/files/thumb"), None, "{method}");
        }
    }

    #[test]
    fn other_windows_get_nothing() {
        let request = Request::builder().uri("photo://localhost/api/v1/photos/a/files/thumb").body(Vec::new()).unwrap();
        assert_eq!(path("other", &request), None);
    }
}
