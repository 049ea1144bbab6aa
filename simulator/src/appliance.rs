//! An appliance's machine: the real replica on a simulated disk, the real session over it, and the ledger of what a
//! person was told is saved.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parkdesk_domain::{CommandId, DeviceId, Millis, RowId, Scope};
use parkdesk_sqlcipher::Key;
use parkdesk_sqlite::{Priority, Replica};
use parkdesk_sync_agent::engine::{Now, Policy};
use parkdesk_sync_agent::session::Session;

use crate::dice::Dice;
use crate::disk::{Disk, Image};
use crate::plant::{Plant, Seat};

/// Wall time at which every world begins.
pub(crate) const BEGIN_MS: i64 = 1_767_225_600_000;

/// The running program.
pub(crate) struct Running {
    /// The replica.
    pub(crate) replica: Replica,
    /// The session over it.
    pub(crate) session: Session<Seat>,
}

/// A command that a person was told is saved.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    /// Its first id.
    pub(crate) id: CommandId,
    /// Its kind, for the story.
    pub(crate) kind: &'static str,
    /// Files that belong to it.
    pub(crate) files: Vec<(parkdesk_domain::BlobId, u64)>,
    /// The disk that made it went back to a time before it: only the hub knows of it.
    pub(crate) is_only_at_hub: bool,
    /// The photo it made.
    pub(crate) photo: Option<RowId>,
}

/// Everything about an appliance that is put back with its disk.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) disk: Image,
    pub(crate) saved: usize,
    pub(crate) device: DeviceId,
    pub(crate) token: String,
}

/// The machine.
pub(crate) struct Appliance {
    /// `a0`, `a1`...
    pub(crate) name: String,
    /// Its disk.
    pub(crate) disk: Arc<Disk>,
    /// The program, if it runs.
    pub(crate) on: Option<Running>,
    /// Counts its starts.
    pub(crate) life: u64,
    /// When it was started.
    pub(crate) booted_ms: u64,
    /// How wrong its clock is.
    pub(crate) clock_off_ms: i64,
    /// Who it is.
    pub(crate) device: DeviceId,
    /// How it shows that.
    pub(crate) token: String,
    /// What people were told.
    pub(crate) saved: Vec<Saved>,
    /// A copy taken of its disk.
    pub(crate) image: Option<Snapshot>,
    /// Which wake-up counts.
    pub(crate) wake: u64,
    /// It has no network until then.
    pub(crate) cut_off_until_ms: u64,
    /// A portal stands in its way until then.
    pub(crate) portal_until_ms: u64,
    /// How far each scope was seen to be.
    pub(crate) cursors: BTreeMap<Scope, (u64, u64)>,
    /// Its dice.
    pub(crate) dice: Dice,
}

impl Appliance {
    /// A machine with an empty disk.
    pub(crate) fn new(n: usize, mut dice: Dice, device: DeviceId, token: String) -> Self {
        let disk = Disk::new(dice.split("agent disk"));
        Self {
            name: format!("a{n}"),
            disk,
            on: None,
            life: 0,
            booted_ms: 0,
            clock_off_ms: 0,
            device,
            token,
            saved: Vec::new(),
            image: None,
            wake: 0,
            cut_off_until_ms: 0,
            portal_until_ms: 0,
            cursors: BTreeMap::new(),
            dice,
        }
    }

    /// Starts the program over what is on the disk.
    ///
    /// # Errors
    /// If it does not open, as it says.
    pub(crate) fn start(&mut self, at_ms: u64, plant: Option<Plant>) -> Result<(), String> {
        self.life += 1;
        self.booted_ms = at_ms;
        let now = self.wall(at_ms);
        self.disk.set_time(now.0);
        let key = Key::from_bytes([7; 32]);
        let replica = Replica::open_on(&self.disk.system(), Path::new("/agent"), &key).map_err(|e| e.to_string())?;
        let (device, hub) = (self.device.clone(), "hub".parse::<RowId>().map_err(|e| e.to_string())?);
        replica.write(Priority::Person, |tx| tx.set_enrolled_again(&device, &hub, now)).map_err(|e| e.to_string())?;
        let policy = Policy { reconnect_spread_ms: 10_000, ..Policy::default() };
        let session = Session::new(Seat::new(replica.clone(), plant), policy);
        self.on = Some(Running { replica, session });
        Ok(())
    }

    /// Ends the program at once; what was not flushed is left to luck.
    pub(crate) fn die(&mut self) {
        self.disk.kill();
        self.on = None;
        self.disk.restart();
    }

    /// What its clock says.
    #[must_use]
    pub(crate) fn wall(&self, at_ms: u64) -> Millis {
        Millis(BEGIN_MS + i64::try_from(at_ms).unwrap_or(i64::MAX) + self.clock_off_ms)
    }

    /// The time as its session sees it.
    #[must_use]
    pub(crate) fn now(&self, at_ms: u64) -> Now {
        Now { mono_ms: at_ms.saturating_sub(self.booted_ms), wall: self.wall(at_ms), zone_min: 180 }
    }

    /// All that is safe now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (device, token) = (self.device.clone(), self.token.clone());
        Snapshot { disk: self.disk.image(), saved: self.saved.len(), device, token }
    }
}
