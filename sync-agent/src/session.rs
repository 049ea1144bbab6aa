//! The engine over a replica: reads the work, makes the bytes of requests, writes answers back. Blocking, no IO of its
//! own, no time or chance of its own; the driver and the simulator both run it.
//!
//! Invariant: an answer is written to the replica before the engine hears of it, so that what the engine believes is never
//! ahead of the disk (guarded by `a_lost_push_answer_takes_effect_once`).

mod answers;
mod local;
mod orders;
mod tally;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parkdesk_domain::{BlobId, Millis};

pub use self::local::{Local, LocalError, Outgoing, Sender};
pub use self::orders::{CONNECT_MS, IDLE_MS, Method, Order};
pub use self::tally::Tally;
use crate::codec::Received;
use crate::engine::{Action, Engine, Event, Failure, FileWork, LinkView, Now, Policy, Request, Trouble, Work};

/// Bytes asked for in one range: at most so many are lost when the program is killed.
pub(crate) const RANGE: u64 = 1 << 20;
/// Files looked at in one step.
const FILES: u32 = 64;

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// Something happened on this side.
    Event(Event),
    /// An answer came.
    Answer {
        /// To this.
        request: Request,
        /// What came, `None` = nothing at all.
        received: Option<Received>,
    },
}

/// What is to be done after a step.
#[derive(Debug, Default)]
pub struct Turn {
    /// Requests to send, all at once.
    pub orders: Vec<Order>,
    /// Come again at this monotonic time at the latest.
    pub wake_at_ms: u64,
    /// News for people.
    pub troubles: Vec<Trouble>,
    /// What the replica could not do.
    pub errors: Vec<LocalError>,
}

/// Files under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Files not finished yet, of those looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of them that are done.
    pub done: u64,
}

/// The session for people.
#[derive(Debug, Clone)]
pub struct View {
    /// The link.
    pub link: LinkView,
    /// Hub's clock minus ours.
    pub offset_ms: Option<i64>,
    /// Going up.
    pub up: Traffic,
    /// Coming down.
    pub down: Traffic,
    /// Bytes that went out and were answered, since the start.
    pub moved_up: u64,
    /// Bytes that came, since the start.
    pub moved_down: u64,
    /// Files that were begun, with the bytes that have arrived.
    pub begun: Vec<(BlobId, u64)>,
}

/// Engine and replica together.
pub struct Session<L> {
    engine: Engine,
    local: L,
    work: Work,
    outgoing: BTreeMap<u64, Vec<u8>>,
    sent: BTreeSet<u64>,
    checked: Vec<FileWork>,
    partial: BTreeMap<BlobId, Vec<u8>>,
    /// The file whose parts are being sent: read once, not once per part.
    held: Option<(BlobId, Vec<u8>)>,
    parts_done: BTreeMap<BlobId, u64>,
    offset_ms: Option<i64>,
    tally: Tally,
    /// The time of the last tally that was kept.
    tallied_ms: Option<u64>,
    /// The last word from the hub that was kept, and when.
    kept_contact: Option<(Millis, u64)>,
    moved_up: u64,
    moved_down: u64,
}

impl<L: Local> Session<L> {
    /// A session that has asked nothing yet.
    pub fn new(local: L, policy: Policy) -> Self {
        Self {
            engine: Engine::new(policy),
            local,
            work: Work::default(),
            outgoing: BTreeMap::new(),
            sent: BTreeSet::new(),
            checked: Vec::new(),
            partial: BTreeMap::new(),
            held: None,
            parts_done: BTreeMap::new(),
            offset_ms: None,
            tally: Tally::default(),
            tallied_ms: None,
            kept_contact: None,
            moved_up: 0,
            moved_down: 0,
        }
    }

    /// Where everything stands.
    #[must_use]
    pub fn view(&self) -> View {
        let sum = |files: &[FileWork]| Traffic {
            files: files.len() as u64,
            bytes: files.iter().map(|f| f.size_bytes).sum(),
            done: 0,
        };
        let of = |files: &[FileWork], id: &BlobId| files.iter().any(|f| f.id == *id);
        let mut up = sum(&self.work.uploads);
        up.done = self.parts_done.iter().filter(|(id, _)| of(&self.work.uploads, id)).map(|(_, n)| n).sum();
        let mut down = sum(&self.work.downloads);
        down.done = self.partial.values().map(|bytes| bytes.len() as u64).sum();
        let (ups, downs) = (self.parts_done.iter(), self.partial.iter());
        let begun = ups.map(|(id, done)| (id.clone(), *done));
        let begun = begun.chain(downs.map(|(id, bytes)| (id.clone(), bytes.len() as u64))).collect();
        let (moved_up, moved_down) = (self.moved_up, self.moved_down);
        View { link: self.engine.view(), offset_ms: self.offset_ms, up, down, moved_up, moved_down, begun }
    }

