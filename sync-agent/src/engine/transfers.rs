//! Which parts of which files go up and come down next.
//!
//! Up: check (what the hub has of them) -> the missing parts, each on its own -> complete. Down: ranges one after another.
//! Each file has its own delay and its own count of tries, so that a bad file is parked after some and the rest goes on
//! (protocol, "Blobs"). Being offline is nobody's fault and is not counted. Order is the caller's: thumbs, portraits,
//! originals.
//!
//! Resume needs no state of ours: after a restart the check says which parts the hub holds.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::BlobId;
use parkdesk_domain::wire::BlobState;

use super::{Action, Fault, FileWork, Policy};

/// What one direction knows about failures of the hub: whether they are about one file or about all.
#[derive(Debug, Clone, Copy, Default)]
struct Trouble {
    /// What had passed when the hub failed on this file last; `None` = it did not.
    passed: Option<u64>,
}

impl Trouble {
    /// The hub failed on this file, now that `passed` requests went well in this direction. Says whether it failed on it
    /// before and did well since, or there is no other file to tell by.
    fn failed(&mut self, passed: u64, is_only_one: bool) -> bool {
        let before = self.passed.replace(passed);
        before.is_some_and(|before| passed > before || is_only_one)
    }
}

/// Files on their way up.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploads {
    files: BTreeMap<BlobId, Upload>,
    checking: BTreeSet<BlobId>,
    passed: u64,
}

#[derive(Debug, Clone, Default)]
struct Upload {
    stage: Stage,
    sending: BTreeSet<u32>,
    tries: u32,
    stumbles: u32,
    trouble: Trouble,
    not_before_ms: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Unchecked,
    Parts(BTreeSet<u32>),
    Completing,
    Done,
}

/// Parts of a file; an empty file has one empty part.
pub(super) fn part_count(size_bytes: u64, part_bytes: u64) -> u32 {
    u32::try_from(size_bytes.div_ceil(part_bytes.max(1)).max(1)).unwrap_or(u32::MAX)
}

impl Uploads {
    /// Requests in flight for parts and completions.
    pub(super) fn in_flight(&self) -> usize {
        let busy = |f: &Upload| f.sending.len() + usize::from(f.stage == Stage::Completing);
        self.files.values().map(busy).sum()
    }

    /// Forgets files that no longer wait, and begins the others.
    pub(super) fn keep(&mut self, wanted: &[FileWork]) {
        let ids: BTreeSet<&BlobId> = wanted.iter().map(|w| &w.id).collect();
        self.files.retain(|id, file| ids.contains(id) || !file.sending.is_empty() || file.stage == Stage::Completing);
        for work in wanted {
            self.files.entry(work.id.clone()).or_default();
        }
    }

    /// Files to ask the hub about.
    pub(super) fn next_check(&mut self, wanted: &[FileWork], most: usize, now_ms: u64) -> Vec<FileWork> {
        if !self.checking.is_empty() {
            return Vec::new();
        }
        let due = |work: &&FileWork| {
            self.files.get(&work.id).is_some_and(|f| f.stage == Stage::Unchecked && f.not_before_ms <= now_ms)
        };
        let list: Vec<FileWork> = wanted.iter().filter(due).take(most).cloned().collect();
        self.checking = list.iter().map(|w| w.id.clone()).collect();
        list
    }

    /// The hub's answer to a check.
    pub(super) fn checked(&mut self, states: &[(BlobId, BlobState)], sizes: &BTreeMap<BlobId, u64>, part_bytes: u64) {
        self.checking.clear();
        for (id, state) in states {
            let Some(file) = self.files.get_mut(id) else { continue };
            let all = 0..part_count(sizes.get(id).copied().unwrap_or(0), part_bytes);
            file.stage = match state {
                BlobState::Present => Stage::Done,
                BlobState::Missing => Stage::Parts(all.collect()),
                BlobState::Partial { parts } => Stage::Parts(all.filter(|n| !parts.contains(n)).collect()),
            };
        }
    }

    pub(super) fn check_failed(&mut self) {
        self.checking.clear();
    }

    /// The next parts and completions, at most `slots`.
    pub(super) fn next(&mut self, wanted: &[FileWork], mut slots: usize, now_ms: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        for work in wanted {
            let Some(file) = self.files.get_mut(&work.id) else { continue };
            if slots == 0 {
                break;
            }
            if file.not_before_ms > now_ms {
                continue;
            }
            let Stage::Parts(missing) = &mut file.stage else { continue };
            while slots > 0 {
                let Some(part) = missing.pop_first() else { break };
                file.sending.insert(part);
                slots -= 1;
                actions.push(Action::SendPart { file: work.clone(), part });
            }
            if slots > 0 && missing.is_empty() && file.sending.is_empty() {
                file.stage = Stage::Completing;
                slots -= 1;
                actions.push(Action::Complete { file: work.clone() });
            }
        }
        actions
    }

    pub(super) fn part_sent(&mut self, id: &BlobId, part: u32) {
        self.passed += 1;
        if let Some(file) = self.files.get_mut(id) {
            file.sending.remove(&part);
            file.stumbles = 0;
        }
    }

    /// The hub failed on this file; whether it does so on this one only.
    pub(super) fn fails_alone(&mut self, id: &BlobId) -> bool {
        let (passed, is_only_one) = (self.passed, self.files.len() == 1);
        self.files.get_mut(id).is_some_and(|file| file.trouble.failed(passed, is_only_one))
    }

