//! An appliance for tests: a replica on disk that pulled a park with two drivers from a small hub in memory, and a face
//! program that answers what the picture's text says.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this module")]

#[path = "../../../sqlite/tests/common/mod.rs"]
pub mod hub;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use parkdesk_app::api::Api;
use parkdesk_app::capture::{AssignedBy, Source, TakeFile, Taken};
use parkdesk_app::faces::Faces;
use parkdesk_app::installation::{
    EnrolError, EnrolFault, EnrolWish, Enrolled, Installation, InstallationState, InstallationView, Language,
};
use parkdesk_app::keys::KeysError;
use parkdesk_app::sync::{FileProgress, LinkProblem, LinkState, LinkStatus, SyncControl};
use parkdesk_app::{App, AppParts};
use parkdesk_domain::body::{FacePolicy, ParkCard, ParkSettings};
use parkdesk_domain::command::{Command, DriverCreate, PersonCreate};
use parkdesk_domain::pass_code::verifier;
use parkdesk_domain::rights::Role;
use parkdesk_domain::row::{Kind, Write};
use parkdesk_domain::{Millis, RowId};
use parkdesk_sqlcipher::recovery::RecoveryCode;
use parkdesk_sqlite::{Key, Replica};
use parkdesk_vision::faces::client::{ClientStatus, FacesError, PictureHash};
use parkdesk_vision::faces::protocol::{Analysis, Descriptor, Face, LiveAdvice, Priority};
use parkdesk_vision::geometry::{Area, Cut, Point};
use parkdesk_vision::limits::{Rejection, RejectionCode};
use parkdesk_vision::quality::{Finding, Level, Quality, QualityCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::hub::{Hub, directory, id};

/// Asserts that an answer is what the API's description says of it.
pub fn assert_described(method: &str, uri: &str, status: u16, answer: &Value) {
    let mut schema = serde_json::to_value(parkdesk_app::api::open_api()).unwrap();
    let path = uri.split('?').next().unwrap();
    let fits = |pattern: &str| {
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let paths = schema.get("paths").and_then(Value::as_object).unwrap();
    // A path by name before one with an id in its place.
    let Some(path) = paths.keys().filter(|path| fits(path)).min_by_key(|path| path.matches('{').count()) else {
        // The link for a browser is had over the socket alone.
        return assert!(!uri.starts_with("/api/") || path == "/api/v1/open", "{method} {uri} is not described");
    };
    let escaped = path.replace('~', "~0").replace('/', "~1");
    let at = format!("/paths/{escaped}/{}/responses/{status}/content/application~1json/schema", method.to_lowercase());
    assert!(schema.pointer(&at).is_some(), "{method} {uri} answers {status}, which the description does not know");
    let reference = format!("#{}", at.replace('{', "%7B").replace('}', "%7D"));
    schema.as_object_mut().unwrap().insert("$ref".to_owned(), reference.into());
    let schema = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> =
        schema.iter_errors(answer).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, [] as [String; 0], "{method} {uri}: {answer}");
}

/// What the link was told.
#[derive(Default)]
pub struct Link(pub Mutex<Vec<&'static str>>, Mutex<(Option<LinkState>, Option<i64>)>);

impl Link {
    pub fn set_state(&self, state: LinkState) {
        self.1.lock().unwrap().0 = Some(state);
    }

    pub fn set_clock_offset(&self, ms: i64) {
        self.1.lock().unwrap().1 = Some(ms);
    }
}

impl SyncControl for Link {
    fn status(&self) -> LinkStatus {
        let (state, clock_offset_ms) = *self.1.lock().unwrap();
        let link = LinkStatus::new(state.unwrap_or(LinkState::Online));
        let message = "/srv/ivan/faces: no such file".to_owned();
        let last_problem = Some(LinkProblem { code: "test".into(), message, at_ms: Millis(1) });
        LinkStatus { last_contact_at_ms: Some(Millis(1000)), clock_offset_ms, last_problem, ..link }
    }
    fn sync_now(&self) {
        self.0.lock().unwrap().push("now");
    }
    fn pause(&self, _until: Option<Millis>) {
        self.0.lock().unwrap().push("pause");
    }
    fn resume(&self) {
        self.0.lock().unwrap().push("resume");
    }
    fn files(&self) -> Vec<FileProgress> {
        Vec::new()
    }
}

/// Reads the picture as words: `face ANGLE`, `noface`, `two`, `turned`, `large`, or the name of a failure; also what this
/// program made of one (`original of ...`). A live frame is judged by its width.
#[derive(Default)]
struct Words {
    kept_aside: Mutex<Vec<PictureHash>>,
}

impl Faces for Words {
    fn analyse(&self, bytes: Vec<u8>, _priority: Priority) -> Result<Analysis, FacesError> {
        let hash: PictureHash = Sha256::digest(&bytes).into();
        if self.kept_aside.lock().unwrap().contains(&hash) {
            return Err(FacesError::Quarantined);
        }
        let bytes = bytes.strip_prefix(b"original of ").map(<[u8]>::to_vec).unwrap_or(bytes);
        let text = String::from_utf8(bytes).expect("test pictures are words");
        let mut words = text.split_whitespace();
        let analysis = |faces, findings| Ok(analysis(&text, faces, findings));
        match (words.next().unwrap_or_default(), words.next()) {
            ("face", Some(angle)) => analysis(vec![face(angle.parse().expect("an angle"))], vec![]),
            ("two", _) => analysis(vec![face(0.0), face(3.0)], vec![finding(QualityCode::ManyFaces, Level::Warn)]),
            ("turned", _) => analysis(vec![face(0.0)], vec![finding(QualityCode::TurnedHead, Level::Fail)]),
            ("blurred", _) => analysis(vec![face(0.0)], vec![finding(QualityCode::Blurred, Level::Warn)]),
            ("noface", _) => analysis(vec![], vec![finding(QualityCode::NoFace, Level::Fail)]),
            ("truncated", _) => {
                Err(FacesError::Rejected(Rejection { code: RejectionCode::Truncated, figure: None, limit: None }))
            }
            ("large", Some(angle)) => Ok(Analysis {
                original: vec![7; 3_000_000],
                portrait: Some(vec![8; 300_000]),
                ..self::analysis(&text, vec![face(angle.parse().expect("an angle"))], vec![])
            }),
            ("poison", _) => {
                self.kept_aside.lock().unwrap().push(hash);
                Err(FacesError::Quarantined)
            }
            ("busy", _) => Err(FacesError::Busy),
            ("gone", _) => Err(FacesError::Unavailable("not installed".into())),
            other => panic!("no such test picture: {other:?}"),
        }
    }

    fn live(&self, frame: Vec<u8>) -> Result<LiveAdvice, FacesError> {
        let header = parkdesk_vision::limits::inspect(&frame).map_err(FacesError::Rejected)?;
        let (width, height) = (header.width, header.height);
        let said = |advice, level| LiveAdvice {
            width,
            height,
            area: Some(Area { x: 64, y: 48, w: 320, h: 240 }),
            marks: None,
            advice,
            level,
            readiness_percent: 90,
        };
        match width {
            640 => Ok(said(None, None)),
            600 => Ok(said(Some(QualityCode::TooDark), Some(Level::Warn))),
            500 => Err(FacesError::Superseded),
            _ => Ok(LiveAdvice { area: None, ..said(Some(QualityCode::NoFace), Some(Level::Fail)) }),
        }
    }

    fn portrait(&self, original: Vec<u8>, cut: Cut) -> Result<Vec<u8>, FacesError> {
        let Cut { x, y, w, h, turn } = cut;
        Ok(format!("{x} {y} {w} {h} {turn} of {}", String::from_utf8_lossy(&original)).into_bytes())
    }

    fn quarantined(&self) -> Vec<PictureHash> {
        self.kept_aside.lock().unwrap().clone()
    }

    fn quarantine(&self, pictures: Vec<PictureHash>) {
        self.kept_aside.lock().unwrap().extend(pictures);
    }

    fn status(&self) -> ClientStatus {
        let quarantined = self.kept_aside.lock().unwrap().len();
        ClientStatus { pid: Some(7), restarts: 0, quarantined, waiting: 0 }
    }
}

fn finding(code: QualityCode, level: Level) -> Finding {
    Finding { code, level, figure_milli: 360, limit_milli: 400 }
}

/// Templates lie on a circle: two of them are `2 sin(difference / 2)` apart.
fn face(angle: f32) -> Face {
    let point = Point { x: 10.0, y: 20.0 };
    Face {
        area: Area { x: 10, y: 10, w: 90, h: 90 },
        detection_milli: 1000,
        probability_milli: 999,
        points: [point; 5],
        marks: [point; 5],
        descriptor: Some(Descriptor::new(vec![angle.cos(), angle.sin()]).unwrap()),
    }
}

fn analysis(text: &str, faces: Vec<Face>, findings: Vec<Finding>) -> Analysis {
    let has_face = !faces.is_empty();
    Analysis {
        width: 300,
        height: 400,
        cut: has_face.then_some(Cut { x: 0, y: 0, w: 240, h: 320, turn: 150 }),
        faces,
        quality: Quality { components: BTreeMap::from([("sharpness".to_owned(), 80)]), findings },
        perceptual_hash: 1,
        model_id: "model".into(),
        aligner_id: "aligner".into(),
        original: format!("original of {text}").into_bytes(),
        portrait: has_face.then(|| format!("portrait of {text}").into_bytes()),
        thumb: format!("thumb of {text}").into_bytes(),
    }
}

/// An appliance.
pub struct World {
    pub hub: Hub,
    pub replica: Replica,
    pub app: App,
    pub link: Arc<Link>,
    pub dir: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    ids: Arc<AtomicU64>,
}

impl World {
    pub fn new(policy: FacePolicy) -> Self {
        Self::of(Hub::new(), policy)
    }

    /// A desk at which people must sign in: `u1` an administrator, `oper` an operator with the pass code `123456`.
    pub fn staffed() -> Self {
        let scopes = vec![directory(), hub::fleet(), hub::photos(), hub::staff()];
        let mut hub = Hub::with_device(Role::Admin, scopes);
        for (n, person, name, role) in [(20, "oper", "Ольга", Role::Operator), (21, "boss", "Борис", Role::Admin)]
        {
            let verifier = verifier("123456", &[u8::try_from(n).unwrap(); 16]).unwrap();
            let (login, park) = (person.to_owned(), id("p1"));
            let person = PersonCreate { person: id(person), park, name: name.into(), login, role, verifier };
            hub.own(n, Command::PersonCreate(Box::new(person)));
        }
        Self::of(hub, FacePolicy::Verify)
    }

    fn of(mut hub: Hub, policy: FacePolicy) -> Self {
        set_policy(&mut hub, policy);
        add_driver(&mut hub, 11, "ivan", "Иванов", "99 12 345678", "+7 916 111-11-11");
        add_driver(&mut hub, 12, "petr", "Петров", "99 12 999999", "+7 916 222-22-22");
        let dir = tempfile::tempdir().unwrap();
        let replica = Replica::open(&dir.path().join("data"), &key()).unwrap();
        hub::enrol(&replica, &hub);
        let (clock, ids) = (Arc::new(AtomicI64::new(1000)), Arc::new(AtomicU64::new(1)));
        let link = Arc::new(Link::default());
        let app = app(&replica, &link, &clock, &ids);
        Self { hub, replica, app, link, dir, clock, ids }
    }

    /// The program dies and starts again.
    pub fn restart(self) -> Self {
        let Self { hub, replica, app, link, dir, clock, ids } = self;
        drop((app, replica));
        let replica = Replica::open(&dir.path().join("data"), &key()).unwrap();
        let app = self::app(&replica, &link, &clock, &ids);
        Self { hub, replica, app, link, dir, clock, ids }
    }

    /// The API as the socket has it.
    pub fn router(&self) -> axum::Router {
        Api::new(self.installation(), None, None).for_socket()
    }

    pub fn installation(&self) -> Arc<Ready> {
        Arc::new(Ready(self.app.clone()))
    }

    /// Time goes by.
    pub fn later(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn take(&self, picture: &str, hint: Option<&str>) -> Taken {
        self.app.take_file(self.file(picture, hint)).unwrap()
    }

    pub fn file(&self, picture: &str, hint: Option<&str>) -> TakeFile {
        TakeFile {
            name: format!("{picture}.jpg"),
            bytes: picture.as_bytes().to_vec(),
            hint: hint.map(str::to_owned),
            hint_from: AssignedBy::FileName,
            source: Source::Folder,
            modified_at_ms: Millis(self.clock.fetch_add(10, Ordering::Relaxed)),
            park: None,
            override_reason: None,
        }
    }

    /// Time passes.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// The hub judges what waits and its answer comes.
    pub fn exchange(&mut self) {
        let judged = hub::push(&self.replica, &mut self.hub);
        hub::take(&self.replica, &judged);
        hub::pull_all(&self.replica, &self.hub);
    }

    pub fn captured(&self, picture: &str, hint: &str) -> RowId {
        match self.take(picture, Some(hint)) {
            Taken::Captured { photo, .. } => photo,
            other => panic!("{other:?}"),
        }
    }

    pub fn waiting(&self, picture: &str) -> RowId {
        match self.take(picture, None) {
            Taken::Tray { entry, .. } => entry,
            other => panic!("{other:?}"),
        }
    }

    /// Sealed objects on disk.
    pub fn objects(&self) -> BTreeSet<PathBuf> {
        fn below(dir: &Path) -> BTreeSet<PathBuf> {
            let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { below(&path) } else { BTreeSet::from([path]) }).collect()
        }
        below(&self.dir.path().join("data/blobs"))
    }
}

/// An installation that is at work.
pub struct Ready(App);

impl Installation for Ready {
    fn app(&self) -> Option<App> {
        Some(self.0.clone())
    }
    fn view(&self) -> InstallationView {
        InstallationView {
            state: InstallationState::Ready,
            version: "1".into(),
            lang: Language::Ru,
            data_dir: "/data".into(),
            no_key: None,
            problem: None,
            device_name: Some("centre".into()),
            hub: Some("https://hub.example.org".into()),
        }
    }
    fn enrol(&self, _wish: EnrolWish) -> Result<Enrolled, EnrolError> {
        Err(EnrolError { why: EnrolFault::AlreadyEnrolled, message: "this appliance belongs to a hub already".into() })
    }
    fn recover(&self, code: &str) -> Result<(), KeysError> {
        RecoveryCode::parse(code).map(|_| ()).map_err(KeysError::from)
    }
    fn retry(&self) {}
    fn renew_recovery(&self) -> Result<String, KeysError> {
        Ok("AAAA-BBBB".into())
    }
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn app(replica: &Replica, link: &Arc<Link>, clock: &Arc<AtomicI64>, ids: &Arc<AtomicU64>) -> App {
    let (clock, ids) = (clock.clone(), ids.clone());
    App::new(AppParts {
        replica: replica.clone(),
        faces: Arc::new(Words::default()),
        clock: Arc::new(move || Millis(clock.load(Ordering::Relaxed))),
        new_id: Arc::new(move || Uuid::from_u128(0xabc0_0000 + u128::from(ids.fetch_add(1, Ordering::Relaxed)))),
        poke: Arc::new(|| ()),
        sync: link.clone(),
    })
    .unwrap()
}

pub fn set_policy(hub: &mut Hub, policy: FacePolicy) {
    let (at, row) = hub.rows.iter().find(|(at, _)| at.kind == Kind::ParkCard && at.scope == directory()).unwrap();
    let mut card: ParkCard = serde_json::from_str(&row.body).unwrap();
    card.settings = ParkSettings { faces: policy, ..card.settings };
    let write = Write::put(at.clone(), &card).unwrap();
    hub.write(&[write]);
}

pub fn add_driver(hub: &mut Hub, n: u32, driver: &str, last_name: &str, licence: &str, phone: &str) {
    let licence =
        parkdesk_domain::body::Licence { country: None, number: licence.into(), issued_on: None, expires_on: None };
    hub.own(
        n,
        Command::DriverCreate(Box::new(DriverCreate {
            driver: id(driver),
            park: id("p1"),
            last_name: last_name.into(),
            first_name: "Иван".into(),
            middle_name: None,
            phones: vec![phone.into()],
            licence: Some(licence),
            plate: None,
            comment: None,
        })),
    );
}
