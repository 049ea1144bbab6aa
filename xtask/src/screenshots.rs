//! `cargo xtask screenshots`: every page in every state as a picture, both themes, both languages, two sizes, for a person to
//! look at. The pages are the gallery's: the real components over fixtures, so that each state is there every time.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::fleet::wait;
use crate::{place, run, setup};

/// Writes the pictures into `dir` (default: target/screenshots); `only` those whose name holds the text.
///
/// # Errors
/// If the gallery cannot be built or shown.
pub(crate) fn run(dir: Option<PathBuf>, only: Option<&str>) -> Result<()> {
    setup::run()?;
    let ui = place::root().join("ui");
    let dir = std::path::absolute(dir.unwrap_or_else(|| place::target().join("screenshots")))?;
    let vite = ui.join("node_modules/.bin/vite").to_string_lossy().into_owned();
    let mut build = run::command(&vite);
    run::step("build the gallery", build.current_dir(&ui).args(["build", "--mode", "gallery"]), "mend what it says")?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let _shown = Shown::start(&vite, address)?;
    let mut node = run::command("node");
    node.current_dir(&ui).args(["e2e/screenshots.mjs", "--base", &format!("http://{address}/dev/gallery")]);
    node.arg("--out").arg(&dir).args(["--only", only.unwrap_or_default()]);
    run::step("screenshots", &mut node, "chromium must be installed: cargo xtask setup")?;
    println!("the pictures are in {}", dir.display());
    Ok(())
}

/// The gallery on loopback, as long as this lives.
struct Shown(Child);

impl Shown {
    fn start(vite: &str, address: SocketAddr) -> Result<Self> {
        let mut preview = run::command(vite);
        preview.current_dir(place::root().join("ui")).args(["preview", "--mode", "gallery", "--strictPort"]);
        preview.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
        let shown = Self(preview.stdout(Stdio::null()).spawn().context("the gallery cannot be shown")?);
        wait("the gallery", 30, || Ok(TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()))?;
        Ok(shown)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // It holds nothing that a hard end could hurt.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
