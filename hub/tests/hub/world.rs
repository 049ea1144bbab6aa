//! A hub in a temporary folder, with a clock that tests step, and devices that talk to it through the router.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use parkdesk_domain::body::{Crop, FacePolicy, Licence, PhotoFile};
use parkdesk_domain::command::*;
use parkdesk_domain::rights::Role;
use parkdesk_domain::row::SCHEMA;
use parkdesk_domain::wire::frame::{Frame, Reader};
use parkdesk_domain::wire::*;
use parkdesk_domain::{BlobId, CommandId, DeviceId, Millis, RowId, Scope};
use parkdesk_hub::admin::{self, Answer};
use parkdesk_hub::routes::{Hub, router};
use serde_json::json;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::backend::Backend;

pub(crate) const START: i64 = 1_760_000_000_000;

pub(crate) fn id(text: &str) -> RowId {
    text.parse().unwrap()
}

pub(crate) struct World {
    pub(crate) backend: Backend,
    pub(crate) dir: TempDir,
    pub(crate) hub: Arc<Hub>,
    clock: Arc<AtomicI64>,
    router: Router,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, ProblemCode) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text());
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        (self.status.as_u16(), problem.code)
    }
}

fn open(backend: &Backend, dir: &TempDir, clock: &Arc<AtomicI64>) -> (Arc<Hub>, Router) {
    let opened = backend.open(&dir.path().join("data"), Millis(START));
    let clock = Arc::clone(clock);
    let now = move || Millis(clock.load(Ordering::SeqCst));
    let hub = Arc::new(Hub::new(opened, Box::new(now)));
    let router = router(Arc::clone(&hub));
    (hub, router)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::on(Backend::new())
    }

    pub(crate) fn on(backend: Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let (hub, router) = open(&backend, &dir, &clock);
        Self { backend, dir, hub, clock, router }
    }

    /// With park `p1` and its drivers `v1` and `v2`.
    pub(crate) async fn with_park() -> Self {
        let world = Self::new();
        world.add_park("p1").await;
        world
    }

    pub(crate) async fn add_park(&self, park: &str) {
        let create = admin::Request::ParkCreate {
            name: park.into(),
            city: "msk".into(),
            id: Some(id(park)),
            faces: FacePolicy::Verify,
        };
        assert!(matches!(self.admin(create).await, Answer::Park(_)));
        let csv = format!(
            "driver_id,last_name,first_name,licence,plate\nv1,Ёлкин,Пётр,{park} 1111,А001АА\nv2,Осин,Лев,{park} 2222,А002АА\n"
        );
        let import = admin::Request::DriverImport { park: id(park), csv, dry_run: false };
        assert!(matches!(self.admin(import).await, Answer::Imported(r) if r.created == 2));
    }

    /// Closes the hub and opens it again over the same folder, as a restart does.
    pub(crate) fn reopen(self) -> Self {
        self.reopen_after(|_, _| ())
    }

    /// The same, after something was done to the closed data directory.
    pub(crate) fn reopen_after(self, f: impl FnOnce(&Backend, &std::path::Path)) -> Self {
        let Self { backend, dir, hub, clock, router } = self;
        drop((hub, router));
        f(&backend, &dir.path().join("data"));
        let (hub, router) = open(&backend, &dir, &clock);
        Self { backend, dir, hub, clock, router }
    }

    pub(crate) fn step(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) async fn admin(&self, request: admin::Request) -> Answer {
        let now = Millis(self.clock.load(Ordering::SeqCst));
        let (answer, touched) =
            admin::run(&self.hub.store, now, &mut parkdesk_hub::clock::rng(), request).await.unwrap();
        self.hub.announce(touched);
        answer
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn code(&self, role: Role, park: &str, minutes: i64) -> String {
        let request = admin::Request::EnrolCode { role, park: id(park), areas: vec![], minutes };
        match self.admin(request).await {
            Answer::Code(view) => view.code,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn enrol_with(&self, code: &str, request: &str) -> Reply {
        let body = json!({"code": code, "request": request, "name": "Фотоцентр"}).to_string();
        self.call(Method::POST, "/v1/enrol", "", body).await
    }

    /// The body of a GET as it comes, piece by piece.
    pub(crate) async fn pieces(&self, path: &str, token: &str, range: Option<&str>) -> Vec<Vec<u8>> {
        let mut request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
        if let Some(range) = range {
            request = request.header("range", range);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut body = response.into_body();
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            pieces.extend(frame.unwrap().into_data().ok().map(|data| data.to_vec()));
        }
        pieces
    }

    /// A field device of park `p1` that says what it was before.
    pub(crate) async fn enrol_again(&self, request: &str, was: Option<&DeviceId>) -> Device {
        let code = self.code(Role::Field, "p1", 10).await;
        let body = json!({"code": code, "request": request, "name": "Фотоцентр", "was": was}).to_string();
        let answer: EnrolAnswer = self.call(Method::POST, "/v1/enrol", "", body).await.json();
        Device { id: answer.device, token: answer.token, epoch: 1, seq: 0, cursors: BTreeMap::new() }
    }

    pub(crate) async fn enrol(&self, role: Role, park: &str) -> Device {
        let code = self.code(role, park, 10).await;
        let answer: EnrolAnswer = self.enrol_with(&code, "r1").await.json();
        Device { id: answer.device, token: answer.token, epoch: 1, seq: 0, cursors: BTreeMap::new() }
    }
}

/// A device with the little state that the tests need.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) token: String,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) cursors: BTreeMap<Scope, (u64, u64)>,
}

impl Device {
    /// The next command's bytes.
    pub(crate) fn command(&mut self, command: Command, after: &[u64]) -> String {
        self.seq += 1;
        self.command_at(self.seq, &format!("{}-{}-{}", self.id, self.epoch, self.seq), command, after)
    }

    /// The next command's bytes, given by a person who sits at the device.
    pub(crate) fn command_of(&mut self, person: &str, command: Command) -> String {
        let own = format!("\"actor\":\"device/{}\"", self.id);
        self.command(command, &[]).replace(&own, &format!("\"actor\":\"user/{person}\""))
    }

    pub(crate) fn command_at(&self, seq: u64, name: &str, command: Command, after: &[u64]) -> String {
        let envelope = Envelope {
            seq,
            id: CommandId::of_job("test", name),
            schema: SCHEMA,
            actor: Actor::Device(self.id.clone()),
            after: after.to_vec(),
            recorded_at_ms: Millis(START),
            command,
        };
        String::from_utf8(envelope.to_bytes().unwrap()).unwrap()
    }

    pub(crate) fn push_body(&self, commands: &[String], floor: u64) -> String {
        let (device, epoch, list) = (&self.id, self.epoch, commands.join(","));
        format!(r#"{{"device":"{device}","epoch":{epoch},"floor":{floor},"commands":[{list}]}}"#)
    }

    pub(crate) async fn try_push(&self, world: &World, commands: &[String]) -> Reply {
        world.call(Method::POST, "/v1/push", &self.token, self.push_body(commands, 0)).await
    }

    pub(crate) async fn push(&self, world: &World, commands: &[String]) -> Vec<Verdict> {
        let answer: PushAnswer = self.try_push(world, commands).await.json();
        assert_eq!(answer.verdicts.len(), commands.len(), "one verdict per command");
        answer.verdicts.into_iter().map(|judged| judged.verdict).collect()
    }

    pub(crate) fn scopes(&self, park: &str) -> Vec<Scope> {
        ["directory", "fleet", "photos", "faces"].map(|area| format!("park/{park}/{area}").parse().unwrap()).to_vec()
    }

    pub(crate) async fn pull_from(&self, world: &World, cursors: &[Cursor], wait_ms: u64) -> Vec<Frame> {
        let request = serde_json::to_string(&PullRequest { scopes: cursors.to_vec(), wait_ms }).unwrap();
        let reply = world.call(Method::POST, "/v1/pull", &self.token, request).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        Reader::new(&reply.body).collect::<Result<_, _>>().unwrap()
    }

    /// Asks for its own scope and those of the park, and moves its cursors.
    pub(crate) async fn pull(&mut self, world: &World, park: &str, wait_ms: u64) -> Vec<Frame> {
        let own = Scope::Device(self.id.clone());
        let asked: Vec<Cursor> = std::iter::once(own)
            .chain(self.scopes(park))
            .map(|scope| {
                let (epoch, version) = self.cursors.get(&scope).copied().unwrap_or_default();
                Cursor { id: scope, epoch, version }
            })
            .collect();
        let frames = self.pull_from(world, &asked, wait_ms).await;
        for frame in frames.iter().filter(|frame| frame.head.refused.is_none()) {
            let held = self.cursors.insert(frame.head.scope.clone(), (frame.head.epoch, frame.head.to));
            assert_eq!(held.unwrap_or_default().1, frame.head.from, "{}", frame.head.scope);
        }
        frames
    }
}

pub(crate) const VERIFIER: &str =
    "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn person(person: &str, park: &str, role: Role) -> Command {
    Command::PersonCreate(Box::new(PersonCreate {
        person: id(person),
        park: id(park),
        name: format!("Имя {person}"),
        login: person.into(),
        role,
        verifier: VERIFIER.into(),
    }))
}

pub(crate) fn driver(driver: &str, park: &str, licence: &str) -> Command {
    Command::DriverCreate(Box::new(DriverCreate {
        driver: id(driver),
        park: id(park),
        last_name: "Соснов".into(),
        first_name: "Иван".into(),
        middle_name: None,
        phones: vec!["+7 900 000-00-00".into()],
        licence: Some(Licence { country: None, number: licence.into(), issued_on: None, expires_on: None }),
        plate: None,
        comment: None,
    }))
}

pub(crate) fn comment(driver: &str, park: &str, was: Option<&str>, now: &str) -> Command {
    let fields = BTreeMap::from([("comment".to_owned(), Change { was: json!(was), now: json!(now) })]);
    Command::DriverEdit(DriverEdit { driver: id(driver), park: id(park), fields, phones: SetEdit::default() })
}

pub(crate) fn file(bytes: &[u8]) -> PhotoFile {
    PhotoFile { id: BlobId::of(bytes), size_bytes: bytes.len() as u64, stored: false }
}

/// A photo whose original, portrait and thumb are these bytes.
pub(crate) fn capture(photo: &str, park: &str, files: [&[u8]; 3]) -> Command {
    let [original, portrait, thumb] = files.map(file);
    Command::PhotoCapture(Box::new(PhotoCapture {
        photo: id(photo),
        park: id(park),
        driver: id("v1"),
        priority: "admin".into(),
        source: "folder".into(),
        captured_at_ms: Millis(START),
        original,
        portrait: Some(portrait),
        thumb,
        crop: Some(Crop { x: 0, y: 0, w: 3, h: 4, turn: 0 }),
        face: None,
        quality: BTreeMap::new(),
        codes: vec![],
        override_reason: None,
    }))
}

#[track_caller]
pub(crate) fn assert_applied(verdicts: &[Verdict]) {
    assert!(verdicts.iter().all(|v| matches!(v, Verdict::Applied { .. })), "{verdicts:?}");
}

#[track_caller]
pub(crate) fn refusal(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Rejected { refusal } => refusal.code.as_str(),
        other => panic!("{other:?}"),
    }
}
