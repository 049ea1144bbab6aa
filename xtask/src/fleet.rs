//! A hub with one park, and two appliances enrolled at it: what the demo and the crash loop run on.

mod process;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

pub(crate) use process::{Programs, Running, wait};

/// The park.
pub(crate) const PARK: &str = "demo";

/// The two drivers: invented people who lend their rows to the photos.
const DRIVERS: &str = "\
driver_id,last_name,first_name,middle_name,phones,licence,plate
demo-sokolov,Соколов,Артём,Петрович,+7 916 123-45-67,77 АВ 123456,А 123 ВС 77
demo-orlov,Орлов,Семён,Ильич,+7 903 765-43-21,99 ХЕ 654321,К 777 ОМ 99
";

/// One program with what it takes to start it again.
pub(crate) struct Node {
    pub(crate) data: PathBuf,
    pub(crate) running: Running,
    program: &'static str,
    args: Vec<String>,
}

impl Node {
    fn start(programs: &Programs, program: &'static str, data: &Path, args: &[&str], log: &Path) -> Result<Self> {
        let running = programs.start(program, args, log)?;
        Ok(Self { data: data.to_path_buf(), running, program, args: args.iter().map(|a| (*a).to_owned()).collect() })
    }

    /// Starts it again after a kill.
    pub(crate) fn restart(&mut self, programs: &Programs) -> Result<()> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        self.running = programs.start(self.program, &args, self.running.log())?;
        Ok(())
    }
}

/// The three programs and their folders.
pub(crate) struct Fleet<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) watched: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) hub: Node,
    pub(crate) centre: Node,
    pub(crate) office: Node,
}

impl<'a> Fleet<'a> {
    /// Lays everything out in `dir`, which must be empty.
    ///
    /// # Errors
    /// If a program does not do its part.
    pub(crate) fn start(programs: &'a Programs, dir: &Path) -> Result<Self> {
        let watched = dir.join("watched");
        let logs = dir.join("logs");
        fs::create_dir_all(&watched)?;
        println!("==> hub, park, drivers");
        let (hub, url) = hub_with_park(programs, dir)?;
        println!("==> two appliances at {url}");
        let enrol = |name: &str, role: &str, data: &Path, watch: Option<&Path>| -> Result<Node> {
            let code = enrol_code(programs, &hub.data, role)?;
            let key = data.with_extension("key");
            let at = ["--data", text(data)?, "--key-file", text(&key)?];
            let more = ["enrol", "--hub", &url, "--code", &code, "--name", name];
            programs.ask("parkdesk-agent", &[&more[..], &at[..]].concat())?;
            let mut args = vec!["run", "--reconnect-spread", "0"];
            args.extend(at);
            if let Some(folder) = watch {
                args.extend(["--watch", text(folder)?]);
            }
            let log = logs.join(format!("{}.log", data.file_name().unwrap_or_default().display()));
            Node::start(programs, "parkdesk-agent", data, &args, &log)
        };
        let centre = enrol("Фотоцентр", "photo_staff", &dir.join("centre"), Some(&watched))?;
        let office = enrol("Диспетчерская", "operator", &dir.join("office"), None)?;
        let mut fleet = Self { programs, watched, logs, hub, centre, office };
        for data in [fleet.centre.data.clone(), fleet.office.data.clone()] {
            wait("an appliance that knows its park's drivers", 30, || {
                fleet.check()?;
                let Ok(found) = fleet.ask(&data, &["drivers", "соколов"]) else { return Ok(None) };
                Ok(items(&found).first().map(|_| ()))
            })?;
        }
        Ok(fleet)
    }

