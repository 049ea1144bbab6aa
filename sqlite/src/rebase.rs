//! Rebase (protocol, "Rebase"): pending commands are planned again whenever something they rest on changes.
//!
//! `pending_touch` says what each pending command read and wrote, by rows, by claimed keys (`key/licence`) and by an actor's
//! rights. When something of that changes, or a command leaves, the commands touching it, all that share written rows with
//! them, and later ones that wrote what they read are undone (their rows become the hub's again), the change is applied,
//! and they are planned again in `seq` order, all in one transaction. As every writer of an undone row is among them, no
//! row has a shadow while the hub's rows are applied.
//!
//! Invariant: at any time the rows are those that planning all pending commands again would give (`tests/converge.rs`).

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::command::Envelope;
use parkdesk_domain::facts::{self, PlanError, Planned, Question};
use parkdesk_domain::fold;
use parkdesk_domain::plan::Outcome;
use parkdesk_domain::row::{Kind, RowRef, Write};
use parkdesk_domain::scope::{Area, Scope};
use serde_json::Value;

use crate::error::{Error, Result, from_json};
use crate::facts::LocalFacts;
use crate::rows::row_ref;
use crate::tx::{ReadTx, WriteTx};

/// Something a plan can rest on: scope, kind (or `key/<space>`, `rights`) and id (or the key, the actor).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Touch {
    pub(crate) scope: String,
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Touch {
    fn new(scope: String, kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { scope, kind: kind.into(), id: id.into() }
    }

    pub(crate) fn of_row(row: &RowRef) -> Self {
        Self::new(row.scope.to_string(), row.kind.as_str(), row.id.as_str())
    }

    pub(crate) fn of_question(question: &Question) -> Self {
        match question {
            Question::Row(row) => Self::of_row(row),
            Question::Key { scope, space, key } => {
                Self::new(scope.to_string(), format!("key/{}", space.as_str()), key.as_str())
            }
            Question::Rights(actor) => Self::new(String::new(), "rights", actor.to_string()),
        }
    }

    /// What else changes when this row has or had this body: the keys it claims, the rights it gives.
    pub(crate) fn of_body(row: &RowRef, body: &str) -> Vec<Self> {
        let Ok(value) = serde_json::from_str::<Value>(body) else { return Vec::new() };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let scope = row.scope.to_string();
        let touch = match &row.kind {
            Kind::Driver => text("/licence/number").map(|n| Self::new(scope, "key/licence", fold::plate(n))),
            Kind::Car => text("/plate").map(|plate| Self::new(scope, "key/plate", fold::plate(plate))),
            Kind::Photo => text("/driver_id").map(|driver| Self::new(scope, "key/photos_of", driver)),
            Kind::User => text("/login").map(|login| Self::new(scope, "key/login", fold::name(login))),
            Kind::Grant => text("/holder").map(|holder| Self::new(String::new(), "rights", holder)),
            Kind::Park
            | Kind::ParkCard
            | Kind::DriverCard
            | Kind::MatchDecision
            | Kind::Device
            | Kind::Subscription
            | Kind::Verdict
            | Kind::Other(_) => None,
        };
        touch.into_iter().collect()
    }
}

