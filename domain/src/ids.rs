//! Ids and units. Text forms are fixed by the protocol ("Identities"): row ids are `[A-Za-z0-9_-]{1,64}`, ours are
//! UUIDv7 as 32 lowercase hex digits, ids made by a plan are UUIDv5(command id, role), blob ids are SHA-256.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A text that is not an id of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct BadId {
    wanted: &'static str,
    text: String,
}

fn bad(wanted: &'static str, text: &str) -> BadId {
    BadId { wanted, text: text.chars().take(80).collect() }
}

/// UTC milliseconds since 1970 (`*_at_ms`). Order between places never rests on it (protocol, "Behaviour").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This time plus `ms` milliseconds, saturating.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it stands on the wire and in the tables.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                if Self::is_valid(text) { Ok(Self(text.to_owned())) } else { Err(bad($wanted, text)) }
            }
        }
    };
}

fn is_row_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

text_id!(
    /// The id of a replicated row; ids from source systems are kept as they are.
    RowId, "a row id ([A-Za-z0-9_-]{1,64})"
);
text_id!(
    /// The id of a command: UUIDv7 as 32 hex digits, at once its idempotency key.
    CommandId, "a command id (32 lowercase hex digits)"
);
text_id!(
    /// The id of an enrolled appliance, given by the hub.
    DeviceId, "a device id ([A-Za-z0-9_-]{1,64})"
);
text_id!(
    /// SHA-256 of a blob's plain bytes, as 64 hex digits.
    BlobId, "a blob id (64 lowercase hex digits)"
);

impl RowId {
    fn is_valid(text: &str) -> bool {
        is_row_id(text)
    }

    /// A row id from a UUID that the caller made (v7 for things people create).
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.simple().to_string())
    }

    /// The id of a projection of this row into `scope`: UUIDv5(source id, scope).
    #[must_use]
    pub fn projected(&self, scope: &str) -> Self {
        Self::from_uuid(derive(&self.0, scope))
    }
}

impl CommandId {
    fn is_valid(text: &str) -> bool {
        is_hex(text, 32)
    }

    /// A command id from a UUIDv7 that the caller made.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.simple().to_string())
    }

    /// The id of a row that this command's plan makes: UUIDv5(command id, role).
    #[must_use]
    pub fn made(&self, role: &str) -> RowId {
        RowId::from_uuid(derive(&self.0, role))
    }

    /// The id of the command that a hub job issues at `step`: UUIDv5(job, step), so that a job run twice acts once.
    #[must_use]
    pub fn of_job(job: &str, step: &str) -> Self {
        Self::from_uuid(derive(job, step))
    }

    /// This id as a row id (verdict rows carry their command's id).
    #[must_use]
    pub fn as_row_id(&self) -> RowId {
        RowId(self.0.clone())
    }
}

impl DeviceId {
    fn is_valid(text: &str) -> bool {
        is_row_id(text)
    }

    /// A device id from a UUID made by the hub.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.simple().to_string())
    }

    /// The device's own row in its device scope.
    #[must_use]
    pub fn as_row_id(&self) -> RowId {
        RowId(self.0.clone())
    }
}

impl BlobId {
    fn is_valid(text: &str) -> bool {
        is_hex(text, 64)
    }

    /// The id of these plain bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(&Sha256::digest(bytes))
    }

    /// The id with this SHA-256 digest (32 bytes).
    #[must_use]
    pub fn from_digest(digest: &[u8]) -> Self {
        Self(hex::encode(digest))
    }
}

fn derive(name: &str, role: &str) -> Uuid {
    // Sources have ids of any form, so the namespace itself is derived: UUIDv5(nil, source id).
    let namespace = Uuid::parse_str(name).unwrap_or_else(|_| Uuid::new_v5(&Uuid::nil(), name.as_bytes()));
    Uuid::new_v5(&namespace, role.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_check_their_grammar() {
        assert!("a_B-9".parse::<RowId>().is_ok());
        for text in ["", "a b", "a/b", "ж", &"x".repeat(65)] {
            assert!(text.parse::<RowId>().is_err(), "{text:?}");
        }
        assert!("00".repeat(16).parse::<CommandId>().is_ok());
        assert!("0G".repeat(16).parse::<CommandId>().is_err());
        assert!("AB".repeat(32).parse::<BlobId>().is_err(), "upper case is another spelling of the same bytes");
        assert!(serde_json::from_str::<RowId>("\"../x\"").is_err());
    }

    #[test]
    fn made_ids_depend_on_command_and_role_only() {
        let command = CommandId::of_job("job", "1");
        assert_eq!(command.made("photo"), command.made("photo"));
        assert_ne!(command.made("photo"), command.made("card"));
        assert_ne!(command, CommandId::of_job("job", "2"));
    }

    #[test]
    fn blob_id_is_sha256() {
        assert_eq!(BlobId::of(b"abc").as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
