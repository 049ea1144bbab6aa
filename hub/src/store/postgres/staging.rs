//! A writing transaction that is planned in memory: what was read, what is to be written over it, and the answers that
//! come of both. Nothing is written before [`super::flush`], so that locks on rows and heads are short.
//!
//! Versions are not given before the heads are bumped: until then a version is [`PENDING`] plus its place among those that
//! this transaction opens in its scope.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use parkdesk_domain::command::Command;
use parkdesk_domain::facts::{self, Answer, Question, Space};
use parkdesk_domain::rights::{Granted, Role};
use parkdesk_domain::row::Write;
use parkdesk_domain::wire::Verdict;
use parkdesk_domain::{Actor, BlobId, CommandId, DeviceId, Envelope, Kind, Millis, RowId, Scope};

use super::error::{Stop, get};
use super::flush::Bases;
use super::guards;
use super::load::{self, At, Claim, Read, Right};
use crate::index::{self, Entry};
use crate::judging::{Earlier, Pushed};
use crate::store::place::{parse_id, place};
use crate::store::transaction::{Facts, Sender, Tx};
use crate::store::{Batch, Error, StoredBlob};

/// Above every real version (they stay below 2^53).
pub(super) const PENDING: u64 = 1 << 60;

/// A row to be written.
pub(super) struct Written {
    pub(super) scope: Scope,
    /// Pending.
    pub(super) version: u64,
    /// How often it was written in this transaction.
    pub(super) times: i64,
    pub(super) deleted: bool,
    pub(super) body: String,
    pub(super) entries: Vec<Entry>,
}

/// A verdict to be kept.
pub(super) struct Judged {
    pub(super) id: CommandId,
    /// With its epoch, and the version of its own scope that tells it.
    pub(super) device: Option<(DeviceId, u64, u64)>,
    pub(super) seq: u64,
    pub(super) sha256: [u8; 32],
    /// With pending versions.
    pub(super) verdict: Verdict,
    pub(super) at: Millis,
}

/// The places of a device's epoch.
pub(super) struct Places {
    pub(super) device: DeviceId,
    pub(super) epoch: u64,
    /// As read.
    taken: BTreeMap<u64, String>,
    /// Read, and raised to.
    pub(super) floor: (i64, i64),
    /// To be kept.
    pub(super) used: Vec<(u64, CommandId)>,
}

/// The transaction.
pub(super) struct Staging<'a> {
    pub(super) tx: &'a Transaction<'a>,
    held: &'a BTreeSet<i64>,
    // As read.
    rows: BTreeMap<At, Option<Read>>,
    holders: BTreeMap<Claim, Option<(String, String)>>,
    rights: BTreeMap<String, (Vec<Right>, bool)>,
    commands: BTreeMap<CommandId, Option<Earlier>>,
    stored: BTreeMap<(String, BlobId), bool>,
    // To be written.
    pub(super) written: BTreeMap<At, Written>,
    claims: BTreeMap<Claim, String>,
    pub(super) opened: BTreeMap<Scope, u64>,
    pub(super) judged: Vec<Judged>,
    pub(super) places: Option<Places>,
    pub(super) let_go: BTreeSet<(String, BlobId)>,
}

fn at(scope: &Scope, kind: &Kind, id: &RowId) -> At {
    let (home, scope_no) = place(scope);
    At { home, scope_no, kind: kind.as_str().to_owned(), id: id.as_str().to_owned() }
}

fn claim(scope: &Scope, space: Space, key: &str) -> Claim {
    let (home, scope_no) = place(scope);
    Claim { home, scope_no, space: space.as_str(), key: key.to_owned() }
}

impl<'a> Staging<'a> {
    pub(super) fn new(tx: &'a Transaction<'a>, held: &'a BTreeSet<i64>) -> Self {
        Self {
            tx,
            held,
            rows: BTreeMap::new(),
            holders: BTreeMap::new(),
            rights: BTreeMap::new(),
            commands: BTreeMap::new(),
            stored: BTreeMap::new(),
            written: BTreeMap::new(),
            claims: BTreeMap::new(),
            opened: BTreeMap::new(),
            judged: Vec::new(),
            places: None,
            let_go: BTreeSet::new(),
        }
    }

    /// The version read, if the row was read: 0 if there was none.
    pub(super) fn version_read(&self, at: &At) -> Option<i64> {
        self.rows.get(at).map(|read| read.as_ref().map_or(0, |read| read.version))
    }

    /// Where the versions would begin if it were written now.
    pub(super) async fn bases(&self) -> Result<Bases, Stop> {
        let scopes: Vec<&Scope> = self.opened.keys().collect();
        let heads = load::heads(self.tx, &scopes).await?;
        Ok(scopes.into_iter().cloned().zip(heads).collect())
    }

