//! The link as the use cases see it, whether there is one or not: it comes with enrolment, while the program runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use parkdesk_app::sync::{FileProgress, LinkProblem, LinkState, LinkStatus, SyncControl};
use parkdesk_domain::Millis;
use parkdesk_sqlite::Replica;

use super::enrolment;
use crate::clock;
use crate::driver::{Sync, SyncConfig};
use crate::engine::Policy;

/// The link.
#[derive(Default)]
pub(super) struct Line {
    now: Mutex<Now>,
}

#[derive(Default, Clone)]
enum Now {
    /// The appliance belongs to no hub.
    #[default]
    NotEnrolled,
    /// It belongs to one that cannot be asked at all, for this reason.
    Broken(String, Millis),
    /// At work.
    Up(Arc<Sync>),
}

impl Line {
    /// Starts the link of an enrolled replica. Needs a tokio runtime; reads the replica.
    pub(super) fn connect(&self, replica: &Replica, reconnect_spread: Duration) {
        let now = match enrolment::link(replica) {
            Ok(None) => {
                tracing::warn!("not enrolled: photos wait until the appliance was enrolled");
                Now::NotEnrolled
            }
            Ok(Some((link, token))) => {
                crate::install_crypto();
                let spread = u64::try_from(reconnect_spread.as_millis()).unwrap_or(u64::MAX);
                let policy = Policy { reconnect_spread_ms: spread, ..Policy::default() };
                let started = link.authority().and_then(|ca| {
                    let (clock, zone) = (clock::now, clock::zone_min);
                    let config = SyncConfig { hub_url: link.url, token, ca, policy, clock, zone };
                    Sync::start(config, replica.clone()).map_err(|error| error.to_string())
                });
                started.map_or_else(|why| Now::Broken(why, clock::now()), Now::Up)
            }
            Err(why) => Now::Broken(why, clock::now()),
        };
        if let Now::Broken(why, _) = &now {
            tracing::error!(%why, "the link to the hub cannot be used");
        }
        *self.lock() = now;
    }

    /// Says that the replica changed.
    pub(super) fn poke(&self) {
        if let Now::Up(sync) = self.now() {
            sync.poke();
        }
    }

    /// Ends the link and waits until it has ended.
    pub(super) async fn close(&self) {
        let was = std::mem::take(&mut *self.lock());
        if let Now::Up(sync) = was {
            sync.stop().await;
        }
    }

    fn now(&self) -> Now {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SyncControl for Line {
    fn status(&self) -> LinkStatus {
        match self.now() {
            Now::NotEnrolled => LinkStatus::new(LinkState::NotEnrolled),
            Now::Broken(message, at_ms) => LinkStatus {
                last_problem: Some(LinkProblem { code: "link_broken".into(), message, at_ms }),
                ..LinkStatus::new(LinkState::Offline)
            },
            Now::Up(sync) => sync.status(),
        }
    }

    fn sync_now(&self) {
        if let Now::Up(sync) = self.now() {
            sync.sync_now();
        }
    }

    fn pause(&self, until: Option<Millis>) {
        if let Now::Up(sync) = self.now() {
            sync.pause(until);
        }
    }

    fn resume(&self) {
        if let Now::Up(sync) = self.now() {
            sync.resume();
        }
    }

    fn files(&self) -> Vec<FileProgress> {
        match self.now() {
            Now::NotEnrolled | Now::Broken(..) => Vec::new(),
            Now::Up(sync) => sync.files(),
        }
    }
}
