//! The link for people: what waits, which files are under way or held back, what the last day was like; and what they may
//! want of it. Wishes are kept in the replica, where the engine reads them at every step, so they outlast a restart.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::body::FileClass;
use parkdesk_domain::{Actor, BlobId, Millis, RowId};
use parkdesk_sqlite::{AttentionKind, PhotoView, Priority, ReadTx, ToMove, Waiting};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::photos::RecordState;
use crate::subject::{self, Subject};
use crate::sync::{
    FileProgress, LinkStatus, NetworkMode, PAUSE, POLICY, SEND_NOW, SyncPolicy, TALLY, Tally, Transfers,
};

/// Lines shown of each list.
const SHOWN: usize = 200;
/// Files of each direction that the lines are chosen from.
const LISTED: u32 = 2_000;
/// Files that may be asked for at once in spite of a metered network.
const MOST_SEND_NOW: usize = 1000;
const DAY_MS: i64 = 86_400_000;
const BUCKET_MS: i64 = 600_000;

/// The link with everything that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncView {
    /// Where it stands.
    pub link: LinkStatus,
    /// What a person wants of it.
    pub policy: SyncPolicy,
    /// When a person's pause ends; none without a pause, or if it lasts until it is resumed.
    #[schema(value_type = Option<i64>)]
    pub paused_until_ms: Option<Millis>,
    /// What waits for the hub's verdict, the oldest 200.
    pub waiting: Vec<WaitingView>,
    /// How much waits in all.
    pub waiting_total: u64,
    /// Files on their way, waiting or held back, at most 200.
    pub files: Vec<FileTransfer>,
    /// What a metered network holds back.
    pub held: HeldView,
}

/// Files held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = Held)]
pub struct HeldView {
    /// Their number.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A record that waits for the hub's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingView {
    /// The command's id.
    pub id: String,
    /// What is wanted (`driver.edit`, ...).
    pub kind: String,
    /// What it is about.
    pub subject: Option<Subject>,
    /// When it was recorded.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
    /// `saved`, or `sent`.
    pub state: RecordState,
    /// The name of the person who wants it; none for the appliance itself.
    pub by: Option<String>,
}

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the hub.
    Up,
    /// From the hub.
    Down,
}

/// What becomes of a file now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// Its turn comes.
    Waiting,
    /// On its way.
    Moving,
    /// A metered network holds it back.
    Held,
    /// Given up after too many tries: it is to be settled.
    Parked,
}

/// A file to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileTransfer {
    /// Its photo.
    #[schema(value_type = String)]
    pub photo: RowId,
    /// Whom the photo shows.
    pub driver_name: Option<String>,
    /// `original`, `portrait` or `thumb`.
    pub class: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Its bytes.
    pub size_bytes: u64,
    /// Those that have arrived.
    pub done_bytes: u64,
    /// What becomes of it now.
    pub state: TransferState,
}

/// Ten minutes of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayPoint {
    /// When they began.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
    /// Records that waited at their end.
    pub waiting: u64,
    /// Records that the hub judged.
    pub sent: u64,
    /// Records that came.
    pub received: u64,
    /// Bytes that went out.
    pub bytes_up: u64,
    /// Bytes that came.
    pub bytes_down: u64,
    /// Requests that failed.
    pub problems: u64,
}

/// A file before it is known to be shown.
struct Wanted {
    id: BlobId,
    size_bytes: u64,
    class: FileClass,
    direction: Direction,
    state: TransferState,
}

