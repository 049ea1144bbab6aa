//! Commands that the running agent answers: asks over the socket, then shows the answer.

use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::Context;
use parkdesk_app::api::OneTimeLink;
use parkdesk_app::attention::AttentionView;
use parkdesk_app::capture::Taken;
use parkdesk_app::drivers::DriverPage;
use parkdesk_app::photos::PhotoView;
use parkdesk_app::status::Status;
use parkdesk_app::tray::{Offers, TrayView};
use parkdesk_sync_agent::clock;
use serde::Serialize;
use serde_json::{Value, json};

use super::client::{Client, encode};
use super::failure::Failure;
use super::{Action, Agent, Class, Question, Show, SyncAction, print};

/// Asks and shows.
pub(super) fn ask(what: Question, show: Show) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let text = runtime.block_on(answer(what, show))?;
    print!("{text}");
    Ok(())
}

async fn answer(what: Question, show: Show) -> Result<String, Failure> {
    let Show { lang, .. } = show;
    match what {
        Question::Status { agent } => {
            let status: Status = client(&agent).get("/status").await?;
            shown(show, &status, |status| print::status(status, clock::now(), lang))
        }
        Question::Photos { agent, driver, limit } => {
            let driver = driver.map(|id| format!("&driver={}", encode(&id))).unwrap_or_default();
            let photos: Vec<PhotoView> = client(&agent).get(&format!("/photos?limit={limit}{driver}")).await?;
            shown(show, &photos, |photos| print::photos(photos, lang))
        }
        Question::PhotoFile { agent, photo, class, out } => photo_file(&agent, &photo, class, &out, show).await,
        Question::Take { agent, file, driver, reason } => {
            let path = upload_path(&file, driver.as_deref(), reason.as_deref())?;
            let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let taken: Taken = client(&agent).upload(&path, bytes).await?;
            shown(show, &taken, |taken| print::taken(taken, lang))
        }
        Question::Drivers { agent, text, limit } => {
            let path = format!("/drivers?limit={limit}&text={}", encode(&text.join(" ")));
            let page: DriverPage = client(&agent).get(&path).await?;
            shown(show, &page.rows, |drivers| print::drivers(drivers, lang))
        }
        Question::Unassigned { agent } => {
            let tray: Vec<TrayView> = client(&agent).get("/unassigned").await?;
            shown(show, &tray, |tray| print::tray(tray, lang))
        }
        Question::Offers { agent, entry } => {
            let offers: Offers = client(&agent).get(&format!("/unassigned/{}/offers", encode(&entry))).await?;
            shown(show, &offers, |offers| print::offers(offers, lang))
        }
        Question::Assign { agent, entry, driver, reason } => {
            let body = json!({"driver": driver, "reason": reason});
            let taken: Taken = client(&agent).post(&format!("/unassigned/{}/assign", encode(&entry)), &body).await?;
            shown(show, &taken, |taken| print::taken(taken, lang))
        }
        Question::Discard { agent, entry } => {
            let done: Value =
                client(&agent).post(&format!("/unassigned/{}/discard", encode(&entry)), &json!({})).await?;
            shown(show, &done, |_| print::done(lang))
        }
        Question::NeedsAttention { agent } => {
            let list: Vec<AttentionView> = client(&agent).get("/needs-attention").await?;
            shown(show, &list, |list| print::attention(list, lang))
        }
        Question::Settle { agent, entry, action, command } => {
            let body = decision(action, command.as_deref())?;
            let done: Value = client(&agent).post(&format!("/needs-attention/{}", encode(&entry)), &body).await?;
            shown(show, &done, |_| print::done(lang))
        }
        Question::Sync { agent, what } => {
            let path = match what {
                SyncAction::Now => "/sync/now",
                SyncAction::Pause => "/sync/pause",
                SyncAction::Resume => "/sync/resume",
            };
            let done: Value = client(&agent).post(path, &json!({})).await?;
            shown(show, &done, |_| print::done(lang))
        }
        Question::Open { agent } => {
            let link: OneTimeLink = client(&agent).post("/open", &json!({})).await?;
            shown(show, &link, |link| format!("{}\n", link.url))
        }
    }
}

fn client(agent: &Agent) -> Client {
    Client::new(&agent.dir)
}

fn shown<T: Serialize>(show: Show, value: &T, words: impl FnOnce(&T) -> String) -> Result<String, Failure> {
    if show.json {
        let text = serde_json::to_string_pretty(value).context("the answer cannot be written")?;
        Ok(format!("{text}\n"))
    } else {
        Ok(words(value))
    }
}

async fn photo_file(agent: &Agent, photo: &str, class: Class, out: &Path, show: Show) -> Result<String, Failure> {
    let class = match class {
        Class::Original => "original",
        Class::Portrait => "portrait",
        Class::Thumb => "thumb",
    };
    let bytes = client(agent).bytes(&format!("/photos/{}/files/{class}", encode(photo))).await?;
    std::fs::write(out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    let sha256 = parkdesk_domain::BlobId::of(&bytes);
    let told = json!({"file": out, "size_bytes": bytes.len(), "sha256": sha256});
    shown(show, &told, |_| format!("{}\n", out.display()))
}

fn upload_path(file: &Path, driver: Option<&str>, reason: Option<&str>) -> Result<String, Failure> {
    let about = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let taken_at_ms = modified.map_or(clock::now().0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut path = format!("/files?name={}&taken_at_ms={taken_at_ms}", encode(&name));
    for (key, value) in [("driver", driver), ("reason", reason)] {
        if let Some(value) = value {
            path.push_str(&format!("&{key}={}", encode(value)));
        }
    }
    Ok(path)
}

fn decision(action: Action, command: Option<&Path>) -> Result<Value, Failure> {
    Ok(match action {
        Action::Retry => json!({"action": "retry"}),
        Action::Discard => json!({"action": "discard"}),
        Action::UseOffer => json!({"action": "use_offer"}),
        Action::Edit => {
            let path = command.context("edit needs --command FILE with the command to send instead")?;
            let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let command: Value =
                serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
            json!({"action": "edit", "command": command})
        }
    })
}
