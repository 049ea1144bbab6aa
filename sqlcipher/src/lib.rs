//! Encrypted SQLite files: open, migrate, back up, one writer, read pool; sealed files and key sources.
