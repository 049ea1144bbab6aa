//! What can go wrong in a use case. A refusal by the rules is one of them here, because the caller asked for something and
//! did not get it; its reason stays whole.

use parkdesk_domain::{Millis, Refusal};

/// Why a use case did not do what it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing.
    #[error("there is no such {0} on this appliance")]
    NotFound(&'static str),
    /// A file that another appliance holds.
    #[error("this file is not on this appliance yet: it comes with the next exchange with the hub")]
    NotHere,
    /// The appliance has no identity yet.
    #[error("this appliance belongs to no hub yet: run parkdesk-agent enrol with the code from the administrator")]
    NotEnrolled,
    /// The hub takes nothing from this appliance any more.
    #[error("the hub revoked this appliance, so it takes no more work: ask the administrator")]
    Revoked,
    /// A value that cannot be.
    #[error("the value of {field} cannot be taken: {why}")]
    BadInput {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The rules refuse it.
    #[error("refused: {}", .0.code.as_str())]
    Refused(Box<Refusal>),
    /// A person must sign in; why.
    #[error("{0}")]
    SignedOut(&'static str),
    /// Not the pass code of this person.
    #[error("this is not the pass code: try again, or ask a senior for a new one")]
    WrongPassCode,
    /// Too many wrong pass codes.
    #[error("too many wrong pass codes: wait a while, then try again")]
    LockedOut(Millis),
    /// Not for the person who has signed in.
    #[error("this is for an administrator or a senior: ask one of them to sign in")]
    NotYours,
    /// No space.
    #[error("the disk is full: nothing was changed. Free some space and try again")]
    DiskFull,
    /// Too much at once.
    #[error("too much to do just now: try again in a few seconds")]
    Busy,
    /// Something that was saved cannot be read back.
    #[error("saved data cannot be read ({0}): restore it from a backup or from the hub")]
    Damaged(&'static str),
    /// The replica failed.
    #[error("the replica failed: {0}")]
    Replica(parkdesk_sqlite::Error),
}

impl From<parkdesk_sqlite::Error> for Error {
    fn from(error: parkdesk_sqlite::Error) -> Self {
        use parkdesk_sqlite::Error as E;
        match error {
            E::Full => Self::DiskFull,
            E::NotEnrolled => Self::NotEnrolled,
            E::NotSettleable => Self::BadInput { field: "action", why: "this entry cannot be settled so" },
            E::Missing { what: "file", .. } => Self::NotHere,
            E::KeyDestroyed(_) => Self::NotFound("file"),
            E::Locked => Self::Revoked,
            other @ (E::Store(_)
            | E::AlreadyEnrolled
            | E::Unreadable { .. }
            | E::Canonical(_)
            | E::Plan(_)
            | E::Missing { .. }
            | E::Sealed(_)
            | E::Folder(_)
            | _) => Self::Replica(other),
        }
    }
}

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;
