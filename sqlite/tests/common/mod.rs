//! A small hub in memory over the real plans, and helpers to make commands. It keeps rows with versions and revs, judges
//! stored bytes and cuts frames, as protocol.md says; nothing else.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this module")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use parkdesk_domain::body::{Grant, ParkSettings, PhotoFile, VerdictRow};
use parkdesk_domain::command::*;
use parkdesk_domain::facts::{self, Answer, Question, Source, Space};
use parkdesk_domain::ids::{BlobId, CommandId, DeviceId, Millis, RowId};
use parkdesk_domain::plan::Outcome;
use parkdesk_domain::rights::{Granted, Rights, Role};
use parkdesk_domain::row::{Kind, Row, RowRef, SCHEMA, Write};
use parkdesk_domain::scope::{Area, Scope};
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{FrameHead, Judged, ScopeRefusal, Verdict};
use parkdesk_domain::{canonical, fold};
use parkdesk_sqlite::{Draft, Error, Priority, Replica, RowState, Submitted};

pub fn id(text: &str) -> RowId {
    text.parse().unwrap()
}

pub fn device() -> DeviceId {
    "d1".parse().unwrap()
}

pub fn command_id(n: u32) -> CommandId {
    format!("{n:032x}").parse().unwrap()
}

pub fn fleet() -> Scope {
    Scope::park(&id("p1"), Area::Fleet)
}

pub fn photos() -> Scope {
    Scope::park(&id("p1"), Area::Photos)
}

pub fn staff() -> Scope {
    Scope::park(&id("p1"), Area::Staff)
}

pub fn directory() -> Scope {
    Scope::park(&id("p1"), Area::Directory)
}

pub fn device_scope() -> Scope {
    Scope::Device(device())
}

#[derive(Clone)]
pub struct Hub {
    pub rows: BTreeMap<RowRef, Row>,
    pub heads: BTreeMap<Scope, u64>,
    pub epoch: u64,
    pub judged: BTreeMap<CommandId, (u64, Verdict)>,
}

impl Source for Hub {
    type Error = Infallible;
    fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Infallible> {
        Ok(questions.iter().map(|question| self.answer(question)).collect())
    }
}

impl Hub {
    /// With park `p1`, its admin `u1`, and device `d1` subscribed to its directory, fleet and photos.
    pub fn new() -> Self {
        Self::with_device(Role::Admin, vec![directory(), fleet(), photos()])
    }

    pub fn with_device(role: Role, scopes: Vec<Scope>) -> Self {
        let mut hub = Self { rows: BTreeMap::new(), heads: BTreeMap::new(), epoch: 1, judged: BTreeMap::new() };
        let settings = ParkSettings::default();
        hub.own(
            1,
            Command::ParkCreate(ParkCreate { park: id("p1"), name: "Парк".into(), city: "msk".into(), settings }),
        );
        let enrol =
            DeviceEnrol { device: device(), name: "desk".into(), role, parks: vec![id("p1")], scopes, was: None };
        hub.own(2, Command::DeviceEnrol(enrol));
        hub.own(3, new_person("u1", "ivanova", Role::Admin));
        hub
    }

    /// What it says to a cursor that it never gave.
    pub fn start_over(&self, scope: &Scope, head: u64) -> Frame {
        let refused = Some(ScopeRefusal::StartOver);
        let head = FrameHead { scope: scope.clone(), epoch: self.epoch, from: 0, to: 0, head, schema: SCHEMA, refused };
        Frame { head, rows: vec![] }
    }

    pub fn own(&mut self, n: u32, command: Command) {
        let envelope = Envelope::of_hub(command_id(0xf000_0000 + n), Actor::Hub, Millis(1), command);
        let planned = facts::run(&envelope, Millis(1), self).unwrap();
        let Outcome::Accepted { writes, .. } = planned.outcome else { panic!("{:?}", planned.outcome) };
        self.write(&writes);
    }

