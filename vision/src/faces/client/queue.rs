//! Who is next: one place for the newest live frame, and a bounded line for each other priority.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::{FacesError, PictureHash};
use crate::faces::protocol::{Answer, Job, Priority};

/// A job and where its answer goes.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) picture: Arc<Vec<u8>>,
    pub(super) hash: PictureHash,
    pub(super) reply: SyncSender<Result<Answer, FacesError>>,
}

impl Task {
    /// Answers; the caller waits with room for exactly one answer, or is gone.
    pub(super) fn answer(self, result: Result<Answer, FacesError>) {
        let _ = self.reply.try_send(result);
    }
}

/// The waiting jobs.
pub(super) struct Queue {
    bound: usize,
    frame: Option<Task>,
    urgent: VecDeque<Task>,
    save: VecDeque<Task>,
    folder: VecDeque<Task>,
    reindex: VecDeque<Task>,
}

impl Queue {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound: bound.max(1),
            frame: None,
            urgent: VecDeque::new(),
            save: VecDeque::new(),
            folder: VecDeque::new(),
            reindex: VecDeque::new(),
        }
    }

    /// Lines a job up; an older live frame that still waits is answered `Superseded`.
    pub(super) fn push(&mut self, task: Task, priority: Priority) -> Result<(), FacesError> {
        if task.job == Job::Live {
            if let Some(older) = self.frame.replace(task) {
                older.answer(Err(FacesError::Superseded));
            }
            return Ok(());
        }
        let line = match priority {
            Priority::Live => &mut self.urgent,
            Priority::Save => &mut self.save,
            Priority::Folder => &mut self.folder,
            Priority::Reindex => &mut self.reindex,
        };
        if line.len() >= self.bound {
            return Err(FacesError::Busy);
        }
        line.push_back(task);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<Task> {
        self.frame
            .take()
            .or_else(|| self.urgent.pop_front())
            .or_else(|| self.save.pop_front())
            .or_else(|| self.folder.pop_front())
            .or_else(|| self.reindex.pop_front())
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.frame.is_some()) + self.urgent.len() + self.save.len() + self.folder.len() + self.reindex.len()
    }

    pub(super) fn drain(&mut self) -> Vec<Task> {
        std::iter::from_fn(|| self.pop()).collect()
    }
}
