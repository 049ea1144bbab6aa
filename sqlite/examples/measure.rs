//! What the replica does in a second. `apply DRIVERS`: applying the hub's frames against raw prepared inserts of the very rows
//! that come of them, into the same tables of a second encrypted file with the same pragmas, in transactions of the same size.
//! `drain COMMANDS`: taking batches from a full queue, their verdicts and their rows. One line of JSON on stdout.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measuring program: a surprise must end it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use parkdesk_domain::canonical;
use parkdesk_domain::command::{Actor, Change, Command, DriverEdit, Envelope, SetEdit};
use parkdesk_domain::row::{Kind, Row, RowRef, SCHEMA};
use parkdesk_domain::scope::{Area, Scope};
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{FrameHead, Judged, Verdict};
use parkdesk_domain::{CommandId, DeviceId, Millis, RowId};
use parkdesk_sqlite::{Draft, Key, Priority, Replica, Submitted};
use rusqlite::Connection;
use rusqlite::types::Value as SqlValue;
use serde_json::{Value, json};

/// Rows of a frame, as the hub cuts them.
const FRAME: usize = 500;
const LAST: [&str; 8] = ["Иванов", "Петров", "Сидоров", "Ёлкин", "Кузнецов", "Орлов", "Шевченко", "Абдуллаев"];
const FIRST: [&str; 6] = ["Пётр", "Иван", "Сергей", "Артём", "Рустам", "Дмитрий"];
const MIDDLE: [&str; 5] = ["Иванович", "Петрович", "Сергеевич", "Алиевич", "Юрьевич"];
/// Tables that applying fills, in the order of their rows; the text indexes apart.
const TABLES: [&str; 6] = ["rows", "drivers", "cars", "driver_cards", "driver_docs", "driver_keys"];

fn id(text: &str) -> RowId {
    text.parse().unwrap()
}

fn row(kind: Kind, row_id: &str, version: u64, body: &Value) -> Row {
    let body = canonical::to_string(body).unwrap();
    let hash = canonical::hash(&body);
    Row { kind, id: id(row_id), version, rev: 1, deleted: false, schema: SCHEMA, hash, body }
}

fn frames(scope: &Scope, rows: Vec<Row>) -> Vec<Frame> {
    let head = rows.len() as u64;
    let cut = |chunk: &[Row]| {
        let (from, to) = (chunk[0].version - 1, chunk[chunk.len() - 1].version);
        let head = FrameHead { scope: scope.clone(), epoch: 1, from, to, head, schema: SCHEMA, refused: None };
        Frame { head, rows: chunk.to_vec() }
    };
    rows.chunks(FRAME).map(cut).collect()
}

/// A park of `n` drivers: profiles and cars in its fleet, cards in its directory.
fn park(n: usize) -> Vec<Frame> {
    let (fleet, directory) = (Scope::park(&id("p1"), Area::Fleet), Scope::park(&id("p1"), Area::Directory));
    let (mut profiles, mut cards) = (Vec::new(), Vec::new());
    for n in 0..n {
        let (last, first, middle) = (LAST[n % 8], FIRST[n / 8 % 6], MIDDLE[n / 48 % 5]);
        let (driver, car) = (format!("{n:032x}"), format!("c{n:031x}"));
        let plate = format!("А{:03}ВС{}", n % 1000, 100 + n / 1000);
        profiles.push(row(Kind::Car, &car, 2 * n as u64 + 1, &json!({
            "park_id": "p1", "plate": plate, "brand": "Lada", "model": "Vesta", "callsign": format!("{}", n % 10_000),
        })));
        profiles.push(row(
            Kind::Driver,
            &driver,
            2 * n as u64 + 2,
            &json!({
                "park_id": "p1", "last_name": last, "first_name": first, "middle_name": middle, "car_id": car,
                "phones": [format!("+79{n:09}")], "licence": {"country": "rus", "number": format!("{n:010}")},
                "work_status": "working",
            }),
        ));
        cards.push(row(
            Kind::DriverCard,
            &driver,
            n as u64 + 1,
            &json!({
                "park_id": "p1", "driver_id": driver, "name": format!("{last} {first} {middle}"), "plate": plate,
            }),
        ));
    }
    let version = cards.len() as u64 + 1;
    let card = id("p1").projected(&directory.to_string());
    cards.push(row(Kind::ParkCard, card.as_str(), version, &json!({"park_id": "p1", "name": "Парк", "city": "msk"})));
    let mut all = frames(&fleet, profiles);
    all.extend(frames(&directory, cards));
    all
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

/// An empty replica that is subscribed to the park.
fn empty(dir: &Path) -> Replica {
    let replica = Replica::open(dir, &key()).unwrap();
    let device: DeviceId = "d1".parse().unwrap();
    replica.write(Priority::Sync, |tx| tx.set_enrolled(&device, &id("hub"), Millis(1))).unwrap();
    let subscriptions = ["fleet", "directory"];
    let rows = subscriptions
        .iter()
        .zip(1..)
        .map(|(area, version)| row(Kind::Subscription, area, version, &json!({"scope": format!("park/p1/{area}")})));
    for frame in frames(&Scope::Device(device), rows.collect()) {
        replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(2))).unwrap();
    }
    replica
}

