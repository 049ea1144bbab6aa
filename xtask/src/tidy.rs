//! `cargo xtask tidy`: the rules that compilers do not check. Broken rules fail; what is over the style aims is printed.

mod crates;
mod files;
mod trace;
mod unused;

use anyhow::{Result, ensure};

/// Checks all rules.
///
/// # Errors
/// If one is broken; each place is printed.
pub(crate) fn run() -> Result<()> {
    println!("==> tidy");
    let mut broken = Vec::new();
    crates::check(&mut broken)?;
    files::check(&mut broken)?;
    trace::check(&mut broken)?;
    for line in &broken {
        println!("    broken: {line}");
    }
    ensure!(broken.is_empty(), "tidy: {} rules are broken", broken.len());
    println!("    tidy: all rules hold");
    Ok(())
}
