//! Files and keys on disk: the folder of sealed objects, and the key store with one key per person, a SQLCipher file of its
//! own with the replica's key. Destroying a person's key makes everything sealed with it unreadable, wherever a copy lies
//! (architecture, invariant 8).

use std::collections::BTreeMap;
use std::path::Path;

use parkdesk_domain::body::FileClass;
use parkdesk_domain::ids::{BlobId, RowId};
use parkdesk_sqlcipher::sealed::{self, Folder, ObjectName, PersonKey};
use parkdesk_sqlcipher::system::{Sys, SystemRng, os};
use parkdesk_sqlcipher::{File, Key, OpenMode, Priority, Steps};
use rand::rand_core::UnwrapErr;
use rusqlite::OptionalExtension;

use crate::blobs::{NewBlob, Origin};
use crate::error::{Error, OpenError, Result};

const KEY_STEPS: Steps = &[("V1__keys", include_str!("../migrations/keys_0001.sql"))];

/// The folder and the key store of a replica.
pub(crate) struct Files {
    system: Sys,
    keys: File,
    /// `None` in memory.
    folder: Option<Folder>,
}

/// A file in the store, not yet remembered by any row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// SHA-256 of the plain bytes.
    pub id: BlobId,
    /// Its object.
    pub object: ObjectName,
    /// Number of plain bytes.
    pub size_bytes: u64,
    /// Whose key seals it.
    pub person: RowId,
    /// What it is for.
    pub class: FileClass,
}

impl StoredFile {
    /// What [`crate::WriteTx::add_blob`] is to remember.
    #[must_use]
    pub fn to_blob(&self, origin: Origin) -> NewBlob {
        NewBlob {
            id: self.id.clone(),
            size_bytes: self.size_bytes,
            object: self.object.clone(),
            person: self.person.clone(),
            class: self.class,
            origin,
        }
    }
}

/// The system's generator; without it nothing can be sealed.
pub(crate) fn rng(system: &Sys) -> UnwrapErr<SystemRng> {
    UnwrapErr(SystemRng(Sys::clone(system)))
}

impl Files {
    pub(crate) fn open(system: &Sys, dir: &Path, key: &Key, mode: OpenMode) -> std::result::Result<Self, OpenError> {
        let keys = File::open_on(system, &dir.join("keys.db"), key, KEY_STEPS, mode)?;
        keys.set_secure_delete().map_err(Error::from)?;
        let folder = Some(Folder::open(system, &dir.join("blobs"))?);
        Ok(Self { system: Sys::clone(system), keys, folder })
    }

    pub(crate) fn in_memory() -> std::result::Result<Self, OpenError> {
        Ok(Self { system: os(), keys: File::in_memory(KEY_STEPS)?, folder: None })
    }

    fn folder(&self) -> Result<&Folder> {
        self.folder.as_ref().ok_or(Error::Missing { what: "folder of", id: "a replica in memory".into() })
    }

    /// The person's key, made at first use.
    pub(crate) fn person_key(&self, person: &RowId) -> Result<PersonKey> {
        let sql = "SELECT key FROM person_keys WHERE person = ?1";
        let find = |tx: &rusqlite::Transaction<'_>| -> Result<Option<Option<Vec<u8>>>> {
            Ok(tx.prepare_cached(sql)?.query_row([person.as_str()], |row| row.get(0)).optional()?)
        };
        let found = self.keys.read(find)?;
        let found = match found {
            Some(found) => Some(found),
            None => self.keys.write(Priority::Person, |tx| {
                let new = PersonKey::random(&*self.system).map_err(|error| Error::Sealed(error.into()))?;
                let sql = "INSERT OR IGNORE INTO person_keys (person, key) VALUES (?1, ?2)";
                tx.execute(sql, (person.as_str(), new.as_bytes()))?;
                find(tx)
            })?,
        };
        let bytes = found.flatten().ok_or_else(|| Error::KeyDestroyed(person.clone()))?;
        key_of(person, &bytes)
    }

    /// All keys there are, for opening much at once; none is made for the asking.
    pub(crate) fn all_keys(&self) -> Result<BTreeMap<String, PersonKey>> {
        let rows: Vec<(String, Vec<u8>)> = self.keys.read(|tx| -> Result<_> {
            let mut query = tx.prepare_cached("SELECT person, key FROM person_keys WHERE key IS NOT NULL")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })?;
        rows.into_iter()
            .filter_map(|(person, bytes)| Some((person, PersonKey::from_bytes(bytes.try_into().ok()?))))
            .map(Ok)
            .collect()
    }

    /// Overwrites the person's key in file and log.
    pub(crate) fn destroy_key(&self, person: &RowId) -> Result<()> {
        self.keys.write(Priority::Person, |tx| -> Result<()> {
            // Two steps, so that the key's own bytes are overwritten whatever the row's new size.
            let sql = "INSERT INTO person_keys (person, key) VALUES (?1, zeroblob(32))
                       ON CONFLICT (person) DO UPDATE SET key = excluded.key";
            tx.execute(sql, [person.as_str()])?;
            tx.execute("UPDATE person_keys SET key = NULL WHERE person = ?1", [person.as_str()])?;
            Ok(())
        })?;
        Ok(self.keys.checkpoint()?)
    }

    pub(crate) fn put(&self, person: &RowId, class: FileClass, plain: &[u8]) -> Result<StoredFile> {
        let key = self.person_key(person)?;
        let object = ObjectName::random(&mut rng(&self.system));
        let sealed = sealed::seal(&key, object.as_str(), plain, &mut rng(&self.system));
        self.folder()?.put(&object, &sealed)?;
        let size_bytes = plain.len() as u64;
        Ok(StoredFile { id: BlobId::of(plain), object, size_bytes, person: person.clone(), class })
    }

    pub(crate) fn get(&self, person: &RowId, object: &ObjectName) -> Result<Vec<u8>> {
        self.get_with(&self.person_key(person)?, object)
    }

    /// The plain bytes, with a key of [`Self::all_keys`].
    pub(crate) fn get_with(&self, key: &PersonKey, object: &ObjectName) -> Result<Vec<u8>> {
        Ok(sealed::open(key, object.as_str(), &self.folder()?.get(object)?)?)
    }

    /// Bytes of an object as it lies in the folder.
    pub(crate) fn sealed_size(&self, object: &ObjectName) -> Result<u64> {
        Ok(self.folder()?.stat(object)?.size)
    }

    pub(crate) fn remove(&self, object: &ObjectName) -> Result<()> {
        Ok(self.folder()?.delete(object)?)
    }

    pub(crate) fn objects(&self) -> Result<Vec<ObjectName>> {
        Ok(self.folder.as_ref().map(Folder::names).transpose()?.unwrap_or_default())
    }

    /// Seals something small that lies in the replica itself.
    pub(crate) fn seal(&self, person: &RowId, name: &str, plain: &[u8]) -> Result<Vec<u8>> {
        Ok(sealed::seal(&self.person_key(person)?, name, plain, &mut rng(&self.system)))
    }
}

fn key_of(person: &RowId, bytes: &[u8]) -> Result<PersonKey> {
    let bytes = bytes.try_into().map_err(|_| Error::KeyDestroyed(person.clone()))?;
    Ok(PersonKey::from_bytes(bytes))
}
