//! Answers of the hub as events for the engine. The replica is written first, so that the engine never believes more than
//! the disk holds.

use parkdesk_domain::wire::frame::{FrameError, Reader};
use parkdesk_domain::wire::{BlobCheckAnswer, BlobState, Judged, Limits, PushAnswer};
use parkdesk_domain::{BlobId, Millis};

use super::{Local, LocalError, RANGE, Session, Turn};
use crate::codec::{self, Expect, Received, Unanswered};
use crate::engine::{Event, Failure, FileWork, Now, Request};

/// Largest answer to a pull, decompressed.
const MOST_FRAMES: usize = 64 << 20;
/// Largest other answer.
const MOST_JSON: usize = 8 << 20;

impl<L: Local> Session<L> {
    /// Turns an answer into an event; the replica is written first.
    pub(super) fn answered(
        &mut self,
        now: Now,
        request: Request,
        received: Option<Received>,
        turn: &mut Turn,
    ) -> Event {
        let came = received.as_ref().map_or(0, |received| received.body.len() as u64);
        self.moved_down = self.moved_down.saturating_add(came);
        self.tally.bytes_down = self.tally.bytes_down.saturating_add(came);
        let result = match received {
            Some(received) => self.read_answer(now, &request, &received, turn),
            None => Err(Failure::Offline.into()),
        };
        result.unwrap_or_else(|Unanswered { failure, retry_after_ms }| Event::Failed {
            request: self.with_have(request),
            failure,
            retry_after_ms,
        })
    }

    /// A failed range keeps what came before it.
    fn with_have(&self, request: Request) -> Request {
        match request {
            Request::Fetch { id, .. } => {
                let have = self.partial.get(&id).map_or(0, |bytes| bytes.len() as u64);
                Request::Fetch { id, have }
            }
            Request::Limits
            | Request::Push
            | Request::Pull
            | Request::Check
            | Request::Part { .. }
            | Request::Complete { .. } => request,
        }
    }

