//! `enrol`: makes the appliance known to a hub. Works on the data directory, so the agent must not run.

use std::path::Path;

use anyhow::Context;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::words::Lang;
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sync_agent::appliance::enrolment::{self, Authority, Wish};
use serde_json::json;

use super::failure::Failure;
use super::{EnrolArgs, Show};

/// `enrol`.
pub(super) fn enrol(args: &EnrolArgs, show: Show) -> Result<(), Failure> {
    let place = args.data.place();
    let ca =
        args.ca.as_deref().map(std::path::absolute).transpose().context("the certificate's path cannot be used")?;
    let wish = Wish {
        hub: args.hub.clone(),
        code: args.code.clone(),
        name: args.name.clone(),
        authority: ca.map_or(Authority::System, Authority::File),
        again: args.again,
    };
    enrolment::check_name(&wish.name)?;
    let _lock = DataDir::lock(&args.data.dir)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no runtime")?;
    let done = enrolment::enrol(&place, &OsRing::default(), &wish, args.beside_old, runtime.handle())?;
    if let Some(code) = &done.recovery {
        args.data.tell_recovery(code, show);
    }
    if let Some(aside) = &done.moved {
        eprintln!("{}", moved(aside, show.lang));
    }
    let (device, hub) = (&done.identity.device, &done.identity.hub);
    match (show.json, show.lang) {
        (true, _) => println!("{}", json!({"device": device, "hub": hub})),
        (false, Lang::Ru) => println!("Готово: устройство {device} подключено к узлу {hub}."),
        (false, Lang::En) => println!("Done: this is the device {device} of the hub {hub}."),
    }
    Ok(())
}

fn moved(aside: &Path, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!("Прежние данные целы и лежат в {}; там и всё, что не было отправлено", aside.display()),
        Lang::En => {
            format!("The old data is whole and lies in {}; what was not sent is in there, too", aside.display())
        }
    }
}
