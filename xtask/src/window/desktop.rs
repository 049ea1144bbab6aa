//! A desktop session of the test's own: X server, window manager, session bus, unlocked keyring, a home.

use std::borrow::BorrowMut;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::browser::Browser;
use crate::fleet::wait;
use crate::{place, run};

/// The session; its processes end with it.
pub(super) struct Desktop {
    home: PathBuf,
    display: String,
    bus: String,
    logs: PathBuf,
    /// Weights and pages of the checkout, for programs that are not installed.
    lent: Vec<(&'static str, PathBuf)>,
    /// In the order in which they were started; ended the other way round.
    processes: Vec<Child>,
}

impl Desktop {
    /// Starts a session below `dir` for the programs in `bins`.
    pub(super) fn start(dir: &Path, bins: &Path) -> Result<Self> {
        let home = dir.join("home");
        fs::create_dir_all(home.join("run"))?;
        let is_installed = bins.join("../share/parkdesk").is_dir();
        let lent = if is_installed {
            Vec::new()
        } else {
            // The build may lie outside the checkout, where the programs find neither.
            vec![("PARKDESK_WEIGHTS", place::setup("weights")), ("PARKDESK_UI", place::root().join("ui/dist"))]
        };
        let (display, bus) = (String::new(), String::new());
        let mut desktop = Self { home, display, bus, logs: dir.to_path_buf(), lent, processes: Vec::new() };
        let mut xvfb = desktop.command("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"]);
        desktop.display = format!(
            ":{}",
            desktop.first_line(xvfb, "xvfb", |line| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()))?
        );
        let mut bus = desktop.command("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]);
        let address = desktop.first_line(bus, "dbus", |line| line.starts_with("unix:"))?;
        desktop.bus = address.split(",guid=").next().unwrap_or_default().to_owned();
        let openbox = desktop.command("openbox");
        desktop.spawn(openbox, "openbox")?;
        let mut keyring = desktop.command("gnome-keyring-daemon");
        keyring.args(["--foreground", "--unlock", "--components=secrets"]).stdin(Stdio::piped());
        let keyring = desktop.spawn(keyring, "keyring")?;
        let mut password = keyring.stdin.take().context("BUG: the keyring's input is a pipe")?;
        password.write_all(b"pw")?;
        drop(password);
        wait("a keyring on the session bus", 60, || {
            let has = desktop.bus_call(
                "org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus.NameHasOwner",
                &["org.freedesktop.secrets"],
            )?;
            Ok(has.contains("true").then_some(()))
        })?;
        Ok(desktop)
    }

