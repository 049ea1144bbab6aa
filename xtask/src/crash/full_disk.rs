//! A file system that is really full (F9): the data of the appliance, then that of the hub, on a small tmpfs that is filled
//! to its last byte while photos come. Programs go on and answer, nothing is confirmed that is not kept, nothing is half
//! written, and with space everything gets through by itself.
//!
//! Mounting needs root; elsewhere the step says that it was left out. The tests with a page limit and a refusing disk
//! (`docs/traceability.md`, F9) run everywhere.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{check, drop_photo, ids, settle};
use crate::fleet::{Fleet, Programs, items, wait};
use crate::run;

/// Room for a store with some photos, soon full.
const SIZE: &str = "48m";
/// Photos of each part: with space, with a full appliance, with a full hub.
const EACH: u32 = 3;

/// Runs it in an empty folder; does nothing where nothing can be mounted.
///
/// # Errors
/// If a program ends, or anything confirmed is lost or anything is doubled.
pub(super) fn run(programs: &Programs, dir: &Path) -> Result<()> {
    println!("==> full disks");
    let mounted = ["centre", "hub"].iter().map(|name| Mount::new(&dir.join(name))).collect::<Result<Vec<_>>>();
    let mounts = match mounted {
        Ok(mounts) => mounts,
        Err(error) => {
            println!("    left out: no small file system can be mounted here, which needs root ({error:#})");
            return Ok(());
        }
    };
    let [centre, hub] = mounts.as_slice() else { unreachable!("BUG: two were asked for") };
    let mut fleet = Fleet::start(programs, dir)?;
    let mut seen = BTreeSet::new();
    drop_photos(&fleet, 0)?;
    settle(&mut fleet, EACH as usize)?;

    let filler = centre.fill()?;
    drop_photos(&fleet, EACH)?;
    wait("an appliance that says that its disk is full", 60, || {
        fleet.check()?;
        let status = fleet.ask(&fleet.centre.data, &["status"])?;
        let says = |what: &str| status.pointer(what).and_then(Value::as_str).is_some_and(|text| text.contains("disk"));
        Ok((says("/watch/problem") || says("/link/last_problem/message")).then_some(()))
    })?;
    seen.extend(ids(&fleet.ask(&fleet.centre.data, &["photos"])?));
    ensure!(seen.len() >= EACH as usize, "a full disk takes photos away");
    // As full as it is, a kill and a start must not harm it.
    fleet.centre.running.kill()?;
    fleet.centre.restart(programs)?;
    let after = wait("an appliance that starts on a full disk", 60, || {
        fleet.check()?;
        Ok(fleet.ask(&fleet.centre.data, &["photos"]).ok())
    })?;
    let lost: Vec<_> = seen.difference(&ids(&after)).cloned().collect();
    ensure!(lost.is_empty(), "confirmed before the disk was full, lost by a start on the full disk: {lost:?}");
    fs::remove_file(filler)?;
    settle(&mut fleet, 2 * EACH as usize)?;

    let filler = hub.fill()?;
    drop_photos(&fleet, 2 * EACH)?;
    wait("photos that are safe at the appliance while the hub's disk is full", 60, || {
        fleet.check()?;
        let photos = fleet.ask(&fleet.centre.data, &["photos"])?;
        Ok((items(&photos).len() == 3 * EACH as usize).then_some(()))
    })?;
    thread::sleep(Duration::from_secs(3));
    fleet.check()?;
    seen.extend(ids(&fleet.ask(&fleet.centre.data, &["photos"])?));
    fleet.hub.running.kill()?;
    fs::remove_file(filler)?;
    fleet.hub.restart(programs)?;
    settle(&mut fleet, 3 * EACH as usize)?;
    check(&fleet, 3 * EACH as usize, &seen)?;
    println!("    full disks: nothing lost, nothing half-written, all through when there was space");
    Ok(())
}

fn drop_photos(fleet: &Fleet<'_>, first: u32) -> Result<()> {
    (first..first + EACH).try_for_each(|n| drop_photo(&fleet.watched, n))
}

/// A small file system of its own, gone with this value.
struct Mount(PathBuf);

impl Mount {
    fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let options = format!("size={SIZE},mode=0700");
        run::output(run::command("mount").args(["-t", "tmpfs", "-o", &options, "parkdesk-full-disk"]).arg(dir))?;
        Ok(Self(dir.to_owned()))
    }

    /// Fills it to the last byte; answers the file that does.
    fn fill(&self) -> Result<PathBuf> {
        let path = self.0.join("filler");
        let mut file = File::create(&path)?;
        for chunk in [1 << 16, 1 << 12, 1] {
            loop {
                match file.write(&vec![0_u8; chunk]) {
                    Ok(1..) => {}
                    Ok(0) => break,
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).with_context(|| path.display().to_string()),
                }
            }
        }
        Ok(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a program that is just ending may still hold a file.
        if let Err(error) = run::output(run::command("umount").arg("--lazy").arg(&self.0)) {
            println!("    {} stays mounted: {error:#}", self.0.display());
        }
    }
}
