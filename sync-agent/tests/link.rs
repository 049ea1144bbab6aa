//! The driver against a hub of few lines that can fail in every way: down, a captive portal, cut bodies, lost answers,
//! server errors, refused tokens, clones, spoiled files. Whatever happens, what was confirmed arrives once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "test code")]

mod link {
    pub(crate) mod hub;
    pub(crate) mod memory;
}

use std::time::{Duration, Instant};

use link::hub::{Fault, Hub};
use link::memory::Memory;
use parkdesk_app::sync::{LinkState, SyncControl};
use parkdesk_domain::{BlobId, Millis};
use parkdesk_sync_agent::engine::{Backoff, Policy};
use parkdesk_sync_agent::{Sync, SyncConfig};

fn clock() -> Millis {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Millis(i64::try_from(now.as_millis()).unwrap())
}

fn start(hub: &Hub, memory: &Memory) -> std::sync::Arc<Sync> {
    let policy = Policy {
        backoff: Backoff { base_ms: 5, cap_ms: 40 },
        // Short: answers without news come back soon.
        wait_ms: 300,
        ..Policy::default()
    };
    let config = SyncConfig { hub_url: hub.url(), token: "secret".into(), ca: None, policy, clock, zone: |_| 0 };
    Sync::start(config, memory.clone()).unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8 ^ seed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_rows_and_files_get_through_both_ways() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    for seq in 1..=3 {
        memory.save(seq);
    }
    let large = memory.add_upload(&bytes((2 << 20) + 77, 1));
    let small = memory.add_upload(&bytes(900, 2));
    hub.set_rows(40);
    let wanted = hub.add_file(&bytes((5 << 20) + 3, 3));
    memory.want(&wanted, (5 << 20) + 3);
    let sync = start(&hub, &memory);
    until("all", || memory.queue().is_empty() && hub.has(&large) && hub.has(&small) && memory.version() == 40).await;
    until("the file", || memory.holds(&wanted)).await;
    assert_eq!(hub.effects(), [1, 2, 3]);
    until("stored is noted", || memory.uploads_left() == 0).await;
    let status = sync.status();
    assert_eq!(status.state, LinkState::Online);
    assert!(status.clock_offset_ms.unwrap().abs() < 60_000);
    assert!(hub.offset_was_measured_from(&status));
    memory.save(4);
    sync.poke();
    until("a poke", || hub.effects().contains(&4)).await;
    sync.stop().await;
    let (tally, contact) = memory.tally();
    assert_eq!((tally.sent, tally.received), (4, 40), "{tally:?}");
    assert!(tally.bytes_up > (2 << 20) + 977 && tally.bytes_down > (5 << 20) + 3, "{tally:?}");
    assert!(contact.is_some(), "the last word of the hub is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_push_answer_takes_effect_once() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    for seq in 1..=5 {
        memory.save(seq);
    }
    for _ in 0..4 {
        hub.fail("/v1/push", Fault::LoseAnswer);
    }
    let sync = start(&hub, &memory);
    until("empty queue", || memory.queue().is_empty()).await;
    let mut effects = hub.effects();
    effects.sort_unstable();
    assert_eq!(effects, [1, 2, 3, 4, 5]);
    assert!(hub.count("/v1/push") >= 5, "it was pushed again");
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captive_portal_changes_nothing_and_is_named() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    memory.save(1);
    hub.set_rows(3);
    let id = memory.add_upload(&bytes(100, 4));
    hub.fail_always(Some(Fault::Html));
    let sync = start(&hub, &memory);
    until("named", || sync.status().last_problem.is_some_and(|p| p.code == "not_a_hub")).await;
    until("asked some more", || hub.total() > 8).await;
    assert_eq!((memory.queue(), memory.version(), memory.uploads_left()), (vec![1], 0, 1));
    assert_eq!(sync.status().state, LinkState::Offline);
    hub.fail_always(None);
    until("through", || memory.queue().is_empty() && memory.version() == 3 && hub.has(&id)).await;
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_cut_at_any_byte_never_apply_half() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    hub.set_rows(5);
    memory.save(1);
    let wanted = hub.add_file(&bytes(3000, 5));
    memory.want(&wanted, 3000);
    for n in (0..900).step_by(13) {
        hub.fail("/v1/pull", Fault::CutAt(n));
    }
    for n in (0..3000).step_by(500) {
        hub.fail("/v1/blobs/", Fault::CutAt(n));
    }
    for n in (0..60).step_by(7) {
        hub.fail("/v1/push", Fault::CutAt(n));
    }
    let sync = start(&hub, &memory);
    until("through", || memory.version() == 5 && memory.queue().is_empty() && memory.holds(&wanted)).await;
    assert_eq!(memory.frames(), [(0, 5)], "one whole frame, once");
    assert_eq!(hub.effects(), [1]);
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_hub_is_left_alone_as_long_as_it_asks() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    memory.save(1);
    hub.fail_always(Some(Fault::Busy { seconds: 1 }));
    let sync = start(&hub, &memory);
    until("told", || sync.status().last_problem.is_some_and(|p| p.code == "hub_busy")).await;
    let begun = Instant::now();
    hub.fail_always(None);
    let before = hub.total();
    sync.sync_now();
    until("sent", || memory.queue().is_empty()).await;
    assert!(begun.elapsed() > Duration::from_millis(700), "{:?}", begun.elapsed());
    assert!(before <= 3, "{before} requests before the first answer was read");
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_errors_on_pushes_hold_up_neither_rows_nor_files() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    memory.save(1);
    hub.set_rows(7);
    let id = memory.add_upload(&bytes(100, 6));
    hub.fail_path("/v1/push", Some(Fault::Status(500)));
    let sync = start(&hub, &memory);
    until("rows and files", || memory.version() == 7 && hub.has(&id)).await;
    until("many errors", || hub.count("/v1/push") > 10).await;
    assert_eq!(memory.queue(), [1], "never taken for a verdict");
    hub.fail_path("/v1/push", None);
    until("sent", || memory.queue().is_empty()).await;
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_stops_and_is_told() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    memory.save(1);
    hub.fail_always(Some(Fault::Problem(401, "unauthorized")));
    let sync = start(&hub, &memory);
    until("told", || sync.status().last_problem.is_some_and(|p| p.code == "unauthorized")).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let before = hub.total();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(hub.total(), before, "it asks no more");
    hub.fail_always(None);
    sync.sync_now();
    until("sent", || memory.queue().is_empty()).await;
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_goes_on_in_a_new_epoch() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    memory.save(1);
    hub.fail("/v1/push", Fault::Problem(409, "cloned"));
    let sync = start(&hub, &memory);
    until("sent", || memory.queue().is_empty()).await;
    assert_eq!(memory.epoch(), 2);
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_go_on_after_a_restart_and_none_is_sent_twice() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let id = memory.add_upload(&bytes(6 << 20, 7));
    hub.stop_after_parts(3);
    let sync = start(&hub, &memory);
    until("half", || hub.parts_held(&id) >= 3).await;
    sync.stop().await;
    drop(sync);
    let held = hub.parts_held(&id);
    hub.stop_after_parts(usize::MAX);
    let sync = start(&hub, &memory);
    until("whole", || hub.has(&id) && memory.uploads_left() == 0).await;
    assert!(held >= 3);
    assert_eq!(hub.parts_taken(), 6, "each part was taken once");
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_after_a_restart_and_no_byte_comes_twice() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let size = (5 << 20) + 3;
    let wanted = hub.add_file(&bytes(size, 13));
    memory.want(&wanted, size as u64);
    hub.stop_after_bytes(Some(3 << 20));
    let sync = start(&hub, &memory);
    until("some came", || memory.partial_len(&wanted) >= 3 << 20).await;
    sync.stop().await;
    drop(sync);
    hub.go_on().await;
    let sync = start(&hub, &memory);
    until("all came", || memory.holds(&wanted)).await;
    assert_eq!((hub.bytes_served(), memory.partial_len(&wanted)), (size as u64, 0));
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rotted_of_an_unfinished_download_is_fetched_again() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let true_bytes = bytes((2 << 20) + 1, 14);
    let wanted = hub.add_file(&true_bytes);
    memory.want(&wanted, true_bytes.len() as u64);
    hub.stop_after_bytes(Some(1 << 20));
    let sync = start(&hub, &memory);
    until("some came", || memory.partial_len(&wanted) >= 1 << 20).await;
    sync.stop().await;
    drop(sync);
    memory.rot_partial(&wanted);
    hub.go_on().await;
    let sync = start(&hub, &memory);
    until("all came", || memory.holds(&wanted)).await;
    assert_eq!(hub.bytes_served(), (1 << 20) + ((1 << 20) + 1) + true_bytes.len() as u64, "the rest, then all anew");
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_parked_and_the_rest_goes_on() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let bad = memory.add_upload(&bytes(100, 8));
    let rotten = memory.add_upload(&bytes(100, 9));
    memory.rot(&rotten);
    let good = memory.add_upload(&bytes(100, 10));
    hub.refuse_file(&bad);
    memory.save(1);
    let sync = start(&hub, &memory);
    until("parked", || memory.parked().len() == 2).await;
    until("the rest", || hub.has(&good) && memory.queue().is_empty()).await;
    let mut parked = memory.parked();
    parked.sort();
    let mut expected = vec![(bad, "hub_refused"), (rotten.clone(), "local_failed")];
    expected.sort();
    assert_eq!(parked, expected);
    assert!(!hub.has(&rotten), "what rotted here is never sent as good");
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_are_never_stored() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let true_bytes = bytes(5000, 11);
    let id = BlobId::of(&true_bytes);
    hub.add_file_as(&id, &bytes(5000, 12));
    memory.want(&id, 5000);
    memory.save(1);
    let sync = start(&hub, &memory);
    until("given up", || memory.parked().iter().any(|(parked, _)| *parked == id)).await;
    assert!(!memory.holds(&id));
    until("the rest goes on", || memory.queue().is_empty()).await;
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_comes_late_and_goes_is_found_again() {
    let hub = Hub::start().await;
    let memory = Memory::new();
    memory.save(1);
    hub.go_away().await;
    let sync = start(&hub, &memory);
    until("told", || sync.status().last_problem.is_some_and(|p| p.code == "hub_unreachable")).await;
    assert_eq!(sync.status().state, LinkState::Offline);
    hub.come_back().await;
    until("sent", || memory.queue().is_empty()).await;
    hub.go_away().await;
    memory.save(2);
    sync.poke();
    until("gone", || sync.status().state == LinkState::Offline).await;
    hub.come_back().await;
    until("sent again", || memory.queue().is_empty()).await;
    assert_eq!(hub.effects(), [1, 2]);
    sync.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_sends_nothing() {
    let (hub, memory) = (Hub::start().await, Memory::new());
    let sync = start(&hub, &memory);
    until("online", || sync.status().state == LinkState::Online).await;
    sync.pause(None);
    until("paused", || sync.status().state == LinkState::Paused).await;
    memory.save(1);
    sync.poke();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(memory.queue(), [1]);
    sync.resume();
    until("sent", || memory.queue().is_empty()).await;
    sync.stop().await;
}
