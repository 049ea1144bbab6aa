//! The running hub: opens the data directory, listens, sweeps, stops in order.
//!
//! Order at start: lock, key, store, folder, administrator's socket, listener, ready line. Order at the end: waiting polls
//! are woken, requests in flight get [`GRACE`], the lock goes with the process. A listener that others can reach needs
//! TLS, or the hub does not start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use metrics_exporter_prometheus::PrometheusHandle;
use parkdesk_domain::Scope;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::admin::socket;
use crate::protocol::blobs;
use crate::protocol::enrol::token_hash;
use crate::routes::{self, Hub};
use crate::store::Store;
use crate::store::any::AnyStore;
use crate::{clock, data};

/// For requests in flight when the hub stops.
const GRACE: Duration = Duration::from_secs(25);
/// A header comes within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Figures are folded this often, whether anybody reads them or not.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Parts of uploads that nobody completes.
const PARTS_LIVE_MS: i64 = 7 * 24 * 3_600_000;
/// Objects that may still get their row.
const OBJECTS_LIVE_MS: i64 = 24 * 3600 * 1000;
/// Objects put aside.
const ASIDE_LIVE_MS: i64 = 30 * 24 * 3_600_000;
const COMMANDS_LIVE_MS: i64 = 400 * 24 * 3_600_000;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The key file; else the systemd credential, else `hub.key` in the data directory.
    pub key_file: Option<PathBuf>,
    /// The store on PostgreSQL; without it `hub.db` in the data directory.
    pub shared: Option<data::Shared>,
    /// Certificate chain and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A file with the token for `/metrics`.
    pub metrics_token_file: Option<PathBuf>,
}

