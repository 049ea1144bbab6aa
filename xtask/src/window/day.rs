//! A day at the desk, as a photo centre has it: set up, take a photo, put the window away, come back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::browser::Browser;
use super::bus::Bus;
use super::desktop::Desktop;
use super::{Stage, same};
use crate::fleet::{PARK, enrol_code, hub_with_park, wait};
use crate::place;

/// How every JPEG of ours begins.
const JFIF: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF";

pub(super) fn run(stage: &Stage) -> Result<()> {
    let (hub, url) = hub_with_park(&stage.programs, &stage.dir)?;
    let code = enrol_code(&stage.programs, &hub.data, "photo_staff")?;
    let mut desktop = Desktop::start(&stage.dir, &stage.bins)?;
    let _bus = Bus::start(desktop.bus())?;
    let window = desktop.open(&stage.bins.join("parkdesk"), &[], &[])?;
    the_page_is_there(&window)?;
    enrol(&window, &url, &code)?;
    the_key_is_in_the_keyring(&desktop)?;
    the_camera_gives_frames(&window)?;
    let photo = a_photo_is_saved(&window)?;
    the_photo_is_shown(&window, &photo)?;
    closing_keeps_it_running(&desktop, &window)?;
    a_second_start_shows_the_first(&desktop, stage)?;
    drop(window);
    everything_is_there_after_a_restart(desktop, stage, &photo)
}

fn the_page_is_there(window: &Browser) -> Result<()> {
    ensure!(window.url()?.starts_with("tauri://localhost"), "the window shows {}", window.url()?);
    let text = wait("the page's first words", 20, || {
        let text = window.run("return document.body.innerText;", &[])?;
        Ok(text.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned))
    })?;
    ensure!(!text.contains("cargo xtask setup"), "the page is missing: {text}");
    let info = window.run("return invoke('window_info');", &[])?;
    same("autostart before anybody asked", info.get("autostart").cloned(), Some(json!(false)))?;
    let on = window.run("return invoke('set_autostart', { on: true });", &[])?;
    same("autostart when it was asked for", on, json!(true))?;
    let off = window.run("return invoke('set_autostart', { on: false });", &[])?;
    same("autostart when it was given up", off, json!(false))
}

fn enrol(window: &Browser, url: &str, code: &str) -> Result<()> {
    let before = wait("an appliance that answers", 20, || {
        let (status, body) = window.call("GET", "/api/v1/installation", None)?;
        Ok((status == 200).then_some(body))
    })?;
    same("a fresh account", before.get("state").cloned(), Some(json!("new")))?;
    same("its language", before.get("lang").cloned(), Some(json!("ru")))?;
    let bad = json!({ "hub": url, "code": "AAAA-AAAA", "name": "Фотоцентр" });
    let (status, problem) = window.call("POST", "/api/v1/installation/enrol", Some(&bad))?;
    ensure!(status >= 400, "a wrong code was taken: {problem}");
    same("a wrong code's problem", problem.get("code").cloned(), Some(json!("enrol_failed")))?;
    let good = json!({ "hub": url, "code": code, "name": "Фотоцентр" });
    let enrolled = window.ok("POST", "/api/v1/installation/enrol", Some(&good))?;
    let recovery = enrolled.get("recovery_code").and_then(Value::as_str).context("no recovery code was shown")?;
    same("groups of the recovery code", recovery.split('-').count(), 8)?;
    wait("an appliance that knows its drivers", 30, || {
        let (_, status) = window.call("GET", "/api/v1/installation", None)?;
        let (_, found) = window.call("GET", "/api/v1/drivers?text=%D1%81%D0%BE%D0%BA%D0%BE%D0%BB", None)?;
        let is_ready = status.get("state") == Some(&json!("ready"));
        Ok((is_ready && found.to_string().contains("demo-sokolov")).then_some(()))
    })
}

