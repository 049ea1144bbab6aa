//! `run`: the appliance without a window, until it is told to stop.
//!
//! The browsers' address comes first, so that nothing is made for a bad one; the rest is [`Appliance`]'s.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parkdesk_app::api::bind_loopback;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_sync_agent::{Appliance, ApplianceConfig};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::{RunArgs, Show};

/// Longest wait for blocking work that does not end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// `run`.
pub(super) fn run(args: RunArgs, show: Show) -> Result<(), Failure> {
    log_to_stderr();
    let listener = args.listen.map(bind_loopback).transpose().map_err(anyhow::Error::from)?;
    let config = ApplianceConfig {
        data: args.data.place(),
        ring: Arc::new(OsRing::default()),
        watch: args.watch,
        // Somebody must be able to come in to set it up.
        may_set_up: listener.is_some(),
        listener,
        faces: args.faces,
        weights: args.weights,
        pages: args.ui,
        reconnect_spread: Duration::from_secs(args.reconnect_spread),
        lang: show.lang,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let result = runtime.block_on(keep(config));
    runtime.shutdown_timeout(LAST_WORDS);
    result
}

async fn keep(config: ApplianceConfig) -> Result<(), Failure> {
    let appliance = Appliance::start(config).await?;
    // Nobody waits for it outside systemd.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!("ready");
    told_to_stop().await?;
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    appliance.stop().await;
    Ok(())
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

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PARKDESK_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,refinery_core=warn"));
    // A second start in one process is no reason to stop.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
