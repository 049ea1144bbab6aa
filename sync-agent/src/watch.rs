//! The watched folder: finds pictures as they come, gives each to the app once, and tidies up behind.
//!
//! One thread, one file in memory at a time. Events only wake it: every wake reads the whole folder, so a lost event, an
//! overflow and a start are the same case, and the folder is read every few minutes in any case (F26). A file is taken
//! when it has been at rest for a while, is a regular file and is still the one that was seen; then it goes to `done/`,
//! or to `rejected/` with its reason. A crash between taking and moving is harmless: the app knows the bytes it has.
//!
//! Rejected: `notify-debouncer-mini` (drops the overflow flag), taking on `CLOSE_WRITE` (sftp servers that link or rename
//! never send it).

mod hint;
mod reason;
mod scan;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use parkdesk_app::capture::{AssignedBy, Source, TakeError, TakeFile, Taken};
use parkdesk_app::sync::{WatchState, WatchStatus, WatchedFile, WatchedState};
use parkdesk_domain::{BlobId, Millis};
use parkdesk_vision::limits::{MAX_BYTES, Rejection, RejectionCode};

use self::hint::{MOST_SIDECAR_BYTES, Sidecar};
use self::reason::Why;
use self::scan::{Found, Look, Rest, SIDECAR, Stamp};
use self::shelf::Opened;

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
            cleaned_at: None,
            hashes: BTreeMap::new(),
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

/// The system's notice of changes, with the folder it was set on.
struct Notifier {
    folder: (u64, u64),
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
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
    cleaned_at: Option<u64>,
    /// Hashes of files in `done/`, so that each is read once.
    hashes: BTreeMap<PathBuf, (Stamp, BlobId)>,
}

/// A file that could not be taken yet.
struct Later {
    tries: u32,
    not_before_ms: u64,
    why: Why,
}

/// What became of one file.
enum Step {
    /// It is gone from the folder, or will be looked at again.
    Went,
    /// It was refused and lies in `rejected/`.
    Refused(Why),
    /// It must wait, and the others most likely too.
    Waits(Why),
}

