//! Objects sealed with a person's key: `PDS1 | nonce prefix (7) | segments`, each 64 KiB of plain bytes with its tag,
//! STREAM over ChaCha20-Poly1305 (architecture, "The photo and its files").
//!
//! Segments are numbered and the last is marked, so that nothing can be cut, swapped or appended; the object's name is
//! authenticated with each, so that one object cannot stand for another. A range opens without the rest.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use aead_stream::{StreamBE32, StreamPrimitive};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::system::System;

mod folder;
pub use folder::{Folder, FolderError, ObjectName};

const MAGIC: &[u8; 4] = b"PDS1";
const PREFIX: usize = 7;
const HEAD: usize = MAGIC.len() + PREFIX;
const TAG: usize = 16;
/// Plain bytes of a segment.
pub const SEGMENT: usize = 64 * 1024;

/// A person's data key: destroying it destroys everything sealed with it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PersonKey([u8; 32]);

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKey(..)")
    }
}

/// Why a sealed object does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Another key, another name, or changed bytes: which one cannot be told.
    #[error("the object does not open: other key, other name or changed bytes")]
    Refused,
    /// Not an object of ours, or one of a newer program.
    #[error("not a sealed object")]
    NotSealed,
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl PersonKey {
    /// A new key from the system's generator.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn random(system: &dyn System) -> Result<Self, io::Error> {
        let mut bytes = [0; 32];
        system.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A key from its stored bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the key store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn stream(&self, prefix: [u8; PREFIX]) -> StreamBE32<ChaCha20Poly1305> {
        let aead = ChaCha20Poly1305::new(&self.0.into());
        aead_stream::NewStream::from_aead(aead, &prefix.into())
    }
}

fn associated(name: &str) -> Vec<u8> {
    [MAGIC.as_slice(), name.as_bytes()].concat()
}

/// Seals `plain` under the object name `name`.
#[must_use]
pub fn seal(key: &PersonKey, name: &str, plain: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut prefix = [0; PREFIX];
    rng.fill_bytes(&mut prefix);
    let (stream, aad) = (key.stream(prefix), associated(name));
    let segments = plain.len().div_ceil(SEGMENT).max(1);
    let mut out = Vec::with_capacity(HEAD + plain.len() + segments * TAG);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&prefix);
    let mut rest = plain;
    for position in 0..segments {
        let (head, tail) = rest.split_at(rest.len().min(SEGMENT));
        rest = tail;
        let mut segment = head.to_vec();
        let position = u32::try_from(position).expect("BUG: an object has under 2^32 segments");
        stream
            .encrypt_in_place(position, rest.is_empty(), &aad, &mut segment)
            .expect("BUG: a segment is within the cipher's limits");
        out.append(&mut segment);
    }
    out
}

/// Opens a whole object.
///
/// # Errors
/// If key, name or bytes are not those that were sealed.
pub fn open(key: &PersonKey, name: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let size = plain_size(sealed.len() as u64).ok_or(SealError::NotSealed)?;
    open_range(key, name, &mut io::Cursor::new(sealed), sealed.len() as u64, 0..size)
}

/// Opens a range of the plain bytes (cut at their end) of an object of `sealed_size` bytes, reading only the segments
/// it lies in.
///
/// # Errors
/// If key, name or the bytes read are not those that were sealed.
pub fn open_range(
    key: &PersonKey,
    name: &str,
    source: &mut (impl Read + Seek),
    sealed_size: u64,
    range: Range<u64>,
) -> Result<Vec<u8>, SealError> {
    let size = plain_size(sealed_size).ok_or(SealError::NotSealed)?;
    let mut head = [0; HEAD];
    source.seek(SeekFrom::Start(0))?;
    source.read_exact(&mut head)?;
    let prefix = head.strip_prefix(MAGIC).ok_or(SealError::NotSealed)?;
    let stream = key.stream(prefix.try_into().map_err(|_| SealError::NotSealed)?);
    let aad = associated(name);
    let (segment, step) = (SEGMENT as u64, (SEGMENT + TAG) as u64);
    let range = range.start.min(size)..range.end.min(size);
    let last = size.saturating_sub(1) / segment;
    let first = (range.start / segment).min(last);
    let until = range.end.saturating_sub(1).max(range.start) / segment;
    let mut out = Vec::new();
    source.seek(SeekFrom::Start(HEAD as u64 + first * step))?;
    for position in first..=until.min(last) {
        let mut bytes = Vec::new();
        source.by_ref().take(step).read_to_end(&mut bytes)?;
        let number = u32::try_from(position).map_err(|_| SealError::NotSealed)?;
        stream.decrypt_in_place(number, position == last, &aad, &mut bytes).map_err(|_| SealError::Refused)?;
        let from = usize::try_from(range.start.saturating_sub(position * segment)).unwrap_or(usize::MAX);
        let to = usize::try_from(range.end.saturating_sub(position * segment)).unwrap_or(usize::MAX);
        out.extend_from_slice(bytes.get(from.min(bytes.len())..to.min(bytes.len())).unwrap_or_default());
    }
    Ok(out)
}

/// The number of plain bytes in an object of this many sealed bytes; `None` if there is no such object.
#[must_use]
pub fn plain_size(sealed_size: u64) -> Option<u64> {
    let body = sealed_size.checked_sub(HEAD as u64)?;
    let segments = body.div_ceil((SEGMENT + TAG) as u64).max(1);
    let plain = body.checked_sub(segments * TAG as u64)?;
    // The last segment is empty only in an empty object.
    (plain.div_ceil(SEGMENT as u64).max(1) == segments).then_some(plain)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn plain(size: usize) -> Vec<u8> {
        (0..size).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn objects_of_any_size_open_whole_and_in_ranges() {
        let (key, mut rng) = (PersonKey([3; 32]), StdRng::seed_from_u64(1));
        for size in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 3 * SEGMENT + 5] {
            let plain = plain(size);
            let sealed = seal(&key, "n", &plain, &mut rng);
            assert_eq!(plain_size(sealed.len() as u64), Some(size as u64));
            assert!(open(&key, "n", &sealed).unwrap() == plain, "{size}");
            let (from, to) = (size / 3, (size / 3 + SEGMENT + 9).min(size));
            let mut source = io::Cursor::new(&sealed);
            let part = open_range(&key, "n", &mut source, sealed.len() as u64, from as u64..to as u64).unwrap();
            assert!(part == plain[from..to], "{size}");
        }
    }

    #[test]
    fn other_key_other_name_and_changed_bytes_do_not_open() {
        let (key, mut rng) = (PersonKey([3; 32]), StdRng::seed_from_u64(1));
        let sealed = seal(&key, "n", &plain(SEGMENT * 2 + 10), &mut rng);
        assert!(open(&PersonKey([4; 32]), "n", &sealed).is_err());
        assert!(open(&key, "m", &sealed).is_err());
        for at in [0, 5, 20, SEGMENT + 40, sealed.len() - 1] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&key, "n", &bad).is_err(), "byte {at}");
        }
        let step = SEGMENT + TAG;
        assert!(open(&key, "n", &sealed[..HEAD + step]).is_err(), "cut at a segment's end");
        assert!(open(&key, "n", &sealed[..HEAD + 2 * step]).is_err(), "the last segment is missing");
        let swapped = [
            &sealed[..HEAD],
            &sealed[HEAD + step..HEAD + 2 * step],
            &sealed[HEAD..HEAD + step],
            &sealed[HEAD + 2 * step..],
        ];
        assert!(open(&key, "n", &swapped.concat()).is_err(), "segments swapped");
        assert!(open(&key, "n", b"").is_err());
    }
}
