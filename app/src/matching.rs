//! Whether two photos show one person: the appliance's templates in memory, kept in step with what is saved.
//!
//! Distances never leave this module: what comes out is a verdict in a word with the expected number of false matches
//! (faces.md 2.2), which is coarse on purpose. 1:1 compares a photo with the same driver's earlier ones; 1:N ranks drivers
//! and is done only for parks whose policy is `search`.
//!
//! Invariant: a photo is never compared with itself, and never with templates of another model or aligner
//! (`a_photo_is_not_its_own_neighbour`).

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use parkdesk_domain::{Millis, RowId};
use parkdesk_vision::faces::protocol::Descriptor;
use parkdesk_vision::index::{Index, Sameness, TemplateKey, Verdict, judge};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::{self, Lang};

/// The answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same person.
    Same,
    /// A person must look.
    Unsure,
    /// Different persons.
    Different,
}

impl From<Sameness> for Likeness {
    fn from(sameness: Sameness) -> Self {
        match sameness {
            Sameness::Same => Self::Same,
            Sameness::Unsure => Self::Unsure,
            Sameness::Different => Self::Different,
        }
    }
}

/// A verdict with its honest figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Likely {
    /// The word.
    pub verdict: Likeness,
    /// How many strangers are expected to look as alike, in thousandths, to one significant digit.
    pub false_matches_milli: u64,
    /// The word and the figure as a sentence, in English; `texts` have it in other languages by `verdict`.
    pub text: String,
}

impl Likely {
    /// Of two photos of one driver.
    fn of_two(verdict: &Verdict) -> Self {
        Self::with(verdict, words::likely)
    }

    /// Of a picture among many drivers.
    fn among_many(verdict: &Verdict) -> Self {
        Self::with(verdict, words::likely_among)
    }

    fn with(verdict: &Verdict, text: fn(Likeness, u64, Lang) -> String) -> Self {
        let likeness = Likeness::from(verdict.sameness);
        let milli = verdict.expected_false_matches_milli;
        Self { verdict: likeness, false_matches_milli: milli, text: text(likeness, milli, Lang::En) }
    }
}

/// A photo whose template is known.
#[derive(Clone)]
pub struct Known {
    /// The photo.
    pub photo: RowId,
    /// Its park.
    pub park: RowId,
    /// The driver it shows.
    pub driver: RowId,
    /// When the shot was taken.
    pub captured_at_ms: Millis,
    /// The template of its main face.
    pub template: Descriptor,
}

/// The nearest earlier photo of the same driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// That photo.
    pub photo: RowId,
    /// Whether it shows the same person.
    pub likely: Likely,
}

/// A driver that a picture may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The park.
    pub park: RowId,
    /// The driver.
    pub driver: RowId,
    /// The driver's photo that looks most alike.
    pub photo: RowId,
    /// How sure that is.
    pub likely: Likely,
}

/// The templates of this appliance.
#[derive(Default)]
pub struct Matching {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    model: (String, String),
    known: HashMap<RowId, Known>,
    /// Photos of each driver of a park, so that one driver's are found without looking at all.
    of_driver: HashMap<(RowId, RowId), Vec<RowId>>,
    index: Index,
}

impl Matching {
    /// Begins anew with templates of one model and aligner; one of another dimension is left out.
    pub fn load(&self, model_id: &str, aligner_id: &str, known: impl IntoIterator<Item = Known>) {
        let mut state = State {
            model: (model_id.to_owned(), aligner_id.to_owned()),
            index: Index::new(model_id, aligner_id),
            ..State::default()
        };
        known.into_iter().for_each(|known| state.put(known));
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Whether templates of that model and aligner are in here.
    #[must_use]
    pub fn is_for(&self, model_id: &str, aligner_id: &str) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.model.0 == model_id && state.model.1 == aligner_id
    }

    /// The model and the aligner of the templates in here; empty before the first.
    #[must_use]
    pub fn model(&self) -> (String, String) {
        self.state.read().unwrap_or_else(PoisonError::into_inner).model.clone()
    }

