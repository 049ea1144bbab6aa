//! The writing transaction (protocol, "The hub's writing transaction"), once for every store: look up, examine, plan over
//! facts, write rows, keep the verdict, all or nothing. What a store can do inside a transaction of its own is [`Tx`].
//!
//! Each command opens its own versions, so that a version never holds more than one command wrote.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parkdesk_domain::body::{Entity, Photo, VerdictRow};
use parkdesk_domain::command::{Command, PhotoBytesStored};
use parkdesk_domain::facts::{self, Answer, AsyncSource, PlanError, Question};
use parkdesk_domain::plan;
use parkdesk_domain::rights::{Granted, Rights};
use parkdesk_domain::row::{RowRef, Write};
use parkdesk_domain::wire::{Judged, Limits, Verdict};
use parkdesk_domain::{Actor, BlobId, CommandId, DeviceId, Envelope, Kind, Millis, RowId, Scope};

use super::{Batch, Error, Judgement, Result, StoredBlob, Verdicts};
use crate::judging::{self, Earlier, Judgement as Ruling, Looked, Pushed, Step};

/// A poison command (a bug in its plan) is asked for again after this time; the queue behind it goes on.
const POISON_RETRY_MS: i64 = 600_000;

/// Who pushes: `None` is the hub itself.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    /// The device and its epoch.
    pub(super) device: Option<(&'a DeviceId, u64)>,
}

impl Sender<'_> {
    pub(super) const HUB: Sender<'static> = Sender { device: None };

    pub(super) fn id(&self) -> Option<&DeviceId> {
        self.device.map(|(id, _)| id)
    }
}

/// What the judging of commands asks of a store's own transaction. Every method sees what those before it wrote.
pub(super) trait Tx {
    /// What can break, or end the attempt.
    type Error: From<Error>;

    /// The commands that hold the batch's places in the sequence.
    async fn held_seqs(&mut self, batch: &Batch) -> Result<BTreeMap<u64, String>, Self::Error>;

    /// The device has its verdicts up to the floor safe: their rows leave its scope.
    async fn raise_floor(&mut self, batch: &Batch) -> Result<(), Self::Error>;

    /// No other transaction may hold these guards of the park (without one: of the whole) until this one ends.
    async fn guard(&mut self, park: Option<&RowId>, names: &BTreeSet<String>) -> Result<(), Self::Error>;

    /// The command judged before under this id.
    async fn earlier(&mut self, id: &CommandId) -> Result<Option<Earlier>, Self::Error>;

    /// Whether this place of the device's epoch was judged.
    async fn is_seen(&mut self, device: &DeviceId, epoch: u64, seq: u64) -> Result<bool, Self::Error>;

    /// Answers questions about rows and keys, in their order.
    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Self::Error>;

    /// What the holder may do; nothing for a revoked device.
    async fn granted(&mut self, holder: &Actor) -> Result<Vec<Granted>, Self::Error>;

    /// Opens the next version of a scope.
    async fn open_version(&mut self, scope: &Scope) -> Result<u64, Self::Error>;

    /// Writes one row at `version` of its scope, and its narrow tables.
    async fn apply(&mut self, write: &Write, version: u64) -> Result<(), Self::Error>;

    /// Keeps the verdict by the command's id and, for a device, as a row of its scope ([`verdict_row`]).
    async fn keep_verdict(
        &mut self,
        sender: Sender<'_>,
        pushed: &Pushed,
        verdict: &Verdict,
        now: Millis,
    ) -> Result<(), Self::Error>;

