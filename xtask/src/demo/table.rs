//! The demo's table: a line per photo, each cell something a person can check, and the expectations of data.md.

use anyhow::Result;
use serde_json::Value;

use super::sha256;
use super::sheet::{Card, Tone};
use crate::fleet::{files, is_whole};

/// What is shown and what did not hold.
pub(super) struct Line {
    pub(super) file: String,
    pub(super) cells: Vec<String>,
    pub(super) problems: Vec<String>,
    pub(super) card: Card,
}

const HEAD: [&str; 9] =
    ["photo", "face", "quality", "portrait", "nearest earlier photo", "driver", "assigned by", "at the hub", "office"];

/// The first photo of each driver.
const FIRST: [&str; 2] = ["obama.jpg", "biden.jpg"];

/// Quality codes that each photo must have, `!` for a fail (data.md, end).
const EXPECTED: &[(&str, &[&str])] = &[
    ("obama3.jpg", &["chin_up!", "turned_head"]),
    ("biden.jpg", &["turned_head"]),
    ("obama2.jpg", &["turned_head"]),
    ("32bit.png", &["turned_head"]),
];

/// Prints the table.
pub(super) fn print(lines: &[Line]) {
    let rows: Vec<Vec<String>> =
        std::iter::once(HEAD.map(str::to_owned).to_vec()).chain(lines.iter().map(|line| line.cells.clone())).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    println!();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let pad = width(column) - cell.chars().count();
            format!("{cell}{}", " ".repeat(pad))
        });
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Reads a photo as the centre shows it, and as the office has it; `bytes` are the files of both.
pub(super) fn line(name: &str, mine: &Value, theirs: Option<&Value>, bytes: &[(Vec<u8>, Vec<u8>)]) -> Result<Line> {
    let mut problems = Vec::new();
    let mut expect = |holds: bool, problem: &str| {
        if !holds {
            problems.push(problem.to_owned());
        }
    };
    let codes: Vec<String> = texts(mine, "/findings", finding);
    let advice: Vec<String> = texts(mine, "/findings", |f| str_at(f, "/advice_en"));
    let face = numbers::<4>(mine.get("face"), ["x", "y", "w", "h"]);
    let portrait = numbers::<2>(mine.get("portrait_size"), ["width", "height"]);
    let verdict = str_at(mine, "/nearest/verdict").unwrap_or_else(|| "none".into());
    let nearest = str_at(mine, "/nearest/text").map_or("no earlier photo of this driver".into(), |text| {
        let file = str_at(mine, "/nearest/file_name").unwrap_or_default();
        format!("{file}: {text}")
    });
    let stored = is_whole(mine);
    let state = str_at(mine, "/state").unwrap_or_default();
    expect(face.is_some(), "no face was found");
    expect(portrait.is_some(), "no portrait was cut");
    expect(stored, "the hub does not have every file");
    expect(state == "accepted", "the hub has not accepted the photo");
    expect(theirs.is_some(), "the office does not see it");
    for (_, wanted) in EXPECTED.iter().filter(|(photo, _)| *photo == name) {
        for code in *wanted {
            expect(codes.iter().any(|c| c == code), &format!("quality should say {code}, says {codes:?}"));
        }
    }
    let fails = codes.iter().filter(|c| c.ends_with('!')).count();
    let may_fail = EXPECTED.iter().any(|(photo, codes)| *photo == name && codes.iter().any(|c| c.ends_with('!')));
    expect(fails == 0 || may_fail, &format!("quality should not fail, says {codes:?}"));
    let named: Vec<String> = ["original", "portrait", "thumb"]
        .into_iter()
        .filter_map(|class| files(mine).iter().find(|file| str_at(file, "/class").as_deref() == Some(class)))
        .filter_map(|file| str_at(file, "/sha256"))
        .collect();
    let equal = bytes.len() == 3
        && bytes.iter().zip(&named).all(|((here, there), id)| sha256(here) == *id && sha256(there) == *id);
    expect(equal, "the office's bytes differ");
    // The word, not the photo: the office looks at the re-encoded originals, so of two photos that are equally near it may name
    // the other one.
    let theirs_verdict = theirs.and_then(|theirs| str_at(theirs, "/nearest/verdict")).unwrap_or_else(|| "none".into());
    let is_same_verdict = theirs_verdict == verdict;
    expect(is_same_verdict, "the office's own verdict is another");
    expect(verdict != "different", "it should not look different from the driver's earlier photos");
    let is_first = FIRST.contains(&name);
    expect((verdict == "none") == is_first, "only a driver's first photo has nothing to be compared with");
    expect(is_first || nearest.contains("1 in "), "the expected false matches are not told");
    let driver = str_at(mine, "/driver_name").unwrap_or_else(|| "?".into());
    let assigned = str_at(mine, "/assigned_by").unwrap_or_else(|| "?".into()).replace('_', " ");
    let quality = if codes.is_empty() { "good".to_owned() } else { codes.join(", ") };
    let size = portrait.map_or("none".into(), |[w, h]| format!("{w}x{h}"));
    let mut lines = vec![
        (format!("{driver} · by {assigned} · portrait {size}"), Tone::Plain),
        (nearest.clone(), if verdict == "same" { Tone::Good } else { Tone::Plain }),
    ];
    let tone = |code: &String| if code.ends_with('!') { Tone::Bad } else { Tone::Warn };
    lines.extend(codes.iter().zip(&advice).map(|(code, advice)| (format!("{code}: {advice}"), tone(code))));
    if codes.is_empty() {
        lines.push(("quality: good".into(), Tone::Good));
    }
    let card = Card {
        title: name.to_owned(),
        lines,
        original: bytes.first().map(|(here, _)| here.clone()).unwrap_or_default(),
        portrait: bytes.get(1).map(|(here, _)| here.clone()),
        face,
        points: points(mine),
        crop: numbers::<5>(mine.get("crop"), ["x", "y", "w", "h", "turn"])
            .map(|[x, y, w, h, turn]| [x, y, w, h, turn / 100.0]),
    };
    let cells = vec![
        name.to_owned(),
        if face.is_some() { "found".into() } else { "NONE".into() },
        quality,
        size,
        nearest,
        driver,
        assigned,
        format!("{state}{}", if stored { ", stored" } else { "" }),
        match (theirs.is_some(), equal) {
            (true, true) if is_same_verdict => "seen, bytes and verdict equal".into(),
            (true, true) => "seen, bytes equal, verdict DIFFERS".into(),
            (true, false) => "seen, bytes DIFFER".into(),
            (false, _) => "NOT seen".to_owned(),
        },
    ];
    Ok(Line { file: name.to_owned(), cells, problems, card })
}

fn finding(finding: &Value) -> Option<String> {
    let mark = if str_at(finding, "/level")? == "fail" { "!" } else { "" };
    Some(format!("{}{mark}", str_at(finding, "/code")?))
}

fn str_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn texts(value: &Value, pointer: &str, read: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
}

fn numbers<const N: usize>(value: Option<&Value>, names: [&str; N]) -> Option<[f32; N]> {
    let value = value?;
    let mut out = [0.0; N];
    for (slot, name) in out.iter_mut().zip(names) {
        *slot = value.get(name)?.as_f64()? as f32;
    }
    Some(out)
}

fn points(photo: &Value) -> Vec<[f32; 2]> {
    let list = photo.pointer("/faces/0/points").and_then(Value::as_array);
    let number = |pair: &Value, place: usize| Some(pair.get(place)?.as_f64()? as f32);
    list.into_iter().flatten().filter_map(|pair| Some([number(pair, 0)?, number(pair, 1)?])).collect()
}
