//! `cargo xtask window`: the real window, driven through WebKitWebDriver in a desktop session of the test's own.
//!
//! Each case has its own X server, window manager, session bus, keyring and home, so nothing of the machine is touched
//! and nothing of the machine helps. The hub and the face program are the real ones; only the camera is WebKit's mock.

mod attack;
mod browser;
mod bus;
mod camera;
mod day;
mod desktop;
mod taken_over;
mod tray;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use self::desktop::Desktop;
use crate::fleet::{Programs, wait};
use crate::{place, run, setup};

/// A case and what it shows.
type Case = (&'static str, fn(&Stage) -> Result<()>);

const CASES: &[Case] = &[
    ("a day at the desk: enrol, key in the keyring, camera, photo, tray, second start, restart", day::run),
    ("attacks from the page come to nothing (SEC1-SEC5)", attack::run),
    ("the page gets the camera and no other device, also with --safe-graphics", camera::run),
    ("the tray's menu, notifications and the file manager", tray::run),
    ("the window works through a running agent and takes over when it ends", taken_over::run),
];

/// Where a case plays.
struct Stage {
    programs: Programs,
    bins: PathBuf,
    dir: PathBuf,
}

/// Builds the programs and plays every case.
///
/// # Errors
/// If one does not hold.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    setup::run()?;
    run::step("build", &mut run::cargo(&["build", "--workspace", "--bins", "--locked"]), "mend what it says")?;
    let bins = place::bin("parkdesk").parent().map(Path::to_path_buf).unwrap_or_default();
    play(&bins, &place::target().join("window"), only)
}

/// Plays the cases with the programs in `bins`, leaving logs in `dir`.
///
/// # Errors
/// If one does not hold; all are played before.
pub(crate) fn play(bins: &Path, dir: &Path, only: Option<&str>) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot clear {}", dir.display()))?;
    }
    let mut failed = Vec::new();
    for (number, (name, case)) in CASES.iter().enumerate() {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        println!("==> window: {name}");
        let dir = dir.join((number + 1).to_string());
        fs::create_dir_all(&dir)?;
        let stage = Stage { programs: Programs::new(bins), bins: fs::canonicalize(bins)?, dir: fs::canonicalize(dir)? };
        let start = Instant::now();
        match case(&stage) {
            Ok(()) => println!("    held in {:.1} s", start.elapsed().as_secs_f32()),
            Err(error) => {
                println!("    DID NOT HOLD: {error:#}\n    logs: {}", stage.dir.display());
                failed.push(*name);
            }
        }
    }
    ensure!(failed.is_empty(), "window: {} of {} cases did not hold", failed.len(), CASES.len());
    Ok(())
}

/// Starts the window in `bins` as a person does, in a fresh account: it must be on the screen, its page must ask the
/// appliance, and the appliance must run.
///
/// # Errors
/// If one of them does not come.
pub(crate) fn comes_up(bins: &Path, dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot clear {}", dir.display()))?;
    }
    fs::create_dir_all(dir)?;
    let mut desktop = Desktop::start(dir, bins)?;
    let parkdesk = desktop.command(&fs::canonicalize(bins)?.join("parkdesk").to_string_lossy());
    desktop.spawn(parkdesk, "window")?;
    wait("the window on the screen", 30, || Ok(desktop.window()?.filter(|(_, shown)| *shown)))?;
    wait("a page that asks the appliance", 30, || {
        Ok(fs::read_to_string(dir.join("window.log"))?.contains("the page works").then_some(()))
    })?;
    ensure!(desktop.data().join("agent.sock").exists(), "the appliance does not run");
    Ok(())
}

/// Fails with both values unless they are equal.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<()> {
    if found != wanted {
        bail!("{what}: found {found:?}, wanted {wanted:?} ({})", std::panic::Location::caller());
    }
    Ok(())
}
