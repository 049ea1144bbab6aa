//! `cargo xtask package`: deb and rpm of the window, the agent, the hub, what window and agent share, and libtorch; then
//! the programs as unpacked into a temporary root: the main job with those of the debs, the window with both.
//!
//! libtorch is a package of its own, so that an update of ours does not carry 400 MB. The programs find it by their
//! rpath `$ORIGIN/../lib/parkdesk`; the path of the development copy is taken out.

mod parts;
mod tree;
mod units;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::tree::Built;
use crate::{demo, place, run, setup, window};

/// Which build goes into the packages.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Optimised: what is shipped.
    Release,
    /// The build that the tests made already: proves the packaging in minutes.
    Dev,
}

/// Builds the packages into `dir` and runs what they hold.
///
/// # Errors
/// If a tool fails, the main job does not hold, or a window does not come up.
pub(crate) fn run(dir: Option<PathBuf>, profile: Profile) -> Result<()> {
    setup::run()?;
    let (flag, folder) = match profile {
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let args = ["build", "--workspace", "--bins", "--locked", "--profile", flag];
    run::step(&format!("build ({flag})"), &mut run::cargo(&args), "mend what it says")?;
    let bins = place::target().join(folder);
    let to = dir.unwrap_or_else(|| place::target().join("packages"));
    replace_dir(&to)?;
    let to = fs::canonicalize(&to)?;
    println!("==> package into {}", to.display());
    let built = parts::build(&to, &bins)?;
    let debs = unpack_debs(&built, &to.join("deb-root"))?;
    let rpms = unpack_rpms(&built, &to.join("rpm-root"))?;
    units::check(&debs)?;
    let held = demo::run_with(&debs.join("usr/bin"), &to.join("demo"))?;
    ensure!(held, "the main job did not hold with the packaged programs");
    for root in [debs, rpms] {
        println!("==> the window of {}", root.display());
        window::comes_up(&root.join("usr/bin"), &to.join("window"))?;
        fs::remove_dir_all(&root)?;
    }
    Ok(())
}

fn unpack_debs(built: &[Built], root: &Path) -> Result<PathBuf> {
    for Built { deb, .. } in built {
        tell(deb)?;
        run::output(run::command("dpkg-deb").arg("-x").arg(deb).arg(root))?;
    }
    Ok(root.to_owned())
}

/// Also checks that an rpm lists the files that its deb holds.
fn unpack_rpms(built: &[Built], root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(root)?;
    for Built { deb, rpm } in built {
        tell(rpm)?;
        let listed = run::output(run::command("rpm").args(["-qpl", "--nodigest", "--nosignature"]).arg(rpm))?;
        let listed = String::from_utf8_lossy(&listed).lines().count();
        let held = String::from_utf8_lossy(&run::output(run::command("dpkg-deb").arg("-c").arg(deb))?)
            .lines()
            .filter(|line| !line.starts_with('d'))
            .count();
        ensure!(listed == held, "{} lists {listed} files, its deb holds {held}", rpm.display());
        let mut unpack = run::command("sh");
        unpack.args(["-c", "rpm2cpio \"$0\" | cpio -idm --quiet"]).arg(rpm).current_dir(root);
        run::output(&mut unpack)?;
    }
    Ok(root.to_owned())
}

fn tell(package: &Path) -> Result<()> {
    let bytes = fs::metadata(package).with_context(|| format!("{} was not made", package.display()))?.len();
    println!("    {} ({:.1} MB)", package.display(), bytes as f64 / 1e6);
    Ok(())
}

fn replace_dir(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot clear {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}