    /// Fails if one of the programs has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.hub.running.check()?;
        self.centre.running.check()?;
        self.office.running.check()
    }

    /// Asks the appliance that owns `data`.
    pub(crate) fn ask(&self, data: &Path, args: &[&str]) -> Result<Value> {
        let at = ["--data", text(data)?];
        self.programs.ask("parkdesk-agent", &[args, &at[..]].concat())
    }

    /// Asks the hub's administration.
    pub(crate) fn admin(&self, args: &[&str]) -> Result<Value> {
        admin(self.programs, &self.hub.data, args)
    }
}

/// A hub below `dir` with the park and its two drivers, and the hub's address.
///
/// # Errors
/// If the hub does not do its part.
pub(crate) fn hub_with_park(programs: &Programs, dir: &Path) -> Result<(Node, String)> {
    let logs = dir.join("logs");
    fs::create_dir_all(&logs)?;
    let (hub, url) = start_hub(programs, &dir.join("hub"), &logs)?;
    let admin = |args: &[&str]| admin(programs, &hub.data, args);
    admin(&["park", "create", "--id", PARK, "--name", "Демо-парк", "--city", "msk", "--faces", "search"])?;
    let csv = dir.join("drivers.csv");
    fs::write(&csv, DRIVERS)?;
    admin(&["driver", "import", text(&csv)?, "--park", PARK])?;
    Ok((hub, url))
}

fn start_hub(programs: &Programs, data: &Path, logs: &Path) -> Result<(Node, String)> {
    let log = logs.join("hub.log");
    let mut node = Node::start(
        programs,
        "parkdesk-hub",
        data,
        &["serve", "--data", text(data)?, "--listen", "127.0.0.1:0"],
        &log,
    )?;
    let url = wait("the hub's address", 20, || {
        node.running.check()?;
        Ok(address(&fs::read_to_string(&log)?))
    })?;
    // The same port after a restart: appliances keep the address they enrolled at.
    if let (Some(last), Some(port)) = (node.args.last_mut(), url.strip_prefix("http://")) {
        port.clone_into(last);
    }
    Ok((node, url))
}

fn admin(programs: &Programs, data: &Path, args: &[&str]) -> Result<Value> {
    let all: Vec<&str> = ["admin", "--data", text(data)?].into_iter().chain(args.iter().copied()).collect();
    programs.ask("parkdesk-hub", &all)
}

/// A one-time code for an appliance of the park.
///
/// # Errors
/// If the hub gives none.
pub(crate) fn enrol_code(programs: &Programs, data: &Path, role: &str) -> Result<String> {
    let answer = admin(programs, data, &["enrol-code", "--role", role, "--park", PARK])?;
    Ok(answer.get("code").and_then(Value::as_str).context("no code in the hub's answer")?.to_owned())
}

/// A path as an argument.
///
/// # Errors
/// If it is not UTF-8.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8; choose another folder", path.display()))
}

/// The entries of a list that a program answered: the agent answers lists, the hub's administration names them.
pub(crate) fn items(list: &Value) -> &[Value] {
    list.as_array().or_else(|| list.get("photos")?.as_array()).map_or(&[], Vec::as_slice)
}

/// The files of a photo as `photos --json` shows them.
pub(crate) fn files(photo: &Value) -> &[Value] {
    photo.get("files").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A boolean field; absent is false.
pub(crate) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// Whether every file of the photo is on this appliance and at the hub.
pub(crate) fn is_whole(photo: &Value) -> bool {
    !files(photo).is_empty() && files(photo).iter().all(|file| flag(file, "local") && flag(file, "stored"))
}

/// The address in the hub's ready line.
fn address(log: &str) -> Option<String> {
    let ready = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let address =
        ready.filter(|line| flag(line, "ready")).find_map(|line| Some(line.get("address")?.as_str()?.to_owned()))?;
    Some(format!("http://{address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_address_is_read_from_its_ready_line() {
        assert_eq!(
            address("x\n{\"address\":\"127.0.0.1:4242\",\"ready\":true,\"tls\":false}\n").as_deref(),
            Some("http://127.0.0.1:4242")
        );
        assert_eq!(address("starting"), None);
    }
}
