//! The chain of keys against a keyring in memory; the real one is in `tests/keyring.rs`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::*;

/// A keyring that can be emptied, locked, or forget what it is given.
#[derive(Default)]
struct FakeRing {
    secrets: Mutex<BTreeMap<String, String>>,
    locked: bool,
    forgets: bool,
}

impl Ring for FakeRing {
    fn get(&self, user: &str) -> Result<Option<Zeroizing<String>>, RingError> {
        if self.locked {
            return Err(RingError::Locked("test".into()));
        }
        Ok(self.secrets.lock().unwrap().get(user).cloned().map(Zeroizing::new))
    }

    fn set(&self, user: &str, secret: &str) -> Result<(), RingError> {
        if self.locked {
            return Err(RingError::Locked("test".into()));
        }
        if !self.forgets {
            self.secrets.lock().unwrap().insert(user.into(), secret.into());
        }
        Ok(())
    }
}

fn place(dir: &tempfile::TempDir) -> KeyPlace {
    KeyPlace { dir: dir.path().join("data"), key_file: None }
}

fn with_replica(place: &KeyPlace, key: &Key) {
    parkdesk_sqlite::Replica::open(&place.dir, key).unwrap();
}

#[test]
fn the_first_start_keeps_a_key_and_shows_a_code_and_the_second_finds_it() {
    let dir = tempfile::tempdir().unwrap();
    let (place, ring) = (place(&dir), FakeRing::default());
    let first = place.open(&ring).unwrap();
    assert!(first.recovery.is_some());
    with_replica(&place, &first.key);
    let second = place.open(&ring).unwrap();
    assert_eq!(second.key, first.key);
    assert_eq!(second.source, KeySource::Keyring);
    assert!(second.recovery.is_none(), "the code is shown once");
}

#[test]
fn a_start_cut_off_before_the_replica_shows_a_code_again_for_the_same_key() {
    let dir = tempfile::tempdir().unwrap();
    let (place, ring) = (place(&dir), FakeRing::default());
    let first = place.open(&ring).unwrap();
    let second = place.open(&ring).unwrap();
    assert_eq!(first.key, second.key);
    let code = second.recovery.unwrap();
    assert_ne!(code, first.recovery.unwrap());
    assert!(place.recover(&ring, &code.to_string()).is_ok(), "the newer code opens it");
}

#[test]
fn a_gone_keyring_is_no_key_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let (place, mut ring) = (place(&dir), FakeRing::default());
    with_replica(&place, &place.open(&ring).unwrap().key);
    let before = listing(&place.dir);
    ring.secrets.lock().unwrap().clear();
    for locked in [false, true] {
        ring.locked = locked;
        let error = place.open(&ring).unwrap_err();
        assert!(matches!(error, KeysError::NoKey(_)), "{error}");
        let text = error.to_string();
        for way in ["recover --data", "unlock the keyring", "--beside-old"] {
            assert!(text.contains(way), "{text}");
        }
        assert_eq!(listing(&place.dir), before);
        assert!(ring.secrets.lock().unwrap().is_empty());
    }
}

#[test]
fn without_a_keyring_the_first_start_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for ring in [FakeRing { locked: true, ..Default::default() }, FakeRing { forgets: true, ..Default::default() }] {
        let place = place(&dir);
        let error = place.open(&ring).unwrap_err();
        assert!(matches!(error, KeysError::NoKeyStore(_) | KeysError::NotKept), "{error}");
        assert!(error.to_string().contains("--key-file"), "{error}");
        assert!(!place.has_replica() && !place.dir.join(WRAPPED).exists());
    }
}

#[test]
fn the_recovery_code_puts_the_key_back_and_another_code_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (place, ring) = (place(&dir), FakeRing::default());
    let first = place.open(&ring).unwrap();
    with_replica(&place, &first.key);
    let code = first.recovery.unwrap().to_string();
    ring.secrets.lock().unwrap().clear();
    let other = recovery::new_code(&mut rand::rng()).to_string();
    assert!(matches!(place.recover(&ring, &other), Err(KeysError::Recovery(RecoveryError::OtherKey))));
    assert!(matches!(place.recover(&ring, "hello"), Err(KeysError::Recovery(RecoveryError::Mistyped))));
    assert_eq!(place.recover(&ring, &code.to_lowercase()).unwrap().source, KeySource::Keyring);
    assert_eq!(place.open(&ring).unwrap().key, first.key);
    let renewed = place.renew_recovery(&ring).unwrap().to_string();
    assert!(place.recover(&ring, &code).is_err(), "the old code is void");
    assert!(place.recover(&ring, &renewed).is_ok());
}

