//! What the page may ask of the window itself. `build.rs` lists the commands, `capabilities/main.json` permits them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{AppHandle, Manager, State, WebviewWindow, Wry};
use tauri_plugin_autostart::ManagerExt;

use crate::frame::{self, Call};
use crate::news::News;
use crate::socket::Socket;
use parkdesk_app::words::Lang;

/// The page had an answer from the appliance.
static IS_ANSWERED: AtomicBool = AtomicBool::new(false);

/// What the settings page shows of the window.
#[derive(Serialize)]
pub(crate) struct WindowInfo {
    version: &'static str,
    autostart: bool,
}

#[derive(Deserialize)]
struct Settings {
    watch_folder: Option<PathBuf>,
}

/// One request to the appliance, framed as `frame` says.
#[tauri::command]
pub(crate) async fn api(request: Request<'_>, socket: State<'_, Socket>) -> Result<Response, String> {
    let call = match request.body() {
        InvokeBody::Raw(bytes) => frame::read(bytes),
        // The way that Tauri falls back to when its scheme fails once: the same bytes as numbers.
        InvokeBody::Json(numbers) => {
            let bytes = Vec::<u8>::deserialize(numbers).map_err(|_| "the request is no frame".to_owned())?;
            frame::read(&bytes)
        }
    };
    let call: Call = call.map_err(|bad| bad.to_string())?;
    let answer = socket.ask(call).await;
    // Once per start: what the packages' test and the benchmark wait for.
    if answer.status < 400 && !IS_ANSWERED.swap(true, Ordering::Relaxed) {
        tracing::info!("the page works");
    }
    Ok(Response::new(frame::write(&answer)))
}

/// Lets a person choose the folder to watch.
#[tauri::command]
pub(crate) async fn choose_folder(window: WebviewWindow, title: String) -> Result<Option<String>, String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    window
        .app_handle()
        .run_on_main_thread(move || {
            let title: String = title.chars().take(200).collect();
            // Whoever asked may be gone; then nobody needs the answer.
            let _ = tell.send(rfd::AsyncFileDialog::new().set_title(title).pick_folder());
        })
        .map_err(|error| error.to_string())?;
    let dialog = told.await.map_err(|_| "the window is closing".to_owned())?;
    match dialog.await.map(|folder| folder.path().to_owned()) {
        None => Ok(None),
        Some(folder) => folder.into_os_string().into_string().map(Some).map_err(|name| {
            format!("{} has a name that is no text: rename it, then choose it again", Path::new(&name).display())
        }),
    }
}

/// Opens the watched folder in the file manager; which one it is, the appliance says and not the page.
#[tauri::command]
pub(crate) async fn show_folder(socket: State<'_, Socket>, news: State<'_, News>) -> Result<(), String> {
    let settings: Option<Settings> = socket.get("/api/v1/settings").await;
    let folder = settings.and_then(|settings| settings.watch_folder).filter(|folder| folder.is_dir());
    let folder = folder.ok_or_else(|| no_folder(news.lang()).to_owned())?;
    tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|error| error.to_string())
}

fn no_folder(lang: Lang) -> &'static str {
    match lang {
        Lang::Ru => "Папка не выбрана или её нет: выберите её в настройках",
        Lang::En => "No folder is chosen, or it is gone: choose one in the settings",
    }
}

/// What there is to know of the window.
#[tauri::command]
pub(crate) fn window_info(app: AppHandle<Wry>) -> WindowInfo {
    WindowInfo { version: env!("CARGO_PKG_VERSION"), autostart: app.autolaunch().is_enabled().unwrap_or(false) }
}

/// Starts the program with the session, or not; answers how it is now.
#[tauri::command]
pub(crate) fn set_autostart(app: AppHandle<Wry>, on: bool) -> Result<bool, String> {
    let autostart = app.autolaunch();
    if on { autostart.enable() } else { autostart.disable() }.map_err(|error| error.to_string())?;
    autostart.is_enabled().map_err(|error| error.to_string())
}
