//! The engine over a replica: reads the work, makes the bytes of requests, writes answers back. Blocking, no IO of its
//! own, no time or chance of its own; the driver and the simulator both run it.
//!
//! Invariant: an answer is written to the replica before the engine hears of it, so that what the engine believes is never
//! ahead of the disk (guarded by `a_lost_push_answer_takes_effect_once`).

mod orders;
mod tally;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parkdesk_domain::wire::frame::{Frame, FrameError, Reader};
use parkdesk_domain::wire::{BlobCheckAnswer, BlobState, Cursor, Judged, Limits, PushAnswer};
use parkdesk_domain::{BlobId, DeviceId, Millis};

pub use self::orders::{Method, Order};
pub use self::tally::Tally;
use crate::codec::{self, Expect, Received, Unanswered};
use crate::engine::{Action, Engine, Event, Failure, FileWork, LinkView, Now, Policy, Request, Rules, Trouble, Work};

/// Largest answer to a pull, decompressed.
const MOST_FRAMES: usize = 64 << 20;
/// Largest other answer.
const MOST_JSON: usize = 8 << 20;
/// Bytes asked for in one range.
pub(crate) const RANGE: u64 = 4 << 20;
/// Files looked at in one step.
const FILES: u32 = 64;

/// The replica did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("the replica failed: {0}")]
pub struct LocalError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// A command as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Place in the sequence.
    pub seq: u64,
    /// Canonical bytes.
    pub bytes: Vec<u8>,
}

/// Who pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The appliance.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u64,
    /// Verdicts up to here are safe with it.
    pub floor: u64,
}

