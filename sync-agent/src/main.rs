//! `parkdesk-agent`: the headless appliance and the command line to it.
//!
//! Only puts together: the use cases of `app`, the engine and the watcher of this crate. No rule lives here.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
