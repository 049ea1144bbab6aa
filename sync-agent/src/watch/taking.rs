//! Taking what has come to rest: in which order, with which hint, what becomes of each file, and what people are told of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use parkdesk_app::capture::{AssignedBy, Source, TakeError, TakeFile, Taken};
use parkdesk_app::sync::{WatchedFile, WatchedState};
use parkdesk_domain::Millis;
use parkdesk_vision::limits::{MAX_BYTES, Rejection, RejectionCode};

use super::hint::{self, MOST_SIDECAR_BYTES, Sidecar};
use super::reason::{self, Why};
use super::scan::{Found, Look, SIDECAR};
use super::shelf::{self, Opened};
use super::{Taker, Watcher};

/// A file that could not be taken yet.
pub(super) struct Later {
    tries: u32,
    pub(super) not_before_ms: u64,
    why: Why,
}

/// What became of one file.
enum Step {
    /// It is gone from the folder, or will be looked at again.
    Went,
    /// It was refused and lies in `rejected/`.
    Refused(Why),
    /// It must wait, and the others most likely too.
    Waits(Why),
}

/// Files that had to wait in a row after which the others are not tried either.
const MOST_WAITING: u32 = 3;
/// Files told of.
const MOST_TOLD: usize = 50;

impl<T: Taker> Watcher<T> {
    pub(super) fn is_settled(&self, path: &Path, now_ms: u64) -> bool {
        u128::from(self.rest.age_ms(path, now_ms)) >= self.config.settle.as_millis()
    }

    /// Takes what has come to rest, oldest first. Returns why files wait, if some do.
    pub(super) fn take_all(&mut self, look: &Look) -> Option<String> {
        let now_ms = self.now_ms();
        // Photos wait for their sidecar: what it says is better than what their names say.
        let restless: Vec<&Path> = look
            .sidecars
            .iter()
            .filter(|s| !self.is_settled(&s.path, now_ms))
            .filter_map(|s| s.path.parent())
            .collect();
        let mut sidecars: BTreeMap<PathBuf, Sidecar> = BTreeMap::new();
        for found in look.sidecars.iter().filter(|s| self.is_settled(&s.path, now_ms)) {
            if let Ok(Opened::Bytes(bytes)) = shelf::read(&found.path, &found.stamp, MOST_SIDECAR_BYTES) {
                let folder = found.path.parent().unwrap_or(&self.config.folder);
                sidecars.insert(folder.to_owned(), Sidecar::parse(&bytes));
            }
        }
        let mut left = look.files.len() as u64;
        let mut waiting = 0;
        for found in &look.files {
            self.tell(|status| status.waiting = left);
            let folder = found.path.parent().unwrap_or(&self.config.folder);
            let is_due = self.later.get(&found.path).is_none_or(|later| later.not_before_ms <= now_ms);
            if self.stop.load(Ordering::Acquire) || waiting >= MOST_WAITING {
                break;
            }
            if restless.contains(&folder) || !is_due || !self.is_settled(&found.path, now_ms) {
                continue;
            }
            self.tell_files(look, Some(&found.path));
            // A sidecar that came while others were being taken is honoured, too.
            if !sidecars.contains_key(folder) && folder.join(SIDECAR).exists() {
                continue;
            }
            match self.take_one(found, sidecars.get(folder)) {
                Step::Went => {
                    left = left.saturating_sub(1);
                    waiting = 0;
                    self.later.remove(&found.path);
                }
                Step::Refused(why) => {
                    left = left.saturating_sub(1);
                    waiting = 0;
                    self.later.remove(&found.path);
                    let refused = self.told(found, WatchedState::Rejected, Some(&why));
                    self.refused.push_front(WatchedFile { seen_at_ms: (self.config.clock)(), ..refused });
                    self.refused.truncate(MOST_TOLD);
                }
                Step::Waits(reason) => {
                    waiting += 1;
                    self.postpone(&found.path, reason);
                }
            }
        }
        self.tell(|status| status.waiting = left);
        // As long as a file waits its reason stands, whether or not it was tried in this round.
        look.files.iter().find_map(|found| self.later.get(&found.path)).map(|later| later.why.en.clone())
    }

    /// Tells of the files that are there, the newest first, and of those refused last. `taking` = the one in hand.
    pub(super) fn tell_files(&self, look: &Look, taking: Option<&Path>) {
        let now_ms = self.now_ms();
        let there = look.files.iter().rev().filter(|found| found.path.exists());
        let mut files: Vec<WatchedFile> = there
            .take(MOST_TOLD)
            .map(|found| {
                let why = self.later.get(&found.path).map(|later| &later.why);
                let state = if taking == Some(&found.path) {
                    WatchedState::Taking
                } else if self.is_settled(&found.path, now_ms) {
                    WatchedState::Waiting
                } else {
                    WatchedState::Settling
                };
                self.told(found, state, why)
            })
            .collect();
        files.extend(self.refused.iter().cloned());
        files.sort_by_key(|file| std::cmp::Reverse(file.seen_at_ms));
        files.truncate(MOST_TOLD);
        self.tell(|status| status.files = files);
    }