/// Files that had to wait in a row after which the others are not tried either.
const MOST_WAITING: u32 = 3;
/// Files told of.
const MOST_TOLD: usize = 50;

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
        self.clean();
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
        use std::os::unix::fs::MetadataExt;
        let Ok(meta) = std::fs::metadata(&self.config.folder) else { return Ok(()) };
        let folder = (meta.dev(), meta.ino());
        if self.notifier.as_ref().is_some_and(|notifier| notifier.folder == folder) {
            return Ok(());
        }
        let quiet = self.config.settle.min(Duration::from_millis(500)) / 2;
        let set = listen(&self.config.folder, quiet, self.wake.clone());
        match set {
            Ok(debouncer) => {
                self.notifier = Some(Notifier { folder, _debouncer: debouncer });
                Ok(())
            }
            Err(error) => {
                Err(format!("changes in the folder are seen late only ({error}): it is read every few seconds"))
            }
        }
    }

    fn is_settled(&self, path: &Path, now_ms: u64) -> bool {
        u128::from(self.rest.age_ms(path, now_ms)) >= self.config.settle.as_millis()
    }

    /// Takes what has come to rest, oldest first. Returns why files wait, if some do.
    fn take_all(&mut self, look: &Look) -> Option<String> {
        let now_ms = self.now_ms();
        // Photos wait for their sidecar: what it says is better than what their names say.
        let restless: Vec<&Path> = look
            .sidecars
            .iter()
            .filter(|s| !self.is_settled(&s.path, now_ms))
            .filter_map(|s| s.path.parent())
            .collect();
        let mut sidecars: BTreeMap<PathBuf, Sidecar> = BTreeMap::new();
        for found in look.sidecars.iter().filter(|s| self.is_settled(&s.path, now_ms)) {
            if let Ok(Opened::Bytes(bytes)) = shelf::read(&found.path, &found.stamp, MOST_SIDECAR_BYTES) {
                let folder = found.path.parent().unwrap_or(&self.config.folder);
                sidecars.insert(folder.to_owned(), Sidecar::parse(&bytes));
            }
        }
        let mut left = look.files.len() as u64;
        let mut waiting = 0;
        for found in &look.files {
            self.tell(|status| status.waiting = left);
            let folder = found.path.parent().unwrap_or(&self.config.folder);
            let is_due = self.later.get(&found.path).is_none_or(|later| later.not_before_ms <= now_ms);
            if self.stop.load(Ordering::Acquire) || waiting >= MOST_WAITING {
                break;
            }
            if restless.contains(&folder) || !is_due || !self.is_settled(&found.path, now_ms) {
                continue;
            }
            self.tell_files(look, Some(&found.path));
            // A sidecar that came while others were being taken is honoured, too.
            if !sidecars.contains_key(folder) && folder.join(SIDECAR).exists() {
                continue;
            }
            match self.take_one(found, sidecars.get(folder)) {
                Step::Went => {
                    left = left.saturating_sub(1);
                    waiting = 0;
                    self.later.remove(&found.path);
                }
                Step::Refused(why) => {
                    left = left.saturating_sub(1);
                    waiting = 0;
                    self.later.remove(&found.path);
                    let refused = self.told(found, WatchedState::Rejected, Some(&why));
                    self.refused.push_front(WatchedFile { seen_at_ms: (self.config.clock)(), ..refused });
                    self.refused.truncate(MOST_TOLD);
                }
                Step::Waits(reason) => {
                    waiting += 1;
                    self.postpone(&found.path, reason);
                }
            }
        }
        self.tell(|status| status.waiting = left);
        // As long as a file waits its reason stands, whether or not it was tried in this round.
        look.files.iter().find_map(|found| self.later.get(&found.path)).map(|later| later.why.en.clone())
    }

    /// Tells of the files that are there, the newest first, and of those refused last. `taking` = the one in hand.
    fn tell_files(&self, look: &Look, taking: Option<&Path>) {
        let now_ms = self.now_ms();
        let there = look.files.iter().rev().filter(|found| found.path.exists());
        let mut files: Vec<WatchedFile> = there
            .take(MOST_TOLD)
            .map(|found| {
                let why = self.later.get(&found.path).map(|later| &later.why);
                let state = if taking == Some(&found.path) {
                    WatchedState::Taking
                } else if self.is_settled(&found.path, now_ms) {
                    WatchedState::Waiting
                } else {
                    WatchedState::Settling
                };
                self.told(found, state, why)
            })
            .collect();
        files.extend(self.refused.iter().cloned());
        files.sort_by_key(|file| std::cmp::Reverse(file.seen_at_ms));
        files.truncate(MOST_TOLD);
        self.tell(|status| status.files = files);
    }

    fn told(&self, found: &Found, state: WatchedState, why: Option<&Why>) -> WatchedFile {
        let age = i64::try_from(self.rest.age_ms(&found.path, self.now_ms())).unwrap_or(i64::MAX);
        let name = found.path.strip_prefix(&self.config.folder).unwrap_or(&found.path);
        WatchedFile {
            name: name.to_string_lossy().into_owned(),
            state,
            reason_ru: why.map(|why| why.ru.clone()),
            reason_en: why.map(|why| why.en.clone()),
            size_bytes: found.stamp.size,
            seen_at_ms: (self.config.clock)().plus(-age),
        }
    }

    fn postpone(&mut self, path: &Path, why: Why) {
        let now_ms = self.now_ms();
        let base = u64::try_from(self.config.retry.as_millis()).unwrap_or(u64::MAX);
        let first = Later { tries: 0, not_before_ms: 0, why: why.clone() };
        let later = self.later.entry(path.to_owned()).or_insert(first);
        later.why = why;
        later.not_before_ms = now_ms + base.saturating_mul(1 << later.tries.min(10)).min(base.saturating_mul(100));
        later.tries = later.tries.saturating_add(1);
    }

    fn take_one(&self, found: &Found, sidecar: Option<&Sidecar>) -> Step {
        let Found { path, stamp } = found;
        let result = match shelf::read(path, stamp, MAX_BYTES as u64) {
            Ok(Opened::Bytes(bytes)) if bytes.is_empty() => {
                Err(TakeError::Rejected(Rejection { code: RejectionCode::Truncated, figure: Some(0), limit: None }))
            }
            Ok(Opened::Bytes(bytes)) => self.taker.take(self.describe(found, bytes, sidecar)),
            Ok(Opened::TooLarge) => Err(TakeError::Rejected(Rejection {
                code: RejectionCode::TooManyBytes,
                figure: i64::try_from(stamp.size).ok(),
                limit: i64::try_from(MAX_BYTES).ok(),
            })),
            Ok(Opened::Changed) => return Step::Went,
            Err(error) => return Step::Waits(Why::unreadable(&error)),
        };
        let root = &self.config.folder;
        let moved = match &result {
            Ok(taken) => {
                tracing::info!(kind = kind(taken), "a file was taken");
                self.tell(|status| status.taken += 1);
                shelf::keep_done(root, path, stamp)
            }
            Err(error @ (TakeError::Busy | TakeError::Later(_))) => return Step::Waits(Why::of(error)),
            // Somebody may still be writing it, slower than the settling time.
            Err(TakeError::Rejected(rejection)) if self.is_perhaps_unfinished(rejection, path) => {
                return Step::Waits(Why::unfinished());
            }
            Err(error @ (TakeError::Rejected(_) | TakeError::Quarantined | TakeError::Refused(_))) => {
                tracing::info!(%error, "a file was rejected");
                self.tell(|status| status.rejected += 1);
                shelf::keep_rejected(root, path, stamp, &reason::text(error))
            }
        };
        match (moved, result) {
            (Ok(true), Err(error)) => Step::Refused(Why::of(&error)),
            (Ok(_), _) => Step::Went,
            (Err(error), _) => Step::Waits(Why::unmovable(&error)),
        }
    }

    fn is_perhaps_unfinished(&self, rejection: &Rejection, path: &Path) -> bool {
        let age = u128::from(self.rest.age_ms(path, self.now_ms()));
        rejection.code == RejectionCode::Truncated && age < self.config.patience.as_millis()
    }

    fn describe(&self, found: &Found, bytes: Vec<u8>, sidecar: Option<&Sidecar>) -> TakeFile {
        let hints = hint::hints(&self.config.folder, &found.path, sidecar);
        let known = hints.iter().find(|hint| self.taker.knows(&hint.text));
        // A name that names nobody is only a name; a row or a folder that names nobody is worth telling.
        let chosen = known.or_else(|| hints.iter().find(|hint| hint.from != AssignedBy::FileName));
        TakeFile {
            name: found.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes,
            hint: chosen.map(|hint| hint.text.clone()),
            hint_from: chosen.map_or(AssignedBy::FileName, |hint| hint.from),
            source: Source::Folder,
            modified_at_ms: Millis(found.stamp.modified_ms()),
            park: None,
            override_reason: None,
        }
    }

    /// Removes what lay in `done/` long enough.
    fn clean(&mut self) {
        let now_ms = self.now_ms();
        let every = u64::try_from(self.config.rescan.as_millis()).unwrap_or(u64::MAX);
        if self.cleaned_at.is_some_and(|at| now_ms < at.saturating_add(every)) {
            return;
        }
        self.cleaned_at = Some(now_ms);
        let Self { config, taker, hashes, .. } = self;
        let days = i64::from(config.keep_done_days);
        let before = (config.clock)().0 - days * 86_400_000;
        let mut known = BTreeMap::new();
        let cleaned = shelf::clean_done(&config.folder, |path, meta| {
            if days > 0 {
                return shelf::moved_at_ms(meta) < before;
            }
            let stamp = Stamp::of(meta);
            let id = match hashes.remove(path) {
                Some((seen, id)) if seen == stamp => id,
                Some(_) | None => match shelf::read(path, &stamp, MAX_BYTES as u64) {
                    Ok(Opened::Bytes(bytes)) => BlobId::of(&bytes),
                    Ok(Opened::TooLarge | Opened::Changed) | Err(_) => return false,
                },
            };
            let is_over = taker.hub_has(&id);
            if !is_over {
                known.insert(path.to_owned(), (stamp, id));
            }
            is_over
        });
        *hashes = known;
        if let Err(error) = cleaned {
            tracing::warn!(%error, "done/ cannot be cleaned");
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

/// Wakes when something in the folder changed.
fn listen(
    folder: &Path,
    quiet: Duration,
    wake: SyncSender<()>,
) -> notify::Result<Debouncer<RecommendedWatcher, NoCache>> {
    let heard = move |result: DebounceEventResult| {
        if says_change(&result) {
            // A full channel wakes as well.
            let _ = wake.try_send(());
        }
    };
    let config = notify::Config::default().with_follow_symlinks(false);
    let mut debouncer =
        new_debouncer_opt::<_, RecommendedWatcher, NoCache>(quiet, None, heard, NoCache::new(), config)?;
    debouncer.watch(folder, RecursiveMode::Recursive)?;
    Ok(debouncer)
}

/// Whether a notice is a reason to look: errors and overflows are, reading is not, or our own reading would wake us for ever.
fn says_change(result: &DebounceEventResult) -> bool {
    let is_change = |event: &notify::Event| match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => event.need_rescan(),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    };
    match result {
        Ok(events) => events.iter().any(|event| is_change(&event.event)),
        Err(_) => true,
    }
}

fn kind(taken: &Taken) -> &'static str {
    match taken {
        Taken::Captured { .. } => "captured",
        Taken::Tray { .. } => "tray",
        Taken::Duplicate { .. } => "duplicate",
    }
}
