//! docs/traceability.md: every test it names must exist.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};

use crate::{place, run};

/// A cell names tests as `` `crate::test_name` ``.
pub(super) fn check(broken: &mut Vec<String>) -> Result<()> {
    let table = fs::read_to_string(place::root().join("docs/traceability.md")).context("docs/traceability.md")?;
    let tests = tests()?;
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with('|')) {
        for name in line.split('`').skip(1).step_by(2).filter(|name| name.contains("::") && !name.contains(' ')) {
            named += 1;
            if !tests.contains(name) {
                broken.push(format!("docs/traceability.md names the test {name}, which does not exist"));
            }
        }
    }
    if named == 0 {
        broken.push("docs/traceability.md names no test".into());
    }
    Ok(())
}

/// `folder::test_name` of every test in the tree.
fn tests() -> Result<BTreeSet<String>> {
    let list = run::output(run::command("git").args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.rs",
    ]))?;
    let mut tests = BTreeSet::new();
    for path in String::from_utf8_lossy(&list).split('\0').filter(|p| !p.is_empty()) {
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
    Ok(tests)
}