fn open(dir: &Path) -> Connection {
    let conn = Connection::open(dir.join("replica.db")).unwrap();
    conn.pragma_update(None, "key", format!("x'{}'", "07".repeat(32))).unwrap();
    for (name, value) in
        [("journal_mode", "WAL"), ("synchronous", "FULL"), ("temp_store", "MEMORY"), ("cache_size", "-16384")]
    {
        conn.pragma_update(None, name, value).unwrap();
    }
    conn.pragma_update(None, "mmap_size", 0).unwrap();
    conn
}

struct Table {
    insert: String,
    rows: Vec<Vec<SqlValue>>,
}

fn table(conn: &Connection, insert: &str, select: &str) -> Table {
    let mut query = conn.prepare(select).unwrap();
    let columns = query.column_count();
    let places: Vec<String> = (1..=columns).map(|n| format!("?{n}")).collect();
    let rows = query.query_map([], |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
    Table { insert: format!("{insert} VALUES ({})", places.join(", ")), rows: rows.collect::<Result<_, _>>().unwrap() }
}

/// Every row that applying left, with the text of its search documents.
fn contents(dir: &Path) -> Vec<Table> {
    let conn = open(dir);
    let mut tables: Vec<Table> = TABLES
        .iter()
        .map(|name| {
            let here = if *name == "rows" { "WHERE scope LIKE 'park/%'" } else { "" };
            table(&conn, &format!("INSERT INTO {name}"), &format!("SELECT * FROM {name} {here}"))
        })
        .collect();
    let keys = "SELECT doc, sort_name, (SELECT group_concat(key, ' ') FROM driver_keys
                WHERE driver_keys.doc = driver_docs.doc AND space <> 'phone') FROM driver_docs";
    tables.push(table(&conn, "INSERT INTO driver_trigrams (rowid, name, keys)", keys));
    tables.push(table(
        &conn,
        "INSERT INTO driver_words (rowid, words, stems)",
        "SELECT doc, sort_name, sort_name FROM driver_docs",
    ));
    tables
}

/// Raw prepared inserts, in as many transactions as there were frames.
fn insert(dir: &Path, tables: &[Table], transactions: usize) -> f64 {
    let mut conn = open(dir);
    let started = Instant::now();
    for n in 0..transactions {
        let tx = conn.transaction().unwrap();
        for table in tables {
            let of = |n: usize| table.rows.len() * n / transactions;
            let mut query = tx.prepare_cached(&table.insert).unwrap();
            for row in &table.rows[of(n)..of(n + 1)] {
                query.execute(rusqlite::params_from_iter(row)).unwrap();
            }
        }
        tx.commit().unwrap();
    }
    started.elapsed().as_secs_f64()
}

fn apply(drivers: usize) -> Value {
    let frames = park(drivers);
    let rows: usize = frames.iter().map(|frame| frame.rows.len()).sum();
    let dir = tempfile::tempdir().unwrap();
    let (ours, raw) = (dir.path().join("ours"), dir.path().join("raw"));
    let replica = empty(&ours);
    let started = Instant::now();
    for frame in &frames {
        replica.write(Priority::Sync, |tx| tx.apply_frame(frame, Millis(3))).unwrap();
    }
    let apply = started.elapsed().as_secs_f64();
    drop(replica);
    let tables = contents(&ours);
    drop(empty(&raw));
    let insert = insert(&raw, &tables, frames.len());
    json!({"rows": rows, "apply_rows_s": rows as f64 / apply, "insert_rows_s": rows as f64 / insert})
}

