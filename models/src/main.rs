//! `parkdesk-faces`: the only program that links libtorch. Jobs come on stdin, answers go to stdout, logs to stderr.

use std::io::{self, BufReader, BufWriter};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use parkdesk_models::serve::{self, Settings};

/// Finds, checks and embeds faces for the process that started it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder of the safetensors made by `cargo xtask setup`.
    #[arg(long)]
    weights: PathBuf,
    /// Threads of torch.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Most address space this process may take.
    #[arg(long)]
    memory_limit_bytes: Option<u64>,
}

fn main() -> ExitCode {
    let Arguments { weights, threads, memory_limit_bytes } = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(false).init();
    let settings = Settings { weights, threads, memory_limit_bytes };
    let mut from = BufReader::new(io::stdin().lock());
    let mut to = BufWriter::new(io::stdout().lock());
    match serve::serve(&settings, &mut from, &mut to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot go on");
            ExitCode::FAILURE
        }
    }
}
