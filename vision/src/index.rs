//! Exact search over the templates of one appliance.
//!
//! One flat block of f32, scanned whole: at 100,000 templates that is some milliseconds, and unlike an approximate index it
//! has no recall of its own to explain. An insert or a delete is seen by the next search. A person's score is the best of
//! their templates, not the mean, because old photos differ more from each other than from a stranger's.
//!
//! Invariant: templates of one index share one model and one aligner; distances between models mean nothing. The holder of an
//! index checks [`Index::is_for`] before it adds. Distances stay inside the process: what people see is a
//! [`Verdict`].

mod verdict;

use std::collections::{BTreeMap, HashMap};

pub use self::verdict::{AUTO_GALLERY, Sameness, Verdict, judge};
use crate::faces::protocol::Descriptor;

/// Which template this is, in the caller's words (its row's id).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateKey(pub String);

/// One answer of a search: the nearest template of one person.
#[derive(Clone, PartialEq)]
pub struct Hit {
    /// The template.
    pub key: TemplateKey,
    /// The person.
    pub person: String,
    /// Euclidean distance, for [`judge`] alone.
    pub distance: f32,
}

impl std::fmt::Debug for Hit {
    // Distances are scores, and scores do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hit").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A template that does not belong here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a template of {found} numbers does not belong among templates of {expected}")]
pub struct WrongDimension {
    /// Numbers of the template at hand.
    pub found: usize,
    /// Numbers of the templates in the index.
    pub expected: usize,
}

/// The index.
#[derive(Default)]
pub struct Index {
    model_id: String,
    aligner_id: String,
    dimension: usize,
    /// Row after row of `dimension` numbers; row `i` belongs to `entries[i]`.
    block: Vec<f32>,
    entries: Vec<Entry>,
    rows: HashMap<TemplateKey, usize>,
}

struct Entry {
    key: TemplateKey,
    person: String,
}

impl Index {
    /// An empty index for templates of one model and aligner.
    pub fn new(model_id: &str, aligner_id: &str) -> Self {
        Self { model_id: model_id.to_owned(), aligner_id: aligner_id.to_owned(), ..Self::default() }
    }

    /// Whether templates of that model and aligner belong here.
    pub fn is_for(&self, model_id: &str, aligner_id: &str) -> bool {
        self.model_id == model_id && self.aligner_id == aligner_id
    }

    /// Number of templates.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of persons: the gallery's size for [`judge`].
    pub fn persons(&self) -> usize {
        self.entries.iter().map(|entry| entry.person.as_str()).collect::<std::collections::HashSet<_>>().len()
    }

    /// Adds a template, or replaces the one with the same key.
    ///
    /// # Errors
    /// If its dimension differs from those that are there; an empty index takes any.
    pub fn add(&mut self, key: TemplateKey, person: String, descriptor: &Descriptor) -> Result<(), WrongDimension> {
        let values = descriptor.values();
        if self.entries.is_empty() {
            self.dimension = values.len();
        }
        self.check(values.len())?;
        self.remove(&key);
        self.rows.insert(key.clone(), self.entries.len());
        self.entries.push(Entry { key, person });
        self.block.extend_from_slice(values);
        Ok(())
    }

    /// Removes a template and wipes its numbers; false if it was not there.
    pub fn remove(&mut self, key: &TemplateKey) -> bool {
        let Some(row) = self.rows.remove(key) else {
            return false;
        };
        let last = self.entries.len() - 1;
        let (from, to) = (last * self.dimension, row * self.dimension);
        if row != last {
            self.block.copy_within(from..from + self.dimension, to);
        }
        if let Some(tail) = self.block.get_mut(from..) {
            tail.fill(0.0);
        }
        self.block.truncate(from);
        self.entries.swap_remove(row);
        if let Some(moved) = self.entries.get(row) {
            self.rows.insert(moved.key.clone(), row);
        }
        true
    }

    /// The `k` nearest persons, nearest first, among the templates the filter lets through.
    ///
    /// Equal distances are ordered by key, so that the same question has the same answer.
    ///
    /// # Errors
    /// If the query's dimension differs from the index's. An empty index answers with nothing.
    pub fn search(
        &self,
        query: &Descriptor,
        k: usize,
        filter: impl Fn(&TemplateKey, &str) -> bool,
    ) -> Result<Vec<Hit>, WrongDimension> {
        if self.entries.is_empty() {
            return Ok(Vec::new());
        }
        self.check(query.values().len())?;
        let mut best: BTreeMap<&str, (f32, &Entry)> = BTreeMap::new();
        for (entry, row) in self.entries.iter().zip(self.block.chunks_exact(self.dimension)) {
            if !filter(&entry.key, &entry.person) {
                continue;
            }
            let squared = squared_distance(query.values(), row);
            let candidate = (squared, entry);
            best.entry(&entry.person)
                .and_modify(|known| {
                    if is_nearer(candidate, *known) {
                        *known = candidate;
                    }
                })
                .or_insert(candidate);
        }
        let mut nearest: Vec<(f32, &Entry)> = best.into_values().collect();
        nearest.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
        nearest.truncate(k);
        Ok(nearest
            .into_iter()
            .map(|(squared, entry)| Hit {
                key: entry.key.clone(),
                person: entry.person.clone(),
                distance: squared.sqrt(),
            })
            .collect())
    }

    fn check(&self, found: usize) -> Result<(), WrongDimension> {
        if found == self.dimension { Ok(()) } else { Err(WrongDimension { found, expected: self.dimension }) }
    }
}

fn is_nearer(a: (f32, &Entry), b: (f32, &Entry)) -> bool {
    a.0.total_cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)).is_lt()
}

/// Squared Euclidean distance in eight independent sums, which the compiler turns into vector code without reordering any.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let (a_eights, a_rest) = a.as_chunks::<8>();
    let (b_eights, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a_eights.iter().zip(b_eights) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            let difference = a - b;
            *sum += difference * difference;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f32>() + rest
}
