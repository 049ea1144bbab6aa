//! What the session needs of the replica. Every method is one read or one write; `crate::replica` has them for the real one.

use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{Cursor, Judged};
use parkdesk_domain::{BlobId, DeviceId, Millis};

use super::Tally;
use crate::engine::{FileWork, Rules};

/// The replica did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("the replica failed: {0}")]
pub struct LocalError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// A command as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Place in the sequence.
    pub seq: u64,
    /// Canonical bytes.
    pub bytes: Vec<u8>,
}

/// Who pushes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The appliance.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u64,
    /// Verdicts up to here are safe with it.
    pub floor: u64,
    /// The newest epoch that the hub told; none before its first answer.
    pub hub_epoch: Option<u64>,
}

/// What the session needs of the replica.
pub trait Local: Send + 'static {
    /// Who this is; `None` before enrolment.
    fn sender(&self) -> Result<Option<Sender>, LocalError>;
    /// Whether the hub revoked it.
    fn is_revoked(&self) -> Result<bool, LocalError>;
    /// Commands to send at this time of the hub, people's work first.
    fn outbox(&self, most: u32, bytes: u64, hub_now: Millis) -> Result<Vec<Outgoing>, LocalError>;
    /// These commands are on their way.
    fn mark_sent(&self, seqs: &[u64], now: Millis) -> Result<(), LocalError>;
    /// Files to send now: only those whose command was judged, smallest class first.
    fn uploads(&self, most: u32) -> Result<Vec<FileWork>, LocalError>;
    /// Files to fetch now.
    fn downloads(&self, most: u32) -> Result<Vec<FileWork>, LocalError>;
    /// How far each scope is, the device scope first.
    fn cursors(&self) -> Result<Vec<Cursor>, LocalError>;
    /// Writes verdicts; `now` by the hub's clock.
    fn apply_verdicts(&self, verdicts: &[Judged], now: Millis) -> Result<(), LocalError>;
    /// Writes a frame with its cursor, in one transaction; `now` by the hub's clock as far as it is known.
    fn apply_frame(&self, frame: &Frame, now: Millis) -> Result<(), LocalError>;
    /// The plain bytes of a file.
    fn read_file(&self, id: &BlobId) -> Result<Vec<u8>, LocalError>;
    /// Seals and keeps a file that was fetched; its hash is right.
    fn keep_file(&self, id: &BlobId, plain: &[u8], now: Millis) -> Result<(), LocalError>;
    /// What came of a file before the program ended.
    fn partial(&self, id: &BlobId) -> Result<Vec<u8>, LocalError>;
    /// Keeps what came of a file from this byte on, over a restart.
    fn keep_partial(&self, id: &BlobId, from: u64, plain: &[u8]) -> Result<(), LocalError>;
    /// Forgets what came of a file.
    fn drop_partial(&self, id: &BlobId) -> Result<(), LocalError>;
    /// The hub has this file.
    fn set_stored(&self, id: &BlobId) -> Result<(), LocalError>;
    /// Sets a file aside for a person.
    fn park_file(&self, id: &BlobId, reason: &'static str, now: Millis) -> Result<(), LocalError>;
    /// Opens a new device epoch.
    fn open_epoch(&self, now: Millis) -> Result<(), LocalError>;
    /// What a person wants of the link.
    fn rules(&self) -> Result<Rules, LocalError>;
    /// Keeps what the link did since the last time, and when the hub was last heard of.
    fn keep_tally(&self, tally: Tally, last_contact: Option<Millis>, now: Millis) -> Result<(), LocalError>;
}
