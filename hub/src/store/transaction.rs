//! The writing transaction on SQLite (protocol, "The hub's writing transaction"): look up, examine, plan over facts,
//! write rows, bump heads, keep the verdict and its row in the device's scope, all or nothing.
//!
//! Guards and `WHERE version = <version read>` have nothing to do here: one writer, and facts are read inside the
//! writing transaction. Each command opens its own versions, so that a version never holds more than one command wrote.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::body::{Entity, Photo, VerdictRow};
use parkdesk_domain::command::{Command, PhotoBytesStored};
use parkdesk_domain::facts::{self, Answer, PlanError, Question, Source, Space};
use parkdesk_domain::rights::{Granted, Rights, Role};
use parkdesk_domain::row::{RowRef, Write};
use parkdesk_domain::wire::{Judged, Limits, Verdict};
use parkdesk_domain::{Actor, BlobId, CommandId, DeviceId, Envelope, Kind, Millis, RowId, Scope};
use rusqlite::{Connection, OptionalExtension, named_params};

use super::{blobs, rows, sql};
use crate::judging::{self, Earlier, Judgement as Judged1, Looked, Pushed, Step};
use crate::store::{Batch, Error, Judgement, Result, Verdicts};

/// Who pushes: `None` is the hub itself.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    device: Option<(&'a DeviceId, u64)>,
}

impl Sender<'_> {
    pub(super) const HUB: Sender<'static> = Sender { device: None };

    fn id(&self) -> Option<&DeviceId> {
        self.device.map(|(id, _)| id)
    }
}

/// Facts from inside the writing transaction.
struct Facts<'a> {
    tx: &'a Connection,
    sender: Sender<'a>,
}

impl Source for Facts<'_> {
    type Error = Error;

    fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>> {
        questions.iter().map(|question| self.answer(question)).collect()
    }
}

impl Facts<'_> {
    fn answer(&self, question: &Question) -> Result<Answer> {
        match question {
            Question::Row(row) => Ok(Answer::Row(rows::find_body(self.tx, &row.scope, &row.kind, &row.id)?)),
            Question::Key { scope, space: Space::PhotosOf, key } => {
                Ok(Answer::Ids(blobs::photos_of(self.tx, scope, key)?))
            }
            Question::Key { scope, space, key } => {
                let (home, scope_no) = rows::place(scope);
                let id: Option<String> = self
                    .tx
                    .prepare_cached(
                        "SELECT id FROM keys WHERE ns = :ns AND home = :home AND scope_no = :scope_no AND key = :key",
                    )
                    .map_err(sql)?
                    .query_row(
                        named_params! {":ns": space.as_str(), ":home": home, ":scope_no": scope_no, ":key": key},
                        |row| row.get("id"),
                    )
                    .optional()
                    .map_err(sql)?;
                Ok(Answer::Ids(id.map(rows::parse_id).transpose()?.into_iter().collect()))
            }
            Question::Rights(actor) => Ok(Answer::Rights(self.rights(actor)?)),
        }
    }

    fn rights(&self, actor: &Actor) -> Result<Rights> {
        let Some(device) = self.sender.id() else {
            return Ok(if actor.is_hub() { Rights::of_hub() } else { Rights::default() });
        };
        let of_device = granted(self.tx, &Actor::Device(device.clone()))?;
        Ok(match actor {
            Actor::Device(_) => Rights::of_device(of_device),
            Actor::User(_) => Rights::of_person(granted(self.tx, actor)?, of_device),
            Actor::Hub | Actor::Job(_) => Rights::default(),
        })
    }
}

/// What a holder may do; nothing for a revoked device.
pub(super) fn granted(tx: &Connection, holder: &Actor) -> Result<Vec<Granted>> {
    let mut stmt = tx
        .prepare_cached(
            "SELECT g.role, g.park FROM grants g
             WHERE g.holder = :holder
               AND NOT EXISTS (SELECT 1 FROM devices d WHERE 'device/' || d.id = g.holder AND d.revoked_at_ms IS NOT NULL)
             ORDER BY g.park, g.role",
        )
        .map_err(sql)?;
    let mut found = stmt.query(named_params! {":holder": holder.to_string()}).map_err(sql)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(sql)? {
        let role = Role::from(row.get::<_, String>("role").map_err(sql)?);
        list.push(Granted { role, park: rows::parse_id(row.get("park").map_err(sql)?)? });
    }
    Ok(list)
}