    pub fn write(&mut self, writes: &[Write]) -> BTreeMap<Scope, u64> {
        let mut scopes = BTreeMap::new();
        for write in writes {
            let at = write.row().clone();
            let head = self.heads.entry(at.scope.clone()).or_default();
            let version = *scopes.entry(at.scope.clone()).or_insert_with(|| {
                *head += 1;
                *head
            });
            let rev = self.rows.get(&at).map_or(0, |row| row.rev) + 1;
            let (deleted, body) = match write {
                Write::Put { body, .. } => (false, body.clone()),
                Write::Delete { .. } => (true, String::new()),
            };
            let (kind, id, hash) = (at.kind.clone(), at.id.clone(), canonical::hash(&body));
            self.rows.insert(at, Row { kind, id, version, rev, deleted, schema: SCHEMA, hash, body });
        }
        scopes
    }

    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Row(row) => {
                Answer::Row(self.rows.get(row).filter(|row| !row.deleted).map(|row| row.body.clone()))
            }
            Question::Key { scope, space, key } => Answer::Ids(
                self.rows
                    .iter()
                    .filter(|(at, row)| at.scope == *scope && !row.deleted && holds(at, &row.body, *space, key))
                    .map(|(at, _)| at.id.clone())
                    .collect(),
            ),
            Question::Rights(actor) if actor.is_hub() => Answer::Rights(Rights::of_hub()),
            Question::Rights(actor) => {
                let device = self.granted(&Actor::Device(device()));
                Answer::Rights(match actor {
                    Actor::User(_) => Rights::of_person(self.granted(actor), device),
                    Actor::Device(_) | Actor::Hub | Actor::Job(_) => Rights::of_device(device),
                })
            }
        }
    }

    fn granted(&self, holder: &Actor) -> Vec<Granted> {
        let grants = self.rows.iter().filter(|(at, row)| at.kind == Kind::Grant && !row.deleted);
        let grants = grants.map(|(_, row)| serde_json::from_str::<Grant>(&row.body).unwrap());
        grants.filter(|g| g.holder == *holder).map(|g| Granted { role: g.role, park: g.park }).collect()
    }

    /// Judges stored bytes; the verdict becomes a row of the device scope.
    pub fn judge(&mut self, bytes: &[u8]) -> Judged {
        let envelope = Envelope::from_bytes(bytes).unwrap();
        let (seq, id) = (envelope.seq, envelope.id.clone());
        if let Some((_, first)) = self.judged.get(&id) {
            return Judged { seq, id, verdict: Verdict::Duplicate { first: Box::new(first.clone()) } };
        }
        let is_unseen = |after: &u64| !self.judged.values().any(|(seen, _)| seen == after);
        let missing: Vec<u64> = envelope.after.iter().copied().filter(is_unseen).collect();
        if !missing.is_empty() {
            return Judged { seq, id, verdict: Verdict::Deferred { until_ms: None, missing } };
        }
        let planned = facts::run(&envelope, Millis(1_000_000), self).unwrap();
        let verdict = match planned.outcome {
            Outcome::Accepted { writes, conflicts } => Verdict::Applied { scopes: self.write(&writes), conflicts },
            Outcome::Refused(refusal) => Verdict::Rejected { refusal: Box::new(refusal) },
        };
        self.judged.insert(id.clone(), (seq, verdict.clone()));
        let body = VerdictRow { seq, command: id.clone(), device_epoch: 1, device: device(), verdict: verdict.clone() };
        let row = RowRef { scope: device_scope(), kind: Kind::Verdict, id: id.as_row_id() };
        self.write(&[Write::put(row, &body).unwrap()]);
        Judged { seq, id, verdict }
    }

    /// At most `versions` versions after `from`.
    pub fn frame(&self, scope: &Scope, from: u64, versions: u64) -> Frame {
        let head = self.heads.get(scope).copied().unwrap_or(0);
        let to = head.min(from.saturating_add(versions));
        let mut rows: Vec<Row> = self
            .rows
            .iter()
            .filter(|(at, row)| at.scope == *scope && row.version > from && row.version <= to)
            .map(|(_, row)| row.clone())
            .collect();
        rows.sort_by(|a, b| (a.version, &a.kind, &a.id).cmp(&(b.version, &b.kind, &b.id)));
        let head = FrameHead { scope: scope.clone(), epoch: self.epoch, from, to, head, schema: SCHEMA, refused: None };
        Frame { head, rows }
    }

    /// The live bodies of a scope.
    pub fn live(&self, scope: &Scope) -> Vec<(Kind, RowId, String)> {
        let rows = self.rows.iter().filter(|(at, row)| at.scope == *scope && !row.deleted);
        rows.map(|(at, row)| (at.kind.clone(), at.id.clone(), row.body.clone())).collect()
    }
}

fn holds(row: &RowRef, body: &str, space: Space, key: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = |pointer: &str| value.pointer(pointer).and_then(|t| t.as_str()).unwrap_or_default();
    match (space, &row.kind) {
        (Space::Licence, Kind::Driver) => fold::plate(text("/licence/number")) == key,
        (Space::Plate, Kind::Car) => fold::plate(text("/plate")) == key,
        (Space::PhotosOf, Kind::Photo) => text("/driver_id") == key && text("/status") != "withdrawn",
        (Space::Login, Kind::User) => fold::name(text("/login")) == key,
        _ => false,
    }
}

/// An enrolled replica that pulled everything.
pub fn enrolled(hub: &Hub) -> Replica {
    let replica = Replica::in_memory().unwrap();
    enrol(&replica, hub);
    replica
}

pub fn enrol(replica: &Replica, hub: &Hub) {
    replica.write(Priority::Sync, |tx| tx.set_enrolled(&device(), &id("hub"), Millis(1))).unwrap();
    pull_all(replica, hub);
}

/// Pulls every scope to its head, the device scope first.
pub fn pull_all(replica: &Replica, hub: &Hub) {
    for _ in 0..3 {
        for cursor in replica.read(|tx| tx.cursors()).unwrap() {
            let frame = match hub.heads.get(&cursor.id).copied().unwrap_or(0) {
                head if cursor.version > head => hub.start_over(&cursor.id, head),
                _ => hub.frame(&cursor.id, cursor.version, u64::MAX),
            };
            replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
        }
    }
}