    /// Takes in one thing and says what to do next.
    pub fn step(&mut self, now: Now, mut dice: u64, input: Input) -> Turn {
        let mut turn = Turn::default();
        let first = match input {
            Input::Event(event) => event,
            Input::Answer { request, received } => self.answered(now, request, received, &mut turn),
        };
        let mut events = VecDeque::from([first]);
        while let Some(event) = events.pop_front() {
            // What cannot be read now is as it was: the engine must hear of the event in any case.
            if let Err(error) = self.look(now) {
                turn.errors.push(error);
            }
            for action in self.engine.step(now, dice, event, &self.work) {
                self.act(now, action, &mut turn, &mut events);
            }
            // One die for the step; each further event of it gets another face.
            dice = dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f).rotate_left(23);
        }
        let failed = turn.troubles.iter().filter(|trouble| matches!(trouble, Trouble::Failed(_))).count();
        self.tally.problems = self.tally.problems.saturating_add(failed as u64);
        if self.is_tally_due(now)
            && let Err(error) = self.close(now)
        {
            turn.errors.push(error);
        }
        turn
    }

    /// Commands that may go out now. What the hub put off waits by the hub's clock.
    fn outbox(&self, now: Now) -> Result<Vec<Outgoing>, LocalError> {
        let limits = self.engine.limits();
        // The envelope of the push takes some of the room.
        let bytes = limits.push_bytes.saturating_sub(8 << 10);
        self.local.outbox(limits.push_commands, bytes, now.wall.plus(self.offset_ms.unwrap_or(0)))
    }

    fn look(&mut self, now: Now) -> Result<(), LocalError> {
        let revoked = self.local.is_revoked()?;
        let enrolled = self.local.sender()?.is_some();
        let outgoing = self.outbox(now)?;
        self.work = Work {
            enrolled,
            revoked,
            outbox: outgoing.iter().map(|command| command.seq).collect(),
            uploads: self.local.uploads(FILES)?,
            downloads: self.local.downloads(FILES)?,
            rules: self.local.rules()?,
        };
        self.outgoing = outgoing.into_iter().map(|command| (command.seq, command.bytes)).collect();
        let wanted: BTreeSet<&BlobId> = self.work.downloads.iter().map(|f| &f.id).collect();
        self.partial.retain(|id, _| wanted.contains(id));
        let waiting: BTreeSet<&BlobId> = self.work.uploads.iter().map(|f| &f.id).collect();
        self.parts_done.retain(|id, _| waiting.contains(id));
        Ok(())
    }

    fn act(&mut self, now: Now, action: Action, turn: &mut Turn, events: &mut VecDeque<Event>) {
        match action {
            Action::SleepUntil(at) => turn.wake_at_ms = at,
            Action::Report(trouble) => turn.troubles.push(trouble),
            Action::NewEpoch => turn.errors.extend(self.local.open_epoch(now.wall).err()),
            Action::ParkFile { id, reason } => {
                self.spoil(&id, turn);
                turn.errors.extend(self.local.park_file(&id, code_of(reason), now.wall).err());
            }
            Action::AskLimits
            | Action::Push { .. }
            | Action::Pull { .. }
            | Action::CheckFiles { .. }
            | Action::SendPart { .. }
            | Action::Complete { .. }
            | Action::Fetch { .. } => match self.order(now, action) {
                Ok(order) => turn.orders.push(order),
                Err((request, error)) => {
                    turn.errors.push(error);
                    events.push_back(Event::Failed { request, failure: Failure::Local, retry_after_ms: None });
                }
            },
        }
    }
}

/// The stable code of a failure; texts for people are keyed by it.
#[must_use]
pub fn code_of(failure: Failure) -> &'static str {
    match failure {
        Failure::Offline => "hub_unreachable",
        Failure::NotHub => "not_a_hub",
        Failure::Busy => "hub_busy",
        Failure::HubError => "hub_failed",
        Failure::Unauthorized => "unauthorized",
        Failure::Revoked => "revoked",
        Failure::Cloned => "cloned",
        Failure::Restored => "hub_restored",
        Failure::Refused(_) => "hub_refused",
        Failure::Local => "local_failed",
    }
}
