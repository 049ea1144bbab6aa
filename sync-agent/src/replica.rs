//! The session's view of the replica. Every method is one read or one write transaction; writes yield to people
//! (`Priority::Sync`).

use std::collections::BTreeSet;
use std::error::Error;

use parkdesk_app::sync::{HoursView, LAST_CONTACT, NetworkMode, POLICY, SEND_NOW, SyncPolicy, TALLY, minute_of};
use parkdesk_domain::body::FileClass;
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{Cursor, Judged};
use parkdesk_domain::{BlobId, Kind, Millis, RowId};
use parkdesk_sqlite::{Download, Error as ReplicaError, Origin, Priority, ReadTx, Replica, Result, WriteTx};

use crate::engine::{FileWork, Hours, Rules};
use crate::session::{Local, LocalError, Outgoing, Sender, Tally};

/// Files among which a fetched one is looked up: more than the session looks at.
const LOOKED_AT: u32 = 256;
/// Files among which those are looked for that somebody asked for at once.
const MOST_LISTED: u32 = 20_000;

fn read<T>(replica: &Replica, f: impl FnOnce(&ReadTx<'_>) -> Result<T>) -> std::result::Result<T, LocalError> {
    replica.read(f).map_err(fault)
}

fn write<T>(replica: &Replica, f: impl FnOnce(&mut WriteTx<'_>) -> Result<T>) -> std::result::Result<T, LocalError> {
    replica.write(Priority::Sync, f).map_err(fault)
}

fn fault(error: impl Error + Send + Sync + 'static) -> LocalError {
    LocalError(Box::new(error))
}

fn wanted(replica: &Replica, id: &BlobId) -> std::result::Result<Option<Download>, LocalError> {
    let most = if urgent(replica)?.contains(id) { MOST_LISTED } else { LOOKED_AT };
    let list = read(replica, |tx| tx.wanted_downloads(most))?;
    Ok(list.into_iter().find(|download| download.id == *id))
}

type Listed = (BlobId, u64, FileClass);

/// The next files: those that somebody asked for at once, then the others in their order.
fn pick(
    replica: &Replica,
    most: u32,
    list: impl Fn(u32) -> std::result::Result<Vec<Listed>, LocalError>,
) -> std::result::Result<Vec<FileWork>, LocalError> {
    let urgent = urgent(replica)?;
    let listed = list(if urgent.is_empty() { most } else { MOST_LISTED })?;
    let mut files: Vec<(bool, FileWork)> = listed
        .into_iter()
        .map(|(id, size_bytes, class)| {
            let is_urgent = urgent.contains(&id);
            let can_wait = class == FileClass::Original && !is_urgent;
            (is_urgent, FileWork { id, size_bytes, can_wait })
        })
        .collect();
    files.sort_by_key(|(is_urgent, _)| !is_urgent);
    Ok(files.into_iter().take(most as usize).map(|(_, file)| file).collect())
}

/// Files that somebody asked for at once.
fn urgent(replica: &Replica) -> std::result::Result<BTreeSet<BlobId>, LocalError> {
    let list = read(replica, |tx| tx.setting(SEND_NOW))?;
    Ok(list.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default())
}

/// A file that has arrived is not asked for any more.
fn settle_urgent(replica: &Replica, id: &BlobId) -> std::result::Result<(), LocalError> {
    let mut list = urgent(replica)?;
    if !list.remove(id) {
        return Ok(());
    }
    let text = serde_json::to_string(&list).map_err(fault)?;
    write(replica, |tx| tx.set_setting(SEND_NOW, &text))
}

fn rules_of(policy: &SyncPolicy) -> Rules {
    let hours = |hours: &HoursView| {
        let (from_min, to_min) = (minute_of(&hours.from)?, minute_of(&hours.to)?);
        Some(Hours { days: hours.days.clone(), from_min, to_min })
    };
    Rules { is_metered: policy.mode == NetworkMode::Metered, hours: policy.schedule.iter().filter_map(hours).collect() }
}

impl Local for Replica {
    fn sender(&self) -> std::result::Result<Option<Sender>, LocalError> {
        read(self, |tx| {
            let Some(device) = tx.device()? else { return Ok(None) };
            let (epoch, floor, hub_epoch) = (tx.epoch()?, tx.push_floor()?, tx.hub_epoch()?);
            Ok(Some(Sender { device, epoch, floor, hub_epoch }))
        })
    }

    fn is_revoked(&self) -> std::result::Result<bool, LocalError> {
        read(self, |tx| tx.is_revoked())
    }

    fn outbox(&self, most: u32, bytes: u64, hub_now: Millis) -> std::result::Result<Vec<Outgoing>, LocalError> {
        let pending = read(self, |tx| tx.outbox_batch(most, bytes, hub_now))?;
        Ok(pending.into_iter().map(|command| Outgoing { seq: command.seq, bytes: command.bytes }).collect())
    }

    fn mark_sent(&self, seqs: &[u64], now: Millis) -> std::result::Result<(), LocalError> {
        write(self, |tx| tx.mark_sent(seqs, now))
    }

    fn uploads(&self, most: u32) -> std::result::Result<Vec<FileWork>, LocalError> {
        let files = |most| read(self, |tx| tx.uploads(most));
        pick(self, most, |most| Ok(files(most)?.into_iter().map(|f| (f.id, f.size_bytes, f.class)).collect()))
    }

    fn downloads(&self, most: u32) -> std::result::Result<Vec<FileWork>, LocalError> {
        let files = |most| read(self, |tx| tx.wanted_downloads(most));
        pick(self, most, |most| Ok(files(most)?.into_iter().map(|f| (f.id, f.size_bytes, f.class)).collect()))
    }

    fn cursors(&self) -> std::result::Result<Vec<Cursor>, LocalError> {
        read(self, |tx| tx.cursors())
    }

    fn apply_verdicts(&self, verdicts: &[Judged], now: Millis) -> std::result::Result<(), LocalError> {
        write(self, |tx| tx.apply_verdicts(verdicts, now))
    }

    fn apply_frame(&self, frame: &Frame, now: Millis) -> std::result::Result<(), LocalError> {
        write(self, |tx| tx.apply_frame(frame, now).map(|_| ()))?;
        // A photo that shows another driver than before is sealed with that driver's key.
        let photos: Vec<RowId> =
            frame.rows.iter().filter(|row| row.kind == Kind::Photo).map(|row| row.id.clone()).collect();
        if !photos.is_empty() {
            // The frame is applied already: a file that keeps its old seal is tried again at the next start.
            if let Err(error) = self.reseal(Some(&photos)) {
                tracing::warn!(%error, "a file could not be sealed for another driver");
            }
        }
        // A scope that was left takes its files along.
        self.empty_trash().map_err(fault)
    }

    fn read_file(&self, id: &BlobId) -> std::result::Result<Vec<u8>, LocalError> {
        Replica::read_file(self, id).map_err(fault)
    }

    fn keep_file(&self, id: &BlobId, plain: &[u8], now: Millis) -> std::result::Result<(), LocalError> {
        // Nobody wants it any more: the scope was left while it came.
        let Some(download) = wanted(self, id)? else { return Ok(()) };
        let stored = match self.put_file(&download.driver, download.class, plain) {
            // Nobody may read it any more: fetching it again brings nothing.
            Err(ReplicaError::KeyDestroyed(_)) => {
                return write(self, |tx| tx.park_blob(&download, "key_destroyed", now));
            }
            stored => stored.map_err(fault)?,
        };
        write(self, |tx| tx.add_blob(&stored.to_blob(Origin::Hub), now))?;
        Replica::drop_partial(self, &download).map_err(fault)?;
        settle_urgent(self, id)?;
        self.empty_trash().map_err(fault)
    }

    fn partial(&self, id: &BlobId) -> std::result::Result<Vec<u8>, LocalError> {
        match wanted(self, id)? {
            Some(download) => Replica::partial(self, &download).map_err(fault),
            None => Ok(Vec::new()),
        }
    }

    fn keep_partial(&self, id: &BlobId, from: u64, plain: &[u8]) -> std::result::Result<(), LocalError> {
        match wanted(self, id)? {
            Some(download) => Replica::keep_partial(self, &download, from, plain).map_err(fault),
            None => Ok(()),
        }
    }

    fn drop_partial(&self, id: &BlobId) -> std::result::Result<(), LocalError> {
        match wanted(self, id)? {
            Some(download) => Replica::drop_partial(self, &download).map_err(fault),
            // What nobody wants any more is swept at the next start.
            None => Ok(()),
        }
    }

    fn set_stored(&self, id: &BlobId) -> std::result::Result<(), LocalError> {
        write(self, |tx| tx.set_blob_stored(id))?;
        settle_urgent(self, id)
    }

    fn park_file(&self, id: &BlobId, reason: &'static str, now: Millis) -> std::result::Result<(), LocalError> {
        match wanted(self, id)? {
            Some(download) => write(self, |tx| tx.park_blob(&download, reason, now)),
            None => write(self, |tx| tx.park_upload(id, reason, now)),
        }
    }

    fn open_epoch(&self, now: Millis) -> std::result::Result<(), LocalError> {
        write(self, |tx| tx.begin_epoch(now))
    }

    fn rules(&self) -> std::result::Result<Rules, LocalError> {
        let policy = read(self, |tx| tx.setting(POLICY))?;
        // What cannot be read holds nothing up.
        let policy: SyncPolicy = policy.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Ok(rules_of(&policy))
    }

    fn keep_tally(
        &self,
        tally: Tally,
        last_contact: Option<Millis>,
        now: Millis,
    ) -> std::result::Result<(), LocalError> {
        let Tally { sent, received, bytes_up, bytes_down, problems } = tally;
        let is_quiet = tally == Tally::default();
        let waiting = read(self, |tx| tx.pending_summary())?.count;
        let line = parkdesk_app::sync::Tally { sent, received, bytes_up, bytes_down, problems, waiting };
        let line = serde_json::to_string(&line).map_err(fault)?;
        write(self, |tx| {
            if let Some(at) = last_contact {
                tx.set_setting(LAST_CONTACT, &at.0.to_string())?;
            }
            if is_quiet { Ok(()) } else { tx.log_sync(TALLY, &line, now) }
        })
    }
}

#[cfg(test)]
mod tests {
    use parkdesk_domain::wire::PullRequest;
    use parkdesk_domain::wire::frame;
    use parkdesk_domain::wire::{FrameHead, Limits};

    use super::*;
    use crate::codec::Received;
    use crate::engine::{Event, Now, Policy, Request, Standing};
    use crate::session::{Input, Order, Session, Turn};

    fn step(session: &mut Session<Replica>, input: Input) -> Turn {
        let turn = session.step(Now { mono_ms: 1000, wall: Millis(1), zone_min: 0 }, 7, input);
        assert!(turn.errors.is_empty(), "{:?}", turn.errors);
        turn
    }

    fn pulled(orders: &[Order]) -> PullRequest {
        let order = orders.iter().find(|order| order.request == Request::Pull).expect("a pull");
        serde_json::from_slice(&order.body).expect("a short body is sent plain")
    }

    #[test]
    fn a_replica_that_has_no_hub_asks_nothing() {
        let mut session = Session::new(Replica::in_memory().unwrap(), Policy::default());
        assert!(step(&mut session, Input::Event(Event::Tick)).orders.is_empty());
        assert_eq!(session.view().link.state, Standing::NotEnrolled);
    }

    #[test]
    fn a_frame_moves_the_cursor_of_the_next_pull() {
        let replica = Replica::in_memory().unwrap();
        let (device, hub) = ("d1".parse().unwrap(), "h1".parse().unwrap());
        write(&replica, |tx| tx.set_enrolled(&device, &hub, Millis(1))).unwrap();
        let mut session = Session::new(replica, Policy::default());
        let turn = step(&mut session, Input::Event(Event::Tick));
        let asked = pulled(&turn.orders);
        assert_eq!(asked.scopes.iter().map(|c| c.id.to_string()).collect::<Vec<_>>(), ["device/d1"]);
        assert_eq!(asked.wait_ms, Limits::default().wait_ms);
        let scope = asked.scopes.into_iter().next().unwrap().id;
        let head = FrameHead { scope, epoch: 1, from: 0, to: 4, head: 4, schema: 1, refused: None };
        let mut body = Vec::new();
        frame::encode(&head, &[], &mut body).unwrap();
        let whole = Received { status: 200, content_type: "application/x-ndjson".into(), ..Received::default() };
        for end in 1..body.len() {
            let received = Received { body: body[..end].to_vec(), ..whole.clone() };
            let turn = session.step(
                Now { mono_ms: 1000, wall: Millis(1), zone_min: 0 },
                7,
                Input::Answer { request: Request::Pull, received: Some(received) },
            );
            assert!(!turn.orders.iter().any(|order| order.request == Request::Pull), "cut at {end}");
        }
        step(&mut session, Input::Event(Event::SyncNow));
        let received = Some(Received { body, ..whole });
        let turn = step(&mut session, Input::Answer { request: Request::Pull, received });
        let cursor = pulled(&turn.orders).scopes.into_iter().next().unwrap();
        assert_eq!((cursor.epoch, cursor.version), (1, 4));
    }

    #[test]
    fn what_a_person_wants_is_read_at_every_step_and_what_the_link_did_is_kept() {
        let replica = Replica::in_memory().unwrap();
        let (device, hub) = ("d1".parse().unwrap(), "h1".parse().unwrap());
        write(&replica, |tx| tx.set_enrolled(&device, &hub, Millis(1))).unwrap();
        let policy = |text: &str| write(&replica, |tx| tx.set_setting(POLICY, text)).unwrap();
        // The first of January 1970 was a Thursday.
        policy(r#"{"mode": "metered", "schedule": [{"days": [5], "from": "00:00", "to": "24:00"}]}"#);
        let mut session = Session::new(replica.clone(), Policy::default());
        assert!(step(&mut session, Input::Event(Event::LocalChange)).orders.is_empty());
        policy(r#"{"mode": "metered", "schedule": [{"days": [4], "from": "00:00", "to": "00:30"}]}"#);
        let turn = step(&mut session, Input::Event(Event::LocalChange));
        assert!(turn.orders.iter().any(|order| order.request == Request::Pull));
        assert!(replica.rules().unwrap().is_metered);
        policy("of another version");
        assert_eq!(replica.rules().unwrap(), Rules::default(), "what cannot be read holds nothing up");

        step(&mut session, Input::Answer { request: Request::Pull, received: None });
        let log = read(&replica, |tx| tx.sync_log(10)).unwrap();
        let line: parkdesk_app::sync::Tally = serde_json::from_str(&log[0].detail).unwrap();
        assert_eq!((log[0].event.as_str(), line.problems), (TALLY, 1));
        let tally = Tally { sent: 3, ..Tally::default() };
        replica.keep_tally(tally, Some(Millis(77)), Millis(80)).unwrap();
        assert_eq!(read(&replica, |tx| tx.setting(LAST_CONTACT)).unwrap().as_deref(), Some("77"));
        replica.keep_tally(Tally::default(), Some(Millis(99)), Millis(100)).unwrap();
        assert_eq!(read(&replica, |tx| tx.setting(LAST_CONTACT)).unwrap().as_deref(), Some("99"));
        assert_eq!(read(&replica, |tx| tx.sync_log(10)).unwrap().len(), 2, "a quiet while is no line");
    }
}
