//! People of the parks whose staff is held here: who may sign in at this appliance, and whose names photos and decisions
//! carry.

use parkdesk_domain::body::User;
use parkdesk_domain::ids::RowId;
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::scope::Scope;

use crate::error::{Result, parse};
use crate::rows::RowState;
use crate::tx::ReadTx;

/// A person of a park. Not for serialising: it holds the verifier of the pass code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: RowId,
    /// Name, login, role and verifier.
    pub user: User,
    /// Where the row stands.
    pub state: RowState,
}

impl ReadTx<'_> {
    /// The people who work in a park, or in all held here, by name.
    ///
    /// # Errors
    /// If the file fails.
    pub fn people(&self, park: Option<&RowId>) -> Result<Vec<Person>> {
        let sql = "SELECT scope, id FROM users WHERE removed_at_ms IS NULL AND (?1 IS NULL OR park_id = ?1)
                   ORDER BY name, id, scope";
        self.people_of(sql, [park.map(RowId::as_str)])
    }

    /// A person, also one who no longer works there (their name stays in the story).
    ///
    /// # Errors
    /// If the file fails.
    pub fn person(&self, id: &RowId) -> Result<Option<Person>> {
        let sql = "SELECT scope, id FROM users WHERE id = ?1 ORDER BY removed_at_ms IS NOT NULL, scope LIMIT 1";
        Ok(self.people_of(sql, [id.as_str()])?.pop())
    }

    fn people_of(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Person>> {
        let rows = self.all(sql, params, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut people = Vec::new();
        for (scope, id) in rows {
            let (scope, id): (Scope, RowId) = (parse("scope", &scope)?, parse("person", &id)?);
            let Some(user) = self.entity::<User>(&scope, &id)? else { continue };
            let state = self.row_state(&RowRef { scope, kind: Kind::User, id: id.clone() })?;
            people.push(Person { id, user, state });
        }
        Ok(people)
    }
}
