//! The page: its npm packages by the lock file, and its build. Each is done only when what it comes from has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::{place, run};

/// The oldest Node whose packages are pinned here.
const NODE: (u32, u32) = (20, 19);

/// Installs the packages and builds the page into `ui/dist`, as far as needed.
///
/// # Errors
/// If Node is missing or too old, or npm fails.
pub(super) fn make() -> Result<()> {
    check_node()?;
    let ui = place::root().join("ui");
    let lock = fingerprint(&[ui.join("package-lock.json")])?;
    if !is_stamped(&ui.join("node_modules/.parkdesk-lock"), &lock) {
        let remedy = "check the network and npm's registry, then run the same command again";
        run::step("npm ci", run::command("npm").current_dir(&ui).args(["ci", "--no-audit", "--no-fund"]), remedy)?;
        fs::write(ui.join("node_modules/.parkdesk-lock"), &lock)?;
    }
    let sources = fingerprint(&sources(&ui)?)?;
    let stamp = ui.join("node_modules/.parkdesk-build");
    if !(is_stamped(&stamp, &sources) && ui.join("dist/index.html").is_file()) {
        run::step("build the page", run::command("npm").current_dir(&ui).args(["run", "build"]), "mend what it says")?;
        fs::write(&stamp, &sources)?;
    }
    Ok(())
}

fn check_node() -> Result<()> {
    let remedy = "install Node 20.19 or newer of the 20 line (nodejs.org or nodesource), with npm";
    let version = run::output(run::command("node").arg("--version")).context(remedy)?;
    let version = String::from_utf8_lossy(&version);
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    ensure!(found >= NODE, "Node {} is too old: {remedy}", version.trim());
    Ok(())
}

/// What the build reads: everything of `ui/` that git knows or would know, but the tests.
fn sources(ui: &Path) -> Result<Vec<PathBuf>> {
    let mut git = run::command("git");
    git.current_dir(ui).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "."]);
    let list = run::output(&mut git)?;
    let is_source = |name: &&str| !name.is_empty() && !name.starts_with("e2e/") && !name.contains(".test.");
    let mut files: Vec<PathBuf> =
        String::from_utf8_lossy(&list).split('\0').filter(is_source).map(|name| ui.join(name)).collect();
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn fingerprint(files: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(&bytes);
    }
    Ok(hex::encode(hash.finalize()))
}

fn is_stamped(stamp: &Path, fingerprint: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|text| text == fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_moved_or_new_file_asks_for_a_new_build() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (a, b) = (file("a", "1"), file("b", "2"));
        let first = fingerprint(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(first, fingerprint(&[a.clone(), b.clone()]).unwrap());
        assert_ne!(first, fingerprint(std::slice::from_ref(&a)).unwrap());
        fs::write(&b, "3").unwrap();
        assert_ne!(first, fingerprint(&[a, b]).unwrap());
        let stamp = dir.path().join("stamp");
        assert!(!is_stamped(&stamp, &first));
        fs::write(&stamp, &first).unwrap();
        assert!(is_stamped(&stamp, &first));
    }
}
