//! What happened to a driver, and whether the driver's photos show one person.
//!
//! The hub's rows carry no history. What this appliance did itself it knows with both values (its own commands); of others it
//! knows the photos, their verdicts and the decisions about faces, each with its time and author. A verdict on a photo carries
//! no time of its own and is told right after its shot.

use parkdesk_domain::body::{FacePolicy, MatchVerdict, Photo, PhotoStatus};
use parkdesk_domain::command::{DriverEdit, SetEdit};
use parkdesk_domain::{Actor, Command, Millis, RowId};
use parkdesk_sqlite::{OwnCommand, PhotoView as Row, ReadTx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::App;
use crate::capture::OtherDriver;
use crate::error::{Error, Result};
use crate::matching::{Likely, Likeness};
use crate::note::BoxView;
use crate::photos::RecordState;

/// Most lines of a history, and other drivers who look the same.
const MOST: usize = 200;
const OTHERS: usize = 5;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// When.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
    /// What.
    pub kind: HistoryKind,
    /// Who: a person's or a device's name, if it is known here.
    pub by: Option<String>,
    /// How far it has come.
    pub state: RecordState,
    /// What changed.
    pub fields: Vec<FieldChange>,
    /// The photo it is about.
    #[schema(value_type = Option<String>)]
    pub photo: Option<RowId>,
    /// Why: of a refusal, or of a photo sent in spite of a failed check.
    pub reason: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// The driver was added.
    Created,
    /// Fields were changed.
    Edited,
    /// A photo was taken.
    PhotoCaptured,
    /// A photo was given to another driver.
    PhotoAssigned,
    /// A photo was judged.
    PhotoStatus,
    /// A person decided whether two photos show one person.
    MatchDecided,
    /// A photo was taken back.
    Withdrawn,
}

/// A changed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// Before.
    pub was: Option<String>,
    /// After.
    pub now: Option<String>,
}

/// A face on a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhotoFace {
    /// The photo.
    #[schema(value_type = String)]
    pub photo: RowId,
    /// The face's box in its original.
    pub face: BoxView,
}

/// Two photos, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchView {
    /// The driver's latest photo.
    pub a: PhotoFace,
    /// An earlier one, or one of another driver.
    pub b: PhotoFace,
    /// The other driver, if `b` shows somebody else's.
    pub other_driver: Option<OtherDriver>,
    /// Whether they show one person; none where faces are not compared or a template is missing.
    pub likely: Option<Likely>,
    /// What a person decided.
    pub decision: Option<DecisionView>,
}

/// What a person decided about two photos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Its id, to undo it with.
    #[schema(value_type = String)]
    pub id: RowId,
    /// `same`, `different`, `unsure` or `ignore`.
    #[schema(value_type = String)]
    pub verdict: MatchVerdict,
    /// Who, if the name is known here.
    pub by: Option<String>,
    /// When.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
}

