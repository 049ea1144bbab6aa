//! Drivers from a CSV file: `driver_id,last_name,first_name,middle_name,phones,licence,plate`, separated by commas or
//! semicolons, UTF-8 with or without a mark at its beginning. Each line is a `driver.create` whose id is derived from
//! park and content, so that the same file twice changes nothing. A bad line is reported with its number and a code (what
//! to do about it is in `words`), and does not stop the others.

use std::collections::BTreeSet;

use parkdesk_domain::body::Licence;
use parkdesk_domain::command::{Command, DriverCreate};
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{Actor, CommandId, Envelope, Millis, Refusal, RowId, Scope, canonical};
use serde::{Deserialize, Serialize};

use crate::store::{self, Store};

/// Lines judged in one transaction.
const CHUNK: usize = 200;
/// The header.
pub const COLUMNS: [&str; 7] = ["driver_id", "last_name", "first_name", "middle_name", "phones", "licence", "plate"];

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Nothing was kept.
    pub dry_run: bool,
    /// New drivers.
    pub created: u64,
    /// Lines imported before.
    pub unchanged: u64,
    /// Lines that were not taken.
    pub errors: Vec<LineError>,
}

/// Why a line was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineError {
    /// From 1, the header being 1.
    pub line: u64,
    /// A stable code.
    pub code: String,
    /// The column at fault.
    pub field: Option<String>,
    /// The driver who is in the way, or what the reader of the file says.
    pub detail: Option<String>,
}

impl LineError {
    fn new(line: u64, code: &str, field: Option<&str>) -> Self {
        Self { line, code: code.into(), field: field.map(str::to_owned), detail: None }
    }

    fn with_detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

/// Imports a file.
///
/// # Errors
/// If the store fails; lines of earlier transactions stay, and the same file can be given again.
pub async fn run<S: Store>(
    store: &S,
    now: Millis,
    park: &RowId,
    csv: &str,
    dry_run: bool,
) -> store::Result<(Report, BTreeSet<Scope>)> {
    let mut report = Report { dry_run, ..Report::default() };
    let mut touched = BTreeSet::new();
    let mut lines = Vec::new();
    for line in read(csv) {
        match line {
            Ok((number, fields)) => match command(park, now, number, fields) {
                Ok(envelope) => lines.push((number, envelope)),
                Err(error) => report.errors.push(error),
            },
            Err(error) => report.errors.push(error),
        }
    }
    // A dry run must see its own lines, so it is one transaction.
    let chunk = if dry_run { lines.len().max(1) } else { CHUNK };
    let mut rest = lines.into_iter().peekable();
    while rest.peek().is_some() {
        let (numbers, commands): (Vec<u64>, Vec<Envelope>) = rest.by_ref().take(chunk).unzip();
        let (verdicts, scopes) = store.issue(commands, dry_run, now).await?;
        touched.extend(scopes);
        for (number, verdict) in numbers.into_iter().zip(verdicts) {
            match verdict {
                // The same profile in another spelling of the file.
                Verdict::Applied { scopes, .. } if scopes.is_empty() => report.unchanged += 1,
                Verdict::Applied { .. } | Verdict::Merged { .. } => report.created += 1,
                Verdict::Duplicate { .. } => report.unchanged += 1,
                Verdict::Rejected { refusal } => report.errors.push(refused(number, &refusal)),
                Verdict::Deferred { .. } => {
                    report.errors.push(LineError::new(number, "deferred", None));
                }
            }
        }
    }
    report.errors.sort_by_key(|error| error.line);
    Ok((report, touched))
}

/// The fields of one line, in the order of [`COLUMNS`].
type Fields = [String; 7];

fn read(text: &str) -> Vec<Result<(u64, Fields), LineError>> {
    // The reader counts a line too few when lines end in CR LF.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let first = text.lines().next().unwrap_or_default();
    let semicolons = first.matches(';').count() > first.matches(',').count();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_lowercase).collect(),
        Err(error) => return vec![Err(LineError::new(1, "bad_header", None).with_detail(error.to_string()))],
    };
    let places = COLUMNS.map(|column| header.iter().position(|name| name == column));
    for (column, place) in COLUMNS.iter().zip(places) {
        if place.is_none() && matches!(*column, "last_name" | "first_name") {
            return vec![Err(LineError::new(1, "missing_column", Some(column)))];
        }
    }
    let line = |record: Result<csv::StringRecord, csv::Error>| match record {
        Ok(record) => {
            let number = record.position().map_or(0, csv::Position::line);
            if record.len() > header.len() {
                return Err(LineError::new(number, "too_many_fields", None));
            }
            let field = |place: Option<usize>| place.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
            Ok((number, places.map(field)))
        }
        Err(error) => {
            let number = error.position().map_or(0, csv::Position::line);
            Err(LineError::new(number, "unreadable", None))
        }
    };
    reader.records().map(line).collect()
}

