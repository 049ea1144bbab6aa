//! SQLite's window to a [`crate::disk::Disk`]: a VFS registered under a name of its own, with locks and shared memory for
//! the WAL, all in this process.
//!
//! The one place with `unsafe`: SQLite calls C functions. Every pointer here is made by [`Vfs::new`] or `x_open` and lives
//! until the VFS is unregistered or the file is closed; SQLite promises to use none after that. One thread runs a world, so
//! locks are only bookkeeping, and a lock that cannot be had is `SQLITE_BUSY` at once.
#![allow(unsafe_code, reason = "SQLite's C interface")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex};

use rusqlite::ffi;

use self::locks::{x_check_reserved, x_lock, x_shm_barrier, x_shm_lock, x_shm_map, x_shm_unmap, x_unlock};
use crate::disk::{Failed, State, locked};

mod locks;

/// What a program can find of this disk by its name.
#[derive(Debug)]
pub(crate) struct Vfs {
    name: String,
    raw: *mut Raw,
}

// SAFETY: the pointer is to memory that only this handle frees; what lies there is behind a mutex.
unsafe impl Send for Vfs {}
// SAFETY: as above.
unsafe impl Sync for Vfs {}

struct Raw {
    vfs: ffi::sqlite3_vfs,
    name: CString,
    state: Arc<Mutex<State>>,
}

/// An open file; SQLite sees its first field only.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

struct Open {
    state: Arc<Mutex<State>>,
    id: u64,
    path: Option<PathBuf>,
    /// The name is not flushed yet: the first flush does it.
    is_new: bool,
    deletes: bool,
    level: c_int,
    maps: bool,
    shared: u8,
    exclusive: u8,
}

impl Vfs {
    pub(crate) fn new(state: Arc<Mutex<State>>) -> Self {
        parkdesk_sqlcipher::start_library().ok(); // A library that does not start is told by the file that is opened over it.
        let name = format!("simulated-{:x}", Arc::as_ptr(&state) as usize);
        let c_name = CString::new(name.clone()).unwrap_or_default();
        let raw = Box::into_raw(Box::new(Raw { vfs: methods(), name: c_name, state }));
        // SAFETY: `raw` was just made, is whole, and stays where it is until `drop`.
        unsafe {
            (*raw).vfs.zName = (*raw).name.as_ptr();
            (*raw).vfs.pAppData = raw.cast();
            ffi::sqlite3_vfs_register(&raw mut (*raw).vfs, 0);
        }
        Self { name, raw }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vfs {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed only here; the disk outlives the connections over it.
        unsafe {
            ffi::sqlite3_vfs_unregister(&raw mut (*self.raw).vfs);
            drop(Box::from_raw(self.raw));
        }
    }
}

fn methods() -> ffi::sqlite3_vfs {
    // SAFETY: all fields are numbers, pointers and optional functions, for which zero is a value.
    let mut vfs: ffi::sqlite3_vfs = unsafe { std::mem::zeroed() };
    vfs.iVersion = 2;
    vfs.szOsFile = c_int::try_from(size_of::<File>()).unwrap_or(0);
    vfs.mxPathname = 512;
    vfs.xOpen = Some(x_open);
    vfs.xDelete = Some(x_delete);
    vfs.xAccess = Some(x_access);
    vfs.xFullPathname = Some(x_full_pathname);
    vfs.xRandomness = Some(x_randomness);
    vfs.xSleep = Some(x_sleep);
    vfs.xCurrentTime = Some(x_current_time);
    vfs.xGetLastError = Some(x_last_error);
    vfs.xCurrentTimeInt64 = Some(x_current_time_int);
    vfs
}

const METHODS: &ffi::sqlite3_io_methods = &ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_characteristics),
    xShmMap: Some(x_shm_map),
    xShmLock: Some(x_shm_lock),
    xShmBarrier: Some(x_shm_barrier),
    xShmUnmap: Some(x_shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn code(result: Result<(), Failed>, io: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Failed::Io) => io,
        Err(Failed::Full) => ffi::SQLITE_FULL,
    }
}

/// The state behind a VFS.
///
/// # Safety
/// `vfs` is one that [`Vfs::new`] registered.
unsafe fn state_of<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Arc<Mutex<State>> {
    // SAFETY: `pAppData` is the `Raw` that holds the VFS.
    unsafe { &(*(*vfs).pAppData.cast::<Raw>()).state }
}

/// The open file behind SQLite's.
///
/// # Safety
/// `file` is one that `x_open` opened and `x_close` has not closed; nobody else holds it, as there is one thread.
unsafe fn open_of<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: `x_open` put it there.
    unsafe { &mut *(*file.cast::<File>()).open }
}

/// A path that SQLite names.
///
/// # Safety
/// `name` is a C string or null.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as promised.
    let name = unsafe { CStr::from_ptr(name) };
    Some(PathBuf::from(name.to_string_lossy().into_owned()))
}

