//! The driver: runs the session on a thread that may block, sends its orders, sleeps as it says, and tells the
//! appliance where the link stands. It decides nothing.
//!
//! One task owns the session; each request is a task of its own, so a slow one holds up none. Stopping drops what is in
//! flight: everything unfinished is in the replica and is done again after the next start.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parkdesk_app::sync::{FileProgress, LinkProblem, LinkState, LinkStatus, SyncControl, Transfers};
use parkdesk_domain::{BlobId, Millis};
use tokio::sync::{Notify, mpsc};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::codec::Received;
use crate::engine::{Event, Failure, Now, Policy, Request, Standing, Trouble};
use crate::http::{ClientError, Http};
use crate::session::{Input, Local, Order, Session, Traffic, Turn, View, code_of};

/// What the driver needs.
pub struct SyncConfig {
    /// The hub's address.
    pub hub_url: String,
    /// This appliance's token.
    pub token: String,
    /// The only authority to trust (PEM), for hubs with a certificate of their own.
    pub ca: Option<Vec<u8>>,
    /// Tuning.
    pub policy: Policy,
    /// The wall clock, for people and for the hours of the link.
    pub clock: fn() -> Millis,
    /// Minutes by which the local time is ahead of UTC at a time.
    pub zone: fn(Millis) -> i32,
}

/// Sync in the background.
pub struct Sync {
    controls: mpsc::UnboundedSender<Event>,
    poke: Arc<Notify>,
    status: Arc<Mutex<LinkStatus>>,
    files: Arc<Mutex<Vec<FileProgress>>>,
    cancel: CancellationToken,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
    clock: fn() -> Millis,
}

impl Sync {
    /// Starts; needs a tokio runtime.
    ///
    /// # Errors
    /// If the hub's address or authority cannot be used.
    pub fn start<L: Local>(config: SyncConfig, local: L) -> Result<Arc<Self>, ClientError> {
        let http = Http::new(&config.hub_url, config.ca.as_deref())?;
        let (controls, events) = mpsc::unbounded_channel();
        let sync = Arc::new(Self {
            controls,
            poke: Arc::default(),
            status: Arc::new(Mutex::new(LinkStatus::new(LinkState::Starting))),
            files: Arc::default(),
            cancel: CancellationToken::new(),
            task: Mutex::default(),
            clock: config.clock,
        });
        let engine = Brain {
            session: Some(Session::new(local, config.policy)),
            http,
            token: config.token.into(),
            clock: config.clock,
            zone: config.zone,
            started: Instant::now(),
            status: Arc::clone(&sync.status),
            files: Arc::clone(&sync.files),
            up: Meter::default(),
            down: Meter::default(),
            requests: JoinSet::new(),
            asked: HashMap::new(),
        };
        let task = tokio::spawn(engine.run(events, Arc::clone(&sync.poke), sync.cancel.clone()));
        *sync.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(sync)
    }

    /// Says that the replica changed; cheap, from any thread.
    pub fn poke(&self) {
        self.poke.notify_one();
    }

