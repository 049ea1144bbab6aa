//! The appliance put together: who owns a data directory runs this, be it the agent or the desktop window.
//!
//! [`Appliance::start`] takes the directory's lock, looks for the key, opens the replica and starts the face program's
//! client, the link, the watched folder and the sockets, in this order; [`Appliance::stop`] ends them the other way round.
//! Without data that opens it starts in set-up mode: only the installation answers, and the appliance comes alive when a
//! person enrolled it or brought its key back.
//!
//! Invariant: old data is opened or moved aside by a person's wish, never replaced (`keys`).

pub mod enrolment;
mod folder;
mod line;
mod place;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parkdesk_app::api::{Api, ListenError, Sessions, bind_socket};
use parkdesk_app::installation::{
    DataFault, DataProblem, EnrolError, EnrolFault, EnrolWish, Enrolled, Installation, InstallationState,
    InstallationView, NoKeyView,
};
use parkdesk_app::keys::ring::Ring;
use parkdesk_app::keys::{KeyPlace, KeysError};
use parkdesk_app::words::Lang;
use parkdesk_app::{App, AppParts, Tending};
use parkdesk_sqlcipher::dir::{DataDir, LockError};
use parkdesk_sqlite::Replica;
use parkdesk_vision::faces::client::Client;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::enrolment::{Authority, Wish};
use self::folder::Folder;
use self::line::Line;
use crate::clock;

/// The socket in the data directory.
pub const SOCKET: &str = "agent.sock";
/// Longest wait for requests under way when it is told to stop.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// Longest wait for requests under way before the data under them is moved: a little more than the longest of them.
const LAST_READERS: Duration = Duration::from_secs(30);

/// What an appliance is started with.
pub struct ApplianceConfig {
    /// The data directory, and the key file if one was asked for.
    pub data: KeyPlace,
    /// The keyring.
    pub ring: Arc<dyn Ring + Send + Sync>,
    /// The watched folder for this run, before the one of the settings.
    pub watch: Option<PathBuf>,
    /// A bound loopback address for browsers.
    pub listener: Option<std::net::TcpListener>,
    /// The face program; otherwise the one beside this program.
    pub faces: Option<PathBuf>,
    /// Its weights; otherwise those installed.
    pub weights: Option<PathBuf>,
    /// The folder of the built pages; otherwise the installed one.
    pub pages: Option<PathBuf>,
    /// Longest random wait before a hub that was away is asked again.
    pub reconnect_spread: Duration,
    /// The system's language.
    pub lang: Lang,
    /// Whether to wait for a person to set it up when there is no data that opens, instead of failing.
    pub may_set_up: bool,
}

/// Why an appliance does not start. Nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process runs this appliance.
    #[error("another program runs this appliance already: ask it at {}", socket.display())]
    Owned {
        /// Where it answers.
        socket: PathBuf,
    },
    /// The directory cannot be owned.
    #[error("the data directory cannot be used: {0}")]
    Lock(LockError),
    /// There is no data there.
    #[error("there is no appliance in {}", .0.display())]
    NoAppliance(PathBuf),
    /// There is data without its key.
    #[error(transparent)]
    Keys(KeysError),
    /// There is data that does not open.
    #[error("the data does not open: {}", .0.message)]
    Data(DataProblem),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system refuses something else.
    #[error("the appliance cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// What lies in a data directory.
enum Found {
    Nothing,
    NoKey(KeysError),
    Unreadable(DataProblem),
    Data(Replica),
}

fn look(place: &KeyPlace, ring: &dyn Ring) -> Found {
    if !place.has_replica() {
        return Found::Nothing;
    }
    let key = match place.open(ring) {
        Ok(opened) => opened.key,
        Err(error) => return Found::NoKey(error),
    };
    match Replica::open(&place.dir, &key) {
        Ok(replica) => Found::Data(replica),
        Err(error) => does_not_open(place, error),
    }
}

/// The replica of a data directory whose lock is held and that nobody runs.
///
/// # Errors
/// Why it does not open; it is as it was.
pub fn open_data(place: &KeyPlace, ring: &dyn Ring) -> Result<Replica, StartError> {
    match look(place, ring) {
        Found::Nothing => Err(StartError::NoAppliance(place.dir.clone())),
        Found::NoKey(error) => Err(StartError::Keys(error)),
        Found::Unreadable(problem) => Err(StartError::Data(problem)),
        Found::Data(replica) => Ok(replica),
    }
}