impl ReadTx<'_> {
    /// Everything that a change of this row to `body` (`None` = deleted) touches.
    pub(crate) fn touches_of(&self, row: &RowRef, body: Option<&str>) -> Result<BTreeSet<Touch>> {
        let mut touches = BTreeSet::from([Touch::of_row(row)]);
        for old in [self.body(row)?, self.shadow_body(row)?, body.map(str::to_owned)].into_iter().flatten() {
            touches.extend(Touch::of_body(row, &old));
        }
        Ok(touches)
    }

    /// Plans a command over local facts.
    pub(crate) fn plan(&self, envelope: &Envelope) -> Result<Planned> {
        facts::run(envelope, envelope.recorded_at_ms, &mut LocalFacts(self)).map_err(|error| match error {
            PlanError::Source(error) => error,
            PlanError::Rounds { .. } => Error::Plan(error.to_string()),
        })
    }

    /// `seeds`, the pending commands that touch any of `open`, those that share written rows with them, and later ones
    /// that wrote what they read: a plan must not see what comes after it.
    fn affected(&self, mut open: BTreeSet<Touch>, seeds: &BTreeSet<u64>) -> Result<BTreeSet<u64>> {
        let (mut seen, mut found, mut new) = (BTreeSet::new(), BTreeSet::new(), seeds.clone());
        loop {
            while let Some(seq) = new.pop_first() {
                if found.insert(seq) {
                    open.extend(self.written(seq)?.into_iter().filter(|touch| !seen.contains(touch)));
                    let sql = "SELECT DISTINCT later.seq FROM pending_touch AS mine
                               JOIN pending_touch AS later USING (scope, kind, id)
                               WHERE mine.seq = ?1 AND later.seq > ?1 AND later.is_write = 1";
                    new.extend(self.all(sql, [seq], |row| row.get::<_, u64>(0))?);
                }
            }
            let Some(touch) = open.pop_first() else { return Ok(found) };
            let sql = "SELECT DISTINCT seq FROM pending_touch WHERE scope = ?1 AND kind = ?2 AND id = ?3";
            new.extend(self.all(sql, (&touch.scope, &touch.kind, &touch.id), |row| row.get::<_, u64>(0))?);
            seen.insert(touch);
        }
    }

    /// Everything of a scope that pending commands rest on; with a scope that holds grants also rights.
    pub(crate) fn touched_in(&self, scope: &Scope) -> Result<BTreeSet<Touch>> {
        let text = scope.to_string();
        let holds_grants = matches!(scope, Scope::Device(_) | Scope::Park(_, Area::Staff));
        let rights = if holds_grants { "" } else { text.as_str() };
        let sql = "SELECT DISTINCT scope, kind, id FROM pending_touch WHERE scope = ?1 OR scope = ?2";
        let touches = self.all(sql, (&text, rights), |row| {
            Ok(Touch::new(row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        Ok(touches.into_iter().collect())
    }

    pub(crate) fn written(&self, seq: u64) -> Result<Vec<Touch>> {
        let sql = "SELECT scope, kind, id FROM pending_touch WHERE seq = ?1 AND is_write = 1";
        self.all(sql, [seq], |row| Ok(Touch::new(row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
    }

    /// The written rows of a pending command.
    pub(crate) fn written_rows(&self, seq: u64) -> Result<Vec<RowRef>> {
        let rows =
            self.written(seq)?.into_iter().filter(|touch| !touch.kind.starts_with("key/") && touch.kind != "rights");
        rows.map(|touch| row_ref(&touch.scope, &touch.kind, &touch.id)).collect()
    }
}

impl WriteTx<'_> {
    /// Undoes what `changed` and `gone` touch, lets the gone commands leave, applies the change, and plans the others
    /// again.
    pub(crate) fn rebase(
        &mut self,
        changed: BTreeSet<Touch>,
        gone: &BTreeSet<u64>,
        apply: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut affected = self.affected(changed, gone)?;
        self.undo(&affected)?;
        for seq in gone {
            self.exec("DELETE FROM outbox WHERE seq = ?1", [seq])?;
        }
        affected.retain(|seq| !gone.contains(seq));
        apply(self)?;
        loop {
            let mut written = BTreeSet::new();
            for seq in &affected {
                written.extend(self.replan(*seq)?);
            }
            // A plan may read and write other rows than before, which commands not undone write or have read.
            let wider = self.affected(written, &affected)?;
            if wider == affected {
                return Ok(());
            }
            affected = wider;
            self.undo(&affected)?;
        }
    }

    pub(crate) fn undo(&mut self, seqs: &BTreeSet<u64>) -> Result<()> {
        for seq in seqs {
            for row in self.written_rows(*seq)? {
                self.restore_shadow(&row)?;
            }
        }
        for seq in seqs {
            self.exec("DELETE FROM pending_touch WHERE seq = ?1", [seq])?;
        }
        Ok(())
    }

    /// Plans a stored command again; returns what it writes. One that the rules now refuse writes nothing and waits for
    /// the hub's word.
    pub(crate) fn replan(&mut self, seq: u64) -> Result<BTreeSet<Touch>> {
        let bytes: Option<Vec<u8>> = self.one("SELECT bytes FROM outbox WHERE seq = ?1", [seq], |row| row.get(0))?;
        let Some(bytes) = bytes else { return Ok(BTreeSet::new()) };
        let envelope: Envelope = from_json("command", bytes)?;
        let planned = self.plan(&envelope)?;
        let writes = match &planned.outcome {
            Outcome::Accepted { writes, .. } => writes.as_slice(),
            Outcome::Refused(_) => &[],
        };
        self.apply_plan(seq, &planned.asked, writes)
    }

    /// Writes a plan's rows over the hub's and notes what it rests on; returns what was written.
    pub(crate) fn apply_plan(&mut self, seq: u64, asked: &[Question], writes: &[Write]) -> Result<BTreeSet<Touch>> {
        let mut touches: BTreeMap<(Touch, bool), ()> =
            asked.iter().map(|question| ((Touch::of_question(question), false), ())).collect();
        let mut written = BTreeSet::new();
        for write in writes {
            let body = match write {
                Write::Put { body, .. } => Some(body.as_str()),
                Write::Delete { .. } => None,
            };
            written.extend(self.touches_of(write.row(), body)?);
            self.write_optimistic(write)?;
        }
        touches.extend(written.iter().map(|touch| ((touch.clone(), true), ())));
        for (touch, is_write) in touches.keys() {
            let sql =
                "INSERT OR IGNORE INTO pending_touch (seq, scope, kind, id, is_write) VALUES (?1, ?2, ?3, ?4, ?5)";
            self.exec(sql, (seq, &touch.scope, &touch.kind, &touch.id, is_write))?;
        }
        Ok(written)
    }

    /// Restores all shadows and plans all pending commands again; after each schema migration, so that no migration has
    /// to transform a row that is not the hub's.
    ///
    /// # Errors
    /// If the file fails.
    pub fn replan_all(&mut self) -> Result<()> {
        let seqs: BTreeSet<u64> = self.all("SELECT seq FROM outbox", [], |row| row.get(0))?.into_iter().collect();
        self.undo(&seqs)?;
        for seq in seqs {
            self.replan(seq)?;
        }
        Ok(())
    }
}
