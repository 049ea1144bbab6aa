//! Answers to a plan's questions from what this replica holds. What lies in scopes that are not held, or not held to
//! their head yet, is `Unknown`: the plan goes on provisionally and the hub knows.

use parkdesk_domain::command::Actor;
use parkdesk_domain::facts::{Answer, Question, Source, Space};
use parkdesk_domain::rights::{Granted, Rights, Role};
use parkdesk_domain::scope::{Area, Scope};

use crate::error::{Error, Result, parse};
use crate::tx::ReadTx;

pub(crate) struct LocalFacts<'a, 'b>(pub(crate) &'a ReadTx<'b>);

impl ReadTx<'_> {
    /// What an actor may do, as far as this replica holds the grants; `None` while it does not hold them all.
    ///
    /// # Errors
    /// If the file fails.
    pub fn rights_of(&self, actor: &Actor) -> Result<Option<Rights>> {
        match LocalFacts(self).rights(actor)? {
            Answer::Rights(rights) => Ok(Some(rights)),
            Answer::Unknown | Answer::Row(_) | Answer::Ids(_) => Ok(None),
        }
    }
}

impl Source for LocalFacts<'_, '_> {
    type Error = Error;

    fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>> {
        questions.iter().map(|question| self.answer(question)).collect()
    }
}

impl LocalFacts<'_, '_> {
    fn answer(&self, question: &Question) -> Result<Answer> {
        match question {
            Question::Row(row) => Ok(match self.0.body(row)? {
                Some(body) => Answer::Row(Some(body)),
                None if self.0.is_known_whole(&row.scope)? => Answer::Row(None),
                None => Answer::Unknown,
            }),
            Question::Key { scope, space, key } => {
                // With the hints no scope is looked through for the sake of the order.
                let sql = match space {
                    Space::Licence => {
                        "SELECT id FROM drivers INDEXED BY drivers_by_licence WHERE licence_key = ?2 AND scope = ?1 ORDER BY id"
                    }
                    Space::Plate => {
                        "SELECT id FROM cars INDEXED BY cars_by_plate WHERE scope = ?1 AND plate_key = ?2 ORDER BY id"
                    }
                    Space::PhotosOf => {
                        "SELECT id FROM photos INDEXED BY photos_by_driver
                         WHERE scope = ?1 AND driver_id = ?2 AND status <> 'withdrawn' ORDER BY id"
                    }
                    Space::Login => {
                        "SELECT id FROM users INDEXED BY users_by_login WHERE scope = ?1 AND login_key = ?2 ORDER BY id"
                    }
                };
                let ids = self.0.texts(sql, (scope.to_string(), key))?;
                if ids.is_empty() && !self.0.is_known_whole(scope)? {
                    return Ok(Answer::Unknown);
                }
                Ok(Answer::Ids(ids.iter().map(|id| parse("id", id)).collect::<Result<_>>()?))
            }
            Question::Rights(actor) => self.rights(actor),
        }
    }

    /// The grants held. A device's own are in its device scope, so once that is whole they are all. A person's are beside
    /// the people of each park: they are all known once every park that this device has rights in is.
    fn rights(&self, actor: &Actor) -> Result<Answer> {
        Ok(match actor {
            Actor::Device(device) if !self.0.is_known_whole(&Scope::Device(device.clone()))? => Answer::Unknown,
            Actor::Device(_) => Answer::Rights(Rights::of_device(self.granted(actor)?)),
            Actor::User(_) => {
                let Some(device) = self.0.device()? else { return Ok(Answer::Unknown) };
                if !self.0.is_known_whole(&Scope::Device(device.clone()))? {
                    return Ok(Answer::Unknown);
                }
                let cap = self.granted(&Actor::Device(device))?;
                for at in &cap {
                    if !self.0.is_known_whole(&Scope::park(&at.park, Area::Staff))? {
                        return Ok(Answer::Unknown);
                    }
                }
                Answer::Rights(Rights::of_person(self.granted(actor)?, cap))
            }
            // Nobody here speaks for the hub.
            Actor::Hub | Actor::Job(_) => Answer::Rights(Rights::default()),
        })
    }

    fn granted(&self, holder: &Actor) -> Result<Vec<Granted>> {
        let sql = "SELECT role, park_id FROM grants WHERE holder = ?1 ORDER BY id";
        let grants =
            self.0.all(sql, [holder.to_string()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let granted =
            |(role, park): (String, String)| Ok(Granted { role: Role::from(role), park: parse("grant", &park)? });
        grants.into_iter().map(granted).collect()
    }
}
