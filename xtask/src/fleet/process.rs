//! The programs as processes: started, asked, killed, and ended with their owner whatever happens.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{place, run};

/// The folder with the programs.
pub(crate) struct Programs {
    dir: PathBuf,
    /// For programs that are not installed beside their weights.
    weights: Option<PathBuf>,
}

impl Programs {
    pub(crate) fn new(dir: &Path) -> Self {
        let is_installed = dir.join("../share/parkdesk/weights").is_dir();
        Self { dir: dir.to_path_buf(), weights: (!is_installed).then(|| place::setup("weights")) }
    }

    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = run::command(self.dir.join(name).to_string_lossy().as_ref());
        command.env("PARKDESK_LOG", "info").env("LC_ALL", "C.UTF-8");
        if let Some(weights) = &self.weights {
            command.env("PARKDESK_WEIGHTS", weights);
        }
        command
    }

    /// Runs `name args --json` and reads its answer.
    pub(crate) fn ask(&self, name: &str, args: &[&str]) -> Result<Value> {
        let out = run::output(self.command(name).args(args).arg("--json"))?;
        serde_json::from_slice(&out)
            .with_context(|| format!("{name} {} answered no JSON: {}", args.join(" "), String::from_utf8_lossy(&out)))
    }

    /// Starts `name args` with its output in `log`.
    pub(crate) fn start(&self, name: &str, args: &[&str], log: &Path) -> Result<Running> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = self
            .command(name)
            .args(args)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Running { child, name: name.to_owned(), log: log.to_path_buf() })
    }
}

/// A process that ends with this value: asked first, killed after ten seconds.
pub(crate) struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Fails if the process has ended, with the end of its log.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(12).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            bail!("{} ended ({status}):\n{}\n    the whole log: {}", self.name, tail.join("\n"), self.log.display());
        }
        Ok(())
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Ends it as a power cut would: SIGKILL, no time for anything.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait()?;
        Ok(())
    }

    /// The process ids of its children.
    pub(crate) fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // By id, as `kill` does: the standard library can only end a child the hard way.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until there is an answer.
///
/// # Errors
/// If `ask` fails, or `seconds` are over; then `what` says what was waited for.
pub(crate) fn wait<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if start.elapsed() > Duration::from_secs(seconds) {
            bail!("waited {seconds} s in vain for: {what}");
        }
        thread::sleep(Duration::from_millis(100));
    }
}
