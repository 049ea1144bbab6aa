//! `cargo xtask demo`: the main job on seven real photos, with the real programs.
//!
//! A hub, a park with two drivers, two headless appliances. The photos are dropped into the photo centre's watched folder;
//! a sidecar assigns five, a file name one, and one waits in the Unassigned tray, where the right driver must be the
//! first offer. Each step is checked; the table and the contact sheet show what happened (data.md, end).

mod sheet;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fleet::{Fleet, Programs, is_whole, items, text, wait};
use crate::{place, run, setup};
use table::Line;

/// Photo, its name in the watched folder, the driver it shows.
const PHOTOS: [(&str, &str, &str); 7] = [
    ("obama.jpg", "obama.jpg", "demo-sokolov"),
    ("obama2.jpg", "obama2.jpg", "demo-sokolov"),
    ("obama3.jpg", "obama3.jpg", "demo-sokolov"),
    ("32bit.png", "32bit.png", "demo-sokolov"),
    ("obama_partial_face.jpg", "obama_partial_face.jpg", "demo-sokolov"),
    ("biden.jpg", "demo-orlov_biden.jpg", "demo-orlov"),
    ("obama_partial_face2.jpg", "obama_partial_face2.jpg", "demo-sokolov"),
];

/// The photo that nothing assigns.
const LEFT: &str = "obama_partial_face2.jpg";

/// Assigns five of the photos, by profile id, licence and phone alike.
const SIDECAR: &str = "\
file,driver
obama.jpg,demo-sokolov
obama2.jpg,77 АВ 123456
obama3.jpg,8 916 123-45-67
32bit.png,demo-sokolov
obama_partial_face.jpg,77AB123456
";

/// Sets up, builds, and runs the main job; answers whether every step held.
///
/// # Errors
/// If something breaks; a step that merely did not hold is in the table.
pub(crate) fn run(dir: Option<PathBuf>) -> Result<bool> {
    setup::run()?;
    let args = ["build", "--workspace", "--bins", "--locked"];
    run::step("build", &mut run::cargo(&args), "mend what it says")?;
    let bins = place::bin("parkdesk-agent").parent().map(Path::to_path_buf).unwrap_or_default();
    run_with(&bins, &dir.unwrap_or_else(|| place::target().join("demo")))
}

/// Runs the main job with the programs in `bins`, leaving everything in `dir`.
///
/// # Errors
/// As [`fn@run`].
pub(crate) fn run_with(bins: &Path, dir: &Path) -> Result<bool> {
    let start = Instant::now();
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot clear {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let dir = &fs::canonicalize(dir)?;
    let programs = Programs::new(bins);
    let mut job = Job { fleet: Fleet::start(&programs, dir)? };
    job.drop_photos()?;
    let offer = job.assign_the_left_one()?;
    job.wait_for_office()?;
    let lines = job.lines(&offer)?;
    let seconds = start.elapsed().as_secs_f32();
    table::print(&lines);
    let sheet = dir.join("contact-sheet.png");
    let subtitle = format!(
        "green: the face found · red: its five points · amber: the portrait's cut · {} photos in {seconds:.0} s",
        lines.len()
    );
    let cards: Vec<sheet::Card> = lines.iter().map(|line| line.card.clone()).collect();
    sheet::draw("Parkdesk: what the appliance saw", &subtitle, &cards, &sheet)?;
    let mut held = true;
    for line in &lines {
        for problem in &line.problems {
            held = false;
            println!("DID NOT HOLD: {}: {problem}", line.file);
        }
    }
    println!("\ncontact sheet   {}", sheet.display());
    println!("photo centre    {}", job.fleet.centre.data.display());
    println!("park office     {}", job.fleet.office.data.display());
    println!("hub             {}", job.fleet.hub.data.display());
    println!("logs            {}", job.fleet.logs.display());
    println!("{} in {seconds:.1} s", if held { "every step held" } else { "NOT every step held" });
    if seconds >= 60.0 {
        println!("DID NOT HOLD: the main job takes under 60 s");
        held = false;
    }
    Ok(held)
}

struct Job<'a> {
    fleet: Fleet<'a>,
}