    /// Loads what judging these commands will ask for, in a few round trips however many they are.
    pub(super) async fn look_ahead(
        &mut self,
        sender: Sender<'_>,
        ids: &[&CommandId],
        envelopes: &[&Envelope],
        now: Millis,
    ) -> Result<(), Stop> {
        self.load_commands(ids).await?;
        let mut files: BTreeMap<String, BTreeSet<BlobId>> = BTreeMap::new();
        for envelope in envelopes {
            if let Command::PhotoCapture(args) = &envelope.command {
                let list = [Some(&args.original), args.portrait.as_ref(), Some(&args.thumb)];
                let home = format!("park/{}", args.park);
                files.entry(home).or_default().extend(list.into_iter().flatten().map(|file| file.id.clone()));
            }
        }
        for (home, blobs) in files {
            let ids: Vec<&str> = blobs.iter().map(BlobId::as_str).collect();
            let here: BTreeSet<String> = load::stored(self.tx, &home, &ids).await?.into_iter().collect();
            for blob in blobs {
                let is_here = here.contains(blob.as_str());
                self.stored.insert((home.clone(), blob), is_here);
            }
        }
        facts::ask_ahead(envelopes, now, &mut Facts { tx: self, sender }).await
    }

    async fn load_commands(&mut self, ids: &[&CommandId]) -> Result<(), Stop> {
        let missing: Vec<&CommandId> = ids.iter().filter(|id| !self.commands.contains_key(**id)).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let texts: Vec<&str> = missing.iter().map(|id| id.as_str()).collect();
        let mut found = load::commands(self.tx, &texts).await?;
        for id in missing {
            let earlier = found.remove(id.as_str()).map(|(device, sha256, verdict)| {
                Earlier::read(device, sha256, &verdict).map_err(|cause| Stop::from(Error::Poison(cause)))
            });
            self.commands.insert(id.clone(), earlier.transpose()?);
        }
        Ok(())
    }

    fn answer_row(&self, at: &At) -> Answer {
        match self.written.get(at) {
            Some(written) => Answer::Row((!written.deleted).then(|| written.body.clone())),
            None => Answer::Row(self.rows.get(at).and_then(Option::as_ref).and_then(|read| read.body.clone())),
        }
    }

    fn answer_key(&self, claim: &Claim) -> Result<Answer, Stop> {
        let id = match (self.claims.get(claim), self.holders.get(claim)) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(Some((kind, id)))) => {
                let at = At { home: claim.home.clone(), scope_no: claim.scope_no, kind: kind.clone(), id: id.clone() };
                // A row that is written anew says itself what it claims.
                (!self.written.contains_key(&at)).then(|| id.clone())
            }
            (None, Some(None) | None) => None,
        };
        Ok(Answer::Ids(id.map(parse_id).transpose()?.into_iter().collect()))
    }

    async fn answer_photos_of(&self, scope: &Scope, driver: &str) -> Result<Answer, Stop> {
        let (home, scope_no) = place(scope);
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for id in load::photos_of(self.tx, (&home, scope_no), driver).await? {
            let at = At { home: home.clone(), scope_no, kind: Kind::Photo.as_str().to_owned(), id: id.clone() };
            if !self.written.contains_key(&at) {
                ids.insert(id);
            }
        }
        let photos = self
            .written
            .iter()
            .filter(|(at, _)| at.home == home && at.scope_no == scope_no && at.kind == Kind::Photo.as_str());
        for (at, written) in photos {
            let shows = |entry: &Entry| matches!(entry, Entry::Blob { person, is_withdrawn: false, .. } if person.as_str() == driver);
            if written.entries.iter().any(shows) {
                ids.insert(at.id.clone());
            }
        }
        Ok(Answer::Ids(ids.into_iter().map(parse_id).collect::<Result<_, _>>()?))
    }
}

