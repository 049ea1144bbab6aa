//! The system's notice that something in the folder changed. It only wakes the watcher; what there is to do is read from the
//! folder.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

/// Which folder it is, whatever its name: device and inode.
pub(super) type Identity = (u64, u64);

/// The identity of the folder that is there now.
pub(super) fn identity(folder: &Path) -> Option<Identity> {
    std::fs::metadata(folder).ok().map(|meta| (meta.dev(), meta.ino()))
}

/// A notice that is set, with the folder it was set on.
pub(super) struct Notifier {
    folder: Identity,
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
}

impl Notifier {
    pub(super) fn set(path: &Path, folder: Identity, quiet: Duration, wake: SyncSender<()>) -> notify::Result<Self> {
        Ok(Self { folder, _debouncer: listen(path, quiet, wake)? })
    }

    pub(super) fn is_on(&self, folder: Identity) -> bool {
        self.folder == folder
    }
}

/// Wakes when something in the folder changed.
pub(super) fn listen(
    folder: &Path,
    quiet: Duration,
    wake: SyncSender<()>,
) -> notify::Result<Debouncer<RecommendedWatcher, NoCache>> {
    let heard = move |result: DebounceEventResult| {
        if says_change(&result) {
            // A full channel wakes as well.
            let _ = wake.try_send(());
        }
    };
    let config = notify::Config::default().with_follow_symlinks(false);
    let mut debouncer =
        new_debouncer_opt::<_, RecommendedWatcher, NoCache>(quiet, None, heard, NoCache::new(), config)?;
    debouncer.watch(folder, RecursiveMode::Recursive)?;
    Ok(debouncer)
}

/// Whether a notice is a reason to look: errors and overflows are, reading is not, or our own reading would wake us for ever.
pub(super) fn says_change(result: &DebounceEventResult) -> bool {
    let is_change = |event: &notify::Event| match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => event.need_rescan(),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    };
    match result {
        Ok(events) => events.iter().any(|event| is_change(&event.event)),
        Err(_) => true,
    }
}