impl Job<'_> {
    fn drop_photos(&mut self) -> Result<()> {
        println!("==> drop seven photos into {}", self.fleet.watched.display());
        fs::write(self.fleet.watched.join("drivers.csv"), SIDECAR)?;
        // Taken one after the other: the file's time says when, and by it a photo is compared with earlier ones.
        let mut taken_at = SystemTime::now() - Duration::from_secs(60);
        for (photo, name, _) in PHOTOS {
            let file = self.fleet.watched.join(name);
            fs::copy(place::setup("photos").join(photo), &file).with_context(|| format!("cannot copy {photo}"))?;
            fs::File::options().write(true).open(&file)?.set_modified(taken_at)?;
            taken_at += Duration::from_secs(5);
        }
        wait("six photos captured and one in the tray", 45, || {
            self.fleet.check()?;
            let photos = self.fleet.ask(&self.fleet.centre.data, &["photos"])?;
            let tray = self.fleet.ask(&self.fleet.centre.data, &["unassigned"])?;
            Ok((items(&photos).len() == PHOTOS.len() - 1 && items(&tray).len() == 1).then_some(()))
        })
    }

    /// Answers the first offer's driver.
    fn assign_the_left_one(&mut self) -> Result<String> {
        let tray = self.fleet.ask(&self.fleet.centre.data, &["unassigned"])?;
        let entry = items(&tray).first().and_then(|e| e.get("id")).and_then(Value::as_str).context("no tray entry")?;
        let offers = self.fleet.ask(&self.fleet.centre.data, &["offers", entry])?;
        let first = offers.pointer("/offers/0/driver").and_then(Value::as_str);
        let first = first.context("the tray offers nobody")?.to_owned();
        println!("==> the tray offers {first} first; assign {LEFT}");
        self.fleet.ask(&self.fleet.centre.data, &["assign", entry, &first])?;
        Ok(first)
    }

    fn wait_for_office(&mut self) -> Result<()> {
        println!("==> wait until the office has every file and has looked at the faces itself");
        wait("all seven photos with all files and the office's own verdicts", 45, || {
            self.fleet.check()?;
            let there = self.fleet.ask(&self.fleet.office.data, &["photos"])?;
            let here = self.fleet.ask(&self.fleet.centre.data, &["photos"])?;
            let whole = |list: &Value| items(list).iter().filter(|p| is_whole(p)).count() == PHOTOS.len();
            let has_verdict = |p: &&Value| p.pointer("/nearest/verdict").is_some();
            let verdicts = |list: &Value| items(list).iter().filter(has_verdict).count();
            // Templates never travel: the office makes its own from the files it pulled.
            Ok((whole(&there) && whole(&here) && verdicts(&there) == verdicts(&here)).then_some(()))
        })
    }

    fn lines(&mut self, offer: &str) -> Result<Vec<Line>> {
        let here = self.fleet.ask(&self.fleet.centre.data, &["photos"])?;
        let there = self.fleet.ask(&self.fleet.office.data, &["photos"])?;
        let mut lines = Vec::new();
        for (photo, name, driver) in PHOTOS {
            let mine = by(&here, "file_name", name).with_context(|| format!("the centre has no photo from {name}"))?;
            let id = mine.get("id").and_then(Value::as_str).context("a photo without an id")?;
            let theirs = by(&there, "id", id);
            let mut files = Vec::new();
            for class in ["original", "portrait", "thumb"] {
                files.push((
                    self.file(&self.fleet.centre.data, id, class)?,
                    self.file(&self.fleet.office.data, id, class)?,
                ));
            }
            let mut line = table::line(photo, mine, theirs, &files)?;
            if mine.get("driver").and_then(Value::as_str) != Some(driver) {
                line.problems.push(format!("it should be assigned to {driver}"));
            }
            if photo == LEFT && offer != driver {
                line.problems.push(format!("the tray's first offer was {offer}"));
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// A file's bytes as the appliance gives them.
    fn file(&self, data: &Path, photo: &str, class: &str) -> Result<Vec<u8>> {
        let out = data.with_extension(format!("{class}.jpg"));
        self.fleet.ask(data, &["photo-file", photo, class, "--out", text(&out)?])?;
        let bytes = fs::read(&out)?;
        fs::remove_file(&out)?;
        Ok(bytes)
    }
}

fn by<'v>(list: &'v Value, field: &str, wanted: &str) -> Option<&'v Value> {
    items(list).iter().find(|item| item.get(field).and_then(Value::as_str) == Some(wanted))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_lays_out_what_data_md_says() {
        let assigned: Vec<&str> = SIDECAR.lines().skip(1).filter_map(|l| l.split(',').next()).collect();
        assert_eq!(assigned.len(), 5, "a sidecar assigns five");
        let by_name = PHOTOS.iter().filter(|(photo, name, _)| photo != name).count();
        assert_eq!(by_name, 1, "one is assigned by file name");
        let left: Vec<_> = PHOTOS.iter().filter(|(p, n, _)| p == n && !assigned.contains(p)).collect();
        assert_eq!(left, [&(LEFT, LEFT, "demo-sokolov")], "one is left to the tray");
        for name in setup::PHOTO_NAMES {
            assert!(PHOTOS.iter().any(|(photo, ..)| *photo == name), "{name}");
        }
    }
}
