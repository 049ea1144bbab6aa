//! `cargo xtask`: what sets up, shows, proves, measures and packs Parkdesk.

mod bench;
mod crash;
mod demo;
mod fleet;
mod package;
mod place;
mod run;
mod screenshots;
mod setup;
mod sim;
mod test;
mod tidy;
mod weights;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sets up, shows, proves, measures and packs Parkdesk.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what is missing: Debian packages, libtorch, weights, photos.
    Setup,
    /// Sets up, builds, and runs the main job on seven real photos.
    Demo {
        /// Where its folder goes (default: target/demo); an old one there is replaced.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Sets up and runs every check: format, tidy, clippy, docs, tests, the main job.
    Test {
        /// Only these steps, by name.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Kills hub, agent and faces process again and again while photos flow, then fills their disks: nothing is lost,
    /// nothing is doubled.
    Crash {
        /// How many kills; 0 = only the full disks.
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        /// Which kills when.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Drives the real window in a desktop session of its own: set-up, camera, tray, attacks.
    Window {
        /// Only the cases whose name holds this.
        only: Option<String>,
    },
    /// Writes every page in every state as a picture, for a person to look at.
    Screenshots {
        /// Where they go (default: target/screenshots).
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Only those whose name holds this.
        #[arg(long)]
        only: Option<String>,
    },
    /// Runs worlds of appliances and a hub from seeds, in which everything goes wrong that can.
    Sim {
        /// `--seeds N`, `--from S`, `--seed S` (tells every line), `--plant BUG`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Checks the rules that compilers do not: who uses whom, headers, traceability, licences.
    Tidy,
    /// Measures side by side with peers; exits 0 only if every figure reaches its goal.
    Bench {
        /// `faces`.
        name: String,
        /// Also write the figures to this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Builds deb and rpm of window, agent, hub and libtorch, and starts them from a temporary root.
    Package {
        /// Where they go (default: target/packages).
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Which build goes in.
        #[arg(long, value_enum, default_value = "release")]
        profile: package::Profile,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Setup => setup::run().map(|()| true),
        Task::Demo { dir } => demo::run(dir),
        Task::Test { only } => test::run(&only).map(|()| true),
        Task::Crash { rounds, seed } => crash::run(rounds, seed).map(|()| true),
        Task::Window { only } => window::run(only.as_deref()).map(|()| true),
        Task::Screenshots { dir, only } => screenshots::run(dir, only.as_deref()).map(|()| true),
        Task::Sim { rest } => sim::run(&rest).map(|()| true),
        Task::Tidy => tidy::run().map(|()| true),
        Task::Bench { name, json } => bench::run(&name, json.as_deref()),
        Task::Package { dir, profile } => package::run(dir, profile).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