    /// Stops and waits until nothing runs any more.
    pub async fn stop(&self) {
        self.cancel.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // A panic of the task was logged by the task.
            let _ = task.await;
        }
    }

    fn control(&self, event: Event) {
        // A stopped driver obeys nobody.
        let _ = self.controls.send(event);
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl SyncControl for Sync {
    fn status(&self) -> LinkStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sync_now(&self) {
        self.control(Event::SyncNow);
    }

    fn pause(&self, until: Option<Millis>) {
        let for_ms = until.map(|until| u64::try_from(until.0 - (self.clock)().0).unwrap_or(0));
        self.control(Event::Pause { for_ms });
    }

    fn resume(&self) {
        self.control(Event::Resume);
    }

    fn files(&self) -> Vec<FileProgress> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Brain<L> {
    /// Away only while a step runs.
    session: Option<Session<L>>,
    http: Http,
    token: Arc<str>,
    clock: fn() -> Millis,
    zone: fn(Millis) -> i32,
    started: Instant,
    status: Arc<Mutex<LinkStatus>>,
    files: Arc<Mutex<Vec<FileProgress>>>,
    up: Meter,
    down: Meter,
    requests: JoinSet<(Request, Option<Received>)>,
    /// Which request a task is for.
    asked: HashMap<Id, Request>,
}

impl<L: Local> Brain<L> {
    async fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>, poke: Arc<Notify>, cancel: CancellationToken) {
        let mut input = Input::Event(Event::Tick);
        loop {
            let Some(turn) = self.step(input).await else { return };
            let wake = self.started + Duration::from_millis(turn.wake_at_ms);
            for order in turn.orders {
                self.send(order);
            }
            input = tokio::select! {
                () = cancel.cancelled() => return self.end().await,
                Some(event) = events.recv() => Input::Event(event),
                Some(done) = self.requests.join_next_with_id() => ended(&mut self.asked, done),
                () = poke.notified() => Input::Event(Event::LocalChange),
                () = tokio::time::sleep_until(wake.into()) => Input::Event(Event::Tick),
            };
        }
    }

    /// Keeps what the link did until now.
    async fn end(mut self) {
        let Some(mut session) = self.session.take() else { return };
        let now = self.now();
        // A panic is logged by the hook; nothing is left to be done here.
        let _ = tokio::task::spawn_blocking(move || {
            if let Err(error) = session.close(now) {
                tracing::warn!(%error, "the last minute of the link could not be kept");
            }
        })
        .await;
    }

    /// The one place at which the driver crosses over to code that blocks.
    async fn step(&mut self, input: Input) -> Option<Turn> {
        let mut session = self.session.take()?;
        let now = self.now();
        let dice = rand::random();
        let ran = tokio::task::spawn_blocking(move || {
            let turn = session.step(now, dice, input);
            (session, turn)
        });
        let (session, turn) = match ran.await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "BUG: the sync session panicked; sync stops until the next start");
                self.told(|status| {
                    status.state = LinkState::Offline;
                    status.last_problem =
                        Some(problem("internal", "sync stopped by a fault of the program: restart it", now.wall));
                });
                return None;
            }
        };
        self.tell(&session.view(), &turn, now);
        self.session = Some(session);
        Some(turn)
    }

    fn now(&self) -> Now {
        let mono_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall = (self.clock)();
        Now { mono_ms, wall, zone_min: (self.zone)(wall) }
    }

    fn send(&mut self, order: Order) {
        let (http, token) = (self.http.clone(), Arc::clone(&self.token));
        let request = order.request.clone();
        let task = self.requests.spawn(async move {
            // Limits are open to everybody: no need to show the token before the hub has spoken.
            let token = (order.request != Request::Limits).then_some(&*token);
            let received = http.send(&order, token).await;
            (order.request, received)
        });
        self.asked.insert(task.id(), request);
    }

    fn tell_files(&self, view: &View) {
        let moving: BTreeSet<&BlobId> = self
            .asked
            .values()
            .filter_map(|request| match request {
                Request::Part { id, .. } | Request::Complete { id } | Request::Fetch { id, .. } => Some(id),
                Request::Limits | Request::Push | Request::Pull | Request::Check => None,
            })
            .collect();
        let mut files: BTreeMap<&BlobId, u64> = view.begun.iter().map(|(id, done)| (id, *done)).collect();
        for id in &moving {
            files.entry(id).or_default();
        }
        let progress = |(id, done_bytes): (&BlobId, u64)| FileProgress {
            id: id.clone(),
            done_bytes,
            is_moving: moving.contains(id),
        };
        let list = files.into_iter().map(progress).collect();
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = list;
    }

    fn told(&self, change: impl FnOnce(&mut LinkStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn tell(&mut self, view: &View, turn: &Turn, now: Now) {
        let rates = (
            self.up.note(now.mono_ms, view.moved_up, view.up),
            self.down.note(now.mono_ms, view.moved_down, view.down),
        );
        self.tell_files(view);
        for error in &turn.errors {
            tracing::warn!(%error, "sync could not use the replica");
        }
        for trouble in &turn.troubles {
            tracing::info!(?trouble, "sync trouble");
        }
        let ahead = |mono: u64| i64::try_from(mono.saturating_sub(now.mono_ms)).unwrap_or(i64::MAX);
        self.told(|status| {
            status.state = state_of(view.link.state);
            status.last_contact_at_ms = view.link.last_contact;
            status.clock_offset_ms = view.offset_ms;
            status.sending = traffic(view.up).map(|all| all.at_rate(rates.0));
            status.fetching = traffic(view.down).map(|all| all.at_rate(rates.1));
            let next = view.link.next_try_ms.filter(|at| *at > now.mono_ms);
            status.next_try_at_ms = next.map(|at| now.wall.plus(ahead(at)));
            let kept = status.last_problem.take();
            status.last_problem = match (view.link.stuck, view.link.problem, turn.errors.is_empty()) {
                // Told with the time at which it stopped.
                (Some(trouble), _, _) => kept.filter(is_stop).or_else(|| Some(stopped(trouble, now))),
                (None, _, false) => Some(of_failure(Failure::Local, now.wall)),
                (None, Some((failure, at)), true) => Some(of_failure(failure, at)),
                (None, None, true) => None,
            };
        });
    }
}

/// How fast bytes move, smoothed over some seconds: a part arrives whole, so single looks tell little.
#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    at_ms: u64,
    bytes: u64,
    rate: Option<u64>,
}

