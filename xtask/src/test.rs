//! `cargo xtask test`: every check there is, in the order in which it fails fastest. CI runs just this.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{crash, demo, package, place, run, setup, sim, tidy, window};

/// A step's name and what it does.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("setup", setup::run),
    ("fmt", fmt),
    ("tidy", tidy::run),
    ("ui", ui),
    ("clippy", clippy),
    ("doc", doc),
    ("build", build),
    ("unit", unit),
    ("contract", contract),
    ("sim", sim),
    ("demo", main_job),
    ("crash", crashes),
    ("e2e", e2e),
    ("window", windows),
    ("package", packages),
];

/// Runs all steps, or only those named.
///
/// # Errors
/// At the first step that fails.
pub(crate) fn run(only: &[String]) -> Result<()> {
    for name in only {
        let names: Vec<&str> = names().collect();
        ensure!(names.contains(&name.as_str()), "no step {name:?}; there are: {}", names.join(", "));
    }
    let mut times = Vec::new();
    for (name, step) in STEPS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            let start = Instant::now();
            let result = step();
            times.push((*name, start.elapsed()));
            if result.is_err() {
                println!("{}", table(&times));
                return result.with_context(|| format!("the step {name} failed"));
            }
        }
    }
    println!("{}", table(&times));
    println!("all steps passed");
    Ok(())
}

/// What the steps are called.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|(name, _)| *name)
}

/// Seconds per step, so that a slow one is seen; the last one failed if the run did.
fn table(times: &[(&str, Duration)]) -> String {
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    let line = |name: &str, time: Duration| format!("    {name:<10} {:>7.1} s", time.as_secs_f32());
    let mut lines: Vec<String> = times.iter().map(|(name, time)| line(name, *time)).collect();
    lines.push(line("all", total));
    lines.join("\n")
}

fn fmt() -> Result<()> {
    run::step("fmt", &mut run::cargo(&["fmt", "--all", "--check"]), "run: cargo fmt --all")
}

/// The page without a browser: format and lint, types, units with the check of both languages, and whether its client is
/// the one that the API's description gives.
fn ui() -> Result<()> {
    for (script, remedy) in [
        ("lint", "run: npm run format in ui/, then mend what stays"),
        ("typecheck", "mend what it says"),
        ("test", "the failing tests are named above"),
        ("api:check", "run: npm run api in ui/"),
    ] {
        npm(script, remedy)?;
    }
    Ok(())
}

fn npm(script: &str, remedy: &str) -> Result<()> {
    let mut npm = run::command("npm");
    npm.current_dir(place::root().join("ui")).args(["run", "--silent", script]);
    run::step(&format!("ui: {script}"), &mut npm, remedy)
}

/// The daily work in Chromium, on real appliances and a real hub.
fn e2e() -> Result<()> {
    let bins = place::bin("parkdesk-agent").parent().map(Path::to_path_buf).unwrap_or_default();
    let mut npm = run::command("npm");
    npm.current_dir(place::root().join("ui")).args(["run", "--silent", "e2e"]).env("PARKDESK_BIN", bins);
    run::step("ui: e2e", &mut npm, "the failing test says what the page showed; PARKDESK_SHOTS=DIR leaves pictures")
}

fn windows() -> Result<()> {
    window::run(None)
}

fn clippy() -> Result<()> {
    let args = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    run::step("clippy", &mut run::cargo(&args), "mend what it says")
}

fn doc() -> Result<()> {
    let args = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked", "--quiet"];
    let mut cargo = run::cargo(&args);
    // Private items are documented along, so links to them do resolve.
    let flags = "-D warnings -A rustdoc::private_intra_doc_links";
    run::step("doc", cargo.env("RUSTDOCFLAGS", flags), "mend the links it names")
}

fn build() -> Result<()> {
    run::step("build", &mut run::cargo(&["build", "--workspace", "--bins", "--locked"]), "mend what it says")
}

/// Units, contracts and the real programs: everything cargo knows as a test. Snapshots are compared, never written.
fn unit() -> Result<()> {
    let mut cargo = run::cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    run::step("unit", cargo.env("INSTA_UPDATE", "no"), "the failing tests are named above")
}

/// The heavy tests of the contract for both stores of the hub, which the step `unit` leaves out; `PARKDESK_CONTRACT=full`
/// runs them at full size.
fn contract() -> Result<()> {
    let args = ["test", "--workspace", "--locked", "--no-fail-fast", "--test", "hub", "--test", "contract"];
    let mut cargo = run::cargo(&args);
    cargo.args(["--", "--ignored"]).env("INSTA_UPDATE", "no");
    run::step("contract", &mut cargo, "the failing tests are named above")
}

/// Two hundred worlds, and some with disasters; the step `build` made the program.
fn sim() -> Result<()> {
    sim::worlds(&["--seeds".into(), "200".into()])?;
    sim::worlds(&["--seeds".into(), "60".into(), "--disasters".into()])
}

fn main_job() -> Result<()> {
    ensure!(demo::run(None)?, "the main job did not hold; the table above says where");
    Ok(())
}

/// Fifty kills, as the issue of the main job asks; more by `cargo xtask crash --rounds N`.
fn crashes() -> Result<()> {
    crash::run(50, 1)
}

fn packages() -> Result<()> {
    package::run(None, package::Profile::Dev)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_every_step_and_the_sum() {
        let told = table(&[("fmt", Duration::from_millis(1500)), ("unit", Duration::from_secs(100))]);
        assert_eq!(told, "    fmt            1.5 s\n    unit         100.0 s\n    all          101.5 s");
    }

    #[test]
    fn an_unknown_step_is_refused_with_those_there_are() {
        let error = run(&["nothing".into()]).unwrap_err().to_string();
        assert!(error.contains("setup, fmt"), "{error}");
    }
}
