//! Enrolment of a data directory: from the command line and from the page alike. The caller owns the directory.
//!
//! The request's id and the answer are kept in the replica, so that trying again after a lost answer uses up no code and
//! makes no second device. Beside old data a new one is made ready in a folder of its own and takes the old one's place only
//! when the hub took the code (`a_refused_code_leaves_the_old_data_where_it_is`).

use std::path::{Path, PathBuf};

use parkdesk_app::installation::{EnrolError, EnrolFault};
use parkdesk_app::keys::ring::Ring;
use parkdesk_app::keys::{KeyPlace, KeysError};
use parkdesk_app::sync::LAST_CONTACT;
use parkdesk_domain::RowId;
use parkdesk_domain::body::Device;
use parkdesk_domain::scope::Scope;
use parkdesk_sqlcipher::recovery::RecoveryCode;
use parkdesk_sqlite::{Identity, Priority, Replica};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::clock;
use crate::enrol::{self, enrol_request};
use crate::http::ClientError;

const REQUEST: &str = "enrol.request";
const TOKEN: &str = "hub.token";
const LINK: &str = "hub.link";
/// As the rules of the domain have it.
const LONGEST_NAME: usize = 100;

/// How the hub is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
    /// A file with the authority to trust, read at every start.
    ca: Option<PathBuf>,
    /// The same as it was given on the page.
    #[serde(default)]
    pem: Option<String>,
}

impl Link {
    /// The only authority to trust, if there is one.
    pub(super) fn authority(&self) -> Result<Option<Vec<u8>>, String> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        match &self.pem {
            Some(pem) => Ok(Some(pem.clone().into_bytes())),
            None => self.ca.as_ref().map(read).transpose(),
        }
    }
}

/// The authority that a hub with a certificate of its own has.
#[derive(Debug, Clone)]
pub enum Authority {
    /// The system's.
    System,
    /// A PEM file, to be read at every start.
    File(PathBuf),
    /// PEM text.
    Pem(String),
}

/// What is asked of a hub.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its address.
    pub hub: String,
    /// The one-time code.
    pub code: String,
    /// The appliance's name for people.
    pub name: String,
    /// Whom to trust.
    pub authority: Authority,
    /// Data that belongs to a device of this hub already (revoked, or its token is lost) comes again as a new device, with
    /// everything it holds and has not sent.
    pub again: bool,
}

/// A data directory that a hub took in.
#[derive(Debug)]
pub struct Done {
    /// Who it is now.
    pub identity: Identity,
    /// The recovery code of data that nobody has seen one of yet: to be shown once.
    pub recovery: Option<RecoveryCode>,
    /// Where the old data is now.
    pub moved: Option<PathBuf>,
}

/// Enrols the directory of `place`; `beside_old` keeps old data aside and begins anew. Blocking: call it from a thread of
/// `runtime` that may block, or from none of its threads.
///
/// # Errors
/// [`EnrolError`]; the data is as it was.
pub fn enrol(
    place: &KeyPlace,
    ring: &dyn Ring,
    wish: &Wish,
    beside_old: bool,
    runtime: &Handle,
) -> Result<Done, EnrolError> {
    check_name(&wish.name)?;
    let staged = place.staged();
    // Beside old data, or an enrolment beside it that was cut off after the old data was moved.
    if (beside_old && place.has_replica()) || (!place.has_replica() && staged.has_replica()) {
        let done = enrol_staged(place, ring, wish, runtime)?;
        let moved = swap(place)?;
        return Ok(Done { moved, ..done });
    }
    let (replica, recovery) = open(place, ring)?;
    let recovery = unread_code(place, ring, &replica, recovery)?;
    let identity = enrol_replica(&replica, wish, runtime)?;
    Ok(Done { identity, recovery, moved: None })
}

/// Data that belongs to no hub yet has shown its recovery code to nobody: a first try that was refused made the key, and its
/// code went with the refusal. A new one is made, so that the try that succeeds shows one.
pub(super) fn unread_code(
    place: &KeyPlace,
    ring: &dyn Ring,
    replica: &Replica,
    made: Option<RecoveryCode>,
) -> Result<Option<RecoveryCode>, EnrolError> {
    if made.is_some() || replica.read(|tx| tx.identity()).map_err(|error| unread(&error))?.is_some() {
        return Ok(made);
    }
    place.renew_recovery(ring).map(Some).map_err(|error| of_keys(&error))
}