impl Meter {
    /// Half of the rate is of the last eight seconds or so.
    const SMOOTH_MS: u64 = 8_000;
    /// Without a byte for so long the rate falls.
    const SILENCE_MS: u64 = 20_000;

    /// The rate in bytes a second, now that so many bytes have moved in all; none while nothing is to move.
    fn note(&mut self, now_ms: u64, bytes: u64, waiting: Traffic) -> Option<u64> {
        if waiting.files == 0 {
            *self = Self { at_ms: now_ms, bytes, rate: None };
            return None;
        }
        let (took_ms, came) = (now_ms.saturating_sub(self.at_ms), bytes.saturating_sub(self.bytes));
        let is_news = came > 0 && took_ms >= 500;
        if is_news || took_ms >= Self::SILENCE_MS {
            let now = came.saturating_mul(1000) / took_ms.max(1);
            let weigh = |old: u64| {
                (old.saturating_mul(Self::SMOOTH_MS) + now.saturating_mul(took_ms)) / (Self::SMOOTH_MS + took_ms)
            };
            *self = Self { at_ms: now_ms, bytes, rate: Some(self.rate.map_or(now, weigh)) };
        }
        self.rate
    }
}

/// What the end of a request's task means. A panicked one failed; the others go on.
fn ended(asked: &mut HashMap<Id, Request>, done: Result<(Id, (Request, Option<Received>)), JoinError>) -> Input {
    match done {
        Ok((task, (request, received))) => {
            asked.remove(&task);
            Input::Answer { request, received }
        }
        Err(error) => {
            tracing::error!(%error, "BUG: a request panicked");
            let failed = |request| Event::Failed { request, failure: Failure::Local, retry_after_ms: None };
            Input::Event(asked.remove(&error.id()).map_or(Event::Tick, failed))
        }
    }
}

fn traffic(traffic: Traffic) -> Option<Transfers> {
    (traffic.files > 0).then_some(Transfers {
        files_left: traffic.files,
        bytes_done: traffic.done.min(traffic.bytes),
        bytes_total: traffic.bytes,
        ..Transfers::default()
    })
}

