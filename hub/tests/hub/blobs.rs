//! Blobs: parts in any order, resumed, verified, told to waiting photos, read only through rows.

use axum::body::Body;
use axum::http::{Method, Request};
use parkdesk_domain::command::*;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::*;
use parkdesk_domain::{BlobId, Millis};
use parkdesk_hub::admin::{self, Answer, PhotoView};
use parkdesk_hub::protocol::blobs::{Ages, reseal, sweep};
use parkdesk_hub::store::Store;
use sha2::{Digest, Sha256};

use crate::world::*;

const MIB: usize = 1 << 20;

fn bytes(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|i| (i.wrapping_mul(31) >> 3) as u8 ^ seed).collect()
}

async fn put_part(world: &World, device: &Device, blob: &BlobId, n: usize, part: &[u8]) -> crate::world::Reply {
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/v1/blobs/{blob}/parts/{n}"))
        .header("authorization", format!("Bearer {}", device.token))
        .header("parkdesk-part-hash", hex::encode(Sha256::digest(part)));
    world.send(request.body(Body::from(part.to_vec())).unwrap()).await
}

async fn complete(world: &World, device: &Device, blob: &BlobId) -> crate::world::Reply {
    world.call(Method::POST, &format!("/v1/blobs/{blob}/complete"), &device.token, "").await
}

pub(crate) async fn put(world: &World, device: &Device, bytes: &[u8]) -> crate::world::Reply {
    world.call(Method::PUT, &format!("/v1/blobs/{}", BlobId::of(bytes)), &device.token, bytes.to_vec()).await
}