/// Makes a new replica ready beside the old data. One that is there may be enrolled already: its swap was cut off.
pub(super) fn enrol_staged(
    place: &KeyPlace,
    ring: &dyn Ring,
    wish: &Wish,
    runtime: &Handle,
) -> Result<Done, EnrolError> {
    check_name(&wish.name)?;
    let staged = place.staged();
    let (replica, recovery) = open(&staged, ring)?;
    let recovery = unread_code(&staged, ring, &replica, recovery)?;
    let identity = match replica.read(|tx| tx.identity()).map_err(|error| unread(&error))? {
        Some(identity) => identity,
        None => enrol_replica(&replica, wish, runtime)?,
    };
    Ok(Done { identity, recovery, moved: None })
}

fn open(place: &KeyPlace, ring: &dyn Ring) -> Result<(Replica, Option<RecoveryCode>), EnrolError> {
    let opened = place.open(ring).map_err(|error| of_keys(&error))?;
    let replica = Replica::open(&place.dir, &opened.key)
        .map_err(|error| problem(EnrolFault::Data, format!("the data does not open: {error}")))?;
    Ok((replica, opened.recovery))
}

/// Enrols an open replica.
pub(super) fn enrol_replica(replica: &Replica, wish: &Wish, runtime: &Handle) -> Result<Identity, EnrolError> {
    check_name(&wish.name)?;
    let before = replica.read(|tx| tx.identity()).map_err(|error| unread(&error))?;
    if let Some(identity) = before.as_ref().filter(|_| !wish.again) {
        return Err(problem(
            EnrolFault::AlreadyEnrolled,
            format!(
                "this data already belongs to the hub {} as the device {}: nothing was changed. If that device was revoked, \
                 add --again to the same command: the data and what was not sent stay. To begin anew keep the old data \
                 aside: add --beside-old",
                identity.hub, identity.device
            ),
        ));
    }
    let (ca, pem) = match &wish.authority {
        Authority::System => (None, None),
        Authority::File(path) => (Some(path.clone()), None),
        Authority::Pem(pem) => (None, Some(pem.clone())),
    };
    let link = Link { url: wish.hub.trim().to_owned(), ca, pem };
    let authority = link.authority().map_err(|why| problem(EnrolFault::Tls, format!("the certificate file {why}")))?;
    let mut request = enrol_request(&wish.code, &wish.name, request_id(replica, &wish.code)?);
    request.was = before.map(|identity| identity.device);
    let asked = runtime.block_on(enrol::enrol(&link.url, authority.as_deref(), &request));
    let answer = asked.map_err(|error| of_hub(&error))?;
    let link = serde_json::to_string(&link).map_err(|error| unread(&error))?;
    replica
        .write(Priority::Person, |tx| {
            tx.set_enrolled_again(&answer.device, &answer.hub, clock::now())?;
            tx.set_setting(TOKEN, &answer.token)?;
            tx.set_setting(LINK, &link)?;
            tx.set_setting(LAST_CONTACT, &clock::now().0.to_string())?;
            tx.remove_setting(REQUEST)
        })
        .map_err(|error: parkdesk_sqlite::Error| {
            if matches!(error, parkdesk_sqlite::Error::AlreadyEnrolled) {
                let text = "the data belongs to another hub and was not changed: give the address of that hub, or begin anew \
                            with --beside-old";
                return problem(EnrolFault::AlreadyEnrolled, text.into());
            }
            let text = format!("the hub's answer could not be saved ({error}): try again, the code is not used up");
            problem(EnrolFault::Data, text)
        })?;
    let identity = replica.read(|tx| tx.identity()).map_err(|error| unread(&error))?;
    identity.ok_or_else(|| problem(EnrolFault::Data, "the data lost its identity".into()))
}

