//! One running child: its pipes, its deadline, its end.
//!
//! Pipes block, so a thread of the child's own writes requests and reads answers, and the supervisor waits for it with a
//! deadline. Killing the child closes the pipes and thereby ends that thread. Another thread forwards the child's log lines,
//! cut, cleaned and counted: a child gone mad can neither fill the log nor write control characters into it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::ClientConfig;
use crate::faces::protocol::{self, Answer, Job, ProtocolError};

/// How often a waiting supervisor looks whether the client stops.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end of a killed child is waited for.
const BURIAL: Duration = Duration::from_secs(5);
/// Longest log line and most lines forwarded of one child.
const LOG_LINE: usize = 300;
const LOG_LINES: usize = 1000;
/// Large buffers lie on huge pages: a 12 MP photo costs 0.94 to 1.01 of djpeg with them and 0.94 to 1.32, as it happens,
/// without (`cargo xtask bench faces`).
const TUNABLES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// How one attempt at a job went.
pub(super) enum Turn {
    Answered(Answer),
    /// The child died, hung or answered nonsense.
    Failed(&'static str),
    /// The client stops.
    Stopped,
}

/// Why there is no warm child.
pub(super) enum StartError {
    Failed(String),
    Stopped,
}

type Requests = Sender<(u64, Job, Arc<Vec<u8>>)>;
type Answers = Receiver<Result<Option<Answer>, ProtocolError>>;

/// A warm child.
pub(super) struct Process {
    child: Child,
    requests: Requests,
    answers: Answers,
}

/// What came before the deadline.
enum Heard {
    Answer(Answer),
    Nothing(&'static str),
    Stopped,
}

impl Process {
    /// Starts a child and waits until it is warm.
    pub(super) fn start(config: &ClientConfig, stopping: &dyn Fn() -> bool) -> Result<Self, StartError> {
        let mut child = Command::new(&config.program)
            .arg("--weights")
            .arg(&config.weights)
            .arg("--threads")
            .arg(config.threads.to_string())
            .arg("--memory-limit-bytes")
            .arg(config.memory_limit_bytes.to_string())
            .env(TUNABLES.0, TUNABLES.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| StartError::Failed(format!("the program cannot be started ({error})")))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("BUG: all three pipes were asked for")
        };
        let (requests, to_do) = channel();
        let (done, answers) = channel();
        let talking = spawn("faces-pipe", move || talk(stdin, stdout, &to_do, &done));
        let logging = spawn("faces-log", move || forward_log(stderr));
        let mut process = Self { child, requests, answers };
        if let Err(error) = talking.and(logging) {
            process.end();
            return Err(StartError::Failed(format!("no thread for the pipes ({error})")));
        }
        match process.hear(config.save_deadline * 3, stopping) {
            Heard::Answer(Answer::Ready(ready)) if ready.version == protocol::VERSION => Ok(process),
            Heard::Answer(Answer::Ready(ready)) => {
                process.end();
                Err(StartError::Failed(format!(
                    "it speaks version {} of the protocol and {} is needed",
                    ready.version,
                    protocol::VERSION
                )))
            }
            Heard::Answer(Answer::Unable { reason }) => {
                process.end();
                Err(StartError::Failed(clean(reason.as_bytes())))
            }
            Heard::Answer(
                Answer::Analysed { .. } | Answer::Live { .. } | Answer::Portrait { .. } | Answer::Rejected { .. },
            ) => {
                process.end();
                Err(StartError::Failed("it answered before it was asked".into()))
            }
            Heard::Nothing(what) => {
                process.end();
                Err(StartError::Failed(format!("{what} while it warmed up")))
            }
            Heard::Stopped => {
                process.end();
                Err(StartError::Stopped)
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// One job: the request goes out, and the answer must come before the deadline.
    pub(super) fn turn(
        &mut self,
        id: u64,
        job: Job,
        picture: &Arc<Vec<u8>>,
        deadline: Duration,
        stopping: &dyn Fn() -> bool,
    ) -> Turn {
        if self.requests.send((id, job, Arc::clone(picture))).is_err() {
            return Turn::Failed("it closed its pipes");
        }
        match self.hear(deadline, stopping) {
            Heard::Answer(answer) if answers_question(&answer, id, job) => Turn::Answered(answer),
            Heard::Answer(_) => Turn::Failed("it answered another question"),
            Heard::Nothing(what) => Turn::Failed(what),
            Heard::Stopped => Turn::Stopped,
        }
    }

    /// Kills the child and waits a bounded time for its end and its threads'.
    pub(super) fn end(mut self) {
        // It may be dead already, which is what is wanted.
        let _ = self.child.kill();
        drop(self.requests);
        let until = Instant::now() + BURIAL;
        // The pipe thread lets go of its end when the child's pipes are closed.
        while let Ok(_late) = self.answers.recv_timeout(until.saturating_duration_since(Instant::now())) {}
        // A killed process ends at once unless the kernel holds it; then it is left to the kernel.
        if Instant::now() < until {
            let _ = self.child.wait();
        } else {
            let _ = self.child.try_wait();
        }
    }

    fn hear(&mut self, deadline: Duration, stopping: &dyn Fn() -> bool) -> Heard {
        let until = Instant::now() + deadline;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left.min(LOOK)) {
                Ok(Ok(Some(answer))) => return Heard::Answer(answer),
                Ok(Ok(None)) => return Heard::Nothing("it ended"),
                Ok(Err(ProtocolError::Io(_))) => return Heard::Nothing("its pipe broke"),
                Ok(Err(ProtocolError::TooLarge { .. } | ProtocolError::Header(_) | ProtocolError::Attachments)) => {
                    return Heard::Nothing("it answered nonsense");
                }
                Err(RecvTimeoutError::Disconnected) => return Heard::Nothing("it ended"),
                Err(RecvTimeoutError::Timeout) if stopping() => return Heard::Stopped,
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Heard::Nothing("it did not answer in time"),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn answers_question(answer: &Answer, asked: u64, job: Job) -> bool {
    match answer {
        Answer::Analysed { id, .. } => *id == asked && job == Job::Analyse,
        Answer::Live { id, .. } => *id == asked && job == Job::Live,
        Answer::Portrait { id, .. } => *id == asked && matches!(job, Job::Portrait(_)),
        Answer::Rejected { id, .. } => *id == asked,
        Answer::Ready(_) | Answer::Unable { .. } => false,
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(drop)
}

/// Speaks with the child until either side is gone: first its greeting, then one answer for each request.
fn talk(
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
    to_do: &Receiver<(u64, Job, Arc<Vec<u8>>)>,
    done: &Sender<Result<Option<Answer>, ProtocolError>>,
) {
    let greeting = protocol::read_answer(&mut stdout);
    let mut go_on = matches!(greeting, Ok(Some(_))) && done.send(greeting).is_ok();
    while go_on && let Ok((id, job, picture)) = to_do.recv() {
        let answer =
            protocol::write_request(&mut stdin, id, job, &picture).and_then(|()| protocol::read_answer(&mut stdout));
        drop(picture);
        go_on = matches!(answer, Ok(Some(_)));
        go_on &= done.send(answer).is_ok();
    }
}

fn forward_log(stderr: ChildStderr) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    let mut count = 0;
    loop {
        line.clear();
        match lines.by_ref().take(4096).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if count < LOG_LINES => tracing::info!(target: "parkdesk_faces", "{}", clean(&line)),
            Ok(_) => {}
        }
        count += 1;
        if count == LOG_LINES {
            tracing::warn!(target: "parkdesk_faces", "further lines of this process are dropped");
        }
    }
}

/// Printable ASCII of a line, cut.
fn clean(line: &[u8]) -> String {
    line.iter().filter(|byte| (b' '..=b'~').contains(byte)).take(LOG_LINE).map(|byte| char::from(*byte)).collect()
}
