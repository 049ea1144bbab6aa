//! What the hub asks of a store. Each method is one transaction: it happens whole or not at all, and what it promises is
//! durable when it returns.
//!
//! [`embedded`] keeps everything in one encrypted file. The methods are `async` because a store may be a network away;
//! rules are not kept here but in `judging` and `domain`, and what happens in a writing transaction is written down once,
//! in `transaction`, so that two stores cannot judge differently.

mod access;
pub mod any;
pub mod embedded;
mod enrolment;
pub mod person_keys;
mod place;
pub mod postgres;
mod transaction;

use std::collections::BTreeSet;
use std::future::Future;

use parkdesk_domain::rights::Role;
use parkdesk_domain::row::Row;
use parkdesk_domain::wire::{Judged, Verdict};
use parkdesk_domain::{BlobId, DeviceId, Envelope, Millis, Refusal, RowId, Scope};

use crate::judging::Pushed;

/// What broke in a store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room left; nothing was changed.
    #[error("the disk is full")]
    Full,
    /// The store failed; trying again later may help.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A bug or something unreadable met by one request; others may do well.
    #[error("a request cannot be carried out: {0}")]
    Poison(String),
}

/// A store's answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A device by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The device.
    pub device: DeviceId,
    /// It may no longer come.
    pub revoked: bool,
}

/// A new one-time code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// The group of the code that names it.
    pub handle: String,
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// What the device may do.
    pub role: Role,
    /// Where.
    pub parks: Vec<RowId>,
    /// What it reads.
    pub scopes: Vec<Scope>,
    /// Until when.
    pub expires_at: Millis,
}

/// An attempt to enrol.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The group of the code that names it.
    pub handle: String,
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// Made by the device: the same request gets the same device.
    pub request: RowId,
    /// For people.
    pub name: String,
    /// The device's id if it is new.
    pub device: DeviceId,
    /// The id of the command that enrols it.
    pub command: parkdesk_domain::CommandId,
    /// SHA-256 of the token it will get.
    pub token: [u8; 32],
    /// The device that the same appliance was before.
    pub was: Option<DeviceId>,
}

/// What became of an attempt to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// The device with this id.
    Device(DeviceId),
    /// Wrong, used, expired, or tried too often: one answer for all.
    BadCode,
    /// The code is good, the rest is not; it stays good.
    Refused(Box<Refusal>),
}

/// A push.
#[derive(Debug)]
pub struct Batch {
    /// The sender.
    pub device: DeviceId,
    /// Its epoch.
    pub epoch: u64,
    /// Up to here it has its verdicts safe.
    pub floor: u64,
    /// The commands.
    pub commands: Vec<Pushed>,
}

/// What became of commands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// In the order of the commands.
    pub verdicts: Vec<Judged>,
    /// Scopes with something new, to be announced.
    pub touched: BTreeSet<Scope>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// All judged (or deferred).
    Done(Verdicts),
    /// This seq is held by another command: nothing was judged.
    Cloned {
        /// The seq.
        seq: u64,
    },
}

/// Rows of a scope, whole versions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The scope's epoch.
    pub epoch: u64,
    /// Its newest version.
    pub head: u64,
    /// The last version in the page.
    pub to: u64,
    /// By version.
    pub rows: Vec<Row>,
}

/// How much a page may hold beyond its first version.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    /// Rows.
    pub rows: usize,
    /// Bytes of bodies.
    pub bytes: usize,
}

/// What a device may do with a blob in one home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobAccess {
    /// The home.
    pub home: String,
    /// By a row that refers to it.
    pub size_bytes: Option<u64>,
    /// Owner of the key that seals it.
    pub person: String,
    /// A row in a scope that the device reads refers to it.
    pub readable: bool,
    /// Nobody waits for it any more: every row that refers to it let it go.
    pub is_withdrawn: bool,
    /// It is here.
    pub stored: Option<StoredBlob>,
}

/// A blob that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name in the folder.
    pub object: String,
    /// Owner of the key that seals it.
    pub person: String,
    /// Plain bytes.
    pub size_bytes: u64,
}

/// A blob whose photo turned out to show somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missealed {
    /// The home.
    pub home: String,
    /// The blob.
    pub blob: BlobId,
    /// As it is.
    pub stored: StoredBlob,
    /// Whose key is to seal it.
    pub person: String,
}

/// A part that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub n: u32,
    /// Plain bytes.
    pub size_bytes: u64,
    /// SHA-256 of the plain bytes, hex.
    pub hash: String,
    /// Owner of the key that seals it.
    pub person: String,
    /// Its name in the staging folder.
    pub object: String,
}

/// A device as the administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceView {
    /// The device.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Since when.
    pub enrolled_at_ms: Millis,
    /// Since when no more.
    pub revoked_at_ms: Option<Millis>,
    /// What it may do, where.
    pub grants: Vec<parkdesk_domain::rights::Granted>,
}

