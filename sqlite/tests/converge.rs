//! Whatever people do and however frames, verdicts and pushes are delayed, cut or repeated: in the end the replica's rows
//! are the hub's and the queue is empty (protocol, "Proof").
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod common;

use common::*;
use parkdesk_domain::command::{Command, PhotoBytesStored, PhotoWithdraw};
use parkdesk_domain::ids::Millis;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_domain::wire::Judged;
use parkdesk_sqlite::{Priority, Replica};
use proptest::prelude::*;
use serde_json::json;

#[derive(Debug, Clone)]
enum Step {
    Create {
        driver: u8,
        licence: u8,
        plate: u8,
    },
    Edit {
        driver: u8,
        value: u8,
    },
    Capture {
        driver: u8,
    },
    /// A photo that is seen here is taken back.
    Withdraw {
        which: usize,
    },
    /// The files of a photo arrive at the hub.
    Bytes {
        which: usize,
    },
    /// Somebody else changes a driver at the hub.
    Other {
        driver: u8,
        value: u8,
    },
    /// Somebody else makes a driver at the hub.
    OtherCreate {
        driver: u8,
        licence: u8,
    },
    /// Pushes; the answer is kept for later.
    Push {
        commands: u32,
    },
    /// An answer arrives (any of those kept, also again).
    Answer {
        which: usize,
    },
    /// A scope is pulled by some versions.
    Pull {
        scope: usize,
        versions: u64,
    },
    /// An old frame arrives once more.
    Replay {
        which: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..4u8, 0..4u8, 0..3u8).prop_map(|(driver, licence, plate)| Step::Create { driver, licence, plate }),
        3 => (0..4u8, 0..3u8).prop_map(|(driver, value)| Step::Edit { driver, value }),
        2 => (0..4u8).prop_map(|driver| Step::Capture { driver }),
        1 => (0..4usize).prop_map(|which| Step::Withdraw { which }),
        2 => (0..4usize).prop_map(|which| Step::Bytes { which }),
        2 => (0..4u8, 0..3u8).prop_map(|(driver, value)| Step::Other { driver, value }),
        1 => (0..4u8, 0..4u8).prop_map(|(driver, licence)| Step::OtherCreate { driver, licence }),
        3 => (1..4u32).prop_map(|commands| Step::Push { commands }),
        3 => (0..8usize).prop_map(|which| Step::Answer { which }),
        4 => (0..4usize, 1..4u64).prop_map(|(scope, versions)| Step::Pull { scope, versions }),
        1 => (0..20usize).prop_map(|which| Step::Replay { which }),
    ]
}

struct World {
    hub: Hub,
    replica: Replica,
    answers: Vec<Vec<Judged>>,
    frames: Vec<parkdesk_domain::wire::frame::Frame>,
    n: u32,
}

impl World {
    fn licence(n: u8) -> Option<String> {
        (n > 0).then(|| format!("77АБ00000{n}"))
    }

    fn see(&self) -> Vec<Vec<parkdesk_domain::row::Row>> {
        let scopes = [directory(), fleet(), photos(), device_scope()];
        scopes.iter().map(|scope| self.replica.read(|tx| tx.rows_of(scope)).unwrap()).collect()
    }

