//! `recover` and `recovery-code`: the key of a data directory in a person's hands.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::keys::{KeyPlace, Opened};
use parkdesk_app::words::Lang;
use serde_json::json;

use super::failure::Failure;
use super::{Data, Show};

impl Data {
    pub(super) fn place(&self) -> KeyPlace {
        KeyPlace { dir: self.dir.clone(), key_file: self.key_file.clone() }
    }

    /// The key, found or made; a new recovery code is shown on the terminal, once.
    pub(super) fn open_key(&self, show: Show) -> Result<Opened, Failure> {
        let opened = self.place().open(&OsRing::default())?;
        if let Some(code) = &opened.recovery {
            // Never into a log: only a person at a terminal is shown the code; others ask for one with `recovery-code`.
            if std::io::stderr().is_terminal() && !show.json {
                eprintln!("{}", shown(&code.to_string(), show.lang));
            } else {
                eprintln!("{}", hint(show.lang));
            }
        }
        Ok(opened)
    }
}

fn shown(code: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => format!(
            "\nКод восстановления этих данных (показан один раз, запишите и храните отдельно):\n\n    {code}\n\n\
             Он откроет данные, если ключ пропадёт. Новый код: parkdesk-agent recovery-code\n"
        ),
        Lang::En => format!(
            "\nThe recovery code of this data (shown once; write it down and keep it elsewhere):\n\n    {code}\n\n\
             It opens the data if the key is lost. A new code: parkdesk-agent recovery-code\n"
        ),
    }
}

fn hint(lang: Lang) -> &'static str {
    match lang {
        Lang::Ru => "Ключ создан. Напечатайте код восстановления: parkdesk-agent recovery-code --data DIR",
        Lang::En => "A key was made. Print its recovery code: parkdesk-agent recovery-code --data DIR",
    }
}

/// `recovery-code`.
pub(super) fn recovery_code(data: &Data, show: Show) -> Result<(), Failure> {
    let code = data.place().renew_recovery(&OsRing::default())?.to_string();
    if show.json {
        println!("{}", json!({"recovery_code": code}));
    } else {
        println!("{}", shown(&code, show.lang));
    }
    Ok(())
}

/// `recover`.
pub(super) fn recover(data: &Data, code_file: Option<&Path>, show: Show) -> Result<(), Failure> {
    let code = match code_file {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?,
        None => ask(show.lang)?,
    };
    let source = data.place().recover(&OsRing::default(), code.trim())?;
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
