//! `cargo xtask bench NAME`: builds ours, installs the peers, measures side by side (crate `parkdesk-bench`), and judges.

mod peer;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use parkdesk_bench::{Figure, faces};

use crate::{place, run, setup};

/// Runs the benchmark; answers whether every figure reached its goal.
///
/// # Errors
/// If there is no such benchmark, or a peer cannot be installed.
pub(crate) fn run(name: &str, json: Option<&Path>) -> Result<bool> {
    let figures = match name {
        "faces" => measure_faces()?,
        other => bail!("no benchmark {other:?}; there is: faces"),
    };
    for figure in &figures {
        println!("{}", figure.line());
    }
    if let Some(path) = json {
        fs::write(path, serde_json::to_vec_pretty(&figures)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(figures.iter().all(Figure::is_ok))
}

/// Ours is a release build of `models/examples/measure.rs`, because only that crate may see torch.
fn measure_faces() -> Result<Vec<Figure>> {
    setup::run()?;
    setup::debian::install(&[("libjpeg-turbo-progs", "djpeg")])?;
    let peer = peer::install()?;
    let mut build = run::cargo(&["build", "--release", "--locked", "-p", "parkdesk-models", "--example", "measure"]);
    run::step("build the measuring program", &mut build, "see the compiler's output above")?;
    let scratch = place::target().join("bench");
    fs::create_dir_all(&scratch)?;
    let mut ours = Command::new(place::target().join("release/examples/measure"));
    ours.arg("--weights").arg(place::setup("weights")).arg("--photos").arg(place::setup("photos"));
    ours.arg("--scratch").arg(&scratch);
    // As the client starts parkdesk-faces.
    ours.env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
    faces::measure(ours, peer::command(&peer, &place::setup("photos")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_benchmark_is_refused() {
        assert!(run("nothing", None).is_err());
    }
}