    fn told(&self, found: &Found, state: WatchedState, why: Option<&Why>) -> WatchedFile {
        let age = i64::try_from(self.rest.age_ms(&found.path, self.now_ms())).unwrap_or(i64::MAX);
        let name = found.path.strip_prefix(&self.config.folder).unwrap_or(&found.path);
        WatchedFile {
            name: name.to_string_lossy().into_owned(),
            state,
            reason_ru: why.map(|why| why.ru.clone()),
            reason_en: why.map(|why| why.en.clone()),
            size_bytes: found.stamp.size,
            seen_at_ms: (self.config.clock)().plus(-age),
        }
    }

    fn postpone(&mut self, path: &Path, why: Why) {
        let now_ms = self.now_ms();
        let base = u64::try_from(self.config.retry.as_millis()).unwrap_or(u64::MAX);
        let first = Later { tries: 0, not_before_ms: 0, why: why.clone() };
        let later = self.later.entry(path.to_owned()).or_insert(first);
        later.why = why;
        later.not_before_ms = now_ms + base.saturating_mul(1 << later.tries.min(10)).min(base.saturating_mul(100));
        later.tries = later.tries.saturating_add(1);
    }

    fn take_one(&self, found: &Found, sidecar: Option<&Sidecar>) -> Step {
        let Found { path, stamp } = found;
        let result = match shelf::read(path, stamp, MAX_BYTES as u64) {
            Ok(Opened::Bytes(bytes)) if bytes.is_empty() => {
                Err(TakeError::Rejected(Rejection { code: RejectionCode::Truncated, figure: Some(0), limit: None }))
            }
            Ok(Opened::Bytes(bytes)) => self.taker.take(self.describe(found, bytes, sidecar)),
            Ok(Opened::TooLarge) => Err(TakeError::Rejected(Rejection {
                code: RejectionCode::TooManyBytes,
                figure: i64::try_from(stamp.size).ok(),
                limit: i64::try_from(MAX_BYTES).ok(),
            })),
            Ok(Opened::Changed) => return Step::Went,
            Err(error) => return Step::Waits(Why::unreadable(&error)),
        };
        let root = &self.config.folder;
        let moved = match &result {
            Ok(taken) => {
                tracing::info!(kind = kind(taken), "a file was taken");
                self.tell(|status| status.taken += 1);
                shelf::keep_done(root, path, stamp)
            }
            Err(error @ (TakeError::Busy | TakeError::Later(_))) => return Step::Waits(Why::of(error)),
            // Somebody may still be writing it, slower than the settling time.
            Err(TakeError::Rejected(rejection)) if self.is_perhaps_unfinished(rejection, path) => {
                return Step::Waits(Why::unfinished());
            }
            Err(error @ (TakeError::Rejected(_) | TakeError::Quarantined | TakeError::Refused(_))) => {
                tracing::info!(%error, "a file was rejected");
                self.tell(|status| status.rejected += 1);
                shelf::keep_rejected(root, path, stamp, &reason::text(error))
            }
        };
        match (moved, result) {
            (Ok(true), Err(error)) => Step::Refused(Why::of(&error)),
            (Ok(_), _) => Step::Went,
            (Err(error), _) => Step::Waits(Why::unmovable(&error)),
        }
    }

    fn is_perhaps_unfinished(&self, rejection: &Rejection, path: &Path) -> bool {
        let age = u128::from(self.rest.age_ms(path, self.now_ms()));
        rejection.code == RejectionCode::Truncated && age < self.config.patience.as_millis()
    }

    fn describe(&self, found: &Found, bytes: Vec<u8>, sidecar: Option<&Sidecar>) -> TakeFile {
        let hints = hint::hints(&self.config.folder, &found.path, sidecar);
        let known = hints.iter().find(|hint| self.taker.knows(&hint.text));
        // A name that names nobody is only a name; a row or a folder that names nobody is worth telling.
        let chosen = known.or_else(|| hints.iter().find(|hint| hint.from != AssignedBy::FileName));
        TakeFile {
            name: found.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            bytes,
            hint: chosen.map(|hint| hint.text.clone()),
            hint_from: chosen.map_or(AssignedBy::FileName, |hint| hint.from),
            source: Source::Folder,
            modified_at_ms: Millis(found.stamp.modified_ms()),
            park: None,
            override_reason: None,
        }
    }
}

fn kind(taken: &Taken) -> &'static str {
    match taken {
        Taken::Captured { .. } => "captured",
        Taken::Tray { .. } => "tray",
        Taken::Duplicate { .. } => "duplicate",
    }
}
