//! The watched folder as a setting: which folder, if any, and another one while the program runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parkdesk_app::capture::{TakeError, TakeFile, Taken};
use parkdesk_app::sync::{WatchControl, WatchStatus};
use parkdesk_app::{App, Result};
use parkdesk_domain::BlobId;
use rustix::fs::Access;

use crate::clock;
use crate::watch::{Taker, Watch, WatchConfig};

/// The watched folder.
pub(super) struct Folder {
    now: Mutex<Now>,
}

struct Now {
    /// None after the end: the use cases hold this, and this held them.
    app: Option<App>,
    watch: Option<Arc<Watch>>,
}

impl Folder {
    /// Watches the given folder, else the one of the settings, if there is one.
    pub(super) fn start(app: &App, given: Option<PathBuf>) -> Result<Arc<Self>> {
        let folder = match given {
            Some(given) => Some(given),
            None => app.settings()?.watch_folder.map(PathBuf::from),
        };
        // A folder that is not there now is looked for again.
        let watch = folder.and_then(|folder| match begin(app, &folder) {
            Ok(watch) => Some(watch),
            Err(why) => {
                tracing::error!(folder = %folder.display(), why, "the folder is not watched");
                None
            }
        });
        Ok(Arc::new(Self { now: Mutex::new(Now { app: Some(app.clone()), watch }) }))
    }

    /// Ends watching for good and lets the use cases go.
    pub(super) fn stop(&self) {
        let (app, watch) = {
            let mut now = self.lock();
            (now.app.take(), now.watch.take())
        };
        if let Some(watch) = watch {
            watch.stop();
        }
        drop(app);
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(app: &App, folder: &Path) -> std::result::Result<Arc<Watch>, &'static str> {
    let folder = std::path::absolute(folder).map_err(|_| "its path cannot be used")?;
    let mut config = WatchConfig::new(folder, clock::now);
    config.keep_done_days = app.keep_done_days().map_err(|_| "the data cannot be read just now: try again")?;
    Watch::start(config, Hands(app.clone())).map_err(|_| "the system gives no thread for it: try again")
}

/// A folder that a person chose just now must be one that can be worked in.
fn check(folder: &Path) -> std::result::Result<(), &'static str> {
    if !folder.is_absolute() {
        return Err("write its whole path, from the root on");
    }
    if !folder.is_dir() {
        return Err("there is no such folder: make it first, or choose another one");
    }
    rustix::fs::access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|_| "this program may not read and write in it: change its permissions, or choose another one")
}

impl WatchControl for Folder {
    fn status(&self) -> Option<WatchStatus> {
        self.lock().watch.as_ref().map(|watch| watch.status())
    }

    fn watch(&self, folder: Option<&Path>) -> std::result::Result<(), &'static str> {
        if let Some(folder) = folder {
            check(folder)?;
        }
        let Some(app) = self.lock().app.clone() else { return Err("the appliance is stopping") };
        let watched = self.status().map(|status| PathBuf::from(status.folder));
        if watched.as_deref() == folder {
            return Ok(());
        }
        let watch = folder.map(|folder| begin(&app, folder)).transpose()?;
        let old = std::mem::replace(&mut self.lock().watch, watch);
        if let Some(old) = old {
            old.stop();
        }
        Ok(())
    }
}

/// The use cases as the watcher needs them.
struct Hands(App);

impl Taker for Hands {
    fn take(&self, file: TakeFile) -> std::result::Result<Taken, TakeError> {
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