/// A queue of edits, one per driver, as a desk fills it that was offline for long.
fn fill(replica: &Replica, commands: usize) {
    for n in 0..commands {
        let fields = BTreeMap::from([("comment".to_owned(), Change { was: Value::Null, now: format!("{n}").into() })]);
        let args = DriverEdit { driver: id(&format!("{n:032x}")), park: id("p1"), fields, phones: SetEdit::default() };
        let draft = Draft {
            id: CommandId::of_job("measure", &n.to_string()),
            actor: Actor::Device("d1".parse().unwrap()),
            now: Millis(10),
            command: Command::DriverEdit(args),
        };
        let saved = replica.write(Priority::Person, |tx| tx.submit(draft)).unwrap();
        assert!(matches!(saved, Submitted::Saved { .. }), "{saved:?}");
    }
}

fn drain(commands: usize) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let replica = empty(dir.path());
    let grant = row(Kind::Grant, "g1", 3, &json!({"holder": "device/d1", "role": "admin", "park": "p1"}));
    let device = Scope::Device("d1".parse().unwrap());
    let head = FrameHead { scope: device, epoch: 1, from: 2, to: 3, head: 3, schema: SCHEMA, refused: None };
    replica.write(Priority::Sync, |tx| tx.apply_frame(&Frame { head, rows: vec![grant] }, Millis(3))).unwrap();
    for frame in park(commands) {
        replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(3))).unwrap();
    }
    fill(&replica, commands);
    let fleet = Scope::park(&id("p1"), Area::Fleet);
    let (mut version, mut batches) = (2 * commands as u64, Vec::new());
    let started = Instant::now();
    loop {
        let turn = Instant::now();
        let batch = replica.read(|tx| tx.outbox_batch(500, 1 << 20, Millis(20))).unwrap();
        if batch.is_empty() {
            break;
        }
        let from = version;
        let (mut judged, mut rows) = (Vec::new(), Vec::new());
        for pending in &batch {
            version += 1;
            let envelope = Envelope::from_bytes(&pending.bytes).unwrap();
            let Command::DriverEdit(args) = envelope.command else { panic!() };
            let at = RowRef { scope: fleet.clone(), kind: Kind::Driver, id: args.driver };
            let body = replica.read(|tx| tx.body(&at)).unwrap().unwrap();
            let hash = canonical::hash(&body);
            rows.push(Row {
                kind: Kind::Driver,
                id: at.id,
                version,
                rev: 2,
                deleted: false,
                schema: SCHEMA,
                hash,
                body,
            });
            let verdict = Verdict::Applied { scopes: BTreeMap::from([(fleet.clone(), version)]), conflicts: vec![] };
            judged.push(Judged { seq: pending.seq, id: pending.id.clone(), verdict });
        }
        let head = FrameHead {
            scope: fleet.clone(),
            epoch: 1,
            from,
            to: version,
            head: version,
            schema: SCHEMA,
            refused: None,
        };
        replica.write(Priority::Sync, |tx| tx.apply_verdicts(&judged, Millis(30))).unwrap();
        replica.write(Priority::Sync, |tx| tx.apply_frame(&Frame { head, rows }, Millis(30))).unwrap();
        batches.push(turn.elapsed().as_millis());
    }
    let spent = started.elapsed().as_secs_f64();
    assert_eq!(replica.read(|tx| tx.pending_summary()).unwrap().count, 0);
    json!({"commands": commands, "drain_commands_s": commands as f64 / spent, "batch_ms": [batches.first(), batches.last()]})
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let count: usize = arguments.next().map_or(20_000, |n| n.parse().unwrap());
    let told = match what.as_str() {
        "apply" => apply(count),
        "drain" => drain(count),
        other => panic!("apply or drain, not {other:?}"),
    };
    println!("{told}");
}
