//! The watched folder: finds pictures as they come, gives each to the app once, and tidies up behind.
//!
//! One thread, one file in memory at a time. Events only wake it: every wake reads the whole folder, so a lost event, an
//! overflow and a start are the same case, and the folder is read every few minutes in any case (F26). A file is taken
//! when it has been at rest for a while, is a regular file and is still the one that was seen; then it goes to `done/`,
//! or to `rejected/` with its reason. A crash between taking and moving is harmless: the app knows the bytes it has.
//!
//! Rejected: `notify-debouncer-mini` (drops the overflow flag), taking on `CLOSE_WRITE` (sftp servers that link or rename
//! never send it).

mod done;
mod hint;
mod notice;
mod reason;
mod scan;
mod shelf;
mod taking;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parkdesk_app::capture::{TakeError, TakeFile, Taken};
use parkdesk_app::sync::{WatchState, WatchStatus, WatchedFile};
use parkdesk_domain::{BlobId, Millis};

use self::done::Cleaning;
use self::notice::Notifier;
use self::scan::{Look, Rest};
use self::taking::Later;

/// Who takes the pictures.
pub trait Taker: Send + 'static {
    /// Takes a picture; blocks until it is saved or refused.
    ///
    /// # Errors
    /// See [`TakeError`].
    fn take(&self, file: TakeFile) -> Result<Taken, TakeError>;
    /// Whether a text names a driver of this appliance (profile id, licence, phone).
    fn knows(&self, hint: &str) -> bool;
    /// Whether the hub has all of the picture with these bytes.
    fn hub_has(&self, sha256: &BlobId) -> bool;
}

/// What the watcher needs.
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// The folder; it belongs to the user and may be missing for a while.
    pub folder: PathBuf,
    /// How long a file must be as it is.
    pub settle: Duration,
    /// How long an incomplete picture may stay before it is refused: somebody may still be writing it.
    pub patience: Duration,
    /// How often the folder is read without a reason.
    pub rescan: Duration,
    /// Days that taken files stay in `done/`; 0 = until the hub has them.
    pub keep_done_days: u32,
    /// First delay before a file is tried again; doubled up to a hundred times it.
    pub retry: Duration,
    /// The wall clock, for the age of files in `done/` only.
    pub clock: fn() -> Millis,
}

impl WatchConfig {
    /// The settings of protocol and guides for this folder.
    #[must_use]
    pub fn new(folder: PathBuf, clock: fn() -> Millis) -> Self {
        Self {
            folder,
            settle: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            rescan: Duration::from_secs(120),
            keep_done_days: 7,
            retry: Duration::from_secs(3),
            clock,
        }
    }
}

