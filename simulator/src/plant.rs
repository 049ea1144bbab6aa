//! Bugs planted to prove the harness: each is a way in which such systems have failed, put into what the simulator itself
//! brings (disk, link, driver's loop, the hub's shell, a wrapper around the replica), so that none of them can ever reach
//! the product (docs/adr/0006).

use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{Cursor, FrameHead, Judged};
use parkdesk_domain::{BlobId, Millis};
use parkdesk_sqlite::Replica;
use parkdesk_sync_agent::engine::{FileWork, Rules};
use parkdesk_sync_agent::session::{Local, LocalError, Outgoing, Sender, Tally};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The disk says that it flushed, and did not.
    DroppedFsync,
    /// A cut page is taken for a whole one.
    PageBeforeTrailer,
    /// The cursor is written before the rows, in a transaction of its own.
    CursorApart,
    /// The hub forgets after a minute which commands it judged.
    DedupByTime,
    /// A request may take for ever, as long as a byte comes now and then.
    NoTotalTimeout,
    /// Work is looked at only when something happens, never because time passed.
    EdgeTriggered,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::DroppedFsync,
        Self::PageBeforeTrailer,
        Self::CursorApart,
        Self::DedupByTime,
        Self::NoTotalTimeout,
        Self::EdgeTriggered,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DroppedFsync => "dropped-fsync",
            Self::PageBeforeTrailer => "page-before-trailer",
            Self::CursorApart => "cursor-apart",
            Self::DedupByTime => "dedup-by-time",
            Self::NoTotalTimeout => "no-total-timeout",
            Self::EdgeTriggered => "edge-triggered",
        }
    }
}

/// The replica as the session sees it: the real one, or one with the cursor apart.
pub(crate) struct Seat {
    replica: Replica,
    is_apart: bool,
}

impl Seat {
    pub(crate) fn new(replica: Replica, plant: Option<Plant>) -> Self {
        Self { replica, is_apart: plant == Some(Plant::CursorApart) }
    }
}

type Done<T> = Result<T, LocalError>;

impl Local for Seat {
    fn sender(&self) -> Done<Option<Sender>> {
        self.replica.sender()
    }

    fn is_revoked(&self) -> Done<bool> {
        Local::is_revoked(&self.replica)
    }

    fn outbox(&self, most: u32, bytes: u64, hub_now: Millis) -> Done<Vec<Outgoing>> {
        self.replica.outbox(most, bytes, hub_now)
    }

    fn mark_sent(&self, seqs: &[u64], now: Millis) -> Done<()> {
        self.replica.mark_sent(seqs, now)
    }

    fn uploads(&self, most: u32) -> Done<Vec<FileWork>> {
        self.replica.uploads(most)
    }

    fn downloads(&self, most: u32) -> Done<Vec<FileWork>> {
        self.replica.downloads(most)
    }

    fn cursors(&self) -> Done<Vec<Cursor>> {
        self.replica.cursors()
    }

    fn apply_verdicts(&self, verdicts: &[Judged], now: Millis) -> Done<()> {
        self.replica.apply_verdicts(verdicts, now)
    }

    fn apply_frame(&self, frame: &Frame, now: Millis) -> Done<()> {
        if !self.is_apart || frame.rows.is_empty() || frame.head.refused.is_some() {
            return self.replica.apply_frame(frame, now);
        }
        self.replica.apply_frame(&Frame { head: frame.head.clone(), rows: Vec::new() }, now)?;
        let head = FrameHead { from: frame.head.to, ..frame.head.clone() };
        self.replica.apply_frame(&Frame { head, rows: frame.rows.clone() }, now)
    }

    fn read_file(&self, id: &BlobId) -> Done<Vec<u8>> {
        Local::read_file(&self.replica, id)
    }

    fn keep_file(&self, id: &BlobId, plain: &[u8], now: Millis) -> Done<()> {
        self.replica.keep_file(id, plain, now)
    }

    fn partial(&self, id: &BlobId) -> Done<Vec<u8>> {
        Local::partial(&self.replica, id)
    }

    fn keep_partial(&self, id: &BlobId, from: u64, plain: &[u8]) -> Done<()> {
        Local::keep_partial(&self.replica, id, from, plain)
    }

    fn drop_partial(&self, id: &BlobId) -> Done<()> {
        Local::drop_partial(&self.replica, id)
    }

    fn set_stored(&self, id: &BlobId) -> Done<()> {
        self.replica.set_stored(id)
    }

    fn park_file(&self, id: &BlobId, reason: &'static str, now: Millis) -> Done<()> {
        self.replica.park_file(id, reason, now)
    }

    fn open_epoch(&self, now: Millis) -> Done<()> {
        self.replica.open_epoch(now)
    }

    fn rules(&self) -> Done<Rules> {
        self.replica.rules()
    }

    fn keep_tally(&self, tally: Tally, last_contact: Option<Millis>, now: Millis) -> Done<()> {
        self.replica.keep_tally(tally, last_contact, now)
    }
}