/// What the session needs of the replica.
pub trait Local: Send + 'static {
    /// Who this is; `None` before enrolment.
    fn sender(&self) -> Result<Option<Sender>, LocalError>;
    /// Whether the hub revoked it.
    fn is_revoked(&self) -> Result<bool, LocalError>;
    /// Commands to send at this time of the hub, people's work first.
    fn outbox(&self, most: u32, bytes: u64, hub_now: Millis) -> Result<Vec<Outgoing>, LocalError>;
    /// These commands are on their way.
    fn mark_sent(&self, seqs: &[u64], now: Millis) -> Result<(), LocalError>;
    /// Files to send now: only those whose command was judged, smallest class first.
    fn uploads(&self, most: u32) -> Result<Vec<FileWork>, LocalError>;
    /// Files to fetch now.
    fn downloads(&self, most: u32) -> Result<Vec<FileWork>, LocalError>;
    /// How far each scope is, the device scope first.
    fn cursors(&self) -> Result<Vec<Cursor>, LocalError>;
    /// Writes verdicts.
    fn apply_verdicts(&self, verdicts: &[Judged], now: Millis) -> Result<(), LocalError>;
    /// Writes a frame with its cursor, in one transaction.
    fn apply_frame(&self, frame: &Frame, now: Millis) -> Result<(), LocalError>;
    /// The plain bytes of a file.
    fn read_file(&self, id: &BlobId) -> Result<Vec<u8>, LocalError>;
    /// Seals and keeps a file that was fetched; its hash is right.
    fn keep_file(&self, id: &BlobId, plain: &[u8], now: Millis) -> Result<(), LocalError>;
    /// The hub has this file.
    fn set_stored(&self, id: &BlobId) -> Result<(), LocalError>;
    /// Sets a file aside for a person.
    fn park_file(&self, id: &BlobId, reason: &'static str, now: Millis) -> Result<(), LocalError>;
    /// Opens a new device epoch.
    fn open_epoch(&self, now: Millis) -> Result<(), LocalError>;
    /// What a person wants of the link.
    fn rules(&self) -> Result<Rules, LocalError>;
    /// Keeps what the link did since the last time, and when the hub was last heard of.
    fn keep_tally(&self, tally: Tally, last_contact: Option<Millis>, now: Millis) -> Result<(), LocalError>;
}

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
                self.partial.remove(&id);
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

    /// Turns an answer into an event; the replica is written first.
    fn answered(&mut self, now: Now, request: Request, received: Option<Received>, turn: &mut Turn) -> Event {
        let came = received.as_ref().map_or(0, |received| received.body.len() as u64);
        self.moved_down = self.moved_down.saturating_add(came);
        self.tally.bytes_down = self.tally.bytes_down.saturating_add(came);
        let result = match received {
            Some(received) => self.read_answer(now, &request, &received, turn),
            None => Err(Failure::Offline.into()),
        };
        result.unwrap_or_else(|Unanswered { failure, retry_after_ms }| Event::Failed {
            request: self.with_have(request),
            failure,
            retry_after_ms,
        })
    }

    /// A failed range keeps what came before it.
    fn with_have(&self, request: Request) -> Request {
        match request {
            Request::Fetch { id, .. } => {
                let have = self.partial.get(&id).map_or(0, |bytes| bytes.len() as u64);
                Request::Fetch { id, have }
            }
            Request::Limits
            | Request::Push
            | Request::Pull
            | Request::Check
            | Request::Part { .. }
            | Request::Complete { .. } => request,
        }
    }

    fn read_answer(
        &mut self,
        now: Now,
        request: &Request,
        received: &Received,
        turn: &mut Turn,
    ) -> Result<Event, Unanswered> {
        let mut local = |result: Result<(), LocalError>| {
            result.map_err(|error| {
                turn.errors.push(error);
                Unanswered::from(Failure::Local)
            })
        };
        match request {
            Request::Limits => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                Ok(Event::Limits(codec::read::<Limits>(&plain)?))
            }
            Request::Push => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                let answer: PushAnswer = codec::read(&plain)?;
                self.measure(now, answer.now_ms, received.took_ms);
                let asked: Vec<Judged> =
                    answer.verdicts.into_iter().filter(|judged| self.sent.contains(&judged.seq)).collect();
                local(self.local.apply_verdicts(&asked, now.wall))?;
                self.tally.sent += asked.iter().filter(|judged| judged.verdict.is_final()).count() as u64;
                let sent = self.sent.iter().filter_map(|seq| self.outgoing.get(seq));
                self.went_up(sent.map(|bytes| bytes.len() as u64).sum());
                let after = self.outbox(now).unwrap_or_default();
                let is_forward = !after.iter().map(|command| command.seq).eq(self.work.outbox.iter().copied());
                Ok(Event::Pushed { is_forward })
            }
            Request::Pull => self.read_frames(now, received, turn),
            Request::Check => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                let answer: BlobCheckAnswer = codec::read(&plain)?;
                let ids = self.checked.iter().map(|file| file.id.clone());
                let states: Vec<(BlobId, BlobState)> = ids.zip(answer.blobs).collect();
                for (id, state) in &states {
                    if let BlobState::Partial { parts } = state {
                        let done = parts.len() as u64 * self.engine.limits().part_bytes;
                        self.parts_done.insert(id.clone(), done);
                    }
                }
                for (id, _) in states.iter().filter(|(_, state)| *state == BlobState::Present) {
                    local(self.local.set_stored(id))?;
                }
                Ok(Event::Checked(states))
            }
            Request::Part { id, part } => {
                codec::unpack(received, Expect::Nothing, 0)?;
                let part_bytes = self.engine.limits().part_bytes;
                let size = self.work.uploads.iter().find(|f| f.id == *id).map_or(part_bytes, |f| f.size_bytes);
                let done = self.parts_done.entry(id.clone()).or_default();
                let before = *done;
                *done = before.saturating_add(part_bytes).min(size);
                let went = *done - before.min(*done);
                self.went_up(went);
                if self.is_whole(id) {
                    local(self.local.set_stored(id))?;
                    return Ok(Event::Completed { id: id.clone() });
                }
                Ok(Event::PartSent { id: id.clone(), part: *part })
            }
            Request::Complete { id } => {
                codec::unpack(received, Expect::Nothing, 0)?;
                local(self.local.set_stored(id))?;
                Ok(Event::Completed { id: id.clone() })
            }
            Request::Fetch { id, have } => self.read_range(now, (id, *have), received, turn),
        }
    }

    /// Whether the file travels in one piece, without a separate end.
    fn is_whole(&self, id: &BlobId) -> bool {
        let part_bytes = self.engine.limits().part_bytes;
        self.work.uploads.iter().any(|f| f.id == *id && f.size_bytes <= part_bytes)
    }

    fn measure(&mut self, now: Now, hub: Millis, took_ms: u64) {
        let half = i64::try_from(took_ms / 2).unwrap_or_default();
        self.offset_ms = Some(hub.0.saturating_add(half).saturating_sub(now.wall.0));
    }

    /// Each frame is one transaction; those before a bad one stand.
    fn read_frames(&mut self, now: Now, received: &Received, turn: &mut Turn) -> Result<Event, Unanswered> {
        let plain = codec::unpack(received, Expect::Frames, MOST_FRAMES)?;
        let mut failed = |error| {
            turn.errors.push(error);
            Unanswered::from(Failure::Local)
        };
        let before = self.local.cursors().map_err(&mut failed)?;
        for frame in Reader::new(&plain) {
            let frame = frame.map_err(|error| match error {
                FrameError::Cut { .. } => Unanswered::from(Failure::Offline),
                // The bytes came whole and are wrong all the same.
                FrameError::Line { .. } | FrameError::Count { .. } | FrameError::Hash | FrameError::Row { .. } | _ => {
                    Unanswered::from(Failure::HubError)
                }
            })?;
            self.local.apply_frame(&frame, now.wall).map_err(&mut failed)?;
            self.tally.received = self.tally.received.saturating_add(frame.rows.len() as u64);
        }
        let after = self.local.cursors().map_err(&mut failed)?;
        Ok(Event::Pulled { is_forward: before != after })
    }

    fn read_range(
        &mut self,
        now: Now,
        (id, from): (&BlobId, u64),
        received: &Received,
        turn: &mut Turn,
    ) -> Result<Event, Unanswered> {
        let bytes = codec::unpack(received, Expect::Bytes, usize::try_from(RANGE).unwrap_or(usize::MAX))?;
        let size = self.work.downloads.iter().find(|f| f.id == *id).map_or(0, |f| f.size_bytes);
        let buffer = self.partial.entry(id.clone()).or_default();
        let begins_right = match &received.content_range {
            Some(range) => range.trim().starts_with(&format!("bytes {from}-")),
            None => from == 0 && received.status == 200,
        };
        if !begins_right || buffer.len() as u64 != from || from + bytes.len() as u64 > size {
            self.partial.remove(id);
            return Ok(Event::Spoiled { id: id.clone() });
        }
        buffer.extend_from_slice(&bytes);
        let have = buffer.len() as u64;
        if received.is_cut && have < size {
            return Err(Failure::Offline.into());
        }
        if have < size {
            return Ok(Event::Fetched { id: id.clone(), have });
        }
        let whole = self.partial.remove(id).unwrap_or_default();
        if BlobId::of(&whole) != *id {
            return Ok(Event::Spoiled { id: id.clone() });
        }
        match self.local.keep_file(id, &whole, now.wall) {
            Ok(()) => Ok(Event::Fetched { id: id.clone(), have }),
            Err(error) => {
                turn.errors.push(error);
                Err(Failure::Local.into())
            }
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
        Failure::Refused(_) => "hub_refused",
        Failure::Local => "local_failed",
    }
}