/// A push in one transaction; an error means that nothing of it happened.
pub(super) fn push(tx: &Connection, batch: &Batch, now: Millis) -> Result<Judgement> {
    let sender = Sender { device: Some((&batch.device, batch.epoch)) };
    if let Some(seq) = judging::find_clone(&batch.commands, &held_seqs(tx, batch)?) {
        return Ok(Judgement::Cloned { seq });
    }
    raise_floor(tx, batch)?;
    let mut done = Verdicts::default();
    for pushed in &batch.commands {
        let verdict = judge(tx, sender, pushed, now, &mut done.touched)?;
        done.verdicts.push(Judged { seq: pushed.head.seq, id: pushed.head.id.clone(), verdict });
    }
    Ok(Judgement::Done(done))
}

fn held_seqs(tx: &Connection, batch: &Batch) -> Result<BTreeMap<u64, String>> {
    let mut stmt = tx
        .prepare_cached("SELECT command FROM seqs WHERE device = :device AND epoch = :epoch AND seq = :seq")
        .map_err(sql)?;
    let mut held = BTreeMap::new();
    for seq in batch.commands.iter().map(|p| p.head.seq) {
        let params = named_params! {
            ":device": batch.device.as_str(), ":epoch": batch.epoch.cast_signed(), ":seq": seq.cast_signed()
        };
        if let Some(id) = stmt.query_row(params, |row| row.get("command")).optional().map_err(sql)? {
            held.insert(seq, id);
        }
    }
    Ok(held)
}

