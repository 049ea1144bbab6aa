//! The persons' data keys (`keys.db`): an encrypted file of its own, so that backups of the store hold none and
//! destroying a key destroys everything that was sealed with it (architecture, invariant 8).
//!
//! A key is made at first use and durable before anything is sealed with it.

use std::path::Path;

use parkdesk_domain::Millis;
use parkdesk_sqlcipher::sealed::PersonKey;
use parkdesk_sqlcipher::system::Sys;
use parkdesk_sqlcipher::{File, Key, OpenError, OpenMode, Priority, Steps};
use rusqlite::{OptionalExtension, named_params};

use super::postgres::{Postgres, Vault};
use super::{Error, Result};

const STEPS: Steps = &[("V1__person_keys", include_str!("../../migrations/keys_V1__person_keys.sql"))];

/// The key store.
#[derive(Debug, Clone)]
pub struct PersonKeys(Place);

#[derive(Debug, Clone)]
enum Place {
    File { system: Sys, file: File },
    Postgres(Vault),
}

impl PersonKeys {
    /// Opens `keys.db` in the folder, or makes it if `mode` says so.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(system: &Sys, dir: &Path, key: &Key, mode: OpenMode) -> std::result::Result<Self, OpenError> {
        let file = File::open_on(system, &dir.join("keys.db"), key, STEPS, mode)?;
        Ok(Self(Place::File { system: Sys::clone(system), file }))
    }

    /// The keys that all processes of a hub on PostgreSQL share.
    #[must_use]
    pub fn of(store: &Postgres) -> Self {
        Self(Place::Postgres(store.vault()))
    }

    /// The person's key, if there is one.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find(&self, person: &str) -> Result<Option<PersonKey>> {
        let file = match &self.0 {
            Place::File { file, .. } => file,
            Place::Postgres(vault) => return vault.find(person),
        };
        file.read(|tx| {
            let key = tx
                .prepare_cached("SELECT key FROM person_keys WHERE person = :person")
                .map_err(broken)?
                .query_row(named_params! {":person": person}, |row| row.get("key"))
                .optional()
                .map_err(broken)?;
            Ok(key.map(PersonKey::from_bytes))
        })
    }

    /// The person's key, made now if there is none.
    ///
    /// # Errors
    /// If the store fails or the system gives no random bytes.
    pub fn get_or_make(&self, person: &str, now: Millis) -> Result<PersonKey> {
        let (system, file) = match &self.0 {
            Place::File { system, file } => (system, file),
            Place::Postgres(vault) => return vault.get_or_make(person, now),
        };
        if let Some(key) = self.find(person)? {
            return Ok(key);
        }
        let fresh = PersonKey::random(&**system).map_err(|e| Error::Failed(e.to_string()))?;
        file.write(Priority::Person, |tx| {
            // Another request may have made it meanwhile: the first one stands.
            let key = tx
                .query_row(
                    "INSERT INTO person_keys (person, key, made_at_ms) VALUES (:person, :key, :now)
                     ON CONFLICT (person) DO UPDATE SET key = key RETURNING key",
                    named_params! {":person": person, ":key": fresh.as_bytes(), ":now": now.0},
                    |row| row.get("key"),
                )
                .map_err(broken)?;
            Ok(PersonKey::from_bytes(key))
        })
    }
}

fn broken(error: rusqlite::Error) -> Error {
    parkdesk_sqlcipher::Error::from(error).into()
}
