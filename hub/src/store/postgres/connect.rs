//! Reaching PostgreSQL: its address, the password that is on no command line, TLS, the pool with its time-outs, and the
//! migrations.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use refinery::{Migration, Runner};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::told;

/// Name of the systemd credential with the password.
const CREDENTIAL: &str = "parkdesk-hub-store-password";
/// Connections of one hub process.
const CONNECTIONS: usize = 16;
const CONNECT: Duration = Duration::from_secs(5);
/// For a free connection; whoever waits longer is told to come again.
const WAIT: Duration = Duration::from_secs(10);
/// Two hub processes that start at once migrate one after the other.
const MIGRATION_LOCK: i64 = 0x7061_726b_6465_736b;

/// A plan is made once per statement, for few rows in many: the tables may grow under it before statistics do, so that it
/// must never be one for small tables.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '15s'; SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; SET synchronous_commit = on";

const STEPS: &[(&str, &str)] = &[("V1__hub", include_str!("../../../migrations/postgres/V1__hub.sql"))];

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `postgres://user@host/database`, without the password.
    pub url: String,
    /// A file with the password; else the systemd credential `parkdesk-hub-store-password`; else none is needed.
    pub password_file: Option<PathBuf>,
    /// Certificates that vouch for the server, PEM; those of the system without.
    pub ca_file: Option<PathBuf>,
}

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not an address.
    #[error("the store's address cannot be read: {0}; it looks like postgres://user@host/database")]
    Address(String),
    /// Every user of the machine can read command lines.
    #[error(
        "the store's address holds a password, which others could read: take it out and give --store-password-file, or the \
         systemd credential parkdesk-hub-store-password"
    )]
    PasswordShown,
    /// A file cannot be used.
    #[error("{} cannot be used: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// TLS cannot be set up.
    #[error("TLS to the store cannot be set up: {0}")]
    Tls(String),
    /// The server does not answer, or does not let us in.
    #[error("PostgreSQL at {place} cannot be reached: {cause}")]
    Away {
        /// Host and database.
        place: String,
        /// Why.
        cause: String,
    },
    /// The tables cannot be brought up to date.
    #[error("the tables of {place} cannot be brought up to date, nothing was changed: {cause}")]
    Migration {
        /// Host and database.
        place: String,
        /// Why.
        cause: String,
    },
    /// A newer program was here.
    #[error("{0} was written by a newer version of Parkdesk: install that version; nothing was changed")]
    Newer(String),
    /// Made with another key.
    #[error("{0} was made with another key: every hub process of one store needs the same hub.key")]
    OtherKey(String),
}

/// What drives a client.
pub(super) type Connection = tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A way to the server.
#[derive(Clone)]
pub(super) struct Way {
    config: Config,
    tls: MakeRustlsConnect,
    /// Host and database, for people.
    pub(super) place: String,
}

/// Whether the way to the server lies on this machine alone.
fn is_here(config: &Config) -> bool {
    let is_named_here = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
    });
    is_named_here && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

impl Way {
    /// # Errors
    /// If address, password or certificates cannot be used.
    pub(super) fn new(address: &Address) -> Result<Self, ConnectError> {
        let mut config: Config = address.url.parse().map_err(|e| ConnectError::Address(told(&e)))?;
        if config.get_password().is_some() {
            return Err(ConnectError::PasswordShown);
        }
        if let Some(password) = find_password(address.password_file.as_deref())? {
            config.password(password);
        }
        // Whoever says nothing about it gets TLS wherever others could listen.
        if !address.url.contains("sslmode=") {
            let is_open = address.ca_file.is_none() && is_here(&config);
            config.ssl_mode(if is_open { SslMode::Disable } else { SslMode::Require });
        }
        config.connect_timeout(CONNECT).keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(15)).application_name("parkdesk-hub");
        let tls = MakeRustlsConnect::new(tls(address, config.get_ssl_mode())?);
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Unix(path) => path.display().to_string(),
                Host::Tcp(name) => name.clone(),
            })
            .collect();
        let place = format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default());
        Ok(Self { config, tls, place })
    }

    /// One connection of its own, and its other half, which must be driven.
    pub(super) async fn connect(&self) -> Result<(Client, Connection), ConnectError> {
        self.config.connect(self.tls.clone()).await.map_err(|e| self.away(&e))
    }

    /// A connection that only asks.
    pub(super) async fn connect_quiet(&self) -> Result<Client, ConnectError> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = told(&error), "a connection to PostgreSQL ended");
            }
        });
        Ok(client)
    }

    fn away(&self, error: &tokio_postgres::Error) -> ConnectError {
        ConnectError::Away { place: self.place.clone(), cause: told(error) }
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self) -> Result<(), ConnectError> {
        let mut client = self.connect_quiet().await?;
        // It ends with the connection.
        client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.map_err(|e| self.away(&e))?;
        let steps: Result<Vec<Migration>, _> =
            STEPS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        let failed = |cause: String| ConnectError::Migration { place: self.place.clone(), cause };
        let steps = steps.map_err(|e| failed(e.to_string()))?;
        let run = Runner::new(&steps).set_grouped(true).set_abort_divergent(true).set_abort_missing(true);
        match run.run_async(&mut client).await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), refinery::error::Kind::MissingVersion(_)) => {
                Err(ConnectError::Newer(self.place.clone()))
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The pool of this process.
    pub(super) fn pool(&self) -> Result<Pool, ConnectError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), recycling);
        let set_up = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
        });
        Pool::builder(manager)
            .max_size(CONNECTIONS)
            .timeouts(Timeouts { wait: Some(WAIT), create: Some(2 * CONNECT), recycle: Some(CONNECT) })
            .runtime(Runtime::Tokio1)
            .post_create(set_up)
            .build()
            .map_err(|e| ConnectError::Address(e.to_string()))
    }
}

fn find_password(file: Option<&Path>) -> Result<Option<String>, ConnectError> {
    let path = match (file, std::env::var_os("CREDENTIALS_DIRECTORY")) {
        (Some(file), _) => file.to_owned(),
        (None, Some(dir)) if Path::new(&dir).join(CREDENTIAL).exists() => Path::new(&dir).join(CREDENTIAL),
        (None, _) => return Ok(None),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| ConnectError::File { path: path.clone(), cause: cause.to_string() })?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

fn tls(address: &Address, mode: SslMode) -> Result<rustls::ClientConfig, ConnectError> {
    let mut roots = rustls::RootCertStore::empty();
    match &address.ca_file {
        Some(path) => {
            let bad = |cause: String| ConnectError::File { path: path.clone(), cause };
            for cert in CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))? {
                roots.add(cert.map_err(|e| bad(e.to_string()))?).map_err(|e| bad(e.to_string()))?;
            }
        }
        None if mode == SslMode::Disable => {}
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| ConnectError::Tls(e.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_only_where_nobody_else_listens() {
        for (url, expected) in [
            ("postgres://hub@localhost/hub", true),
            ("postgres://hub@127.0.0.1/hub", true),
            ("postgres://hub@%2Frun%2Fpostgresql/hub", true),
            ("postgres://hub@db.example/hub", false),
            ("postgres://hub@localhost,db.example/hub", false),
            ("postgres://hub@/hub?hostaddr=10.0.0.5", false),
            ("postgres://hub@localhost/hub?hostaddr=10.0.0.5", false),
            ("postgres://hub@localhost/hub?hostaddr=127.0.0.1", true),
        ] {
            assert_eq!(is_here(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