/// Figures for people and monitoring.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Stats {
    /// Live rows by kind.
    pub rows: std::collections::BTreeMap<String, u64>,
    /// Commands judged and still remembered.
    pub commands: u64,
    /// Devices that may come.
    pub devices: u64,
    /// Blobs that are here.
    pub blobs: u64,
    /// Their plain bytes.
    pub blob_bytes: u64,
    /// Parts on the way.
    pub parts: u64,
}

/// The hub's store.
pub trait Store: Send + Sync + 'static {
    /// Who this hub is.
    fn hub_id(&self) -> impl Future<Output = Result<RowId>> + Send;

    /// The device with this token; its first use ends the tokens of repeated enrolment answers.
    fn caller(&self, token: [u8; 32], now: Millis) -> impl Future<Output = Result<Option<Caller>>> + Send;

    /// Keeps a one-time code; `false` if another one has its handle.
    fn add_code(&self, code: NewCode, now: Millis) -> impl Future<Output = Result<bool>> + Send;

    /// Enrols a device by code, at most one per code.
    fn enrol(
        &self,
        attempt: Enrolment,
        now: Millis,
    ) -> impl Future<Output = Result<(Enrolled, BTreeSet<Scope>)>> + Send;

    /// Judges a push.
    fn push(&self, batch: Batch, now: Millis) -> impl Future<Output = Result<Judgement>> + Send;

    /// Judges commands of the hub itself, all in one transaction; a refused one is not remembered. With `dry_run`
    /// nothing is kept.
    fn issue(
        &self,
        commands: Vec<Envelope>,
        dry_run: bool,
        now: Millis,
    ) -> impl Future<Output = Result<(Vec<Verdict>, BTreeSet<Scope>)>> + Send;

    /// Rows of `scope` after version `from`.
    fn page(&self, scope: &Scope, from: u64, size: PageSize) -> impl Future<Output = Result<Page>> + Send;

    /// What the device reads besides its own scope.
    fn subscriptions(&self, device: &DeviceId) -> impl Future<Output = Result<BTreeSet<Scope>>> + Send;

    /// What the device may do with the blob, per home; empty if no row it may speak of refers to it.
    fn blob_access(&self, device: &DeviceId, blob: &BlobId) -> impl Future<Output = Result<Vec<BlobAccess>>> + Send;

    /// The device's parts of a blob, by number.
    fn parts(&self, device: &DeviceId, blob: &BlobId) -> impl Future<Output = Result<Vec<Part>>> + Send;

    /// Keeps a part; answers the object that it replaced.
    fn put_part(
        &self,
        device: &DeviceId,
        blob: &BlobId,
        part: Part,
        now: Millis,
    ) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Forgets the device's parts of a blob; answers their objects.
    fn drop_parts(&self, device: &DeviceId, blob: &BlobId) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Forgets parts older than `before`; answers their objects.
    fn drop_old_parts(&self, before: Millis) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// The bytes are here: keeps that and tells every photo of the home that waits for them, in one transaction. If
    /// they were here already, answers `false` and the given object is not used.
    fn blob_stored(
        &self,
        home: &str,
        blob: &BlobId,
        stored: StoredBlob,
        now: Millis,
    ) -> impl Future<Output = Result<(bool, BTreeSet<Scope>)>> + Send;

    /// Blobs that are sealed for a person whom no row that refers to them shows any more, with the person to be; by home
    /// and id, beginning after `after`.
    fn missealed(
        &self,
        after: Option<(String, BlobId)>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Missealed>>> + Send;

    /// The blob is sealed anew; `false` if it changed meanwhile, then the new object is not used.
    fn blob_resealed(&self, old: &Missealed, object: &str) -> impl Future<Output = Result<bool>> + Send;

    /// Whether an object of the folder is in use.
    fn is_object_used(&self, object: &str) -> impl Future<Output = Result<bool>> + Send;

    /// Live rows of a kind in a scope, as id and body, by id.
    fn list_rows(
        &self,
        scope: &Scope,
        kind: &parkdesk_domain::Kind,
    ) -> impl Future<Output = Result<Vec<(RowId, String)>>> + Send;

    /// All devices, by name.
    fn list_devices(&self) -> impl Future<Output = Result<Vec<DeviceView>>> + Send;

    /// Figures.
    fn stats(&self) -> impl Future<Output = Result<Stats>> + Send;

    /// Begins a new epoch in every scope, after the store was restored from a backup. It is above all that were ever given,
    /// also by a history that the backup does not know: at least the seconds of `now`.
    fn begin_epoch(&self, now: Millis) -> impl Future<Output = Result<u64>> + Send;

    /// Fills all narrow tables anew from the rows.
    fn reindex(&self) -> impl Future<Output = Result<u64>> + Send;

    /// Forgets commands judged before `before`.
    fn forget_commands(&self, before: Millis) -> impl Future<Output = Result<u64>> + Send;
}