    /// A program in this session.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = run::command(program);
        // Only what a fresh account would have: nothing of the caller's session shines through.
        command.env_clear();
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .envs(self.lent.iter().map(|(name, path)| (name, path)))
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", self.home.join("run"))
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("LANG", "ru_RU.UTF-8")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            // There is no graphics card.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        command
    }

    /// Where the account's data lies when nobody says where.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join(".local/share/parkdesk")
    }

    /// The account's home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Starts `command` with its output in a log of that name.
    pub(super) fn spawn(&mut self, mut command: impl BorrowMut<Command>, log: &str) -> Result<&mut Child> {
        let log = File::options().create(true).append(true).open(self.logs.join(format!("{log}.log")))?;
        let command = command.borrow_mut();
        command.stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        self.processes.push(child);
        self.processes.last_mut().context("BUG: it was just added")
    }

    /// Starts `command` and answers the first line it writes; what it writes later has a place to go.
    fn first_line(&mut self, command: Command, log: &str, is_right: fn(&str) -> bool) -> Result<String> {
        self.spawn(command, log)?;
        let log = self.logs.join(format!("{log}.log"));
        wait("a first line", 60, || {
            let said = fs::read_to_string(&log)?;
            // Only whole lines: the last one may still be on its way. Warnings may come before.
            let whole = said.rsplit_once('\n').map_or("", |(lines, _)| lines);
            Ok(whole.lines().map(str::trim).find(|line| is_right(line)).map(str::to_owned))
        })
        .with_context(|| format!("{} says nothing", log.display()))
    }

    /// Starts the window under WebDriver.
    pub(super) fn open(&mut self, program: &Path, args: &[&str], more: &[(&str, &str)]) -> Result<Browser> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut driver = self.command("WebKitWebDriver");
        driver.arg(format!("--port={port}")).env("TAURI_WEBVIEW_AUTOMATION", "true").env("PARKDESK_LOG", "debug");
        driver.env("PARKDESK_MOCK_CAMERA", "1").envs(more.iter().copied());
        self.spawn(driver, "window")?;
        Browser::start(port, program, args)
    }

    /// Tells the window that was opened last to end, as a session that ends does, and waits for it.
    pub(super) fn quit_window(&mut self) -> Result<()> {
        let window = self.opened()?;
        self.quit_window_by(|| run::output(run::command("kill").args(["-TERM", &window])).map(|_| ()))
    }

    /// The process of the window that was opened last.
    fn opened(&self) -> Result<String> {
        let driver = self.processes.last().context("no window was opened")?.id();
        let children = fs::read_to_string(format!("/proc/{driver}/task/{driver}/children"))?;
        Ok(children.split_whitespace().next().context("the window is gone already")?.to_owned())
    }

    /// Lets `quit` end the window that was opened last, and waits for it.
    pub(super) fn quit_window_by(&mut self, quit: impl FnOnce() -> Result<()>) -> Result<()> {
        let stat = PathBuf::from(format!("/proc/{}/stat", self.opened()?));
        quit()?;
        // The driver may leave it unburied: a zombie has ended.
        wait("the window to end when it is told to", 20, || {
            Ok(fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")).then_some(()))
        })?;
        if let Some(mut driver) = self.processes.pop() {
            end(&mut driver);
        }
        Ok(())
    }

    /// What the window manager knows of Parkdesk's window: its id and whether it is shown.
    pub(super) fn window(&self) -> Result<Option<(String, bool)>> {
        // Windows come and go while it looks: then it is asked again.
        let Ok(tree) = run::output(self.command("xwininfo").args(["-root", "-tree"])) else { return Ok(None) };
        let tree = String::from_utf8_lossy(&tree);
        let Some(line) = tree.lines().find(|line| line.contains("\"Parkdesk\"") && line.contains("1280x")) else {
            return Ok(None);
        };
        let id = line.split_whitespace().next().unwrap_or_default().to_owned();
        let Ok(state) = run::output(self.command("xwininfo").args(["-id", &id])) else { return Ok(None) };
        Ok(Some((id, String::from_utf8_lossy(&state).contains("IsViewable"))))
    }

    /// Asks the window manager to close the window, as a click on its cross does.
    pub(super) fn close_window(&self) -> Result<()> {
        run::output(self.command("wmctrl").args(["-c", "Parkdesk"]))?;
        Ok(())
    }

    /// The title of the window that has the focus.
    pub(super) fn active_title(&self) -> Result<String> {
        let id = run::output(self.command("xprop").args([
            "-root",
            "-f",
            "_NET_ACTIVE_WINDOW",
            "0x",
            " $0\\n",
            "_NET_ACTIVE_WINDOW",
        ]))?;
        let id = String::from_utf8_lossy(&id).split_whitespace().last().unwrap_or_default().to_owned();
        let name = run::output(self.command("xprop").args(["-id", &id, "_NET_WM_NAME"]))?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    /// Calls a method on the session bus and answers what `gdbus` prints.
    pub(super) fn bus_call(&self, name: &str, path: &str, method: &str, args: &[&str]) -> Result<String> {
        let mut gdbus = self.command("gdbus");
        gdbus.args(["call", "--session", "--dest", name, "--object-path", path, "--method", method]).args(args);
        Ok(String::from_utf8_lossy(&run::output(&mut gdbus)?).into_owned())
    }

    /// The session bus's address.
    pub(super) fn bus(&self) -> &str {
        &self.bus
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.processes.iter_mut().rev() {
            end(child);
        }
    }
}

/// Ends a process of ours, politely for some seconds.
fn end(child: &mut Child) {
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let ended = wait("an end", 5, || Ok(child.try_wait()?.map(|_| ())));
    if ended.is_err() {
        let _ = child.kill();
    }
    let _ = child.wait();
    std::thread::sleep(Duration::from_millis(10));
}
