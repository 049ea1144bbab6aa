//! Answers for people at a terminal: one line per thing, columns separated by two spaces; sentences are in
//! [`super::words`]. With `--json` the answer itself is printed instead.

use std::fmt::Write;

use super::Answer;
use super::words::{self, Lang};

/// The answer as text.
#[must_use]
pub fn text(answer: &Answer, lang: Lang) -> String {
    match answer {
        Answer::Park(park) => format!("{}\n", park.id),
        Answer::Parks { parks } => {
            table(&["id", "name", "city"], parks.iter().map(|p| vec![p.id.to_string(), p.name.clone(), p.city.clone()]))
        }
        Answer::Imported(report) => imported(report, lang),
        Answer::Drivers { drivers } => table(
            &["id", "name", "licence", "plate", "phones"],
            drivers.iter().map(|d| {
                let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
                vec![d.id.to_string(), d.name.clone(), or_dash(&d.licence), or_dash(&d.plate), d.phones.join(", ")]
            }),
        ),
        Answer::Code(code) => words::code(code, lang),
        Answer::Revoked(device) => words::revoked(device, lang),
        Answer::Devices { devices } => table(
            &["id", "name", "state", "rights"],
            devices.iter().map(|d| {
                let rights: Vec<String> = d.grants.iter().map(|g| format!("{}@{}", g.role.as_str(), g.park)).collect();
                let state = if d.revoked_at_ms.is_some() { "revoked" } else { "active" };
                vec![d.id.to_string(), d.name.clone(), state.into(), rights.join(" ")]
            }),
        ),
        Answer::Person(person) => words::person_added(person.id.as_str(), &person.login, lang),
        Answer::People { people } => table(
            &["id", "name", "login", "role"],
            people.iter().map(|p| vec![p.id.to_string(), p.name.clone(), p.login.clone(), p.role.as_str().to_owned()]),
        ),
        Answer::Photos { photos } => table(
            &["id", "driver", "status", "original", "portrait", "thumb", "sha256"],
            photos.iter().map(|p| {
                let here = |stored: bool| if stored { "stored" } else { "waiting" }.to_owned();
                vec![
                    p.id.to_string(),
                    p.driver.to_string(),
                    p.status.clone(),
                    here(p.original_stored),
                    p.portrait_stored.map_or_else(|| "-".into(), here),
                    here(p.thumb_stored),
                    p.original.to_string(),
                ]
            }),
        ),
        Answer::Stats(stats) => {
            let mut out = String::new();
            for (kind, count) in &stats.rows {
                let _ = writeln!(out, "rows {kind}: {count}");
            }
            let _ = writeln!(out, "devices: {}\ncommands: {}", stats.devices, stats.commands);
            let _ =
                writeln!(out, "blobs: {} ({} bytes)\nparts on the way: {}", stats.blobs, stats.blob_bytes, stats.parts);
            out
        }
        Answer::Done { what, count } => words::did(*what, *count, lang),
        Answer::Refused { refusal } => words::refusal(refusal, lang),
        Answer::Failed { problem } => words::problem(problem, lang),
    }
}

/// Whether the answer is a success; else the command line ends with 1.
#[must_use]
pub fn is_success(answer: &Answer) -> bool {
    match answer {
        Answer::Imported(report) => report.errors.is_empty(),
        Answer::Refused { .. } | Answer::Failed { .. } => false,
        Answer::Park(_)
        | Answer::Parks { .. }
        | Answer::Drivers { .. }
        | Answer::Code(_)
        | Answer::Revoked(_)
        | Answer::Devices { .. }
        | Answer::Person(_)
        | Answer::People { .. }
        | Answer::Photos { .. }
        | Answer::Stats(_)
        | Answer::Done { .. } => true,
    }
}

fn imported(report: &super::import::Report, lang: Lang) -> String {
    let mut out = String::new();
    for error in &report.errors {
        let _ = writeln!(out, "{}", words::line(error, lang));
    }
    let (created, unchanged, refused) = (report.created, report.unchanged, report.errors.len());
    let _ = match (lang, report.dry_run) {
        (Lang::En, false) => writeln!(out, "created {created}, unchanged {unchanged}, not taken {refused}"),
        (Lang::En, true) => writeln!(out, "would be created {created}, unchanged {unchanged}, not taken {refused}"),
        (Lang::Ru, false) => writeln!(out, "создано {created}, без изменений {unchanged}, не принято {refused}"),
        (Lang::Ru, true) => writeln!(out, "будет создано {created}, без изменений {unchanged}, не принято {refused}"),
    };
    out
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(head.iter().map(|h| (*h).to_owned()).collect()).chain(rows).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}
