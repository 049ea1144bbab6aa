//! The administrator's socket of a running hub: `admin.sock` in the data directory, for its owner only. One JSON line
//! asks, one JSON line answers.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::{Answer, Problem, Request, run};
use crate::routes::Hub;

/// Longest request: a CSV file of a large park.
const MAX_REQUEST: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the socket of a data directory is.
#[must_use]
pub fn path(dir: &Path) -> PathBuf {
    dir.join("admin.sock")
}

/// Opens the socket. The data directory is locked by this process, so a socket that is there is a dead one's.
///
/// # Errors
/// If the system refuses.
pub fn bind(dir: &Path) -> std::io::Result<UnixListener> {
    let path = path(dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    // The directory is 0700 already; this is the second lock on the door.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers until the hub stops.
pub async fn run_server(hub: Arc<Hub>, listener: UnixListener) {
    loop {
        tokio::select! {
            () = hub.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let hub = Arc::clone(&hub);
                    tokio::spawn(async move {
                        match tokio::time::timeout(PATIENCE, converse(hub, stream)).await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => tracing::warn!(%error, "an administrator's connection failed"),
                            Err(_) => tracing::warn!("an administrator's connection took too long"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the administrator's socket does not accept");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
}

async fn converse(hub: Arc<Hub>, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    tokio::io::BufReader::new(read.take(MAX_REQUEST)).read_until(b'\n', &mut line).await?;
    let answer = match serde_json::from_slice::<Request>(&line) {
        Ok(request) => {
            let run = tokio::task::spawn_blocking(move || perform(&hub, request));
            run.await.unwrap_or_else(|panicked| broken(format!("BUG: {panicked}")))
        }
        Err(error) => broken(format!("the request cannot be read: {error}")),
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    write.shutdown().await
}

fn perform(hub: &Hub, request: Request) -> Answer {
    let done =
        tokio::runtime::Handle::current().block_on(run(&hub.store, (hub.clock)(), &mut crate::clock::rng(), request));
    match done {
        Ok((answer, touched)) => {
            hub.announce(touched);
            answer
        }
        Err(error) => broken(error.to_string()),
    }
}

fn broken(cause: String) -> Answer {
    Answer::Failed { problem: Problem::Broken { cause } }
}

/// Reaches the hub that owns the data directory.
///
/// # Errors
/// If it does not listen.
pub fn connect(dir: &Path) -> std::io::Result<std::os::unix::net::UnixStream> {
    std::os::unix::net::UnixStream::connect(path(dir))
}

/// Asks the hub.
///
/// # Errors
/// If it does not answer.
pub fn ask(mut stream: std::os::unix::net::UnixStream, request: &Request) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