pub(crate) async fn get(world: &World, device: &Device, blob: &BlobId, range: Option<&str>) -> crate::world::Reply {
    let mut request =
        Request::builder().uri(format!("/v1/blobs/{blob}")).header("authorization", format!("Bearer {}", device.token));
    if let Some(range) = range {
        request = request.header("range", range);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn state(world: &World, device: &Device, blob: &BlobId) -> BlobState {
    let body = format!(r#"{{"blobs":[{{"id":"{blob}","size_bytes":1}}]}}"#);
    let answer: BlobCheckAnswer = world.call(Method::POST, "/v1/blobs/check", &device.token, body).await.json();
    answer.blobs.into_iter().next().unwrap()
}

async fn photo(world: &World) -> PhotoView {
    let Answer::Photos { photos } = world.admin(admin::Request::PhotoList { park: id("p1") }).await else { panic!() };
    photos.into_iter().next().unwrap()
}

/// A device that has pushed a photo with these files.
pub(crate) async fn captured(world: &World, files: [&[u8]; 3]) -> Device {
    let mut device = world.enrol(Role::PhotoStaff, "p1").await;
    let command = device.command(capture("f1", "p1", files), &[]);
    assert_applied(&device.push(world, &[command]).await);
    device
}

#[tokio::test]
async fn a_photo_enters_moderation_when_its_last_file_is_stored() {
    let world = World::with_park().await;
    let files = [bytes(3000, 1), bytes(2000, 2), bytes(1000, 3)];
    let device = captured(&world, [&files[0], &files[1], &files[2]]).await;
    assert_eq!(photo(&world).await.status, "new", "waiting for bytes");
    for (n, (file, status)) in files.iter().rev().zip(["new", "new", "needs_moderation"]).enumerate() {
        assert_eq!(put(&world, &device, file).await.status, 204);
        assert_eq!(photo(&world).await.status, status, "after {} files", n + 1);
        assert_eq!(put(&world, &device, file).await.status, 204, "twice is once");
        assert_eq!(state(&world, &device, &BlobId::of(file)).await, BlobState::Present);
    }
    let mut office = world.enrol(Role::Operator, "p1").await;
    let frames = office.pull(&world, "p1", 0).await;
    let rows: Vec<_> = frames.iter().flat_map(|f| &f.rows).filter(|r| r.id == id("f1")).collect();
    assert_eq!((rows.len(), rows[0].rev), (1, 4), "captured once, told of three files once each");
    for file in &files {
        let reply = get(&world, &office, &BlobId::of(file), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, file));
    }
}

#[tokio::test]
async fn parts_come_in_any_order_twice_and_over_a_restart() {
    let mut world = World::with_park().await;
    let original = bytes(3 * MIB + 77, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    let blob = BlobId::of(&original);
    let parts: Vec<&[u8]> = original.chunks(MIB).collect();
    assert_eq!(state(&world, &device, &blob).await, BlobState::Missing);
    for n in [3, 1, 1] {
        assert_eq!(put_part(&world, &device, &blob, n, parts[n]).await.status, 204);
    }
    assert_eq!(complete(&world, &device, &blob).await.problem(), (409, ProblemCode::Incomplete));
    world = world.reopen();
    assert_eq!(state(&world, &device, &blob).await, BlobState::Partial { parts: vec![1, 3] });
    for n in [2, 0] {
        assert_eq!(put_part(&world, &device, &blob, n, parts[n]).await.status, 204);
    }
    assert_eq!(complete(&world, &device, &blob).await.status, 204);
    assert_eq!(complete(&world, &device, &blob).await.status, 204, "again is well");
    world = world.reopen();
    assert_eq!(get(&world, &device, &blob, None).await.body, original);
    let objects = walk(&world.dir.path().join("data/blobs"));
    assert_eq!(objects.len(), 1, "the parts are gone");
    let sealed = std::fs::read(&objects[0]).unwrap();
    assert!(!sealed.windows(64).any(|window| window == &original[1000..1064]), "sealed on the disk");
}

pub(crate) fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn a_part_with_a_wrong_hash_number_or_size_is_refused() {
    let world = World::with_park().await;
    let original = bytes(MIB + 10, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    let blob = BlobId::of(&original);
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/v1/blobs/{blob}/parts/1"))
        .header("authorization", format!("Bearer {}", device.token))
        .header("parkdesk-part-hash", "0".repeat(64))
        .body(Body::from(original[MIB..].to_vec()))
        .unwrap();
    assert_eq!(world.send(request).await.problem(), (422, ProblemCode::HashMismatch));
    assert_eq!(put_part(&world, &device, &blob, 2, b"x").await.problem(), (400, ProblemCode::Malformed));
    assert_eq!(put_part(&world, &device, &blob, 0, &original[..100]).await.problem(), (400, ProblemCode::Malformed));
    assert_eq!(put_part(&world, &device, &blob, 1, &original[..11]).await.problem(), (400, ProblemCode::Malformed));
    assert_eq!(state(&world, &device, &blob).await, BlobState::Missing);
}

#[tokio::test]
async fn a_whole_blob_with_a_wrong_hash_is_thrown_away() {
    let world = World::with_park().await;
    let original = bytes(MIB + 10, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    let blob = BlobId::of(&original);
    assert_eq!(put_part(&world, &device, &blob, 0, &bytes(MIB, 9)).await.status, 204);
    assert_eq!(put_part(&world, &device, &blob, 1, &original[MIB..]).await.status, 204);
    assert_eq!(complete(&world, &device, &blob).await.problem(), (422, ProblemCode::HashMismatch));
    assert_eq!(state(&world, &device, &blob).await, BlobState::Missing);
    assert!(walk(&world.dir.path().join("data/blobs")).is_empty());
    let wrong = world.call(Method::PUT, &format!("/v1/blobs/{}", BlobId::of(b"p")), &device.token, "q").await;
    assert_eq!(wrong.problem(), (422, ProblemCode::HashMismatch));
}

#[tokio::test]
async fn one_devices_bad_parts_do_not_spoil_anothers_upload() {
    let world = World::with_park().await;
    let original = bytes(MIB + 10, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    let other = world.enrol(Role::PhotoStaff, "p1").await;
    let blob = BlobId::of(&original);
    assert_eq!(put_part(&world, &other, &blob, 0, &bytes(MIB, 9)).await.status, 204);
    for (n, part) in original.chunks(MIB).enumerate() {
        assert_eq!(put_part(&world, &device, &blob, n, part).await.status, 204);
    }
    assert_eq!(complete(&world, &device, &blob).await.status, 204);
    assert_eq!(get(&world, &other, &blob, None).await.body, original);
}

#[tokio::test]
async fn a_blob_that_no_row_refers_to_is_not_taken() {
    let world = World::with_park().await;
    let device = captured(&world, [b"o", b"p", b"t"]).await;
    let not_found = (404, ProblemCode::NotFound);
    assert_eq!(put(&world, &device, b"unasked").await.problem(), not_found);
    assert_eq!(put_part(&world, &device, &BlobId::of(b"unasked"), 0, b"unasked").await.problem(), not_found);
    assert_eq!(complete(&world, &device, &BlobId::of(b"unasked")).await.problem(), not_found);
    assert!(walk(&world.dir.path().join("data/blobs")).is_empty());
}

#[tokio::test]
async fn knowing_a_hash_opens_nothing_of_another_park() {
    let world = World::with_park().await;
    world.add_park("p2").await;
    let device = captured(&world, [b"original of p1", b"p", b"t"]).await;
    assert_eq!(put(&world, &device, b"original of p1").await.status, 204);
    let blob = BlobId::of(b"original of p1");
    let mut thief = world.enrol(Role::PhotoStaff, "p2").await;
    let unknown = get(&world, &thief, &BlobId::of(b"nothing"), None).await;
    let foreign = get(&world, &thief, &blob, None).await;
    assert_eq!((foreign.status, &foreign.body), (unknown.status, &unknown.body), "the same answer");
    let claim = thief.command(capture("f2", "p2", [b"original of p1", b"p", b"t"]), &[]);
    assert_applied(&thief.push(&world, &[claim]).await);
    assert_eq!(state(&world, &thief, &blob).await, BlobState::Missing, "a row of one's own opens nothing either");
    assert_eq!(get(&world, &thief, &blob, None).await.problem(), (404, ProblemCode::NotFound));
}

#[tokio::test]
async fn a_field_device_sends_its_photos_but_reads_none() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::Field, "p1").await;
    let command = device.command(capture("f1", "p1", [b"o", b"p", b"t"]), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    for file in [b"o", b"p", b"t"] {
        assert_eq!(put(&world, &device, file).await.status, 204);
    }
    assert_eq!(photo(&world).await.status, "needs_moderation");
    assert_eq!(get(&world, &device, &BlobId::of(b"o"), None).await.problem(), (404, ProblemCode::NotFound));
    let thumb = get(&world, &device, &BlobId::of(b"t"), None).await;
    assert_eq!(thumb.body, b"t", "the card in the directory shows the thumbnail");
}

#[tokio::test]
async fn bytes_that_are_here_already_are_told_to_a_later_photo() {
    let world = World::with_park().await;
    let mut device = captured(&world, [b"o", b"p", b"t"]).await;
    for file in [b"o", b"p", b"t"] {
        assert_eq!(put(&world, &device, file).await.status, 204);
    }
    let again = device.command(capture("f2", "p1", [b"o", b"p", b"t"]), &[]);
    assert_applied(&device.push(&world, &[again]).await);
    let Answer::Photos { photos } = world.admin(admin::Request::PhotoList { park: id("p1") }).await else { panic!() };
    assert_eq!(photos.iter().map(|p| p.status.as_str()).collect::<Vec<_>>(), ["needs_moderation"; 2]);
}

#[tokio::test]
async fn a_range_is_read_from_any_byte_to_any_byte() {
    let world = World::with_park().await;
    let original = bytes(200_000, 5);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    assert_eq!(put(&world, &device, &original).await.status, 204);
    let blob = BlobId::of(&original);
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65_535, 65_537),
        ("bytes=100000-", 100_000, 200_000),
        ("bytes=-7", 199_993, 200_000),
        ("bytes=199999-500000", 199_999, 200_000),
    ] {
        let reply = get(&world, &device, &blob, Some(range)).await;
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(reply.body, original[from..to], "{range}");
        assert_eq!(reply.headers["content-range"], format!("bytes {from}-{}/200000", to - 1));
        assert_eq!(reply.headers["etag"], format!("\"{blob}\""));
    }
    let reply = get(&world, &device, &blob, Some("bytes=200000-")).await;
    assert_eq!((reply.status.as_u16(), reply.headers["content-range"].to_str().unwrap()), (416, "bytes */200000"));
}

#[tokio::test]
async fn a_photo_that_moved_to_another_driver_keeps_its_bytes() {
    let world = World::with_park().await;
    let mut device = captured(&world, [b"o", b"p", b"t"]).await;
    assert_eq!(put(&world, &device, b"o").await.status, 204);
    let args = PhotoAssign { photo: id("f1"), park: id("p1"), driver: Change { was: id("v1"), now: id("v2") } };
    let moved = device.command(Command::PhotoAssign(args), &[1]);
    assert_applied(&device.push(&world, &[moved]).await);
    assert_eq!(put(&world, &device, b"t").await.status, 204);
    for file in [b"o", b"t"] {
        assert_eq!(get(&world, &device, &BlobId::of(file), None).await.body, file);
    }
}

#[tokio::test]
async fn abandoned_parts_and_objects_without_a_row_are_swept() {
    let world = World::with_park().await;
    let original = bytes(MIB + 10, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    assert_eq!(put(&world, &device, b"t").await.status, 204);
    let blob = BlobId::of(&original);
    assert_eq!(put_part(&world, &device, &blob, 1, &original[MIB..]).await.status, 204);
    world.hub.files.put("park/p1/v1", b"its row was never written", parkdesk_domain::Millis(1)).unwrap();
    let folder = world.dir.path().join("data/blobs");
    assert_eq!(walk(&folder).len(), 3);
    let now = parkdesk_hub::clock::now();
    let sweep = |parts_before, objects_before| {
        let ages = Ages { parts_before, objects_before, aside_before: now.plus(-3_600_000) };
        sweep(&world.hub.store, &world.hub.files, ages, now)
    };
    let long_ago = parkdesk_hub::clock::now().plus(-3_600_000);
    assert_eq!(sweep(parkdesk_domain::Millis(START), long_ago).await.unwrap(), 0, "nothing is old");
    let soon = parkdesk_hub::clock::now().plus(60_000);
    assert_eq!(sweep(parkdesk_domain::Millis(START + 1), soon).await.unwrap(), 2);
    assert_eq!(walk(&folder.join("lost")).len(), 1, "an object without a row is put aside");
    assert_eq!(walk(&folder).len(), 2, "what is in use stays");
    let ages = Ages { parts_before: now, objects_before: long_ago, aside_before: soon };
    assert_eq!(parkdesk_hub::protocol::blobs::sweep(&world.hub.store, &world.hub.files, ages, now).await.unwrap(), 1);
    assert_eq!(walk(&folder).len(), 1, "and deleted when it lay there long");
    assert_eq!(get(&world, &device, &BlobId::of(b"t"), None).await.body, b"t");
    assert_eq!(state(&world, &device, &blob).await, BlobState::Missing);
}

fn withdraw(photo: &str) -> Command {
    Command::PhotoWithdraw(PhotoWithdraw { photo: id(photo), park: id("p1") })
}

#[tokio::test]
async fn a_photo_taken_back_lets_its_bytes_go_and_asks_for_no_more() {
    let world = World::with_park().await;
    let files = [bytes(3 * MIB, 1), bytes(2000, 2), bytes(1000, 3)];
    let mut device = captured(&world, [&files[0], &files[1], &files[2]]).await;
    let blob = BlobId::of(&files[0]);
    let office = world.enrol(Role::Operator, "p1").await;
    assert_eq!(put(&world, &device, &files[2]).await.status, 204);
    assert_eq!(put_part(&world, &device, &blob, 0, &files[0][..MIB]).await.status, 204);
    let command = device.command(withdraw("f1"), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    assert_eq!(photo(&world).await.status, "withdrawn");
    // Whoever still has files to send is done with them, in whatever stage it was.
    for file in &files {
        assert_eq!(state(&world, &device, &BlobId::of(file)).await, BlobState::Present);
    }
    assert_eq!(put(&world, &device, &files[1]).await.status, 204);
    assert_eq!(put_part(&world, &device, &blob, 1, &files[0][MIB..2 * MIB]).await.status, 204);
    assert_eq!(complete(&world, &device, &blob).await.status, 204);
    assert_eq!(photo(&world).await.status, "withdrawn");
    for file in &files {
        for reader in [&device, &office] {
            assert_eq!(get(&world, reader, &BlobId::of(file), None).await.problem(), (404, ProblemCode::NotFound));
        }
    }
    let Answer::Stats(stats) = world.admin(admin::Request::Stats).await else { panic!() };
    assert_eq!((stats.blobs, stats.parts), (0, 0));
    // What was stored is swept like every object without a row.
    let now = Millis(START + 1);
    let ages = Ages { parts_before: now, objects_before: Millis(i64::MAX), aside_before: Millis(i64::MAX) };
    sweep(&world.hub.store, &world.hub.files, ages, now).await.unwrap();
    assert_eq!(walk(&world.dir.path().join("data/blobs")).len(), 0);
}

#[tokio::test]
async fn bytes_that_another_photo_shows_stay_when_one_is_taken_back() {
    let world = World::with_park().await;
    let mut device = captured(&world, [b"o", b"p", b"t"]).await;
    let second = device.command(capture("f2", "p1", [b"o", b"p", b"t"]), &[]);
    assert_applied(&device.push(&world, &[second]).await);
    let command = device.command(withdraw("f1"), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    assert_eq!(state(&world, &device, &BlobId::of(b"o")).await, BlobState::Missing, "the second waits for them");
    for file in [b"o", b"p", b"t"] {
        assert_eq!(put(&world, &device, file).await.status, 204);
    }
    let Answer::Photos { photos } = world.admin(admin::Request::PhotoList { park: id("p1") }).await else { panic!() };
    assert_eq!(photos.iter().map(|p| p.status.as_str()).collect::<Vec<_>>(), ["withdrawn", "needs_moderation"]);
    assert_eq!(get(&world, &device, &BlobId::of(b"t"), None).await.body, b"t");
    // Captured once more: what is here already needs no second upload.
    let command = device.command(withdraw("f2"), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    assert_eq!(get(&world, &device, &BlobId::of(b"t"), None).await.problem(), (404, ProblemCode::NotFound));
}

#[tokio::test]
async fn a_large_blob_is_given_in_pieces_and_a_slow_reader_holds_no_more_than_one() {
    let world = World::with_park().await;
    let original = bytes(3 * MIB + 77, 1);
    let device = captured(&world, [&original, b"p", b"t"]).await;
    let blob = BlobId::of(&original);
    for (n, part) in original.chunks(MIB).enumerate() {
        assert_eq!(put_part(&world, &device, &blob, n, part).await.status, 204);
    }
    assert_eq!(complete(&world, &device, &blob).await.status, 204);
    for (range, start) in [(None, 0), (Some("bytes=1000-"), 1000)] {
        let pieces = world.pieces(&format!("/v1/blobs/{blob}"), &device.token, range).await;
        assert!(pieces.len() >= 3 && pieces.iter().all(|piece| piece.len() <= MIB), "{}", pieces.len());
        assert!(pieces.concat() == original[start..]);
    }
    let whole = get(&world, &device, &blob, None).await;
    assert_eq!(whole.headers["content-length"], (3 * MIB + 77).to_string().as_str());
}

#[tokio::test]
async fn an_appliance_that_comes_again_may_send_the_files_it_took_before() {
    let world = World::with_park().await;
    let mut field = world.enrol(Role::Field, "p1").await;
    let command = field.command(capture("f1", "p1", [b"o", b"p", b"t"]), &[]);
    assert_applied(&field.push(&world, &[command]).await);
    world.admin(admin::Request::DeviceRevoke { device: field.id.clone() }).await;
    let stranger = world.enrol_again("r2", None).await;
    assert_eq!(put(&world, &stranger, b"o").await.problem(), (404, ProblemCode::NotFound));
    let again = world.enrol_again("r3", Some(&field.id)).await;
    for file in [b"o", b"p", b"t"] {
        assert_eq!(put(&world, &again, file).await.status, 204);
    }
    assert_eq!(photo(&world).await.status, "needs_moderation");
    // To send is not to read: that is by scope only.
    assert_eq!(get(&world, &again, &BlobId::of(b"o"), None).await.problem(), (404, ProblemCode::NotFound));
}

#[tokio::test]
async fn a_photo_of_another_driver_is_sealed_with_that_drivers_key() {
    let world = World::with_park().await;
    let mut device = captured(&world, [b"o", b"p", b"t"]).await;
    for file in [b"o", b"p", b"t"] {
        assert_eq!(put(&world, &device, file).await.status, 204);
    }
    let now = Millis(START + 1);
    assert_eq!(reseal(&world.hub.store, &world.hub.files, now).await.unwrap(), 0, "they are the driver's");
    let driver = Change { was: id("v1"), now: id("v2") };
    let assign = Command::PhotoAssign(PhotoAssign { photo: id("f1"), park: id("p1"), driver });
    let command = device.command(assign, &[]);
    assert_applied(&device.push(&world, &[command]).await);
    assert_eq!(reseal(&world.hub.store, &world.hub.files, now).await.unwrap(), 3);
    assert_eq!(reseal(&world.hub.store, &world.hub.files, now).await.unwrap(), 0, "once");
    for file in [b"o", b"p", b"t"] {
        let access = world.hub.store.blob_access(&device.id, &BlobId::of(file)).await.unwrap();
        assert_eq!(access[0].stored.as_ref().unwrap().person, "park/p1/v2");
        assert_eq!(get(&world, &device, &BlobId::of(file), None).await.body, file);
    }
    assert_eq!(walk(&world.dir.path().join("data/blobs")).len(), 3, "the old objects are gone");
}

/// A small file whose id sorts behind those of most others.
fn late_file(seed: u8) -> Vec<u8> {
    (0..).map(|n: u32| [&[seed][..], &n.to_le_bytes()].concat()).find(|f| BlobId::of(f).as_str() >= "ff").unwrap()
}

#[tokio::test]
async fn a_hundred_lost_files_do_not_keep_the_others_from_being_sealed_anew() {
    let world = World::with_park().await;
    let mut device = world.enrol(Role::PhotoStaff, "p1").await;
    for n in 0..35u8 {
        let files = [vec![n, 0], vec![n, 1], vec![n, 2]];
        let command = device.command(capture(&format!("f{n}"), "p1", [&files[0], &files[1], &files[2]]), &[]);
        assert_applied(&device.push(&world, &[command]).await);
        for file in &files {
            assert_eq!(put(&world, &device, file).await.status, 204);
        }
    }
    for path in walk(&world.dir.path().join("data/blobs")) {
        std::fs::remove_file(path).unwrap();
    }
    let files = [late_file(1), late_file(2), late_file(3)];
    let command = device.command(capture("late", "p1", [&files[0], &files[1], &files[2]]), &[]);
    assert_applied(&device.push(&world, &[command]).await);
    for file in &files {
        assert_eq!(put(&world, &device, file).await.status, 204);
    }
    for photo in (0..35).map(|n| format!("f{n}")).chain(["late".to_owned()]) {
        let driver = Change { was: id("v1"), now: id("v2") };
        let assign = Command::PhotoAssign(PhotoAssign { photo: id(&photo), park: id("p1"), driver });
        let command = device.command(assign, &[]);
        assert_applied(&device.push(&world, &[command]).await);
    }
    let now = Millis(START + 1);
    assert_eq!(reseal(&world.hub.store, &world.hub.files, now).await.unwrap(), 3, "behind 105 that are lost");
}
