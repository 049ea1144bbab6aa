//! That no search reads the whole table: by the query plan, not by a stop-watch.

use parkdesk_domain::ids::RowId;

use super::{Search, SearchKey, page_statement, statement};
use crate::{Error, Replica};

fn plan(search: &Search) -> Vec<String> {
    plan_of(&page_statement(search))
}

fn plan_of(sql: &super::Sql) -> Vec<String> {
    let replica = Replica::in_memory().unwrap();
    replica
        .read(|tx| {
            let text = format!("EXPLAIN QUERY PLAN {}", sql.text);
            tx.all(&text, rusqlite::params_from_iter(&sql.values), |row| row.get::<_, String>("detail"))
        })
        .map_err(|error: Error| error)
        .unwrap()
}

#[test]
fn no_search_scans_the_drivers() {
    let park: RowId = "p1".parse().unwrap();
    let after = Some(SearchKey { tier: 0, sort_name: "иванов".into(), doc: 7 });
    for text in ["иванов", "иванов петр", "4567", "8 916 123 45 67", "а123вс", "а 123 вс 77", "и"]
    {
        for park in [None, Some(park.clone())] {
            let search = Search { text: text.into(), park, after: after.clone(), limit: 50 };
            for step in plan(&search) {
                let tables =
                    ["driver_docs", "driver_keys", "drivers", "driver_cards", "cars", "rows", "photos", "photo_files"];
                let scans = tables.map(|table| format!("SCAN {table}"));
                assert!(!scans.iter().any(|scan| step.split(" USING").next() == Some(scan.as_str())), "{text}: {step}");
            }
        }
    }
}

#[test]
fn the_list_of_all_is_read_from_an_index_in_order() {
    for park in [None, Some("p1".parse().unwrap())] {
        let steps = plan_of(&statement(&Search { park, limit: 50, ..Search::default() }));
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}");
        assert!(steps.iter().any(|step| step.contains("INDEX driver_docs_by_")), "{steps:?}");
    }
}

#[test]
fn the_drivers_of_a_car_are_found_by_its_id() {
    let sql = super::Sql {
        text: super::documents::DRIVERS_OF_CAR.into(),
        values: vec!["s".to_owned().into(), "c".to_owned().into()],
    };
    let steps = plan_of(&sql);
    assert!(steps.iter().all(|step| step.contains("drivers_by_car (scope=? AND car_id=?)")), "{steps:?}");
}

#[test]
fn steps_of_the_link_look_at_their_own_work_only() {
    for (text, values, index) in [
        (crate::outbox::DUE.to_owned(), vec![9.into(), 5.into()], "outbox USING INDEX outbox_due"),
        (crate::blobs::next_to_fetch(), vec![5.into()], "photo_files USING COVERING INDEX photo_files_missing"),
    ] {
        let steps = plan_of(&super::Sql { text, values });
        assert!(steps.first().is_some_and(|step| step.contains(index)), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }
}
