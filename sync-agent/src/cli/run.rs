//! `run`: puts the appliance together and keeps it going until it is told to stop.
//!
//! Order: the browsers' address (nothing is made for a bad one), lock, key, replica (all before any thread of the runtime), then the face program's client, the link, the watched
//! folder, the sockets, and only then "ready". It ends the other way round; whatever was under way is in the replica.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parkdesk_app::api::{Api, Sessions, bind_loopback, bind_socket};
use parkdesk_app::capture::{TakeError, TakeFile, Taken};
use parkdesk_app::sync::{LinkState, LinkStatus, SyncControl};
use parkdesk_app::{App, AppParts};
use parkdesk_domain::{BlobId, Millis};
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sqlite::Replica;
use parkdesk_sync_agent::engine::Policy;
use parkdesk_sync_agent::watch::{Taker, Watch, WatchConfig};
use parkdesk_sync_agent::{Sync, SyncConfig};
use parkdesk_vision::faces::client::{Client, ClientConfig};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::failure::Failure;
use super::{RunArgs, Show, clock, enrol};

/// Longest wait for requests under way when it is told to stop.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// `run`.
pub(super) fn run(args: RunArgs, show: Show) -> Result<(), Failure> {
    log_to_stderr();
    let listener = args.listen.map(bind_loopback).transpose().map_err(anyhow::Error::from)?;
    if !args.data.place().has_replica() {
        return Err(Failure::NoAppliance(args.data.dir));
    }
    let _lock = DataDir::lock(&args.data.dir).context("the agent needs the data directory for itself")?;
    let opened = args.data.open_key(show)?;
    let replica = Replica::open(&args.data.dir, &opened.key).context("the data does not open")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let result = runtime.block_on(appliance(&args, replica, listener));
    runtime.shutdown_timeout(LAST_WORDS);
    result.map_err(Failure::from)
}

async fn appliance(args: &RunArgs, replica: Replica, listener: Option<std::net::TcpListener>) -> anyhow::Result<()> {
    let (control, poke, link) = start_link(&replica, args.reconnect_spread)?;
    let faces = Arc::new(Client::start(faces_config(args)?));
    let parts =
        AppParts { replica, faces, clock: Arc::new(clock::now), new_id: Arc::new(Uuid::now_v7), poke, sync: control };
    let app = tokio::task::spawn_blocking(move || App::new(parts)).await?.context("the data cannot be read")?;
    let watch = args.watch.as_deref().map(|folder| start_watch(folder, &app)).transpose()?;
    let stop = CancellationToken::new();
    let served = serve(&args.data.dir, &app, listener, &stop)?;
    // Nobody waits for it outside systemd.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!("ready");
    told_to_stop().await?;
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.cancel();
    if let Some(watch) = watch {
        tokio::task::spawn_blocking(move || watch.stop()).await?;
    }
    if let Some(link) = link {
        link.stop().await;
    }
    if tokio::time::timeout(LAST_WORDS, futures_util::future::join_all(served)).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    Ok(())
}

type Poke = Arc<dyn Fn() + Send + std::marker::Sync>;
type Link = (Arc<dyn SyncControl>, Poke, Option<Arc<Sync>>);

fn start_link(replica: &Replica, reconnect_spread_s: u64) -> anyhow::Result<Link> {
    let Some((link, token)) = enrol::link(replica)? else {
        tracing::warn!("not enrolled: photos wait until parkdesk-agent enrol was run");
        return Ok((Arc::new(Unenrolled), Arc::new(|| ()), None));
    };
    parkdesk_sync_agent::install_crypto();
    let policy = Policy { reconnect_spread_ms: reconnect_spread_s.saturating_mul(1000), ..Policy::default() };
    let config = SyncConfig { hub_url: link.url, token, ca: link.ca, policy, clock: clock::now };
    let sync = Sync::start(config, replica.clone()).context("the link to the hub cannot be used")?;
    let poked = sync.clone();
    Ok((sync.clone(), Arc::new(move || poked.poke()), Some(sync)))
}

fn start_watch(folder: &Path, app: &App) -> anyhow::Result<Arc<Watch>> {
    let folder = std::path::absolute(folder).context("the watched folder's path cannot be used")?;
    let mut config = WatchConfig::new(folder, clock::now);
    config.keep_done_days = app.keep_done_days().context("the data cannot be read")?;
    let watch = Watch::start(config, Hands(app.clone())).context("the folder cannot be watched")?;
    app.attach_watch(watch.clone());
    Ok(watch)
}

fn serve(
    dir: &Path,
    app: &App,
    listener: Option<std::net::TcpListener>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<std::io::Result<()>>>> {
    let address: Option<SocketAddr> = listener.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
    let sessions = address.map(|address| Arc::new(Sessions::new(address, Arc::new(clock::now))));
    let api = Api::new(app.clone(), sessions);
    let socket = bind_socket(&dir.join("agent.sock"))?;
    let until = stop.clone().cancelled_owned();
    let router = api.for_socket();
    let mut served = vec![tokio::spawn(async move { axum::serve(socket, router).with_graceful_shutdown(until).await })];
    if let (Some(listener), Some(router)) = (listener, api.for_loopback()) {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let until = stop.clone().cancelled_owned();
        served.push(tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(until).await }));
    }
    Ok(served)
}

async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn faces_config(args: &RunArgs) -> anyhow::Result<ClientConfig> {
    let here = std::env::current_exe().context("this program's own path is unknown")?;
    let beside = here.parent().map(Path::to_owned).unwrap_or_default();
    let program = args.faces.clone().unwrap_or_else(|| beside.join("parkdesk-faces"));
    Ok(ClientConfig {
        program,
        weights: args.weights.clone().unwrap_or_else(|| weights(&beside)),
        memory_limit_bytes: 3 << 30,
        save_deadline: Duration::from_secs(60),
        live_deadline: Duration::from_secs(3),
        threads: 2,
        queue: 64,
    })
}

/// Installed beside the program, or in a checkout where set-up puts them.
fn weights(beside: &Path) -> PathBuf {
    let installed = beside.join("../share/parkdesk/weights");
    let checkout = beside.ancestors().map(|dir| dir.join(".setup/weights")).find(|dir| dir.is_dir());
    if installed.is_dir() { installed } else { checkout.unwrap_or(installed) }
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PARKDESK_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,refinery_core=warn"));
    // A second start in one process is no reason to stop.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}

/// The link of an appliance that belongs to no hub.
struct Unenrolled;

impl SyncControl for Unenrolled {
    fn status(&self) -> LinkStatus {
        LinkStatus::new(LinkState::NotEnrolled)
    }
    fn sync_now(&self) {}
    fn pause(&self, _until: Option<Millis>) {}
    fn resume(&self) {}
}

/// The use cases as the watcher needs them.
struct Hands(App);

impl Taker for Hands {
    fn take(&self, file: TakeFile) -> Result<Taken, TakeError> {
        self.0.take_file(file)
    }

    fn knows(&self, hint: &str) -> bool {
        // A replica that cannot be read now is asked again when the file is taken.
        self.0.knows_driver(hint).unwrap_or(false)
    }

    fn hub_has(&self, sha256: &BlobId) -> bool {
        self.0.hub_has_file(sha256).unwrap_or(false)
    }
}