/// Why the hub does not serve, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Others could read what is said.
    #[error(
        "{0} can be reached from other machines, so it needs TLS: give --tls-cert and --tls-key, or listen on 127.0.0.1 \
         behind a proxy that has TLS"
    )]
    NeedsTls(SocketAddr),
    /// No certificate and key of one pair.
    #[error("{} or {} cannot be used: {cause}", cert.display(), key.display())]
    Certificate {
        /// The certificate chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file that was named cannot be read.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The data directory does not open.
    #[error(transparent)]
    Data(#[from] data::StartError),
    /// The administrator would not reach it.
    #[error("the administrator's socket cannot be made: {0}")]
    AdminSocket(std::io::Error),
    /// The address is in use, or not of this machine.
    #[error("cannot listen on {address}: {cause}; give another in --listen, or stop what uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// The network failed.
    #[error("the hub stopped: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// If the data directory does not open or the address cannot be listened on.
pub async fn run(options: Options, metrics: Option<PrometheusHandle>) -> Result<(), ServeError> {
    if !options.listen.ip().is_loopback() && options.tls.is_none() {
        return Err(ServeError::NeedsTls(options.listen));
    }
    let tls = match &options.tls {
        Some((cert, key)) => {
            let bad = |cause| ServeError::Certificate { cert: cert.clone(), key: key.clone(), cause };
            Some(RustlsConfig::from_pem_file(cert, key).await.map_err(bad)?)
        }
        None => None,
    };
    let metrics_token = match &options.metrics_token_file {
        Some(path) => {
            let unreadable = |cause| ServeError::File { path: path.clone(), cause };
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            Some(token_hash(text.trim()))
        }
        None => None,
    };
    let key_file = options.key_file.as_deref();
    let opened = match &options.shared {
        Some(shared) => data::open_shared(&options.data, key_file, shared, clock::now()).await?,
        None => data::open(&options.data, key_file, clock::now())?,
    };
    let mut hub = Hub::new(opened, Box::new(clock::now));
    hub.metrics = metrics;
    hub.metrics_token = metrics_token;
    let (others, news) = tokio::sync::mpsc::unbounded_channel();
    if options.shared.is_some() {
        hub.others = Some(others);
    }
    let hub = Arc::new(hub);
    let admin = socket::bind(&options.data).map_err(ServeError::AdminSocket)?;
    let address = options.listen;
    let listener = std::net::TcpListener::bind(address).map_err(|cause| ServeError::Listen { address, cause })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;

    let handle = Handle::new();
    let admin = tokio::spawn(socket::run_server(Arc::clone(&hub), admin));
    let sweeper = tokio::spawn(run_sweeper(Arc::clone(&hub)));
    let upkeep = tokio::spawn(run_upkeep(Arc::clone(&hub)));
    let exchange = tokio::spawn(run_exchange(Arc::clone(&hub), news));
    tokio::spawn(stop_on_signal(hub.stop.clone(), handle.clone()));
    println!("{}", serde_json::json!({"ready": true, "address": address.to_string(), "tls": tls.is_some()}));
    // Without systemd there is nobody to notify.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let service = routes::router(Arc::clone(&hub)).into_make_service_with_connect_info::<SocketAddr>();
    match tls {
        Some(config) => {
            let mut server = axum_server::from_tcp_rustls(listener, config)?.handle(handle);
            set_timeouts(server.http_builder());
            server.serve(service).await?;
        }
        None => {
            let mut server = axum_server::from_tcp(listener)?.handle(handle);
            set_timeouts(server.http_builder());
            server.serve(service).await?;
        }
    }
    hub.stop.cancel();
    for ended in [admin.await, sweeper.await, upkeep.await, exchange.await] {
        if let Err(error) = ended {
            tracing::error!(%error, "BUG: a part of the hub panicked");
        }
    }
    // A socket nobody listens on would only confuse; the next start removes it anyway.
    let _ = std::fs::remove_file(socket::path(&options.data));
    tracing::info!("stopped");
    Ok(())
}

fn set_timeouts(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    let timer = hyper_util::rt::TokioTimer::new;
    builder.http1().timer(timer()).header_read_timeout(HEADER_TIMEOUT).max_headers(64);
    builder.http2().timer(timer()).keep_alive_interval(Duration::from_secs(20)).max_concurrent_streams(64);
}

async fn stop_on_signal(stop: CancellationToken, handle: Handle<SocketAddr>) {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.cancel();
    handle.graceful_shutdown(Some(GRACE));
}

/// Hub processes on one store wake each other's waiting polls.
async fn run_exchange(hub: Arc<Hub>, news: UnboundedReceiver<BTreeSet<Scope>>) {
    if let AnyStore::Postgres(store) = &hub.store {
        let here = Arc::clone(&hub);
        store.exchange(news, move |heard| here.hear(heard), hub.stop.clone()).await;
    }
}

/// Folds figures, which else would pile up until somebody reads them.
async fn run_upkeep(hub: Arc<Hub>) {
    let mut tick = tokio::time::interval(UPKEEP_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = hub.stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Some(metrics) = &hub.metrics {
            metrics.run_upkeep();
        }
    }
}

/// Sweeps every hour. At start nothing is deleted: whoever put a wrong `hub.db` in place has an hour to see it.
async fn run_sweeper(hub: Arc<Hub>) {
    let mut is_first = true;
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = hub.stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let hub = Arc::clone(&hub);
        let swept = tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current()
                .block_on(async { if is_first { find_lost(&hub).await } else { sweep(&hub).await } })
        })
        .await;
        is_first = false;
        if let Err(panicked) = swept {
            tracing::error!(%panicked, "BUG: sweeping panicked");
        }
    }
}

async fn find_lost(hub: &Hub) {
    match blobs::bring_back(&hub.store, &hub.files, (hub.clock)()).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "brought back objects that rows name again"),
        Err(fault) => tracing::warn!(message = fault.0.message, "objects put aside stay there"),
    }
}

async fn sweep(hub: &Hub) {
    let now = (hub.clock)();
    let ages = blobs::Ages {
        parts_before: now.plus(-PARTS_LIVE_MS),
        objects_before: now.plus(-OBJECTS_LIVE_MS),
        aside_before: now.plus(-ASIDE_LIVE_MS),
    };
    match blobs::sweep(&hub.store, &hub.files, ages, now).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "swept objects that nobody needs"),
        Err(fault) => tracing::warn!(message = fault.0.message, "sweeping failed"),
    }
    match blobs::reseal(&hub.store, &hub.files, now).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "sealed files of photos that show another driver now"),
        Err(fault) => tracing::warn!(message = fault.0.message, "files stay sealed as they were"),
    }
    if let Err(error) = hub.store.forget_commands(now.plus(-COMMANDS_LIVE_MS)).await {
        tracing::warn!(%error, "old commands stay");
    }
}
