//! What only the store on one file has: its file.

use parkdesk_domain::BlobId;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::EnrolAnswer;
use parkdesk_hub::protocol::blobs::{Ages, bring_back, sweep};

use crate::blobs::{captured, get, put, walk};
use crate::world::*;

/// Copies `hub.db` with what belongs to it.
fn copy_store(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = std::fs::remove_file(to.join(name));
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test]
async fn an_older_hub_db_costs_no_object_and_the_newer_one_finds_them_again() {
    let aside = tempfile::tempdir().unwrap();
    let (old, new) = (aside.path().join("old"), aside.path().join("new"));
    let world = World::with_park().await.reopen_after(|_, data| copy_store(data, &old));
    let device = captured(&world, [b"o", b"p", b"t"]).await;
    assert_eq!(put(&world, &device, b"t").await.status, 204);
    let world = world.reopen_after(|_, data| {
        copy_store(data, &new);
        copy_store(&old, data);
    });
    let folder = world.dir.path().join("data/blobs");
    let now = parkdesk_hub::clock::now();
    let ages = Ages { parts_before: now, objects_before: now.plus(60_000), aside_before: now.plus(-60_000) };
    for _ in 0..3 {
        sweep(&world.hub.store, &world.hub.files, ages, now).await.unwrap();
    }
    assert_eq!(walk(&folder.join("lost")).len(), 1, "put aside, not deleted");
    let world = world.reopen_after(|_, data| copy_store(&new, data));
    assert_eq!(bring_back(&world.hub.store, &world.hub.files, now).await.unwrap(), 1);
    assert_eq!(get(&world, &device, &BlobId::of(b"t"), None).await.body, b"t");
}

#[tokio::test]
async fn the_file_holds_neither_tokens_nor_codes_nor_names() {
    let world = World::with_park().await;
    let code = world.code(Role::PhotoStaff, "p1", 10).await;
    let answer: EnrolAnswer = world.enrol_with(&code, "r1").await.json();
    let data = world.dir.path().join("data");
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "hub.key" {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(bytes.len() > 50_000);
    for secret in [answer.token.as_str(), code.as_str(), &code.replace('-', ""), "Ёлкин", "Фотоцентр"] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}
