//! `parkdesk`: the window of the appliance.
//!
//! Puts together and guards: the web view with its page, the way from the page to the appliance (`socket`), pictures
//! (`pictures`), tray and notifications. It holds no rule and no SQL; whatever a page may do, the API of `app` decides.
//!
//! Read in this order: `window`, `commands`, `socket`, `host`.

mod commands;
mod frame;
mod host;
mod linux;
mod news;
mod notify;
mod pages;
mod pictures;
mod socket;
mod tray;
mod window;
mod words;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use parkdesk_app::words::{Lang, lang_of};
use tauri::{AppHandle, RunEvent, Wry};
use tauri_plugin_window_state::StateFlags;
use tokio::signal::unix::{SignalKind, signal};

use self::host::Host;
use self::news::News;
use self::pages::Pages;
use self::socket::Socket;

/// The switch of WebKitGTK that helps where its window stays blank.
const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Parkdesk: driver photos of a taxi fleet, with and without a network.
#[derive(Parser)]
#[command(name = "parkdesk", version, about)]
struct Cli {
    #[command(flatten)]
    host: host::Args,
    /// The folder of the page; otherwise the one installed with the program.
    #[arg(long, env = "PARKDESK_UI", value_name = "DIR")]
    ui: Option<PathBuf>,
    /// Start in the tray.
    #[arg(long)]
    hidden: bool,
    /// Draw without the graphics card: for computers whose window stays blank.
    #[arg(long)]
    safe_graphics: bool,
}

fn main() -> ExitCode {
    // Whatever this program makes is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = Cli::parse();
    log_to_stderr();
    match run(cli) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("parkdesk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<i32> {
    if cli.safe_graphics && std::env::var_os(NO_DMABUF).is_none() {
        // The switch must be there before GTK starts, so the program starts itself once more.
        let this = std::env::current_exe().context("this program's own path is unknown")?;
        let error = std::process::Command::new(this).args(std::env::args_os().skip(1)).env(NO_DMABUF, "1").exec();
        return Err(error).context("the program cannot start itself again");
    }
    parkdesk_sync_agent::install_crypto();
    let data = cli.host.data()?;
    let socket = Socket::of(&data);
    let lang = session_language();
    let host = Host::new(cli.host, &data, socket.clone(), lang);
    let pictures = socket.clone();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)))
        .plugin(window_state())
        .plugin(tauri_plugin_autostart::Builder::new().app_name("Parkdesk").arg("--hidden").build())
        .plugin(tauri_plugin_notification::init())
        .manage(socket.clone())
        .manage(News::new(lang))
        .register_asynchronous_uri_scheme_protocol("photo", move |context, request, responder| {
            let (socket, window) = (pictures.clone(), context.webview_label().to_owned());
            tauri::async_runtime::spawn(async move {
                responder.respond(pictures::answer(&socket, &window, &request).await);
            });
        })
        .invoke_handler(tauri::generate_handler![
            commands::api,
            commands::choose_folder,
            commands::show_folder,
            commands::window_info,
            commands::set_autostart
        ])
        .build(tauri::generate_context!(assets = Pages::find(cli.ui)))
        .context("the window cannot be made: is this a graphical session?")?;
    let handle = app.handle();
    tray::start(handle, lang).context("the tray's menu cannot be made")?;
    notify::start(handle);
    tauri::async_runtime::spawn(host.clone().run_keep());
    tauri::async_runtime::spawn(news::run_follow(handle.clone(), socket));
    tauri::async_runtime::spawn(quit_when_told(handle.clone()));
    window::open(handle, cli.hidden).context("the system's web view (WebKitGTK) cannot be used")?;
    let code = app.run_return(move |_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = &event {
            // The last window is gone; the tray is not.
            api.prevent_exit();
        } else if matches!(event, RunEvent::Exit) {
            host.stop();
        }
    });
    Ok(code)
}

/// Size and place survive; whether the window was put away does not.
fn window_state() -> tauri::plugin::TauriPlugin<Wry> {
    let flags = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED;
    tauri_plugin_window_state::Builder::new().with_state_flags(flags).build()
}

async fn quit_when_told(app: AppHandle<Wry>) {
    let signals = signal(SignalKind::terminate()).and_then(|t| Ok((t, signal(SignalKind::interrupt())?)));
    let Ok((mut terminate, mut interrupt)) = signals else {
        tracing::warn!("signals are not heard");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    app.exit(0);
}

fn session_language() -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    lang_of(&locale.unwrap_or_default())
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PARKDESK_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,refinery_core=warn,zbus=warn"));
    // A second start in one process is no reason to stop.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
