//! Which commands go into the next push.
//!
//! Normally all that fit. After a failure the batch is halved, so that a bad link gets small bodies through; a batch that
//! the hub chokes on is halved until one command is left; that one travels alone, in turn with the others, less and less
//! often (sync.md, pain 3). Order needs no care here: the hub answers `deferred missing` to a command whose `after` it has not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::transfers::Draw;

#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    /// 0 = no bound of ours.
    most: usize,
    last: Vec<u64>,
    alone: BTreeMap<u64, Alone>,
    /// The last batch was a troubled command: the others come first now.
    was_alone: bool,
}

/// A command that waits alone.
#[derive(Debug, Clone, Default)]
struct Alone {
    failures: u32,
    not_before_ms: u64,
}

impl Batches {
    /// Forgets commands that left the queue.
    pub(super) fn keep(&mut self, outbox: &[u64]) {
        if !self.alone.is_empty() {
            let there: BTreeSet<u64> = outbox.iter().copied().collect();
            self.alone.retain(|seq, _| there.contains(seq));
        }
    }

    pub(super) fn next(&mut self, outbox: &[u64], limit: usize, now_ms: u64) -> Vec<u64> {
        let most = if self.most == 0 { limit } else { self.most.min(limit) };
        let mut free = outbox.iter().copied().filter(|seq| !self.alone.contains_key(seq)).take(most).peekable();
        let due = |seq: &&u64| self.alone.get(seq).is_some_and(|a| a.not_before_ms <= now_ms);
        let troubled = outbox.iter().find(due).copied().filter(|_| !self.was_alone || free.peek().is_none());
        self.last = match troubled {
            Some(seq) => vec![seq],
            None => free.collect(),
        };
        self.was_alone = troubled.is_some();
        self.last.clone()
    }

    pub(super) fn answered(&mut self) {
        for seq in &self.last {
            self.alone.remove(seq);
        }
        self.most = if self.most == 0 { 0 } else { self.most.saturating_mul(4) };
        if self.most > 4096 {
            self.most = 0;
        }
    }

    /// The hub choked on the last batch. Returns the command that is to blame, once it is known.
    pub(super) fn choked(&mut self, policy: &Policy, draw: Draw) -> Option<u64> {
        if let [seq] = self.last.as_slice() {
            let alone = self.alone.entry(*seq).or_default();
            alone.failures = alone.failures.saturating_add(1);
            alone.not_before_ms = draw.now_ms + policy.backoff.delay_ms(alone.failures, draw.dice);
            return (alone.failures == 1).then_some(*seq);
        }
        self.shrink();
        None
    }

    pub(super) fn shrink(&mut self) {
        self.most = (self.last.len() / 2).max(1);
    }

    pub(super) fn hurry(&mut self) {
        for alone in self.alone.values_mut() {
            alone.not_before_ms = 0;
        }
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        self.alone.values().map(|a| a.not_before_ms).min()
    }
}