fn the_key_is_in_the_keyring(desktop: &Desktop) -> Result<()> {
    let found = desktop.bus_call(
        "org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.SearchItems",
        &["{'service': 'parkdesk'}"],
    )?;
    ensure!(found.contains("/org/freedesktop/secrets/collection/"), "the keyring holds nothing of Parkdesk: {found}");
    let data = desktop.data();
    let mode = fs::metadata(&data).context("no data directory")?.permissions().mode() & 0o777;
    same("the data directory's mode", format!("{mode:o}"), "700".to_owned())?;
    let magic = fs::read(data.join("replica.db"))?.get(..15).map(<[u8]>::to_vec);
    ensure!(magic.as_deref() != Some(b"SQLite format 3".as_slice()), "the replica lies there in plain");
    Ok(())
}

fn the_camera_gives_frames(window: &Browser) -> Result<()> {
    let frame = window.run(
        r#"
        const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: false });
        const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput");
        const video = document.createElement("video");
        video.srcObject = stream;
        video.muted = true;
        await video.play();
        while (video.videoWidth === 0) await new Promise((next) => setTimeout(next, 50));
        const canvas = document.createElement("canvas");
        canvas.width = 640;
        canvas.height = Math.round((640 * video.videoHeight) / video.videoWidth);
        const take = async () => {
          canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
          const blob = await new Promise((next) => canvas.toBlob(next, "image/jpeg", 0.85));
          return new Uint8Array(await blob.arrayBuffer());
        };
        const jpeg = await take();
        const answer = await call("POST", "/api/v1/live", jpeg, "image/jpeg");
        const start = performance.now();
        let frames = 0;
        while (performance.now() - start < 3000) {
          await call("POST", "/api/v1/live", await take(), "image/jpeg");
          frames += 1;
        }
        for (const track of stream.getTracks()) track.stop();
        return { cameras: cameras.map((c) => c.label), size: jpeg.length, answer, frames };
        "#,
        &[],
    )?;
    let named = frame.pointer("/cameras/0").and_then(Value::as_str).unwrap_or_default();
    ensure!(!named.is_empty(), "the camera has no name to choose it by: {frame}");
    ensure!(frame.get("size").and_then(Value::as_u64).unwrap_or_default() > 1000, "an empty frame: {frame}");
    same("the live frame's status", frame.pointer("/answer/status").cloned(), Some(json!(200)))?;
    // WebKit's mock camera draws a clock and no face: the advice must say so.
    same("a face in the mock picture", frame.pointer("/answer/body/face").cloned(), Some(Value::Null))?;
    let frames = frame.get("frames").and_then(Value::as_u64).unwrap_or_default();
    println!("    live frames in 3 s: {frames}");
    ensure!(frames > 0, "no live frame was answered");
    Ok(())
}

/// A real face comes as a file dropped on the page; answers the photo's id.
fn a_photo_is_saved(window: &Browser) -> Result<String> {
    use std::fmt::Write;
    let bytes = fs::read(place::setup("photos").join("obama.jpg"))?;
    let hex = bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let taken = window.run(
        r#"
        const [hex, park] = given;
        const bytes = new Uint8Array(hex.length / 2);
        for (let i = 0; i < bytes.length; i += 1) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
        const query = `park=${park}&driver=demo-sokolov&name=obama.jpg&source=file&taken_at_ms=${Date.now()}`;
        const shot = await call("POST", `/api/v1/shots?${query}`, bytes, "image/jpeg");
        if (shot.status !== 200) return { shot };
        const picture = await new Promise((next) => {
          const img = new Image();
          img.onload = () => next(img.naturalWidth);
          img.onerror = () => next(0);
          img.src = `photo://localhost/api/v1/shots/${shot.body.id}/files/portrait`;
        });
        const start = performance.now();
        const save = { park, driver: "demo-sokolov", reason: "проверка окна" };
        const saved = await call("POST", `/api/v1/shots/${shot.body.id}/save`, JSON.stringify(save), "application/json");
        return { shot, picture, saved, ms: performance.now() - start };
        "#,
        &[json!(hex), json!(PARK)],
    )?;
    same("the shot's status", taken.pointer("/shot/status").cloned(), Some(json!(200)))?;
    let faces = taken.pointer("/shot/body/faces").and_then(Value::as_array).map_or(0, Vec::len);
    same("faces in the shot", faces, 1)?;
    ensure!(taken.get("picture").and_then(Value::as_u64).unwrap_or_default() > 0, "the portrait is not shown: {taken}");
    same("the saved shot's status", taken.pointer("/saved/status").cloned(), Some(json!(200)))?;
    let ms = taken.get("ms").and_then(Value::as_f64).unwrap_or(f64::MAX);
    println!("    saved through the window in {ms:.0} ms");
    let photos = window.ok("GET", "/api/v1/photos?driver=demo-sokolov", None)?;
    let id = photos.pointer("/0/id").or_else(|| photos.pointer("/rows/0/id")).and_then(Value::as_str);
    Ok(id.with_context(|| format!("the photo is not listed: {photos}"))?.to_owned())
}