#[test]
fn a_key_file_is_made_only_when_asked_and_never_for_an_old_replica() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    let place = KeyPlace { key_file: Some(file.clone()), ..place(&dir) };
    let ring = FakeRing { locked: true, ..Default::default() };
    let first = place.open(&ring).unwrap();
    assert_eq!(first.source, KeySource::File(file.clone()));
    with_replica(&place, &first.key);
    assert_eq!(place.open(&ring).unwrap().key, first.key);
    fs::remove_file(&file).unwrap();
    assert!(matches!(place.open(&ring), Err(KeysError::NoKey(_))));
    assert!(!file.exists());
    place.recover(&ring, &first.recovery.unwrap().to_string()).unwrap();
    assert_eq!(place.open(&ring).unwrap().key, first.key);
}

#[test]
fn the_old_files_are_set_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (place, ring) = (place(&dir), FakeRing::default());
    with_replica(&place, &place.open(&ring).unwrap().key);
    let aside = place.set_aside("20260101").unwrap();
    assert!(aside.join(REPLICA).exists() && aside.join("blobs").exists() && !place.has_replica());
    assert!(aside.join(WRAPPED).exists() && aside.join(INSTALLATION).exists());
    let fresh = place.open(&ring).unwrap();
    assert!(fresh.recovery.is_some(), "a new key with a new code");
    assert_eq!(ring.secrets.lock().unwrap().len(), 2, "the old key stays in the keyring for the old files");
}

#[test]
fn a_key_of_other_data_never_replaces_the_recovery_copy() {
    let dir = tempfile::tempdir().unwrap();
    let ring = FakeRing { locked: true, ..Default::default() };
    let place = KeyPlace { key_file: Some(dir.path().join("key")), ..place(&dir) };
    let first = place.open(&ring).unwrap();
    with_replica(&place, &first.key);
    let other = dir.path().join("other");
    Key::create_file(&other).unwrap();
    let mistaken = KeyPlace { key_file: Some(other), ..place.clone() };
    let before = fs::read(place.dir.join(WRAPPED)).unwrap();
    let error = mistaken.renew_recovery(&ring).unwrap_err();
    assert!(matches!(error, KeysError::OtherKey { .. }), "{error}");
    assert_eq!(fs::read(place.dir.join(WRAPPED)).unwrap(), before);
    assert!(place.recover(&ring, &first.recovery.unwrap().to_string()).is_ok(), "the code still opens it");
}

#[test]
fn a_recovery_code_for_a_mistyped_directory_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(&dir);
    assert!(matches!(place.renew_recovery(&FakeRing::default()), Err(KeysError::NoData(_))));
    assert!(!place.dir.exists());
}

#[test]
fn a_wrapped_copy_of_other_data_is_not_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let ring = FakeRing::default();
    let place = KeyPlace { key_file: Some(dir.path().join("key")), ..place(&dir) };
    with_replica(&place, &place.open(&ring).unwrap().key);
    let kept = fs::read(dir.path().join("key")).unwrap();
    let code = place.wrap(&Key::random().unwrap()).unwrap();
    assert!(matches!(place.recover(&ring, &code.to_string()), Err(KeysError::OtherKey { .. })));
    assert_eq!(fs::read(dir.path().join("key")).unwrap(), kept);
}

#[test]
fn recovering_over_an_unusable_key_file_keeps_it_beside() {
    let dir = tempfile::tempdir().unwrap();
    let (file, ring) = (dir.path().join("key"), FakeRing::default());
    let place = KeyPlace { key_file: Some(file.clone()), ..place(&dir) };
    let first = place.open(&ring).unwrap();
    with_replica(&place, &first.key);
    fs::write(&file, b"half a k").unwrap();
    let moved = place.recover(&ring, &first.recovery.unwrap().to_string()).unwrap().moved.unwrap();
    assert_eq!(fs::read(moved).unwrap(), b"half a k");
    assert_eq!(place.open(&ring).unwrap().key, first.key);
}

#[test]
fn the_ways_on_name_the_key_file_or_that_it_may_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (file, ring) = (dir.path().join("key"), FakeRing { locked: true, ..Default::default() });
    let with_file = KeyPlace { key_file: Some(file.clone()), ..place(&dir) };
    with_replica(&with_file, &with_file.open(&ring).unwrap().key);
    let text = place(&dir).open(&ring).unwrap_err().to_string();
    assert!(text.contains("that is missing from this command"), "{text}");
    fs::remove_file(&file).unwrap();
    let text = with_file.open(&ring).unwrap_err().to_string();
    let command = format!("recover --data {} --key-file {}", with_file.dir.display(), file.display());
    assert!(text.contains(&command), "{text}");
}

fn listing(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}
