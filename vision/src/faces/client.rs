//! The client of `parkdesk-faces`: a queue in front of one child process that may die, hang or lie at any moment.
//!
//! Callers block in [`Client::analyse`] and [`Client::live`]; one supervisor thread takes the most urgent job, keeps the child
//! running and gives every job exactly one answer. A job whose child died, hung past its deadline or answered nonsense is
//! tried once more on a fresh process; the second time its bytes are quarantined by SHA-256, so that one poisonous picture
//! cannot take the pipeline down again and again. A live frame is not tried again: the next one is on its way.
//!
//! Invariants: no call waits without an end (each job has a deadline, the queue is bounded, a stopping client answers
//! `Stopped`); a crash of the child never ends the caller; a child that was killed while idle costs no photo its second try.
//! Guarded by `tests/faces_client.rs`.

mod process;
mod queue;
mod supervisor;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest, Sha256};

use self::queue::{Queue, Task};
use self::supervisor::Supervisor;
use super::protocol::{Analysis, Answer, Job, LiveAdvice, Priority};
use crate::geometry::Cut;
use crate::limits::{self, Rejection};

/// How the child is run.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The program `parkdesk-faces`.
    pub program: PathBuf,
    /// Folder of the weights.
    pub weights: PathBuf,
    /// Memory the child may take; it sets the limit itself.
    pub memory_limit_bytes: u64,
    /// Longest time for one photo. The child may take three times as long to warm up.
    pub save_deadline: Duration,
    /// Longest time for one live frame.
    pub live_deadline: Duration,
    /// Threads of the child's nets.
    pub threads: u32,
    /// Most photos that wait, for each priority of its own: a full folder queue never refuses a person's save.
    pub queue: usize,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FacesError {
    /// The picture breaks a limit or is damaged; sending it again is of no use.
    #[error("{0}")]
    Rejected(Rejection),
    /// The picture brought the faces process down twice; it is kept aside until a person or a newer version lets it in.
    #[error("this picture made the faces process fail twice and is kept aside")]
    Quarantined,
    /// Too many pictures wait; try again later.
    #[error("too many pictures wait for the faces process: try again later")]
    Busy,
    /// A newer live frame took this one's place.
    #[error("a newer frame took this one's place")]
    Superseded,
    /// The faces process cannot be started or was just restarted; try again later.
    #[error("the faces process is not available: {0}")]
    Unavailable(String),
    /// The client was shut down.
    #[error("the client of the faces process is shut down")]
    Stopped,
}

/// What the client is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientStatus {
    /// Process id of the warm child, if there is one.
    pub pid: Option<u32>,
    /// Children that died, hung or lied since the start.
    pub restarts: u64,
    /// Pictures kept aside.
    pub quarantined: usize,
    /// Pictures that wait.
    pub waiting: usize,
}

/// SHA-256 of a picture's bytes.
pub type PictureHash = [u8; 32];

/// The client. Dropping it shuts it down.
pub struct Client {
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
}

