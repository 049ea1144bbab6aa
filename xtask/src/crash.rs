//! `cargo xtask crash`: hub, agent and faces process are killed (SIGKILL) at any moment while photos flow from the watched
//! folder to a second appliance. Afterwards: every photo that the appliance ever listed is there, every file dropped is one
//! photo at the hub and at the office, none is doubled, none refused, the queues are empty (F1, F3, F4, F16). Then the same
//! with disks that are full (F9).

mod full_disk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use image::imageops::FilterType;
use serde_json::Value;

use crate::fleet::{Fleet, PARK, Programs, is_whole, items, wait};
use crate::{place, run, setup};

/// Kills `rounds` times, `seed` decides whom and when; then fills disks.
///
/// # Errors
/// If anything confirmed is lost or anything is doubled.
pub(crate) fn run(rounds: u32, seed: u64) -> Result<()> {
    setup::run()?;
    run::step("build", &mut run::cargo(&["build", "--workspace", "--bins", "--locked"]), "mend what it says")?;
    let bins = place::bin("parkdesk-agent").parent().map(Path::to_path_buf).unwrap_or_default();
    let programs = Programs::new(&bins);
    if rounds > 0 {
        kills(&programs, rounds, seed)?;
    }
    full_disk::run(&programs, &empty("full-disk")?)
}

/// `target/NAME`, made anew.
fn empty(name: &str) -> Result<PathBuf> {
    let dir = place::target().join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    Ok(fs::canonicalize(&dir)?)
}

fn kills(programs: &Programs, rounds: u32, seed: u64) -> Result<()> {
    let dir = empty("crash")?;
    let mut fleet = Fleet::start(programs, &dir)?;
    let mut dice = Dice(seed);
    let mut seen = BTreeSet::new();
    println!("==> {rounds} kills (seed {seed})");
    let mut kills: BTreeMap<Victim, u32> = BTreeMap::new();
    for round in 0..rounds {
        drop_photo(&fleet.watched, round)?;
        thread::sleep(Duration::from_millis(dice.below(1800)));
        if let Ok(photos) = fleet.ask(&fleet.centre.data, &["photos"]) {
            seen.extend(ids(&photos));
        }
        let victim = match dice.below(3) {
            0 => Victim::Hub,
            1 => Victim::Agent,
            _ => Victim::Faces,
        };
        *kills.entry(victim).or_default() += 1;
        kill(&mut fleet, victim)?;
    }
    println!("    killed {kills:?}; {} photos were confirmed on the way", seen.len());
    settle(&mut fleet, rounds as usize)?;
    check(&fleet, rounds as usize, &seen)?;
    println!("    {rounds} kills: nothing lost, nothing doubled");
    Ok(())
}

/// A small picture of a face that no other round drops, named after its driver.
fn drop_photo(watched: &Path, round: u32) -> Result<()> {
    let mut picture =
        image::open(place::setup("photos").join("obama2.jpg"))?.resize(560, 560, FilterType::Triangle).to_rgb8();
    let (x, y) = (round % picture.width(), round / picture.width());
    picture.put_pixel(x, y, image::Rgb([255, 0, (round % 256) as u8]));
    let name = format!("demo-sokolov_{round:04}.png");
    let part = watched.join(format!(".{name}.part"));
    picture.save_with_format(&part, image::ImageFormat::Png)?;
    fs::rename(&part, watched.join(&name)).with_context(|| name)
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Hub,
    Agent,
    Faces,
}

fn kill(fleet: &mut Fleet<'_>, victim: Victim) -> Result<()> {
    match victim {
        Victim::Hub => {
            fleet.hub.running.kill()?;
            fleet.hub.restart(fleet.programs)
        }
        Victim::Agent => {
            fleet.centre.running.kill()?;
            fleet.centre.restart(fleet.programs)
        }
        Victim::Faces => {
            for pid in fleet.centre.running.children() {
                // It may have ended by itself since.
                run::output(run::command("kill").args(["-KILL", &pid.to_string()])).ok();
            }
            Ok(())
        }
    }
}

fn settle(fleet: &mut Fleet<'_>, photos: usize) -> Result<()> {
    wait("every photo whole at both appliances, and empty queues", 300, || {
        fleet.check()?;
        for data in [&fleet.centre.data, &fleet.office.data] {
            let Ok(list) = fleet.ask(data, &["photos", "--limit", "1000"]) else { return Ok(None) };
            if items(&list).iter().filter(|photo| is_whole(photo)).count() < photos {
                return Ok(None);
            }
        }
        let status = fleet.ask(&fleet.centre.data, &["status"])?;
        let waits = |what: &str| status.pointer(what).and_then(Value::as_u64).context("status without its queue");
        Ok((waits("/queue/commands")? == 0 && waits("/queue/files")? == 0).then_some(()))
    })
}

fn check(fleet: &Fleet<'_>, photos: usize, seen: &BTreeSet<String>) -> Result<()> {
    let at_hub = fleet.admin(&["photo", "list", "--park", PARK])?;
    let centre = fleet.ask(&fleet.centre.data, &["photos", "--limit", "1000"])?;
    let office = fleet.ask(&fleet.office.data, &["photos", "--limit", "1000"])?;
    for (place, list) in [("hub", &at_hub), ("centre", &centre), ("office", &office)] {
        let there = ids(list);
        ensure!(there.len() == photos, "{photos} files were dropped, the {place} has {} photos", there.len());
        ensure!(items(list).len() == photos, "the {place} lists a photo twice");
        let lost: Vec<_> = seen.difference(&there).collect();
        ensure!(lost.is_empty(), "confirmed before a kill, but not at the {place}: {lost:?}");
    }
    let names: BTreeSet<&str> =
        items(&centre).iter().filter_map(|p| p.get("file_name").and_then(Value::as_str)).collect();
    ensure!(names.len() == photos, "{photos} files became photos of {} names", names.len());
    for (what, list) in [("needs attention", "needs-attention"), ("waits in the tray", "unassigned")] {
        let left = fleet.ask(&fleet.centre.data, &[list])?;
        ensure!(items(&left).is_empty(), "something {what}: {left}");
    }
    let rejected = fleet.watched.join("rejected");
    let refused = fs::read_dir(&rejected).map(Iterator::count).unwrap_or_default();
    ensure!(refused == 0, "{refused} files lie in {}", rejected.display());
    Ok(())
}

fn ids(list: &Value) -> BTreeSet<String> {
    items(list).iter().filter_map(|item| item.get("id").and_then(Value::as_str)).map(str::to_owned).collect()
}

/// SplitMix64: a fixed sequence for a seed, so that a failing run can be told by its number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
