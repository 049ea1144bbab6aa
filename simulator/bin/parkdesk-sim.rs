//! `parkdesk-sim`: runs seeds and says which failed and how to repeat one. Each world has one thread; several worlds run
//! side by side.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clap::Parser;
use parkdesk_simulator::{Plant, Report, Settings, check};

/// Runs worlds from seeds; fails if one of them breaks a promise.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one, with every line told.
    #[arg(long)]
    seed: Option<u64>,
    /// Also disasters: disks put back and cloned, the hub restored from a backup, appliances enrolled anew.
    #[arg(long)]
    disasters: bool,
    /// With a planted bug, to see it caught.
    #[arg(long, value_parser = plant)]
    plant: Option<Plant>,
}

fn plant(name: &str) -> Result<Plant, String> {
    let names: Vec<&str> = Plant::ALL.iter().map(|plant| plant.name()).collect();
    let found = Plant::ALL.into_iter().find(|plant| plant.name() == name);
    found.ok_or_else(|| format!("there is no such bug; there are: {}", names.join(", ")))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let reports = match args.seed {
        Some(seed) => vec![check(settings(&args, seed, true))],
        None => all(&args),
    };
    let failed: Vec<&Report> = reports.iter().filter(|report| !report.wrong.is_empty()).collect();
    for report in &failed {
        let seed = report.seed;
        let more = if args.disasters { " --disasters" } else { "" };
        println!("seed {seed} FAILED ({} things); repeat it: cargo xtask sim --seed {seed}{more}", report.wrong.len());
        for line in report.wrong.iter().take(5) {
            println!("    {}", line.chars().take(400).collect::<String>());
        }
    }
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    println!(
        "{} seeds, {} failed; {} commands saved, {} mishaps, {} virtual hours",
        reports.len(),
        failed.len(),
        sum(|report| report.saved as u64),
        sum(|report| report.mishaps as u64),
        sum(|report| report.took_ms) / 3_600_000,
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn settings(args: &Args, seed: u64, is_loud: bool) -> Settings {
    Settings { seed, plant: args.plant, has_disasters: args.disasters, is_loud }
}

fn all(args: &Args) -> Vec<Report> {
    let (next, reports) = (AtomicU64::new(args.from), Mutex::new(Vec::new()));
    let end = args.from.saturating_add(args.seeds);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let report = check(settings(args, seed, false));
            reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(report);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    reports.sort_by_key(|report| report.seed);
    reports
}
