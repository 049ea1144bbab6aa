//! Who runs the appliance: this program, or a `parkdesk-agent` that owns the data directory already.
//!
//! Either way it is reached over the socket of the data directory. Whoever holds the directory's lock runs it; when an
//! agent ends, this program takes over.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use parkdesk_app::keys::KeyPlace;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::words::Lang;
use parkdesk_sync_agent::appliance::{Appliance, ApplianceConfig, StartError};

use crate::socket::Socket;

/// Between two looks whether the agent still runs, or whether what hindered the start is gone.
const LOOK: Duration = Duration::from_secs(2);
/// Longest random wait before a hub that was away is asked again, as the agent has it.
const RECONNECT_SPREAD: Duration = Duration::from_secs(120);

/// The data directory and the programs beside.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory; otherwise `parkdesk` among the account's data.
    #[arg(long = "data", env = "PARKDESK_DATA", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A file that holds the key; otherwise the keyring.
    #[arg(long, env = "PARKDESK_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The face program; otherwise parkdesk-faces beside this one.
    #[arg(long, env = "PARKDESK_FACES", value_name = "FILE")]
    faces: Option<PathBuf>,
    /// Its weights.
    #[arg(long, env = "PARKDESK_WEIGHTS", value_name = "DIR")]
    weights: Option<PathBuf>,
}

impl Args {
    /// The data directory.
    ///
    /// # Errors
    /// If the account has no home.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        let var = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = || var("XDG_DATA_HOME").or_else(|| var("HOME").map(|home| home.join(".local/share")));
        match &self.dir {
            Some(dir) => std::path::absolute(dir).context("the data directory's path cannot be used"),
            None => Ok(base().context("HOME is not set: say --data DIR")?.join("parkdesk")),
        }
    }
}

/// Keeps an appliance running for the window.
pub(crate) struct Host {
    args: Args,
    dir: PathBuf,
    lang: Lang,
    socket: Socket,
    own: Mutex<Option<Arc<Appliance>>>,
}

impl Host {
    /// For this data directory.
    pub(crate) fn new(args: Args, dir: &Path, socket: Socket, lang: Lang) -> Arc<Self> {
        Arc::new(Self { args, dir: dir.to_owned(), lang, socket, own: Mutex::default() })
    }

    /// Runs until the appliance runs here; it then goes on by itself.
    pub(crate) async fn run_keep(self: Arc<Self>) {
        loop {
            match Appliance::start(self.config()).await {
                Ok(appliance) => {
                    self.socket.set_hindrance(None);
                    *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(appliance);
                    return;
                }
                Err(StartError::Owned { .. }) => self.socket.set_hindrance(None),
                Err(error) => {
                    tracing::error!(%error, "the appliance does not start");
                    self.socket.set_hindrance(Some(error.to_string()));
                }
            }
            tokio::time::sleep(LOOK).await;
            while self.socket.is_served().await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Ends the appliance, if it runs here. Not to be called from an async thread.
    pub(crate) fn stop(&self) {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(appliance) = own {
            tauri::async_runtime::block_on(appliance.stop());
        }
    }

    fn config(&self) -> ApplianceConfig {
        ApplianceConfig {
            data: KeyPlace { dir: self.dir.clone(), key_file: self.args.key_file.clone() },
            ring: Arc::new(OsRing::default()),
            watch: None,
            listener: None,
            faces: self.args.faces.clone(),
            weights: self.args.weights.clone(),
            pages: None,
            reconnect_spread: RECONNECT_SPREAD,
            lang: self.lang,
            may_set_up: true,
        }
    }
}
