//! What a plan may ask of the world, and the two loops that answer it.
//!
//! A plan is pure and re-entered: [`Facts::get`] returns a known answer or notes the question; the executor loads all
//! noted questions in one round trip and runs the plan again, at most [`MAX_ROUNDS`] times. Questions are a closed enum,
//! so that a store can answer each with one prepared statement. The executors hold no rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::body::Entity;
use crate::command::{Actor, Envelope};
use crate::ids::{Millis, RowId};
use crate::plan::{self, Outcome};
use crate::rights::Rights;
use crate::row::RowRef;
use crate::scope::Scope;

/// How often a plan may come back with new questions.
pub const MAX_ROUNDS: usize = 8;

/// What rows are looked up by. In the claiming namespaces a key belongs to at most one live row of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Folded licence number -> driver.
    Licence,
    /// Folded plate -> car.
    Plate,
    /// Folded login -> person.
    Login,
    /// Driver -> the driver's photos that were not withdrawn; claims nothing.
    PhotosOf,
}

impl Space {
    /// The text in the hub's `keys` table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Licence => "licence",
            Self::Plate => "plate",
            Self::Login => "login",
            Self::PhotosOf => "photos_of",
        }
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// The row with this kind and id in this scope.
    Row(RowRef),
    /// The rows of the scope that hold this folded key.
    Key {
        /// Where.
        scope: Scope,
        /// In which namespace.
        space: Space,
        /// The folded key ([`crate::fold`]).
        key: String,
    },
    /// What the actor may do.
    Rights(Actor),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The live row's canonical body, or none.
    Row(Option<String>),
    /// The ids that hold the key, in order.
    Ids(Vec<RowId>),
    /// Rights.
    Rights(Rights),
    /// Outside this place's scopes: the replica goes on provisionally; on the hub it is a bug.
    Unknown,
}

/// A fact, or not for this place to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// Known.
    Known(T),
    /// Outside this place's scopes, or written by a newer program.
    Unknown,
}

/// The plan asked something not yet answered; the executor loads and runs it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked;

/// Answers known so far and questions noted.
#[derive(Debug, Default)]
pub struct Facts {
    known: BTreeMap<Question, Answer>,
    noted: BTreeSet<Question>,
    unknown: BTreeSet<Question>,
    guards: BTreeSet<String>,
}

impl Facts {
    /// The answer, or notes the question.
    ///
    /// # Errors
    /// [`Asked`] if the answer is not loaded yet.
    pub fn get(&mut self, question: Question) -> Result<&Answer, Asked> {
        if !self.known.contains_key(&question) {
            self.noted.insert(question);
            return Err(Asked);
        }
        self.known.get(&question).ok_or(Asked)
    }

    /// Notes questions that will be asked soon, so that they are loaded in the same round.
    pub fn foresee(&mut self, questions: impl IntoIterator<Item = Question>) {
        let unknown = questions.into_iter().filter(|q| !self.known.contains_key(q));
        self.noted.extend(unknown);
    }

    /// Says that what is decided must not be decided by two at a time under this guard, which only a fact told of
    /// ([`plan::guards`] needs none).
    pub fn guard(&mut self, name: String) {
        self.guards.insert(name);
    }

    /// The row's typed body.
    ///
    /// # Errors
    /// [`Asked`] if not loaded yet.
    pub fn row<E: Entity>(&mut self, scope: Scope, id: &RowId) -> Result<Fact<Option<E>>, Asked> {
        self.fact(Question::Row(RowRef { scope, kind: E::KIND, id: id.clone() }), |answer| match answer {
            Answer::Row(None) => Some(None),
            Answer::Row(Some(body)) => serde_json::from_str(body).ok().map(Some),
            Answer::Ids(_) | Answer::Rights(_) | Answer::Unknown => None,
        })
    }

    /// The ids that hold a folded key.
    ///
    /// # Errors
    /// [`Asked`] if not loaded yet.
    pub fn holders(&mut self, scope: Scope, space: Space, key: String) -> Result<Fact<Vec<RowId>>, Asked> {
        self.fact(Question::Key { scope, space, key }, |answer| match answer {
            Answer::Ids(ids) => Some(ids.clone()),
            Answer::Row(_) | Answer::Rights(_) | Answer::Unknown => None,
        })
    }

    /// The actor's rights.
    ///
    /// # Errors
    /// [`Asked`] if not loaded yet.
    pub fn rights(&mut self, actor: &Actor) -> Result<Fact<Rights>, Asked> {
        self.fact(Question::Rights(actor.clone()), |answer| match answer {
            Answer::Rights(rights) => Some(rights.clone()),
            Answer::Row(_) | Answer::Ids(_) | Answer::Unknown => None,
        })
    }

    /// The fact in an answer; what is none is remembered as not known.
    fn fact<T>(&mut self, question: Question, read: impl Fn(&Answer) -> Option<T>) -> Result<Fact<T>, Asked> {
        if let Some(fact) = read(self.get(question.clone())?) {
            return Ok(Fact::Known(fact));
        }
        self.unknown.insert(question);
        Ok(Fact::Unknown)
    }

