//! The person at the desk: who may sign in here, who has signed in, and on whose behalf the page's requests act.
//!
//! One person is signed in at an appliance at a time; that ends with signing out, with twelve hours without work, with the
//! end of the program, when the person is removed, and three days after the last contact with the hub, because nobody can
//! be told meanwhile that a right was taken away. Pass codes are checked here, against verifiers that are replicated;
//! wrong tries are counted in the replica, so that a restart forgives none.

use std::sync::{Mutex, PoisonError};

use parkdesk_domain::command::{PersonCreate, PersonRemove, PersonSetPassCode};
use parkdesk_domain::rights::Role;
use parkdesk_domain::{Actor, Command, Millis, RowId, pass_code};
use parkdesk_sqlite::{Person, Priority, ReadTx};
use rand::Rng;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::photos::RecordState;
use crate::sync::LAST_CONTACT;

/// How long rights stand without a word from the hub.
const OFFLINE_MS: i64 = 72 * 3_600_000;
/// How long a person stays signed in without work.
const IDLE_MS: i64 = 12 * 3_600_000;
/// Wrong tries that are free.
const FREE_TRIES: u32 = 5;
const FIRST_LOCK_MS: i64 = 60_000;

/// Who is signed in.
#[derive(Default)]
pub(crate) struct Desk {
    now: Mutex<Option<SignedIn>>,
    /// One try at a time: a crowd of tries would not be counted.
    trying: Mutex<()>,
}

#[derive(Clone)]
struct SignedIn {
    person: RowId,
    worked_at: Millis,
}

/// A person of a park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// The person.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Their park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk.
    pub login: String,
    /// `photo_staff`, `operator`, `senior`, `moderator`, `reviewer` or `admin`.
    #[schema(value_type = String)]
    pub role: Role,
    /// How far the record has come.
    pub state: RecordState,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        let Person { id, user, state } = person;
        Self { id, park: user.park_id, name: user.name, login: user.login, role: user.role, state: state.into() }
    }
}

/// Somebody who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonChoice {
    /// The person.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Their name.
    pub name: String,
    /// Their role.
    #[schema(value_type = String)]
    pub role: Role,
}

/// Who is at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Whether somebody must sign in: there are people at this appliance.
    pub required: bool,
    /// Who has signed in.
    pub person: Option<PersonView>,
    /// Who may.
    pub people: Vec<PersonChoice>,
    /// Until when rights stand without a word from the hub.
    #[schema(value_type = Option<i64>)]
    pub until_ms: Option<Millis>,
    /// What whoever is at the desk may give to others, park by park; everything while that is not known here yet.
    #[serde(default)]
    pub gives: Vec<GivesView>,
}

/// The roles that may be given in a park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivesView {
    /// The park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The roles, the least first; who has one of them may be removed, too.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
}

/// Signs a person in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// Who.
    #[schema(value_type = String)]
    pub person: RowId,
    /// Their pass code.
    pub pass_code: String,
}

/// A new person.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewPerson {
    /// Their park.
    #[schema(value_type = String)]
    pub park: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk.
    pub login: String,
    /// What they may do.
    #[schema(value_type = String)]
    pub role: Role,
    /// Their pass code: 6 to 64 characters. It stays here; what travels is a verifier.
    pub pass_code: String,
}

/// Wrong tries of one person.
#[derive(Default, Serialize, Deserialize)]
struct Tries {
    wrong: u32,
    until_ms: i64,
}

fn tries_of(person: &RowId) -> String {
    format!("desk.tries/{person}")
}

impl App {
    /// These use cases on behalf of a person.
    #[must_use]
    pub fn on_behalf_of(&self, person: RowId) -> Self {
        Self { acting: Some(person), ..self.clone() }
    }

    /// These use cases on behalf of who has signed in; as the appliance itself where nobody can. `works` = the person does
    /// something, and does not only have a page open.
    ///
    /// # Errors
    /// [`Error::SignedOut`].
    pub fn at_desk(&self, works: bool) -> Result<Self> {
        let session = self.session()?;
        match session.person {
            Some(person) => {
                if works && let Some(now) = &mut *self.desk.lock() {
                    now.worked_at = self.now();
                }
                Ok(self.on_behalf_of(person.id))
            }
            None if session.required => Err(self.signed_out(session.until_ms)),
            None => Ok(self.clone()),
        }
    }

