//! The face nets in libtorch: find a face, its points, align it, embed it; and the pipeline that `parkdesk-faces` runs.
//!
//! Owns: weights as pinned safetensors ([`weights`]), the nets as functions over tensors ([`detector`], [`check`],
//! [`embedder`]), dlib's trees and chip in plain Rust ([`points`], [`chip`]), and their order ([`pipeline`]). It must not
//! know where pictures come from, match faces, or keep anything: one picture in, one analysis out.
//!
//! There are no traits for the four steps: each has one implementation, and a second one is a new `model_id` or
//! `aligner_id` that decides more than a type.

pub mod check;
pub mod chip;
pub mod detector;
pub mod embedder;
pub mod pipeline;
pub mod points;
pub mod serve;
pub mod similarity;
pub mod weights;

mod tensor;

/// What can go wrong besides the picture.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of weights is not there or cannot be read.
    #[error(
        "cannot read the weights {path}: {source}; install the package parkdesk-agent again (in a checkout: run cargo xtask setup)"
    )]
    Missing {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file of weights is not the one in `models/manifest.toml`.
    #[error(
        "the weights {path} are not the pinned ones ({what}); install the package parkdesk-agent again (in a checkout: run cargo xtask setup)"
    )]
    Wrong {
        /// The file.
        path: String,
        /// What differs.
        what: String,
    },
    /// torch could not do an operation (mostly: no memory).
    #[error("torch: {0}")]
    Torch(#[from] tch::TchError),
    /// The pipe to the caller.
    #[error("pipe: {0}")]
    Pipe(#[from] parkdesk_vision::faces::protocol::ProtocolError),
    /// The memory limit is too small to work with.
    #[error("a memory limit of {limit} bytes is too small: libtorch and the weights need {least}")]
    Memory {
        /// What was asked for.
        limit: u64,
        /// What is needed.
        least: u64,
    },
    /// The process could not bound itself.
    #[error("cannot set the process's limits: {0}")]
    Limits(#[from] rustix::io::Errno),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
