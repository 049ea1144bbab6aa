//! `cargo xtask package`: Debian packages of the agent, the hub and libtorch, then the whole main job run with the
//! programs as installed into a temporary root.
//!
//! libtorch is a package of its own, so that an update of ours does not carry 400 MB. The programs find it by their
//! rpath `$ORIGIN/../lib/parkdesk`; the path of the development copy is taken out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{demo, place, run, setup};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const TORCH_VERSION: &str = "2.4.0-1";

/// Which build goes into the packages.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Optimised: what is shipped.
    Release,
    /// The build that the tests made already: proves the packaging in minutes.
    Dev,
}

/// Builds the packages into `dir` and runs the main job from them.
///
/// # Errors
/// If a tool fails or the main job does not hold.
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
    println!("==> package into {}", to.display());
    let debs = [torch(&to)?, agent(&to, &bins)?, hub(&to, &bins)?];
    let root = to.join("root");
    for deb in &debs {
        let bytes = fs::metadata(deb)?.len();
        println!("    {} ({:.1} MB)", deb.display(), bytes as f64 / 1e6);
        run::output(run::command("dpkg-deb").arg("-x").arg(deb).arg(&root))?;
    }
    let held = demo::run_with(&root.join("usr/bin"), &to.join("demo"))?;
    ensure!(held, "the main job did not hold with the packaged programs");
    fs::remove_dir_all(&root)?;
    Ok(())
}

fn replace_dir(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot clear {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

/// A package tree being laid.
struct Tree {
    root: PathBuf,
}

impl Tree {
    fn new(to: &Path, name: &str) -> Result<Self> {
        let root = to.join(format!("{name}.tree"));
        replace_dir(&root)?;
        Ok(Self { root })
    }

    fn put(&self, from: &Path, path: &str, mode: u32) -> Result<PathBuf> {
        let to = self.root.join(path);
        self.make_parent(&to)?;
        fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
        Ok(to)
    }

    fn write(&self, text: &str, path: &str, mode: u32) -> Result<()> {
        let to = self.root.join(path);
        self.make_parent(&to)?;
        fs::write(&to, text)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
        Ok(())
    }

    fn make_parent(&self, path: &Path) -> Result<()> {
        let mut dir = path.parent();
        if let Some(parent) = dir {
            fs::create_dir_all(parent)?;
        }
        while let Some(parent) = dir.filter(|d| d.starts_with(&self.root)) {
            fs::set_permissions(parent, fs::Permissions::from_mode(0o755))?;
            dir = parent.parent();
        }
        Ok(())
    }

    /// A program, stripped, and without the path of the development libtorch.
    fn program(&self, from: &Path, path: &str, links_torch: bool) -> Result<()> {
        let to = self.put(from, path, 0o755)?;
        run::output(run::command("strip").arg(&to))?;
        if links_torch {
            run::output(run::command("patchelf").args(["--set-rpath", "$ORIGIN/../lib/parkdesk"]).arg(&to))?;
        }
        Ok(())
    }

    fn service(&self, name: &str, package: &str) -> Result<()> {
        let root = place::root();
        let unit = format!("{name}.service");
        self.put(&root.join("packaging/systemd").join(&unit), &format!("usr/lib/systemd/system/{unit}"), 0o644)?;
        self.put(&root.join("LICENSE"), &format!("usr/share/doc/{package}/copyright"), 0o644)?;
        self.put(&root.join("docs/operators.md"), &format!("usr/share/doc/{package}/operators.md"), 0o644)?;
        Ok(())
    }

    fn build(self, to: &Path, control: &str) -> Result<PathBuf> {
        let field = |name: &str| {
            control.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap_or_default().to_owned()
        };
        self.write(control, "DEBIAN/control", 0o644)?;
        let deb = to.join(format!("{}_{}_{}.deb", field("Package:"), field("Version:"), field("Architecture:")));
        let mut build = run::command("dpkg-deb");
        build.args(["--root-owner-group", "-Zzstd", "-z3", "-b"]).arg(&self.root).arg(&deb);
        run::output(&mut build)?;
        fs::remove_dir_all(&self.root)?;
        Ok(deb)
    }
}

fn control(package: &str, version: &str, more: &str, text: &str) -> String {
    format!(
        "Package: {package}\nVersion: {version}\nArchitecture: amd64\nMaintainer: Parkdesk <parkdesk@localhost>\n\
         Section: misc\nPriority: optional\n{more}Description: {text}\n"
    )
}

fn torch(to: &Path) -> Result<PathBuf> {
    let tree = Tree::new(to, "parkdesk-libtorch")?;
    let lib = place::setup("libtorch").join("lib");
    for entry in fs::read_dir(&lib).with_context(|| format!("cannot read {}", lib.display()))? {
        let entry = entry?;
        tree.put(&entry.path(), &format!("usr/lib/parkdesk/{}", entry.file_name().display()), 0o644)?;
    }
    let text =
        "libtorch 2.4.0 for the CPU, as Parkdesk uses it\n Cut from the PyPI wheel of torch 2.4.0 (BSD-3-Clause).";
    tree.build(to, &control("parkdesk-libtorch", TORCH_VERSION, "Depends: libc6, libstdc++6\n", text))
}

fn agent(to: &Path, bins: &Path) -> Result<PathBuf> {
    let tree = Tree::new(to, "parkdesk-agent")?;
    let root = place::root();
    tree.program(&bins.join("parkdesk-agent"), "usr/bin/parkdesk-agent", false)?;
    tree.program(&bins.join("parkdesk-faces"), "usr/bin/parkdesk-faces", true)?;
    for entry in fs::read_dir(place::setup("weights"))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|e| e == "safetensors") {
            tree.put(&entry.path(), &format!("usr/share/parkdesk/weights/{}", entry.file_name().display()), 0o644)?;
        }
    }
    for entry in fs::read_dir(root.join("models/licences"))? {
        let entry = entry?;
        tree.put(&entry.path(), &format!("usr/share/doc/parkdesk-agent/{}", entry.file_name().display()), 0o644)?;
    }
    tree.service("parkdesk-agent", "parkdesk-agent")?;
    let postinst = fs::read_to_string(root.join("packaging/deb/postinst"))?.replace("@USER@", "parkdesk");
    tree.write(&postinst, "DEBIAN/postinst", 0o755)?;
    let more = format!(
        "Depends: libc6, libstdc++6, adduser, ca-certificates, parkdesk-libtorch (= {TORCH_VERSION})\nRecommends: gnome-keyring\n"
    );
    let text = "Parkdesk appliance without a screen\n Watches a folder for driver photos, checks and matches them on the device, and syncs with a hub.";
    tree.build(to, &control("parkdesk-agent", VERSION, &more, text))
}

fn hub(to: &Path, bins: &Path) -> Result<PathBuf> {
    let tree = Tree::new(to, "parkdesk-hub")?;
    tree.program(&bins.join("parkdesk-hub"), "usr/bin/parkdesk-hub", false)?;
    tree.service("parkdesk-hub", "parkdesk-hub")?;
    let postinst = fs::read_to_string(place::root().join("packaging/deb/postinst"))?.replace("@USER@", "parkdesk-hub");
    tree.write(&postinst, "DEBIAN/postinst", 0o755)?;
    let text = "Parkdesk hub\n The upstream that appliances of a taxi fleet sync with.";
    tree.build(to, &control("parkdesk-hub", VERSION, "Depends: libc6, adduser\n", text))
}
