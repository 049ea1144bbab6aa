//! The icon in the tray: open, sync now, pause and resume, quit, and one line on where the link stands.
//!
//! Linux reports no clicks on the icon, so all is in the menu.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use parkdesk_app::words::Lang;
use tauri::image::Image;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Wry};

use crate::frame::{Call, CallHead, Method};
use crate::news::{Glance, Link};
use crate::socket::Socket;
use crate::window;
use crate::words::{Say, text};

const ICON: Image<'_> = tauri::include_image!("icons/32x32.png");

/// The entries that change.
pub(crate) struct Tray {
    open: MenuItem<Wry>,
    state: MenuItem<Wry>,
    now: MenuItem<Wry>,
    pause: MenuItem<Wry>,
    quit: MenuItem<Wry>,
    is_paused: Mutex<bool>,
}

/// Puts the icon there.
///
/// # Errors
/// If the desktop's menu cannot be made.
pub(crate) fn start(app: &AppHandle<Wry>, lang: Lang) -> tauri::Result<()> {
    let item = |id, say, enabled| MenuItem::with_id(app, id, text(lang, say), enabled, None::<&str>);
    let tray = Tray {
        open: item("open", Say::Open, true)?,
        state: item("state", Say::Unreachable, false)?,
        now: item("now", Say::Now, false)?,
        pause: item("pause", Say::Pause, false)?,
        quit: item("quit", Say::Quit, true)?,
        is_paused: Mutex::new(false),
    };
    let line = || PredefinedMenuItem::separator(app);
    let menu =
        Menu::with_items(app, &[&tray.open, &line()?, &tray.state, &tray.now, &tray.pause, &line()?, &tray.quit])?;
    TrayIconBuilder::with_id("main").icon(ICON).tooltip("Parkdesk").menu(&menu).on_menu_event(on_menu).build(app)?;
    app.manage(tray);
    Ok(())
}

/// Shows where things stand.
pub(crate) fn update(app: &AppHandle<Wry>, lang: Lang, glance: &Glance) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let is_paused = glance.link == Link::Paused;
    *tray.is_paused.lock().unwrap_or_else(PoisonError::into_inner) = is_paused;
    let is_linked = matches!(glance.link, Link::Starting | Link::Online | Link::Offline | Link::Paused);
    let done = [
        tray.open.set_text(text(lang, Say::Open)),
        tray.state.set_text(text(lang, state(glance.link))),
        tray.now.set_text(text(lang, Say::Now)),
        tray.now.set_enabled(is_linked),
        tray.pause.set_text(text(lang, if is_paused { Say::Resume } else { Say::Pause })),
        tray.pause.set_enabled(is_linked),
        tray.quit.set_text(text(lang, Say::Quit)),
    ];
    for error in done.into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "the tray cannot be updated");
    }
}

fn state(link: Link) -> Say {
    match link {
        Link::Unreachable => Say::Unreachable,
        Link::NotSetUp => Say::NotSetUp,
        Link::Starting => Say::Starting,
        Link::Online => Say::Online,
        Link::Offline => Say::Offline,
        Link::Paused => Say::Paused,
        Link::Revoked => Say::Revoked,
    }
}

fn on_menu(app: &AppHandle<Wry>, event: MenuEvent) {
    match event.id().as_ref() {
        "open" => window::show(app),
        "now" => ask(app, "/api/v1/sync/now"),
        "pause" => toggle(app),
        "quit" => app.exit(0),
        _ => {}
    }
}

fn toggle(app: &AppHandle<Wry>) {
    let is_paused =
        app.try_state::<Tray>().is_some_and(|tray| *tray.is_paused.lock().unwrap_or_else(PoisonError::into_inner));
    ask(app, if is_paused { "/api/v1/sync/resume" } else { "/api/v1/sync/pause" });
}

/// Asks the appliance for it; what does not succeed is told by the page.
fn ask(app: &AppHandle<Wry>, path: &str) {
    let head = CallHead { method: Method::Post, path: path.into(), content_type: Some("application/json".into()) };
    let call = Call { head, body: Bytes::from_static(b"{}") };
    let (app, socket) = (app.clone(), app.state::<Socket>().inner().clone());
    tauri::async_runtime::spawn(async move {
        // Nobody is signed in, or it cannot be done now: the page says more.
        if socket.ask(call).await.status >= 400 {
            window::show(&app);
        }
        crate::news::look(&app, &socket).await;
    });
}