fn does_not_open(place: &KeyPlace, error: parkdesk_sqlite::OpenError) -> Found {
    use parkdesk_sqlcipher::OpenError as File;
    use parkdesk_sqlite::OpenError as E;
    let code = match &error {
        E::File(File::WrongKey(_)) => {
            let place_of_key = place.source().to_string();
            return Found::NoKey(KeysError::OtherKey { dir: place.dir.clone(), place: place_of_key });
        }
        E::File(File::Newer { .. }) => DataFault::Newer,
        E::File(File::Corrupt { .. } | File::NotADatabase { .. }) | E::Replica(_) => DataFault::Damaged,
        E::File(_) | E::Folder(_) | E::Io(_) | _ => DataFault::Other,
    };
    Found::Unreadable(DataProblem { code, message: error.to_string() })
}

/// The data while it is open.
struct Live {
    app: App,
    replica: Replica,
    folder: Arc<Folder>,
    /// Templates for photos from elsewhere, and what else is done while nobody asks.
    tending: Option<Tending>,
}

enum State {
    /// Nothing there, or it is being moved.
    Empty,
    NoKey(KeysError),
    Unreadable(DataProblem),
    Live(Live),
}

/// A running appliance.
pub struct Appliance {
    place: KeyPlace,
    ring: Arc<dyn Ring + Send + Sync>,
    watch: Option<PathBuf>,
    reconnect_spread: Duration,
    lang: Lang,
    faces: Arc<Client>,
    line: Arc<Line>,
    state: Mutex<State>,
    /// One change of the state at a time; the state itself is locked for moments only.
    changing: Mutex<()>,
    stop: CancellationToken,
    served: Mutex<Vec<JoinHandle<std::io::Result<()>>>>,
    lock: Mutex<Option<DataDir>>,
}

