//! Where the API listens: a Unix socket for its owner alone, and loopback for browsers of this computer.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Longest path the system takes for a Unix socket.
const MOST_PATH: usize = 107;

/// Why the API cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Others could reach it.
    #[error(
        "{0} can be reached from other computers: the appliance listens on 127.0.0.1 or [::1] only. For access from \
         elsewhere use a tunnel (ssh -L)"
    )]
    NotLoopback(SocketAddr),
    /// Somebody else listens there, or the system refuses.
    #[error("cannot listen on {address}: {cause}. Is another program there? Choose another port")]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The path is too long for a socket.
    #[error("{} is too long for a Unix socket ({MOST_PATH} bytes): use a data directory with a shorter path", .0.display())]
    TooLong(PathBuf),
    /// The system refuses.
    #[error("cannot listen on {}: {cause}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Listens on a Unix socket of mode 0600. The caller owns the data directory (its lock), so a socket that is there is
/// a dead one.
///
/// # Errors
/// [`ListenError`].
pub fn bind_socket(path: &Path) -> Result<UnixListener, ListenError> {
    if path.as_os_str().len() > MOST_PATH {
        return Err(ListenError::TooLong(path.to_owned()));
    }
    let socket = |cause| ListenError::Socket { path: path.to_owned(), cause };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(socket(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(socket)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(socket)?;
    Ok(listener)
}

/// Listens on loopback and nowhere else.
///
/// # Errors
/// [`ListenError::NotLoopback`] for any other address.
pub fn bind_loopback(address: SocketAddr) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback(address));
    }
    let failed = |cause| ListenError::Address { address, cause };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}
