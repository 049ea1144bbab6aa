//! Packages from PyPI, fetched by the ordinary client (`pip download`) and pinned by SHA-256.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::run;

/// A file on PyPI.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) file: &'static str,
    pub(crate) sha256: &'static str,
    pub(crate) bytes: u64,
    pub(crate) is_wheel: bool,
}

impl Package {
    /// Fetches the file into `dir` unless it is there with the right hash.
    ///
    /// # Errors
    /// If pip fails or brings something else.
    pub(crate) fn fetch(&self, dir: &Path) -> Result<()> {
        let path = dir.join(self.file);
        if path.is_file() && self.is_right(&path)? {
            return Ok(());
        }
        let part = dir.join(format!("{}.part", self.name));
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
        let mut pip = run::command("python3");
        pip.args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-cache-dir",
            "-d",
        ])
        .arg(&part)
        .env("TMPDIR", &part)
        .arg(format!("{}=={}", self.name, self.version));
        if self.is_wheel {
            // The wheel that is pinned, whatever Python runs pip.
            pip.args([
                "--only-binary=:all:",
                "--implementation=cp",
                "--python-version=3.11",
                "--abi=cp311",
                "--abi=none",
            ])
            .args(["--platform=manylinux1_x86_64", "--platform=manylinux2014_x86_64", "--platform=any"]);
        } else {
            pip.args(["--no-binary", self.name]);
        }
        let child = pip.stdout(Stdio::null()).spawn().context("cannot start python3 -m pip; install python3-pip")?;
        self.watch(child, &part)?;
        let fetched = part.join(self.file);
        ensure!(fetched.is_file(), "pip brought no {}; look into {}", self.file, part.display());
        ensure!(
            self.is_right(&fetched)?,
            "{} {} is not the file that was pinned (SHA-256 differs): do not use it",
            self.name,
            self.version
        );
        fs::rename(&fetched, &path)?;
        fs::remove_dir_all(&part)?;
        Ok(())
    }

    /// Deletes the downloaded file.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub(crate) fn forget(&self, dir: &Path) -> Result<()> {
        match fs::remove_file(dir.join(self.file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn is_right(&self, path: &Path) -> Result<bool> {
        let mut hasher = Sha256::new();
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = io::Read::read(&mut file, &mut buffer)?;
            if n == 0 {
                return Ok(hex::encode(hasher.finalize()) == self.sha256);
            }
            hasher.update(buffer.get(..n).unwrap_or_default());
        }
    }

    /// pip tells its progress to terminals only; the bytes in its folder tell everybody.
    fn watch(&self, mut child: Child, part: &Path) -> Result<()> {
        let start = Instant::now();
        let (mut told, every) = (Instant::now(), if io::stdout().is_terminal() { 1 } else { 5 });
        println!("==> fetch {} {} ({:.0} MB) from PyPI", self.name, self.version, self.bytes as f64 / 1e6);
        loop {
            if let Some(status) = child.try_wait()? {
                if !status.success() {
                    bail!(
                        "pip could not fetch {} {}; check the network (and pip's own settings), then run the same command again",
                        self.name,
                        self.version
                    );
                }
                println!("    {}: {:.1} s", self.name, start.elapsed().as_secs_f32());
                return Ok(());
            }
            if told.elapsed().as_secs() >= every {
                told = Instant::now();
                let bytes = size(part).min(self.bytes);
                let rate = bytes as f64 / start.elapsed().as_secs_f64();
                println!("    {:.0} of {:.0} MB, {:.1} MB/s", bytes as f64 / 1e6, self.bytes as f64 / 1e6, rate / 1e6);
                io::stdout().flush()?;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
