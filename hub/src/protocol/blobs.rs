//! Blobs: check, parts in any order, complete, download. A blob is accepted only for a row that refers to it (the sender
//! pushes the command before its files), so nobody fills the hub with what nobody waits for, and it is readable only
//! through such a row.
//!
//! Order of writing: object sealed and synced, then its row together with the commands that tell waiting photos, then
//! the parts are removed. A crash between leaves an object without a row, which is swept by age.

use std::collections::BTreeSet;
use std::ops::Range;

use parkdesk_domain::wire::{BlobCheckAnswer, BlobCheckRequest, BlobState, Limits, ProblemCode};
use parkdesk_domain::{BlobId, DeviceId, Millis, Scope};
use sha2::{Digest, Sha256};

use super::{Fault, Told, read};
use crate::blob_files::{BlobError, BlobFiles};
use crate::store::{BlobAccess, Missealed, Part, Store, StoredBlob};

/// `POST /v1/blobs/check`.
///
/// # Errors
/// `too_large`, or the store failed.
pub async fn check<S: Store>(store: &S, device: &DeviceId, body: &[u8]) -> Result<BlobCheckAnswer, Fault> {
    let request: BlobCheckRequest = read(body)?;
    let most = Limits::default().blob_check;
    if request.blobs.len() > most as usize {
        return Err(Fault::new(ProblemCode::TooLarge, format!("a check asks for at most {most} blobs")));
    }
    let mut blobs = Vec::new();
    for wanted in &request.blobs {
        let access = store.blob_access(device, &wanted.id).await?;
        // A photo taken back waits for nothing more: whoever took it is done with its files.
        let state = if !access.is_empty() && access.iter().all(|a| a.stored.is_some() || a.is_withdrawn) {
            BlobState::Present
        } else {
            let parts = store.parts(device, &wanted.id).await?;
            if parts.is_empty() {
                BlobState::Missing
            } else {
                BlobState::Partial { parts: parts.iter().map(|p| p.n).collect() }
            }
        };
        blobs.push(state);
    }
    Ok(BlobCheckAnswer { blobs })
}

/// Where an upload goes.
struct Upload {
    /// Homes that wait for the bytes.
    waiting: Vec<BlobAccess>,
    size_bytes: u64,
}