    /// Keeps that the place in the sequence is used.
    async fn keep_seq(&mut self, sender: Sender<'_>, pushed: &Pushed) -> Result<(), Self::Error>;

    /// Whether the blob's bytes are here.
    async fn is_stored(&mut self, home: &str, blob: &BlobId) -> Result<bool, Self::Error>;

    /// Forgets bytes that no row of the home refers to any more but such as let them go; their object is swept by its
    /// age.
    async fn let_go(&mut self, home: &str, blob: &BlobId) -> Result<(), Self::Error>;

    /// Keeps that the bytes are here, if a row of the home waits for them and they were not.
    async fn add_blob(
        &mut self,
        home: &str,
        blob: &BlobId,
        stored: &StoredBlob,
        now: Millis,
    ) -> Result<bool, Self::Error>;

    /// The photos of the home that wait for the blob, as id and body, by id.
    async fn waiting_photos(&mut self, home: &str, blob: &BlobId) -> Result<Vec<(RowId, String)>, Self::Error>;
}

/// Facts from inside the writing transaction.
pub(super) struct Facts<'a, 'b, T> {
    pub(super) tx: &'a mut T,
    pub(super) sender: Sender<'b>,
}

impl<T: Tx> AsyncSource for Facts<'_, '_, T> {
    type Error = T::Error;

    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, T::Error> {
        let is_right = |question: &&Question| matches!(question, Question::Rights(_));
        let others: Vec<Question> = questions.iter().filter(|q| !is_right(q)).cloned().collect();
        let mut loaded = self.tx.load(&others).await?.into_iter();
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(match question {
                Question::Rights(actor) => Answer::Rights(self.rights(actor).await?),
                Question::Row(_) | Question::Key { .. } => loaded.next().unwrap_or(Answer::Unknown),
            });
        }
        Ok(answers)
    }
}

impl<T: Tx> Facts<'_, '_, T> {
    async fn rights(&mut self, actor: &Actor) -> Result<Rights, T::Error> {
        let Some(device) = self.sender.id() else {
            return Ok(if actor.is_hub() { Rights::of_hub() } else { Rights::default() });
        };
        let of_device = self.tx.granted(&Actor::Device(device.clone())).await?;
        Ok(match actor {
            Actor::Device(_) => Rights::of_device(of_device),
            Actor::User(_) => Rights::of_person(self.tx.granted(actor).await?, of_device),
            Actor::Hub | Actor::Job(_) => Rights::default(),
        })
    }
}

/// A push; an error means that nothing of it happened.
pub(super) async fn push<T: Tx>(tx: &mut T, batch: &Batch, now: Millis) -> Result<Judgement, T::Error> {
    let sender = Sender { device: Some((&batch.device, batch.epoch)) };
    if let Some(seq) = judging::find_clone(&batch.commands, &tx.held_seqs(batch).await?) {
        return Ok(Judgement::Cloned { seq });
    }
    tx.raise_floor(batch).await?;
    let mut done = Verdicts::default();
    for pushed in &batch.commands {
        let verdict = judge(tx, sender, pushed, now, &mut done.touched).await?;
        done.verdicts.push(Judged { seq: pushed.head.seq, id: pushed.head.id.clone(), verdict });
    }
    Ok(Judgement::Done(done))
}

