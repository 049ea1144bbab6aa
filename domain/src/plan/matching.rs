//! `match.decide`: people's decisions about faces, append-only. Undoing is a new decision that marks the old one.

use serde_json::Map;

use super::{Outcome, Plan};
use crate::body::{Entity, FaceRef, MatchDecision, Photo};
use crate::command::{Envelope, MatchDecide};
use crate::facts::{Fact, Facts, Question};
use crate::ids::Millis;
use crate::refusal::{Refusal, RefusalCode, Remedy};
use crate::row::{RowRef, Write};
use crate::scope::{Area, Scope};

pub(super) fn decide(envelope: &Envelope, args: &MatchDecide, now: Millis, facts: &mut Facts) -> Plan {
    let faces = Scope::park(&args.park, Area::Faces);
    let photos = Scope::park(&args.park, Area::Photos);
    let photo_row = |id: &FaceRef| RowRef { scope: photos.clone(), kind: Photo::KIND, id: id.photo.clone() };
    let decision_row = |id| RowRef { scope: faces.clone(), kind: MatchDecision::KIND, id };
    facts.foresee([&args.a, &args.b].map(|face| Question::Row(photo_row(face))));
    if args.a == args.b {
        return Err(Refusal::invalid("b").into());
    }
    for (field, face) in [("a", &args.a), ("b", &args.b)] {
        let photo = facts.row::<Photo>(photos.clone(), &face.photo)?;
        if matches!(&photo, Fact::Known(found) if found.as_ref().is_none_or(Photo::is_withdrawn)) {
            let refusal = Refusal::new(RefusalCode::UnknownPhoto, Remedy::Discard);
            return Err(refusal.field(field).row(photo_row(face)).into());
        }
    }
    let (a, b) = if args.a <= args.b { (&args.a, &args.b) } else { (&args.b, &args.a) };
    match facts.row::<MatchDecision>(faces.clone(), &args.decision)? {
        // The very same decision: it was made before the appliance got new numbers, and comes again.
        Fact::Known(Some(old)) if (&old.a, &old.b, old.verdict) == (a, b, args.verdict) => {
            return Ok(Outcome::accepted(Vec::new()));
        }
        Fact::Known(Some(_)) => {
            return Err(Refusal::new(RefusalCode::Exists, Remedy::Discard).field("decision").into());
        }
        Fact::Known(None) | Fact::Unknown => {}
    }
    let decision = MatchDecision {
        park_id: args.park.clone(),
        a: a.clone(),
        b: b.clone(),
        verdict: args.verdict,
        by: envelope.actor.clone(),
        at_ms: now,
        undone_by: None,
        more: Map::new(),
    };
    let mut writes = vec![Write::put(decision_row(args.decision.clone()), &decision)?];
    if let Some(undone) = &args.undoes {
        match facts.row::<MatchDecision>(faces.clone(), undone)? {
            // Undone by somebody else already: that one stands, this decision is added.
            Fact::Known(Some(old)) if old.undone_by.is_some() => {}
            Fact::Known(Some(mut old)) => {
                old.undone_by = Some(args.decision.clone());
                writes.push(Write::put(decision_row(undone.clone()), &old)?);
            }
            Fact::Known(None) => {
                return Err(Refusal::new(RefusalCode::UnknownDecision, Remedy::Discard).field("undoes").into());
            }
            Fact::Unknown => {}
        }
    }
    Ok(Outcome::accepted(writes))
}
