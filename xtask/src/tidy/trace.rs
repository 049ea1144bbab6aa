//! docs/traceability.md: every test, file, step and command that it names must exist.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::{Cli, place, run, test};

/// The column that names files and folders only.
const BUILT: &str = "Built in";
/// Tests of the page, which are named by their file.
const E2E: &str = "ui/e2e/";

/// What there is to name.
#[derive(Default)]
struct There {
    /// `folder::test_name`.
    tests: BTreeSet<String>,
    files: BTreeSet<String>,
    steps: BTreeSet<String>,
    commands: BTreeSet<String>,
    /// Files of [`E2E`] that the step runs.
    pages: BTreeSet<String>,
}

pub(super) fn check(broken: &mut Vec<String>) -> Result<()> {
    let table = fs::read_to_string(place::root().join("docs/traceability.md")).context("docs/traceability.md")?;
    let files = files()?;
    let there = There {
        tests: tests(&files),
        files,
        steps: test::names().map(str::to_owned).collect(),
        commands: Cli::command().get_subcommands().map(|one| one.get_name().to_owned()).collect(),
        pages: pages()?,
    };
    broken.extend(faults(&table, &there).into_iter().map(|fault| format!("docs/traceability.md {fault}")));
    Ok(())
}

/// What the table names and is not there.
fn faults(table: &str, there: &There) -> Vec<String> {
    let (mut faults, mut named, mut built) = (Vec::new(), 0, None);
    for line in table.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if !line.starts_with('|') || cells.contains(&BUILT) {
            built = cells.iter().position(|cell| *cell == BUILT).or(if line.starts_with('|') { built } else { None });
            continue;
        }
        for (at, cell) in cells.iter().enumerate() {
            for (before, name) in names(cell) {
                named += usize::from(is_test(name));
                faults.extend(fault(before, name, built == Some(at), there));
            }
        }
    }
    if named == 0 {
        faults.push("names no test".into());
    }
    faults
}

/// The names of a cell in backticks, each with what stands before it.
fn names(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts: Vec<&str> = cell.split('`').collect();
    let pairs = parts.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    pairs.collect::<Vec<_>>().into_iter()
}

fn is_test(name: &str) -> bool {
    name.contains("::") && !name.contains(' ')
}

fn fault(before: &str, name: &str, is_built: bool, there: &There) -> Option<String> {
    let is_there =
        |what: &str, is_there: bool| (!is_there).then(|| format!("names {what} {name}, which does not exist"));
    if is_test(name) {
        return is_there("the test", there.tests.contains(name));
    }
    if let Some(command) = name.strip_prefix("cargo xtask ") {
        let first = command.split(' ').next().unwrap_or_default();
        return is_there("the command", there.commands.contains(first));
    }
    if before.trim_end().ends_with("step") {
        return is_there("the step", there.steps.contains(name));
    }
    let top = name.split_once('/').map(|(top, _)| format!("{top}/"));
    let is_ours = top.is_some_and(|top| there.files.iter().any(|file| file.starts_with(&top)));
    if !is_built && !is_ours {
        return None;
    }
    let is_file = match name.strip_suffix('*').or(name.ends_with('/').then_some(name)) {
        Some(start) => there.files.iter().any(|file| file.starts_with(start)),
        None => there.files.contains(name),
    };
    if is_file && name.starts_with(E2E) && !there.pages.contains(name) {
        return Some(format!("names {name}, which the step e2e does not run (ui/package.json)"));
    }
    is_there("the file", is_file)
}

/// Every file of the tree.
fn files() -> Result<BTreeSet<String>> {
    let mut git = run::command("git");
    let list = run::output(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let list = String::from_utf8_lossy(&list);
    Ok(list.split('\0').filter(|path| place::root().join(path).is_file()).map(str::to_owned).collect())
}

/// What `npm run e2e` runs.
fn pages() -> Result<BTreeSet<String>> {
    let package = fs::read(place::root().join("ui/package.json")).context("ui/package.json")?;
    let package: serde_json::Value = serde_json::from_slice(&package).context("ui/package.json")?;
    let script = package.pointer("/scripts/e2e").and_then(serde_json::Value::as_str).unwrap_or_default();
    Ok(script.split(' ').filter(|word| word.ends_with(".mjs")).map(|word| format!("ui/{word}")).collect())
}

/// `folder::test_name` of every test in the tree.
fn tests(files: &BTreeSet<String>) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for path in files.iter().filter(|path| path.ends_with(".rs")) {
        let Ok(text) = fs::read_to_string(place::root().join(path)) else { continue };
        let folder = path.split('/').next().unwrap_or_default();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if matches!(line, "#[test]" | "#[tokio::test]")
                || line.starts_with("#[tokio::test(")
                || line == "proptest! {"
            {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test && !line.starts_with("//")) {
                tests.insert(format!("{folder}::{}", rest.split('(').next().unwrap_or_default()));
                is_test = false;
            }
        }
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there() -> There {
        let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        There {
            tests: set(&["app::it_works"]),
            files: set(&["app/src/lib.rs", "app/src/api/a.rs", "ui/e2e/a.test.mjs", "ui/e2e/b.test.mjs"]),
            steps: set(&["window"]),
            commands: set(&["bench"]),
            pages: set(&["ui/e2e/a.test.mjs"]),
        }
    }

    fn faults_of(rows: &str) -> Vec<String> {
        faults(
            &format!(
                "| Asks | Built in | Shown by |\n|---|---|---|\n{rows}\n| x | `app/src/lib.rs` | `app::it_works` |\n"
            ),
            &there(),
        )
    }

    #[test]
    fn what_exists_may_be_named() {
        let rows = "| `photo.assign`, `rejected/` | `app/`, `app/src/api*`, `app/src/lib.rs` | step `window`, `cargo xtask bench faces`, `ui/e2e/a.test.mjs` |";
        assert_eq!(faults_of(rows), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_name_that_does_not_exist_is_found() {
        for row in [
            "| x | `app/src/gone.rs` | |",
            "| x | `app/src/gone*` | |",
            "| x | `gone/` | |",
            "| x | | `app/src/gone.rs` |",
            "| x | | `app::it_is_gone` |",
            "| x | | step `gone` |",
            "| x | | `cargo xtask gone` |",
            "| x | | step `window`, `ui/e2e/gone.test.mjs` |",
            "| x | | `ui/e2e/b.test.mjs` |",
        ] {
            assert_eq!(faults_of(row).len(), 1, "{row}: {:?}", faults_of(row));
        }
        assert_eq!(faults("| a | b |", &there()), ["names no test"]);
    }
}
