//! The administrator's side: one [`Request`], one [`Answer`], the same whether it comes over the socket of a running hub
//! or from a command line that has the store to itself.
//!
//! Facts change only by commands of the hub, so that replicas learn of them like of anything else.

pub mod import;
pub mod people;
pub mod show;
pub mod socket;
mod view;
pub mod words;

use std::collections::BTreeSet;

use parkdesk_domain::body::{FacePolicy, Park, ParkSettings, Photo};
use parkdesk_domain::command::{Command, DeviceRevoke, ParkCreate, ParkSetFaces, PersonRemove, PersonSetPassCode};
use parkdesk_domain::rights::Role;
use parkdesk_domain::scope::Area;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{Actor, CommandId, DeviceId, Envelope, Kind, Millis, Refusal, RowId, Scope};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::protocol::code::{self, CodeId};
use crate::protocol::enrol::new_uuid;
use crate::store::{self, DeviceView, NewCode, Stats, Store};

pub use self::view::{CodeView, DriverView, ParkView, PhotoView};

/// Longest life of a code.
const MAX_CODE_MINUTES: i64 = 10;

/// What the administrator wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// A new park.
    ParkCreate {
        /// Its name.
        name: String,
        /// The city's id.
        city: String,
        /// Its id; made if absent.
        id: Option<RowId>,
        /// What faces may be used for there.
        #[serde(default = "verify")]
        faces: FacePolicy,
    },
    /// What faces may be used for in a park.
    ParkFaces {
        /// The park.
        park: RowId,
        /// The new policy.
        faces: FacePolicy,
    },
    /// All parks.
    ParkList,
    /// Drivers from a CSV file.
    DriverImport {
        /// The park.
        park: RowId,
        /// The file's text.
        csv: String,
        /// Say what would happen and keep nothing.
        dry_run: bool,
    },
    /// A park's drivers.
    DriverList {
        /// The park.
        park: RowId,
    },
    /// A one-time code for a new appliance.
    EnrolCode {
        /// What it may do.
        role: Role,
        /// Where.
        park: RowId,
        /// What it reads there; by role if empty.
        areas: Vec<String>,
        /// How long the code lives, at most 10.
        minutes: i64,
    },
    /// All appliances.
    DeviceList,
    /// An appliance may no longer come.
    DeviceRevoke {
        /// The device.
        device: DeviceId,
    },
    /// A new person of a park; the pass code was made a verifier where it was typed.
    PersonAdd(people::NewPerson),
    /// A park's people.
    PersonList {
        /// The park.
        park: RowId,
    },
    /// A person's new pass code.
    PersonSetPassCode {
        /// The park.
        park: RowId,
        /// The person.
        person: RowId,
        /// Of the new pass code.
        verifier: String,
    },
    /// A person no longer works there.
    PersonRemove {
        /// The park.
        park: RowId,
        /// The person.
        person: RowId,
    },
    /// A park's photos.
    PhotoList {
        /// The park.
        park: RowId,
    },
    /// Figures.
    Stats,
    /// The store was restored from a backup: begin a new epoch.
    Restored,
    /// Fill all look-up tables anew.
    Reindex,
}

fn verify() -> FacePolicy {
    FacePolicy::Verify
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The park with this id.
    Park(ParkView),
    /// Parks.
    Parks {
        /// By id.
        parks: Vec<ParkView>,
    },
    /// What became of each line.
    Imported(import::Report),
    /// Drivers.
    Drivers {
        /// By id.
        drivers: Vec<DriverView>,
    },
    /// A code, shown once.
    Code(CodeView),
    /// An appliance that may no longer come.
    Revoked(DeviceView),
    /// Appliances.
    Devices {
        /// By name.
        devices: Vec<DeviceView>,
    },
    /// The person with this id.
    Person(people::PersonView),
    /// People who work there.
    People {
        /// By name.
        people: Vec<people::PersonView>,
    },
    /// Photos.
    Photos {
        /// By id.
        photos: Vec<PhotoView>,
    },
    /// Figures.
    Stats(Stats),
    /// Done.
    Done {
        /// What.
        what: Did,
        /// How many rows or scopes.
        count: u64,
    },
    /// Not done, as a plan decided.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// Not done.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// A park's use of faces was changed.
    FacesSet,
    /// A person has a new pass code.
    PassCodeSet,
    /// A person was removed.
    PersonRemoved,
    /// Every scope has a new epoch.
    EpochBegun,
    /// The look-up tables were filled anew.
    Reindexed,
}

