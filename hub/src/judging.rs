//! The rules of judging a pushed command besides its plan (protocol, "Push"), as pure functions, so that every store
//! judges alike: same id same bytes is a duplicate, same id other bytes is refused, an unseen `after` is deferred, a
//! command this program does not know is refused, and nobody speaks as somebody else.
//!
//! No store, no clock. What a store must look up for one command is [`Looked`].

use std::collections::BTreeMap;

use parkdesk_domain::command::EnvelopeHead;
use parkdesk_domain::plan::Outcome;
use parkdesk_domain::refusal::{FieldConflict, Remedy};
use parkdesk_domain::row::{SCHEMA, Write};
use parkdesk_domain::wire::{Limits, Verdict};
use parkdesk_domain::{Actor, DeviceId, Envelope, Refusal, RefusalCode, Scope};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Largest number that JSON numbers and both stores hold exactly.
const MAX_SEQ: u64 = (1 << 53) - 1;

/// A command as it came.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The part that every program can read.
    pub head: EnvelopeHead,
    /// The whole, if this program knows it.
    pub envelope: Option<Envelope>,
    /// Of its bytes.
    pub sha256: [u8; 32],
}

impl Pushed {
    /// Reads a command of a push; `None` if not even its head can be read.
    #[must_use]
    pub fn read(raw: &RawValue) -> Option<Self> {
        let head: EnvelopeHead = serde_json::from_str(raw.get()).ok()?;
        if head.seq == 0 || head.seq > MAX_SEQ {
            return None;
        }
        let envelope = serde_json::from_str(raw.get()).ok().filter(|e: &Envelope| (1..=SCHEMA).contains(&e.schema));
        Some(Self { head, envelope, sha256: Sha256::digest(raw.get().as_bytes()).into() })
    }

    /// A command of the hub itself.
    ///
    /// # Errors
    /// If an argument has no canonical form.
    pub fn of_hub(envelope: Envelope) -> Result<Self, parkdesk_domain::canonical::CanonicalError> {
        let head =
            EnvelopeHead { seq: envelope.seq, id: envelope.id.clone(), kind: envelope.command.kind().to_owned() };
        // The hub issues by derived ids: the same id is the same wish, whenever it was recorded.
        let sha256 = Sha256::digest(parkdesk_domain::canonical::to_string(&envelope.command)?.as_bytes()).into();
        Ok(Self { head, envelope: Some(envelope), sha256 })
    }
}

/// A command judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Who pushed it; `None` for the hub's own.
    pub device: Option<DeviceId>,
    /// Of its bytes.
    pub sha256: [u8; 32],
    /// The first verdict.
    pub verdict: Verdict,
}

impl Earlier {
    /// Reads what a store kept.
    ///
    /// # Errors
    /// With the cause, if it cannot be read.
    pub fn read(device: Option<String>, sha256: [u8; 32], verdict: &str) -> Result<Self, String> {
        Ok(Self {
            device: device.map(|device| device.parse()).transpose().map_err(|e| format!("{e}"))?,
            sha256,
            verdict: serde_json::from_str(verdict).map_err(|e| e.to_string())?,
        })
    }
}

/// What the store knows of a pushed command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looked {
    /// The command with the same id.
    pub earlier: Option<Earlier>,
    /// Those of `after` that were never judged.
    pub unseen: Vec<u64>,
}

/// What to do with a pushed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Answer this and keep nothing.
    Answer(Verdict),
    /// Judged without a plan: keep the verdict.
    Refuse(Refusal),
    /// The id is taken: keep only that the place in the sequence is used.
    IdReused(Verdict),
    /// Ask the plan.
    Plan,
}

