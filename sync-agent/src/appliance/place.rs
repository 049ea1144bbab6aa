//! Where the parts beside a program lie: the face program, its weights, the built pages. Installed, or in a checkout.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parkdesk_vision::faces::client::ClientConfig;

/// Folder of this program.
fn beside() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.parent().map(Path::to_owned).unwrap_or_default()
}

/// The face program and its weights: those given, else those found.
pub(super) fn faces(program: Option<PathBuf>, weights: Option<PathBuf>) -> ClientConfig {
    let beside = beside();
    ClientConfig {
        program: program.unwrap_or_else(|| beside.join("parkdesk-faces")),
        weights: weights.unwrap_or_else(|| installed_or(&beside, "share/parkdesk/weights", ".setup/weights")),
        memory_limit_bytes: 3 << 30,
        save_deadline: Duration::from_secs(60),
        live_deadline: Duration::from_secs(3),
        threads: 2,
        queue: 64,
    }
}

/// The built pages: the folder given, else the one found, if there is one.
pub(super) fn pages(given: Option<PathBuf>) -> Option<PathBuf> {
    let folder = given.unwrap_or_else(|| installed_or(&beside(), "share/parkdesk/ui", "ui/dist"));
    let is_there = folder.join("index.html").is_file();
    if !is_there {
        tracing::warn!(folder = %folder.display(), "no pages there: browsers get the API only");
    }
    is_there.then_some(folder)
}

fn installed_or(beside: &Path, installed: &str, checkout: &str) -> PathBuf {
    let installed = beside.join("..").join(installed);
    let checkout = beside.ancestors().map(|dir| dir.join(checkout)).find(|dir| dir.is_dir());
    if installed.is_dir() { installed } else { checkout.unwrap_or(installed) }
}