impl App {
    /// What happened to a driver, the newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn driver_history(&self, park: &RowId, driver: &RowId) -> Result<Vec<HistoryEntry>> {
        self.replica().read(|tx| {
            tx.driver(park, driver)?.ok_or(Error::NotFound("driver"))?;
            let mut entries = Vec::new();
            for own in tx.own_commands_naming(driver)? {
                let by = actor_name(tx, &own.envelope.actor)?;
                entries.extend(of_command(own, driver, by));
            }
            for photo in tx.story_of_driver(park, driver)? {
                let by = actor_name(tx, &photo.photo.captured_by)?;
                let withdrawn_by =
                    photo.photo.withdrawn_by.as_ref().map(|who| actor_name(tx, who)).transpose()?.flatten();
                entries.extend(of_photo(&photo, by, withdrawn_by));
                for (_, decision) in tx.decisions_of_photo(&photo.id)? {
                    // A decision about two of the driver's own photos is told once.
                    if decision.a.photo == photo.id
                        || tx.photo(&decision.a.photo)?.is_none_or(|a| a.photo.driver_id != *driver)
                    {
                        entries.push(HistoryEntry {
                            at_ms: decision.at_ms,
                            kind: HistoryKind::MatchDecided,
                            by: actor_name(tx, &decision.by)?,
                            state: RecordState::Accepted,
                            fields: vec![change("verdict", None, verdict_text(decision.verdict))],
                            photo: Some(photo.id.clone()),
                            reason: None,
                        });
                    }
                }
            }
            entries.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.kind)));
            entries.truncate(MOST);
            Ok(entries)
        })
    }

    /// The driver's latest photo against the earlier ones, and, where the park lets faces be searched, other drivers who look
    /// the same.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn driver_matches(&self, park: &RowId, driver: &RowId) -> Result<Vec<MatchView>> {
        self.follow_photos()?;
        let policy = self.face_policy(park)?;
        let photos: Vec<Row> = self.replica().read(|tx| -> Result<_> {
            tx.driver(park, driver)?.ok_or(Error::NotFound("driver"))?;
            Ok(tx.photos_of_driver(Some(park), driver)?)
        })?;
        let mut faces = photos.iter().filter_map(|view| face_of(&view.id, &view.photo));
        let Some(a) = faces.next() else { return Ok(Vec::new()) };
        let earlier: Vec<PhotoFace> = faces.collect();
        let ids: Vec<RowId> = earlier.iter().map(|b| b.photo.clone()).collect();
        let may_compare = matches!(policy, FacePolicy::Verify | FacePolicy::Search);
        let mut alike = if may_compare { self.matching.alike(&a.photo, &ids) } else { Default::default() };
        let mut found: Vec<(PhotoFace, Option<OtherDriver>, Option<Likely>)> = Vec::new();
        for b in earlier {
            let likely = alike.remove(&b.photo);
            found.push((b, None, likely));
        }
        if policy == FacePolicy::Search {
            found.extend(self.others_alike(park, driver, &a.photo)?);
        }
        self.replica().read(|tx| {
            let decisions = tx.decisions_of_photo(&a.photo)?;
            let mut views = Vec::with_capacity(found.len());
            for (b, other_driver, likely) in found {
                let decided = decisions.iter().find(|(_, d)| d.a.photo == b.photo || d.b.photo == b.photo);
                let decision = match decided {
                    Some((id, d)) => Some(DecisionView {
                        id: id.clone(),
                        verdict: d.verdict,
                        by: actor_name(tx, &d.by)?,
                        at_ms: d.at_ms,
                    }),
                    None => None,
                };
                views.push(MatchView { a: a.clone(), b, other_driver, likely, decision });
            }
            Ok(views)
        })
    }

    fn others_alike(&self, park: &RowId, driver: &RowId, photo: &RowId) -> Result<Vec<Alike>> {
        let Some(template) = self.matching.template(photo).filter(|_| self.may_search("matches")) else {
            return Ok(Vec::new());
        };
        let found = self.matching.candidates(&template, std::slice::from_ref(park), OTHERS + 1);
        let others = found.into_iter().filter(|other| other.driver != *driver);
        let mut alike = Vec::new();
        for other in others.filter(|other| other.likely.verdict != Likeness::Different).take(OTHERS) {
            let view: Option<Row> = self.replica().read(|tx| tx.photo(&other.photo))?;
            let Some(b) = view.and_then(|view| face_of(&view.id, &view.photo)) else { continue };
            let name = self.driver_name(&other.park, &other.driver)?;
            let likely = Some(other.likely.clone());
            let other =
                OtherDriver { park: other.park, id: other.driver, name, photo: other.photo, likely: other.likely };
            alike.push((b, Some(other), likely));
        }
        Ok(alike)
    }
}

/// A face that looks alike, whose it is, and how likely that is.
type Alike = (PhotoFace, Option<OtherDriver>, Option<Likely>);

fn face_of(id: &RowId, photo: &Photo) -> Option<PhotoFace> {
    Some(PhotoFace { photo: id.clone(), face: photo.face?.into() })
}

/// The name of who acted, if it is known here.
pub(crate) fn actor_name(tx: &ReadTx<'_>, actor: &Actor) -> Result<Option<String>> {
    Ok(match actor {
        Actor::Device(device) => tx.device_name(device.as_str())?,
        Actor::User(person) => tx.person(person)?.map(|person| person.user.name),
        Actor::Hub | Actor::Job(_) => None,
    })
}