/// The device has its verdicts up to the floor safe: their rows leave its scope.
fn raise_floor(tx: &Connection, batch: &Batch) -> Result<()> {
    let params = named_params! {
        ":device": batch.device.as_str(),
        ":epoch": batch.epoch.cast_signed(),
        ":floor": batch.floor.cast_signed(),
    };
    // Below the old floor nothing is left: those places are not looked at again.
    let old: i64 = tx
        .prepare_cached("SELECT floor FROM device_heads WHERE device = :device AND epoch = :epoch")
        .map_err(sql)?
        .query_row(named_params! {":device": batch.device.as_str(), ":epoch": batch.epoch.cast_signed()}, |row| {
            row.get("floor")
        })
        .optional()
        .map_err(sql)?
        .unwrap_or(0);
    let raised = tx
        .prepare_cached(
            "INSERT INTO device_heads (device, epoch, floor) VALUES (:device, :epoch, :floor)
             ON CONFLICT (device, epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor",
        )
        .map_err(sql)?
        .execute(params)
        .map_err(sql)?;
    if raised == 0 {
        return Ok(());
    }
    let (home, scope_no) = rows::place(&Scope::Device(batch.device.clone()));
    tx.prepare_cached(
        "DELETE FROM sync_rows WHERE home = :home AND scope_no = :scope_no AND kind = 'verdict' AND id IN
             (SELECT command FROM seqs WHERE device = :device AND epoch = :epoch AND seq > :old AND seq <= :floor)",
    )
    .map_err(sql)?
    .execute(named_params! {
        ":home": home,
        ":scope_no": scope_no,
        ":device": batch.device.as_str(),
        ":epoch": batch.epoch.cast_signed(),
        ":old": old,
        ":floor": batch.floor.cast_signed(),
    })
    .map_err(sql)?;
    Ok(())
}

/// Judges one command.
pub(super) fn judge(
    tx: &Connection,
    sender: Sender<'_>,
    pushed: &Pushed,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Verdict> {
    let step = judging::examine(pushed, sender.id(), look_up(tx, sender, pushed)?);
    let judgement = match (step, &pushed.envelope) {
        (Step::Answer(verdict), _) => return Ok(verdict),
        (Step::IdReused(verdict), _) => {
            keep_seq(tx, sender, pushed)?;
            return Ok(verdict);
        }
        (Step::Refuse(refusal), _) => Judged1::Refuse(refusal),
        (Step::Plan, Some(envelope)) => plan(tx, sender, envelope, now)?,
        (Step::Plan, None) => return Err(Error::Poison("BUG: a plan without a command".into())),
    };
    let (verdict, follow_ups) = match judgement {
        Judged1::Refuse(refusal) => (Verdict::Rejected { refusal: Box::new(refusal) }, Vec::new()),
        Judged1::Apply { writes, conflicts } => {
            let mut scopes = BTreeMap::new();
            let mut follow_ups = Vec::new();
            for (scope, list) in &writes {
                let version = rows::open_version(tx, scope)?;
                for write in list {
                    rows::apply(tx, write, version)?;
                    follow_ups.extend(stored_already(tx, write)?);
                }
                touched.insert(scope.clone());
                scopes.insert(scope.clone(), version);
            }
            for write in writes.values().flatten() {
                let_go_withdrawn(tx, write)?;
            }
            (Verdict::Applied { scopes, conflicts }, follow_ups)
        }
    };
    keep_verdict(tx, sender, pushed, &verdict, now, touched)?;
    for (photo, park, blob) in follow_ups {
        issue_bytes_stored(tx, &photo, &park, &blob, now, touched)?;
    }
    Ok(verdict)
}

fn plan(tx: &Connection, sender: Sender<'_>, envelope: &Envelope, now: Millis) -> Result<Judged1> {
    let planned = facts::run(envelope, now, &mut Facts { tx, sender }).map_err(|e| match e {
        PlanError::Source(error) => error,
        rounds @ PlanError::Rounds { .. } => Error::Poison(rounds.to_string()),
    })?;
    // Every fact is the hub's own: one that cannot be read would let through what the rules forbid.
    if let Some(question) = planned.unknown.first() {
        return Err(Error::Poison(format!("a fact cannot be read: {question:?}")));
    }
    Ok(judging::within_limits(planned.outcome, &Limits::default()))
}

fn look_up(tx: &Connection, sender: Sender<'_>, pushed: &Pushed) -> Result<Looked> {
    let earlier = tx
        .prepare_cached("SELECT device, sha256, verdict FROM commands WHERE id = :id")
        .map_err(sql)?
        .query_row(named_params! {":id": pushed.head.id.as_str()}, |row| {
            Ok((row.get::<_, Option<String>>("device")?, row.get("sha256")?, row.get::<_, String>("verdict")?))
        })
        .optional()
        .map_err(sql)?
        .map(|(device, sha256, verdict)| {
            let unreadable = |e: &dyn std::fmt::Display| Error::Poison(e.to_string());
            Ok::<_, Error>(Earlier {
                device: device.map(|d| d.parse()).transpose().map_err(|e| unreadable(&e))?,
                sha256,
                verdict: serde_json::from_str(&verdict).map_err(|e| unreadable(&e))?,
            })
        })
        .transpose()?;
    let mut looked = Looked { earlier, unseen: Vec::new() };
    if let (Some((device, epoch)), Some(envelope)) = (sender.device, &pushed.envelope) {
        for seq in &envelope.after {
            if !is_seen(tx, device, epoch, *seq)? {
                looked.unseen.push(*seq);
            }
        }
    }
    Ok(looked)
}

fn is_seen(tx: &Connection, device: &DeviceId, epoch: u64, seq: u64) -> Result<bool> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM seqs WHERE device = :device AND epoch = :epoch AND seq = :seq)
             OR EXISTS (SELECT 1 FROM device_heads WHERE device = :device AND epoch = :epoch AND floor >= :seq) AS seen",
    )
    .map_err(sql)?
    .query_row(
        named_params! {":device": device.as_str(), ":epoch": epoch.cast_signed(), ":seq": seq.cast_signed()},
        |row| row.get("seen"),
    )
    .map_err(sql)
}

fn keep_seq(tx: &Connection, sender: Sender<'_>, pushed: &Pushed) -> Result<()> {
    let Some((device, epoch)) = sender.device else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO seqs (device, epoch, seq, command) VALUES (:device, :epoch, :seq, :command)
         ON CONFLICT DO NOTHING",
    )
    .map_err(sql)?
    .execute(named_params! {
        ":device": device.as_str(),
        ":epoch": epoch.cast_signed(),
        ":seq": pushed.head.seq.cast_signed(),
        ":command": pushed.head.id.as_str(),
    })
    .map_err(sql)?;
    Ok(())
}