/// Decides what to do with a command pushed by `device` (`None`: the hub's own).
#[must_use]
pub fn examine(pushed: &Pushed, device: Option<&DeviceId>, looked: Looked) -> Step {
    if let Some(earlier) = looked.earlier {
        // It came before, from the same sender with the same bytes: the answer was lost on the way.
        if earlier.sha256 == pushed.sha256 && earlier.device.as_ref() == device {
            return Step::Answer(Verdict::Duplicate { first: Box::new(earlier.verdict) });
        }
        let refusal = Refusal::new(RefusalCode::IdReused, Remedy::Discard);
        return Step::IdReused(Verdict::Rejected { refusal: Box::new(refusal) });
    }
    let Some(envelope) = &pushed.envelope else {
        return Step::Refuse(Refusal::new(RefusalCode::UnknownCommand, Remedy::Discard).field("kind"));
    };
    // It rests on itself or on what comes later: that can never be judged.
    if envelope.after.iter().any(|seq| *seq == 0 || *seq >= envelope.seq) && device.is_some() {
        return Step::Refuse(Refusal::invalid("after"));
    }
    if !looked.unseen.is_empty() {
        return Step::Answer(Verdict::Deferred { until_ms: None, missing: looked.unseen });
    }
    let honest = match (&envelope.actor, device) {
        (Actor::Device(actor), Some(device)) => actor == device,
        // A person's rights are checked by the plan, capped by the device's.
        (Actor::User(_), Some(_)) => true,
        // Only the hub speaks for the hub.
        (Actor::Hub | Actor::Job(_), device) => device.is_none(),
        (Actor::Device(_) | Actor::User(_), None) => false,
    };
    if honest {
        Step::Plan
    } else {
        Step::Refuse(Refusal::new(RefusalCode::NotAllowed, Remedy::AskForRight).field("actor"))
    }
}

/// What a plan decided, within the limits of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Write these, by scope.
    Apply {
        /// Scope -> its writes.
        writes: BTreeMap<Scope, Vec<Write>>,
        /// Fields not taken.
        conflicts: Vec<FieldConflict>,
    },
    /// Nothing is written.
    Refuse(Refusal),
}

/// Checks an outcome against the limits of a transaction: anything wider is written by many commands.
#[must_use]
pub fn within_limits(outcome: Outcome, limits: &Limits) -> Judgement {
    let (list, conflicts) = match outcome {
        Outcome::Refused(refusal) => return Judgement::Refuse(refusal),
        Outcome::Accepted { writes, conflicts } => (writes, conflicts),
    };
    let mut writes: BTreeMap<Scope, Vec<Write>> = BTreeMap::new();
    for write in list {
        writes.entry(write.row().scope.clone()).or_default().push(write);
    }
    let bytes = |list: &[Write]| -> usize {
        list.iter()
            .map(|w| match w {
                Write::Put { body, .. } => body.len(),
                Write::Delete { .. } => 0,
            })
            .sum()
    };
    let wide = writes.len() > limits.transaction_scopes as usize
        || writes
            .values()
            .any(|list| list.len() > limits.version_rows as usize || bytes(list) as u64 > limits.version_bytes);
    if wide {
        return Judgement::Refuse(Refusal::new(RefusalCode::TooWide, Remedy::Discard));
    }
    Judgement::Apply { writes, conflicts }
}

/// The first seq of a batch that is used with two ids, in the batch itself or against what the store holds.
#[must_use]
pub fn find_clone(batch: &[Pushed], held: &BTreeMap<u64, String>) -> Option<u64> {
    let mut taken = held.clone();
    batch.iter().map(|p| (p.head.seq, p.head.id.as_str())).find_map(|(seq, id)| {
        let holder = taken.entry(seq).or_insert_with(|| id.to_owned());
        (holder != id).then_some(seq)
    })
}

#[cfg(test)]
mod tests {
    use parkdesk_domain::canonical;
    use parkdesk_domain::row::{Kind, RowRef};

    use super::*;

    fn device() -> DeviceId {
        "d1".parse().unwrap()
    }

    fn pushed(actor: &str, after: &str) -> Pushed {
        let text = format!(
            r#"{{"actor":"{actor}","after":[{after}],"args":{{"device":"d1"}},"id":"{}","kind":"device.revoke","recorded_at_ms":1,"schema":1,"seq":7}}"#,
            "0".repeat(32)
        );
        Pushed::read(&RawValue::from_string(text).unwrap()).unwrap()
    }

    fn code(step: Step) -> RefusalCode {
        match &step {
            Step::Refuse(refusal) => refusal.code.clone(),
            Step::IdReused(Verdict::Rejected { refusal }) => refusal.code.clone(),
            Step::Answer(_) | Step::IdReused(_) | Step::Plan => panic!("{step:?}"),
        }
    }