impl Appliance {
    /// Starts; needs a tokio runtime of several threads.
    ///
    /// # Errors
    /// [`StartError`]; nothing was made.
    pub async fn start(config: ApplianceConfig) -> Result<Arc<Self>, StartError> {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(config)).await;
        started.unwrap_or_else(|error| Err(StartError::System(std::io::Error::other(error))))
    }

    fn start_blocking(config: ApplianceConfig) -> Result<Arc<Self>, StartError> {
        let dir = config.data.dir.clone();
        // A slip in the path makes no directory.
        if !config.may_set_up && !config.data.has_replica() {
            return Err(StartError::NoAppliance(dir));
        }
        let lock = DataDir::lock(&dir).map_err(|error| match error {
            LockError::AlreadyOwned(dir) => StartError::Owned { socket: dir.join(SOCKET) },
            error @ LockError::Io { .. } => StartError::Lock(error),
        })?;
        let found = look(&config.data, &*config.ring);
        if !config.may_set_up {
            match found {
                Found::Nothing => return Err(StartError::NoAppliance(dir)),
                Found::NoKey(error) => return Err(StartError::Keys(error)),
                Found::Unreadable(problem) => return Err(StartError::Data(problem)),
                Found::Data(_) => {}
            }
        }
        let appliance = Arc::new(Self {
            place: config.data,
            ring: config.ring,
            watch: config.watch,
            reconnect_spread: config.reconnect_spread,
            lang: config.lang,
            faces: Arc::new(Client::start(place::faces(config.faces, config.weights))),
            line: Arc::default(),
            state: Mutex::new(State::Empty),
            changing: Mutex::new(()),
            stop: CancellationToken::new(),
            served: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        });
        appliance.settle(found);
        if !config.may_set_up
            && let State::Unreadable(problem) = &*appliance.lock_state()
        {
            return Err(StartError::Data(problem.clone()));
        }
        appliance.serve(config.listener, config.pages)?;
        Ok(appliance)
    }

    /// Ends everything and lets the data directory go. Whatever was under way is in the replica.
    pub async fn stop(&self) {
        self.stop.cancel();
        let was = std::mem::replace(&mut *self.lock_state(), State::Empty);
        // Who waits for the face program is answered at once: what it had is done after the next start.
        self.faces.stop();
        if let State::Live(live) = was {
            close(live, &self.line).await;
        }
        let served = std::mem::take(&mut *self.served.lock().unwrap_or_else(PoisonError::into_inner));
        if tokio::time::timeout(LAST_WORDS, futures_util::future::join_all(served)).await.is_err() {
            tracing::warn!("some requests were cut off");
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn serve(
        self: &Arc<Self>,
        listener: Option<std::net::TcpListener>,
        pages: Option<PathBuf>,
    ) -> Result<(), StartError> {
        let address = listener.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        let sessions = address.map(|address| Arc::new(Sessions::new(address, Arc::new(clock::now))));
        let pages = listener.as_ref().and_then(|_| place::pages(pages));
        let api = Api::new(self.clone(), sessions, pages);
        let socket = bind_socket(&self.place.dir.join(SOCKET))?;
        let until = self.stop.clone().cancelled_owned();
        let router = api.for_socket();
        let mut served =
            vec![tokio::spawn(async move { axum::serve(socket, router).with_graceful_shutdown(until).await })];
        if let (Some(listener), Some(router)) = (listener, api.for_loopback()) {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let until = self.stop.clone().cancelled_owned();
            served.push(tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(until).await }));
        }
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = served;
        Ok(())
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the state in line with what was found.
    fn settle(&self, found: Found) {
        let state = match found {
            Found::Nothing => State::Empty,
            Found::NoKey(error) => State::NoKey(error),
            Found::Unreadable(problem) => State::Unreadable(problem),
            Found::Data(replica) => match self.bring_up(replica) {
                Ok(live) => State::Live(live),
                Err(error) => State::Unreadable(DataProblem { code: DataFault::Damaged, message: error.to_string() }),
            },
        };
        *self.lock_state() = state;
    }

    fn bring_up(&self, replica: Replica) -> parkdesk_app::Result<Live> {
        let line = self.line.clone();
        let app = App::new(AppParts {
            replica: replica.clone(),
            faces: self.faces.clone(),
            clock: Arc::new(clock::now),
            new_id: Arc::new(Uuid::now_v7),
            poke: Arc::new(move || line.poke()),
            sync: self.line.clone(),
        })?;
        self.line.connect(&replica, self.reconnect_spread);
        app.restore_pause()?;
        let folder = Folder::start(&app, self.watch.clone())?;
        app.attach_watch(folder.clone());
        // Without it the appliance works; only photos from elsewhere have no verdicts.
        let tending = app.start_tending().inspect_err(|error| tracing::error!(%error, "no thread for the background"));
        Ok(Live { app, replica, folder, tending: tending.ok() })
    }

    fn open_replica(&self) -> Option<Replica> {
        match &*self.lock_state() {
            State::Live(live) => Some(live.replica.clone()),
            State::Empty | State::NoKey(_) | State::Unreadable(_) => None,
        }
    }

    /// Enrols; the state is changed by nobody else meanwhile.
    fn enrol_here(&self, wish: &Wish, beside_old: bool) -> Result<Enrolled, EnrolError> {
        let runtime = Handle::current();
        let done = match self.open_replica() {
            Some(replica) if !beside_old => {
                let recovery = enrolment::unread_code(&self.place, &*self.ring, &replica, None)?;
                let identity = enrolment::enrol_replica(&replica, wish, &runtime)?;
                // With a new token: the old link, if there is one, ends.
                runtime.block_on(self.line.close());
                self.line.connect(&replica, self.reconnect_spread);
                enrolment::Done { identity, recovery, moved: None }
            }
            Some(replica) => {
                let done = enrolment::enrol_staged(&self.place, &*self.ring, wish, &runtime)?;
                drop(replica);
                self.shut(&runtime)?;
                let moved = enrolment::swap(&self.place);
                self.settle(look(&self.place, &*self.ring));
                enrolment::Done { moved: moved?, ..done }
            }
            None => {
                let is_new = !self.place.has_replica();
                if !is_new && !beside_old {
                    return Err(EnrolError {
                        why: EnrolFault::AlreadyEnrolled,
                        message:
                            "there is data here that does not open: bring its key back, or enrol beside it, which \
                                  keeps it in a folder of its own"
                                .into(),
                    });
                }
                let done = enrolment::enrol(&self.place, &*self.ring, wish, beside_old, &runtime);
                // After a refusal, too: a first replica may have been made, and its request is to be kept.
                self.settle(look(&self.place, &*self.ring));
                done?
            }
        };
        Ok(Enrolled {
            device: done.identity.device.to_string(),
            recovery_code: done.recovery.map(|code| code.to_string()),
            moved: done.moved.map(|path| path.display().to_string()),
        })
    }

    /// Closes the open data and waits until nobody uses it any more; otherwise it is as it was.
    fn shut(&self, runtime: &Handle) -> Result<(), EnrolError> {
        let was = std::mem::replace(&mut *self.lock_state(), State::Empty);
        let State::Live(live) = was else { return Ok(()) };
        let (app, replica) = (live.app.clone(), live.replica.clone());
        runtime.block_on(close(live, &self.line));
        let deadline = Instant::now() + LAST_READERS;
        while !app.is_alone() {
            if Instant::now() > deadline {
                drop(app);
                self.settle(Found::Data(replica));
                return Err(EnrolError {
                    why: EnrolFault::Data,
                    message: "the data is in use and could not be moved aside: try again".into(),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Ends what works on the data, and lets it go.
async fn close(live: Live, line: &Line) {
    let Live { folder, tending, .. } = live;
    // A panic of the watcher was logged by it.
    let _ = tokio::task::spawn_blocking(move || {
        folder.stop();
        drop(tending);
    })
    .await;
    line.close().await;
}

impl Installation for Appliance {
    fn app(&self) -> Option<App> {
        match &*self.lock_state() {
            State::Live(live) => Some(live.app.clone()),
            State::Empty | State::NoKey(_) | State::Unreadable(_) => None,
        }
    }

    fn view(&self) -> InstallationView {
        let mut view = InstallationView {
            state: InstallationState::New,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lang: self.lang.into(),
            data_dir: self.place.dir.display().to_string(),
            no_key: None,
            problem: None,
            device_name: None,
            hub: None,
        };
        let (app, replica) = match &*self.lock_state() {
            State::Empty => return view,
            State::NoKey(error) => {
                let no_key = NoKeyView::new(error, self.place.source(), self.place.has_wrapped_copy());
                return InstallationView { state: InstallationState::NoKey, no_key: Some(no_key), ..view };
            }
            State::Unreadable(problem) => {
                let problem = Some(problem.clone());
                return InstallationView { state: InstallationState::Unreadable, problem, ..view };
            }
            State::Live(live) => (live.app.clone(), live.replica.clone()),
        };
        // Settings that cannot be read now are those of the system.
        view.lang = app.settings().ok().and_then(|settings| settings.lang).unwrap_or(view.lang);
        match enrolment::link(&replica) {
            Ok(None) => {}
            Ok(Some((link, _))) => {
                view.state = InstallationState::Ready;
                view.hub = Some(link.url);
                view.device_name = enrolment::device_name(&replica);
            }
            // The link says what is wrong with it.
            Err(_) => view.state = InstallationState::Ready,
        }
        view
    }

    fn enrol(&self, wish: EnrolWish) -> Result<Enrolled, EnrolError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let authority = match wish.ca.filter(|pem| !pem.trim().is_empty()) {
            Some(pem) => Authority::Pem(pem),
            None => Authority::System,
        };
        let (beside_old, again) = (wish.beside_old, wish.again);
        let wish = Wish { hub: wish.hub, code: wish.code, name: wish.name, authority, again };
        self.enrol_here(&wish, beside_old)
    }

    fn recover(&self, code: &str) -> Result<(), KeysError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.place.recover(&*self.ring, code.trim())?;
        if self.open_replica().is_none() {
            self.settle(look(&self.place, &*self.ring));
        }
        Ok(())
    }

    fn retry(&self) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open_replica().is_none() {
            self.settle(look(&self.place, &*self.ring));
        }
    }

    fn renew_recovery(&self) -> Result<String, KeysError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.place.renew_recovery(&*self.ring).map(|code| code.to_string())
    }
}
