//! What only WebKitGTK and the Linux desktop need: names of cameras, the mock camera of the tests, and whether there is a
//! tray at all (GNOME shows none without an extension).

use std::env;

use gtk::gio;
use gtk::gio::prelude::*;
use gtk::glib::ToVariant;
use tauri::WebviewWindow;
use webkit2gtk::{DeviceInfoPermissionRequest, PermissionRequestExt, SettingsExt, WebViewExt};

/// Sets up the web view behind the window.
///
/// # Errors
/// If it cannot be reached.
pub(crate) fn prepare(window: &WebviewWindow) -> tauri::Result<()> {
    window.with_webview(|view| {
        let view = view.inner();
        if let Some(settings) = WebViewExt::settings(&view) {
            settings.set_enable_media_stream(true);
            // Tests have no camera. Nobody can be made to send a mock picture by a variable in a shipped program.
            if cfg!(debug_assertions) && env::var("PARKDESK_MOCK_CAMERA").as_deref() == Ok("1") {
                settings.set_enable_mock_capture_devices(true);
            }
        }
        view.connect_permission_request(|_, request| {
            // Cameras are chosen by name. What the handler before this one left open is denied.
            if request.is::<DeviceInfoPermissionRequest>() {
                request.allow()
            } else {
                request.deny()
            }
            true
        });
    })
}

/// Whether the desktop shows tray icons.
pub(crate) fn has_tray() -> bool {
    let Ok(bus) = gio::bus_get_sync(gio::BusType::Session, gio::Cancellable::NONE) else { return false };
    let answer = bus.call_sync(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "NameHasOwner",
        Some(&("org.kde.StatusNotifierWatcher",).to_variant()),
        None,
        gio::DBusCallFlags::NONE,
        1000,
        gio::Cancellable::NONE,
    );
    answer.ok().and_then(|answer| answer.get::<(bool,)>()).is_some_and(|(has,)| has)
}