fn state_of(standing: Standing) -> LinkState {
    match standing {
        Standing::Starting => LinkState::Starting,
        Standing::Online => LinkState::Online,
        Standing::Offline | Standing::Unauthorized => LinkState::Offline,
        Standing::Paused => LinkState::Paused,
        Standing::NotEnrolled => LinkState::NotEnrolled,
        Standing::Revoked => LinkState::Revoked,
    }
}

fn problem(code: &str, message: &str, at_ms: Millis) -> LinkProblem {
    LinkProblem { code: code.into(), message: message.into(), at_ms }
}

fn is_stop(problem: &LinkProblem) -> bool {
    problem.code == "sync_stopped"
}

fn stopped(trouble: Trouble, now: Now) -> LinkProblem {
    let text = match trouble {
        Trouble::ClonedAgain => {
            "another copy of this appliance is at work: keep one of the two and enrol the other anew, then sync again"
        }
        Trouble::PullStopped | Trouble::PullLoops => {
            "the hub answers but brings nothing new forward: fetching stopped; look at the hub's log, then sync again"
        }
        Trouble::PushStopped | Trouble::PushLoops | Trouble::Failed(_) | Trouble::CommandWaits { .. } => {
            "the hub answers but judges nothing: sending stopped; look at the hub's log, then sync again"
        }
    };
    problem("sync_stopped", text, now.wall)
}

fn of_failure(failure: Failure, at: Millis) -> LinkProblem {
    let text = match failure {
        Failure::Offline => "the hub cannot be reached: work goes on here and is sent as soon as it can",
        Failure::NotHub => "something else than the hub answers: log in to this network, or check the hub's address",
        Failure::Busy => "the hub is busy and will be asked again later",
        Failure::HubError => "the hub failed at a request and will be asked again; look at the hub's log if it goes on",
        Failure::Unauthorized => "the hub does not know this appliance: ask its administrator for a new enrolment code",
        Failure::Revoked => "the hub's administrator revoked this appliance: nothing is sent or fetched any more",
        Failure::Cloned => "another copy of this appliance was at work: this one goes on under a new number",
        Failure::Restored => "the hub was restored from a backup: what it lost is sent to it again",
        Failure::Refused(_) => "the hub cannot take a request of this program: one of the two may need an update",
        Failure::Local => "the appliance could not read or write its own files: check the disk's free space",
    };
    problem(code_of(failure), text, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_smooth_falls_in_silence_and_is_unknown_while_nothing_moves() {
        let some = Traffic { files: 1, bytes: 10_000_000, done: 0 };
        let mut meter = Meter::default();
        assert_eq!(meter.note(0, 0, Traffic::default()), None);
        assert_eq!(meter.note(100, 50_000, some), None, "too short a look");
        assert_eq!(meter.note(1_000, 100_000, some), Some(100_000));
        let faster = meter.note(3_000, 500_000, some).unwrap();
        assert!((100_000..200_000).contains(&faster), "{faster}: a burst of 200,000 a second counts in part");
        assert_eq!(meter.note(10_000, 500_000, some), Some(faster), "between two parts it stands");
        let silent = meter.note(24_000, 500_000, some).unwrap();
        assert!(silent < faster / 2, "{silent}");
        assert_eq!(meter.note(25_000, 500_000, Traffic::default()), None);
    }

    #[tokio::test]
    async fn a_panicked_request_is_a_failed_one_and_sync_goes_on() {
        let mut tasks: JoinSet<(Request, Option<Received>)> = JoinSet::new();
        let task = tasks.spawn(async { panic!("a fault of the program") });
        let mut asked = HashMap::from([(task.id(), Request::Push)]);
        let input = ended(&mut asked, tasks.join_next_with_id().await.unwrap());
        let Input::Event(event) = input else { panic!("{input:?}") };
        let failure = Failure::Local;
        assert_eq!(event, Event::Failed { request: Request::Push, failure, retry_after_ms: None });
        assert!(asked.is_empty());
    }
}
