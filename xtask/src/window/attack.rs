//! SEC1-SEC5 of reliability.md: what a script in the page can and cannot do, tried in the real window.

use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::browser::Browser;
use super::desktop::Desktop;
use super::{Stage, same};
use crate::fleet::{PARK, enrol_code, hub_with_park, wait};
use crate::place;

/// A name that would be a script if anything rendered it as HTML.
const EVIL: &str = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>";

pub(super) fn run(stage: &Stage) -> Result<()> {
    let (hub, url) = hub_with_park(&stage.programs, &stage.dir)?;
    let code = enrol_code(&stage.programs, &hub.data, "senior")?;
    let mut desktop = Desktop::start(&stage.dir, &stage.bins)?;
    let window = desktop.open(&stage.bins.join("parkdesk"), &[], &[])?;
    let enrol = json!({ "hub": url, "code": code, "name": EVIL });
    wait("an appliance that answers", 20, || {
        Ok((window.call("GET", "/api/v1/installation", None)?.0 == 200).then_some(()))
    })?;
    window.ok("POST", "/api/v1/installation/enrol", Some(&enrol))?;
    let trap = TcpListener::bind("127.0.0.1:0")?;
    trap.set_nonblocking(true)?;
    let trap_url = format!("http://{}/", trap.local_addr()?);
    sec1_markup_is_inert_and_scripts_do_not_run(&window, &trap_url)?;
    sec2_only_the_listed_commands_answer(&window)?;
    sec2_wrong_arguments_are_refused(&window)?;
    sec3_the_page_cannot_leave(&window, &trap_url)?;
    sec4_pictures_have_no_other_addresses(&window)?;
    sec5_prototypes_are_frozen_and_size_is_capped(&window)?;
    nothing_was_sent(&trap)
}

/// WebKit opens a connection before it asks whether a navigation is allowed, and closes it unused; a single byte would be one
/// too many.
fn nothing_was_sent(trap: &TcpListener) -> Result<()> {
    loop {
        let mut stream = match trap.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut bytes = [0_u8; 256];
        let count = match stream.read(&mut bytes) {
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error.into()),
        };
        let sent = bytes.get(..count).map(String::from_utf8_lossy).unwrap_or_default();
        ensure!(count == 0, "the page reached another server: {sent}");
    }
}

fn sec1_markup_is_inert_and_scripts_do_not_run(window: &Browser, trap: &str) -> Result<()> {
    let driver = json!({ "park": PARK, "last_name": EVIL, "first_name": "Иван", "phones": ["+79990001122"] });
    window.ok("POST", "/api/v1/drivers", Some(&driver))?;
    // The page shows the driver and the appliance's name wherever it shows such things.
    let shown = window.run(
        r#"
        window.reports = [];
        document.addEventListener("securitypolicyviolation", (event) => window.reports.push(event.violatedDirective));
        for (const path of ["/drivers", "/sync", "/capture", "/settings", "/"]) {
          history.pushState(null, "", path);
          window.dispatchEvent(new PopStateEvent("popstate"));
          await new Promise((next) => setTimeout(next, 700));
        }
        return { pwned: window.pwned ?? null, reports: window.reports };
        "#,
        &[],
    )?;
    same("what a name did as a script", shown, json!({ "pwned": null, "reports": [] }))?;
    let tried = window.run(
        r#"
        const [trap] = given;
        const soon = () => new Promise((next) => setTimeout(next, 400));
        const out = {};
        try { out.eval = (0, eval)("1 + 1"); } catch (error) { out.eval = error.name; }
        try { out.func = new Function("return 1")(); } catch (error) { out.func = error.name; }
        const script = (make) => {
          const el = document.createElement("script");
          make(el);
          document.head.append(el);
        };
        script((el) => (el.textContent = "window.inline = 1"));
        script((el) => (el.src = "data:text/javascript,window.data=1"));
        script((el) => (el.src = URL.createObjectURL(new Blob(["window.blob=1"], { type: "text/javascript" }))));
        script((el) => (el.src = `${trap}remote.js`));
        const holder = document.createElement("div");
        holder.innerHTML = "<img src='x' onerror='window.handler=1'>";
        document.body.append(holder);
        const style = document.createElement("style");
        style.textContent = "body { --injected: 1 }";
        document.head.append(style);
        await soon();
        out.ran = ["inline", "data", "blob", "handler"].filter((name) => name in window);
        out.style = getComputedStyle(document.body).getPropertyValue("--injected").trim();
        out.fetch = await fetch(trap).then(() => "reached", (error) => error.name);
        out.socket = await new Promise((next) => {
          try {
            const socket = new WebSocket(trap.replace("http", "ws"));
            socket.onopen = () => next("open");
            socket.onerror = () => next("refused");
          } catch (error) { next(error.name); }
        });
        out.beacon = navigator.sendBeacon ? navigator.sendBeacon(trap, "x") : false;
        const image = new Image();
        image.src = `${trap}pixel.png`;
        await soon();
        out.image = image.naturalWidth;
        return out;
        "#,
        &[json!(trap)],
    )?;
    same("scripts that ran", tried.get("ran").cloned(), Some(json!([])))?;
    same("eval", tried.get("eval").cloned(), Some(json!("EvalError")))?;
    same("new Function", tried.get("func").cloned(), Some(json!("EvalError")))?;
    same("an injected style", tried.get("style").cloned(), Some(json!("")))?;
    same("fetch to elsewhere", tried.get("fetch").cloned(), Some(json!("TypeError")))?;
    ensure!(tried.get("socket") != Some(&json!("open")), "a WebSocket to elsewhere opened");
    same("an image from elsewhere", tried.get("image").cloned(), Some(json!(0)))
}