/// Keeps the verdict by the command's id and, for a device, as a row of its scope. A refusal of the hub's own command
/// is not kept: nobody waits for it, and the same wish may come again when its reason is gone.
fn keep_verdict(
    tx: &Connection,
    sender: Sender<'_>,
    pushed: &Pushed,
    verdict: &Verdict,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<()> {
    if sender.device.is_none() && matches!(verdict, Verdict::Rejected { .. }) {
        return Ok(());
    }
    let text = serde_json::to_string(verdict).map_err(|e| Error::Poison(e.to_string()))?;
    tx.prepare_cached(
        "INSERT INTO commands (id, device, sha256, verdict, at_ms) VALUES (:id, :device, :sha256, :verdict, :at_ms)",
    )
    .map_err(sql)?
    .execute(named_params! {
        ":id": pushed.head.id.as_str(),
        ":device": sender.id().map(DeviceId::as_str),
        ":sha256": pushed.sha256,
        ":verdict": text,
        ":at_ms": now.0,
    })
    .map_err(sql)?;
    keep_seq(tx, sender, pushed)?;
    let Some((device, device_epoch)) = sender.device else { return Ok(()) };
    let scope = Scope::Device(device.clone());
    let body = VerdictRow {
        seq: pushed.head.seq,
        command: pushed.head.id.clone(),
        device_epoch,
        device: device.clone(),
        verdict: verdict.clone(),
    };
    let row = RowRef { scope: scope.clone(), kind: VerdictRow::KIND, id: pushed.head.id.as_row_id() };
    let write = Write::put(row, &body).map_err(|e| Error::Poison(e.to_string()))?;
    let version = rows::open_version(tx, &scope)?;
    rows::apply(tx, &write, version)?;
    touched.insert(scope);
    Ok(())
}

/// The photo in a write.
fn photo_in(write: &Write) -> Option<(&RowRef, Photo)> {
    match write {
        Write::Put { row, body } if row.kind == Kind::Photo => Some((row, serde_json::from_str(body).ok()?)),
        Write::Put { .. } | Write::Delete { .. } => None,
    }
}

/// A photo taken back lets go of the bytes that are here, unless another row of its home refers to them.
fn let_go_withdrawn(tx: &Connection, write: &Write) -> Result<()> {
    let Some((row, photo)) = photo_in(write).filter(|(_, photo)| photo.is_withdrawn()) else { return Ok(()) };
    for (_, file) in photo.files() {
        blobs::let_go(tx, &row.scope.home(), &file.id)?;
    }
    Ok(())
}

/// The files of a photo just written that are here already: their arrival will not be told by an upload.
fn stored_already(tx: &Connection, write: &Write) -> Result<Vec<(RowId, RowId, BlobId)>> {
    let Some((row, photo)) = photo_in(write).filter(|(_, photo)| !photo.is_withdrawn()) else {
        return Ok(Vec::new());
    };
    let mut list = Vec::new();
    for (_, file) in photo.files().filter(|(_, file)| !file.stored) {
        let stored: bool = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM blobs WHERE home = :home AND id = :id) AS stored")
            .map_err(sql)?
            .query_row(named_params! {":home": row.scope.home(), ":id": file.id.as_str()}, |r| r.get("stored"))
            .map_err(sql)?;
        if stored {
            list.push((row.id.clone(), photo.park_id.clone(), file.id.clone()));
        }
    }
    Ok(list)
}

/// Tells a photo that a file of it is here, once: the command's id is derived from both.
pub(super) fn issue_bytes_stored(
    tx: &Connection,
    photo: &RowId,
    park: &RowId,
    blob: &BlobId,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<()> {
    let id = CommandId::of_job(blob.as_str(), &format!("{park}/{photo}"));
    let job: RowId = "blobs".parse().map_err(|_| Error::Poison("BUG: a job's name is an id".into()))?;
    let args = PhotoBytesStored { photo: photo.clone(), park: park.clone(), blob: blob.clone() };
    let envelope = Envelope::of_hub(id, Actor::Job(job), now, Command::PhotoBytesStored(args));
    issue(tx, envelope, now, touched)?;
    Ok(())
}

/// Judges a command of the hub itself.
pub(super) fn issue(
    tx: &Connection,
    envelope: Envelope,
    now: Millis,
    touched: &mut BTreeSet<Scope>,
) -> Result<Verdict> {
    let pushed = Pushed::of_hub(envelope).map_err(|e| Error::Poison(e.to_string()))?;
    judge(tx, Sender::HUB, &pushed, now, touched)
}