fn command(park: &RowId, now: Millis, line: u64, fields: Fields) -> Result<Envelope, LineError> {
    let [id, last_name, first_name, middle_name, phones, licence, plate] = fields;
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let digest = |value: &dyn Fn() -> Result<String, canonical::CanonicalError>| {
        value().map_err(|_| LineError::new(line, "unstorable", None))
    };
    // What the line says, without what is derived from it.
    let content =
        digest(&|| canonical::to_string(&[&id, &last_name, &first_name, &middle_name, &phones, &licence, &plate]))?;
    let command = CommandId::of_job(&format!("driver-import/{park}"), &content);
    let driver = match optional(id) {
        Some(id) => id.parse().map_err(|_| LineError::new(line, "invalid", Some("driver_id")))?,
        None => command.made("driver"),
    };
    let args = DriverCreate {
        driver,
        park: park.clone(),
        last_name,
        first_name,
        middle_name: optional(middle_name),
        phones: phones
            .split([',', ';', '|', '/'])
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect(),
        licence: optional(licence).map(|number| Licence { country: None, number, issued_on: None, expires_on: None }),
        plate: optional(plate),
        comment: None,
    };
    Ok(Envelope::of_hub(command, Actor::Hub, now, Command::DriverCreate(Box::new(args))))
}

fn refused(line: u64, refusal: &Refusal) -> LineError {
    let error = LineError::new(line, refusal.code.as_str(), refusal.field.as_deref());
    match &refusal.offer {
        Some(offer) => error.with_detail(offer.id.to_string()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_semicolons_marks_and_other_column_orders_read_alike() {
        let want = vec![Ok((2, ["d1", "Ёлкин", "Пётр", "", "8 900 1, 8 900 2", "77АБ1", ""].map(str::to_owned)))];
        for text in [
            "driver_id,last_name,first_name,phones,licence\nd1,Ёлкин, Пётр ,\"8 900 1, 8 900 2\",77АБ1\n",
            "\u{feff}driver_id;last_name;first_name;phones;licence\r\nd1;Ёлкин;Пётр;8 900 1, 8 900 2;77АБ1\r\n",
            "Last_Name;first_name;driver_id;licence;phones\nЁлкин;Пётр;d1;77АБ1;8 900 1, 8 900 2\n",
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn bad_lines_name_their_number_and_the_others_go_on() {
        let lines = read("last_name,first_name\nA,B\nA,B,C\nD,E\n");
        assert_eq!(lines.iter().filter(|line| line.is_ok()).count(), 2);
        let error = lines.into_iter().find_map(Result::err).unwrap();
        assert_eq!((error.line, error.code.as_str()), (3, "too_many_fields"));
        let error = read("name\nA\n").into_iter().find_map(Result::err).unwrap();
        assert_eq!((error.line, error.code.as_str(), error.field.as_deref()), (1, "missing_column", Some("last_name")));
    }
}
