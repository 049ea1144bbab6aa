//! Locks of a database file, and the memory and locks that the connections to its WAL share.

use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::ffi;

use super::open_of;
use crate::disk::locked;

pub(super) unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    if open.level >= level {
        return ffi::SQLITE_OK;
    }
    let mut disk = locked(&open.state);
    if disk.is_busy() {
        return ffi::SQLITE_BUSY;
    }
    let shared = disk.shared.entry(open.id).or_default();
    match level {
        ffi::SQLITE_LOCK_SHARED => {
            if shared.pending || shared.exclusive {
                return ffi::SQLITE_BUSY;
            }
            shared.readers += 1;
        }
        ffi::SQLITE_LOCK_RESERVED => {
            if shared.reserved {
                return ffi::SQLITE_BUSY;
            }
            shared.reserved = true;
        }
        _ => {
            if open.level < ffi::SQLITE_LOCK_RESERVED && shared.reserved {
                return ffi::SQLITE_BUSY;
            }
            shared.reserved = true;
            shared.pending = true;
            if shared.readers > 1 {
                open.level = ffi::SQLITE_LOCK_PENDING;
                return ffi::SQLITE_BUSY;
            }
            shared.exclusive = true;
        }
    }
    open.level = level;
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    if open.level <= level {
        return ffi::SQLITE_OK;
    }
    let mut disk = locked(&open.state);
    // A killed machine has no locks any more.
    let Some(shared) = disk.shared.get_mut(&open.id) else {
        open.level = level;
        return ffi::SQLITE_OK;
    };
    if open.level >= ffi::SQLITE_LOCK_RESERVED {
        (shared.reserved, shared.pending, shared.exclusive) = (false, false, false);
    }
    if level == ffi::SQLITE_LOCK_NONE {
        shared.readers = shared.readers.saturating_sub(1);
    }
    open.level = level;
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn x_check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file and a number.
    unsafe {
        let open = open_of(file);
        *out = c_int::from(locked(&open.state).shared.get(&open.id).is_some_and(|shared| shared.reserved));
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn x_shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let (region, words) = (usize::try_from(region).unwrap_or(0), usize::try_from(size).unwrap_or(0).div_ceil(8));
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    let mut disk = locked(&open.state);
    if disk.is_dead() {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    let shared = disk.shared.entry(open.id).or_default();
    if !open.maps {
        open.maps = true;
        shared.maps += 1;
    }
    while shared.regions.len() <= region && extend != 0 {
        shared.regions.push(vec![0; words].into_boxed_slice());
    }
    let found = shared.regions.get_mut(region).map_or(ptr::null_mut(), |region| region.as_mut_ptr().cast());
    // SAFETY: a place for a pointer. The region stays where it is until all its users have unmapped it.
    unsafe { *out = found };
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn x_shm_lock(
    file: *mut ffi::sqlite3_file,
    from: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    let (from, count) = (usize::try_from(from).unwrap_or(0), usize::try_from(count).unwrap_or(0));
    let mut disk = locked(&open.state);
    let is_lock = flags & ffi::SQLITE_SHM_LOCK != 0;
    if is_lock && disk.is_busy() {
        return ffi::SQLITE_BUSY;
    }
    let Some(shared) = disk.shared.get_mut(&open.id) else {
        return if is_lock { ffi::SQLITE_IOERR_SHMLOCK } else { ffi::SQLITE_OK };
    };
    let is_shared = flags & ffi::SQLITE_SHM_SHARED != 0;
    let (own_shared, own_exclusive) = (open.shared, open.exclusive);
    let mine = |n: usize, mask: u8| mask & (1 << n) != 0;
    let slots = || from..(from + count).min(8);
    if is_lock {
        for n in slots() {
            let (readers, is_exclusive) = shared.slots.get(n).copied().unwrap_or_default();
            let others = readers - u32::from(mine(n, own_shared));
            let is_others = is_exclusive && !mine(n, own_exclusive);
            if is_others || (!is_shared && others > 0) {
                return ffi::SQLITE_BUSY;
            }
        }
    }
    for n in slots() {
        let Some((readers, is_exclusive)) = shared.slots.get_mut(n) else { continue };
        let bit = 1u8 << n;
        match (is_lock, is_shared) {
            (true, true) if open.shared & bit == 0 => {
                *readers += 1;
                open.shared |= bit;
            }
            (true, false) => {
                *is_exclusive = true;
                open.exclusive |= bit;
            }
            (false, true) if open.shared & bit != 0 => {
                *readers -= 1;
                open.shared &= !bit;
            }
            (false, false) if open.exclusive & bit != 0 => {
                *is_exclusive = false;
                open.exclusive &= !bit;
            }
            (true | false, true) | (false, false) => {}
        }
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn x_shm_barrier(_file: *mut ffi::sqlite3_file) {}

pub(super) unsafe extern "C" fn x_shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    let mut disk = locked(&open.state);
    if open.maps
        && let Some(shared) = disk.shared.get_mut(&open.id)
    {
        shared.maps = shared.maps.saturating_sub(1);
        for n in 0..8usize {
            let Some((readers, is_exclusive)) = shared.slots.get_mut(n) else { continue };
            *readers -= u32::from(open.shared & (1 << n) != 0);
            *is_exclusive &= open.exclusive & (1 << n) == 0;
        }
        if shared.maps == 0 {
            shared.regions.clear();
        }
    }
    (open.maps, open.shared, open.exclusive) = (false, 0, 0);
    ffi::SQLITE_OK
}
