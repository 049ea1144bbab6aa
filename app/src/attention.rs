//! What a person must settle: commands that were refused or met a conflict, files that cannot be sent.
//!
//! Nothing leaves this list by itself; a person retries, changes, takes the offer, or discards.

use parkdesk_domain::{Command, Millis};
use parkdesk_sqlite::{AttentionKind, NeedsAttention, Priority, Settle, Settled, Settler};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::capture::forget_taken;
use crate::error::{Error, Result};
use crate::words::{self, Lang};

/// Something to settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttentionView {
    /// Its id.
    pub id: String,
    /// `refused`, `conflict`, ...
    pub kind: String,
    /// What was wanted (`driver.edit`, ...).
    pub command: Option<String>,
    /// The arguments as they were given.
    #[schema(value_type = Object)]
    pub input: Option<serde_json::Value>,
    /// Why it was not done (a refusal's code).
    pub reason: Option<String>,
    /// The same in words, in English.
    pub reason_text: String,
    /// The field at fault.
    pub field: Option<String>,
    /// Fields that both sides changed: what this one wanted and what stands.
    #[schema(value_type = Vec<Object>)]
    pub conflicts: Vec<serde_json::Value>,
    /// When it came up.
    #[schema(value_type = i64)]
    pub created_at_ms: Millis,
    /// What can be done: `retry`, `edit`, `discard`, `use_offer`.
    pub offers: Vec<String>,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Decision {
    /// Send it again as it is.
    Retry,
    /// Send this instead.
    Edit {
        /// Kind and arguments, as on the wire.
        #[schema(value_type = Object)]
        command: Box<Command>,
    },
    /// Let it go.
    Discard,
    /// Use the row that the refusal offers.
    UseOffer,
}

impl App {
    /// What a person must settle, the oldest first.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn list_attention(&self) -> Result<Vec<AttentionView>> {
        let entries: Vec<NeedsAttention> = self.replica().read(|tx| tx.needs_attention())?;
        Ok(entries.into_iter().map(view).collect())
    }

    /// Settles an entry.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is settled already; [`Error::Refused`] if the new command is refused.
    pub fn settle(&self, entry: &str, decision: Decision) -> Result<()> {
        let entry: i64 = entry.parse().map_err(|_| Error::NotFound("entry"))?;
        let how = match decision {
            Decision::Retry => Settle::Retry,
            Decision::Edit { command } => Settle::Edit(*command),
            Decision::Discard => Settle::Discard,
            Decision::UseOffer => Settle::UseOffer,
        };
        let (actor, now) = (self.actor()?, self.now());
        let mut new_id = || self.new_command_id();
        self.replica().write(Priority::Person, |tx| {
            let settled = tx.attention_entry(entry)?.ok_or(Error::NotFound("entry"))?;
            if let (Settle::Discard, Some(Command::PhotoCapture(capture))) =
                (&how, settled.command.map(|envelope| envelope.command))
            {
                forget_taken(tx, &capture.photo, now)?;
            }
            match tx.settle(entry, how, &mut Settler { actor, now, new_id: &mut new_id })? {
                Settled::Done { .. } => Ok(()),
                Settled::Refused(refusal) => Err(Error::Refused(refusal)),
            }
        })?;
        (self.parts.poke)();
        Ok(())
    }
}

fn view(entry: NeedsAttention) -> AttentionView {
    let command = entry.command.and_then(|envelope| serde_json::to_value(envelope.command).ok());
    let part = |name: &str| command.as_ref().and_then(|command| command.get(name)).cloned();
    let (kind, refusal) = (entry.kind, entry.refusal);
    let reason_text = match (&refusal, kind) {
        (Some(refusal), _) => words::refusal(&refusal.code, Lang::En),
        (None, AttentionKind::Conflict) => "somebody changed the same fields meanwhile: choose a value",
        (None, AttentionKind::ParkedBlob) => {
            "a file could not be sent or fetched: try again, or take the photo once more"
        }
        (None, AttentionKind::Salvaged) => "this was saved from a damaged file and was not sent: send it or let it go",
        (None, AttentionKind::Refused) => "refused without a reason",
    };
    let mut offers = vec!["retry".to_owned()];
    if command.is_some() {
        offers.push("edit".into());
    }
    if entry.offer.is_some() {
        offers.push("use_offer".into());
    }
    offers.push("discard".into());
    AttentionView {
        id: entry.id.to_string(),
        kind: match kind {
            AttentionKind::Refused => "refused",
            AttentionKind::Conflict => "conflict",
            AttentionKind::ParkedBlob => "parked_blob",
            AttentionKind::Salvaged => "salvaged",
        }
        .to_owned(),
        command: part("kind").and_then(|kind| kind.as_str().map(str::to_owned)),
        input: part("args"),
        reason: refusal.as_ref().map(|refusal| refusal.code.as_str().to_owned()),
        reason_text: reason_text.to_owned(),
        field: refusal.and_then(|refusal| refusal.field),
        conflicts: entry.conflicts.iter().filter_map(|conflict| serde_json::to_value(conflict).ok()).collect(),
        created_at_ms: entry.created_at_ms,
        offers,
    }
}