    /// Adds a photo's template, or replaces it.
    pub fn put(&self, known: Known) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).put(known);
    }

    /// Forgets photos that are gone and moves those that were given to another driver.
    pub fn keep_in_step(&self, driver_of: impl Fn(&RowId) -> Option<RowId>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let changed: Vec<(RowId, Option<RowId>)> = state
            .known
            .values()
            .map(|known| (known.photo.clone(), driver_of(&known.photo), known.driver.clone()))
            .filter(|(_, now, was)| now.as_ref() != Some(was))
            .map(|(photo, now, _)| (photo, now))
            .collect();
        for (photo, driver) in changed {
            let Some(known) = state.take(&photo) else { continue };
            if let Some(driver) = driver {
                state.put(Known { driver, ..known });
            }
        }
    }

    /// The photos with a template.
    #[must_use]
    pub fn photos(&self) -> Vec<RowId> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).known.keys().cloned().collect()
    }

    /// Number of photos with a template.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.read().unwrap_or_else(PoisonError::into_inner).known.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The photo of the same driver, taken before this one, that looks most like it.
    #[must_use]
    pub fn nearest_earlier(&self, photo: &RowId) -> Option<Nearest> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let this = state.known.get(photo)?;
        let before = (this.captured_at_ms, &this.photo);
        let earlier = state.of(&this.park, &this.driver).filter(|other| (other.captured_at_ms, &other.photo) < before);
        nearest(&this.template, earlier)
    }

    /// The photo of a driver that looks most like a picture that is no photo yet.
    #[must_use]
    pub fn nearest_of(&self, template: &Descriptor, park: &RowId, driver: &RowId) -> Option<Nearest> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        nearest(template, state.of(park, driver))
    }

    /// How likely each of these other photos of the driver shows the same person as this one; those without a template are
    /// left out.
    #[must_use]
    pub fn alike(&self, photo: &RowId, others: &[RowId]) -> HashMap<RowId, Likely> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let Some(this) = state.known.get(photo) else { return HashMap::new() };
        let others = others.iter().filter(|other| *other != photo).filter_map(|other| state.known.get(other));
        others
            .filter_map(|other| {
                let distance = this.template.distance(&other.template)?;
                Some((other.photo.clone(), Likely::of_two(&judge(distance, 1, true))))
            })
            .collect()
    }

    /// The template of a photo's main face.
    #[must_use]
    pub fn template(&self, photo: &RowId) -> Option<Descriptor> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.known.get(photo).map(|known| known.template.clone())
    }

    /// The drivers of these parks that the template looks most like, best first.
    #[must_use]
    pub fn candidates(&self, template: &Descriptor, parks: &[RowId], most: usize) -> Vec<Candidate> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let photo_of = |key: &TemplateKey| key.0.parse::<RowId>().ok().and_then(|id| state.known.get(&id));
        let in_parks = |key: &TemplateKey| photo_of(key).is_some_and(|known| parks.contains(&known.park));
        let gallery = state.persons(parks);
        let hits = state.index.search(template, most, |key, _| in_parks(key)).unwrap_or_default();
        hits.iter()
            .filter_map(|hit| {
                let known = photo_of(&hit.key)?;
                let likely = Likely::among_many(&judge(hit.distance, gallery, false));
                Some(Candidate {
                    park: known.park.clone(),
                    driver: known.driver.clone(),
                    photo: known.photo.clone(),
                    likely,
                })
            })
            .collect()
    }
}

fn nearest<'a>(template: &Descriptor, among: impl Iterator<Item = &'a Known>) -> Option<Nearest> {
    among
        .filter_map(|other| Some((template.distance(&other.template)?, other)))
        .min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.photo.cmp(&b.1.photo)))
        .map(|(distance, other)| Nearest {
            photo: other.photo.clone(),
            likely: Likely::of_two(&judge(distance, 1, true)),
        })
}

impl State {
    fn put(&mut self, known: Known) {
        let key = TemplateKey(known.photo.to_string());
        let person = format!("{}/{}", known.park, known.driver);
        if self.index.add(key, person, &known.template).is_ok() {
            let whose = (known.park.clone(), known.driver.clone());
            if let Some(before) = self.known.insert(known.photo.clone(), known.clone()) {
                self.unlist(&before);
            }
            self.of_driver.entry(whose).or_default().push(known.photo);
        }
    }

    fn take(&mut self, photo: &RowId) -> Option<Known> {
        let known = self.known.remove(photo)?;
        self.unlist(&known);
        self.index.remove(&TemplateKey(photo.to_string()));
        Some(known)
    }

