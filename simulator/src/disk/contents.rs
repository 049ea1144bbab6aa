//! Contents and names on the disk, with what of them is flushed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::dice::Dice;

/// What the platter writes at once.
const SECTOR: usize = 512;

/// A change of a file's contents.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            if let Some(place) = bytes.get_mut(*at..end) {
                place.copy_from_slice(new);
            }
        }
        Change::Resize(size) => bytes.resize(*size, 0),
    }
}

/// A file: as programs see it, as it lies on the platter, and what waits between the two.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) seen: Vec<u8>,
    pub(super) kept: Vec<u8>,
    pub(super) waiting: Vec<Change>,
    pub(super) modified_ms: i64,
}

impl Contents {
    pub(super) fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.waiting.push(change);
    }

    pub(super) fn flush(&mut self) {
        for change in std::mem::take(&mut self.waiting) {
            apply(&mut self.kept, &change);
        }
    }

    /// What a crash leaves: nothing of what waited, all of it, or some sectors of some of it.
    pub(super) fn crash(&mut self, dice: &mut Dice) {
        let mood = dice.below(6);
        for change in std::mem::take(&mut self.waiting) {
            match (mood, &change) {
                (0 | 1, _) => {}
                (2, _) => apply(&mut self.kept, &change),
                (_, Change::Resize(_)) if dice.often(500) => apply(&mut self.kept, &change),
                (_, Change::Resize(_)) => {}
                (_, Change::Write { at, bytes }) => {
                    for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                        if dice.often(500) {
                            let part = Change::Write { at: at + n * SECTOR, bytes: sector.to_vec() };
                            apply(&mut self.kept, &part);
                        }
                    }
                }
            }
        }
        self.seen = self.kept.clone();
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    File(u64),
}

/// A change of names that is not flushed yet.
#[derive(Debug, Clone)]
pub(super) struct Renaming {
    pub(super) gone: Option<PathBuf>,
    pub(super) new: Option<(PathBuf, Node)>,
}

impl Renaming {
    pub(super) fn is_in(&self, folder: &Path) -> bool {
        let paths = self.gone.iter().chain(self.new.iter().map(|(path, _)| path));
        paths.map(|path| path.parent()).any(|parent| parent == Some(folder))
    }

    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((path, node)) = &self.new {
            names.insert(path.clone(), *node);
        }
    }
}