/// `None` if nobody waits for the bytes (any more).
async fn open_upload<S: Store>(store: &S, device: &DeviceId, blob: &BlobId) -> Result<Option<Upload>, Fault> {
    let access = store.blob_access(device, blob).await?;
    if access.is_empty() {
        return Err(Fault::not_found());
    }
    let waiting: Vec<BlobAccess> = access.into_iter().filter(|a| a.stored.is_none() && !a.is_withdrawn).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let size_bytes = waiting.iter().find_map(|a| a.size_bytes).ok_or_else(Fault::not_found)?;
    if size_bytes == 0 || size_bytes > Limits::default().blob_bytes {
        return Err(Fault::new(ProblemCode::TooLarge, "the blob is larger than the hub takes"));
    }
    Ok(Some(Upload { waiting, size_bytes }))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The plain size of part `n`, or `None` if the blob has no such part.
fn part_size(size_bytes: u64, n: u32) -> Option<u64> {
    let part = Limits::default().part_bytes;
    let start = u64::from(n) * part;
    (start < size_bytes).then(|| part.min(size_bytes - start))
}

/// `PUT /v1/blobs/{id}/parts/{n}`: any order, again and again, durable when answered.
///
/// # Errors
/// `not_found` without a row, `malformed` for a part of the wrong size, `hash_mismatch`.
pub async fn put_part<S: Store>(
    store: &S,
    files: &BlobFiles,
    now: Millis,
    device: &DeviceId,
    (blob, n): (&BlobId, u32),
    hash: &str,
    bytes: &[u8],
) -> Result<(), Fault> {
    let Some(upload) = open_upload(store, device, blob).await? else { return Ok(()) };
    if part_size(upload.size_bytes, n) != Some(bytes.len() as u64) {
        return Err(Fault::new(ProblemCode::Malformed, "the blob has no part of this number and size"));
    }
    if sha256(bytes) != hash {
        return Err(Fault::new(ProblemCode::HashMismatch, "the part's hash is wrong"));
    }
    let held = store.parts(device, blob).await?;
    if held.iter().any(|part| part.n == n && part.hash == hash) {
        return Ok(());
    }
    let person = person_of(&upload);
    let object = files.put(&person, bytes, now)?;
    let part = Part { n, size_bytes: bytes.len() as u64, hash: hash.to_owned(), person, object };
    if let Some(replaced) = store.put_part(device, blob, part, now).await? {
        forget(files, [replaced]);
    }
    Ok(())
}

fn person_of(upload: &Upload) -> String {
    upload.waiting.first().map(|access| access.person.clone()).unwrap_or_default()
}

/// `POST /v1/blobs/{id}/complete`.
///
/// # Errors
/// `incomplete` if parts are missing, `hash_mismatch` (then all parts are forgotten).
pub async fn complete<S: Store>(
    store: &S,
    files: &BlobFiles,
    now: Millis,
    device: &DeviceId,
    blob: &BlobId,
) -> Result<Told<()>, Fault> {
    let Some(upload) = open_upload(store, device, blob).await? else {
        forget(files, store.drop_parts(device, blob).await?);
        return Ok(Told { answer: (), touched: BTreeSet::new() });
    };
    let parts = store.parts(device, blob).await?;
    let mut plain = Vec::with_capacity(usize::try_from(upload.size_bytes).unwrap_or_default());
    for (n, part) in (0u32..).zip(&parts) {
        if part.n != n {
            break;
        }
        match files.read(&part.person, &part.object, 0..part.size_bytes) {
            Ok(bytes) => plain.extend(bytes),
            // The person's key was destroyed meanwhile, or the disk lost it: what is left is of no use.
            Err(BlobError::Lost(cause)) => {
                tracing::warn!(%cause, "a part is lost");
                forget(files, store.drop_parts(device, blob).await?);
                return Err(Fault::new(ProblemCode::Incomplete, "parts were lost: send all again"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if (plain.len() as u64) < upload.size_bytes {
        return Err(Fault::new(ProblemCode::Incomplete, "parts are missing: ask which"));
    }
    if BlobId::of(&plain) != *blob {
        forget(files, store.drop_parts(device, blob).await?);
        return Err(Fault::new(ProblemCode::HashMismatch, "the whole blob's hash is wrong: send all parts again"));
    }
    let touched = keep(store, files, now, blob, &upload, &plain).await?;
    forget(files, store.drop_parts(device, blob).await?);
    Ok(Told { answer: (), touched })
}

/// `PUT /v1/blobs/{id}`: a blob of one part.
///
/// # Errors
/// `not_found` without a row, `malformed` for a wrong size, `hash_mismatch`.
pub async fn put_whole<S: Store>(
    store: &S,
    files: &BlobFiles,
    now: Millis,
    device: &DeviceId,
    blob: &BlobId,
    bytes: &[u8],
) -> Result<Told<()>, Fault> {
    let Some(upload) = open_upload(store, device, blob).await? else {
        return Ok(Told { answer: (), touched: BTreeSet::new() });
    };
    if bytes.len() as u64 != upload.size_bytes || part_size(upload.size_bytes, 0) != Some(upload.size_bytes) {
        return Err(Fault::new(ProblemCode::Malformed, "the blob has another size, or must be sent in parts"));
    }
    if BlobId::of(bytes) != *blob {
        return Err(Fault::new(ProblemCode::HashMismatch, "the blob's hash is wrong"));
    }
    Ok(Told { answer: (), touched: keep(store, files, now, blob, &upload, bytes).await? })
}

/// Seals and stores the verified bytes for each home that waits for them.
async fn keep<S: Store>(
    store: &S,
    files: &BlobFiles,
    now: Millis,
    blob: &BlobId,
    upload: &Upload,
    plain: &[u8],
) -> Result<BTreeSet<Scope>, Fault> {
    let mut touched = BTreeSet::new();
    for access in &upload.waiting {
        let object = files.put(&access.person, plain, now)?;
        let stored =
            StoredBlob { object: object.clone(), person: access.person.clone(), size_bytes: plain.len() as u64 };
        let (is_new, scopes) = store.blob_stored(&access.home, blob, stored, now).await?;
        touched.extend(scopes);
        if !is_new {
            forget(files, [object]);
        }
    }
    Ok(touched)
}

/// Removes objects that no row names any more; what cannot be removed now is swept later.
fn forget(files: &BlobFiles, objects: impl IntoIterator<Item = String>) {
    for object in objects {
        if let Err(error) = files.delete(&object) {
            tracing::warn!(%error, "an object stays until it is swept");
        }
    }
}

/// Bytes in memory at a time of each download, however large the blob and however slow its reader.
pub const CHUNK: u64 = 1 << 20;

/// A blob that the device may read.
#[derive(Debug)]
pub struct Download {
    /// Which bytes of it are wanted.
    pub range: Range<u64>,
    /// Of how many.
    pub total: u64,
    stored: StoredBlob,
}

/// `GET /v1/blobs/{id}`; the bytes are then read piece by piece ([`Download::read`]).
///
/// # Errors
/// `not_found` if no row in a scope that the device reads refers to it, or it is not here yet.
pub async fn get<S: Store>(store: &S, device: &DeviceId, blob: &BlobId, wanted: Wanted) -> Result<Download, Fault> {
    let access = store.blob_access(device, blob).await?;
    let found = access.into_iter().filter(|a| a.readable).find_map(|a| a.stored);
    let stored = found.ok_or_else(Fault::not_found)?;
    let total = stored.size_bytes;
    let range = match wanted {
        Wanted::All => 0..total,
        Wanted::From { first, last } => first.min(total)..last.map_or(total, |last| (last + 1).min(total)),
        Wanted::Tail(length) => total.saturating_sub(length)..total,
    };
    Ok(Download { range, total, stored })
}

impl Download {
    /// The next bytes of what is still wanted, at most [`CHUNK`]; none at the end.
    ///
    /// # Errors
    /// `not_found` if the bytes are lost or the person's key was destroyed.
    pub fn read(&mut self, files: &BlobFiles) -> Result<Vec<u8>, Fault> {
        let end = self.range.end.min(self.range.start + CHUNK);
        let piece = self.range.start..end;
        if piece.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = files.read(&self.stored.person, &self.stored.object, piece)?;
        self.range.start = end;
        Ok(bytes)
    }
}

/// Which bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    All,
    /// From `first` to `last`, both in.
    From {
        /// First byte.
        first: u64,
        /// Last byte; to the end without.
        last: Option<u64>,
    },
    /// The last bytes.
    Tail(u64),
}

impl Wanted {
    /// Reads a `Range` header; anything but one range of bytes asks for all, as RFC 9110 allows.
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let Some((first, last)) = header.and_then(|h| h.strip_prefix("bytes=")).and_then(|r| r.split_once('-')) else {
            return Self::All;
        };
        match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last && last < u64::MAX => Self::From { first, last: Some(last) },
            (Ok(first), Err(_)) if last.is_empty() => Self::From { first, last: None },
            (Err(_), Ok(length)) if first.is_empty() => Self::Tail(length),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Self::All,
        }
    }
}

/// Blobs looked at in one go.
const RESEAL: u32 = 100;

/// Seals what was said to show another driver than before with that driver's key, so that destroying a person's key takes
/// all of theirs and nobody else's. Answers how many blobs were done.
///
/// # Errors
/// If store or folder fail; the rest is done next time.
pub async fn reseal<S: Store>(store: &S, files: &BlobFiles, now: Millis) -> Result<usize, Fault> {
    let mut done = 0;
    let mut after = None;
    loop {
        let page = store.missealed(after, RESEAL).await?;
        // Those that are lost stay as they are, so the next page begins behind this one.
        after = page.last().map(|last| (last.home.clone(), last.blob.clone()));
        let is_last = page.len() < RESEAL as usize;
        for old in page {
            done += usize::from(reseal_one(store, files, old, now).await?);
        }
        if is_last {
            return Ok(done);
        }
    }
}

async fn reseal_one<S: Store>(store: &S, files: &BlobFiles, old: Missealed, now: Millis) -> Result<bool, Fault> {
    let plain = match files.read(&old.stored.person, &old.stored.object, 0..old.stored.size_bytes) {
        Ok(plain) => plain,
        // Its key was destroyed first: nothing is left to be sealed.
        Err(BlobError::Lost(cause)) => {
            tracing::warn!(%cause, "a blob is lost and cannot be sealed anew");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let object = files.put(&old.person, &plain, now)?;
    let is_used = store.blob_resealed(&old, &object).await?;
    forget(files, [if is_used { old.stored.object } else { object }]);
    Ok(is_used)
}

/// Brings back objects that were put aside and that a row names again (another `hub.db` was put in place).
///
/// # Errors
/// If store or folder fail; the rest is brought back next time.
pub async fn bring_back<S: Store>(store: &S, files: &BlobFiles, now: Millis) -> Result<usize, Fault> {
    let mut count = 0;
    for object in files.put_aside_objects()? {
        if store.is_object_used(&object).await? {
            files.bring_back(&object, now)?;
            count += 1;
        }
    }
    Ok(count)
}

/// What is old enough to be swept.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// Parts that nobody completed before.
    pub parts_before: Millis,
    /// Objects without a row, written before.
    pub objects_before: Millis,
    /// Objects put aside before.
    pub aside_before: Millis,
}

/// Deletes parts that nobody completed, puts objects without a row aside and deletes those put aside long ago: the rows
/// may be missing only because an older `hub.db` was put in place.
///
/// # Errors
/// If store or folder fail; the rest is swept next time.
pub async fn sweep<S: Store>(store: &S, files: &BlobFiles, ages: Ages, now: Millis) -> Result<usize, Fault> {
    bring_back(store, files, now).await?;
    files.sweep_unfinished(ages.objects_before)?;
    let abandoned = store.drop_old_parts(ages.parts_before).await?;
    let mut swept = abandoned.len();
    forget(files, abandoned);
    for object in files.older_than(ages.objects_before)? {
        if !store.is_object_used(&object).await? {
            files.put_aside(&object, now)?;
            swept += 1;
        }
    }
    Ok(swept + files.delete_aside(ages.aside_before)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_blob_exactly() {
        let mib = 1 << 20;
        assert_eq!([part_size(1, 0), part_size(1, 1)], [Some(1), None]);
        assert_eq!([part_size(mib, 0), part_size(mib, 1)], [Some(mib), None]);
        assert_eq!([part_size(2 * mib + 5, 1), part_size(2 * mib + 5, 2)], [Some(mib), Some(5)]);
        assert_eq!(part_size(64 << 20, u32::MAX), None);
    }

    #[test]
    fn a_range_header_is_read_or_ignored() {
        assert_eq!(Wanted::parse(Some("bytes=5-9")), Wanted::From { first: 5, last: Some(9) });
        assert_eq!(Wanted::parse(Some("bytes=5-")), Wanted::From { first: 5, last: None });
        assert_eq!(Wanted::parse(Some("bytes=-5")), Wanted::Tail(5));
        for other in ["bytes=9-5", "bytes=a-b", "bytes=0-1,5-6", "rows=0-1", "bytes=-", "bytes=0-18446744073709551615"]
        {
            assert_eq!(Wanted::parse(Some(other)), Wanted::All, "{other}");
        }
        assert_eq!(Wanted::parse(None), Wanted::All);
    }
}
