//! Pull: frames of whole versions. The asked scopes are read first and the device's own scope last, but it is sent first
//! and to its head, so that an effect never arrives before its verdict (docs/protocol.md#pull).
//!
//! Waiting is the shell's business: it asks, and if [`Pulled::is_news`] is false waits for an announcement and asks
//! again, holding nothing of the store meanwhile.

use std::collections::BTreeSet;

use parkdesk_domain::Scope;
use parkdesk_domain::row::SCHEMA;
use parkdesk_domain::wire::{Cursor, FrameHead, ProblemCode, PullRequest, ScopeRefusal, frame};

use super::Fault;
use crate::store::{Caller, Page, PageSize, Store};

/// A frame beyond its first version: what a replica plans again within 50 ms.
const FRAME: PageSize = PageSize { rows: 500, bytes: 512 << 10 };
/// Bytes of frames in one answer, besides the device's own scope.
const ANSWER_BYTES: usize = 4 << 20;
/// Scopes in one pull.
const MAX_SCOPES: usize = 1000;

/// Frames for an answer.
#[derive(Debug)]
pub struct Pulled {
    /// NDJSON.
    pub body: Vec<u8>,
    /// There is something that the replica does not know.
    pub is_news: bool,
    /// What to wait for if there is not.
    pub watched: BTreeSet<Scope>,
}

/// `POST /v1/pull` of `caller`, without waiting. A revoked device gets its own scope only, where the revocation is a row
/// like any other, and has nothing to wait for.
///
/// # Errors
/// `too_large`, or the store failed.
pub async fn pull<S: Store>(store: &S, caller: &Caller, request: &PullRequest) -> Result<Pulled, Fault> {
    if request.scopes.len() > MAX_SCOPES {
        return Err(Fault::new(ProblemCode::TooLarge, format!("a pull asks for at most {MAX_SCOPES} scopes")));
    }
    let own = Scope::Device(caller.device.clone());
    let allowed = store.subscriptions(&caller.device).await?;
    let mut seen = BTreeSet::from([own.clone()]);
    let mut asked: Vec<Cursor> = request.scopes.iter().filter(|c| seen.insert(c.id.clone())).cloned().collect();
    if caller.revoked {
        asked.clear();
    }
    let mut frames = Frames::default();
    for cursor in asked.iter().filter(|cursor| !allowed.contains(&cursor.id)) {
        frames.refuse(cursor, ScopeRefusal::NotSubscribed, 0, 0)?;
    }
    asked.retain(|cursor| allowed.contains(&cursor.id));
    let watched = asked.iter().map(|cursor| cursor.id.clone()).chain([own.clone()]).collect();
    // In turns, so that a scope far behind does not keep the others waiting.
    while !asked.is_empty() && frames.body.len() < ANSWER_BYTES {
        let mut behind = Vec::new();
        for cursor in asked {
            if frames.body.len() < ANSWER_BYTES {
                behind.extend(frames.next(store, &cursor).await?);
            }
        }
        asked = behind;
    }
    let mut device_frames = Frames { always: true, ..Frames::default() };
    let none = Cursor { id: own.clone(), epoch: 0, version: 0 };
    let mut cursor = request.scopes.iter().find(|cursor| cursor.id == own).cloned().or(Some(none));
    while let Some(at) = cursor {
        cursor = device_frames.next(store, &at).await?;
        device_frames.always = false;
    }
    let is_news = frames.is_news || device_frames.is_news || caller.revoked;
    let mut body = device_frames.body;
    body.append(&mut frames.body);
    Ok(Pulled { body, is_news, watched })
}

#[derive(Default)]
struct Frames {
    body: Vec<u8>,
    is_news: bool,
    /// Also say that there is nothing new.
    always: bool,
}

impl Frames {
    /// Adds the scope's next frame; answers where to go on if there is more.
    async fn next<S: Store>(&mut self, store: &S, cursor: &Cursor) -> Result<Option<Cursor>, Fault> {
        let page = store.page(&cursor.id, cursor.version, FRAME).await?;
        // A cursor above the head, or one of another epoch: what it has is not what the hub has.
        let goes_on = cursor.version <= page.head && (cursor.version == 0 || cursor.epoch == page.epoch);
        if !goes_on {
            self.refuse(cursor, ScopeRefusal::StartOver, page.epoch, page.head)?;
            return Ok(None);
        }
        if page.to > cursor.version || cursor.epoch != page.epoch {
            self.is_news = true;
        } else if !self.always {
            return Ok(None);
        }
        self.encode(cursor, &page)?;
        let more = page.to < page.head;
        Ok(more.then(|| Cursor { id: cursor.id.clone(), epoch: page.epoch, version: page.to }))
    }

    fn encode(&mut self, cursor: &Cursor, page: &Page) -> Result<(), Fault> {
        let head = FrameHead {
            scope: cursor.id.clone(),
            epoch: page.epoch,
            from: cursor.version,
            to: page.to,
            head: page.head,
            schema: SCHEMA,
            refused: None,
        };
        frame::encode(&head, &page.rows, &mut self.body).map_err(|e| broken(&e))
    }

    fn refuse(&mut self, cursor: &Cursor, why: ScopeRefusal, epoch: u64, head: u64) -> Result<(), Fault> {
        self.is_news = true;
        let head =
            FrameHead { scope: cursor.id.clone(), epoch, from: 0, to: 0, head, schema: SCHEMA, refused: Some(why) };
        frame::encode(&head, &[], &mut self.body).map_err(|e| broken(&e))
    }
}

fn broken(error: &serde_json::Error) -> Fault {
    Fault::new(ProblemCode::Unavailable, format!("a frame does not encode: {error}"))
}
