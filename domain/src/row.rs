//! A replicated row: a fact with a scope, a version in it and a revision across scopes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::{self, CanonicalError};
use crate::ids::RowId;
use crate::scope::Scope;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a row is (data.md). Unknown kinds of newer programs are kept raw.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum Kind {
            $($(#[$doc])* $name,)*
            /// A kind this program does not know.
            Other(String),
        }

        impl Kind {
            /// All kinds this program knows.
            pub const KNOWN: &'static [Kind] = &[$(Kind::$name,)*];

            /// The text on the wire and in tables.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for Kind {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$name,)*
                    _ => Self::Other(text),
                }
            }
        }
    };
}

kinds! {
    /// A park with its settings, in `org`.
    Park = "park",
    /// The projection of a park into its own directory.
    ParkCard = "park_card",
    /// What a field device may know of a driver.
    DriverCard = "driver_card",
    /// A driver's profile in one park.
    Driver = "driver",
    /// A car of a park.
    Car = "car",
    /// A photo of a driver.
    Photo = "photo",
    /// A person's decision whether two faces are one person.
    MatchDecision = "match_decision",
    /// A person of a park, in its staff scope.
    User = "user",
    /// An enrolled appliance, in its own scope; carries revocation.
    Device = "device",
    /// A right to write, held by a device or a user.
    Grant = "grant",
    /// A scope that a device replicates.
    Subscription = "subscription",
    /// What the hub answered to a command.
    Verdict = "verdict",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.as_str().to_owned()
    }
}

impl From<&str> for Kind {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// One row as the hub keeps it and as it crosses the link. `body` is exact canonical JSON (empty when deleted) and
/// `hash` its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// Its id, unique within kind and scope.
    pub id: RowId,
    /// The scope's version that wrote it.
    pub version: u64,
    /// +1 per write in any scope; a lower one never replaces a higher.
    pub rev: u64,
    /// A tombstone: deletes only a row of its own scope with a lower rev.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The schema version its body was written with.
    pub schema: u32,
    /// SHA-256 of `body`, hex.
    pub hash: String,
    /// Canonical text.
    pub body: String,
}

impl Row {
    /// Whether `hash` is that of `body` and a tombstone's body is empty.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        canonical::hash(&self.body) == self.hash && (!self.deleted || self.body.is_empty())
    }
}

/// Names a row together with the scope it is expected in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowRef {
    /// The scope.
    pub scope: Scope,
    /// The kind.
    pub kind: Kind,
    /// The id.
    pub id: RowId,
}

/// A change that a plan makes to one row; version and rev are given by the store that applies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert or replace with this canonical body.
    Put {
        /// The row.
        row: RowRef,
        /// Canonical body.
        body: String,
    },
    /// Delete, leaving a tombstone.
    Delete {
        /// The row.
        row: RowRef,
    },
}

impl Write {
    /// A put of a serialisable body.
    ///
    /// # Errors
    /// If the body has no canonical form (then the command is refused as invalid).
    pub fn put<T: Serialize>(row: RowRef, body: &T) -> Result<Self, CanonicalError> {
        Ok(Self::Put { row, body: canonical::to_string(body)? })
    }

    /// The row it changes.
    #[must_use]
    pub fn row(&self) -> &RowRef {
        match self {
            Self::Put { row, .. } | Self::Delete { row } => row,
        }
    }
}

/// The schema version of bodies and commands that this program writes.
pub const SCHEMA: u32 = 1;
