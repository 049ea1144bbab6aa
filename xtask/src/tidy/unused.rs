//! Dependencies that nothing uses: each one listed in a crate's Cargo.toml must be named by a source of that crate. They cost
//! build time and widen what has to be watched.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::crates::{Dependency, Package};

/// Checks one crate. `libraries` = package -> the name by which code calls it.
pub(super) fn check(package: &Package, libraries: &BTreeMap<&str, String>, broken: &mut Vec<String>) -> Result<()> {
    let dir = Path::new(&package.manifest_path).parent().context("a manifest lies in a folder")?;
    let program = sources(&dir.join("src"))? + &sources(&dir.join("bin"))?;
    let mut all = program.clone();
    for folder in ["tests", "examples", "benches"] {
        all.push_str(&sources(&dir.join(folder))?);
    }
    for dependency in &package.dependencies {
        let text = match dependency.kind.as_deref() {
            None => &program,
            Some("dev") => &all,
            // A build script's: there may be one only to unify features.
            Some(_) => continue,
        };
        let name = called(dependency, libraries);
        if !names(text, &name) {
            let hint = if names(&all, &name) { " outside tests: make it a dev-dependency" } else { "" };
            broken.push(format!("{} does not use {}{hint}", package.name, dependency.name));
        }
    }
    Ok(())
}

fn called(dependency: &Dependency, libraries: &BTreeMap<&str, String>) -> String {
    let own = || libraries.get(dependency.name.as_str()).cloned().unwrap_or_else(|| dependency.name.clone());
    dependency.rename.clone().unwrap_or_else(own).replace('-', "_")
}

/// All Rust sources below a folder, without comments; nothing if there is none.
fn sources(dir: &Path) -> Result<String> {
    let mut text = String::new();
    if !dir.is_dir() {
        return Ok(text);
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = fs::read_to_string(&path)?;
            for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// Whether the code names the crate: `name::`, `use name;`, `use name as`, `name!`.
fn names(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + name.len()..).unwrap_or_default();
        !before.is_some_and(is_part) && ["::", ";", " as ", "!"].iter().any(|mark| after.starts_with(mark))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_by_path_use_or_macro_only() {
        for code in
            ["use serde::Serialize;", "pub use anyhow;", "use exif as e;", "hex::encode(x)", "let a = anyhow!(1)"]
        {
            let name = ["serde", "anyhow", "exif", "hex"].into_iter().find(|name| code.contains(name)).unwrap();
            assert!(names(code, name), "{code}");
        }
        for (code, name) in [("my_serde::x()", "serde"), ("serde_json::x()", "serde"), ("let hex = 1", "hex")] {
            assert!(!names(code, name), "{code}");
        }
    }

    #[test]
    fn what_only_tests_use_or_nobody_is_told() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("src")).unwrap();
        fs::create_dir_all(dir.path().join("tests")).unwrap();
        fs::write(dir.path().join("src/lib.rs"), "use one::X;\n// two::Y is a comment\n").unwrap();
        fs::write(dir.path().join("tests/t.rs"), "use three_lib::Z;\n").unwrap();
        let dependency = |name: &str, kind: Option<&str>| Dependency {
            name: name.into(),
            kind: kind.map(str::to_owned),
            rename: None,
        };
        let package = Package {
            name: "p".into(),
            manifest_path: dir.path().join("Cargo.toml").display().to_string(),
            dependencies: vec![
                dependency("one", None),
                dependency("two", None),
                dependency("three", None),
                dependency("three", Some("dev")),
                dependency("cc", Some("build")),
            ],
            ..Package::default()
        };
        let libraries = BTreeMap::from([("three", "three-lib".to_owned())]);
        let mut broken = Vec::new();
        check(&package, &libraries, &mut broken).unwrap();
        assert_eq!(broken, ["p does not use two", "p does not use three outside tests: make it a dev-dependency"]);
    }
}
