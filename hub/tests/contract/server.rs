//! Debian's PostgreSQL in a folder of its own, on a Unix socket (and a port for TLS), never as root. It ends with this
//! program, however that ends: a shell holds it and waits for its input to close.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::backend::{execute, wait};

/// initdb, postgres, and its end by its own pid. $1 programs, $2 folder, $3 whether the folder stays, $4 port, $5... settings.
const SCRIPT: &str = r#"
set -eu
bin=$1 dir=$2 keep=$3 port=$4; shift 4
as=""
if [ "$(id -u)" = 0 ]; then chown -R postgres "$dir"; as="setpriv --reuid=postgres --regid=postgres --init-groups"; fi
cd /
if [ ! -e "$dir/data" ]; then
    $as "$bin/initdb" -D "$dir/data" -A trust -U parkdesk -N --no-instructions --locale=C -E UTF8 >/dev/null
fi
$as "$bin/postgres" -D "$dir/data" -k "$dir" "$@" >>"$dir/log" 2>&1 &
pid=$!
until "$bin/pg_isready" -q -h "$dir" -p "$port" -U parkdesk; do
    kill -0 $pid 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo ready
read -r _ || true
kill -INT $pid
wait $pid || true
[ "$keep" = yes ] || rm -rf "$dir"
"#;

pub(crate) struct Server {
    dir: PathBuf,
    settings: Vec<String>,
    is_shared: bool,
    running: Option<(Child, ChildStdin)>,
    databases: AtomicU32,
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is needed: apt install postgresql-15");
    let mut bins: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    bins.retain(|bin| bin.join("postgres").exists() && bin.join("initdb").exists());
    bins.sort();
    bins.pop().expect("PostgreSQL is needed: apt install postgresql-15")
}

impl Server {
    /// A server with these settings besides the usual ones.
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_as(settings, false)
    }

    fn start_as(settings: &[&str], is_shared: bool) -> Self {
        let dir = tempfile::Builder::new().prefix("parkdesk-pg-").tempdir().unwrap().keep();
        let usual = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB", "synchronous_commit=on"];
        let settings = usual.iter().chain(settings).map(|s| (*s).to_owned()).collect();
        let mut server = Self { dir, settings, is_shared, running: None, databases: AtomicU32::new(0) };
        server.run();
        server
    }

    /// Starts it again over what it holds.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(programs()).arg(&self.dir).arg(if self.is_shared {
            "no"
        } else {
            "yes"
        });
        command.arg(self.port());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL does not start");
        let input = child.stdin.take().unwrap();
        self.running = Some((child, input));
    }

    pub(crate) fn stop(&mut self) {
        if let Some((mut child, input)) = self.running.take() {
            drop(input);
            child.wait().unwrap();
        }
    }

    fn port(&self) -> &str {
        self.settings.iter().find_map(|setting| setting.strip_prefix("port=")).unwrap_or("5432")
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.dir
    }

    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.dir.to_str().unwrap().replace('/', "%2F");
        format!("postgres://parkdesk@{host}:{}/{database}", self.port())
    }

    /// A new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("hub_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        wait(execute(&self.url("postgres"), &format!("CREATE DATABASE {name}")));
        self.url(&name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The one that most tests share. Statics are not dropped, so its shell removes the folder, too.
pub(crate) fn shared_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start_as(&["fsync=off", "full_page_writes=off"], true))
}
