//! The use cases of the appliance and its HTTP API.
//!
//! One module per noun: installation, people, settings, capture, tray, drivers, photos, matching, attention, sync, keys. Each use case is a blocking function
//! over the replica; the API crosses over from async at one place. This crate holds no SQL, no models and no network
//! client; rules live in `domain`. Clock and ids come in with [`AppParts`].

pub mod api;
pub mod attention;
pub mod capture;
pub mod doctor;
pub mod drivers;
pub mod error;
pub mod faces;
pub mod history;
pub mod installation;
pub mod keys;
mod link;
pub mod matching;
mod neighbours;
mod note;
pub mod people;
pub mod photos;
mod probes;
mod reindex;
pub mod settings;
pub mod status;
pub mod subject;
pub mod sync;
pub mod tray;
mod watchdog;
pub mod words;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use parkdesk_domain::{CommandId, Millis, RowId};
use parkdesk_sqlite::Replica;
use uuid::Uuid;

use self::capture::{Shots, Steady};
pub use self::error::{Error, Result};
use self::faces::Faces;
pub use self::link::{DayPoint, FileTransfer, SyncView, WaitingView};
use self::matching::Matching;
use self::probes::Probes;
pub use self::reindex::Tending;
use self::sync::{SyncControl, WatchControl};
use self::watchdog::Watchdog;

/// A clock handed in.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// What an appliance is made of.
pub struct AppParts {
    /// The replica.
    pub replica: Replica,
    /// The faces process.
    pub faces: Arc<dyn Faces>,
    /// The time.
    pub clock: Clock,
    /// New ids (UUIDv7).
    pub new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    /// Wakes the sync engine after a command was saved.
    pub poke: Arc<dyn Fn() + Send + Sync>,
    /// The sync engine.
    pub sync: Arc<dyn SyncControl>,
}

/// The appliance's use cases. Clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<AppParts>,
    matching: Arc<Matching>,
    /// The last change that [`App::follow_photos`] looked at.
    seen: Arc<Mutex<i64>>,
    watch: Arc<OnceLock<Arc<dyn WatchControl>>>,
    /// Why the last picture could not be looked at.
    no_faces: Arc<Mutex<Option<String>>>,
    steady: Arc<Mutex<Steady>>,
    watchdog: Arc<Mutex<Watchdog>>,
    shots: Arc<Shots>,
    probes: Arc<Probes>,
    /// Photos that still need a template.
    reindex_left: Arc<AtomicU64>,
    /// What was last written down of pictures kept aside.
    kept_aside: Arc<Mutex<String>>,
    desk: Arc<people::Desk>,
    /// On whose behalf these use cases act; the appliance's own without it.
    acting: Option<RowId>,
}

impl App {
    /// Puts the parts together and loads the templates.
    ///
    /// # Errors
    /// If the replica cannot be read.
    pub fn new(parts: AppParts) -> Result<Self> {
        let app = Self {
            parts: Arc::new(parts),
            matching: Arc::default(),
            seen: Arc::default(),
            watch: Arc::default(),
            no_faces: Arc::default(),
            steady: Arc::default(),
            watchdog: Arc::default(),
            shots: Arc::default(),
            probes: Arc::default(),
            reindex_left: Arc::default(),
            kept_aside: Arc::default(),
            desk: Arc::default(),
            acting: None,
        };
        app.load_matching()?;
        app.load_quarantine()?;
        Ok(app)
    }

    /// Gives the use cases the watcher, which needs them; only the first one counts.
    pub fn attach_watch(&self, watch: Arc<dyn WatchControl>) {
        // A second watcher would be a fault of the composition; the first one stays.
        let _ = self.watch.set(watch);
    }

    /// Whether nobody else holds these use cases any more.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        Arc::strong_count(&self.parts) == 1
    }

    fn replica(&self) -> &Replica {
        &self.parts.replica
    }

    fn now(&self) -> Millis {
        (self.parts.clock)()
    }

    fn new_row_id(&self) -> RowId {
        RowId::from_uuid((self.parts.new_id)())
    }

    fn new_command_id(&self) -> CommandId {
        CommandId::from_uuid((self.parts.new_id)())
    }
}