impl Client {
    /// Starts the supervisor. The child is started with the first job, so this never fails: a missing program shows as
    /// [`FacesError::Unavailable`].
    pub fn start(config: ClientConfig) -> Self {
        let shared = Arc::new(Shared { state: Mutex::new(State::new(config.queue)), changed: Condvar::new(), config });
        let theirs = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new().name("faces-client".into()).spawn(move || {
            let _guard = StopGuard(Arc::clone(&theirs));
            Supervisor::new(&theirs).run();
        });
        let supervisor = match supervisor {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::error!(%error, "no thread for the client of the faces process");
                shared.stop();
                None
            }
        };
        Self { shared, supervisor }
    }

    /// Analyses a photo; blocks until there is a result.
    ///
    /// # Errors
    /// See [`FacesError`]. Bytes beyond the limit are refused here, before anything is queued. A live frame belongs to
    /// [`Self::live`]; with [`Priority::Live`] a photo only goes before the other photos.
    pub fn analyse(&self, bytes: Vec<u8>, priority: Priority) -> Result<Analysis, FacesError> {
        match self.submit(Job::Analyse, bytes, priority)? {
            Answer::Analysed { analysis, .. } => Ok(*analysis),
            Answer::Rejected { rejection, .. } => Err(FacesError::Rejected(rejection)),
            Answer::Ready(_) | Answer::Unable { .. } | Answer::Live { .. } | Answer::Portrait { .. } => {
                Err(wrong_answer())
            }
        }
    }

    /// Looks at a live frame; blocks until there is advice. The newest frame wins: one that still waits gets
    /// [`FacesError::Superseded`].
    ///
    /// # Errors
    /// See [`FacesError`].
    pub fn live(&self, bytes: Vec<u8>) -> Result<LiveAdvice, FacesError> {
        match self.submit(Job::Live, bytes, Priority::Live)? {
            Answer::Live { advice, .. } => Ok(advice),
            Answer::Rejected { rejection, .. } => Err(FacesError::Rejected(rejection)),
            Answer::Ready(_) | Answer::Unable { .. } | Answer::Analysed { .. } | Answer::Portrait { .. } => {
                Err(wrong_answer())
            }
        }
    }

    /// Cuts the portrait of an original anew; blocks until it is there.
    ///
    /// # Errors
    /// See [`FacesError`].
    pub fn portrait(&self, original: Vec<u8>, cut: Cut) -> Result<Vec<u8>, FacesError> {
        match self.submit(Job::Portrait(cut), original, Priority::Save)? {
            Answer::Portrait { portrait, .. } => Ok(portrait),
            Answer::Rejected { rejection, .. } => Err(FacesError::Rejected(rejection)),
            Answer::Ready(_) | Answer::Unable { .. } | Answer::Analysed { .. } | Answer::Live { .. } => {
                Err(wrong_answer())
            }
        }
    }

    /// What the client is doing now.
    pub fn status(&self) -> ClientStatus {
        let state = self.shared.lock();
        ClientStatus {
            pid: state.pid,
            restarts: state.restarts,
            quarantined: state.quarantined.len(),
            waiting: state.queue.len(),
        }
    }

    /// Pictures kept aside, for the caller to persist.
    pub fn quarantined(&self) -> Vec<PictureHash> {
        self.shared.lock().quarantined.iter().copied().collect()
    }

    /// Keeps pictures aside from the start: what an earlier run persisted.
    pub fn quarantine(&self, pictures: impl IntoIterator<Item = PictureHash>) {
        self.shared.lock().quarantined.extend(pictures);
    }

    /// Lets a picture in again; false if it was not kept aside.
    pub fn release(&self, picture: &PictureHash) -> bool {
        let mut state = self.shared.lock();
        state.crashes.remove(picture);
        state.quarantined.remove(picture)
    }

    /// Answers [`FacesError::Stopped`] to everybody who waits, now and from now on; does not wait for the child's end.
    ///
    /// Callers that block hold the client, so a program that stops calls this first and [`Self::shutdown`] when they are gone.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Ends the child, answers [`FacesError::Stopped`] to everybody who waits, and joins the supervisor.
    pub fn shutdown(self) {
        drop(self);
    }

    fn submit(&self, job: Job, bytes: Vec<u8>, priority: Priority) -> Result<Answer, FacesError> {
        limits::check_bytes(bytes.len()).map_err(FacesError::Rejected)?;
        let hash = PictureHash::from(Sha256::digest(&bytes));
        let (reply, answer) = sync_channel(1);
        {
            let mut state = self.shared.lock();
            if state.stopping {
                return Err(FacesError::Stopped);
            }
            if state.quarantined.contains(&hash) {
                return Err(FacesError::Quarantined);
            }
            state.queue.push(Task { job, picture: Arc::new(bytes), hash, reply }, priority)?;
        }
        self.shared.changed.notify_all();
        answer.recv().unwrap_or(Err(FacesError::Stopped))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(handle) = self.supervisor.take() {
            // A panic of the supervisor has been reported by its hook; there is nothing left to clean up.
            let _ = handle.join();
        }
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    config: ClientConfig,
}

struct State {
    stopping: bool,
    queue: Queue,
    quarantined: BTreeSet<PictureHash>,
    /// Crashes of pictures that have not succeeded since.
    crashes: BTreeMap<PictureHash, u32>,
    pid: Option<u32>,
    restarts: u64,
}

impl State {
    fn new(queue: usize) -> Self {
        Self {
            stopping: false,
            queue: Queue::new(queue),
            quarantined: BTreeSet::new(),
            crashes: BTreeMap::new(),
            pid: None,
            restarts: 0,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of ours panics with the lock held; if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        for task in state.queue.drain() {
            task.answer(Err(FacesError::Stopped));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Waits until something changes, at most that long.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Stops the client when the supervisor ends for whatever reason, so that nobody waits for an answer that cannot come.
struct StopGuard(Arc<Shared>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn wrong_answer() -> FacesError {
    FacesError::Unavailable("it answered another question".into())
}
