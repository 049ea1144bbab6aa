//! One glance at the appliance: who it is, what waits, what the link, the face program and the watched folder do.

use std::sync::PoisonError;
use std::time::Duration;

use parkdesk_domain::body::FacePolicy;
use parkdesk_domain::{Actor, DeviceId, Millis, RowId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::sync::{LinkStatus, WatchStatus};

/// The glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// This program's version.
    pub version: String,
    /// The appliance's id; none before it is enrolled.
    #[schema(value_type = Option<String>)]
    pub device: Option<DeviceId>,
    /// The parks it serves.
    pub parks: Vec<ParkView>,
    /// Its photos.
    pub photos: PhotoCounts,
    /// What waits to be sent.
    pub queue: QueueView,
    /// Things a person must settle.
    pub needs_attention: u64,
    /// Pictures in the tray.
    pub unassigned: u64,
    /// The link to the hub.
    pub link: LinkStatus,
    /// The face program.
    pub faces: FacesView,
    /// The watched folder, if there is one.
    pub watch: Option<WatchStatus>,
}

/// A park.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Its name.
    pub name: String,
    /// A mirror of another system: nothing can be changed here.
    pub read_only: bool,
    /// What faces may be used for: `off`, `verify` (the driver's own photos) or `search` (all drivers).
    #[schema(value_type = String)]
    pub faces: FacePolicy,
}

/// Photos by where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct PhotoCounts {
    /// All that are known here.
    pub total: u64,
    /// Not yet judged by the hub.
    pub pending: u64,
    /// Accepted, but the hub has not every file yet.
    pub waiting_for_bytes: u64,
    /// The hub has every file.
    pub uploaded: u64,
    /// Photos with a template on this appliance.
    pub matched: u64,
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Commands that wait for the hub's verdict.
    pub commands: u64,
    /// Files that wait to be sent.
    pub files: u64,
    /// When the oldest command was recorded.
    #[schema(value_type = Option<i64>)]
    pub oldest_at_ms: Option<Millis>,
    /// How long it has waited.
    pub oldest_age_ms: Option<i64>,
}

/// The face program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FacesView {
    /// Warm now; it starts with the first picture.
    pub running: bool,
    /// Its process id.
    pub pid: Option<u32>,
    /// How often it had to be started again.
    pub restarts: u64,
    /// Pictures kept aside because they stopped it twice.
    pub quarantined: u64,
    /// Pictures that wait for it.
    pub waiting: u64,
    /// Photos from elsewhere that still wait for their templates.
    #[serde(default)]
    pub reindex_left: u64,
    /// Why it does not run, if the last picture could not be looked at.
    #[serde(default)]
    pub problem: Option<String>,
}

impl App {
    /// One glance.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn status(&self) -> Result<Status> {
        let now = self.now();
        let parks = self.list_parks()?;
        let (device, pending, attention, tray, photos, files) = self.replica().read(|tx| -> Result<_> {
            let photos = tx.photo_counts()?;
            let files = tx.uploads_waiting()?;
            let tray = tx.unassigned()?.len() as u64;
            let attention = tx.needs_attention()?.len() as u64 + u64::from(self.stuck().is_some());
            Ok((tx.device()?, tx.pending_summary()?, attention, tray, photos, files))
        })?;
        let link = self.link_with_sums()?;
        let faces = self.parts.faces.status();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device,
            parks,
            photos: PhotoCounts {
                total: photos.total,
                pending: photos.pending,
                waiting_for_bytes: photos.total.saturating_sub(photos.pending).saturating_sub(photos.stored),
                uploaded: photos.stored,
                matched: self.matching.len() as u64,
            },
            queue: QueueView {
                commands: pending.count,
                files,
                oldest_at_ms: pending.oldest_at_ms,
                oldest_age_ms: pending.oldest_at_ms.map(|at| now.0.saturating_sub(at.0)),
            },
            needs_attention: attention,
            unassigned: tray,
            link,
            faces: FacesView {
                running: faces.pid.is_some(),
                pid: faces.pid,
                restarts: faces.restarts,
                quarantined: faces.quarantined as u64,
                waiting: faces.waiting as u64,
                reindex_left: self.reindex_left.load(std::sync::atomic::Ordering::Relaxed),
                problem: self.no_faces.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            },
            watch: self.watch.get().and_then(|watch| watch.status()),
        })
    }

    /// The parks this appliance serves, by name.
    pub(crate) fn list_parks(&self) -> Result<Vec<ParkView>> {
        let parks = self.parks()?;
        Ok(parks
            .into_iter()
            .map(|park| ParkView {
                id: park.id,
                name: park.name,
                read_only: park.read_only,
                faces: park.settings.faces,
            })
            .collect())
    }

    /// The parks' cards.
    fn parks(&self) -> Result<Vec<parkdesk_sqlite::ParkView>> {
        Ok(self.replica().read(|tx| tx.parks())?)
    }

    /// What a park lets faces be used for; off for a park that is not known here.
    pub(crate) fn face_policy(&self, park: &RowId) -> Result<FacePolicy> {
        let parks = self.list_parks()?;
        Ok(parks.into_iter().find(|known| known.id == *park).map_or(FacePolicy::Off, |park| park.faces))
    }

    /// Days that taken files stay in `done/`: the longest that any park asks for; 0 only if all agree.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn keep_done_days(&self) -> Result<u32> {
        let parks = self.parks()?;
        Ok(parks.iter().map(|park| park.settings.keep_done_days).max().unwrap_or(7))
    }

    pub(crate) fn device(&self) -> Result<DeviceId> {
        let device: Option<DeviceId> = self.replica().read(|tx| tx.device())?;
        device.ok_or(Error::NotEnrolled)
    }

    /// Who acts: the person at the desk, with their own rights; the appliance itself where nobody signs in, with the rights
    /// the hub gave it.
    pub(crate) fn actor(&self) -> Result<Actor> {
        let device = self.device()?;
        Ok(self.acting.clone().map_or(Actor::Device(device), Actor::User))
    }

    /// Waits for changes after that number; answers the number to ask with next.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn changes_after(&self, after: i64, wait: Duration) -> Result<(i64, Vec<String>)> {
        let (next, tags) = self.replica().changes_after(after, wait)?;
        Ok((next, tags.iter().map(ToString::to_string).collect()))
    }
}
