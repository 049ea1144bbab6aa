//! People of a park, for the administrator: the way into a park that has nobody yet, and out of a forgotten pass code.

use std::collections::BTreeSet;

use parkdesk_domain::body::User;
use parkdesk_domain::command::{Command, PersonCreate};
use parkdesk_domain::rights::Role;
use parkdesk_domain::scope::Area;
use parkdesk_domain::{Kind, Millis, RowId, Scope};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Answer, decode, issue};
use crate::protocol::enrol::new_uuid;
use crate::store::{self, Store};

/// A new person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPerson {
    /// The park.
    pub park: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk.
    pub login: String,
    /// What the person may do.
    pub role: Role,
    /// Of the pass code.
    pub verifier: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// The person's id.
    pub id: RowId,
    /// The park.
    pub park: RowId,
    /// The name that others see.
    pub name: String,
    /// What is typed at the desk.
    pub login: String,
    /// What the person may do.
    pub role: Role,
}

pub(super) async fn add<S: Store>(
    store: &S,
    now: Millis,
    rng: &mut (impl Rng + Send),
    new: NewPerson,
) -> store::Result<(Answer, BTreeSet<Scope>)> {
    let NewPerson { park, name, login, role, verifier } = new;
    let id = RowId::from_uuid(new_uuid(now, rng));
    let view =
        PersonView { id: id.clone(), park: park.clone(), name: name.clone(), login: login.clone(), role: role.clone() };
    let args = PersonCreate { person: id, park, name, login, role, verifier };
    let (refusal, touched) = issue(store, now, rng, Command::PersonCreate(Box::new(args))).await?;
    Ok((refusal.map_or(Answer::Person(view), |refusal| Answer::Refused { refusal }), touched))
}

pub(super) async fn list<S: Store>(store: &S, park: &RowId) -> store::Result<Vec<PersonView>> {
    let mut people = Vec::new();
    for (id, body) in store.list_rows(&Scope::park(park, Area::Staff), &Kind::User).await? {
        let user: User = decode(&body)?;
        if user.removed_at_ms.is_none() {
            people.push(PersonView { id, park: user.park_id, name: user.name, login: user.login, role: user.role });
        }
    }
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(people)
}