/// Judges a command of the hub itself.
pub(super) async fn issue<T: Tx>(
    tx: &mut T,
    envelope: Envelope,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Verdict, T::Error> {
    judge(tx, Sender::HUB, &of_hub(envelope)?, now, touched).await
}

fn of_hub(envelope: Envelope) -> Result<Pushed> {
    Pushed::of_hub(envelope).map_err(|e| Error::Poison(e.to_string()))
}

/// The bytes are here: keeps that and tells every photo of the home that waits for them; not if none does any more.
pub(super) async fn blob_stored<T: Tx>(
    tx: &mut T,
    (home, blob): (&str, &BlobId),
    stored: &StoredBlob,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<bool, T::Error> {
    if !tx.add_blob(home, blob, stored, now).await? {
        return Ok(false);
    }
    for (photo, body) in tx.waiting_photos(home, blob).await? {
        let decoded: Photo = serde_json::from_str(&body).map_err(|e| Error::Poison(e.to_string()))?;
        issue(tx, bytes_stored(&photo, &decoded.park_id, blob, now)?, now, touched).await?;
    }
    Ok(true)
}

/// Judges one command, and what the hub itself has to say after it.
async fn judge<T: Tx>(
    tx: &mut T,
    sender: Sender<'_>,
    pushed: &Pushed,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Verdict, T::Error> {
    let (verdict, follow_ups) = judge_alone(tx, sender, pushed, now, touched).await?;
    let mut follow_ups = VecDeque::from(follow_ups);
    while let Some(envelope) = follow_ups.pop_front() {
        let (_, more) = judge_alone(tx, Sender::HUB, &of_hub(envelope)?, now, touched).await?;
        follow_ups.extend(more);
    }
    Ok(verdict)
}

async fn judge_alone<T: Tx>(
    tx: &mut T,
    sender: Sender<'_>,
    pushed: &Pushed,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<(Verdict, Vec<Envelope>), T::Error> {
    let looked = look_up(tx, sender, pushed).await?;
    let judgement = match (judging::examine(pushed, sender.id(), looked), &pushed.envelope) {
        (Step::Answer(verdict), _) => return Ok((verdict, Vec::new())),
        (Step::IdReused(verdict), _) => {
            tx.keep_seq(sender, pushed).await?;
            return Ok((verdict, Vec::new()));
        }
        (Step::Refuse(refusal), _) => Ruling::Refuse(refusal),
        (Step::Plan, Some(envelope)) => decide(tx, sender, envelope, now).await?,
        (Step::Plan, None) => return Err(Error::Poison("BUG: a plan without a command".into()).into()),
    };
    let (verdict, follow_ups) = match judgement {
        Ruling::Refuse(refusal) => (Verdict::Rejected { refusal: Box::new(refusal) }, Vec::new()),
        Ruling::Apply { writes, conflicts } => {
            let (scopes, follow_ups) = write(tx, &writes, now).await?;
            touched.extend(scopes.keys().cloned());
            (Verdict::Applied { scopes, conflicts }, follow_ups)
        }
    };
    // A refusal of the hub's own command is not kept: nobody waits for it, and the same wish may come again when its
    // reason is gone.
    if sender.device.is_some() || !matches!(verdict, Verdict::Rejected { .. }) {
        tx.keep_verdict(sender, pushed, &verdict, now).await?;
        touched.extend(sender.id().map(|device| Scope::Device(device.clone())));
    }
    Ok((verdict, follow_ups))
}

async fn decide<T: Tx>(tx: &mut T, sender: Sender<'_>, envelope: &Envelope, now: Millis) -> Result<Ruling, T::Error> {
    let park = envelope.command.park();
    tx.guard(park, &plan::guards(&envelope.command)).await?;
    let run = facts::run_async(envelope, now, &mut Facts { tx: &mut *tx, sender }).await;
    let planned = run.map_err(|e| match e {
        PlanError::Source(error) => error,
        PlanError::Rounds { kind } => Error::Poison(format!("BUG: {kind} asks without end")).into(),
    })?;
    tx.guard(park, &planned.guards).await?;
    // Every fact is the hub's own: one that cannot be read would let through what the rules forbid.
    if let Some(question) = planned.unknown.first() {
        return Err(Error::Poison(format!("a fact cannot be read: {question:?}")).into());
    }
    Ok(judging::within_limits(planned.outcome, &Limits::default()))
}

/// Writes the rows; answers the versions, and what photos are to be told: files that are here already.
async fn write<T: Tx>(
    tx: &mut T,
    writes: &BTreeMap<Scope, Vec<Write>>,
    now: Millis,
) -> Result<(BTreeMap<Scope, u64>, Vec<Envelope>), T::Error> {
    let mut scopes = BTreeMap::new();
    let mut follow_ups = Vec::new();
    for (scope, list) in writes {
        let version = tx.open_version(scope).await?;
        for write in list {
            tx.apply(write, version).await?;
            follow_ups.extend(stored_already(tx, write, now).await?);
        }
        scopes.insert(scope.clone(), version);
    }
    for write in writes.values().flatten() {
        let_go_withdrawn(tx, write).await?;
    }
    Ok((scopes, follow_ups))
}

async fn look_up<T: Tx>(tx: &mut T, sender: Sender<'_>, pushed: &Pushed) -> Result<Looked, T::Error> {
    let mut looked = Looked { earlier: tx.earlier(&pushed.head.id).await?, unseen: Vec::new() };
    if let (Some((device, epoch)), Some(envelope)) = (sender.device, &pushed.envelope) {
        for seq in &envelope.after {
            if !tx.is_seen(device, epoch, *seq).await? {
                looked.unseen.push(*seq);
            }
        }
    }
    Ok(looked)
}

/// The row that tells a device of a verdict.
pub(super) fn verdict_row(
    (device, device_epoch): (&DeviceId, u64),
    (seq, command): (u64, &CommandId),
    verdict: &Verdict,
) -> Result<Write> {
    let body =
        VerdictRow { seq, command: command.clone(), device_epoch, device: device.clone(), verdict: verdict.clone() };
    let row = RowRef { scope: Scope::Device(device.clone()), kind: VerdictRow::KIND, id: command.as_row_id() };
    Write::put(row, &body).map_err(|e| Error::Poison(e.to_string()))
}

/// The photo in a write.
fn photo_in(write: &Write) -> Option<(&RowRef, Photo)> {
    match write {
        Write::Put { row, body } if row.kind == Kind::Photo => Some((row, serde_json::from_str(body).ok()?)),
        Write::Put { .. } | Write::Delete { .. } => None,
    }
}

/// A photo taken back lets go of the bytes that are here, unless another row of its home refers to them.
async fn let_go_withdrawn<T: Tx>(tx: &mut T, write: &Write) -> Result<(), T::Error> {
    let Some((row, photo)) = photo_in(write).filter(|(_, photo)| photo.is_withdrawn()) else { return Ok(()) };
    for (_, file) in photo.files() {
        tx.let_go(&row.scope.home(), &file.id).await?;
    }
    Ok(())
}

/// The files of a photo just written that are here already: their arrival will not be told by an upload.
async fn stored_already<T: Tx>(tx: &mut T, write: &Write, now: Millis) -> Result<Vec<Envelope>, T::Error> {
    let Some((row, photo)) = photo_in(write).filter(|(_, photo)| !photo.is_withdrawn()) else {
        return Ok(Vec::new());
    };
    let mut list = Vec::new();
    for (_, file) in photo.files().filter(|(_, file)| !file.stored) {
        if tx.is_stored(&row.scope.home(), &file.id).await? {
            list.push(bytes_stored(&row.id, &photo.park_id, &file.id, now)?);
        }
    }
    Ok(list)
}

/// Tells a photo that a file of it is here, once: the command's id is derived from both.
pub(super) fn bytes_stored(photo: &RowId, park: &RowId, blob: &BlobId, now: Millis) -> Result<Envelope> {
    let id = CommandId::of_job(blob.as_str(), &format!("{park}/{photo}"));
    let job: RowId = "blobs".parse().map_err(|_| Error::Poison("BUG: a job's name is an id".into()))?;
    let args = PhotoBytesStored { photo: photo.clone(), park: park.clone(), blob: blob.clone() };
    Ok(Envelope::of_hub(id, Actor::Job(job), now, Command::PhotoBytesStored(args)))
}

/// A batch that failed as a whole, judged one command at a time, so that a bad one does not hold up the others.
pub(super) struct OneByOne {
    now: Millis,
    all: Verdicts,
}

impl OneByOne {
    /// Takes the batch apart.
    pub(super) fn new(batch: Batch, now: Millis, cause: &Error) -> (Self, Vec<Batch>) {
        tracing::warn!(device.id = %batch.device, %cause, "push failed as a whole, judging one by one");
        let Batch { device, epoch, floor, commands } = batch;
        let one = |pushed| Batch { device: device.clone(), epoch, floor, commands: vec![pushed] };
        (Self { now, all: Verdicts::default() }, commands.into_iter().map(one).collect())
    }

    /// Takes what became of one; answers what ends the whole before its time.
    pub(super) fn take(&mut self, one: &Batch, outcome: Result<Judgement>) -> Option<Result<Judgement>> {
        match outcome {
            Ok(Judgement::Done(done)) => {
                self.all.verdicts.extend(done.verdicts);
                self.all.touched.extend(done.touched);
            }
            // No room and no disk are the same for all of them.
            ended @ (Ok(Judgement::Cloned { .. }) | Err(Error::Full | Error::Failed(_))) => return Some(ended),
            Err(error @ Error::Poison(_)) => {
                for pushed in &one.commands {
                    let (seq, id) = (pushed.head.seq, pushed.head.id.clone());
                    tracing::error!(command.id = %id, %error, "a command cannot be judged");
                    let until_ms = Some(self.now.plus(POISON_RETRY_MS));
                    let verdict = Verdict::Deferred { until_ms, missing: Vec::new() };
                    self.all.verdicts.push(Judged { seq, id, verdict });
                }
            }
        }
        None
    }

    /// What became of all.
    pub(super) fn done(self) -> Judgement {
        Judgement::Done(self.all)
    }
}
