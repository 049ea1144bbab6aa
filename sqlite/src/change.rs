//! Change tags: what a committed write touched, so that a reader reads again just that. Written in the same transaction,
//! announced only after its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parkdesk_domain::ids::RowId;
use parkdesk_domain::row::Kind;

/// So many rows of a kind in one transaction are told one by one.
const MOST_ROWS: usize = 64;

/// What changed. Text form: `driver/{id}`, `driver` (many), `outbox`, `needs_attention`, `tray`, `blobs`, `sync`, `identity`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeTag {
    /// A replicated row.
    Row(Kind, RowId),
    /// Many replicated rows of a kind.
    Rows(Kind),
    /// The queue of commands.
    Outbox,
    /// The needs-attention list.
    NeedsAttention,
    /// The Unassigned tray.
    Tray,
    /// Files.
    Blobs,
    /// Cursors, subscriptions, the sync log.
    Sync,
    /// Enrolment or revocation.
    Identity,
    /// A tag of a newer program.
    Other(String),
}

impl ChangeTag {
    /// The tags of a transaction, those of many rows of a kind in one.
    pub(crate) fn folded(tags: BTreeSet<Self>) -> BTreeSet<Self> {
        let mut rows = BTreeMap::<Kind, usize>::new();
        for tag in &tags {
            if let Self::Row(kind, _) = tag {
                *rows.entry(kind.clone()).or_default() += 1;
            }
        }
        let fold = |tag| {
            if let Self::Row(kind, _) = &tag
                && rows.get(kind).is_some_and(|count| *count > MOST_ROWS)
            {
                return Self::Rows(kind.clone());
            }
            tag
        };
        tags.into_iter().map(fold).collect()
    }
}

impl fmt::Display for ChangeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(kind, id) => write!(f, "{kind}/{id}"),
            Self::Rows(kind) => write!(f, "{kind}"),
            Self::Outbox => f.write_str("outbox"),
            Self::NeedsAttention => f.write_str("needs_attention"),
            Self::Tray => f.write_str("tray"),
            Self::Blobs => f.write_str("blobs"),
            Self::Sync => f.write_str("sync"),
            Self::Identity => f.write_str("identity"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<String> for ChangeTag {
    fn from(text: String) -> Self {
        match text.as_str() {
            "outbox" => Self::Outbox,
            "needs_attention" => Self::NeedsAttention,
            "tray" => Self::Tray,
            "blobs" => Self::Blobs,
            "sync" => Self::Sync,
            "identity" => Self::Identity,
            _ => match text.split_once('/').and_then(|(kind, id)| Some((Kind::from(kind), id.parse().ok()?))) {
                Some((kind, id)) => Self::Row(kind, id),
                None if Kind::KNOWN.iter().any(|kind| kind.as_str() == text) => Self::Rows(Kind::from(text)),
                None => Self::Other(text),
            },
        }
    }
}
