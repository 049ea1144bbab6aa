//! Driver search: what people type and whom it must find.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_sqlite::{MatchOn, Replica, Search};
use serde_json::json;

/// Last and first name, phone, licence, plate, callsign.
fn driver(hub: &mut Hub, n: usize, texts: [&str; 6]) {
    let [last, first, phone, licence, plate, callsign] = texts;
    let (driver, car) = (id(&format!("v{n}")), id(&format!("c{n}")));
    let row = |kind, id| RowRef { scope: fleet(), kind, id };
    let car_body = json!({"park_id": "p1", "plate": plate, "callsign": callsign});
    let body = json!({"park_id": "p1", "last_name": last, "first_name": first, "phones": [phone],
        "licence": {"number": licence}, "car_id": car});
    let card = json!({"driver_id": driver, "park_id": "p1", "name": format!("{last} {first}"), "plate": plate});
    let card_row =
        RowRef { scope: directory(), kind: Kind::DriverCard, id: driver.projected(&directory().to_string()) };
    hub.write(&[
        Write::put(row(Kind::Car, car), &car_body).unwrap(),
        Write::put(row(Kind::Driver, driver), &body).unwrap(),
        Write::put(card_row, &card).unwrap(),
    ]);
}

fn park() -> Replica {
    let mut hub = Hub::new();
    driver(&mut hub, 1, ["Ёлкина", "Анна", "+7 916 123-45-67", "77 АБ 123456", "А123ВС77", "елка-1"]);
    driver(&mut hub, 2, ["Иванов", "Пётр", "8 (903) 765 43 21", "99 ТТ 654321", "М456ОР 199", "200"]);
    driver(&mut hub, 3, ["Петрова-Водкина", "Мария", "+375 29 1112233", "AB1234567", "7777 AB-7", "15"]);
    driver(&mut hub, 4, ["Smith", "John", "+44 20 7946 0958", "SMITH801016J", "K777KK777", "king"]);
    enrolled(&hub)
}

fn found(replica: &Replica, text: &str) -> Vec<String> {
    let search = Search { text: text.into(), limit: 50, ..Search::default() };
    let page = replica.read(|tx| tx.search_drivers(&search)).unwrap();
    page.items.iter().map(|hit| hit.driver.id.to_string()).collect()
}

#[test]
fn people_are_found_however_they_are_typed() {
    let replica = park();
    let table: &[(&str, &[&str])] = &[
        ("Ёлкина", &["v1"]),
        ("елкина", &["v1"]),
        ("ЕЛК", &["v1"]),
        ("ёлкин", &["v1"]),
        ("лкин", &["v1"]),
        ("Иванов", &["v2"]),
        ("Иванова", &["v2"]),
        ("иванову петру", &["v2"]),
        ("ивановой", &["v2"]),
        ("петр иванов", &["v2"]),
        ("водкин", &["v3"]),
        ("петрова водкина", &["v3"]),
        ("петр", &["v2", "v3"]),
        ("smit", &["v4"]),
        // The end of a phone first, then a part of a licence.
        ("4567", &["v1", "v3"]),
        ("8 916 123 45 67", &["v1"]),
        ("+7 (916) 123-45-67", &["v1"]),
        ("79037654321", &["v2"]),
        ("89037654321", &["v2"]),
        ("9037654321", &["v2"]),
        ("2233", &["v3"]),
        ("77 АБ 123456", &["v1"]),
        ("77аб123456", &["v1"]),
        ("ab1234567", &["v3"]),
        ("smith801016j", &["v4"]),
        ("А123ВС77", &["v1"]),
        ("a123bc77", &["v1"]),
        ("A 123 BC", &["v1"]),
        ("123bc", &["v1"]),
        ("m456op", &["v2"]),
        ("к777кк777", &["v4"]),
        ("king", &["v4"]),
        ("иванов 4321", &["v2"]),
        ("иванов 4567", &[]),
        ("сидоров", &[]),
    ];
    for (text, wanted) in table {
        assert_eq!(found(&replica, text), *wanted, "{text}");
    }
    assert_eq!(found(&replica, "").len(), 4, "nothing typed lists all");
}

