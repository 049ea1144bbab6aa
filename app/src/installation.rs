//! The installation: whether there is data here that opens, and the ways on when there is none.
//!
//! An appliance answers before it has a replica, so that a person can enrol it, enter a recovery code or look for the key
//! again from the page. Who owns the data directory implements [`Installation`]; the API asks it for the open [`App`] at
//! every request. Never an empty database in place of an old one: old data is opened, or moved aside by a person's wish.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::keys::{KeySource, KeysError};
use crate::words::{Lang, errors as words};

/// The owner of a data directory. Every method may block.
pub trait Installation: Send + Sync {
    /// The use cases, if the data is open.
    fn app(&self) -> Option<App>;
    /// Where it stands.
    fn view(&self) -> InstallationView;
    /// Makes the appliance known to a hub; afterwards [`Self::app`] answers.
    ///
    /// # Errors
    /// [`EnrolError`]; everything is as it was.
    fn enrol(&self, wish: EnrolWish) -> Result<Enrolled, EnrolError>;
    /// Puts the key back with a recovery code and opens the data.
    ///
    /// # Errors
    /// [`KeysError`]; everything is as it was.
    fn recover(&self, code: &str) -> Result<(), KeysError>;
    /// Looks for the key again.
    fn retry(&self);
    /// A new recovery code; the old one opens nothing any more.
    ///
    /// # Errors
    /// [`KeysError`]; the old one stays good.
    fn renew_recovery(&self) -> Result<String, KeysError>;
}

/// Where an installation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstallationState {
    /// It belongs to no hub yet.
    New,
    /// There is data, and its key cannot be had.
    NoKey,
    /// There is data, and it does not open for another reason.
    Unreadable,
    /// It is at work.
    Ready,
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl From<crate::words::Lang> for Language {
    fn from(lang: crate::words::Lang) -> Self {
        match lang {
            crate::words::Lang::Ru => Self::Ru,
            crate::words::Lang::En => Self::En,
        }
    }
}

/// The installation for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Installation)]
pub struct InstallationView {
    /// Where it stands.
    pub state: InstallationState,
    /// This program's version.
    pub version: String,
    /// The language that was chosen here, else that of the system.
    pub lang: Language,
    /// The data directory.
    pub data_dir: String,
    /// With `no_key`: what to look for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_key: Option<NoKeyView>,
    /// With `unreadable`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<DataProblem>,
    /// The appliance's name at the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// The hub's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
}

/// Where a key is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStore {
    /// The keyring of the desktop.
    Keyring,
    /// A key file.
    File,
    /// A credential that systemd hands over.
    Credential,
}

/// A key that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoKeyView {
    /// Where it was looked for.
    pub looked_in: KeyStore,
    /// The same with its name or path, in English.
    pub place: String,
    /// What was found there, in Russian.
    pub why_ru: String,
    /// The same in English.
    pub why_en: String,
    /// Whether a recovery code can help.
    pub has_recovery_copy: bool,
}

impl NoKeyView {
    /// What to tell of this failure; `source` and `has_recovery_copy` as the place has them.
    #[must_use]
    pub fn new(error: &KeysError, source: KeySource, has_recovery_copy: bool) -> Self {
        let source = match error {
            KeysError::NoKey(no_key) => no_key.looked_in.clone(),
            KeysError::NoKeyStore(_)
            | KeysError::Key(_)
            | KeysError::NotKept
            | KeysError::Recovery(_)
            | KeysError::NoWrappedCopy
            | KeysError::NoData(_)
            | KeysError::OtherKey { .. }
            | KeysError::Unchecked { .. }
            | KeysError::CredentialIsReadOnly
            | KeysError::Io { .. } => source,
        };
        let why = |lang| {
            if let KeysError::NoKey(no_key) = error {
                words::missing(&no_key.why, lang)
            } else {
                words::keys(error, lang)
            }
        };
        let looked_in = match source {
            KeySource::File(_) => KeyStore::File,
            KeySource::Credential => KeyStore::Credential,
            KeySource::Keyring => KeyStore::Keyring,
        };
        let (why_ru, why_en) = (why(Lang::Ru), why(Lang::En));
        Self { looked_in, place: source.to_string(), why_ru, why_en, has_recovery_copy }
    }
}

/// Why data does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataFault {
    /// A newer program wrote it: update this one.
    Newer,
    /// It is damaged.
    Damaged,
    /// Anything else: no space, no rights, a missing file.
    Other,
}

/// Data that does not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataProblem {
    /// Why.
    pub code: DataFault,
    /// The same in English.
    pub message: String,
}

/// What is asked of a hub.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Enrol)]
pub struct EnrolWish {
    /// The hub's address.
    pub hub: String,
    /// The one-time code from the administrator.
    pub code: String,
    /// The appliance's name for people.
    pub name: String,
    /// Begin anew, with the old data moved into a folder beside.
    #[serde(default)]
    pub beside_old: bool,
    /// Come again as a new device of the same hub after the old one was revoked: the data and what was not sent stay.
    #[serde(default)]
    pub again: bool,
    /// The only certificate authority to trust (PEM), for a hub with a certificate of its own.
    #[serde(default)]
    pub ca: Option<String>,
}

/// An appliance that a hub took in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolled {
    /// Its id.
    pub device: String,
    /// Opens the data if the key is lost; told once, when the key was made just now.
    pub recovery_code: Option<String>,
    /// Where the old data is now.
    pub moved: Option<String>,
}

/// What hindered an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolFault {
    /// Mistyped, used or expired: the hub does not tell which.
    WrongCode,
    /// Too many wrong codes, or a hub with too much to do.
    TooManyTries,
    /// Nobody answers, or the hub failed.
    Unreachable,
    /// Somebody else answers.
    NotAHub,
    /// The hub's certificate is not trusted, or the address is not a safe one.
    Tls,
    /// There is an enrolled appliance or old data here.
    AlreadyEnrolled,
    /// The name is empty or too long.
    Name,
    /// The key cannot be kept or found.
    Key,
    /// The data cannot be written.
    Data,
}

impl EnrolFault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::WrongCode,
        Self::TooManyTries,
        Self::Unreachable,
        Self::NotAHub,
        Self::Tls,
        Self::AlreadyEnrolled,
        Self::Name,
        Self::Key,
        Self::Data,
    ];

    /// Its code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongCode => "wrong_code",
            Self::TooManyTries => "too_many_tries",
            Self::Unreachable => "unreachable",
            Self::NotAHub => "not_a_hub",
            Self::Tls => "tls",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::Name => "name",
            Self::Key => "key",
            Self::Data => "data",
        }
    }
}

/// Why there is no enrolment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EnrolError {
    /// For programs.
    pub why: EnrolFault,
    /// For people, in English: what happened, what to do.
    pub message: String,
}
