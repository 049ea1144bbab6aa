//! Rules on source files: headers, lengths, and words that must not stand in certain places.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{place, run};

/// Lines of a file without its tests: the aim, and what must be explained in its header.
const AIM: usize = 350;
const LIMIT: usize = 500;
/// Lines of a function: aim of style.md.
const LONG_FUNCTION: usize = 80;

/// Words forbidden in code that the simulator runs (protocol, "Proof"): prefix of path -> words. `static` is an item: it
/// keeps something between two worlds.
const PURE: &[(&str, &[&str])] = &[
    ("domain/src", &["tokio", "std::thread", "HashMap", "SystemTime", "Instant", "static", "rand::"]),
    ("sync-agent/src/engine", &["tokio", "std::thread", "HashMap", "SystemTime", "Instant", "static"]),
    ("sync-agent/src/session", &["tokio", "std::thread", "HashMap", "SystemTime", "Instant", "static", "rand::"]),
    ("sync-agent/src/codec.rs", &["tokio", "std::thread", "HashMap", "SystemTime", "Instant", "static", "rand::"]),
    ("sync-agent/src/replica.rs", &["tokio", "std::thread", "HashMap", "SystemTime", "Instant", "static", "rand::"]),
    ("sqlite/src", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/file.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/writer.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/migrate.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/durable.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/sealed", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "SysRng", "static"]),
    ("sqlcipher/src/open.rs", &["tokio", "std::thread", "HashMap", "SystemTime", "SysRng", "static"]),
    ("hub/src/protocol", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "static"]),
    ("hub/src/judging.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "static"]),
    ("hub/src/index.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "static"]),
    ("hub/src/blob_files.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "rand::rng", "static"]),
    ("hub/src/store/embedded", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "rand::rng", "static"]),
    ("hub/src/store/person_keys.rs", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "static"]),
    ("simulator/src", &["tokio", "std::thread", "std::fs", "HashMap", "SystemTime", "Instant", "static"]),
];

/// Whether a line of code has a forbidden word.
fn has(line: &str, word: &str) -> bool {
    if word != "static" {
        return line.contains(word);
    }
    let item = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    item.starts_with("static ")
}

/// Paths of somebody's machine, which must not be in the repository; spelt so that this file may be.
const MACHINE: &[&str] = &[concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];

pub(super) fn check(broken: &mut Vec<String>) -> Result<()> {
    let list = run::output(run::command("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let mut over = Vec::new();
    for path in String::from_utf8_lossy(&list).split('\0').filter(|p| !p.is_empty()) {
        let full = place::root().join(path);
        let Ok(bytes) = fs::read(&full) else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for word in MACHINE.iter().filter(|word| text.contains(**word)) {
            broken.push(format!("{path} names a machine's folder ({word}...)"));
        }
        if Path::new(path).extension().is_some_and(|e| e == "rs") {
            check_rust(path, &text, &mut over, broken).with_context(|| path.to_owned())?;
        }
    }
    for line in over {
        println!("    over the aim: {line}");
    }
    Ok(())
}

fn check_rust(path: &str, text: &str, over: &mut Vec<String>, broken: &mut Vec<String>) -> Result<()> {
    if !text.starts_with("//!") && !text.starts_with("#!") {
        broken.push(format!("{path} has no //! header"));
    }
    for (prefix, words) in PURE.iter().filter(|(prefix, _)| path.starts_with(prefix)) {
        let code = text.split("#[cfg(test)]").next().unwrap_or(text);
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for word in words.iter().filter(|word| has(line, word)) {
                broken.push(format!("{path} ({prefix} is pure) has {word}: {}", line.trim()));
            }
        }
    }
    let is_test = path.contains("/tests/") || path.ends_with("tests.rs");
    if is_test {
        return Ok(());
    }
    let code = text.split("\n#[cfg(test)]\nmod").next().unwrap_or(text);
    let lines = code.lines().count();
    if lines > LIMIT {
        broken.push(format!("{path} has {lines} lines without tests (limit {LIMIT}): split it by noun"));
    } else if lines > AIM {
        over.push(format!("{path} has {lines} lines (aim {AIM})"));
    }
    for (name, lines) in functions(code).into_iter().filter(|(_, lines)| *lines > LONG_FUNCTION) {
        over.push(format!("{path}: fn {name} has {lines} lines (aim {LONG_FUNCTION})"));
    }
    Ok(())
}

/// Functions with their lengths, by indentation (rustfmt is checked before).
fn functions(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut open: Option<(String, usize, usize)> = None;
    for (number, line) in code.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if let Some((name, start, at)) = &open
            && indent == *at
            && line.trim_end() == format!("{}}}", " ".repeat(*at))
        {
            found.push((name.clone(), number - start + 1));
            open = None;
        } else if open.is_none()
            && let Some((before, after)) = line.split_once("fn ")
            && !line.trim_start().starts_with("//")
            && before.split_whitespace().all(|word| {
                word.starts_with("pub") || matches!(word, "async" | "const" | "unsafe" | "in" | "crate)" | "super)")
            })
        {
            let name = after.split(['(', '<']).next().unwrap_or_default();
            open = Some((name.to_owned(), number, indent));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let code =
            "impl X {\n    pub(crate) fn a(&self) {\n        if x {\n        }\n    }\n}\n\nasync fn b<T>() {\n}\n";
        assert_eq!(functions(code), [("a".to_owned(), 4), ("b".to_owned(), 2)]);
    }
}