impl App {
    /// The link with everything that waits for it.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn sync_view(&self) -> Result<SyncView> {
        let link = self.link_status()?;
        let progress: BTreeMap<BlobId, FileProgress> =
            self.parts.sync.files().into_iter().map(|file| (file.id.clone(), file)).collect();
        let now = self.now();
        self.replica().read(|tx| {
            let policy = policy(tx)?;
            let mut files = wanted(tx, &policy)?;
            for file in files.iter_mut().filter(|file| file.state == TransferState::Waiting) {
                if progress.get(&file.id).is_some_and(|progress| progress.is_moving) {
                    file.state = TransferState::Moving;
                }
            }
            let (link, held) = summed(tx, link, &policy, progress.values())?;
            // What moves comes first, then what must be settled; the rest in its order.
            files.sort_by_key(|file| match file.state {
                TransferState::Moving => 0,
                TransferState::Parked => 1,
                TransferState::Waiting => 2,
                TransferState::Held => 3,
            });
            let mut shown = Vec::new();
            for file in files.iter().take(SHOWN) {
                shown.extend(transfer(tx, file, progress.get(&file.id))?);
            }
            let waiting = tx.waiting(u32::try_from(SHOWN).unwrap_or(u32::MAX))?;
            Ok(SyncView {
                link,
                paused_until_ms: paused_until(tx, now)?.filter(|until| until.0 > 0),
                waiting: waiting.into_iter().map(|one| waiting_view(tx, one)).collect::<Result<_>>()?,
                waiting_total: tx.pending_summary()?.count,
                files: shown,
                held,
                policy,
            })
        })
    }

    /// Where the link stands, with all that it has to move.
    pub(crate) fn link_with_sums(&self) -> Result<LinkStatus> {
        let link = self.link_status()?;
        if link.sending.is_none() && link.fetching.is_none() {
            return Ok(link);
        }
        let progress = self.parts.sync.files();
        self.replica().read(|tx| Ok(summed(tx, link, &policy(tx)?, progress.iter())?.0))
    }

    /// Where the link stands; a revoked appliance has none.
    pub(crate) fn link_status(&self) -> Result<LinkStatus> {
        let mut link = self.parts.sync.status();
        if self.is_revoked()? {
            link.state = crate::sync::LinkState::Revoked;
        }
        Ok(link)
    }

    /// Whether the hub takes nothing from this appliance any more.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn is_revoked(&self) -> Result<bool> {
        self.replica().read(|tx| tx.is_revoked()).map_err(Error::from)
    }

    /// Changes what a person wants of the link.
    ///
    /// # Errors
    /// [`Error::BadInput`] for hours that cannot be kept.
    pub fn set_sync_policy(&self, policy: SyncPolicy) -> Result<SyncPolicy> {
        policy.check().map_err(|why| Error::BadInput { field: "schedule", why })?;
        let text = serde_json::to_string(&policy).map_err(|_| Error::Damaged("policy"))?;
        self.replica().write(Priority::Person, |tx| tx.set_setting(POLICY, &text)).map_err(Error::from)?;
        (self.parts.poke)();
        Ok(policy)
    }

    /// Lets the whole picture of a photo go now, in spite of a metered network.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn send_now(&self, photo: &RowId) -> Result<()> {
        self.replica().write(Priority::Person, |tx| -> Result<()> {
            let photo: PhotoView = tx.photo(photo)?.ok_or(Error::NotFound("photo"))?;
            let original = &photo.photo.original;
            if tx.blob(&original.id)?.is_some_and(|blob| blob.is_stored && blob.object.is_some()) {
                return Ok(());
            }
            let mut list = send_now(tx)?;
            list.retain(|id| *id != original.id);
            list.push(original.id.clone());
            let list = list.split_off(list.len().saturating_sub(MOST_SEND_NOW));
            let text = serde_json::to_string(&list).map_err(|_| Error::Damaged("send_now"))?;
            Ok(tx.set_setting(SEND_NOW, &text)?)
        })?;
        (self.parts.poke)();
        Ok(())
    }

    /// The last day of the link in tens of minutes; those in which nothing happened are left out.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn sync_day(&self) -> Result<Vec<DayPoint>> {
        let since = self.now().0 - DAY_MS;
        let log: Vec<parkdesk_sqlite::SyncEvent> = self.replica().read(|tx| tx.sync_log(u32::MAX))?;
        let mut points: BTreeMap<i64, DayPoint> = BTreeMap::new();
        // The newest line comes first; what waited at the end is the newest line's.
        for line in log.iter().rev().filter(|line| line.event == TALLY && line.at_ms.0 >= since) {
            let Ok(tally) = serde_json::from_str::<Tally>(&line.detail) else { continue };
            let at_ms = Millis(line.at_ms.0.div_euclid(BUCKET_MS) * BUCKET_MS);
            let empty = DayPoint { at_ms, waiting: 0, sent: 0, received: 0, bytes_up: 0, bytes_down: 0, problems: 0 };
            let point = points.entry(at_ms.0).or_insert(empty);
            point.waiting = tally.waiting;
            point.sent += tally.sent;
            point.received += tally.received;
            point.bytes_up += tally.bytes_up;
            point.bytes_down += tally.bytes_down;
            point.problems += tally.problems;
        }
        Ok(points.into_values().collect())
    }

    /// Tries the link at once; that ends a pause.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn sync_now(&self) -> Result<()> {
        self.keep_pause(None)?;
        self.parts.sync.sync_now();
        Ok(())
    }

    /// Pauses the link, also over a restart.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn pause_sync(&self, until: Option<Millis>) -> Result<()> {
        self.keep_pause(Some(until.unwrap_or(Millis(0))))?;
        self.parts.sync.pause(until);
        Ok(())
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn resume_sync(&self) -> Result<()> {
        self.keep_pause(None)?;
        self.parts.sync.resume();
        Ok(())
    }

    /// Pauses a link that started just now, if a person's pause is not over.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn restore_pause(&self) -> Result<()> {
        let now = self.now();
        let paused = self.replica().read(|tx| paused_until(tx, now))?;
        if let Some(until) = paused {
            self.parts.sync.pause((until.0 > 0).then_some(until));
        }
        Ok(())
    }

    fn keep_pause(&self, until: Option<Millis>) -> Result<()> {
        let written = self.replica().write(Priority::Person, |tx| match until {
            Some(until) => tx.set_setting(PAUSE, &until.0.to_string()),
            None => tx.remove_setting(PAUSE),
        });
        written.map_err(Error::from)
    }
}

