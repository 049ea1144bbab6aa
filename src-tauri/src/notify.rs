//! Notifications of the desktop: counts and fixed sentences only, never a name or anything that came from outside.

use std::fs;

use parkdesk_app::words::Lang;
use tauri::{AppHandle, Manager, Wry};
use tauri_plugin_notification::NotificationExt;

use crate::news::News;
use crate::window;
use crate::words::{Say, need_attention, text};

/// A click on a notification opens the window.
pub(crate) fn start(app: &AppHandle<Wry>) {
    let opening = app.clone();
    if let Err(error) = app.notification().on_action(move |_| window::show(&opening)) {
        tracing::warn!(%error, "clicks on notifications are not heard");
    }
}

/// Says how many records wait for a person.
pub(crate) fn tell_of_attention(app: &AppHandle<Wry>, lang: Lang, count: u64) {
    show(app, need_attention(lang, count));
}

/// Says once in the life of an account that closing is not quitting.
pub(crate) fn tell_once_of_the_tray(app: &AppHandle<Wry>) {
    let Ok(dir) = app.path().app_config_dir() else { return };
    let told = dir.join("told-of-tray");
    if told.exists() {
        return;
    }
    show(app, text(app.state::<News>().lang(), Say::StillHere).into());
    if let Err(error) = fs::create_dir_all(&dir).and_then(|()| fs::write(&told, b"")) {
        tracing::warn!(%error, "this hint will be shown again");
    }
}

fn show(app: &AppHandle<Wry>, body: String) {
    if let Err(error) = app.notification().builder().title("Parkdesk").body(body).show() {
        tracing::warn!(%error, "no notification");
    }
}
