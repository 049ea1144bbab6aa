//! The replica: tables, rebase, outbox, search.