    fn read_answer(
        &mut self,
        now: Now,
        request: &Request,
        received: &Received,
        turn: &mut Turn,
    ) -> Result<Event, Unanswered> {
        let mut local = |result: Result<(), LocalError>| {
            result.map_err(|error| {
                turn.errors.push(error);
                Unanswered::from(Failure::Local)
            })
        };
        match request {
            Request::Limits => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                Ok(Event::Limits(codec::read::<Limits>(&plain)?))
            }
            Request::Push => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                let answer: PushAnswer = codec::read(&plain)?;
                self.measure(now, answer.now_ms, received.took_ms);
                let asked: Vec<Judged> =
                    answer.verdicts.into_iter().filter(|judged| self.sent.contains(&judged.seq)).collect();
                local(self.local.apply_verdicts(&asked, answer.now_ms))?;
                self.tally.sent += asked.iter().filter(|judged| judged.verdict.is_final()).count() as u64;
                let sent = self.sent.iter().filter_map(|seq| self.outgoing.get(seq));
                self.went_up(sent.map(|bytes| bytes.len() as u64).sum());
                let after = self.outbox(now).unwrap_or_default();
                let is_forward = !after.iter().map(|command| command.seq).eq(self.work.outbox.iter().copied());
                Ok(Event::Pushed { is_forward })
            }
            Request::Pull => self.read_frames(now, received, turn),
            Request::Check => {
                let plain = codec::unpack(received, Expect::Json, MOST_JSON)?;
                let answer: BlobCheckAnswer = codec::read(&plain)?;
                let ids = self.checked.iter().map(|file| file.id.clone());
                let states: Vec<(BlobId, BlobState)> = ids.zip(answer.blobs).collect();
                for (id, state) in &states {
                    if let BlobState::Partial { parts } = state {
                        let done = parts.len() as u64 * self.engine.limits().part_bytes;
                        self.parts_done.insert(id.clone(), done);
                    }
                }
                for (id, _) in states.iter().filter(|(_, state)| *state == BlobState::Present) {
                    local(self.local.set_stored(id))?;
                }
                Ok(Event::Checked(states))
            }
            Request::Part { id, part } => {
                codec::unpack(received, Expect::Nothing, 0)?;
                let part_bytes = self.engine.limits().part_bytes;
                let size = self.work.uploads.iter().find(|f| f.id == *id).map_or(part_bytes, |f| f.size_bytes);
                let done = self.parts_done.entry(id.clone()).or_default();
                let before = *done;
                *done = before.saturating_add(part_bytes).min(size);
                let went = *done - before.min(*done);
                self.went_up(went);
                if self.is_whole(id) {
                    local(self.local.set_stored(id))?;
                    return Ok(Event::Completed { id: id.clone() });
                }
                Ok(Event::PartSent { id: id.clone(), part: *part })
            }
            Request::Complete { id } => {
                codec::unpack(received, Expect::Nothing, 0)?;
                local(self.local.set_stored(id))?;
                Ok(Event::Completed { id: id.clone() })
            }
            Request::Fetch { id, have } => self.read_range(now, (id, *have), received, turn),
        }
    }

    /// Whether the file travels in one piece, without a separate end.
    fn is_whole(&self, id: &BlobId) -> bool {
        let part_bytes = self.engine.limits().part_bytes;
        self.work.uploads.iter().any(|f| f.id == *id && f.size_bytes <= part_bytes)
    }

    fn measure(&mut self, now: Now, hub: Millis, took_ms: u64) {
        let half = i64::try_from(took_ms / 2).unwrap_or_default();
        self.offset_ms = Some(hub.0.saturating_add(half).saturating_sub(now.wall.0));
    }

    /// Each frame is one transaction; those before a bad one stand.
    fn read_frames(&mut self, now: Now, received: &Received, turn: &mut Turn) -> Result<Event, Unanswered> {
        let plain = codec::unpack(received, Expect::Frames, MOST_FRAMES)?;
        let mut failed = |error| {
            turn.errors.push(error);
            Unanswered::from(Failure::Local)
        };
        let before = self.local.cursors().map_err(&mut failed)?;
        for frame in Reader::new(&plain) {
            let frame = frame.map_err(|error| match error {
                FrameError::Cut { .. } => Unanswered::from(Failure::Offline),
                // The bytes came whole and are wrong all the same.
                FrameError::Line { .. } | FrameError::Count { .. } | FrameError::Hash | FrameError::Row { .. } | _ => {
                    Unanswered::from(Failure::HubError)
                }
            })?;
            self.local.apply_frame(&frame, now.wall.plus(self.offset_ms.unwrap_or(0))).map_err(&mut failed)?;
            self.tally.received = self.tally.received.saturating_add(frame.rows.len() as u64);
        }
        let after = self.local.cursors().map_err(&mut failed)?;
        Ok(Event::Pulled { is_forward: before != after })
    }

    fn read_range(
        &mut self,
        now: Now,
        (id, from): (&BlobId, u64),
        received: &Received,
        turn: &mut Turn,
    ) -> Result<Event, Unanswered> {
        let bytes = codec::unpack(received, Expect::Bytes, usize::try_from(RANGE).unwrap_or(usize::MAX))?;
        let size = self.work.downloads.iter().find(|f| f.id == *id).map_or(0, |f| f.size_bytes);
        let buffer = self.partial.entry(id.clone()).or_default();
        let begins_right = match &received.content_range {
            Some(range) => range.trim().starts_with(&format!("bytes {from}-")),
            None => from == 0 && received.status == 200,
        };
        if !begins_right || buffer.len() as u64 != from || from + bytes.len() as u64 > size {
            self.spoil(id, turn);
            return Ok(Event::Spoiled { id: id.clone() });
        }
        buffer.extend_from_slice(&bytes);
        let have = buffer.len() as u64;
        if have < size {
            self.keep_partial(id, from, &bytes);
            return if received.is_cut {
                Err(Failure::Offline.into())
            } else {
                Ok(Event::Fetched { id: id.clone(), have })
            };
        }
        let whole = self.partial.remove(id).unwrap_or_default();
        if BlobId::of(&whole) != *id {
            self.spoil(id, turn);
            return Ok(Event::Spoiled { id: id.clone() });
        }
        match self.local.keep_file(id, &whole, now.wall) {
            Ok(()) => Ok(Event::Fetched { id: id.clone(), have }),
            Err(error) => {
                turn.errors.push(error);
                Err(Failure::Local.into())
            }
        }
    }

    /// A convenience only: what cannot be kept now is fetched again after a restart.
    fn keep_partial(&self, id: &BlobId, from: u64, bytes: &[u8]) {
        if let Err(error) = self.local.keep_partial(id, from, bytes) {
            tracing::debug!(%error, "a part of a download could not be kept");
        }
    }

    /// What came of the file is of no use.
    pub(super) fn spoil(&mut self, id: &BlobId, turn: &mut Turn) {
        self.partial.remove(id);
        turn.errors.extend(self.local.drop_partial(id).err());
    }

    /// How much of the file is here already. At the first look this is what came before the program was started.
    pub(super) fn held_of(&mut self, file: &FileWork) -> Result<u64, LocalError> {
        if let Some(bytes) = self.partial.get(&file.id) {
            return Ok(bytes.len() as u64);
        }
        let mut kept = self.local.partial(&file.id)?;
        if kept.len() as u64 >= file.size_bytes {
            // Not a part of this file: a whole one is never kept as a part.
            self.local.drop_partial(&file.id)?;
            kept.clear();
        }
        let have = kept.len() as u64;
        self.partial.insert(file.id.clone(), kept);
        Ok(have)
    }
}