/// Sends everything due and hands back the verdicts.
pub fn push(replica: &Replica, hub: &mut Hub) -> Vec<Judged> {
    let batch = replica.read(|tx| tx.outbox_batch(500, 1 << 20, Millis(5))).unwrap();
    batch.iter().map(|pending| hub.judge(&pending.bytes)).collect()
}

pub fn take(replica: &Replica, judged: &[Judged]) {
    replica.write(Priority::Sync, |tx| tx.apply_verdicts(judged, Millis(6))).unwrap();
}

/// Pushes, takes the answer and pulls.
pub fn exchange(replica: &Replica, hub: &mut Hub) {
    let judged = push(replica, hub);
    take(replica, &judged);
    pull_all(replica, hub);
}

pub fn submit(replica: &Replica, n: u32, command: Command) -> Submitted {
    submit_as(replica, n, Actor::User(id("u1")), command)
}

pub fn submit_as(replica: &Replica, n: u32, actor: Actor, command: Command) -> Submitted {
    let draft = Draft { id: command_id(n), actor, now: Millis(100 + i64::from(n)), command };
    replica.write(Priority::Person, |tx| tx.submit(draft)).map_err(|error: Error| error).unwrap()
}

pub fn saved(submitted: &Submitted) -> u64 {
    let Submitted::Saved { seq, .. } = submitted else { panic!("{submitted:?}") };
    *seq
}

pub const VERIFIER: &str =
    "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub fn new_person(person: &str, login: &str, role: Role) -> Command {
    let (name, login, verifier) = (format!("Имя {person}"), login.into(), VERIFIER.into());
    Command::PersonCreate(Box::new(PersonCreate { person: id(person), park: id("p1"), name, login, role, verifier }))
}

pub fn new_driver(driver: &str, last_name: &str, licence: Option<&str>, plate: Option<&str>) -> Command {
    let licence = licence.map(|number| parkdesk_domain::body::Licence {
        country: Some("rus".into()),
        number: number.into(),
        issued_on: None,
        expires_on: None,
    });
    Command::DriverCreate(Box::new(DriverCreate {
        driver: id(driver),
        park: id("p1"),
        last_name: last_name.into(),
        first_name: "Пётр".into(),
        middle_name: None,
        phones: vec!["+7 916 123-45-67".into()],
        licence,
        plate: plate.map(Into::into),
        comment: None,
    }))
}

pub fn edit(driver: &str, field: &str, was: serde_json::Value, now: serde_json::Value) -> Command {
    let fields = BTreeMap::from([(field.to_owned(), Change { was, now })]);
    Command::DriverEdit(DriverEdit { driver: id(driver), park: id("p1"), fields, phones: SetEdit::default() })
}

pub fn file(text: &str) -> PhotoFile {
    PhotoFile { id: BlobId::of(text.as_bytes()), size_bytes: text.len() as u64, stored: false }
}

pub fn capture(photo: &str, driver: &str) -> Command {
    Command::PhotoCapture(Box::new(PhotoCapture {
        photo: id(photo),
        park: id("p1"),
        driver: id(driver),
        priority: "admin".into(),
        source: "folder".into(),
        captured_at_ms: Millis(50),
        original: file(&format!("original {photo}")),
        portrait: None,
        thumb: file(&format!("thumb {photo}")),
        crop: None,
        face: None,
        quality: BTreeMap::new(),
        codes: vec![],
        override_reason: None,
    }))
}

pub fn comment(replica: &Replica, driver: &str) -> Option<String> {
    let driver = replica.read(|tx| tx.driver(&id("p1"), &id(driver))).unwrap();
    driver.expect("driver").profile.expect("profile").comment
}

pub fn pending(replica: &Replica) -> u64 {
    replica.read(|tx| tx.pending_summary()).unwrap().count
}

pub fn state(replica: &Replica, driver: &str) -> RowState {
    replica.read(|tx| tx.driver(&id("p1"), &id(driver))).unwrap().expect("driver").state
}

pub fn equal_to_hub(replica: &Replica, hub: &Hub) {
    for scope in [directory(), fleet(), photos(), device_scope()] {
        let rows = replica.read(|tx| tx.rows_of(&scope)).unwrap();
        let rows: Vec<_> = rows.into_iter().map(|row| (row.kind, row.id, row.body)).collect();
        let mut live = hub.live(&scope);
        live.sort_by(|a, b| (a.0.as_str(), a.1.as_str()).cmp(&(b.0.as_str(), b.1.as_str())));
        assert_eq!(rows, live, "{scope}");
    }
}

pub fn with_driver() -> (Hub, Replica) {
    let mut hub = Hub::new();
    let replica = enrolled(&hub);
    submit(&replica, 1, new_driver("v1", "Иванов", Some("77 АБ 123456"), Some("А123ВС77")));
    let judged = push(&replica, &mut hub);
    take(&replica, &judged);
    pull_all(&replica, &hub);
    assert_eq!(pending(&replica), 0);
    (hub, replica)
}
