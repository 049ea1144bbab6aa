//! A package's files as they will lie in the system, and the two packages made of them: deb and rpm.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{place, run};

/// What both package formats say of a package.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) summary: &'static str,
    pub(super) text: &'static str,
    /// `Depends:` of the deb.
    pub(super) deb_needs: String,
    /// `Requires:` of the rpm, besides the libraries that rpmbuild finds by itself.
    pub(super) rpm_needs: Vec<String>,
    /// The service's user, for packages that bring a service.
    pub(super) user: Option<&'static str>,
}

/// A package tree being laid.
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Begins an empty one below `to`.
    pub(super) fn new(to: &Path, name: &str) -> Result<Self> {
        let root = to.join(format!("{name}.tree"));
        super::replace_dir(&root)?;
        Ok(Self { root })
    }

    /// Copies a file.
    pub(super) fn put(&self, from: &Path, path: &str, mode: u32) -> Result<PathBuf> {
        let to = self.root.join(path);
        self.make_parent(&to)?;
        fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
        Ok(to)
    }

    /// Copies what a folder holds, with its folders.
    pub(super) fn put_all(&self, from: &Path, path: &str) -> Result<()> {
        let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = format!("{path}/{}", entry.file_name().display());
            if entry.path().is_dir() {
                self.put_all(&entry.path(), &path)?;
            } else {
                self.put(&entry.path(), &path, 0o644)?;
            }
        }
        Ok(())
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
    pub(super) fn program(&self, from: &Path, path: &str, links_torch: bool) -> Result<()> {
        let to = self.put(from, path, 0o755)?;
        run::output(run::command("strip").arg(&to))?;
        if links_torch {
            run::output(run::command("patchelf").args(["--set-rpath", "$ORIGIN/../lib/parkdesk"]).arg(&to))?;
        }
        Ok(())
    }

    /// A systemd unit with the manual it names.
    pub(super) fn service(&self, name: &str) -> Result<()> {
        let root = place::root();
        let unit = format!("{name}.service");
        self.put(&root.join("packaging/systemd").join(&unit), &format!("usr/lib/systemd/system/{unit}"), 0o644)?;
        self.put(&root.join("docs/operators.md"), &format!("usr/share/doc/{name}/operators.md"), 0o644)?;
        Ok(())
    }

    /// Both packages of it, into `to`.
    pub(super) fn build(self, to: &Path, about: &About) -> Result<Built> {
        let script = match about.user {
            Some(user) => Some(fs::read_to_string(place::root().join("packaging/postinst"))?.replace("@USER@", user)),
            None => None,
        };
        // The rpm first: the deb adds its own folder to the tree.
        let rpm = self.rpm(to, about, script.as_deref())?;
        let deb = self.deb(to, about, script.as_deref())?;
        fs::remove_dir_all(&self.root)?;
        Ok(Built { deb, rpm })
    }

    fn deb(&self, to: &Path, about: &About, script: Option<&str>) -> Result<PathBuf> {
        let About { name, version, summary, text, deb_needs, .. } = about;
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: Parkdesk <parkdesk@localhost>\n\
             Section: misc\nPriority: optional\n{deb_needs}Description: {summary}\n {text}\n"
        );
        self.write(&control, "DEBIAN/control", 0o644)?;
        if let Some(script) = script {
            self.write(script, "DEBIAN/postinst", 0o755)?;
        }
        let deb = to.join(format!("{name}_{version}_amd64.deb"));
        let mut build = run::command("dpkg-deb");
        build.args(["--root-owner-group", "-Zzstd", "-z3", "-b"]).arg(&self.root).arg(&deb);
        run::output(&mut build)?;
        Ok(deb)
    }

    fn rpm(&self, to: &Path, about: &About, script: Option<&str>) -> Result<PathBuf> {
        let (version, release) = about.version.split_once('-').unwrap_or((about.version, "1"));
        let top = to.join("rpmbuild");
        fs::create_dir_all(&top)?;
        let mut spec = format!(
            "Name: {}\nVersion: {version}\nRelease: {release}\nSummary: {}\nLicense: MIT\n",
            about.name, about.summary
        );
        for need in &about.rpm_needs {
            writeln!(spec, "Requires: {need}")?;
        }
        // libtorch and what comes beside it is ours alone: neither offered to other packages nor looked for elsewhere.
        spec.push_str("%global __requires_exclude ^lib(torch|torch_cpu|c10|gomp-|cudart|cupti|shm)\n");
        spec.push_str("%global __provides_exclude_from ^/usr/lib/parkdesk/\n");
        // Programs are stripped already; the files stay as they were laid.
        spec.push_str("%global __os_install_post %{nil}\n%global debug_package %{nil}\n%global _build_id_links none\n");
        spec.push_str("%global _binary_payload w3.zstdio\n");
        writeln!(spec, "%description\n{}", about.text)?;
        writeln!(spec, "%install\nmkdir -p %{{buildroot}}\ncp -a {}/. %{{buildroot}}/", self.root.display())?;
        if let Some(script) = script {
            writeln!(spec, "%post\n{}", script.trim_start_matches("#!/bin/sh\n"))?;
        }
        writeln!(spec, "%files\n%defattr(-,root,root,-)")?;
        for file in self.files()? {
            writeln!(spec, "\"/{}\"", file.display())?;
        }
        let file = top.join(format!("{}.spec", about.name));
        fs::write(&file, spec)?;
        let mut build = run::command("rpmbuild");
        build.arg("-bb").args(["--target", "x86_64", "--quiet"]);
        build.arg("--define").arg(format!("_topdir {}", top.display()));
        build.arg("--define").arg(format!("_rpmdir {}", to.display()));
        build.args(["--define", "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"]);
        run::output(build.arg(&file))?;
        fs::remove_dir_all(&top)?;
        Ok(to.join(format!("{}-{version}-{release}.x86_64.rpm", about.name)))
    }

    /// Every file in it, from its root.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut dirs = vec![self.root.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    found.push(path.strip_prefix(&self.root)?.to_path_buf());
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The two packages of one tree.
pub(super) struct Built {
    pub(super) deb: PathBuf,
    pub(super) rpm: PathBuf,
}
