//! The writer's core and the queue before it.
//!
//! [`Writer::run`] is one transaction: BEGIN IMMEDIATE, the closure, commit or roll back, in this one place; the simulator
//! calls it in line. [`Turn`] is the queue: one writer at a time, people before sync. The closure runs on the caller's
//! thread, not on a thread of the writer's: so it may borrow, and a panic is the caller's error and nobody else's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::Error;
use crate::file::Priority;

/// The connection that writes.
#[derive(Debug)]
pub struct Writer {
    conn: Connection,
}

impl Writer {
    pub(crate) fn new(conn: Connection) -> Self {
        Self { conn }
    }

    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Runs `f` in one transaction. Once this returns `Ok`, what it wrote survives `kill -9` and a power cut.
    ///
    /// # Errors
    /// Those of `f` and of SQLite, and [`Error::Panicked`]; then nothing of it is written.
    pub fn run<T, E: From<Error>>(&mut self, f: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::from)?;
        let value = guarded(|| f(&tx))?;
        tx.commit().map_err(Error::from)?;
        Ok(value)
    }

    /// Reads in a transaction that is rolled back.
    pub(crate) fn read<T, E: From<Error>>(&mut self, f: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let tx = self.conn.transaction().map_err(Error::from)?;
        guarded(|| f(&tx))
    }
}

/// A panic in `f` is an error; its transaction is rolled back when dropped.
pub(crate) fn guarded<T, E: From<Error>>(f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(Error::Panicked(text(panic.as_ref())).into()))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into())
}

/// Who may write now.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    people_waiting: usize,
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn; sync gives way to people who wait.
    pub(crate) fn take(&self, priority: Priority) -> Taken<'_> {
        let mut state = self.lock();
        let is_person = priority == Priority::Person;
        state.people_waiting += usize::from(is_person);
        while state.is_taken || (!is_person && state.people_waiting > 0) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_taken = true;
        state.people_waiting -= usize::from(is_person);
        Taken { turn: self }
    }
}

/// The turn, given back when dropped.
pub(crate) struct Taken<'a> {
    turn: &'a Turn,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.turn.lock().is_taken = false;
        self.turn.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn people_go_before_sync_that_waited_longer() {
        let (turn, order) = (Arc::new(Turn::default()), Arc::new(Mutex::new(Vec::new())));
        let held = turn.take(Priority::Sync);
        let wait = |priority| {
            let (turn, order) = (turn.clone(), order.clone());
            std::thread::spawn(move || {
                let _taken = turn.take(priority);
                order.lock().unwrap().push(priority);
            })
        };
        let sync = wait(Priority::Sync);
        let person = wait(Priority::Person);
        let deadline = Instant::now() + Duration::from_secs(10);
        while turn.lock().people_waiting == 0 && Instant::now() < deadline {
            std::thread::yield_now();
        }
        drop(held);
        for thread in [sync, person] {
            thread.join().unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [Priority::Person, Priority::Sync]);
    }
}
