//! The store under test: one encrypted file per world.

use std::path::Path;

use parkdesk_domain::Millis;
use parkdesk_hub::data::{self, Opened};
use parkdesk_sqlcipher::{File, Key, OpenMode, Priority};

pub(crate) struct Backend;

impl Backend {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn open(&self, data: &Path, now: Millis) -> Opened {
        data::open(data, None, now).unwrap()
    }

    /// Runs a statement behind the closed hub's back; answers how many rows it changed.
    pub(crate) fn execute(&self, data: &Path, sql: &str) -> u64 {
        let key = Key::from_file(&data.join("hub.key")).unwrap();
        let steps = &[
            ("V1__hub", include_str!("../../migrations/V1__hub.sql")),
            ("V2__withdrawn", include_str!("../../migrations/V2__withdrawn.sql")),
        ];
        let file = File::open(&data.join("hub.db"), &key, steps, OpenMode::Existing).unwrap();
        let changed = file.write(Priority::Person, |tx| tx.execute(sql, []).map_err(parkdesk_sqlcipher::Error::from));
        changed.unwrap() as u64
    }
}
