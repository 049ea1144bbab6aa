//! Applying frames (protocol, "Pull"): rows and cursor in one transaction. A frame that does not follow the cursor changes
//! nothing; one of another scope epoch begins the scope again by mark and sweep, sparing what pending commands made.

use std::collections::BTreeSet;

use parkdesk_domain::ids::Millis;
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::scope::Scope;
use parkdesk_domain::wire::frame::Frame;
use parkdesk_domain::wire::{Cursor, ScopeRefusal};

use crate::change::ChangeTag;
use crate::error::Result;
use crate::rows::row_ref;
use crate::tx::WriteTx;

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameOutcome {
    /// Applied; the scope is at its head if `is_head`.
    Applied {
        /// Nothing newer is known.
        is_head: bool,
    },
    /// Its rows are here already.
    Old,
    /// It does not follow the cursor: pull again from the cursor.
    Gap,
    /// The scope is begun again: pull from zero.
    StartedOver,
    /// Not a scope of this replica, or not served any more.
    NotHeld,
}

impl WriteTx<'_> {
    /// Applies a frame.
    ///
    /// # Errors
    /// If the file fails.
    pub fn apply_frame(&mut self, frame: &Frame, now: Millis) -> Result<FrameOutcome> {
        let head = &frame.head;
        let Some(cursor) = self.cursor(&head.scope)? else { return Ok(FrameOutcome::NotHeld) };
        if head.refused != Some(ScopeRefusal::NotSubscribed) && head.refused != Some(ScopeRefusal::Other) {
            self.look_for_restore(head.epoch, now)?;
        }
        if let Some(refused) = head.refused {
            return match refused {
                ScopeRefusal::StartOver => {
                    let outcome = self.start_over(&head.scope, head.epoch)?;
                    // There is nothing to come: no frame will be the last one.
                    if head.head == 0 {
                        self.apply_rows(frame, now)?;
                    }
                    Ok(outcome)
                }
                // The device scope says what is subscribed; this only says that it has not come yet.
                ScopeRefusal::NotSubscribed | ScopeRefusal::Other => Ok(FrameOutcome::NotHeld),
            };
        }
        let is_new = cursor.epoch == 0 && cursor.version == 0;
        if cursor.epoch != head.epoch && !is_new {
            self.start_over(&head.scope, head.epoch)?;
            if head.from != 0 {
                return Ok(FrameOutcome::StartedOver);
            }
        } else if head.from > cursor.version {
            return Ok(FrameOutcome::Gap);
        } else if head.from < cursor.version {
            return Ok(FrameOutcome::Old);
        }
        self.apply_rows(frame, now)?;
        Ok(FrameOutcome::Applied { is_head: head.to >= head.head })
    }

    fn apply_rows(&mut self, frame: &Frame, now: Millis) -> Result<()> {
        let (head, scope) = (&frame.head, &frame.head.scope);
        let is_head = head.to >= head.head;
        let was_whole = self.is_known_whole(scope)?;
        let judged = self.verdicts_in(scope, &frame.rows)?;
        let mut gone = self.note_verdicts(&judged, now)?;
        self.set_cursor(scope, head.epoch, head.to, is_head)?;
        gone.extend(self.reached()?);
        self.leave(&gone, now)?;
        // The first head turns what was unknown into what is not there.
        let mut changed = if is_head && !was_whole { self.touched_in(scope)? } else { BTreeSet::new() };
        // With an empty queue there is nothing that could rest on a row.
        let is_pending = self.one("SELECT 1 FROM outbox LIMIT 1", [], |_| Ok(()))?.is_some();
        if is_pending {
            for row in &frame.rows {
                let at = RowRef { scope: scope.clone(), kind: row.kind.clone(), id: row.id.clone() };
                changed.extend(self.touches_of(&at, Some(&row.body))?);
            }
        }
        let swept = if is_head { self.unseen(frame)? } else { Vec::new() };
        for row in &swept {
            changed.extend(self.touches_of(row, None)?);
        }
        self.rebase(changed, &gone, |tx| {
            let is_swept = tx.one("SELECT 1 FROM sweep LIMIT 1", [], |_| Ok(()))?.is_some();
            for row in &frame.rows {
                let is_anew = is_swept && tx.see_anew(scope, row.kind.as_str(), row.id.as_str())?;
                tx.put_hub_row(scope, row, is_anew)?;
            }
            for row in &swept {
                tx.see_anew(scope, row.kind.as_str(), row.id.as_str())?;
                tx.delete_hub_row(row)?;
            }
            Ok(())
        })?;
        if !gone.is_empty() || frame.rows.iter().any(|row| row.kind == Kind::Photo) {
            self.let_go_withdrawn()?;
        }
        if self.device_scope()?.as_ref() == Some(scope) {
            self.tag(ChangeTag::Identity);
            self.follow_subscriptions()?;
            // Commands that waited only for a scope that is left have nothing more to wait for.
            self.let_reached_leave(BTreeSet::new(), now)?;
        }
        self.tag(ChangeTag::Sync);
        self.purge_left_scopes()
    }

    /// Marks the rows of a scope and sets its cursor to zero; what does not come again is swept at the head.
    fn start_over(&mut self, scope: &Scope, epoch: u64) -> Result<FrameOutcome> {
        let sql = "INSERT OR IGNORE INTO sweep (scope, kind, id) SELECT scope, kind, id FROM rows WHERE scope = ?1";
        self.exec(sql, [scope.to_string()])?;
        // A row that only a pending command made is not the hub's to sweep.
        let sql = "DELETE FROM sweep WHERE (scope, kind, id) IN
                       (SELECT scope, kind, id FROM shadow WHERE scope = ?1 AND is_present = 0)";
        self.exec(sql, [scope.to_string()])?;
        let sql = "INSERT OR IGNORE INTO sweep (scope, kind, id)
                   SELECT scope, kind, id FROM shadow WHERE scope = ?1 AND is_present = 1";
        self.exec(sql, [scope.to_string()])?;
        self.set_cursor(scope, epoch, 0, false)?;
        self.tag(ChangeTag::Sync);
        Ok(FrameOutcome::StartedOver)
    }

    fn see_anew(&self, scope: &Scope, kind: &str, id: &str) -> Result<bool> {
        let sql = "DELETE FROM sweep WHERE scope = ?1 AND kind = ?2 AND id = ?3";
        Ok(self.exec(sql, (scope.to_string(), kind, id))? > 0)
    }

    /// Marked rows that the frame, the last one, does not bring either.
    fn unseen(&self, frame: &Frame) -> Result<Vec<RowRef>> {
        let scope = frame.head.scope.to_string();
        let marked = self.all("SELECT kind, id FROM sweep WHERE scope = ?1", [&scope], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let brought: BTreeSet<(&str, &str)> =
            frame.rows.iter().map(|row| (row.kind.as_str(), row.id.as_str())).collect();
        let unseen = marked.iter().filter(|(kind, id)| !brought.contains(&(kind.as_str(), id.as_str())));
        unseen.map(|(kind, id)| row_ref(&scope, kind, id)).collect()
    }

    /// Removes all rows of a scope that is left.
    pub(crate) fn purge_rows(&mut self, scope: &Scope) -> Result<()> {
        let text = scope.to_string();
        let rows = self.all("SELECT kind, id FROM rows WHERE scope = ?1", [&text], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows: Vec<RowRef> = rows.iter().map(|(kind, id)| row_ref(&text, kind, id)).collect::<Result<_>>()?;
        // What is not held is unknown again.
        let mut changed = self.touched_in(scope)?;
        for row in &rows {
            changed.extend(self.touches_of(row, None)?);
        }
        self.rebase(changed, &BTreeSet::new(), |tx| rows.iter().try_for_each(|row| tx.delete_hub_row(row)))?;
        self.exec("DELETE FROM sweep WHERE scope = ?1", [&text])?;
        Ok(())
    }
}

/// A cursor as it is stored.
pub(crate) fn cursor_of(scope: Scope, epoch: u64, version: u64) -> Cursor {
    Cursor { id: scope, epoch, version }
}
