//! `cargo xtask sim`: worlds of appliances and a hub from seeds (simulator/). CI runs 200 of them; more are run by hand.

use anyhow::Result;

use crate::{place, run};

/// Runs seeds; `rest` are further words for `parkdesk-sim`.
///
/// # Errors
/// If a seed fails; it says which and how to repeat it.
pub(crate) fn run(rest: &[String]) -> Result<()> {
    let build = ["build", "-p", "parkdesk-simulator", "--locked", "--quiet"];
    run::step("build", &mut run::cargo(&build), "mend what it says")?;
    worlds(rest)
}

/// Runs the program that is built already.
///
/// # Errors
/// If a seed fails.
pub(crate) fn worlds(rest: &[String]) -> Result<()> {
    let mut sim = run::command(&place::bin("parkdesk-sim").to_string_lossy());
    run::step("sim", sim.args(rest), "repeat a failing seed as it says; the story of it tells what led there")
}