/// What a person wants of the link, as it was kept.
pub(crate) fn policy(tx: &ReadTx<'_>) -> Result<SyncPolicy> {
    // A policy of another version that cannot be read holds nothing up.
    Ok(tx.setting(POLICY)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn send_now(tx: &ReadTx<'_>) -> Result<Vec<BlobId>> {
    Ok(tx.setting(SEND_NOW)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// The end of a pause that is not over; `0` = until it is resumed.
fn paused_until(tx: &ReadTx<'_>, now: Millis) -> Result<Option<Millis>> {
    let until: Option<i64> = tx.setting(PAUSE)?.and_then(|text| text.parse().ok());
    Ok(until.filter(|until| *until == 0 || *until > now.0).map(Millis))
}

/// Files to move, in their order, and those given up.
fn wanted(tx: &ReadTx<'_>, policy: &SyncPolicy) -> Result<Vec<Wanted>> {
    let urgent: BTreeSet<BlobId> = send_now(tx)?.into_iter().collect();
    let state = |id: &BlobId, class: FileClass| {
        let is_held = policy.mode == NetworkMode::Metered && class == FileClass::Original && !urgent.contains(id);
        if is_held { TransferState::Held } else { TransferState::Waiting }
    };
    let mut files = Vec::new();
    for file in tx.uploads(LISTED)? {
        let state = state(&file.id, file.class);
        let (id, size_bytes, class) = (file.id, file.size_bytes, file.class);
        files.push(Wanted { id, size_bytes, class, direction: Direction::Up, state });
    }
    for file in tx.wanted_downloads(LISTED)? {
        let state = state(&file.id, file.class);
        let (id, size_bytes, class) = (file.id, file.size_bytes, file.class);
        files.push(Wanted { id, size_bytes, class, direction: Direction::Down, state });
    }
    for entry in tx.needs_attention()?.into_iter().filter(|entry| entry.kind == AttentionKind::ParkedBlob) {
        let Some(blob) = entry.blob.map(|id| tx.blob(&id)).transpose()?.flatten() else { continue };
        files.push(Wanted {
            id: blob.id,
            size_bytes: blob.size_bytes,
            class: blob.class,
            direction: if blob.object.is_some() { Direction::Up } else { Direction::Down },
            state: TransferState::Parked,
        });
    }
    Ok(files)
}

/// The link with the sums of all that may go each way, and what a metered network holds back. The link itself knows only
/// the files of its next steps.
fn summed<'a>(
    tx: &ReadTx<'_>,
    link: LinkStatus,
    policy: &SyncPolicy,
    progress: impl Iterator<Item = &'a FileProgress>,
) -> Result<(LinkStatus, HeldView)> {
    let urgent = send_now(tx)?;
    let is_metered = policy.mode == NetworkMode::Metered;
    let (mut done_up, mut done_down) = (0, 0);
    for file in progress {
        let blob = tx.blob(&file.id)?;
        let is_whole = blob.as_ref().is_some_and(|blob| blob.class == FileClass::Original);
        if is_metered && is_whole && !urgent.contains(&file.id) {
            continue;
        }
        // What is here is on its way out.
        *if blob.is_some_and(|blob| blob.object.is_some()) { &mut done_up } else { &mut done_down } += file.done_bytes;
    }
    let mut held = HeldView::default();
    let mut sum = |all: ToMove, done: u64, rate: Option<u64>| {
        let mut going = all.first;
        if is_metered {
            held.files += all.patient.files;
            held.bytes += all.patient.bytes;
        } else {
            going.files += all.patient.files;
            going.bytes += all.patient.bytes;
        }
        let transfers = Transfers {
            files_left: going.files,
            bytes_done: done.min(going.bytes),
            bytes_total: going.bytes,
            ..Transfers::default()
        };
        (going.files > 0).then(|| transfers.at_rate(rate))
    };
    let rate = |transfers: Option<Transfers>| transfers.and_then(|transfers| transfers.rate_bytes_s);
    let sending = sum(tx.uploads_sum(&urgent)?, done_up, rate(link.sending));
    let fetching = sum(tx.downloads_sum(&urgent)?, done_down, rate(link.fetching));
    Ok((LinkStatus { sending, fetching, ..link }, held))
}

/// The file with its photo; none if its photo is not known here any more.
fn transfer(tx: &ReadTx<'_>, file: &Wanted, progress: Option<&FileProgress>) -> Result<Option<FileTransfer>> {
    let Some(photo) = tx.photo_of_blob(&file.id)? else { return Ok(None) };
    let driver = tx.driver(&photo.photo.park_id, &photo.photo.driver_id)?;
    let class = match file.class {
        FileClass::Original => "original",
        FileClass::Portrait => "portrait",
        FileClass::Thumb => "thumb",
    };
    Ok(Some(FileTransfer {
        photo: photo.id,
        driver_name: driver.map(|driver| driver.name),
        class: class.to_owned(),
        direction: file.direction,
        size_bytes: file.size_bytes,
        done_bytes: progress.map_or(0, |progress| progress.done_bytes.min(file.size_bytes)),
        state: file.state,
    }))
}

fn waiting_view(tx: &ReadTx<'_>, waiting: Waiting) -> Result<WaitingView> {
    let subject = waiting.command.as_ref().map(|command| subject::of_command(tx, command)).transpose()?.flatten();
    let by = match &waiting.actor {
        Actor::User(person) => tx.person(person)?.map(|person| person.user.name),
        Actor::Device(_) | Actor::Hub | Actor::Job(_) => None,
    };
    Ok(WaitingView {
        id: waiting.id.to_string(),
        kind: waiting.kind,
        subject,
        at_ms: waiting.at_ms,
        state: if waiting.is_sent { RecordState::Sent } else { RecordState::Saved },
        by,
    })
}
