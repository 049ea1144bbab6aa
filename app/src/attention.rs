//! What a person must settle: commands that were refused or met a conflict, files that cannot be sent.
//!
//! Nothing leaves this list by itself; a person retries, changes, takes the offer, or discards.

use parkdesk_domain::row::Kind;
use parkdesk_domain::{Command, Millis, RowId};
use parkdesk_sqlite::{AttentionKind, NeedsAttention, Priority, ReadTx, Settle, Settled, Settler, Waiting};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::capture::forget_taken;
use crate::error::{Error, Result};
use crate::subject::{self, Subject};
use crate::words::{self, Lang};

/// Something to settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttentionView {
    /// Its id.
    pub id: String,
    /// `refused`, `conflict`, `parked_blob`, `salvaged`, `stuck`.
    pub kind: String,
    /// What was wanted (`driver.edit`, ...).
    pub command: Option<String>,
    /// The arguments as they were given.
    #[schema(value_type = Object)]
    pub input: Option<Value>,
    /// Why it was not done (a refusal's code).
    pub reason: Option<String>,
    /// The same in words, in English (as `reason_en`).
    pub reason_text: String,
    /// Why, in Russian.
    pub reason_ru: String,
    /// Why, in English.
    pub reason_en: String,
    /// What it is about, if that is known here.
    pub subject: Option<Subject>,
    /// The field at fault.
    pub field: Option<String>,
    /// Fields that both sides changed: what this one wanted and what stands.
    pub conflicts: Vec<ConflictView>,
    /// When it came up.
    #[schema(value_type = i64)]
    pub created_at_ms: Millis,
    /// What can be done: `retry`, `edit`, `discard`, `use_offer`.
    pub offers: Vec<String>,
}

/// A field that both sides changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConflictView {
    /// The field.
    pub field: String,
    /// What this side wanted.
    #[schema(value_type = Value)]
    pub wanted: Value,
    /// What stands.
    #[schema(value_type = Value)]
    pub stands: Value,
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
        let stuck = self.stuck();
        self.replica().read(|tx| {
            let entries = tx.needs_attention()?.into_iter().map(|entry| view(tx, entry));
            entries.chain(stuck.map(|waiting| stuck_view(tx, waiting))).collect()
        })
    }

    /// What a person must settle about a driver and the driver's photos.
    pub(crate) fn attention_of_driver(tx: &ReadTx<'_>, driver: &RowId, photos: &[RowId]) -> Result<Vec<AttentionView>> {
        let is_about = |entry: &NeedsAttention| {
            let named = match entry.command.as_ref().map(|envelope| &envelope.command) {
                Some(Command::PhotoCapture(args)) => args.driver == *driver,
                Some(Command::PhotoAssign(args)) => args.driver.was == *driver || args.driver.now == *driver,
                Some(Command::PhotoWithdraw(args)) => photos.contains(&args.photo),
                Some(Command::DriverCreate(args)) => args.driver == *driver,
                Some(Command::DriverEdit(args)) => args.driver == *driver,
                Some(Command::MatchDecide(args)) => photos.contains(&args.a.photo) || photos.contains(&args.b.photo),
                Some(
                    Command::ParkCreate(_)
                    | Command::ParkSetFaces(_)
                    | Command::DeviceEnrol(_)
                    | Command::DeviceRevoke(_)
                    | Command::PhotoBytesStored(_)
                    | Command::PersonCreate(_)
                    | Command::PersonSetPassCode(_)
                    | Command::PersonRemove(_),
                )
                | None => false,
            };
            named || entry.rows.iter().any(|row| row.kind == Kind::Photo && photos.contains(&row.id))
        };
        let entries = tx.needs_attention()?.into_iter().filter(is_about);
        entries.map(|entry| view(tx, entry)).collect()
    }

    /// Settles an entry.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is settled already; [`Error::Refused`] if the new command is refused.
    pub fn settle(&self, entry: &str, decision: Decision) -> Result<()> {
        if entry == STUCK {
            return match decision {
                Decision::Retry => self.sync_now(),
                Decision::Edit { .. } | Decision::Discard | Decision::UseOffer => Err(Error::NotFound("entry")),
            };
        }
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

/// The entry of the watchdog: its id and kind. It goes by itself when the queue moves.
const STUCK: &str = "stuck";

fn stuck_view(tx: &ReadTx<'_>, waiting: Waiting) -> Result<AttentionView> {
    let reason = |lang| words::stuck(lang).to_owned();
    Ok(AttentionView {
        id: STUCK.into(),
        kind: STUCK.into(),
        command: Some(waiting.kind),
        input: waiting.command.as_ref().and_then(input_of),
        reason: None,
        reason_text: reason(Lang::En),
        reason_ru: reason(Lang::Ru),
        reason_en: reason(Lang::En),
        subject: waiting.command.map(|command| subject::of_command(tx, &command)).transpose()?.flatten(),
        field: None,
        conflicts: vec![],
        created_at_ms: waiting.at_ms,
        offers: vec!["retry".into()],
    })
}

/// What was put in; what a pass code is checked with is nobody's to see.
fn input_of(command: &Command) -> Option<Value> {
    let mut input = serde_json::to_value(command).ok()?.get("args").cloned();
    if let Some(Value::Object(args)) = &mut input {
        args.remove("verifier");
    }
    input
}

fn view(tx: &ReadTx<'_>, entry: NeedsAttention) -> Result<AttentionView> {
    let subject = subject::of_entry(tx, &entry)?;
    let command = entry.command.map(|envelope| envelope.command);
    let (kind, refusal) = (entry.kind, entry.refusal);
    let reason = |lang| match &refusal {
        Some(refusal) => words::refusal(&refusal.code, lang).to_owned(),
        None => words::attention(kind, lang).to_owned(),
    };
    let (reason_ru, reason_en) = (reason(Lang::Ru), reason(Lang::En));
    let mut offers = vec!["retry".to_owned()];
    if command.is_some() {
        offers.push("edit".into());
    }
    if entry.offer.is_some() {
        offers.push("use_offer".into());
    }
    offers.push("discard".into());
    Ok(AttentionView {
        id: entry.id.to_string(),
        kind: match kind {
            AttentionKind::Refused => "refused",
            AttentionKind::Conflict => "conflict",
            AttentionKind::ParkedBlob => "parked_blob",
            AttentionKind::Salvaged => "salvaged",
        }
        .to_owned(),
        command: command.as_ref().map(|command| command.kind().to_owned()),
        input: command.as_ref().and_then(input_of),
        reason: refusal.as_ref().map(|refusal| refusal.code.as_str().to_owned()),
        reason_text: reason_en.clone(),
        reason_ru,
        reason_en,
        subject,
        field: refusal.and_then(|refusal| refusal.field),
        conflicts: entry
            .conflicts
            .into_iter()
            .map(|conflict| ConflictView { field: conflict.field, wanted: conflict.now, stands: conflict.current })
            .collect(),
        created_at_ms: entry.created_at_ms,
        offers,
    })
}
