//! Who may use which device, in a window that nobody drives: under automation WebKit itself says yes to everything.
//!
//! A page of the test's own asks for camera and microphone and reports through the window's one command to a stand-in for
//! an agent, which owns the data directory. The window is started with `--safe-graphics`, so that this is seen to work, too.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Stage;
use super::desktop::Desktop;
use crate::fleet::{text, wait};

const PAGE: &str =
    "<!doctype html><html><head><script type=\"module\" src=\"/probe.js\"></script></head><body></body></html>";

/// What `--safe-graphics` sets for WebKit.
const SAFE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

const PROBE: &str = r#"
const ask = (what) => navigator.mediaDevices.getUserMedia(what).then(() => "allowed", (error) => error.name);
const camera = await ask({ video: true });
const microphone = await ask({ audio: true });
const both = await ask({ video: true, audio: true });
const path = `/api/v1/report?camera=${camera}&microphone=${microphone}&both=${both}&end`;
const head = new TextEncoder().encode(JSON.stringify({ method: "GET", path, content_type: null }));
const frame = new Uint8Array(4 + head.length);
new DataView(frame.buffer).setUint32(0, head.length, false);
frame.set(head, 4);
await window.__TAURI_INTERNALS__.invoke("api", frame);
"#;

pub(super) fn run(stage: &Stage) -> Result<()> {
    let (data, ui) = (stage.dir.join("data"), stage.dir.join("ui"));
    fs::DirBuilder::new().mode(0o700).create(&data)?;
    let lock = File::create(data.join("lock"))?;
    fs::set_permissions(data.join("lock"), fs::Permissions::from_mode(0o600))?;
    lock.try_lock().context("the stand-in cannot own its data directory")?;
    let listener = UnixListener::bind(data.join("agent.sock"))?;
    listener.set_nonblocking(true)?;
    fs::create_dir_all(&ui)?;
    fs::write(ui.join("index.html"), PAGE)?;
    fs::write(ui.join("probe.js"), PROBE)?;
    let mut desktop = Desktop::start(&stage.dir, &stage.bins)?;
    let mut window = desktop.command(&stage.bins.join("parkdesk").to_string_lossy());
    window.args(["--data", text(&data)?, "--ui", text(&ui)?, "--safe-graphics"]).env("PARKDESK_MOCK_CAMERA", "1");
    // This start must set it by itself.
    let id = desktop.spawn(window.env_remove(SAFE), "window")?.id();
    let report = wait("the page's report", 60, || match listener.accept() {
        Ok((stream, _)) => Ok(answer(stream)?.filter(|asked| asked.contains("/api/v1/report?"))),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    })?;
    let environment = fs::read(format!("/proc/{id}/environ"))?;
    let is_safe = environment.split(|byte| *byte == 0).any(|one| one == format!("{SAFE}=1").as_bytes());
    ensure!(is_safe, "--safe-graphics does not reach WebKit");
    ensure!(report.contains("parkdesk-desk: 1"), "the window does not say that it is one: {report}");
    let wanted = "camera=allowed&microphone=NotAllowedError&both=NotAllowedError&end";
    ensure!(report.contains(wanted), "devices: found {report}, wanted {wanted}");
    Ok(())
}

/// Answers whatever is asked with nothing; hands back what was asked. A caller that only knocks asks nothing.
fn answer(mut stream: UnixStream) -> Result<Option<String>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut asked = vec![0; 4096];
    let length = stream.read(&mut asked)?;
    if length == 0 {
        return Ok(None);
    }
    stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok(asked.get(..length).map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}