fn the_photo_is_shown(window: &Browser, photo: &str) -> Result<()> {
    let sizes = window.run(
        r#"
        const look = (path) => new Promise((next) => {
          const img = new Image();
          img.onload = () => next(img.naturalWidth);
          img.onerror = () => next(0);
          img.src = `photo://localhost${path}`;
        });
        const [photo] = given;
        return [await look(`/api/v1/photos/${photo}/files/thumb`), await look(`/api/v1/photos/${photo}/files/original`)];
        "#,
        &[json!(photo)],
    )?;
    for size in sizes.as_array().context("no sizes")? {
        ensure!(size.as_u64().unwrap_or_default() > 0, "a picture is not shown: {sizes}");
    }
    Ok(())
}

fn closing_keeps_it_running(desktop: &Desktop, window: &Browser) -> Result<()> {
    let (_, shown) = desktop.window()?.context("no window on the screen")?;
    ensure!(shown, "the window is not on the screen");
    desktop.close_window()?;
    wait("the window to go into the tray", 10, || Ok(desktop.window()?.is_none_or(|(_, shown)| !shown).then_some(())))?;
    // The appliance goes on, and so does the page.
    window.ok("GET", "/api/v1/status", None)?;
    Ok(())
}

fn a_second_start_shows_the_first(desktop: &Desktop, stage: &Stage) -> Result<()> {
    let mut second = desktop.command(&stage.bins.join("parkdesk").to_string_lossy());
    let mut second = second.spawn()?;
    let status = wait("the second start to end", 20, || Ok(second.try_wait()?))?;
    ensure!(status.success(), "the second start ended with {status}");
    wait("the first window in front", 10, || Ok(desktop.window()?.filter(|(_, shown)| *shown).map(|_| ())))?;
    let title = wait("a focused window", 5, || Ok(desktop.active_title().ok()))?;
    ensure!(title.contains("Parkdesk"), "the focus is on {title}");
    Ok(())
}

/// The first window was told to end; the next one finds key and photo.
fn everything_is_there_after_a_restart(mut desktop: Desktop, stage: &Stage, photo: &str) -> Result<()> {
    desktop.quit_window()?;
    let window = desktop.open(&stage.bins.join("parkdesk"), &[], &[])?;
    wait("the same appliance", 30, || {
        let (_, body) = window.call("GET", "/api/v1/installation", None)?;
        Ok((body.get("state") == Some(&json!("ready"))).then_some(()))
    })?;
    let found = window.ok("GET", &format!("/api/v1/photos/{photo}"), None)?;
    same("the photo's driver", found.get("driver").cloned(), Some(json!("demo-sokolov")))?;
    nothing_is_left_in_plain(&desktop)
}

/// The web view keeps no picture on the disk.
fn nothing_is_left_in_plain(desktop: &Desktop) -> Result<()> {
    let mut left = vec![desktop.home().to_path_buf()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                left.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path())?;
                let is_jpeg = bytes.windows(JFIF.len()).any(|part| part == JFIF);
                ensure!(!is_jpeg, "{} holds a picture in plain", entry.path().display());
            }
        }
    }
    Ok(())
}