/// Puts the staged data in place of the old, which is kept; if that fails, the old stays.
pub(super) fn swap(place: &KeyPlace) -> Result<Option<PathBuf>, EnrolError> {
    let moving =
        |error: KeysError| problem(EnrolFault::Data, format!("the old data could not be moved aside: {error}"));
    let label = clock::now().0.to_string();
    let aside = if place.has_replica() { Some(place.set_aside(&label).map_err(moving)?) } else { None };
    if let Err(error) = place.take_staged() {
        put_back(place, aside.as_deref()).map_err(moving)?;
        return Err(moving(error));
    }
    Ok(aside)
}

fn put_back(place: &KeyPlace, aside: Option<&Path>) -> Result<(), KeysError> {
    aside.map_or(Ok(()), |aside| place.put_back(aside))
}

/// What the hub would refuse, said before anything is made.
///
/// # Errors
/// If the name is empty or too long.
pub fn check_name(name: &str) -> Result<(), EnrolError> {
    let text = match name.trim().chars().count() {
        0 => "the name (--name) is empty: give the appliance a name for people; nothing was changed".to_owned(),
        1..=LONGEST_NAME => return Ok(()),
        count => {
            format!("the name (--name) has {count} characters, at most {LONGEST_NAME} fit; nothing was changed")
        }
    };
    Err(problem(EnrolFault::Name, text))
}

/// The link kept at enrolment, with the token.
pub(super) fn link(replica: &Replica) -> Result<Option<(Link, String)>, String> {
    let setting = |name| replica.read(|tx| tx.setting(name)).map_err(|error: parkdesk_sqlite::Error| error.to_string());
    let (Some(link), Some(token)) = (setting(LINK)?, setting(TOKEN)?) else { return Ok(None) };
    let link = serde_json::from_str(&link).map_err(|_| "the hub's address in the data cannot be read: enrol anew")?;
    Ok(Some((link, token)))
}

/// The appliance's name, once the hub's word of it has come.
pub(super) fn device_name(replica: &Replica) -> Option<String> {
    let row = replica.read(|tx| -> parkdesk_sqlite::Result<Option<Device>> {
        let Some(device) = tx.device()? else { return Ok(None) };
        let Ok(id) = device.as_str().parse::<RowId>() else { return Ok(None) };
        tx.entity(&Scope::Device(device), &id)
    });
    row.ok().flatten().map(|device| device.name)
}

/// The same code is asked for with the same request until there is an answer; another code is another request.
fn request_id(replica: &Replica, code: &str) -> Result<RowId, EnrolError> {
    let kept = replica.read(|tx| tx.setting(REQUEST)).map_err(|error| unread(&error))?;
    let code = parkdesk_domain::BlobId::of(code.trim().as_bytes());
    if let Some((of, id)) = kept.as_deref().and_then(|kept| kept.split_once(' '))
        && of == code.as_str()
    {
        return id.parse().map_err(|_| problem(EnrolFault::Data, "the kept request cannot be read".into()));
    }
    let id = RowId::from_uuid(Uuid::new_v4());
    let text = format!("{code} {id}");
    let kept = replica.write(Priority::Person, |tx| tx.set_setting(REQUEST, &text));
    kept.map_err(|error: parkdesk_sqlite::Error| unread(&error))?;
    Ok(id)
}

fn problem(why: EnrolFault, message: String) -> EnrolError {
    EnrolError { why, message }
}

fn unread(error: &dyn std::error::Error) -> EnrolError {
    problem(EnrolFault::Data, format!("the data cannot be read or written: {error}"))
}

/// The text of a key that cannot be had stays whole: it names the ways on.
fn of_keys(error: &KeysError) -> EnrolError {
    problem(EnrolFault::Key, error.to_string())
}

fn of_hub(error: &enrol::EnrolError) -> EnrolError {
    use enrol::EnrolError as E;
    let why = match error {
        E::BadCode => EnrolFault::WrongCode,
        E::Busy { .. } => EnrolFault::TooManyTries,
        E::Unreachable | E::HubFailed => EnrolFault::Unreachable,
        E::NotHub | E::NotUnderstood(_) | E::Client(ClientError::BadUrl(_) | ClientError::Client(_)) => {
            EnrolFault::NotAHub
        }
        E::NotTrusted | E::Client(ClientError::NotSecure(_) | ClientError::BadCa(_)) => EnrolFault::Tls,
    };
    problem(why, error.to_string())
}
