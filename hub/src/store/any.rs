//! Whichever store this hub was started on.

use std::collections::BTreeSet;

use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{BlobId, DeviceId, Envelope, Kind, Millis, RowId, Scope};

use super::embedded::Embedded;
use super::postgres::Postgres;
use super::{
    Batch, BlobAccess, Caller, DeviceView, Enrolled, Enrolment, Judgement, Missealed, NewCode, Page, PageSize, Part,
    Result, Stats, Store, StoredBlob,
};

/// One of the stores.
#[derive(Debug, Clone)]
pub enum AnyStore {
    /// On one encrypted file.
    Embedded(Embedded),
    /// On PostgreSQL.
    Postgres(Box<Postgres>),
}

/// Asks the store that it is.
macro_rules! ask {
    ($self:ident, $store:ident => $answer:expr) => {
        match $self {
            AnyStore::Embedded($store) => $answer.await,
            AnyStore::Postgres($store) => $answer.await,
        }
    };
}

impl Store for AnyStore {
    async fn hub_id(&self) -> Result<RowId> {
        ask!(self, store => store.hub_id())
    }

    async fn caller(&self, token: [u8; 32], now: Millis) -> Result<Option<Caller>> {
        ask!(self, store => store.caller(token, now))
    }

    async fn add_code(&self, code: NewCode, now: Millis) -> Result<bool> {
        ask!(self, store => store.add_code(code, now))
    }

    async fn enrol(&self, attempt: Enrolment, now: Millis) -> Result<(Enrolled, BTreeSet<Scope>)> {
        ask!(self, store => store.enrol(attempt, now))
    }

    async fn push(&self, batch: Batch, now: Millis) -> Result<Judgement> {
        ask!(self, store => store.push(batch, now))
    }

    async fn issue(
        &self,
        commands: Vec<Envelope>,
        dry_run: bool,
        now: Millis,
    ) -> Result<(Vec<Verdict>, BTreeSet<Scope>)> {
        ask!(self, store => store.issue(commands, dry_run, now))
    }

    async fn page(&self, scope: &Scope, from: u64, size: PageSize) -> Result<Page> {
        ask!(self, store => store.page(scope, from, size))
    }

    async fn subscriptions(&self, device: &DeviceId) -> Result<BTreeSet<Scope>> {
        ask!(self, store => store.subscriptions(device))
    }

    async fn blob_access(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<BlobAccess>> {
        ask!(self, store => store.blob_access(device, blob))
    }

    async fn parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<Part>> {
        ask!(self, store => store.parts(device, blob))
    }

    async fn put_part(&self, device: &DeviceId, blob: &BlobId, part: Part, now: Millis) -> Result<Option<String>> {
        ask!(self, store => store.put_part(device, blob, part, now))
    }

    async fn drop_parts(&self, device: &DeviceId, blob: &BlobId) -> Result<Vec<String>> {
        ask!(self, store => store.drop_parts(device, blob))
    }

    async fn drop_old_parts(&self, before: Millis) -> Result<Vec<String>> {
        ask!(self, store => store.drop_old_parts(before))
    }

    async fn blob_stored(
        &self,
        home: &str,
        blob: &BlobId,
        stored: StoredBlob,
        now: Millis,
    ) -> Result<(bool, BTreeSet<Scope>)> {
        ask!(self, store => store.blob_stored(home, blob, stored, now))
    }

    async fn missealed(&self, after: Option<(String, BlobId)>, limit: u32) -> Result<Vec<Missealed>> {
        ask!(self, store => store.missealed(after, limit))
    }

    async fn blob_resealed(&self, old: &Missealed, object: &str) -> Result<bool> {
        ask!(self, store => store.blob_resealed(old, object))
    }

    async fn is_object_used(&self, object: &str) -> Result<bool> {
        ask!(self, store => store.is_object_used(object))
    }

    async fn list_rows(&self, scope: &Scope, kind: &Kind) -> Result<Vec<(RowId, String)>> {
        ask!(self, store => store.list_rows(scope, kind))
    }

    async fn list_devices(&self) -> Result<Vec<DeviceView>> {
        ask!(self, store => store.list_devices())
    }

    async fn stats(&self) -> Result<Stats> {
        ask!(self, store => store.stats())
    }

    async fn begin_epoch(&self, now: Millis) -> Result<u64> {
        ask!(self, store => store.begin_epoch(now))
    }

    async fn reindex(&self) -> Result<u64> {
        ask!(self, store => store.reindex())
    }

    async fn forget_commands(&self, before: Millis) -> Result<u64> {
        ask!(self, store => store.forget_commands(before))
    }
}