/// Why something was not done, besides the rules of the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Problem {
    /// There is no such role.
    NoRole {
        /// As given.
        role: String,
    },
    /// A code cannot live so long.
    BadMinutes {
        /// The longest.
        most: i64,
    },
    /// There is no such park.
    NoPark {
        /// As given.
        park: RowId,
    },
    /// There is no such appliance.
    NoDevice {
        /// As given.
        device: DeviceId,
    },
    /// There is no such area of a park.
    NoArea {
        /// As given.
        area: String,
    },
    /// Something broke.
    Broken {
        /// What.
        cause: String,
    },
}

/// Carries out a request; the scopes in which something is new are to be announced.
///
/// # Errors
/// If the store fails.
pub async fn run<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    request: Request,
) -> store::Result<(Answer, BTreeSet<Scope>)> {
    let nothing = BTreeSet::new();
    Ok(match request {
        Request::ParkCreate { name, city, id, faces } => {
            let id = id.unwrap_or_else(|| RowId::from_uuid(new_uuid(now, rng)));
            let settings = ParkSettings { faces, ..ParkSettings::default() };
            return create_park(store, now, rng, ParkCreate { park: id, name, city, settings }).await;
        }
        Request::ParkFaces { park, faces } => {
            let command = Command::ParkSetFaces(ParkSetFaces { park, faces });
            return done(store, now, rng, command, Did::FacesSet).await;
        }
        Request::DeviceRevoke { device } => return revoke(store, now, rng, device).await,
        Request::PersonAdd(new) => return people::add(store, now, rng, new).await,
        Request::PersonSetPassCode { park, person, verifier } => {
            let args = PersonSetPassCode { person, park, verifier };
            return done(store, now, rng, Command::PersonSetPassCode(args), Did::PassCodeSet).await;
        }
        Request::PersonRemove { park, person } => {
            let command = Command::PersonRemove(PersonRemove { person, park });
            return done(store, now, rng, command, Did::PersonRemoved).await;
        }
        Request::PersonList { park } => (Answer::People { people: people::list(store, &park).await? }, nothing),
        Request::DriverImport { park, csv, dry_run } => {
            let (report, touched) = import::run(store, now, &park, &csv, dry_run).await?;
            (Answer::Imported(report), touched)
        }
        Request::EnrolCode { role, park, areas, minutes } => {
            (enrol_code(store, now, rng, role, park, &areas, minutes).await?, nothing)
        }
        Request::ParkList => (Answer::Parks { parks: list_parks(store).await? }, nothing),
        Request::DriverList { park } => (Answer::Drivers { drivers: list_drivers(store, &park).await? }, nothing),
        Request::DeviceList => (Answer::Devices { devices: store.list_devices().await? }, nothing),
        Request::PhotoList { park } => (Answer::Photos { photos: list_photos(store, &park).await? }, nothing),
        Request::Stats => (Answer::Stats(store.stats().await?), nothing),
        Request::Restored => (Answer::Done { what: Did::EpochBegun, count: store.begin_epoch(now).await? }, nothing),
        Request::Reindex => (Answer::Done { what: Did::Reindexed, count: store.reindex().await? }, nothing),
    })
}

async fn issue<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    command: Command,
) -> store::Result<(Option<Refusal>, BTreeSet<Scope>)> {
    let id = CommandId::from_uuid(new_uuid(now, rng));
    let envelope = Envelope::of_hub(id, Actor::Hub, now, command);
    let (verdicts, touched) = store.issue(vec![envelope], false, now).await?;
    let refusal = verdicts.into_iter().find_map(|verdict| match verdict {
        Verdict::Rejected { refusal } => Some(*refusal),
        Verdict::Applied { .. } | Verdict::Duplicate { .. } | Verdict::Merged { .. } | Verdict::Deferred { .. } => None,
    });
    Ok((refusal, touched))
}

async fn create_park<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    args: ParkCreate,
) -> store::Result<(Answer, BTreeSet<Scope>)> {
    let view = ParkView { id: args.park.clone(), name: args.name.clone(), city: args.city.clone() };
    let (refusal, touched) = issue(store, now, rng, Command::ParkCreate(args)).await?;
    let answer = match refusal {
        Some(refusal) => Answer::Refused { refusal },
        None => Answer::Park(view),
    };
    Ok((answer, touched))
}

/// Issues a command that has no answer but that it is done.
async fn done<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    command: Command,
    what: Did,
) -> store::Result<(Answer, BTreeSet<Scope>)> {
    let (refusal, touched) = issue(store, now, rng, command).await?;
    Ok((refusal.map_or(Answer::Done { what, count: 1 }, |refusal| Answer::Refused { refusal }), touched))
}

async fn revoke<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    device: DeviceId,
) -> store::Result<(Answer, BTreeSet<Scope>)> {
    let args = DeviceRevoke { device: device.clone() };
    let (_, touched) = issue(store, now, rng, Command::DeviceRevoke(args)).await?;
    let found = store.list_devices().await?.into_iter().find(|view| view.id == device);
    let answer = found.map_or(Answer::Failed { problem: Problem::NoDevice { device } }, Answer::Revoked);
    Ok((answer, touched))
}

