//! The real agent session, driver and replica against the hub's real router over loopback: a park's photo from one
//! appliance to another, files in parts and ranges, and a revocation.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "test code")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parkdesk_app::sync::{LinkState, SyncControl};
use parkdesk_domain::body::{FacePolicy, FileClass, PhotoFile};
use parkdesk_domain::command::{Actor, Command, PhotoCapture};
use parkdesk_domain::rights::Role;
use parkdesk_domain::{BlobId, CommandId, DeviceId, Millis, RowId};
use parkdesk_hub::admin::{self, Answer};
use parkdesk_hub::routes::{Hub, router};
use parkdesk_hub::{clock as hub_clock, data};
use parkdesk_sqlite::{Draft, Error, Key, Origin, Priority, Replica, Submitted};
use parkdesk_sync_agent::engine::{Backoff, Policy};
use parkdesk_sync_agent::enrol::{EnrolError, enrol, enrol_request};
use parkdesk_sync_agent::{Sync, SyncConfig};

fn clock() -> Millis {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Millis(i64::try_from(now.as_millis()).unwrap())
}

fn id(text: &str) -> RowId {
    text.parse().unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The hub with park `p1` and its driver `v1`, on a port of its own.
struct Upstream {
    hub: Arc<Hub>,
    url: String,
    _dir: tempfile::TempDir,
}

impl Upstream {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let opened = data::open(&dir.path().join("hub"), None, clock()).unwrap();
        let hub = Arc::new(Hub::new(opened, Box::new(clock)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = router(Arc::clone(&hub)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let upstream = Self { hub, url, _dir: dir };
        let park = admin::Request::ParkCreate {
            name: "Парк".into(),
            city: "msk".into(),
            id: Some(id("p1")),
            faces: FacePolicy::Verify,
        };
        assert!(matches!(upstream.admin(park).await, Answer::Park(_)));
        let csv = "driver_id,last_name,first_name\nv1,Ёлкин,Пётр\n".into();
        let drivers = admin::Request::DriverImport { park: id("p1"), csv, dry_run: false };
        assert!(matches!(upstream.admin(drivers).await, Answer::Imported(report) if report.created == 1));
        upstream
    }

    async fn admin(&self, request: admin::Request) -> Answer {
        let (answer, touched) = admin::run(&self.hub.store, clock(), &mut hub_clock::rng(), request).await.unwrap();
        self.hub.announce(touched);
        answer
    }

    async fn code(&self, role: Role) -> String {
        let request = admin::Request::EnrolCode { role, park: id("p1"), areas: vec![], minutes: 10 };
        match self.admin(request).await {
            Answer::Code(view) => view.code,
            other => panic!("{other:?}"),
        }
    }

    async fn photos(&self) -> Vec<admin::PhotoView> {
        match self.admin(admin::Request::PhotoList { park: id("p1") }).await {
            Answer::Photos { photos } => photos,
            other => panic!("{other:?}"),
        }
    }
}

/// An appliance with a replica on disk and its link.
struct Appliance {
    replica: Replica,
    device: DeviceId,
    sync: Arc<Sync>,
    _dir: tempfile::TempDir,
}

impl Appliance {
    async fn enrolled(upstream: &Upstream, role: Role, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let replica = Replica::open(dir.path(), &Key::from_bytes([9; 32])).unwrap();
        let request = enrol_request(&upstream.code(role).await, name, id(&format!("request-{name}")));
        let answer = enrol(&upstream.url, None, &request).await.unwrap();
        let again = enrol(&upstream.url, None, &request).await.unwrap();
        assert_eq!(again.device, answer.device, "a lost answer makes no second device");
        replica.write(Priority::Person, |tx| tx.set_enrolled(&answer.device, &answer.hub, clock())).unwrap();
        let policy = Policy { backoff: Backoff { base_ms: 20, cap_ms: 200 }, ..Policy::default() };
        let config =
            SyncConfig { hub_url: upstream.url.clone(), token: answer.token, ca: None, policy, clock, zone: |_| 0 };
        let sync = Sync::start(config, replica.clone()).unwrap();
        let knows = || replica.read(|tx| tx.driver(&id("p1"), &id("v1"))).unwrap().is_some();
        until("the park's driver", knows).await;
        Self { replica, device: answer.device, sync, _dir: dir }
    }

    /// Saves a photo of the driver as the use case does: files, then command and rows.
    fn capture(&self, photo: &str, original: &[u8], thumb: &[u8]) -> Result<Submitted, Error> {
        let put = |class, bytes: &[u8]| self.replica.put_file(&id("v1"), class, bytes).unwrap();
        let (original, thumb) = (put(FileClass::Original, original), put(FileClass::Thumb, thumb));
        let file = |stored: &parkdesk_sqlite::StoredFile| PhotoFile {
            id: stored.id.clone(),
            size_bytes: stored.size_bytes,
            stored: false,
        };
        let command = Command::PhotoCapture(Box::new(PhotoCapture {
            photo: id(photo),
            park: id("p1"),
            driver: id("v1"),
            priority: "admin".into(),
            source: "folder".into(),
            captured_at_ms: clock(),
            original: file(&original),
            portrait: None,
            thumb: file(&thumb),
            crop: None,
            face: None,
            quality: std::collections::BTreeMap::new(),
            codes: vec![],
            override_reason: None,
        }));
        let draft = Draft {
            id: CommandId::of_job("test", &format!("{photo}-{}", self.device)),
            actor: Actor::Device(self.device.clone()),
            now: clock(),
            command,
        };
        let submitted = self.replica.write(Priority::Person, |tx| -> Result<Submitted, Error> {
            tx.add_blob(&original.to_blob(Origin::Local), clock())?;
            tx.add_blob(&thumb.to_blob(Origin::Local), clock())?;
            tx.submit(draft)
        });
        self.sync.poke();
        submitted
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.replica.read_file(&BlobId::of(bytes)).is_ok_and(|held| held == bytes)
    }

    fn is_quiet(&self) -> bool {
        let left =
            self.replica.read(|tx| -> Result<_, Error> { Ok((tx.pending_summary()?.count, tx.uploads_waiting()?)) });
        left.unwrap() == (0, 0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_goes_from_one_appliance_through_the_hub_to_another_and_a_revoked_one_is_out() {
    let upstream = Upstream::start().await;
    let centre = Appliance::enrolled(&upstream, Role::PhotoStaff, "centre").await;
    let office = Appliance::enrolled(&upstream, Role::Operator, "office").await;

    // Three parts up, three ranges down.
    let original: Vec<u8> = (0..2_500_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let thumb = b"a thumb of few bytes".to_vec();
    assert!(matches!(centre.capture("f1", &original, &thumb), Ok(Submitted::Saved { .. })));
    until("both files at the office", || office.has(&original) && office.has(&thumb)).await;
    until("an empty queue", || centre.is_quiet()).await;

    let of = |appliance: &Appliance| appliance.replica.read(|tx| tx.photo(&id("f1"))).unwrap();
    until("the centre's photo is the hub's", || of(&centre).is_some_and(|photo| photo.photo.original.stored)).await;
    let (here, there) = (of(&centre).unwrap(), of(&office).unwrap());
    assert_eq!(here.photo, there.photo, "the replicas are equal");
    let at_hub = upstream.photos().await;
    assert_eq!(at_hub.iter().map(|photo| photo.id.as_str()).collect::<Vec<_>>(), ["f1"]);

    let revoke = admin::Request::DeviceRevoke { device: centre.device.clone() };
    assert!(!matches!(upstream.admin(revoke).await, Answer::Failed { .. } | Answer::Refused { .. }));
    until("the centre knows", || centre.sync.status().state == LinkState::Revoked).await;
    until("the lock", || centre.replica.read(|tx| tx.is_revoked()).unwrap()).await;
    let late = centre.capture("f2", b"too late", b"too late as well");
    assert!(matches!(late, Err(Error::Locked)), "{late:?}");
    assert!(centre.has(&original), "what it has stays");
    assert!(office.sync.status().state == LinkState::Online, "the other one goes on");
    assert_eq!(upstream.photos().await.len(), 1);
    for appliance in [centre, office] {
        appliance.sync.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_enrols_nobody() {
    let upstream = Upstream::start().await;
    let request = enrol_request("ZZZZ-ZZZZ-ZZZZ", "nobody", id("r1"));
    let refused = enrol(&upstream.url, None, &request).await;
    assert!(matches!(refused, Err(EnrolError::BadCode)), "{refused:?}");
    match upstream.admin(admin::Request::DeviceList).await {
        Answer::Devices { devices } => assert!(devices.is_empty()),
        other => panic!("{other:?}"),
    }
}
