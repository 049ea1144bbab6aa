//! `recover` and `recovery-code`: the key of a data directory in a person's hands.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::keys::{KeyPlace, KeysError, Recovered};
use parkdesk_app::words::Lang;
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sqlcipher::recovery::RecoveryCode;
use serde_json::json;

use super::failure::Failure;
use super::{Data, Show};

impl Data {
    pub(super) fn place(&self) -> KeyPlace {
        KeyPlace { dir: self.dir.clone(), key_file: self.key_file.clone() }
    }

    /// As it was asked for, for a command line in a text.
    fn as_asked(&self) -> String {
        match &self.key_file {
            Some(file) => format!("--data {} --key-file {}", self.dir.display(), file.display()),
            None => format!("--data {}", self.dir.display()),
        }
    }

    /// Tells of a new recovery code: on a terminal the code itself, once.
    pub(super) fn tell_recovery(&self, code: &RecoveryCode, show: Show) {
        // Never into a log: only a person at a terminal is shown the code; others ask for one with `recovery-code`.
        if std::io::stderr().is_terminal() && !show.json {
            eprintln!("{}", shown(&code.to_string(), &self.as_asked(), show.lang));
        } else {
            eprintln!("{}", hint(&self.as_asked(), show.lang));
        }
    }
}

fn shown(code: &str, place: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!(
            "\nКод восстановления этих данных (показан один раз, запишите и храните отдельно):\n\n    {code}\n\n\
             Он откроет данные, если ключ пропадёт. Новый код: parkdesk-agent recovery-code {place}\n"
        ),
        Lang::En => format!(
            "\nThe recovery code of this data (shown once; write it down and keep it elsewhere):\n\n    {code}\n\n\
             It opens the data if the key is lost. A new code: parkdesk-agent recovery-code {place}\n"
        ),
    }
}

fn hint(place: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!("Ключ создан. Напечатайте код восстановления: parkdesk-agent recovery-code {place}"),
        Lang::En => format!("A key was made. Print its recovery code: parkdesk-agent recovery-code {place}"),
    }
}

/// Owns the data directory while its key is in hand.
fn own(data: &Data) -> Result<DataDir, Failure> {
    Ok(DataDir::lock(&data.dir)?)
}

/// `recovery-code`.
pub(super) fn recovery_code(data: &Data, show: Show) -> Result<(), Failure> {
    let place = data.place();
    if !place.has_replica() {
        return Err(KeysError::NoData(place.dir).into());
    }
    let _lock = own(data)?;
    let code = place.renew_recovery(&OsRing::default())?.to_string();
    if show.json {
        println!("{}", json!({"recovery_code": code}));
    } else {
        println!("{}", shown(&code, &data.as_asked(), show.lang));
    }
    Ok(())
}

/// `recover`.
pub(super) fn recover(data: &Data, code_file: Option<&Path>, show: Show) -> Result<(), Failure> {
    if !data.dir.is_dir() {
        return Err(KeysError::NoData(data.dir.clone()).into());
    }
    let _lock = own(data)?;
    let code = match code_file {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?,
        None => ask(show.lang)?,
    };
    let Recovered { source, moved } = data.place().recover(&OsRing::default(), code.trim())?;
    if let Some(moved) = moved {
        let moved = moved.display();
        match show.lang {
            Lang::Ru => eprintln!("Прежний файл ключа не подходил и лежит теперь в {moved}"),
            Lang::En => eprintln!("The key file that was there did not fit; it is now {moved}"),
        }
    }
    match (show.json, show.lang) {
        (true, _) => println!("{}", json!({"recovered": true})),
        (false, Lang::Ru) => println!("Ключ восстановлен ({source}). Запустите агента снова."),
        (false, Lang::En) => println!("The key is back in {source}. Start the agent again."),
    }
    Ok(())
}

fn ask(lang: Lang) -> Result<String, Failure> {
    let prompt = match lang {
        Lang::Ru => "Код восстановления: ",
        Lang::En => "Recovery code: ",
    };
    eprint!("{prompt}");
    std::io::stderr().flush().context("the terminal cannot be written")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the code cannot be read")?;
    Ok(line)
}
