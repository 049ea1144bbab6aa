//! What happened, line by line, and the hash of it: two runs of a seed are equal if their hashes are.

use sha2::{Digest, Sha256};

/// The story of a world.
#[derive(Default)]
pub(crate) struct Trace {
    hash: Sha256,
    /// Says every line aloud.
    is_loud: bool,
    /// Lines until now.
    pub(crate) lines: u64,
}

impl Trace {
    pub(crate) fn new(is_loud: bool) -> Self {
        Self { is_loud, ..Self::default() }
    }

    /// Adds a line.
    pub(crate) fn tell(&mut self, at_ms: u64, line: &str) {
        self.hash.update(at_ms.to_le_bytes());
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        self.lines += 1;
        if self.is_loud {
            let (seconds, ms) = (at_ms / 1000, at_ms % 1000);
            println!("{seconds:>7}.{ms:03} {line}");
        }
    }

    /// The hash of all lines.
    #[must_use]
    pub(crate) fn hash(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}
