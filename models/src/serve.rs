//! The process: bounds itself, says that it is ready, then answers one request after the other until its input ends.
//!
//! It keeps nothing between requests and knows no order of importance; queue, deadlines, restart and quarantine are the
//! caller's (`vision::faces::client`). What breaks here (torch out of memory, a panic) ends the process on purpose: the
//! caller sees one kind of failure and has one way to deal with it. A bad picture is no failure but an answer.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Instant;

use parkdesk_vision::faces::protocol::{self, Answer, Job, Ready, VERSION};
use parkdesk_vision::picture;
use rustix::process::{Resource, Rlimit, Signal};

use crate::chip::ALIGNER_ID;
use crate::pipeline::Pipeline;
use crate::{Error, Result};

/// Least address space: libtorch and the weights map 0.66 GB before the first photo, and a memory that is short already
/// then ends in the allocator's own locks instead of an error.
pub const LEAST_MEMORY_BYTES: u64 = 1 << 30;

/// How the process is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the safetensors lie.
    pub weights: PathBuf,
    /// Threads of torch.
    pub threads: u32,
    /// Most address space, if bounded.
    pub memory_limit_bytes: Option<u64>,
}

/// Bounds the process, loads, warms up, and answers requests until the input ends.
///
/// # Errors
/// If the limits or the weights cannot be had (the caller is told first), torch fails, or the pipe breaks.
pub fn serve(settings: &Settings, from: &mut impl Read, to: &mut impl Write) -> Result<()> {
    tch::set_num_threads(i32::try_from(settings.threads.max(1)).unwrap_or(i32::MAX));
    tch::set_num_interop_threads(1);
    let pipeline = match load(settings) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            protocol::write_answer(to, Answer::Unable { reason: error.to_string() })?;
            return Err(error);
        }
    };
    let ready = Ready { version: VERSION, model_id: pipeline.model_id().to_owned(), aligner_id: ALIGNER_ID.to_owned() };
    protocol::write_answer(to, Answer::Ready(ready))?;
    while let Some(request) = protocol::read_request(from)? {
        let started = Instant::now();
        let answer = answer(&pipeline, request.id, request.job, &request.picture)?;
        tracing::debug!(job.id = request.id, duration_ms = started.elapsed().as_millis() as u64, "answered");
        protocol::write_answer(to, answer)?;
    }
    Ok(())
}

fn load(settings: &Settings) -> Result<Pipeline> {
    let started = Instant::now();
    bound(settings)?;
    let pipeline = Pipeline::load(&settings.weights)?;
    pipeline.warm_up()?;
    tracing::info!(duration_ms = started.elapsed().as_millis() as u64, "ready");
    Ok(pipeline)
}

/// Bounds this process: it dies with its parent, leaves no core dump (it would hold faces), and takes no more memory than told.
fn bound(settings: &Settings) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let limit = |bytes: u64| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    rustix::process::setrlimit(Resource::Core, limit(0))?;
    if let Some(bytes) = settings.memory_limit_bytes {
        if bytes < LEAST_MEMORY_BYTES {
            return Err(Error::Memory { limit: bytes, least: LEAST_MEMORY_BYTES });
        }
        rustix::process::setrlimit(Resource::As, limit(bytes))?;
    }
    Ok(())
}

fn answer(pipeline: &Pipeline, id: u64, job: Job, bytes: &[u8]) -> Result<Answer> {
    let picture = match picture::decode(bytes) {
        Ok(picture) => picture,
        Err(rejection) => return Ok(Answer::Rejected { id, rejection }),
    };
    Ok(match job {
        Job::Analyse => Answer::Analysed { id, analysis: Box::new(pipeline.analyse(&picture)?) },
        Job::Live => Answer::Live { id, advice: pipeline.advise(&picture)? },
        Job::Portrait(cut) => Answer::Portrait { id, portrait: picture::portrait(&picture, &cut) },
    })
}
