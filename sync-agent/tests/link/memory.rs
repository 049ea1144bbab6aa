//! The session's side of the link in memory: a queue, cursors and files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{Cursor, Judged};
use parkdesk_domain::{BlobId, CommandId, Millis, Scope};
use parkdesk_sync_agent::engine::{FileWork, Rules};
use parkdesk_sync_agent::session::{Local, LocalError, Outgoing, Sender, Tally};

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    epoch: u64,
    queue: Vec<u64>,
    version: u64,
    frames: Vec<(u64, u64)>,
    files: BTreeMap<BlobId, Vec<u8>>,
    partial: BTreeMap<BlobId, Vec<u8>>,
    uploads: Vec<FileWork>,
    downloads: Vec<FileWork>,
    parked: Vec<(BlobId, &'static str)>,
    tallies: Vec<(Tally, Option<Millis>)>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let memory = Self::default();
        memory.lock().epoch = 1;
        memory
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn save(&self, seq: u64) {
        self.lock().queue.push(seq);
    }

    pub(crate) fn queue(&self) -> Vec<u64> {
        self.lock().queue.clone()
    }

    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    pub(crate) fn frames(&self) -> Vec<(u64, u64)> {
        self.lock().frames.clone()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    pub(crate) fn add_upload(&self, bytes: &[u8]) -> BlobId {
        let id = BlobId::of(bytes);
        let mut state = self.lock();
        state.files.insert(id.clone(), bytes.to_vec());
        state.uploads.push(FileWork { id: id.clone(), size_bytes: bytes.len() as u64, can_wait: false });
        id
    }

    pub(crate) fn rot(&self, id: &BlobId) {
        self.lock().files.get_mut(id).unwrap()[0] ^= 1;
    }

    pub(crate) fn uploads_left(&self) -> usize {
        self.lock().uploads.len()
    }

    pub(crate) fn want(&self, id: &BlobId, size_bytes: u64) {
        self.lock().downloads.push(FileWork { id: id.clone(), size_bytes, can_wait: false });
    }

    pub(crate) fn holds(&self, id: &BlobId) -> bool {
        self.lock().files.contains_key(id)
    }

    /// All that was kept of what the link did.
    pub(crate) fn tally(&self) -> (Tally, Option<Millis>) {
        let state = self.lock();
        let add = |a: Tally, b: &Tally| Tally {
            sent: a.sent + b.sent,
            received: a.received + b.received,
            bytes_up: a.bytes_up + b.bytes_up,
            bytes_down: a.bytes_down + b.bytes_down,
            problems: a.problems + b.problems,
        };
        let sum = state.tallies.iter().fold(Tally::default(), |sum, (tally, _)| add(sum, tally));
        (sum, state.tallies.last().and_then(|(_, contact)| *contact))
    }

    pub(crate) fn partial_len(&self, id: &BlobId) -> usize {
        self.lock().partial.get(id).map_or(0, Vec::len)
    }

    /// Turns kept bytes of an unfinished file into others.
    pub(crate) fn rot_partial(&self, id: &BlobId) {
        self.lock().partial.get_mut(id).unwrap()[0] ^= 1;
    }

    pub(crate) fn parked(&self) -> Vec<(BlobId, &'static str)> {
        self.lock().parked.clone()
    }
}

/// The envelope of a command as far as the fake hub reads it.
pub(crate) fn envelope(seq: u64) -> Vec<u8> {
    let id = CommandId::of_job("test", &seq.to_string());
    format!("{{\"args\":{{}},\"id\":\"{id}\",\"kind\":\"test.do\",\"seq\":{seq}}}").into_bytes()
}

impl Local for Memory {
    fn sender(&self) -> Result<Option<Sender>, LocalError> {
        Ok(Some(Sender { device: "d1".parse().unwrap(), epoch: self.lock().epoch, floor: 0, hub_epoch: None }))
    }

    fn is_revoked(&self) -> Result<bool, LocalError> {
        Ok(false)
    }

    fn outbox(&self, most: u32, _: u64, _: Millis) -> Result<Vec<Outgoing>, LocalError> {
        let state = self.lock();
        let queue = state.queue.iter().take(most as usize);
        Ok(queue.map(|seq| Outgoing { seq: *seq, bytes: envelope(*seq) }).collect())
    }

    fn mark_sent(&self, _: &[u64], _: Millis) -> Result<(), LocalError> {
        Ok(())
    }

    fn uploads(&self, most: u32) -> Result<Vec<FileWork>, LocalError> {
        Ok(self.lock().uploads.iter().take(most as usize).cloned().collect())
    }

    fn downloads(&self, most: u32) -> Result<Vec<FileWork>, LocalError> {
        Ok(self.lock().downloads.iter().take(most as usize).cloned().collect())
    }

    fn cursors(&self) -> Result<Vec<Cursor>, LocalError> {
        Ok(vec![Cursor { id: Scope::Org, epoch: 1, version: self.lock().version }])
    }

    fn apply_verdicts(&self, verdicts: &[Judged], _: Millis) -> Result<(), LocalError> {
        let mut state = self.lock();
        state.queue.retain(|seq| !verdicts.iter().any(|judged| judged.seq == *seq && judged.verdict.is_final()));
        Ok(())
    }

    fn apply_frame(&self, frame: &Frame, _: Millis) -> Result<(), LocalError> {
        let mut state = self.lock();
        if frame.head.from == state.version {
            state.version = frame.head.to;
            state.frames.push((frame.head.from, frame.head.to));
        }
        Ok(())
    }

    fn read_file(&self, id: &BlobId) -> Result<Vec<u8>, LocalError> {
        self.lock().files.get(id).cloned().ok_or_else(|| LocalError("no such file".into()))
    }

    fn keep_file(&self, id: &BlobId, plain: &[u8], _: Millis) -> Result<(), LocalError> {
        let mut state = self.lock();
        state.files.insert(id.clone(), plain.to_vec());
        state.partial.remove(id);
        state.downloads.retain(|file| file.id != *id);
        Ok(())
    }

    fn partial(&self, id: &BlobId) -> Result<Vec<u8>, LocalError> {
        Ok(self.lock().partial.get(id).cloned().unwrap_or_default())
    }

    fn keep_partial(&self, id: &BlobId, from: u64, plain: &[u8]) -> Result<(), LocalError> {
        let mut state = self.lock();
        let kept = state.partial.entry(id.clone()).or_default();
        assert_eq!(kept.len() as u64, from, "parts are kept in order");
        kept.extend_from_slice(plain);
        Ok(())
    }

    fn drop_partial(&self, id: &BlobId) -> Result<(), LocalError> {
        self.lock().partial.remove(id);
        Ok(())
    }

    fn set_stored(&self, id: &BlobId) -> Result<(), LocalError> {
        self.lock().uploads.retain(|file| file.id != *id);
        Ok(())
    }

    fn park_file(&self, id: &BlobId, reason: &'static str, _: Millis) -> Result<(), LocalError> {
        let mut state = self.lock();
        state.uploads.retain(|file| file.id != *id);
        state.downloads.retain(|file| file.id != *id);
        state.parked.push((id.clone(), reason));
        Ok(())
    }

    fn rules(&self) -> Result<Rules, LocalError> {
        Ok(Rules::default())
    }

    fn keep_tally(&self, tally: Tally, last_contact: Option<Millis>, _: Millis) -> Result<(), LocalError> {
        self.lock().tallies.push((tally, last_contact));
        Ok(())
    }

    fn open_epoch(&self, _: Millis) -> Result<(), LocalError> {
        self.lock().epoch += 1;
        Ok(())
    }
}
