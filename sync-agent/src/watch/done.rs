//! The folder `done/`: what was taken lies there for some days, or until the hub has it, and goes then.

use std::collections::BTreeMap;
use std::path::PathBuf;

use parkdesk_domain::BlobId;
use parkdesk_vision::limits::MAX_BYTES;

use super::scan::Stamp;
use super::shelf::{self, Opened};
use super::{Taker, WatchConfig};

/// When it was cleaned, and what is known of the files in it.
#[derive(Default)]
pub(super) struct Cleaning {
    cleaned_at: Option<u64>,
    /// Hashes of files, so that each is read once.
    hashes: BTreeMap<PathBuf, (Stamp, BlobId)>,
}

impl Cleaning {
    /// Removes what lay there long enough; does nothing if that was done a short while ago.
    pub(super) fn clean(&mut self, config: &WatchConfig, taker: &impl Taker, now_ms: u64) {
        let every = u64::try_from(config.rescan.as_millis()).unwrap_or(u64::MAX);
        if self.cleaned_at.is_some_and(|at| now_ms < at.saturating_add(every)) {
            return;
        }
        self.cleaned_at = Some(now_ms);
        let days = i64::from(config.keep_done_days);
        let before = (config.clock)().0 - days * 86_400_000;
        let mut known = BTreeMap::new();
        let hashes = &mut self.hashes;
        let cleaned = shelf::clean_done(&config.folder, |path, meta| {
            if days > 0 {
                return shelf::moved_at_ms(meta) < before;
            }
            let stamp = Stamp::of(meta);
            let id = match hashes.remove(path) {
                Some((seen, id)) if seen == stamp => id,
                Some(_) | None => match shelf::read(path, &stamp, MAX_BYTES as u64) {
                    Ok(Opened::Bytes(bytes)) => BlobId::of(&bytes),
                    Ok(Opened::TooLarge | Opened::Changed) | Err(_) => return false,
                },
            };
            let is_over = taker.hub_has(&id);
            if !is_over {
                known.insert(path.to_owned(), (stamp, id));
            }
            is_over
        });
        self.hashes = known;
        if let Err(error) = cleaned {
            tracing::warn!(%error, "done/ cannot be cleaned");
        }
    }
}