    fn run(&mut self, step: &Step) {
        self.n += 1;
        let n = self.n;
        match step {
            Step::Create { driver, licence, plate } => {
                let plate = (*plate > 0).then(|| format!("А00{plate}АА"));
                let licence = Self::licence(*licence);
                submit(
                    &self.replica,
                    n,
                    new_driver(&format!("v{driver}"), "Иванов", licence.as_deref(), plate.as_deref()),
                );
            }
            Step::Edit { driver, value } => {
                let id = id(&format!("v{driver}"));
                let seen = self.replica.read(|tx| tx.driver(&id_of("p1"), &id)).unwrap();
                let was = seen.and_then(|driver| driver.profile).and_then(|profile| profile.comment);
                let now = format!("c{value}");
                submit(&self.replica, n, edit(id.as_str(), "comment", json!(was), json!(now)));
            }
            Step::Capture { driver } => {
                submit(&self.replica, n, capture(&format!("f{n}"), &format!("v{driver}")));
            }
            Step::Withdraw { which } => {
                let seen = self.replica.read(|tx| tx.recent_photos(10)).unwrap();
                if let Some(photo) = seen.get(which % seen.len().max(1)) {
                    let args = PhotoWithdraw { photo: photo.id.clone(), park: id("p1") };
                    submit(&self.replica, n, Command::PhotoWithdraw(args));
                }
            }
            Step::Bytes { which } => {
                let stored: Vec<_> =
                    self.hub.live(&photos()).into_iter().filter(|(kind, ..)| *kind == Kind::Photo).collect();
                if let Some((_, photo, body)) = stored.get(which % stored.len().max(1)) {
                    let body: parkdesk_domain::body::Photo = serde_json::from_str(body).unwrap();
                    for (m, (_, file)) in (0..).zip(body.files()) {
                        let args = PhotoBytesStored { photo: photo.clone(), park: id("p1"), blob: file.id.clone() };
                        self.hub.own(10 * n + m, Command::PhotoBytesStored(args));
                    }
                }
            }
            Step::Other { driver, value } => {
                let row = RowRef { scope: fleet(), kind: Kind::Driver, id: id(&format!("v{driver}")) };
                if let Some(old) = self.hub.rows.get(&row) {
                    let mut body: serde_json::Value = serde_json::from_str(&old.body).unwrap();
                    body["comment"] = json!(format!("o{value}"));
                    self.hub.write(&[Write::put(row, &body).unwrap()]);
                }
            }
            Step::OtherCreate { driver, licence } => {
                let command = new_driver(&format!("v{driver}"), "Чужой", Self::licence(*licence).as_deref(), None);
                let envelope = parkdesk_domain::command::Envelope::of_hub(
                    command_id(0xe000_0000 + n),
                    parkdesk_domain::command::Actor::Hub,
                    Millis(1),
                    command,
                );
                let planned =
                    parkdesk_domain::facts::run(&envelope, Millis(1), &mut self.hub).expect("the hub's facts");
                if let parkdesk_domain::plan::Outcome::Accepted { writes, .. } = planned.outcome {
                    self.hub.write(&writes);
                }
            }
            Step::Push { commands } => {
                let batch = self.replica.read(|tx| tx.outbox_batch(*commands, 1 << 20, Millis(5))).unwrap();
                let answer = batch.iter().map(|pending| self.hub.judge(&pending.bytes)).collect();
                self.answers.push(answer);
            }
            Step::Answer { which } => {
                if let Some(answer) = self.answers.get(which % self.answers.len().max(1)) {
                    take(&self.replica, answer);
                }
            }
            Step::Pull { scope, versions } => {
                let cursors = self.replica.read(|tx| tx.cursors()).unwrap();
                if let Some(cursor) = cursors.get(scope % cursors.len().max(1)) {
                    let frame = self.hub.frame(&cursor.id, cursor.version, *versions);
                    self.replica.write(Priority::Sync, |tx| tx.apply_frame(&frame, Millis(5))).unwrap();
                    self.frames.push(frame);
                }
            }
            Step::Replay { which } => {
                if let Some(frame) = self.frames.get(which % self.frames.len().max(1)) {
                    self.replica.write(Priority::Sync, |tx| tx.apply_frame(frame, Millis(5))).unwrap();
                }
            }
        }
    }
}

fn id_of(text: &str) -> parkdesk_domain::ids::RowId {
    id(text)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn replica_and_hub_converge(steps in proptest::collection::vec(step(), 1..40), starts_enrolled: bool) {
        let hub = Hub::new();
        let replica = Replica::in_memory().unwrap();
        if starts_enrolled {
            enrol(&replica, &hub);
        } else {
            replica.write(Priority::Sync, |tx| tx.set_enrolled(&device(), &id("hub"), Millis(1))).unwrap();
        }
        let mut world = World { hub, replica, answers: vec![], frames: vec![], n: 0 };
        for step in &steps {
            world.run(step);
            let seen = world.see();
            world.replica.write(Priority::Sync, |tx| tx.replan_all()).unwrap();
            prop_assert_eq!(world.see(), seen, "after each step as if all was planned again over the hub's rows");
        }
        for _ in 0..3 {
            let judged = push(&world.replica, &mut world.hub);
            take(&world.replica, &judged);
            pull_all(&world.replica, &world.hub);
        }
        prop_assert_eq!(world.replica.read(|tx| tx.pending_summary()).unwrap().count, 0);
        for scope in [directory(), fleet(), photos(), device_scope()] {
            let rows = world.replica.read(|tx| tx.rows_of(&scope)).unwrap();
            let rows: Vec<_> = rows.into_iter().map(|row| (row.kind, row.id, row.body)).collect();
            let mut live = world.hub.live(&scope);
            live.sort_by(|a, b| (a.0.as_str(), a.1.as_str()).cmp(&(b.0.as_str(), b.1.as_str())));
            prop_assert_eq!(rows, live);
        }
        let refused = world.hub.judged.values().filter(|(_, v)| matches!(v, parkdesk_domain::wire::Verdict::Rejected { .. }));
        let entries = world.replica.read(|tx| tx.needs_attention()).unwrap();
        let shown = entries.iter().filter(|entry| entry.refusal.is_some()).count();
        prop_assert_eq!(shown, refused.count(), "every refusal is shown once");
    }
}