/// Every command of every plugin that is compiled in, by the list that the build writes.
fn plugin_commands() -> Result<Vec<String>> {
    let path = place::root().join("src-tauri/gen/schemas/acl-manifests.json");
    let text = std::fs::read(&path).with_context(|| format!("{} is missing: build first", path.display()))?;
    let manifests: Value = serde_json::from_slice(&text)?;
    let mut commands = Vec::new();
    for (plugin, manifest) in manifests.as_object().context("no manifests")? {
        let permissions = manifest.get("permissions").and_then(Value::as_object);
        for allowed in permissions.into_iter().flatten().filter_map(|(_, p)| p.pointer("/commands/allow")?.as_array()) {
            for command in allowed.iter().filter_map(Value::as_str) {
                commands.push(match plugin.as_str() {
                    "__app-acl__" => command.to_owned(),
                    plugin => format!("plugin:{}|{command}", plugin.trim_start_matches("core:")),
                });
            }
        }
    }
    commands.sort();
    commands.dedup();
    Ok(commands)
}

fn sec2_only_the_listed_commands_answer(window: &Browser) -> Result<()> {
    let mut commands = plugin_commands()?;
    let known = commands.len();
    ensure!(known > 100, "only {known} commands are known: the build writes its list elsewhere now");
    let absent = ["fs|read_text_file", "fs|read_file", "shell|execute", "shell|open", "http|fetch", "updater|check"];
    commands.extend(absent.map(|name| format!("plugin:{name}")));
    commands.extend(["quit".to_owned(), "greet".to_owned(), "../api".to_owned()]);
    // The four small commands would open dialogs or change the session; `api` has a test of its own.
    let ours = ["api", "choose_folder", "show_folder", "window_info", "set_autostart"];
    commands.retain(|command| !ours.contains(&command.as_str()));
    let answered = window.run(
        r#"
        const [commands] = given;
        const answered = [];
        for (const command of commands) {
          await invoke(command, {}).then(() => answered.push(command), (error) => {
            // Missing arguments would mean that the way to the command was free.
            if (!/not allowed|not found|denied/i.test(String(error))) answered.push(`${command}: ${error}`);
          });
        }
        return answered;
        "#,
        &[json!(commands)],
    )?;
    let free: Vec<&str> = answered.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let allowed = |line: &&str| line.starts_with("plugin:webview|set_webview_zoom");
    let more: Vec<&&str> = free.iter().filter(|line| !allowed(line)).collect();
    ensure!(more.is_empty(), "commands that are not on the list answered: {more:?}");
    ensure!(free.iter().any(allowed), "zoom is not allowed: the test asks wrongly");
    Ok(())
}

fn sec2_wrong_arguments_are_refused(window: &Browser) -> Result<()> {
    let tried = window.run(
        r#"
        const frame = (head) => {
          const bytes = new TextEncoder().encode(head);
          const frame = new Uint8Array(4 + bytes.length);
          new DataView(frame.buffer).setUint32(0, bytes.length, false);
          frame.set(bytes, 4);
          return frame;
        };
        const bodies = [
          undefined, null, 1, "x", {}, [], [1, "x"], [256, -1], new Uint8Array(0), new Uint8Array([255, 255, 255, 255]),
          frame("null"), frame("{}"), frame('{"method":"GET","path":"/etc/passwd","content_type":null}'),
          frame('{"method":"GET","path":"/api/v1/../../openapi.json","content_type":null}'),
          frame('{"method":"CONNECT","path":"/api/v1/status","content_type":null}'),
          frame('{"method":"GET","path":"http://evil.test/api/v1/status","content_type":null}'),
          frame('{"method":"GET","path":"/api/v1/status","content_type":"a\\r\\nHost: b"}'),
        ];
        const answered = [];
        for (const [i, body] of bodies.entries()) {
          const answer = await invoke("api", body).then((ok) => ok, () => null);
          if (answer === null) continue;
          const length = new DataView(answer).getUint32(0, false);
          const { status } = JSON.parse(new TextDecoder().decode(new Uint8Array(answer, 4, length)));
          if (status < 400) answered.push([i, status]);
        }
        const folder = await invoke("set_autostart", { on: "yes" }).then(() => "taken", () => "refused");
        const { status } = await call("GET", "/api/v1/status");
        return { answered, folder, status };
        "#,
        &[],
    )?;
    same("what wrong arguments got", tried, json!({ "answered": [], "folder": "refused", "status": 200 }))
}

