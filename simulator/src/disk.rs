//! A disk in memory that forgets: what was not flushed may be gone after a crash, in whole or in sectors, and names that
//! were not flushed go back. Calls can be made to fail, and the machine to die at any of them.
//!
//! Contents: each file has what programs see and what lies on the platter; writes wait between the two until the file is
//! flushed. Names: changes wait in order, as in the journal of a file system, until one of their folders is flushed; a
//! crash keeps the first few of them. Both files of SQLite ([`crate::vfs`]) and those of the sealed folder live here.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parkdesk_sqlcipher::system::{ReadSeek, Stat, Sys, System};
use rand::TryRng;

use self::contents::{Change, Contents, Node, Renaming};
use crate::dice::Dice;
use crate::vfs::Vfs;

mod contents;

/// What is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The machine dies.
    Death,
    /// One call fails.
    Io,
    /// Somebody else holds the lock, for so many tries.
    Busy(u32),
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    Io,
    Full,
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Io => io::Error::other("simulated failure of the disk"),
            Failed::Full => io::Error::from(io::ErrorKind::StorageFull),
        }
    }
}

/// Locks of a database file and the memory that its connections share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) readers: u32,
    pub(crate) reserved: bool,
    pub(crate) pending: bool,
    pub(crate) exclusive: bool,
    pub(crate) maps: u32,
    pub(crate) regions: Vec<Box<[u64]>>,
    pub(crate) slots: [(u32, bool); 8],
}

/// Everything on the disk at one time, to be put back later.
#[derive(Debug, Clone)]
pub struct Image {
    names: BTreeMap<PathBuf, Node>,
    files: BTreeMap<u64, Contents>,
    next: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    seen: BTreeMap<PathBuf, Node>,
    kept: BTreeMap<PathBuf, Node>,
    waiting: Vec<Renaming>,
    files: BTreeMap<u64, Contents>,
    pub(crate) shared: BTreeMap<u64, Shared>,
    next: u64,
    dice: Dice,
    random: Dice,
    now_ms: i64,
    is_dead: bool,
    is_full: bool,
    forgets_flushes: bool,
    fault: Option<(u64, Fault)>,
    busy: u32,
    calls: u64,
}

impl State {
    /// Counts a call that changes the disk; fails if it is to.
    fn call(&mut self) -> Result<(), Failed> {
        if self.is_dead {
            return Err(Failed::Io);
        }
        self.calls += 1;
        let Some((left, fault)) = &mut self.fault else { return Ok(()) };
        if *left > 0 {
            *left -= 1;
            return Ok(());
        }
        let fault = *fault;
        self.fault = None;
        match fault {
            Fault::Death => {
                self.is_dead = true;
                Err(Failed::Io)
            }
            Fault::Io => Err(Failed::Io),
            Fault::Busy(times) => {
                self.busy = times;
                Ok(())
            }
        }
    }

    /// Whether a lock that nobody here holds is held all the same.
    pub(crate) fn is_busy(&mut self) -> bool {
        let is_busy = self.busy > 0;
        self.busy = self.busy.saturating_sub(1);
        is_busy
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead
    }

    pub(crate) fn find(&self, path: &Path) -> Option<u64> {
        match self.seen.get(path) {
            Some(Node::File(id)) => Some(*id),
            Some(Node::Folder) | None => None,
        }
    }

    pub(crate) fn bytes(&self, id: u64) -> &[u8] {
        self.files.get(&id).map_or(&[], |file| file.seen.as_slice())
    }

    fn rename(&mut self, gone: Option<PathBuf>, new: Option<(PathBuf, Node)>) {
        let renaming = Renaming { gone, new };
        renaming.apply(&mut self.seen);
        self.waiting.push(renaming);
    }

    pub(crate) fn create(&mut self, path: Option<&Path>) -> Result<u64, Failed> {
        self.call()?;
        if self.is_full {
            return Err(Failed::Full);
        }
        self.next += 1;
        let id = self.next;
        self.files.insert(id, Contents { modified_ms: self.now_ms, ..Contents::default() });
        if let Some(path) = path {
            self.rename(None, Some((path.to_owned(), Node::File(id))));
        }
        Ok(id)
    }