    /// Takes the questions noted since the last call.
    pub fn take_noted(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.noted).into_iter().collect()
    }

    /// Puts in answers, in the order of the questions.
    pub fn learn(&mut self, questions: Vec<Question>, answers: Vec<Answer>) {
        self.known.extend(questions.into_iter().zip(answers));
    }
}

/// An outcome together with the questions it rests on (for `pending_touch` and the hub's version checks).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What to do.
    pub outcome: Outcome,
    /// Every question asked.
    pub asked: Vec<Question>,
    /// The questions whose answer was not known, or not readable: none where all facts are, at the hub.
    pub unknown: Vec<Question>,
    /// Guards found on the way: a hub of many writers that does not hold them begins anew with them.
    pub guards: BTreeSet<String>,
}

/// Why planning did not end in an outcome.
#[derive(Debug, thiserror::Error)]
pub enum PlanError<E> {
    /// The store failed.
    #[error(transparent)]
    Source(E),
    /// More than [`MAX_ROUNDS`] rounds: a bug in a plan.
    #[error("BUG: {kind} still asked after {MAX_ROUNDS} rounds")]
    Rounds {
        /// The command's kind.
        kind: &'static str,
    },
}

/// A store that answers questions where it stands (replica, embedded hub).
pub trait Source {
    /// What can break.
    type Error;
    /// Answers all questions, in their order.
    ///
    /// # Errors
    /// If the store fails.
    fn load(&mut self, questions: &[Question]) -> Result<Vec<Answer>, Self::Error>;
}

/// Plans `envelope` at `now` over a blocking store.
///
/// # Errors
/// If the store fails, or a plan asks without end.
pub fn run<S: Source>(envelope: &Envelope, now: Millis, source: &mut S) -> Result<Planned, PlanError<S::Error>> {
    let mut facts = Facts::default();
    for _ in 0..MAX_ROUNDS {
        if let Some(planned) = step(envelope, now, &mut facts) {
            return Ok(planned);
        }
        let questions = facts.take_noted();
        let answers = source.load(&questions).map_err(PlanError::Source)?;
        facts.learn(questions, answers);
    }
    Err(PlanError::Rounds { kind: envelope.command.kind() })
}

/// A store that answers over a network (PostgreSQL).
pub trait AsyncSource {
    /// What can break.
    type Error;
    /// Answers all questions, in their order, in one round trip.
    fn load(&mut self, questions: &[Question]) -> impl Future<Output = Result<Vec<Answer>, Self::Error>>;
}

/// Plans `envelope` at `now` over an async store.
///
/// # Errors
/// If the store fails, or a plan asks without end.
pub async fn run_async<S: AsyncSource>(
    envelope: &Envelope,
    now: Millis,
    source: &mut S,
) -> Result<Planned, PlanError<S::Error>> {
    let mut facts = Facts::default();
    for _ in 0..MAX_ROUNDS {
        if let Some(planned) = step(envelope, now, &mut facts) {
            return Ok(planned);
        }
        let questions = facts.take_noted();
        let answers = source.load(&questions).await.map_err(PlanError::Source)?;
        facts.learn(questions, answers);
    }
    Err(PlanError::Rounds { kind: envelope.command.kind() })
}

/// Lets many plans ask side by side, each as if it were alone, so that a store a network away can answer all of them in a
/// few round trips and remember. What they decide counts for nothing.
///
/// # Errors
/// If the store fails.
pub async fn ask_ahead<S: AsyncSource>(envelopes: &[&Envelope], now: Millis, source: &mut S) -> Result<(), S::Error> {
    let mut open: Vec<(&Envelope, Facts)> = envelopes.iter().map(|envelope| (*envelope, Facts::default())).collect();
    for _ in 0..MAX_ROUNDS {
        open.retain_mut(|(envelope, facts)| step(envelope, now, facts).is_none());
        if open.is_empty() {
            break;
        }
        let asked: Vec<Vec<Question>> = open.iter_mut().map(|(_, facts)| facts.take_noted()).collect();
        let all: Vec<Question> = asked.iter().flatten().cloned().collect();
        let mut answers = source.load(&all).await?.into_iter();
        for ((_, facts), questions) in open.iter_mut().zip(asked) {
            let mine = answers.by_ref().take(questions.len()).collect();
            facts.learn(questions, mine);
        }
    }
    Ok(())
}

fn step(envelope: &Envelope, now: Millis, facts: &mut Facts) -> Option<Planned> {
    let outcome = plan::plan(envelope, now, facts).ok()?;
    // Questions only foreseen stay noted but unloaded: they had no part in the outcome.
    let asked = facts.known.keys().cloned().collect();
    Some(Planned { outcome, asked, unknown: facts.unknown.iter().cloned().collect(), guards: facts.guards.clone() })
}
