//! Running other programs: a step is announced, its failure says what to do.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A command in the checkout's root.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::place::root()).stdin(Stdio::null());
    command
}

/// `cargo` with the arguments, in the checkout's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.args(args);
    command
}

/// Runs a step to its end with its output shown, and says how long it took.
///
/// # Errors
/// If it cannot be started or fails; `remedy` says what to do then.
pub(crate) fn step(title: &str, command: &mut Command, remedy: &str) -> Result<()> {
    println!("==> {title}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{title}: {status}\n    command: {command:?}\n    {remedy}");
    }
    println!("    {title}: done in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// Runs a program for its output.
///
/// # Errors
/// If it cannot be started or fails, with what it wrote to stderr.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let Output { status, stdout, stderr } = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status}):\n{}", String::from_utf8_lossy(&stderr).trim());
    }
    Ok(stdout)
}

/// Whether `program` is on the PATH.
pub(crate) fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|dir| is_program(&dir.join(program)))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