    #[test]
    fn same_id_and_bytes_is_a_duplicate_of_its_own_device_only() {
        let command = pushed("device/d1", "");
        let first = Verdict::Applied { scopes: BTreeMap::new(), conflicts: vec![] };
        let looked = |device: &str, sha256| Looked {
            earlier: Some(Earlier { device: Some(device.parse().unwrap()), sha256, verdict: first.clone() }),
            unseen: vec![],
        };
        let step = examine(&command, Some(&device()), looked("d1", command.sha256));
        assert_eq!(step, Step::Answer(Verdict::Duplicate { first: Box::new(first.clone()) }));
        assert_eq!(code(examine(&command, Some(&device()), looked("d1", [0; 32]))), RefusalCode::IdReused);
        assert_eq!(code(examine(&command, Some(&device()), looked("d2", command.sha256))), RefusalCode::IdReused);
    }

    #[test]
    fn an_actor_is_the_device_itself_or_a_person_never_the_hub() {
        for (actor, honest) in
            [("device/d1", true), ("user/u1", true), ("device/d2", false), ("hub", false), ("job/blobs", false)]
        {
            let step = examine(&pushed(actor, ""), Some(&device()), Looked::default());
            assert_eq!(step == Step::Plan, honest, "{actor}");
        }
        assert_eq!(examine(&pushed("hub", ""), None, Looked::default()), Step::Plan);
    }

    #[test]
    fn what_it_rests_on_must_have_been_judged() {
        let looked = Looked { earlier: None, unseen: vec![5] };
        let step = examine(&pushed("device/d1", "5"), Some(&device()), looked);
        assert_eq!(step, Step::Answer(Verdict::Deferred { until_ms: None, missing: vec![5] }));
        assert_eq!(code(examine(&pushed("device/d1", "7"), Some(&device()), Looked::default())), RefusalCode::Invalid);
    }

    #[test]
    fn unknown_kinds_and_schemas_get_their_verdict() {
        for text in [
            format!(r#"{{"seq":1,"id":"{}","kind":"pigeon.send","args":{{}}}}"#, "1".repeat(32)),
            format!(
                r#"{{"actor":"device/d1","args":{{"device":"d1"}},"id":"{}","kind":"device.revoke","recorded_at_ms":1,"schema":9,"seq":7}}"#,
                "1".repeat(32)
            ),
        ] {
            let command = Pushed::read(&RawValue::from_string(text).unwrap()).unwrap();
            let step = examine(&command, Some(&device()), Looked::default());
            assert_eq!(code(step), RefusalCode::UnknownCommand);
        }
    }

    #[test]
    fn a_plan_that_writes_too_much_is_refused() {
        let put = |scope: Scope, n: usize, body: String| Write::Put {
            row: RowRef { scope, kind: Kind::Driver, id: format!("r{n}").parse().unwrap() },
            body,
        };
        let limits = Limits::default();
        let refused = |writes| {
            let outcome = Outcome::Accepted { writes, conflicts: vec![] };
            matches!(within_limits(outcome, &limits), Judgement::Refuse(r) if r.code == RefusalCode::TooWide)
        };
        let rows = |count: usize| (0..count).map(|n| put(Scope::Org, n, "{}".into())).collect::<Vec<_>>();
        assert!(!refused(rows(500)) && refused(rows(501)));
        let scopes = |count: usize| {
            (0..count).map(|n| put(Scope::Work(format!("d{n}").parse().unwrap()), n, "{}".into())).collect::<Vec<_>>()
        };
        assert!(!refused(scopes(8)) && refused(scopes(9)));
        assert!(refused(vec![put(Scope::Org, 1, canonical::to_string(&"x".repeat(1 << 20)).unwrap())]));
    }

    #[test]
    fn one_seq_with_two_ids_is_a_clone() {
        let batch = [pushed("device/d1", "")];
        assert_eq!(find_clone(&batch, &BTreeMap::new()), None);
        assert_eq!(find_clone(&batch, &BTreeMap::from([(7, "0".repeat(32))])), None);
        assert_eq!(find_clone(&batch, &BTreeMap::from([(7, "f".repeat(32))])), Some(7));
    }
}
