//! The schema as a reviewed file, and that every table and column says what it is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

use parkdesk_sqlite::{Error, Replica};

#[test]
fn schema_sql_is_the_database() {
    let replica = Replica::in_memory().unwrap();
    let schema = replica.read(|tx| tx.schema()).map_err(|error: Error| error).unwrap();
    insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "schemas"}, {
        insta::assert_snapshot!("schema", schema);
    });
}

#[test]
fn every_table_and_column_has_a_comment() {
    let sql = concat!(
        include_str!("../migrations/0001_replica.sql"),
        include_str!("../migrations/0002_people.sql"),
        include_str!("../migrations/0003_withdrawn.sql"),
        include_str!("../migrations/0004_documents.sql"),
        include_str!("../migrations/0005_wanted.sql"),
        include_str!("../migrations/0006_queue.sql"),
        include_str!("../migrations/0007_marks.sql")
    );
    let mut in_table = false;
    let mut previous = "";
    for line in sql.lines() {
        if line.starts_with("CREATE TABLE") || line.starts_with("CREATE VIRTUAL") {
            assert!(previous.starts_with("--"), "{line}");
            in_table = true;
        } else if line.starts_with(')') {
            in_table = false;
        } else if in_table && !line.trim_start().starts_with(|c: char| c.is_uppercase()) && !line.contains("content =")
        {
            assert!(line.contains("-- "), "{line}");
        }
        previous = line;
    }
}
