//! An agent owns the data directory: the window works through its socket, and runs the appliance itself once it ends.

use anyhow::{Result, ensure};
use serde_json::json;

use super::desktop::Desktop;
use super::{Stage, same};
use crate::fleet::{enrol_code, hub_with_park, text, wait};

pub(super) fn run(stage: &Stage) -> Result<()> {
    let (hub, url) = hub_with_park(&stage.programs, &stage.dir)?;
    let code = enrol_code(&stage.programs, &hub.data, "operator")?;
    let (data, key) = (stage.dir.join("data"), stage.dir.join("key"));
    let at = ["--data", text(&data)?, "--key-file", text(&key)?];
    let enrol = ["enrol", "--hub", &url, "--code", &code, "--name", "Диспетчерская"];
    stage.programs.ask("parkdesk-agent", &[&enrol[..], &at[..]].concat())?;
    let run = [&["run", "--reconnect-spread", "0"][..], &at[..]].concat();
    let agent = stage.programs.start("parkdesk-agent", &run, &stage.dir.join("agent.log"))?;
    wait("the agent's socket", 20, || Ok(data.join("agent.sock").exists().then_some(())))?;
    let mut desktop = Desktop::start(&stage.dir, &stage.bins)?;
    let window = desktop.open(&stage.bins.join("parkdesk"), &at, &[])?;
    let name = |what: &str| -> Result<()> {
        let found = wait(what, 30, || {
            let (status, body) = window.call("GET", "/api/v1/drivers?text=%D0%BE%D1%80%D0%BB%D0%BE%D0%B2", None)?;
            Ok((status == 200 && body.to_string().contains("demo-orlov")).then_some(body))
        })?;
        ensure!(found.to_string().contains("Орлов"), "{found}");
        Ok(())
    };
    name("drivers through the agent")?;
    same("the agent's own answer", window.call("GET", "/api/v1/status", None)?.0, 200)?;
    drop(agent);
    let (status, problem) = window.call("GET", "/api/v1/status", None)?;
    if status != 200 {
        same("the answer while nobody runs it", (status, problem.get("code").cloned()), (503, Some(json!("later"))))?;
    }
    name("drivers after the window took over")?;
    desktop.quit_window()
}