/// What a device of this role reads in its park: whoever has a desk knows the people who may sign in there.
fn areas_of(role: &Role) -> Option<&'static [Area]> {
    Some(match role {
        Role::Field => &[Area::Directory],
        Role::PhotoStaff | Role::Operator => &[Area::Directory, Area::Fleet, Area::Staff, Area::Photos, Area::Faces],
        Role::Senior | Role::Admin => {
            &[Area::Directory, Area::Fleet, Area::Staff, Area::Photos, Area::Faces, Area::Chats]
        }
        Role::Moderator => &[Area::Directory, Area::Staff, Area::Photos],
        Role::Reviewer => &[Area::Directory, Area::Staff, Area::Photos, Area::Faces],
        Role::Other(_) => return None,
    })
}

async fn enrol_code<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    role: Role,
    park: RowId,
    areas: &[String],
    minutes: i64,
) -> store::Result<Answer> {
    let failed = |problem| Ok(Answer::Failed { problem });
    let Some(usual) = areas_of(&role) else {
        return failed(Problem::NoRole { role: role.into() });
    };
    if !(1..=MAX_CODE_MINUTES).contains(&minutes) {
        return failed(Problem::BadMinutes { most: MAX_CODE_MINUTES });
    }
    if !list_parks(store).await?.iter().any(|p| p.id == park) {
        return failed(Problem::NoPark { park });
    }
    let mut scopes = Vec::new();
    if areas.is_empty() {
        scopes.extend(usual.iter().map(|area| Scope::park(&park, *area)));
    }
    for area in areas {
        match format!("park/{park}/{area}").parse() {
            Ok(scope) => scopes.push(scope),
            Err(_) => return failed(Problem::NoArea { area: area.clone() }),
        }
    }
    let expires_at = now.plus(minutes * 60_000);
    loop {
        let code = code::new_code(rng);
        let Some(CodeId { handle, hash }) = code::parse(&code) else {
            return failed(Problem::Broken { cause: "BUG: a new code does not read".into() });
        };
        let (parks, scopes) = (vec![park.clone()], scopes.clone());
        let new = NewCode { handle, hash, role: role.clone(), parks, scopes, expires_at };
        // Of a million handles another code may have this one.
        if store.add_code(new, now).await? {
            return Ok(Answer::Code(CodeView { code, expires_at_ms: expires_at, role, park }));
        }
    }
}

fn decode<T: serde::de::DeserializeOwned>(body: &str) -> store::Result<T> {
    serde_json::from_str(body).map_err(|e| store::Error::Poison(e.to_string()))
}

async fn list_parks<S: Store>(store: &S) -> store::Result<Vec<ParkView>> {
    let rows = store.list_rows(&Scope::Org, &Kind::Park).await?;
    let view = |(id, body): (RowId, String)| {
        let park: Park = decode(&body)?;
        Ok(ParkView { id, name: park.name, city: park.city })
    };
    rows.into_iter().map(view).collect()
}

async fn list_drivers<S: Store>(store: &S, park: &RowId) -> store::Result<Vec<DriverView>> {
    let fleet = Scope::park(park, Area::Fleet);
    let cars: std::collections::BTreeMap<RowId, String> = store
        .list_rows(&fleet, &Kind::Car)
        .await?
        .into_iter()
        .map(|(id, body)| Ok((id, decode::<parkdesk_domain::body::Car>(&body)?.plate)))
        .collect::<store::Result<_>>()?;
    let view = |(id, body): (RowId, String)| {
        let driver: parkdesk_domain::body::Driver = decode(&body)?;
        Ok(DriverView {
            id,
            name: driver.full_name(),
            phones: driver.phones,
            licence: driver.licence.map(|licence| licence.number),
            plate: driver.car_id.and_then(|car| cars.get(&car).cloned()),
        })
    };
    store.list_rows(&fleet, &Kind::Driver).await?.into_iter().map(view).collect()
}

async fn list_photos<S: Store>(store: &S, park: &RowId) -> store::Result<Vec<PhotoView>> {
    let rows = store.list_rows(&Scope::park(park, Area::Photos), &Kind::Photo).await?;
    let view = |(id, body): (RowId, String)| {
        let photo: Photo = decode(&body)?;
        Ok(PhotoView {
            id,
            driver: photo.driver_id,
            status: photo.status.as_str().to_owned(),
            original_stored: photo.original.stored,
            portrait_stored: photo.portrait.map(|file| file.stored),
            thumb_stored: photo.thumb.stored,
            original: photo.original.id,
        })
    };
    rows.into_iter().map(view).collect()
}
