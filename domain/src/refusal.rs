//! Why a command was not carried out, in a form that a person can act on. A refusal is not an error.

use serde::{Deserialize, Serialize};

use crate::ids::RowId;
use crate::row::{Kind, RowRef};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The closed list of reasons; texts for people are keyed by them in both languages.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
            /// A reason of a newer hub.
            Other(String),
        }

        impl RefusalCode {
            /// All codes this program gives.
            pub const KNOWN: &'static [RefusalCode] = &[$(RefusalCode::$name,)*];

            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for RefusalCode {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$name,)*
                    _ => Self::Other(text),
                }
            }
        }
    };
}

codes! {
    /// The actor's rights do not cover this command in this park.
    NotAllowed = "not_allowed",
    /// There is no such park.
    UnknownPark = "unknown_park",
    /// There is no such driver in the park.
    UnknownDriver = "unknown_driver",
    /// There is no such photo in the park.
    UnknownPhoto = "unknown_photo",
    /// The photo was judged already: it can no longer be taken back.
    PhotoJudged = "photo_judged",
    /// There is no such decision to undo.
    UnknownDecision = "unknown_decision",
    /// The park is a read-only mirror of another system.
    ParkReadOnly = "park_read_only",
    /// A field's value cannot be taken; `field` names it.
    Invalid = "invalid",
    /// A row with this id exists already.
    Exists = "exists",
    /// Another driver of the park has this licence; the refusal offers that driver.
    LicenceTaken = "licence_taken",
    /// There is no such person in the park.
    UnknownPerson = "unknown_person",
    /// Another person of the park has this login; the refusal offers that person.
    LoginTaken = "login_taken",
    /// All edited fields were changed by somebody else meanwhile.
    Conflict = "conflict",
    /// This command id was used before with other bytes.
    IdReused = "id_reused",
    /// The hub does not know this kind or schema of command.
    UnknownCommand = "unknown_command",
    /// One command would write more than a transaction may.
    TooWide = "too_wide",
}

impl From<RefusalCode> for String {
    fn from(code: RefusalCode) -> String {
        code.as_str().to_owned()
    }
}

/// What a person can do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Change the named field and send it again.
    EditField,
    /// Use the offered row instead.
    UseOffer,
    /// Ask an administrator for the right.
    AskForRight,
    /// Look at both values and choose.
    Choose,
    /// Nothing but to discard it.
    Discard,
    /// A remedy of a newer hub.
    #[serde(other)]
    Other,
}

/// A refusal with what a person needs to act on it (protocol, "Push").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub code: RefusalCode,
    /// The field of the command's arguments at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The row it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<RowRef>,
    /// What to do.
    pub remedy: Remedy,
    /// A row to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// The pending command of the same device whose refusal is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<u64>,
    /// Fields changed by both sides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<FieldConflict>,
}

/// A row to use instead of the refused one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: RowId,
}

/// A field that this edit and another both changed; the stored value stands until a person chooses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldConflict {
    /// The field.
    pub field: String,
    /// What this edit wanted.
    pub now: serde_json::Value,
    /// What stands.
    pub current: serde_json::Value,
}

impl Refusal {
    /// A refusal with a remedy and nothing else.
    #[must_use]
    pub fn new(code: RefusalCode, remedy: Remedy) -> Self {
        Self { code, field: None, row: None, remedy, offer: None, because: None, conflicts: Vec::new() }
    }

    /// The field `field` cannot be taken.
    #[must_use]
    pub fn invalid(field: &str) -> Self {
        Self::new(RefusalCode::Invalid, Remedy::EditField).field(field)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Names the row it is about.
    #[must_use]
    pub fn row(mut self, row: RowRef) -> Self {
        self.row = Some(row);
        self
    }
}