    pub(super) fn completed(&mut self, id: &BlobId) {
        self.passed += 1;
        if let Some(file) = self.files.get_mut(id) {
            file.stage = Stage::Done;
            file.sending.clear();
        }
    }

    /// A part (or, without one, the completion) failed. Says whether the file is to be parked.
    pub(super) fn failed(
        &mut self,
        id: &BlobId,
        part: Option<u32>,
        fault: Fault,
        policy: &Policy,
        clock: Draw,
    ) -> bool {
        let Some(file) = self.files.get_mut(id) else { return false };
        match (part, &mut file.stage) {
            (Some(part), Stage::Parts(missing)) => {
                missing.insert(part);
                file.sending.remove(&part);
            }
            (Some(part), Stage::Unchecked | Stage::Completing | Stage::Done) => {
                file.sending.remove(&part);
            }
            // Nothing says what the hub made of it: ask again.
            (None, stage) => *stage = Stage::Unchecked,
        }
        match fault {
            Fault::Link => false,
            Fault::Hub => {
                file.stumbles = file.stumbles.saturating_add(1);
                file.not_before_ms = clock.after(policy.backoff.delay_ms(file.stumbles, clock.dice));
                false
            }
            Fault::File => {
                file.stage = Stage::Unchecked;
                file.tries = file.tries.saturating_add(1);
                file.not_before_ms = clock.after(policy.backoff.delay_ms(file.tries, clock.dice));
                if file.tries >= policy.file_tries {
                    file.stage = Stage::Done;
                    return true;
                }
                false
            }
        }
    }

    /// The earliest time at which a delayed file may go on.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.files.values().filter(|f| f.stage != Stage::Done).map(|f| f.not_before_ms).min()
    }

    pub(super) fn hurry(&mut self) {
        for file in self.files.values_mut() {
            file.not_before_ms = 0;
        }
    }
}

/// Time and chance of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    pub(super) now_ms: u64,
    pub(super) dice: u64,
    /// Not before this time, whatever the die says.
    pub(super) budget_ms: u64,
}

impl Draw {
    pub(super) fn not_before(self, at_ms: u64) -> Self {
        Self { budget_ms: self.budget_ms.max(at_ms), ..self }
    }

    fn after(self, delay_ms: u64) -> u64 {
        self.now_ms.saturating_add(delay_ms).max(self.budget_ms)
    }
}

/// Files on their way down.
#[derive(Debug, Clone, Default)]
pub(super) struct Downloads {
    files: BTreeMap<BlobId, Download>,
    passed: u64,
}

#[derive(Debug, Clone, Default)]
struct Download {
    in_flight: bool,
    have: u64,
    tries: u32,
    stumbles: u32,
    trouble: Trouble,
    not_before_ms: u64,
    given_up: bool,
}

impl Downloads {
    pub(super) fn in_flight(&self) -> usize {
        self.files.values().filter(|f| f.in_flight).count()
    }

    pub(super) fn keep(&mut self, wanted: &[FileWork]) {
        let ids: BTreeSet<&BlobId> = wanted.iter().map(|w| &w.id).collect();
        self.files.retain(|id, file| ids.contains(id) || file.in_flight);
        for work in wanted {
            self.files.entry(work.id.clone()).or_default();
        }
    }

    pub(super) fn next(&mut self, wanted: &[FileWork], slots: usize, now_ms: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        for work in wanted {
            if actions.len() >= slots {
                break;
            }
            let Some(file) = self.files.get_mut(&work.id) else { continue };
            if file.in_flight || file.given_up || file.not_before_ms > now_ms {
                continue;
            }
            file.in_flight = true;
            actions.push(Action::Fetch { file: work.clone(), from: file.have });
        }
        actions
    }

    /// The hub failed on this file; whether it does so on this one only.
    pub(super) fn fails_alone(&mut self, id: &BlobId) -> bool {
        let (passed, is_only_one) = (self.passed, self.files.len() == 1);
        self.files.get_mut(id).is_some_and(|file| file.trouble.failed(passed, is_only_one))
    }

    /// Bytes came; `have` is how many there are now.
    pub(super) fn fetched(&mut self, id: &BlobId, have: u64) {
        self.passed += 1;
        if let Some(file) = self.files.get_mut(id) {
            file.in_flight = false;
            if have > file.have {
                file.stumbles = 0;
            }
            file.have = have;
        }
    }

    /// A range failed, `have` bytes are kept. Says whether the file is given up until the next start.
    pub(super) fn failed(&mut self, id: &BlobId, have: u64, fault: Fault, policy: &Policy, clock: Draw) -> bool {
        let Some(file) = self.files.get_mut(id) else { return false };
        file.in_flight = false;
        file.have = have;
        match fault {
            Fault::Link => false,
            Fault::Hub => {
                file.stumbles = file.stumbles.saturating_add(1);
                file.not_before_ms = clock.after(policy.backoff.delay_ms(file.stumbles, clock.dice));
                false
            }
            Fault::File => {
                file.tries = file.tries.saturating_add(1);
                file.not_before_ms = clock.after(policy.backoff.delay_ms(file.tries, clock.dice));
                file.given_up = file.tries >= policy.file_tries;
                file.given_up
            }
        }
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        self.files.values().filter(|f| !f.in_flight && !f.given_up).map(|f| f.not_before_ms).min()
    }

    pub(super) fn hurry(&mut self) {
        for file in self.files.values_mut() {
            file.not_before_ms = 0;
            file.given_up = false;
            file.tries = 0;
        }
    }
}
