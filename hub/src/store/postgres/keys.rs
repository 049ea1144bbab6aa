//! The persons' keys in PostgreSQL, each sealed with a key made of the hub's own, which is in no database: whoever reads
//! the table opens nothing, and two hub processes with the same `hub.key` share the persons.
//!
//! Files are sealed and opened on threads that may block, so this side waits without `async`: a thread of its own holds
//! one connection and answers.

use std::sync::mpsc;
use std::time::Duration;

use parkdesk_domain::Millis;
use parkdesk_sqlcipher::Key;
use parkdesk_sqlcipher::sealed::{self, PersonKey};
use parkdesk_sqlcipher::system::os;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use super::connect::Way;
use super::error::{Stop, get};
use crate::store::{Error, Result};

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// What a right key opens.
const CHECK: &[u8] = b"parkdesk";

/// The key store.
#[derive(Clone)]
pub(crate) struct Vault {
    wrapping: PersonKey,
    asks: tokio::sync::mpsc::UnboundedSender<Ask>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

struct Ask {
    person: String,
    /// A sealed key to be kept if there is none, and when.
    fresh: Option<(Vec<u8>, Millis)>,
    answer: mpsc::SyncSender<Result<Option<Vec<u8>>>>,
}

impl Vault {
    /// The key store behind `way`, opened with the hub's key.
    pub(super) fn new(way: Way, key: &Key) -> Self {
        let wrapping = Sha256::new_with_prefix(b"parkdesk person keys\0").chain_update(key.as_bytes()).finalize();
        let (asks, asked) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(serve(way, asked)),
            Err(error) => tracing::error!(%error, "the key store cannot start"),
        });
        Self { wrapping: PersonKey::from_bytes(wrapping.into()), asks }
    }

    /// Proof of the hub's key, for the store.
    pub(super) fn key_check(&self) -> Vec<u8> {
        sealed::seal(&self.wrapping, "hub", CHECK, &mut rand::rng())
    }

    /// Whether the proof was made with the same key.
    pub(super) fn is_mine(&self, check: &[u8]) -> bool {
        sealed::open(&self.wrapping, "hub", check).is_ok_and(|plain| plain == CHECK)
    }

    /// The person's key, if there is one.
    pub(crate) fn find(&self, person: &str) -> Result<Option<PersonKey>> {
        self.ask(person, None)?.map(|sealed| self.open(person, &sealed)).transpose()
    }

    /// The person's key, made now if there is none; of two made at once the first stands.
    pub(crate) fn get_or_make(&self, person: &str, now: Millis) -> Result<PersonKey> {
        if let Some(key) = self.find(person)? {
            return Ok(key);
        }
        let fresh = PersonKey::random(&*os()).map_err(|e| Error::Failed(e.to_string()))?;
        let sealed = sealed::seal(&self.wrapping, &name(person), fresh.as_bytes(), &mut rand::rng());
        let kept = self.ask(person, Some((sealed, now)))?;
        self.open(person, &kept.ok_or_else(|| Error::Failed("a person's key was not kept".into()))?)
    }

    fn open(&self, person: &str, sealed: &[u8]) -> Result<PersonKey> {
        let plain = sealed::open(&self.wrapping, &name(person), sealed).map_err(|e| Error::Poison(e.to_string()))?;
        let bytes = plain.try_into().map_err(|_| Error::Poison("a person's key has no 32 bytes".into()))?;
        Ok(PersonKey::from_bytes(bytes))
    }

    fn ask(&self, person: &str, fresh: Option<(Vec<u8>, Millis)>) -> Result<Option<Vec<u8>>> {
        let (answer, answered) = mpsc::sync_channel(1);
        let gone = || Error::Failed("the key store does not answer".into());
        self.asks.send(Ask { person: person.to_owned(), fresh, answer }).map_err(|_| gone())?;
        answered.recv_timeout(PATIENCE).map_err(|_| gone())?
    }
}

/// A sealed key is that of one person only.
fn name(person: &str) -> String {
    format!("person/{person}")
}

async fn serve(way: Way, mut asked: tokio::sync::mpsc::UnboundedReceiver<Ask>) {
    let mut client: Option<Client> = None;
    while let Some(Ask { person, fresh, answer }) = asked.recv().await {
        let mut told = Err(Error::Failed("the key store was not asked".into()));
        // A connection that broke since the last question is seen only when it is used.
        for _ in 0..2 {
            told = match reach(&way, &mut client).await {
                Ok(client) => look(client, &person, fresh.as_ref()).await.map_err(Error::from),
                Err(error) => Err(error),
            };
            match &told {
                Err(Error::Failed(_)) => client = None,
                Ok(_) | Err(Error::Full | Error::Poison(_)) => break,
            }
        }
        // Whoever asked may have gone.
        let _ = answer.send(told);
    }
}

async fn reach<'a>(way: &Way, client: &'a mut Option<Client>) -> Result<&'a Client> {
    if client.as_ref().is_none_or(Client::is_closed) {
        let fresh = way.connect_quiet().await.map_err(|e| Error::Failed(e.to_string()))?;
        fresh.batch_execute("SET statement_timeout = '5s'").await.map_err(Stop::from)?;
        *client = Some(fresh);
    }
    client.as_ref().ok_or_else(|| Error::Failed("no connection to the key store".into()))
}

async fn look(
    client: &Client,
    person: &str,
    fresh: Option<&(Vec<u8>, Millis)>,
) -> std::result::Result<Option<Vec<u8>>, Stop> {
    if let Some((sealed, now)) = fresh {
        let keep = "INSERT INTO parkdesk_keys.person_keys (person, sealed, made_at_ms) VALUES ($1, $2, $3)
                    ON CONFLICT DO NOTHING";
        client.execute(keep, &[&person, sealed, &now.0]).await?;
    }
    let found = client.query_opt("SELECT sealed FROM parkdesk_keys.person_keys WHERE person = $1", &[&person]).await?;
    found.map(|row| get(&row, "sealed")).transpose()
}