impl Tx for Staging<'_> {
    type Error = Stop;

    async fn held_seqs(&mut self, batch: &Batch) -> Result<BTreeMap<u64, String>, Stop> {
        let mut seqs: BTreeSet<u64> = batch.commands.iter().map(|pushed| pushed.head.seq).collect();
        let own = seqs.clone();
        seqs.extend(batch.commands.iter().filter_map(|p| p.envelope.as_ref()).flat_map(|e| e.after.iter().copied()));
        let seqs: Vec<i64> = seqs.into_iter().map(u64::cast_signed).collect();
        let key = (batch.device.as_str(), batch.epoch.cast_signed());
        let (taken, floor) = load::places(self.tx, key, &seqs).await?;
        let held = taken.iter().filter(|(seq, _)| own.contains(seq)).map(|(seq, id)| (*seq, id.clone())).collect();
        self.places = Some(Places {
            device: batch.device.clone(),
            epoch: batch.epoch,
            taken,
            floor: (floor, floor),
            used: Vec::new(),
        });
        Ok(held)
    }

    async fn raise_floor(&mut self, batch: &Batch) -> Result<(), Stop> {
        if let Some(places) = &mut self.places {
            places.floor.1 = places.floor.0.max(batch.floor.cast_signed());
        }
        Ok(())
    }

    async fn guard(&mut self, park: Option<&RowId>, names: &BTreeSet<String>) -> Result<(), Stop> {
        let missing: BTreeSet<i64> = guards::keys(park, names).difference(self.held).copied().collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Guards(missing)) }
    }

    async fn earlier(&mut self, id: &CommandId) -> Result<Option<Earlier>, Stop> {
        self.load_commands(&[id]).await?;
        Ok(self.commands.get(id).cloned().flatten())
    }

    async fn is_seen(&mut self, _device: &DeviceId, _epoch: u64, seq: u64) -> Result<bool, Stop> {
        // A batch is of one device and epoch, and all that its commands rest on was read with it.
        let seen = self.places.as_ref().is_some_and(|places| {
            places.floor.1 >= seq.cast_signed()
                || places.taken.contains_key(&seq)
                || places.used.iter().any(|(used, _)| *used == seq)
        });
        Ok(seen)
    }

    async fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Stop> {
        let mut rows = BTreeSet::new();
        let mut claims = BTreeSet::new();
        for question in questions {
            match question {
                Question::Row(row) => {
                    rows.insert(at(&row.scope, &row.kind, &row.id));
                }
                Question::Key { scope, space, key } if *space != Space::PhotosOf => {
                    claims.insert(claim(scope, *space, key));
                }
                Question::Key { .. } | Question::Rights(_) => {}
            }
        }
        rows.retain(|at| !self.rows.contains_key(at));
        claims.retain(|claim| !self.holders.contains_key(claim));
        if !rows.is_empty() {
            self.rows.extend(load::rows(self.tx, rows.into_iter().collect()).await?);
        }
        if !claims.is_empty() {
            self.holders.extend(load::holders(self.tx, claims.into_iter().collect()).await?);
        }
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(match question {
                Question::Row(row) => self.answer_row(&at(&row.scope, &row.kind, &row.id)),
                Question::Key { scope, space: Space::PhotosOf, key } => self.answer_photos_of(scope, key).await?,
                Question::Key { scope, space, key } => self.answer_key(&claim(scope, *space, key))?,
                // Who may do what is put together by the transaction.
                Question::Rights(_) => Answer::Unknown,
            });
        }
        Ok(answers)
    }

    async fn granted(&mut self, holder: &Actor) -> Result<Vec<Granted>, Stop> {
        let text = holder.to_string();
        if !self.rights.contains_key(&text) {
            let read = load::rights(self.tx, &text).await?;
            self.rights.insert(text.clone(), read);
        }
        let Some((read, mut is_revoked)) = self.rights.get(&text).map(|(list, revoked)| (list, *revoked)) else {
            return Ok(Vec::new());
        };
        let mut found: BTreeSet<(String, String)> = read
            .iter()
            .filter(|right| !self.written.contains_key(&right.at))
            .map(|right| (right.park.clone(), right.role.clone()))
            .collect();
        for (at, written) in &self.written {
            for entry in &written.entries {
                match entry {
                    Entry::Grant { holder: held_by, role, park } if held_by == holder => {
                        found.insert((park.as_str().to_owned(), role.as_str().to_owned()));
                    }
                    Entry::Device { revoked_at_ms, .. } if text.strip_prefix("device/") == Some(at.id.as_str()) => {
                        is_revoked = revoked_at_ms.is_some();
                    }
                    Entry::Grant { .. }
                    | Entry::Device { .. }
                    | Entry::Key { .. }
                    | Entry::Blob { .. }
                    | Entry::Subscription { .. } => {}
                }
            }
        }
        if is_revoked {
            return Ok(Vec::new());
        }
        let granted = |(park, role): (String, String)| Ok(Granted { role: Role::from(role), park: parse_id(park)? });
        found.into_iter().map(granted).collect()
    }

    async fn open_version(&mut self, scope: &Scope) -> Result<u64, Stop> {
        let opened = self.opened.entry(scope.clone()).or_default();
        *opened += 1;
        Ok(PENDING + *opened)
    }

    async fn apply(&mut self, write: &Write, version: u64) -> Result<(), Stop> {
        let (row, body, deleted) = match write {
            Write::Put { row, body } => (row, body.as_str(), false),
            Write::Delete { row } => (row, "", true),
        };
        let at = at(&row.scope, &row.kind, &row.id);
        let entries = if deleted { Vec::new() } else { index::entries(&row.kind, body) };
        let claims = |entries: &[Entry]| -> Vec<Claim> {
            let keys = entries.iter().filter_map(|entry| match entry {
                Entry::Key { space, key } => Some(claim(&row.scope, *space, key)),
                Entry::Blob { .. } | Entry::Grant { .. } | Entry::Subscription { .. } | Entry::Device { .. } => None,
            });
            keys.collect()
        };
        let times = match self.written.get(&at) {
            Some(before) => {
                for old in claims(&before.entries) {
                    self.claims.remove(&old);
                }
                before.times + 1
            }
            None => 1,
        };
        self.claims.extend(claims(&entries).into_iter().map(|claim| (claim, at.id.clone())));
        let scope = row.scope.clone();
        self.written.insert(at, Written { scope, version, times, deleted, body: body.to_owned(), entries });
        Ok(())
    }

    async fn keep_verdict(
        &mut self,
        sender: Sender<'_>,
        pushed: &Pushed,
        verdict: &Verdict,
        now: Millis,
    ) -> Result<(), Stop> {
        self.keep_seq(sender, pushed).await?;
        let device = match sender.device {
            Some((device, epoch)) => {
                let version = self.open_version(&Scope::Device(device.clone())).await?;
                Some((device.clone(), epoch, version))
            }
            None => None,
        };
        let earlier = Earlier { device: sender.id().cloned(), sha256: pushed.sha256, verdict: verdict.clone() };
        self.commands.insert(pushed.head.id.clone(), Some(earlier));
        self.judged.push(Judged {
            id: pushed.head.id.clone(),
            device,
            seq: pushed.head.seq,
            sha256: pushed.sha256,
            verdict: verdict.clone(),
            at: now,
        });
        Ok(())
    }

    async fn keep_seq(&mut self, sender: Sender<'_>, pushed: &Pushed) -> Result<(), Stop> {
        if let (Some(_), Some(places)) = (sender.device, &mut self.places) {
            places.used.push((pushed.head.seq, pushed.head.id.clone()));
        }
        Ok(())
    }

    async fn is_stored(&mut self, home: &str, blob: &BlobId) -> Result<bool, Stop> {
        let key = (home.to_owned(), blob.clone());
        if let Some(stored) = self.stored.get(&key) {
            return Ok(*stored);
        }
        let stored = !load::stored(self.tx, home, &[blob.as_str()]).await?.is_empty();
        self.stored.insert(key, stored);
        Ok(stored)
    }

    async fn let_go(&mut self, home: &str, blob: &BlobId) -> Result<(), Stop> {
        let read = load::refs(self.tx, home, blob).await?;
        let shows =
            |entry: &Entry| matches!(entry, Entry::Blob { blob: shown, is_withdrawn: false, .. } if shown == blob);
        let is_needed = read.iter().any(|at| !self.written.contains_key(at))
            || self.written.iter().any(|(at, written)| at.home == home && written.entries.iter().any(shows));
        if !is_needed {
            let key = (home.to_owned(), blob.clone());
            self.stored.insert(key.clone(), false);
            self.let_go.insert(key);
        }
        Ok(())
    }

    async fn add_blob(&mut self, home: &str, blob: &BlobId, stored: &StoredBlob, now: Millis) -> Result<bool, Stop> {
        let stmt = self
            .tx
            .prepare_cached(
                "INSERT INTO blobs (home, id, size_bytes, object, person, stored_at_ms)
                 SELECT $1::text, $2::text, $3::int8, $4::text, $5::text, $6::int8
                 WHERE EXISTS (SELECT 1 FROM blob_refs WHERE home = $1 AND blob = $2 AND NOT is_withdrawn)
                 ON CONFLICT (home, id) DO NOTHING",
            )
            .await?;
        let size = stored.size_bytes.cast_signed();
        let added =
            self.tx.execute(&stmt, &[&home, &blob.as_str(), &size, &stored.object, &stored.person, &now.0]).await?;
        if added == 1 {
            self.stored.insert((home.to_owned(), blob.clone()), true);
        }
        Ok(added == 1)
    }

    async fn waiting_photos(&mut self, home: &str, blob: &BlobId) -> Result<Vec<(RowId, String)>, Stop> {
        let stmt = self
            .tx
            .prepare_cached(
                "SELECT r.id, r.body FROM blob_refs b JOIN sync_rows r USING (home, scope_no, kind, id)
                 WHERE b.blob = $1 AND b.home = $2 AND b.kind = $3 AND NOT b.is_withdrawn ORDER BY r.id",
            )
            .await?;
        let found = self.tx.query(&stmt, &[&blob.as_str(), &home, &Kind::Photo.as_str()]).await?;
        found.iter().map(|row| Ok((parse_id(get(row, "id")?)?, get(row, "body")?))).collect()
    }
}
