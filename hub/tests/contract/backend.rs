//! The store under test: a database of its own per world, on a PostgreSQL that this program starts.

use std::path::Path;

use parkdesk_domain::Millis;
use parkdesk_hub::data::{self, Opened, Shared};
use parkdesk_hub::store::postgres::Address;
use tokio_postgres::NoTls;

use crate::server::{Server, shared_server};

pub(crate) struct Backend {
    url: String,
}

/// Runs a future on a runtime of its own: tests have one already.
pub(crate) fn wait<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future);
        scope.spawn(run).join().unwrap()
    })
}

/// Runs a statement; answers how many rows it changed.
pub(crate) async fn execute(url: &str, sql: &str) -> u64 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    let changed = client.execute(sql, &[]).await.unwrap();
    drop(client);
    driven.await.unwrap().unwrap();
    changed
}

/// Where a store is, for the hub.
pub(crate) fn shared(url: &str) -> Shared {
    Shared { address: Address { url: url.to_owned(), password_file: None, ca_file: None }, blobs: None }
}

impl Backend {
    pub(crate) fn new() -> Self {
        Self::on(shared_server())
    }

    pub(crate) fn on(server: &Server) -> Self {
        Self { url: server.database() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn open(&self, data: &Path, now: Millis) -> Opened {
        wait(data::open_shared(data, None, &shared(&self.url), now)).unwrap()
    }

    /// Runs a statement behind the closed hub's back; answers how many rows it changed.
    pub(crate) fn execute(&self, _data: &Path, sql: &str) -> u64 {
        wait(execute(&self.url, sql))
    }
}