    fn unlist(&mut self, known: &Known) {
        let whose = (known.park.clone(), known.driver.clone());
        if let Some(photos) = self.of_driver.get_mut(&whose) {
            photos.retain(|photo| *photo != known.photo);
            if photos.is_empty() {
                self.of_driver.remove(&whose);
            }
        }
    }

    fn of(&self, park: &RowId, driver: &RowId) -> impl Iterator<Item = &Known> {
        let photos = self.of_driver.get(&(park.clone(), driver.clone()));
        photos.into_iter().flatten().filter_map(|photo| self.known.get(photo))
    }

    fn persons(&self, parks: &[RowId]) -> usize {
        let mine = self.known.values().filter(|known| parks.contains(&known.park));
        mine.map(|known| (&known.park, &known.driver)).collect::<std::collections::HashSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RowId {
        text.parse().unwrap()
    }

    /// A template at `angle` on a circle: two of them are `2 sin(difference / 2)` apart.
    fn template(angle: f32) -> Descriptor {
        Descriptor::new(vec![angle.cos(), angle.sin()]).unwrap()
    }

    fn known(photo: &str, driver: &str, at: i64, angle: f32) -> Known {
        Known {
            photo: id(photo),
            park: id("p1"),
            driver: id(driver),
            captured_at_ms: Millis(at),
            template: template(angle),
        }
    }

    fn matching(photos: Vec<Known>) -> Matching {
        let matching = Matching::default();
        matching.load("m", "a", photos);
        matching
    }

    #[test]
    fn the_nearest_earlier_photo_is_of_the_same_driver_and_earlier() {
        let m = matching(vec![
            known("a1", "a", 1, 0.0),
            known("a2", "a", 2, 0.3),
            known("a3", "a", 3, 0.1),
            known("a4", "a", 4, 0.101),
            known("b1", "b", 1, 0.1),
        ]);
        let nearest = m.nearest_earlier(&id("a3")).unwrap();
        assert_eq!(nearest.photo, id("a1"));
        assert_eq!(nearest.likely.verdict, Likeness::Same);
        assert_eq!(m.nearest_earlier(&id("a1")), None, "nothing is earlier");
        assert_eq!(m.nearest_earlier(&id("zz")), None);
    }

    #[test]
    fn a_photo_is_not_its_own_neighbour() {
        let m = matching(vec![known("a1", "a", 1, 0.0)]);
        assert_eq!(m.nearest_earlier(&id("a1")), None);
    }

    #[test]
    fn a_stranger_under_the_same_name_is_different() {
        let m = matching(vec![known("a1", "a", 1, 0.0), known("a2", "a", 2, 1.0)]);
        let likely = m.nearest_earlier(&id("a2")).unwrap().likely;
        assert_eq!(likely.verdict, Likeness::Different);
        assert!(!likely.text.is_empty());
    }

    #[test]
    fn candidates_are_ranked_by_their_best_photo_within_the_parks() {
        let mut other = known("x1", "x", 1, 0.0);
        other.park = id("p2");
        let m = matching(vec![known("a1", "a", 1, 1.0), known("a2", "a", 2, 0.2), known("b1", "b", 1, 0.35), other]);
        let found = m.candidates(&template(0.0), &[id("p1")], 5);
        let drivers: Vec<_> = found.iter().map(|c| c.driver.to_string()).collect();
        assert_eq!(drivers, ["a", "b"]);
        assert_eq!(found[0].photo, id("a2"));
        assert_eq!(found[0].likely.verdict, Likeness::Same);
    }

    #[test]
    fn a_photo_given_to_another_driver_or_deleted_follows() {
        let m = matching(vec![known("a1", "a", 1, 0.0), known("b1", "b", 2, 0.5)]);
        m.keep_in_step(|photo| (photo.as_str() == "a1").then(|| id("c")));
        let found = m.candidates(&template(0.0), &[id("p1")], 5);
        assert_eq!(found.iter().map(|c| c.driver.to_string()).collect::<Vec<_>>(), ["c"]);
        assert_eq!(m.len(), 1);
    }

    #[test]
    fn templates_of_another_dimension_stay_out() {
        let m = matching(vec![known("a1", "a", 1, 0.0)]);
        m.put(Known { template: Descriptor::new(vec![1.0; 3]).unwrap(), ..known("a2", "a", 2, 0.0) });
        assert_eq!(m.len(), 1);
    }
}