    pub(crate) fn write(&mut self, id: u64, at: usize, bytes: &[u8]) -> Result<(), Failed> {
        self.call()?;
        let now_ms = self.now_ms;
        let Some(file) = self.files.get_mut(&id) else { return Err(Failed::Io) };
        if self.is_full && file.seen.len() < at + bytes.len() {
            return Err(Failed::Full);
        }
        file.modified_ms = now_ms;
        file.change(Change::Write { at, bytes: bytes.to_vec() });
        Ok(())
    }

    pub(crate) fn resize(&mut self, id: u64, size: usize) -> Result<(), Failed> {
        self.call()?;
        if let Some(file) = self.files.get_mut(&id) {
            file.change(Change::Resize(size));
        }
        Ok(())
    }

    /// Flushes contents. Flushing that fails leaves them to luck: they are seen, but no later flush brings them down.
    pub(crate) fn flush(&mut self, id: u64) -> Result<(), Failed> {
        let is_forgotten = self.forgets_flushes;
        let called = self.call();
        let lost = called.is_err() && !self.is_dead && self.dice.often(500);
        if let Some(file) = self.files.get_mut(&id) {
            if lost {
                file.waiting.clear();
            } else if called.is_ok() && !is_forgotten {
                file.flush();
            }
        }
        called
    }

    pub(crate) fn flush_names(&mut self, folder: &Path) -> Result<(), Failed> {
        self.call()?;
        if self.forgets_flushes {
            return Ok(());
        }
        // The journal comes down in order: whatever was before goes with it.
        let last = self.waiting.iter().rposition(|renaming| renaming.is_in(folder));
        for renaming in self.waiting.drain(..last.map_or(0, |last| last + 1)) {
            renaming.apply(&mut self.kept);
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &Path) -> Result<bool, Failed> {
        self.call()?;
        if !self.seen.contains_key(path) {
            return Ok(false);
        }
        self.rename(Some(path.to_owned()), None);
        Ok(true)
    }

    pub(crate) fn random(&mut self, bytes: &mut [u8]) {
        let Ok(()) = self.random.try_fill_bytes(bytes);
    }

    /// Forgets files without a name anywhere.
    fn sweep(&mut self) {
        let named = |names: &BTreeMap<PathBuf, Node>, id: u64| names.values().any(|node| *node == Node::File(id));
        let (seen, kept) = (&self.seen, &self.kept);
        self.files.retain(|id, _| named(seen, *id) || named(kept, *id));
    }
}

/// The disk of one machine. Its programs see it as a [`System`].
#[derive(Debug)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    vfs: Vfs,
}

