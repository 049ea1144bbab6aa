//! `enrol`: makes the appliance known to a hub. Works on the data directory, so the agent must not run.
//!
//! The request's id and the answer are kept in the replica, so that trying again after a lost answer uses up no code and
//! makes no second device. Beside old data a new one is made ready in a folder of its own and takes the old one's place only
//! when the hub took the code (`a_refused_code_leaves_the_old_data_where_it_is`).

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use parkdesk_app::keys::KeyPlace;
use parkdesk_app::words::Lang;
use parkdesk_domain::RowId;
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sqlite::{Identity, Priority, Replica};
use parkdesk_sync_agent::enrol::{enrol as ask_hub, enrol_request};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::failure::Failure;
use super::{EnrolArgs, Show, clock};

const REQUEST: &str = "enrol.request";
pub(super) const TOKEN: &str = "hub.token";
const LINK: &str = "hub.link";
/// As the rules of the domain have it.
const LONGEST_NAME: usize = 100;

/// How the hub is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
    pub(super) ca: Option<PathBuf>,
}

/// `enrol`.
pub(super) fn enrol(args: &EnrolArgs, show: Show) -> Result<(), Failure> {
    check_name(&args.name)?;
    let place = args.data.place();
    let _lock =
        DataDir::lock(&args.data.dir).context("enrol needs the data directory for itself: stop the agent first")?;
    let staged = place.staged();
    // Beside old data, or an enrolment beside it that was cut off after the old data was moved.
    let answer = if (args.beside_old && place.has_replica()) || (!place.has_replica() && staged.has_replica()) {
        let answer = enrol_in(&staged, args, show)?;
        swap(&place, show)?;
        answer
    } else {
        enrol_in(&place, args, show)?
    };
    match (show.json, show.lang) {
        (true, _) => println!("{}", json!({"device": answer.device, "hub": answer.hub})),
        (false, Lang::Ru) => println!("Готово: устройство {} подключено к узлу {}.", answer.device, answer.hub),
        (false, Lang::En) => println!("Done: this is the device {} of the hub {}.", answer.device, answer.hub),
    }
    Ok(())
}

/// Enrols the replica of that place, which is made if there is none. One that is staged may be enrolled already: its swap
/// was cut off.
fn enrol_in(place: &KeyPlace, args: &EnrolArgs, show: Show) -> Result<Identity, Failure> {
    let opened = args.data.open_key_of(place, show)?;
    let replica = Replica::open(&place.dir, &opened.key).context("the data does not open")?;
    if let Some(identity) = replica.read(|tx| tx.identity()).context("the data cannot be read")? {
        if place.dir != args.data.dir {
            return Ok(identity);
        }
        return Err(anyhow!(
            "this data already belongs to the hub {} as the device {}: nothing was changed. To begin anew keep the old data \
             aside: add --beside-old to the same command",
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
            tx.set_enrolled(&answer.device, &answer.hub, clock::now())?;
            tx.set_setting(TOKEN, &answer.token)?;
            tx.set_setting(LINK, &link)?;
            tx.remove_setting(REQUEST)
        })
        .context("the answer of the hub could not be saved: run the same command again, the code is not used up")?;
    let identity = replica.read(|tx| tx.identity()).context("the data cannot be read")?;
    Ok(identity.context("the data lost its identity")?)
}

/// Puts the staged data in place of the old, which is kept; if that fails, the old stays.
fn swap(place: &KeyPlace, show: Show) -> Result<(), Failure> {
    let aside = if place.has_replica() { Some(place.set_aside(&clock::now().0.to_string())?) } else { None };
    if let Err(error) = place.take_staged() {
        if let Some(aside) = &aside {
            place.put_back(aside)?;
        }
        return Err(error.into());
    }
    if let Some(aside) = &aside {
        eprintln!("{}", moved(aside, show.lang));
    }
    Ok(())
}

/// What the hub would refuse, said before anything is made.
fn check_name(name: &str) -> anyhow::Result<()> {
    match name.trim().chars().count() {
        0 => Err(anyhow!("--name is empty: give the appliance a name for people; nothing was changed")),
        1..=LONGEST_NAME => Ok(()),
        count => Err(anyhow!("--name has {count} characters, at most {LONGEST_NAME} fit; nothing was changed")),
    }
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
        Lang::Ru => format!("Прежние данные целы и лежат в {}; там и всё, что не было отправлено", aside.display()),
        Lang::En => {
            format!("The old data is whole and lies in {}; what was not sent is in there, too", aside.display())
        }
    }
}
