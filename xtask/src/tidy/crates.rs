//! Who may use whom (docs/architecture.md), whether what is listed is used, and under which licences others' code comes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::unused;
use crate::run;

/// Crate -> crates of ours it may use (in the program, not only in its tests).
const MAY_USE: &[(&str, &[&str])] = &[
    ("parkdesk-domain", &[]),
    ("parkdesk-sqlcipher", &[]),
    ("parkdesk-vision", &[]),
    ("parkdesk-sqlite", &["parkdesk-domain", "parkdesk-sqlcipher"]),
    ("parkdesk-models", &["parkdesk-vision"]),
    ("parkdesk-app", &["parkdesk-domain", "parkdesk-sqlite", "parkdesk-sqlcipher", "parkdesk-vision"]),
    (
        "parkdesk-sync-agent",
        &["parkdesk-domain", "parkdesk-sqlite", "parkdesk-sqlcipher", "parkdesk-vision", "parkdesk-app"],
    ),
    ("parkdesk-hub", &["parkdesk-domain", "parkdesk-sqlcipher", "parkdesk-vision"]),
    ("parkdesk-desktop", &["parkdesk-app", "parkdesk-sync-agent"]),
    (
        "parkdesk-simulator",
        &["parkdesk-domain", "parkdesk-sqlcipher", "parkdesk-sqlite", "parkdesk-sync-agent", "parkdesk-hub"],
    ),
    ("parkdesk-bench", &[]),
    ("xtask", &["parkdesk-bench"]),
];

/// Library -> the only crates of ours that may see it.
const SEEN_BY: &[(&str, &[&str])] = &[
    ("tch", &["parkdesk-models"]),
    ("rust-bert", &["parkdesk-models"]),
    ("tauri", &["parkdesk-desktop"]),
    ("rusqlite", &["parkdesk-sqlcipher", "parkdesk-sqlite", "parkdesk-hub", "parkdesk-simulator"]),
    ("tokio-postgres", &["parkdesk-hub"]),
    ("deadpool-postgres", &["parkdesk-hub"]),
    ("tokio", &["parkdesk-app", "parkdesk-sync-agent", "parkdesk-hub", "parkdesk-desktop"]),
    ("axum", &["parkdesk-app", "parkdesk-sync-agent", "parkdesk-hub"]),
];

/// Licences under which we take others' code; one of an `OR` is enough.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "Unlicense",
    "Unicode-3.0",
    "BSL-1.0",
    "MPL-2.0",
    "MIT-0",
    "CDLA-Permissive-2.0",
    "BlueOak-1.0.0",
    "IJG",
    "bzip2-1.0.6",
    // SQLite is in the public domain; so is what comes beside it in SQLCipher's sources.
    "blessing",
    "WTFPL",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) source: Option<String>,
    pub(super) license: Option<String>,
    pub(super) license_file: Option<String>,
    pub(super) manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) rename: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    /// The name by which code calls its library.
    fn library(&self) -> Option<String> {
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind.contains("lib") || kind == "proc-macro");
        self.targets.iter().find(is_library).map(|target| target.name.clone())
    }
}

pub(super) fn check(broken: &mut Vec<String>) -> Result<()> {
    let args = ["metadata", "--format-version=1", "--locked"];
    let metadata: Metadata = serde_json::from_slice(&run::output(&mut run::cargo(&args))?).context("cargo metadata")?;
    let ours: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|p| metadata.workspace_members.contains(&p.id))
        .map(|p| (p.name.as_str(), p))
        .collect();
    let libraries: BTreeMap<&str, String> =
        metadata.packages.iter().filter_map(|package| Some((package.name.as_str(), package.library()?))).collect();
    for (name, package) in &ours {
        check_uses(name, package, &ours, broken);
        unused::check(package, &libraries, broken)?;
    }
    for package in metadata.packages.iter().filter(|p| p.source.is_some()) {
        check_licence(package, broken);
        if package.source.as_deref() != Some("registry+https://github.com/rust-lang/crates.io-index") {
            broken.push(format!("{} does not come from crates.io", package.name));
        }
    }
    Ok(())
}

fn check_uses(name: &str, package: &Package, ours: &BTreeMap<&str, &Package>, broken: &mut Vec<String>) {
    let Some((_, allowed)) = MAY_USE.iter().find(|(crate_, _)| *crate_ == name) else {
        broken.push(format!("{name} has no line in MAY_USE; a new crate needs an ADR"));
        return;
    };
    let uses = package.dependencies.iter().filter(|d| d.kind.is_none());
    for dependency in uses {
        let used = dependency.name.as_str();
        if ours.contains_key(used) && !allowed.contains(&used) {
            broken.push(format!("{name} may not use {used}"));
        }
        if let Some((_, seen_by)) = SEEN_BY.iter().find(|(library, _)| *library == used)
            && !seen_by.contains(&name)
        {
            broken.push(format!("{name} may not see {used}: only {} may", seen_by.join(", ")));
        }
    }
}

fn check_licence(package: &Package, broken: &mut Vec<String>) {
    let Some(expression) = &package.license else {
        if package.license_file.is_none() {
            broken.push(format!("{} names no licence", package.name));
        }
        return;
    };
    // `A OR B AND (C)`: one alternative must consist of allowed ones only; old crates write `/` for OR.
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let is_allowed = |one: &str| LICENCES.contains(&one.trim());
    let fine = expression.split(" OR ").any(|all| all.split(" AND ").all(is_allowed))
        || expression.split(" AND ").all(|any| any.split(" OR ").any(is_allowed));
    if !fine {
        broken.push(format!("{} comes under {expression}", package.name));
    }
}