    /// Whether who acts may take care of the appliance's key: an administrator or a senior, or the owner of the computer
    /// where nobody signs in.
    ///
    /// # Errors
    /// [`Error::NotYours`].
    pub fn check_keeper(&self) -> Result<()> {
        let Some(acting) = &self.acting else { return Ok(()) };
        let person: Option<Person> = self.replica().read(|tx| tx.person(acting))?;
        match person.map(|person| person.user.role) {
            Some(Role::Admin | Role::Senior) => Ok(()),
            Some(
                Role::Field | Role::PhotoStaff | Role::Operator | Role::Moderator | Role::Reviewer | Role::Other(_),
            )
            | None => Err(Error::NotYours),
        }
    }

    /// Who is at the desk.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn session(&self) -> Result<Session> {
        let (people, contact): (_, Option<i64>) = self.replica().read(|tx| -> Result<_> {
            let contact = tx.setting(LAST_CONTACT)?;
            Ok((tx.people(None)?, contact.and_then(|text| text.parse().ok())))
        })?;
        let heard = self.parts.sync.status().last_contact_at_ms.map_or(0, |at| at.0);
        let until = Millis(heard.max(contact.unwrap_or(0)).saturating_add(OFFLINE_MS));
        let now = self.now();
        let mut signed = self.desk.lock();
        let found = signed.as_ref().and_then(|signed| people.iter().find(|person| person.id == signed.person));
        let is_over = now > until || signed.as_ref().is_some_and(|signed| now.0 > signed.worked_at.0 + IDLE_MS);
        let person = found.filter(|_| !is_over).cloned().map(PersonView::from);
        if person.is_none() {
            *signed = None;
        }
        drop(signed);
        let who = person.as_ref().map(|person| person.id.clone());
        let gives = self.replica().read(|tx| gives(tx, who))?;
        let choice = |person: Person| PersonChoice { id: person.id, name: person.user.name, role: person.user.role };
        Ok(Session {
            required: !people.is_empty(),
            person,
            until_ms: (!people.is_empty()).then_some(until),
            people: people.into_iter().map(choice).collect(),
            gives,
        })
    }

    fn signed_out(&self, until: Option<Millis>) -> Error {
        if until.is_some_and(|until| self.now() > until) {
            return Error::SignedOut(
                "this appliance has not reached the hub for three days, so nobody can work here: connect it to the network, \
                 then sign in again",
            );
        }
        Error::SignedOut("sign in first: choose your name and type your pass code")
    }

    /// Signs a person in. Slow on purpose.
    ///
    /// # Errors
    /// [`Error::WrongPassCode`], [`Error::LockedOut`], [`Error::SignedOut`] when rights stand no longer.
    pub fn sign_in(&self, who: &SignIn) -> Result<Session> {
        let _one = self.desk.trying.lock().unwrap_or_else(PoisonError::into_inner);
        let until = self.session()?.until_ms;
        if until.is_some_and(|until| self.now() > until) {
            return Err(self.signed_out(until));
        }
        let key = tries_of(&who.person);
        let (person, tries) = self.replica().read(|tx| -> Result<_> {
            let tries = tx.setting(&key)?.and_then(|text| serde_json::from_str::<Tries>(&text).ok());
            Ok((tx.person(&who.person)?, tries.unwrap_or_default()))
        })?;
        let person = person.filter(|person| person.user.removed_at_ms.is_none()).ok_or(Error::NotFound("person"))?;
        let now = self.now();
        if now.0 < tries.until_ms {
            return Err(Error::LockedOut(Millis(tries.until_ms)));
        }
        let verifier = person.user.verifier.unwrap_or_default();
        if !pass_code::matches(&who.pass_code, &verifier) {
            return Err(self.note_wrong(&key, tries)?);
        }
        self.replica().write(Priority::Person, |tx| tx.remove_setting(&key)).map_err(Error::from)?;
        *self.desk.lock() = Some(SignedIn { person: person.id, worked_at: now });
        self.session()
    }

    fn note_wrong(&self, key: &str, tries: Tries) -> Result<Error> {
        let wrong = tries.wrong.saturating_add(1);
        let doublings = wrong.saturating_sub(FREE_TRIES).min(16);
        let lock_ms = if wrong >= FREE_TRIES { FIRST_LOCK_MS << doublings } else { 0 };
        let tries = Tries { wrong, until_ms: self.now().0.saturating_add(lock_ms) };
        let text = serde_json::to_string(&tries).map_err(|_| Error::Damaged("tries"))?;
        self.replica().write(Priority::Person, |tx| tx.set_setting(key, &text)).map_err(Error::from)?;
        Ok(if lock_ms > 0 { Error::LockedOut(Millis(tries.until_ms)) } else { Error::WrongPassCode })
    }

    /// Signs out whoever is signed in.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn sign_out(&self) -> Result<Session> {
        *self.desk.lock() = None;
        self.session()
    }

    /// The people of the parks of this appliance, by name.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn list_people(&self) -> Result<Vec<PersonView>> {
        let people: Vec<Person> = self.replica().read(|tx| tx.people(None))?;
        Ok(people.into_iter().map(PersonView::from).collect())
    }

    /// Adds a person. Slow on purpose.
    ///
    /// # Errors
    /// [`Error::BadInput`] for the pass code or the role; [`Error::Refused`].
    pub fn create_person(&self, new: NewPerson) -> Result<PersonView> {
        if !Role::Admin.may_make(&new.role) {
            return Err(Error::BadInput { field: "role", why: "people have another role: see the description" });
        }
        let person = self.new_row_id();
        let verifier = new_verifier(&new.pass_code)?;
        let NewPerson { park, name, login, role, pass_code: _ } = new;
        let command = PersonCreate { person: person.clone(), park, name, login, role, verifier };
        self.submit(Command::PersonCreate(Box::new(command)))?;
        self.get_person(&person)
    }

    /// Gives a person another pass code. Slow on purpose.
    ///
    /// # Errors
    /// [`Error::BadInput`] for the pass code; [`Error::Refused`].
    pub fn set_pass_code(&self, person: &RowId, pass_code: &str) -> Result<PersonView> {
        let park = self.get_person(person)?.park;
        let verifier = new_verifier(pass_code)?;
        self.submit(Command::PersonSetPassCode(PersonSetPassCode { person: person.clone(), park, verifier }))?;
        // Whoever set it vouches for the person: old tries count no more.
        let key = tries_of(person);
        self.replica().write(Priority::Person, |tx| tx.remove_setting(&key)).map_err(Error::from)?;
        self.get_person(person)
    }

    /// Removes a person: they sign in nowhere any more, what they did stays under their name.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] for oneself, and for somebody of a role that one may not give.
    pub fn remove_person(&self, person: &RowId) -> Result<()> {
        let park = self.get_person(person)?.park;
        self.submit(Command::PersonRemove(PersonRemove { person: person.clone(), park }))
    }

    fn get_person(&self, person: &RowId) -> Result<PersonView> {
        let found: Option<Person> = self.replica().read(|tx| tx.person(person))?;
        let live = found.filter(|person| person.user.removed_at_ms.is_none());
        live.map(PersonView::from).ok_or(Error::NotFound("person"))
    }
}

/// The roles that may be given at this desk, park by park.
fn gives(tx: &ReadTx<'_>, who: Option<RowId>) -> Result<Vec<GivesView>> {
    let Some(device) = tx.device()? else { return Ok(Vec::new()) };
    let rights = tx.rights_of(&who.map_or(Actor::Device(device), Actor::User))?;
    let may = |role: &Role, park: &RowId| rights.as_ref().is_none_or(|rights| rights.allow_making(role, park));
    let parks = tx.parks()?.into_iter().map(|park| GivesView {
        roles: Role::OF_PEOPLE.into_iter().filter(|role| may(role, &park.id)).collect(),
        park: park.id,
    });
    Ok(parks.collect())
}

fn new_verifier(code: &str) -> Result<String> {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    let bad = |_| Error::BadInput { field: "pass_code", why: "a pass code has 6 to 64 characters" };
    pass_code::verifier(code, &salt).map_err(bad)
}

impl Desk {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SignedIn>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