/// The running watcher.
pub struct Watch {
    status: Arc<Mutex<WatchStatus>>,
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(config: WatchConfig, taker: impl Taker) -> io::Result<Arc<Self>> {
        let (wake, woken) = sync_channel(1);
        let status = Arc::new(Mutex::new(WatchStatus {
            folder: config.folder.display().to_string(),
            state: WatchState::Watching,
            waiting: 0,
            taken: 0,
            rejected: 0,
            problem: None,
            files: Vec::new(),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let mut watcher = Watcher {
            config,
            taker,
            status: Arc::clone(&status),
            stop: Arc::clone(&stop),
            wake: wake.clone(),
            started: Instant::now(),
            notifier: None,
            rest: Rest::default(),
            later: BTreeMap::new(),
            refused: VecDeque::new(),
            cleaning: Cleaning::default(),
        };
        let thread = std::thread::Builder::new().name("parkdesk-watch".into()).spawn(move || watcher.run(&woken))?;
        Ok(Arc::new(Self { status, stop, wake, thread: Mutex::new(Some(thread)) }))
    }

    /// Where it stands now; cheap, answers from memory.
    #[must_use]
    pub fn status(&self) -> WatchStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops after the file that is being taken.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // A full channel wakes it as well.
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of the thread was printed by it.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
    }
}

struct Watcher<T> {
    config: WatchConfig,
    taker: T,
    status: Arc<Mutex<WatchStatus>>,
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    started: Instant,
    notifier: Option<Notifier>,
    rest: Rest,
    later: BTreeMap<PathBuf, Later>,
    /// The files refused last, the newest first.
    refused: VecDeque<WatchedFile>,
    cleaning: Cleaning,
}

impl<T: Taker> Watcher<T> {
    fn run(&mut self, woken: &Receiver<()>) {
        while !self.stop.load(Ordering::Acquire) {
            let pause = self.round();
            match woken.recv_timeout(pause) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn tell(&self, change: impl FnOnce(&mut WatchStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks at everything once; says how long to sleep if nothing wakes it.
    fn round(&mut self) -> Duration {
        let notice = self.keep_notified();
        let look = match scan::look(&self.config.folder) {
            Ok(look) => look,
            Err(error) => return self.lost(&error),
        };
        self.rest.note(&look, self.now_ms());
        self.later.retain(|path, _| look.files.iter().any(|found| found.path == *path));
        let mut problem = notice.err();
        if let Some((path, error)) = look.errors.first() {
            problem = Some(format!("{} cannot be read ({error}): check its permissions", path.display()));
        }
        self.tell_files(&look, None);
        let waits = self.take_all(&look);
        self.tell_files(&look, None);
        let problem = waits.or(problem);
        self.tell(|status| {
            status.state = WatchState::Watching;
            status.problem = problem;
        });
        let now_ms = self.now_ms();
        self.cleaning.clean(&self.config, &self.taker, now_ms);
        self.pause(&look)
    }

    /// The folder is not there, or not for us: look again soon.
    fn lost(&mut self, error: &io::Error) -> Duration {
        self.notifier = None;
        self.rest.clear();
        let folder = self.config.folder.display();
        let (state, text) = if error.kind() == io::ErrorKind::NotFound {
            (WatchState::Missing, format!("the folder {folder} is not there: make it again, or name another one"))
        } else {
            (WatchState::Blocked, format!("the folder {folder} cannot be read ({error}): check its permissions"))
        };
        self.tell(|status| {
            status.state = state;
            status.waiting = 0;
            status.files.clear();
            status.problem = Some(text);
        });
        self.config.settle.min(Duration::from_secs(2))
    }

    /// Sets the system's notice on the folder that is there now; without one the folder is read more often.
    fn keep_notified(&mut self) -> Result<(), String> {
        let Some(folder) = notice::identity(&self.config.folder) else { return Ok(()) };
        if self.notifier.as_ref().is_some_and(|notifier| notifier.is_on(folder)) {
            return Ok(());
        }
        let quiet = self.config.settle.min(Duration::from_millis(500)) / 2;
        match Notifier::set(&self.config.folder, folder, quiet, self.wake.clone()) {
            Ok(notifier) => {
                self.notifier = Some(notifier);
                Ok(())
            }
            Err(error) => {
                Err(format!("changes in the folder are seen late only ({error}): it is read every few seconds"))
            }
        }
    }

    /// How long nothing can happen by itself.
    fn pause(&self, look: &Look) -> Duration {
        let now_ms = self.now_ms();
        let restless = look.files.iter().chain(&look.sidecars).any(|f| !self.is_settled(&f.path, now_ms));
        let retry = self.later.values().map(|l| l.not_before_ms.saturating_sub(now_ms)).min();
        let mut pause = self.config.rescan;
        if self.notifier.is_none() {
            pause = pause.min(Duration::from_secs(5));
        }
        if restless {
            pause = pause.min(self.config.settle / 4);
        }
        if let Some(ms) = retry {
            pause = pause.min(Duration::from_millis(ms));
        }
        pause.max(Duration::from_millis(10))
    }
}