pub(crate) fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(mut dice: Dice) -> Arc<Self> {
        let names = BTreeMap::from([(PathBuf::from("/"), Node::Folder)]);
        let (own, random) = (dice.split("disk"), dice.split("random"));
        let state = Arc::new(Mutex::new(State {
            seen: names.clone(),
            kept: names,
            waiting: Vec::new(),
            files: BTreeMap::new(),
            shared: BTreeMap::new(),
            next: 0,
            dice: own,
            random,
            now_ms: 0,
            is_dead: false,
            is_full: false,
            forgets_flushes: false,
            fault: None,
            busy: 0,
            calls: 0,
        }));
        let vfs = Vfs::new(Arc::clone(&state));
        Arc::new(Self { state, vfs })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// As the programs see it.
    #[must_use]
    pub fn system(self: &Arc<Self>) -> Sys {
        Arc::clone(self) as Sys
    }

    /// Sets the time that files are stamped with.
    pub fn set_time(&self, now_ms: i64) {
        self.lock().now_ms = now_ms;
    }

    /// Lets a fault happen after so many more calls that change the disk.
    pub fn plan(&self, after: u64, fault: Fault) {
        self.lock().fault = Some((after, fault));
    }

    /// Lets all go well from now on.
    pub fn heal(&self) {
        let mut state = self.lock();
        (state.fault, state.busy, state.is_full) = (None, 0, false);
    }

    /// Fills it up, or makes room.
    pub fn set_full(&self, is_full: bool) {
        self.lock().is_full = is_full;
    }

    /// A disk that says that it flushed and did not (a planted bug).
    pub fn forget_flushes(&self) {
        self.lock().forgets_flushes = true;
    }

    /// Whether the machine died at a call.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.lock().is_dead
    }

    /// Calls that changed it until now.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Stops everything: no call does anything any more until [`Self::restart`].
    pub fn kill(&self) {
        self.lock().is_dead = true;
    }

    /// After a kill, when no program is left: what was not flushed is left to luck.
    pub fn restart(&self) {
        let mut state = self.lock();
        let state = &mut *state;
        let keep = state.dice.below(state.waiting.len() as u64 + 1);
        for renaming in std::mem::take(&mut state.waiting).into_iter().take(usize::try_from(keep).unwrap_or(0)) {
            renaming.apply(&mut state.kept);
        }
        state.seen = state.kept.clone();
        state.sweep();
        for file in state.files.values_mut() {
            file.crash(&mut state.dice);
        }
        state.shared.clear();
        state.is_dead = false;
    }

    /// All that is safe on it now.
    #[must_use]
    pub fn image(&self) -> Image {
        let state = self.lock();
        let mut files = state.files.clone();
        for file in files.values_mut() {
            file.waiting.clear();
            file.seen = file.kept.clone();
        }
        Image { names: state.kept.clone(), files, next: state.next }
    }

    /// Puts an image back, when no program is left; only the paths that `is_of` says, the others stay.
    pub fn put_back(&self, image: &Image, is_of: impl Fn(&Path) -> bool) {
        let mut state = self.lock();
        let state = &mut *state;
        state.waiting.clear();
        state.seen = state.kept.clone();
        state.seen.retain(|path, _| !is_of(path));
        // Numbers of both are apart, so that files of the image never stand for those that stay.
        let shift = state.next;
        for (path, node) in image.names.iter().filter(|(path, _)| is_of(path)) {
            let node = match node {
                Node::Folder => Node::Folder,
                Node::File(id) => {
                    state.files.extend(image.files.get(id).map(|file| (id + shift, file.clone())));
                    Node::File(id + shift)
                }
            };
            state.seen.insert(path.clone(), node);
        }
        state.next = shift + image.next;
        state.kept = state.seen.clone();
        state.sweep();
        state.shared.clear();
    }
}

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl System for Disk {
    fn vfs(&self) -> Option<&str> {
        Some(self.vfs.name())
    }

    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.lock().random(bytes);
        Ok(())
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let state = self.lock();
        match state.seen.get(path).ok_or_else(not_found)? {
            Node::Folder => Ok(Stat { is_dir: true, size: 0, modified_ms: 0 }),
            Node::File(id) => {
                let file = state.files.get(id).ok_or_else(not_found)?;
                Ok(Stat { is_dir: false, size: file.seen.len() as u64, modified_ms: file.modified_ms })
            }
        }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadSeek>> {
        let state = self.lock();
        if state.is_dead {
            return Err(Failed::Io.into());
        }
        let id = state.find(path).ok_or_else(not_found)?;
        Ok(Box::new(Cursor::new(state.bytes(id).to_vec())))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let id = match state.find(path) {
            Some(id) => {
                state.resize(id, 0)?;
                id
            }
            None => state.create(Some(path))?,
        };
        state.write(id, 0, bytes)?;
        Ok(state.flush(id)?)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        match state.seen.get(path).copied().ok_or_else(not_found)? {
            Node::Folder => Ok(state.flush_names(path)?),
            Node::File(id) => Ok(state.flush(id)?),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        let node = state.seen.get(from).copied().ok_or_else(not_found)?;
        state.rename(Some(from.to_owned()), Some((to.to_owned(), node)));
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        let node = state.seen.get(from).copied().ok_or_else(not_found)?;
        if state.seen.contains_key(to) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        state.rename(None, Some((to.to_owned(), node)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.lock().remove(path)? { Ok(()) } else { Err(not_found()) }
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        if state.is_full {
            return Err(Failed::Full.into());
        }
        if state.seen.contains_key(path) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        state.rename(None, Some((path.to_owned(), Node::Folder)));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        if state.seen.get(path) != Some(&Node::Folder) {
            return Err(not_found());
        }
        let inside = state.seen.keys().filter(|each| each.parent() == Some(path));
        Ok(inside.filter_map(|each| each.file_name()).map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn set_modified(&self, path: &Path, at_ms: i64) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.find(path).ok_or_else(not_found)?;
        if let Some(file) = state.files.get_mut(&id) {
            file.modified_ms = at_ms;
        }
        Ok(())
    }
}