unsafe extern "C" fn x_open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls with the VFS, a name or null, and room for a `File`.
    let (state, path) = unsafe {
        (*file).pMethods = ptr::null();
        (state_of(vfs), path_of(name))
    };
    let mut disk = locked(state);
    if disk.is_dead() {
        return ffi::SQLITE_CANTOPEN;
    }
    let found = path.as_deref().and_then(|path| disk.find(path));
    let (id, is_new) = match found {
        Some(id) => (id, false),
        None if flags & ffi::SQLITE_OPEN_CREATE == 0 && path.is_some() => return ffi::SQLITE_CANTOPEN,
        None => match disk.create(path.as_deref()) {
            Ok(id) => (id, path.is_some()),
            Err(Failed::Full) => return ffi::SQLITE_FULL,
            Err(Failed::Io) => return ffi::SQLITE_CANTOPEN,
        },
    };
    drop(disk);
    let open = Open {
        state: Arc::clone(state),
        id,
        path,
        is_new,
        deletes: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        level: ffi::SQLITE_LOCK_NONE,
        maps: false,
        shared: 0,
        exclusive: 0,
    };
    // SAFETY: `file` has room for a `File`; `out` is null or a number.
    unsafe {
        (*file.cast::<File>()).open = Box::into_raw(Box::new(open));
        (*file).pMethods = METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open file; it is not used again.
    let mut open = unsafe {
        x_shm_unmap(file, 0);
        x_unlock(file, ffi::SQLITE_LOCK_NONE);
        (*file).pMethods = ptr::null();
        Box::from_raw((*file.cast::<File>()).open)
    };
    if open.deletes
        && let Some(path) = open.path.take()
    {
        // What cannot be deleted now is a leftover that nobody reads.
        let _ = locked(&open.state).remove(&path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    size: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let (size, at) = (usize::try_from(size).unwrap_or(0), usize::try_from(at).unwrap_or(usize::MAX));
    // SAFETY: an open file, and `size` bytes of room.
    let (open, to) = unsafe { (open_of(file), std::slice::from_raw_parts_mut(to.cast::<u8>(), size)) };
    let disk = locked(&open.state);
    if disk.is_dead() {
        return ffi::SQLITE_IOERR_READ;
    }
    let bytes = disk.bytes(open.id).get(at..).unwrap_or_default();
    to.fill(0);
    for (to, from) in to.iter_mut().zip(bytes) {
        *to = *from;
    }
    if bytes.len() < size { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK }
}

unsafe extern "C" fn x_write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    size: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let (size, at) = (usize::try_from(size).unwrap_or(0), usize::try_from(at).unwrap_or(0));
    // SAFETY: an open file, and `size` bytes.
    let (open, from) = unsafe { (open_of(file), std::slice::from_raw_parts(from.cast::<u8>(), size)) };
    code(locked(&open.state).write(open.id, at, from), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    code(locked(&open.state).resize(open.id, usize::try_from(size).unwrap_or(0)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    let mut disk = locked(&open.state);
    let flushed = code(disk.flush(open.id), ffi::SQLITE_IOERR_FSYNC);
    let folder = open.path.as_deref().and_then(Path::parent).filter(|_| open.is_new);
    let (ffi::SQLITE_OK, Some(folder)) = (flushed, folder) else { return flushed };
    let named = code(disk.flush_names(folder), ffi::SQLITE_IOERR_DIR_FSYNC);
    open.is_new = named != ffi::SQLITE_OK;
    named
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file and a number.
    unsafe {
        let open = open_of(file);
        *size = i64::try_from(locked(&open.state).bytes(open.id).len()).unwrap_or(i64::MAX);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(_file: *mut ffi::sqlite3_file, _op: c_int, _arg: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn x_sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn x_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn x_delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: our VFS and a name.
    let (state, path) = unsafe { (state_of(vfs), path_of(name).unwrap_or_default()) };
    let mut disk = locked(state);
    match disk.remove(&path) {
        Ok(false) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Ok(true) if sync != 0 => {
            code(disk.flush_names(path.parent().unwrap_or(Path::new("/"))), ffi::SQLITE_IOERR_DIR_FSYNC)
        }
        done => code(done.map(|_| ()), ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn x_access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: our VFS, a name and a number.
    unsafe {
        let path = path_of(name).unwrap_or_default();
        *out = c_int::from(locked(state_of(vfs)).find(&path).is_some());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a name, and `size` bytes of room.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > usize::try_from(size).unwrap_or(0) {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_randomness(vfs: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    let room = usize::try_from(size).unwrap_or(0);
    // SAFETY: our VFS, and `size` bytes of room.
    unsafe { locked(state_of(vfs)).random(std::slice::from_raw_parts_mut(out.cast::<u8>(), room)) };
    size
}

unsafe extern "C" fn x_sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// The Julian day of the start of 2026: nothing of ours reads it.
const JULIAN_MS: i64 = 212_633_251_200_000;

unsafe extern "C" fn x_current_time(_vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: a number.
    unsafe { *out = 2_461_041.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_current_time_int(_vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: a number.
    unsafe { *out = JULIAN_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_last_error(_vfs: *mut ffi::sqlite3_vfs, _size: c_int, _out: *mut c_char) -> c_int {
    0
}
