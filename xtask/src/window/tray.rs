//! The window's share in the desktop: the tray's menu, notifications, the file manager.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::browser::Browser;
use super::bus::Bus;
use super::desktop::Desktop;
use super::{Stage, same};
use crate::fleet::{PARK, enrol_code, hub_with_park, text, wait};
use crate::run;

const OPEN: &str = "Открыть Parkdesk";
const NOW: &str = "Отправить сейчас";
const PAUSE: &str = "Приостановить отправку";
const RESUME: &str = "Возобновить отправку";
const QUIT: &str = "Выйти";

/// Two drivers with one licence: the hub takes the first.
const LICENCE: &str = "55 КМ 010203";

pub(super) fn run(stage: &Stage) -> Result<()> {
    let (hub, url) = hub_with_park(&stage.programs, &stage.dir)?;
    let code = enrol_code(&stage.programs, &hub.data, "senior")?;
    let mut desktop = Desktop::start(&stage.dir, &stage.bins)?;
    let bus = Bus::start(desktop.bus())?;
    let agent = stage.bins.join("parkdesk-agent");
    let data = desktop.data();
    let enrol = ["enrol", "--data", text(&data)?, "--hub", &url, "--code", &code, "--name", "Офис"];
    run::output(desktop.command(text(&agent)?).args(enrol))?;
    let shown = file_manager(&stage.dir)?;
    let path = format!("{}:{}", text(&stage.dir)?, std::env::var("PATH").unwrap_or_default());
    let window = desktop.open(&stage.bins.join("parkdesk"), &[], &[("PATH", &path)])?;
    the_menu_says_how_things_stand(&bus)?;
    closing_tells_once_that_it_goes_on(&desktop, &bus)?;
    let refuse = || {
        let csv = stage.dir.join("second.csv");
        fs::write(&csv, format!("driver_id,last_name,first_name,licence\nsecond,Второй,Пётр,{LICENCE}\n"))?;
        let import = ["admin", "--data", text(&hub.data)?, "driver", "import", text(&csv)?, "--park", PARK];
        stage.programs.ask("parkdesk-hub", &import).map(|_| ())
    };
    what_the_hub_refuses_is_told_and_a_click_opens_the_window(&desktop, &window, &bus, refuse)?;
    the_folder_is_shown(&window, &stage.dir.join("photos"), &shown)?;
    desktop.quit_window_by(|| bus.click(QUIT))
}

fn the_menu_says_how_things_stand(bus: &Bus) -> Result<()> {
    let wanted = [(OPEN, true), ("На связи", false), (NOW, true), (PAUSE, true), (QUIT, true)];
    let wanted: Vec<(String, bool)> = wanted.iter().map(|(label, on)| ((*label).to_owned(), *on)).collect();
    let mut last = Vec::new();
    wait("the tray's menu of an appliance that is connected", 30, || {
        last = bus.menu()?.into_iter().map(|entry| (entry.label, entry.is_enabled)).collect();
        Ok((last == wanted).then_some(()))
    })
    .with_context(|| format!("it says {last:?}"))
}

fn closing_tells_once_that_it_goes_on(desktop: &Desktop, bus: &Bus) -> Result<()> {
    for _ in 0..2 {
        put_away(desktop)?;
        wait("the hint that closing is not quitting", 10, || {
            Ok(bus.told().iter().any(|said| said.contains("Parkdesk продолжает работать")).then_some(()))
        })?;
        bus.click(OPEN)?;
        is_back(desktop)?;
    }
    same("hints after closing twice", bus.told().len(), 1)
}

fn what_the_hub_refuses_is_told_and_a_click_opens_the_window(
    desktop: &Desktop,
    window: &Browser,
    bus: &Bus,
    refuse: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let paused = || wait("a paused link", 10, || Ok((link(window)? == json!("paused")).then_some(())));
    bus.click(PAUSE)?;
    paused()?;
    let driver = json!({ "park": PARK, "last_name": "Первый", "first_name": "Пётр", "licence_number": LICENCE });
    window.ok("POST", "/api/v1/drivers", Some(&driver))?;
    refuse()?;
    put_away(desktop)?;
    // A person's "now" ends the pause.
    bus.click(NOW)?;
    wait("the notification of what needs attention", 30, || {
        Ok(bus.told().iter().any(|said| said == "Parkdesk: 1 запись требует внимания").then_some(()))
    })
    .with_context(|| format!("told so far: {:?}", bus.told()))?;
    bus.click_latest()?;
    is_back(desktop)?;
    bus.click(PAUSE)?;
    paused()?;
    bus.click(RESUME)?;
    wait("a link that is resumed", 20, || Ok((link(window)? == json!("online")).then_some(())))
}

/// Where the link stands.
fn link(window: &Browser) -> Result<Value> {
    Ok(window.ok("GET", "/api/v1/status", None)?.pointer("/link/state").cloned().unwrap_or_default())
}

fn the_folder_is_shown(window: &Browser, folder: &Path, shown: &Path) -> Result<()> {
    let none = window.run("return invoke('show_folder').then(() => null, String);", &[])?;
    same(
        "the file manager without a folder",
        none.as_str().map(|why| why.contains("выберите её в настройках")),
        Some(true),
    )?;
    fs::create_dir_all(folder)?;
    let settings = json!({ "watch_folder": text(folder)? });
    window.ok("PUT", "/api/v1/settings", Some(&settings))?;
    window.run("return invoke('show_folder');", &[])?;
    let opened =
        wait("the file manager", 10, || Ok(fs::read_to_string(shown).ok().filter(|line| line.ends_with('\n'))))?;
    same("the folder in the file manager", opened.trim_end(), text(folder)?)
}

/// A file manager that writes down what it is to show; answers where.
fn file_manager(dir: &Path) -> Result<PathBuf> {
    let (program, shown) = (dir.join("xdg-open"), dir.join("shown"));
    fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$1\" > '{}'\n", text(&shown)?))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(shown)
}

fn put_away(desktop: &Desktop) -> Result<()> {
    wait("the window on the screen", 20, || Ok(desktop.window()?.filter(|(_, shown)| *shown).map(|_| ())))?;
    desktop.close_window()?;
    wait("the window to go into the tray", 10, || Ok(desktop.window()?.is_none_or(|(_, shown)| !shown).then_some(())))
}

fn is_back(desktop: &Desktop) -> Result<()> {
    wait("the window in front", 10, || Ok(desktop.window()?.filter(|(_, shown)| *shown).map(|_| ())))
}
