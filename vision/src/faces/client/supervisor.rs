//! The one thread that owns the child: takes the most urgent job, keeps the child running, counts crashes.
//!
//! Every job it takes gets exactly one answer. A start that failed refuses further jobs at once until its pause is over,
//! because it is not their fault and waiting would not help; a crash is answered by a fresh child and a second try.

use std::time::{Duration, Instant};

use super::process::{Process, StartError, Turn};
use super::queue::Task;
use super::{FacesError, Shared};
use crate::faces::protocol::{Answer, Job};

/// How often an idle child is looked at.
const IDLE_LOOK: Duration = Duration::from_secs(1);
/// Longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The child and what is known about its failures.
pub(super) struct Supervisor<'a> {
    shared: &'a Shared,
    process: Option<Process>,
    /// Failures since the last good answer: they set the pause before the next start.
    failures: u32,
    /// After a start that failed: until when jobs are refused at once, and why.
    blocked: Option<(Instant, String)>,
    next_id: u64,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, process: None, failures: 0, blocked: None, next_id: 1 }
    }

    /// Runs until the client stops.
    pub(super) fn run(&mut self) {
        while let Some(task) = self.next_task() {
            let result = self.finish(&task);
            task.answer(result);
        }
        self.end_process();
    }

    /// The most urgent job; looks after an idle child meanwhile. `None` when the client stops.
    fn next_task(&mut self) -> Option<Task> {
        loop {
            let mut state = self.shared.lock();
            if state.stopping {
                return None;
            }
            if let Some(task) = state.queue.pop() {
                return Some(task);
            }
            drop(self.shared.wait(state, IDLE_LOOK));
            self.bury_dead();
        }
    }

    /// Brings one job to its end.
    fn finish(&mut self, task: &Task) -> Result<Answer, FacesError> {
        // It may have been quarantined through an equal picture while it waited.
        if self.shared.lock().quarantined.contains(&task.hash) {
            return Err(FacesError::Quarantined);
        }
        loop {
            self.bury_dead();
            self.ensure_process()?;
            match self.attempt(task) {
                Turn::Answered(answer) => {
                    self.failures = 0;
                    self.shared.lock().crashes.remove(&task.hash);
                    return Ok(answer);
                }
                Turn::Stopped => return Err(FacesError::Stopped),
                Turn::Failed(what) => {
                    self.failures += 1;
                    self.end_process();
                    let crashes = self.count_crash(task, what);
                    if task.job == Job::Live {
                        return Err(FacesError::Unavailable("it is being restarted".into()));
                    }
                    if crashes >= 2 {
                        return Err(FacesError::Quarantined);
                    }
                }
            }
        }
    }

    fn count_crash(&self, task: &Task, what: &'static str) -> u32 {
        let mut state = self.shared.lock();
        state.restarts += 1;
        if task.job == Job::Live {
            tracing::warn!(reason = what, "the faces process failed on a live frame");
            return 0;
        }
        let crashes = state.crashes.entry(task.hash).or_default();
        *crashes += 1;
        let crashes = *crashes;
        if crashes >= 2 {
            state.crashes.remove(&task.hash);
            state.quarantined.insert(task.hash);
        }
        tracing::warn!(reason = what, crashes, picture.sha256 = %hex::encode(task.hash), "the faces process failed on a photo");
        crashes
    }

    fn attempt(&mut self, task: &Task) -> Turn {
        let id = self.next_id;
        self.next_id += 1;
        let Some(process) = &mut self.process else {
            return Turn::Failed("it is not there");
        };
        let deadline = match task.job {
            Job::Live => self.shared.config.live_deadline,
            Job::Analyse | Job::Portrait(_) => self.shared.config.save_deadline,
        };
        process.turn(id, task.job, &task.picture, deadline, &|| self.shared.is_stopping())
    }

    /// Starts the child if there is none, after the pause that earlier failures ask for.
    fn ensure_process(&mut self) -> Result<(), FacesError> {
        if self.process.is_some() {
            return Ok(());
        }
        if let Some((until, reason)) = &self.blocked
            && Instant::now() < *until
        {
            return Err(FacesError::Unavailable(reason.clone()));
        }
        self.blocked = None;
        self.pause()?;
        match Process::start(&self.shared.config, &|| self.shared.is_stopping()) {
            Ok(process) => {
                self.shared.lock().pid = Some(process.pid());
                self.process = Some(process);
                Ok(())
            }
            Err(StartError::Stopped) => Err(FacesError::Stopped),
            Err(StartError::Failed(reason)) => {
                self.failures += 1;
                tracing::error!(reason, failures = self.failures, "the faces process cannot be started");
                self.blocked = Some((Instant::now() + pause_after(self.failures + 1), reason.clone()));
                Err(FacesError::Unavailable(reason))
            }
        }
    }

    fn pause(&self) -> Result<(), FacesError> {
        let until = Instant::now() + pause_after(self.failures);
        let mut state = self.shared.lock();
        loop {
            if state.stopping {
                return Err(FacesError::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self.shared.wait(state, left);
        }
    }

    /// Forgets a child that died while nobody used it.
    fn bury_dead(&mut self) {
        if self.process.as_mut().is_some_and(|process| !process.is_alive()) {
            tracing::warn!("the faces process ended while idle");
            self.shared.lock().restarts += 1;
            self.end_process();
        }
    }

    fn end_process(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
        self.shared.lock().pid = None;
    }
}

/// The pause before a start: none after the first failure, then doubling.
fn pause_after(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        more => (Duration::from_millis(250) * 2_u32.saturating_pow((more - 2).min(10))).min(LONGEST_PAUSE),
    }
}
