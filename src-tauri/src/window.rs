//! The one window: how it is made, what its page may not do, and what closing it means.
//!
//! The page cannot leave `tauri://localhost`, open windows, save files or use any device but the camera. Closing puts the
//! window into the tray; where the desktop shows no tray it is minimised, so that nobody loses it.

use tauri::webview::{DownloadEvent, NewWindowResponse, PermissionKind, PermissionResponse};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent, Wry};

use crate::linux;

/// The window's label; capabilities and the picture scheme name it.
pub(crate) const MAIN: &str = "main";

/// Makes the window.
///
/// # Errors
/// If the system's web view cannot be had.
pub(crate) fn open(app: &AppHandle<Wry>, is_hidden: bool) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title("Parkdesk")
        .inner_size(1280.0, 800.0)
        .min_inner_size(800.0, 560.0)
        .visible(!is_hidden)
        // Photos leave no trace on the disk. Only a debug build under automation keeps a context that can be driven.
        .incognito(!is_automated())
        // Files are dropped on the page as in a browser.
        .disable_drag_drop_handler()
        .zoom_hotkeys_enabled(true)
        .on_navigation(is_own_page)
        .on_new_window(|url, _| {
            tracing::warn!(scheme = url.scheme(), "a new window was denied");
            NewWindowResponse::Deny
        })
        .on_download(|_, event| !matches!(event, DownloadEvent::Requested { .. }))
        .on_permission_request(|view, kind| answer_permission(kind, view.url().is_ok_and(|url| is_own_page(&url))))
        .build()?;
    linux::prepare(&window)?;
    if is_hidden && !linux::has_tray() {
        // Nobody could open it from anywhere else.
        window.show()?;
        window.minimize()?;
    }
    let closing = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            put_away(&closing);
        }
    });
    Ok(window)
}

/// Shows the window in front of the others.
pub(crate) fn show(app: &AppHandle<Wry>) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::warn!(%error, "the window cannot be shown");
        }
    }
}

fn put_away(window: &WebviewWindow) {
    let done = if linux::has_tray() { window.hide() } else { window.minimize() };
    if let Err(error) = done {
        tracing::warn!(%error, "the window cannot be put away");
    }
    crate::notify::tell_once_of_the_tray(window.app_handle());
}

fn is_own_page(url: &Url) -> bool {
    let is_own = url.scheme() == "tauri" && url.host_str() == Some("localhost");
    if !is_own {
        tracing::warn!(scheme = url.scheme(), "leaving the page was denied");
    }
    is_own
}

/// The camera for our own page. `Default` goes on to [`linux::prepare`]'s handler, which knows more kinds.
fn answer_permission(kind: PermissionKind, is_own: bool) -> PermissionResponse {
    if kind == PermissionKind::Camera && is_own {
        PermissionResponse::Allow
    } else if kind == PermissionKind::Other {
        PermissionResponse::Default
    } else {
        PermissionResponse::Deny
    }
}

fn is_automated() -> bool {
    cfg!(debug_assertions) && std::env::var("TAURI_WEBVIEW_AUTOMATION").as_deref() == Ok("true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_page_is_gone_to() {
        assert!(is_own_page(&"tauri://localhost/capture".parse().unwrap()));
        for url in [
            "http://app.evil.test/",
            "https://localhost/",
            "tauri://evil.test/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
            "photo://localhost/api/v1/photos/a/files/thumb",
            "ipc://localhost/api",
        ] {
            assert!(!is_own_page(&url.parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn only_the_camera_is_allowed_and_only_to_our_page() {
        use PermissionKind as Kind;
        assert_eq!(answer_permission(Kind::Camera, true), PermissionResponse::Allow);
        assert_eq!(answer_permission(Kind::Camera, false), PermissionResponse::Deny);
        for kind in [Kind::Microphone, Kind::DisplayCapture, Kind::Geolocation, Kind::Notifications, Kind::PointerLock]
        {
            assert_eq!(answer_permission(kind, true), PermissionResponse::Deny);
        }
    }
}