fn change(field: &str, was: Option<String>, now: impl Into<Option<String>>) -> FieldChange {
    FieldChange { field: field.to_owned(), was, now: now.into() }
}

fn verdict_text(verdict: MatchVerdict) -> Option<String> {
    serde_json::to_value(verdict).ok().and_then(|value| value.as_str().map(str::to_owned))
}

fn of_command(own: OwnCommand, driver: &RowId, by: Option<String>) -> Option<HistoryEntry> {
    let state = RecordState::from(own.state);
    let entry = |kind, fields, photo| HistoryEntry {
        at_ms: own.envelope.recorded_at_ms,
        kind,
        by,
        state,
        fields,
        photo,
        reason: None,
    };
    match own.envelope.command {
        Command::DriverCreate(args) if args.driver == *driver => Some(entry(HistoryKind::Created, Vec::new(), None)),
        Command::DriverEdit(args) if args.driver == *driver => Some(entry(HistoryKind::Edited, edited(&args), None)),
        Command::PhotoAssign(args) => {
            let (was, now) = (args.driver.was.to_string(), args.driver.now.to_string());
            Some(entry(HistoryKind::PhotoAssigned, vec![change("driver", Some(was), now)], Some(args.photo)))
        }
        // A photo that was refused has left no row that could tell of it.
        Command::PhotoCapture(args) if args.driver == *driver && state == RecordState::Refused => {
            Some(entry(HistoryKind::PhotoCaptured, Vec::new(), Some(args.photo)))
        }
        Command::DriverCreate(_)
        | Command::DriverEdit(_)
        | Command::PhotoCapture(_)
        | Command::PhotoWithdraw(_)
        | Command::MatchDecide(_)
        | Command::ParkCreate(_)
        | Command::ParkSetFaces(_)
        | Command::DeviceEnrol(_)
        | Command::DeviceRevoke(_)
        | Command::PhotoBytesStored(_)
        | Command::PersonCreate(_)
        | Command::PersonSetPassCode(_)
        | Command::PersonRemove(_) => None,
    }
}

fn edited(args: &DriverEdit) -> Vec<FieldChange> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(map) => {
            Some(map.get("number").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => Some(value.to_string()),
    };
    let fields = args.fields.iter().map(|(field, edit)| change(field, text(&edit.was), text(&edit.now)));
    let SetEdit { add, remove } = &args.phones;
    let phones = |list: &[String]| (!list.is_empty()).then(|| list.join(", "));
    let phones = (!args.phones.is_empty()).then(|| change("phones", phones(remove), phones(add)));
    fields.chain(phones).collect()
}

fn of_photo(view: &Row, by: Option<String>, withdrawn_by: Option<String>) -> Vec<HistoryEntry> {
    let photo = &view.photo;
    let captured = HistoryEntry {
        at_ms: photo.captured_at_ms,
        kind: HistoryKind::PhotoCaptured,
        by,
        state: view.state.into(),
        fields: Vec::new(),
        photo: Some(view.id.clone()),
        reason: photo.override_reason.clone(),
    };
    let judged = match &photo.status {
        PhotoStatus::New | PhotoStatus::NeedsModeration => None,
        PhotoStatus::Withdrawn => Some(HistoryEntry {
            at_ms: photo.withdrawn_at_ms.unwrap_or(photo.captured_at_ms),
            kind: HistoryKind::Withdrawn,
            by: withdrawn_by,
            reason: None,
            ..captured.clone()
        }),
        status @ (PhotoStatus::Approved | PhotoStatus::Rejected | PhotoStatus::Error | PhotoStatus::Other(_)) => {
            Some(HistoryEntry {
                kind: HistoryKind::PhotoStatus,
                by: None,
                state: RecordState::Accepted,
                fields: vec![change("status", None, status.as_str().to_owned())],
                reason: photo.reason.clone(),
                ..captured.clone()
            })
        }
    };
    std::iter::once(captured).chain(judged).collect()
}