#[test]
fn whole_words_go_before_beginnings_of_words() {
    let mut hub = Hub::new();
    driver(&mut hub, 1, ["Абаев", "Иван Петрович", "+7 900 000-00-01", "11 АА 000001", "А001АА77", "1"]);
    driver(&mut hub, 2, ["Петров", "Иван", "+7 900 000-00-02", "11 АА 000002", "А002АА77", "2"]);
    let replica = enrolled(&hub);
    assert_eq!(found(&replica, "петров иван"), ["v2", "v1"], "Enter takes the first one");
    assert_eq!(found(&replica, "петро иван"), ["v1", "v2"], "both are beginnings: by name");
}

#[test]
fn the_list_says_by_what_it_found() {
    let replica = park();
    let on = |text: &str| {
        let search = Search { text: text.into(), limit: 5, ..Search::default() };
        replica.read(|tx| tx.search_drivers(&search)).unwrap().items.remove(0).match_on
    };
    assert_eq!(on("иванов"), [MatchOn::Name]);
    assert_eq!(on("4567"), [MatchOn::Phone]);
    assert_eq!(on("99тт654"), [MatchOn::Licence]);
    assert_eq!(on("a123bc"), [MatchOn::Plate]);
}

#[test]
fn no_sign_that_is_typed_is_read_as_syntax() {
    let replica = park();
    let long = "иванов ".repeat(100_000);
    for text in [
        "'",
        "\"",
        "*",
        "\"иванов",
        "NEAR(",
        "words:иванов",
        ":иванов",
        "иванов OR 1=1",
        "a AND",
        "NOT",
        "^x",
        "{a b}",
        "x'y\"z",
        "\0",
        "ив\0анов",
        "%",
        "_",
        "\\",
        "(",
        ")",
        "+",
        "--",
        ";",
        "иванов*",
        "$.a",
        "\u{10ffff}",
        "²½",
        &long,
    ] {
        let search = Search { text: text.into(), limit: 5, ..Search::default() };
        replica.read(|tx| tx.search_drivers(&search)).unwrap_or_else(|error| panic!("{text:.20}: {error}"));
        replica.read(|tx| tx.find_driver_by_hint(text)).unwrap_or_else(|error| panic!("{text:.20}: {error}"));
    }
    assert_eq!(found(&replica, "\"Иванов\"*"), ["v2"], "signs are blanks");
    assert_eq!(found(&replica, "%"), found(&replica, ""), "a wildcard is nothing");
}

#[test]
fn found_by_names_what_was_hit_and_nothing_else() {
    let mut hub = Hub::new();
    // The second word ends the phone, both together are the licence.
    driver(&mut hub, 1, ["Иванов", "Пётр", "+7 916 912-34-56", "77 123456", "А1", ""]);
    let replica = enrolled(&hub);
    let search = Search { text: "77 123456".into(), limit: 5, ..Search::default() };
    let page = replica.read(|tx| tx.search_drivers(&search)).unwrap();
    assert_eq!(page.items[0].match_on, [MatchOn::Phone, MatchOn::Licence]);
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let mut hub = Hub::new();
    for n in 0..25 {
        driver(&mut hub, n, ["Иванов", &format!("И{n}"), "+7 916 000-00-00", &format!("77АА{n:06}"), "А1", ""]);
    }
    let replica = enrolled(&hub);
    for text in ["", "иванов", "77аа"] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let search = Search { text: text.into(), park: Some(id("p1")), after, limit: 10 };
            let page = replica.read(|tx| tx.search_drivers(&search)).unwrap();
            seen.extend(page.items.into_iter().map(|hit| hit.driver.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 25, "{text}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25, "{text}");
    }
}

#[test]
fn an_edit_moves_a_driver_in_the_search_at_once_and_back_when_undone() {
    let replica = park();
    submit(&replica, 1, edit("v2", "last_name", json!("Иванов"), json!("Кузнецов")));
    assert_eq!(found(&replica, "кузнецов"), ["v2"]);
    let hits = found(&replica, "иванов");
    assert_eq!(hits, Vec::<String>::new(), "the card was renamed too");
}

#[test]
fn a_hint_means_a_driver_only_when_it_is_whole() {
    let replica = park();
    let hint = |text: &str| -> Vec<String> {
        replica.read(|tx| tx.find_driver_by_hint(text)).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(hint("v2"), ["v2"]);
    assert_eq!(hint("99ТТ654321"), ["v2"]);
    assert_eq!(hint(" 8-903-765-43-21 "), ["v2"]);
    assert!(hint("4321").is_empty());
    assert!(hint("Иванов").is_empty());
    assert!(hint("").is_empty());
}
