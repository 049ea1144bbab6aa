//! `enrol`: makes the appliance known to a hub. Works on the data directory, so the agent must not run.
//!
//! The request's id and the answer are kept in the replica, so that trying again after a lost answer uses up no code and
//! makes no second device.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use parkdesk_app::words::Lang;
use parkdesk_domain::RowId;
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sqlite::{Priority, Replica};
use parkdesk_sync_agent::enrol::{enrol as ask_hub, enrol_request};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::{EnrolArgs, Show, clock};

const REQUEST: &str = "enrol.request";
pub(super) const TOKEN: &str = "hub.token";
const LINK: &str = "hub.link";

/// How the hub is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
    pub(super) ca: Option<PathBuf>,
}

/// `enrol`.
pub(super) fn enrol(args: &EnrolArgs, show: Show) -> Result<(), Failure> {
    let _lock =
        DataDir::lock(&args.data.dir).context("enrol needs the data directory for itself: stop the agent first")?;
    let now = clock::now();
    if args.beside_old {
        let aside = args.data.place().set_aside(&now.0.to_string())?;
        eprintln!("{}", moved(&aside, show.lang));
    }
    let opened = args.data.open_key(show)?;
    let replica = Replica::open(&args.data.dir, &opened.key).context("the data does not open")?;
    if let Some(identity) = replica.read(|tx| tx.identity()).context("the data cannot be read")? {
        return Err(anyhow!(
            "this data already belongs to the hub {} as the device {}: nothing was changed. To begin anew keep the old data \
             aside: parkdesk-agent enrol --beside-old",
            identity.hub,
            identity.device
        )
        .into());
    }
    let request = request_id(&replica, &args.code)?;
    let ca =
        args.ca.as_deref().map(std::path::absolute).transpose().context("the certificate's path cannot be used")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let request = enrol_request(&args.code, &args.name, request);
    parkdesk_sync_agent::install_crypto();
    let answer = runtime.block_on(ask_hub(&args.hub, ca.as_deref(), &request)).map_err(anyhow::Error::from)?;
    let link = serde_json::to_string(&Link { url: args.hub.clone(), ca }).context("the address cannot be kept")?;
    replica
        .write(Priority::Person, |tx| {
            tx.set_enrolled(&answer.device, &answer.hub, now)?;
            tx.set_setting(TOKEN, &answer.token)?;
            tx.set_setting(LINK, &link)?;
            tx.remove_setting(REQUEST)
        })
        .context("the answer of the hub could not be saved: run the same command again, the code is not used up")?;
    match (show.json, show.lang) {
        (true, _) => println!("{}", json!({"device": answer.device, "hub": answer.hub})),
        (false, Lang::Ru) => println!("Готово: устройство {} подключено к узлу {}.", answer.device, answer.hub),
        (false, Lang::En) => println!("Done: this is the device {} of the hub {}.", answer.device, answer.hub),
    }
    Ok(())
}

/// The link kept at enrolment.
pub(super) fn link(replica: &Replica) -> anyhow::Result<Option<(Link, String)>> {
    let setting = |name| replica.read(|tx| tx.setting(name)).context("the data cannot be read");
    let (Some(link), Some(token)) = (setting(LINK)?, setting(TOKEN)?) else { return Ok(None) };
    Ok(Some((serde_json::from_str(&link).context("the hub's address in the data cannot be read: enrol anew")?, token)))
}

/// The same code is asked for with the same request until there is an answer; another code is another request.
fn request_id(replica: &Replica, code: &str) -> anyhow::Result<RowId> {
    let kept = replica.read(|tx| tx.setting(REQUEST)).context("the data cannot be read")?;
    let code = parkdesk_domain::BlobId::of(code.trim().as_bytes());
    if let Some((of, id)) = kept.as_deref().and_then(|kept| kept.split_once(' '))
        && of == code.as_str()
    {
        return id.parse().context("the kept request cannot be read");
    }
    let id = RowId::from_uuid(Uuid::new_v4());
    let text = format!("{code} {id}");
    replica.write(Priority::Person, |tx| tx.set_setting(REQUEST, &text)).context("the request cannot be kept")?;
    Ok(id)
}

fn moved(aside: &Path, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!("Прежние данные целы и лежат в {}", aside.display()),
        Lang::En => format!("The old data is whole and lies in {}", aside.display()),
    }
}