fn sec3_the_page_cannot_leave(window: &Browser, trap: &str) -> Result<()> {
    let tried = window.run(
        r#"
        const [trap] = given;
        const soon = (ms) => new Promise((next) => setTimeout(next, ms));
        const out = { frames: [], opened: [] };
        for (const src of [trap, "tauri://localhost/", "about:blank", "data:text/html,<script>parent.pwned=2</script>"]) {
          const frame = document.createElement("iframe");
          frame.src = src;
          document.body.append(frame);
          await soon(300);
          let inner = null;
          try { inner = frame.contentWindow?.__TAURI_INTERNALS__?.invoke ? "has invoke" : null; } catch { inner = null; }
          out.frames.push([src.split(":")[0], inner, frame.contentDocument?.body?.innerText ?? ""]);
          frame.remove();
        }
        for (const url of [trap, "tauri://localhost/", "file:///etc/passwd", "about:blank"]) {
          const opened = window.open(url, "_blank");
          out.opened.push(opened === null || opened === undefined);
        }
        for (const url of [trap, "file:///etc/passwd", "data:text/html,gone", "tauri://evil.test/", "photo://localhost/x"]) {
          location.href = url;
          await soon(300);
          const link = document.createElement("a");
          link.href = url;
          document.body.append(link);
          link.click();
          await soon(200);
        }
        out.pwned = window.pwned ?? null;
        out.href = location.href.split("/").slice(0, 3).join("/");
        return out;
        "#,
        &[json!(trap)],
    )?;
    same("the page after all tries", tried.get("href").cloned(), Some(json!("tauri://localhost")))?;
    same("a script in a frame", tried.get("pwned").cloned(), Some(Value::Null))?;
    for opened in tried.get("opened").and_then(Value::as_array).context("no answer on window.open")? {
        same("window.open was denied", opened.clone(), json!(true))?;
    }
    for frame in tried.get("frames").and_then(Value::as_array).context("no answer on frames")? {
        let text = frame.get(2).and_then(Value::as_str).unwrap_or_default();
        ensure!(text.is_empty(), "a frame shows something: {frame}");
    }
    ensure!(window.url()?.starts_with("tauri://localhost/"), "the window left its page");
    Ok(())
}

fn sec4_pictures_have_no_other_addresses(window: &Browser) -> Result<()> {
    let tried = window.run(
        r#"
        const look = (src) => new Promise((next) => {
          const img = new Image();
          img.onload = () => next("shown");
          img.onerror = () => next("nothing");
          img.src = src;
        });
        const shown = [];
        for (const path of [
          "/etc/passwd", "/api/v1/photos/../../../etc/passwd", "/api/v1/photos/%2e%2e/files/thumb", "/api/v1/photos/a%00/files/thumb",
          "/api/v1/photos/..;/files/thumb", "/api/v1/photos/~/files/thumb", "/api/v1/status",
          "/api/v1/photos/0190aaaa-0000-7000-8000-000000000000/files/thumb", `/api/v1/photos/${"0".repeat(64)}/files/original`,
        ]) if ((await look(`photo://localhost${path}`)) === "shown") shown.push(path);
        for (const src of ["photo://evil.test/api/v1/photos/a/files/thumb", "file:///usr/share/pixmaps/debian-logo.png", "asset://localhost/etc/passwd"])
          if ((await look(src)) === "shown") shown.push(src);
        const read = await fetch("photo://localhost/api/v1/photos/a/files/thumb").then(() => "read", (e) => e.name);
        return { shown, read };
        "#,
        &[],
    )?;
    same("pictures from wrong addresses", tried, json!({ "shown": [], "read": "TypeError" }))
}

fn sec5_prototypes_are_frozen_and_size_is_capped(window: &Browser) -> Result<()> {
    let tried = window.run(
        r#"
        const out = {};
        try { Object.prototype.polluted = 1; } catch {}
        try { ({}).__proto__.polluted = 1; } catch {}
        try { Object.assign(Object.prototype, JSON.parse('{"polluted": 1}')); } catch {}
        out.polluted = ({}).polluted ?? null;
        out.frozen = Object.isFrozen(Object.prototype);
        const big = new Uint8Array(100 * 1024 * 1024);
        out.big = (await call("POST", "/api/v1/live", big, "image/jpeg").catch(() => ({ status: 0 }))).status;
        out.after = (await call("GET", "/api/v1/status")).status;
        return out;
        "#,
        &[],
    )?;
    same("prototypes", tried.get("polluted").cloned(), Some(Value::Null))?;
    same("Object.prototype is frozen", tried.get("frozen").cloned(), Some(json!(true)))?;
    let big = tried.get("big").and_then(Value::as_u64).unwrap_or_default();
    ensure!(matches!(big, 0 | 413), "100 MB were answered with {big}");
    same("the window afterwards", tried.get("after").cloned(), Some(json!(200)))
}
