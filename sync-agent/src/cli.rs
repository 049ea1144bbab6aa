//! The command line: what can be asked, and where it is answered. `run`, `enrol`, `recover` and `recovery-code` work on the
//! data directory itself, `doctor` does if no agent runs; everything else asks the running agent over its Unix socket.

mod ask;
mod client;
mod doctor;
mod enrol;
mod failure;
mod keys;
mod print;
mod run;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parkdesk_app::words::{Lang, lang_of};

use self::failure::Failure;

/// The headless appliance: takes driver photos, keeps them safe, and brings them to the hub.
#[derive(Parser)]
#[command(name = "parkdesk-agent", version, about)]
struct Cli {
    /// Language of the answers; otherwise that of the session.
    #[arg(long, global = true)]
    lang: Option<Language>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Ru,
    En,
}

/// The data directory and its key.
#[derive(Args, Clone)]
struct Data {
    /// The data directory.
    #[arg(long = "data", env = "PARKDESK_DATA", value_name = "DIR")]
    dir: PathBuf,
    /// A file that holds the key (made at the first start); otherwise a systemd credential or the keyring.
    #[arg(long, env = "PARKDESK_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// The running agent to ask.
#[derive(Args, Clone)]
struct Agent {
    /// The data directory of the agent.
    #[arg(long = "data", env = "PARKDESK_DATA", value_name = "DIR")]
    dir: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Run the appliance until it is told to stop.
    Run(RunArgs),
    /// Make this appliance known to a hub.
    Enrol(EnrolArgs),
    /// Open the data with the recovery code, when the key is gone.
    Recover {
        #[command(flatten)]
        data: Data,
        /// Read the code from this file instead of the terminal.
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
    },
    /// Make and show a new recovery code; the old one becomes void.
    RecoveryCode {
        #[command(flatten)]
        data: Data,
    },
    /// Examine the appliance, running or not; nothing is mended. Ends with 1 if something is at fault.
    Doctor {
        #[command(flatten)]
        data: Data,
        /// Read every file and make all tables anew for comparison; nothing can be saved for a while.
        #[arg(long)]
        thorough: bool,
        /// Also write what may be sent to somebody who helps (no personal data) to this file; needs the running agent.
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
    },
    #[command(flatten)]
    Ask(Question),
}

/// What the running agent answers.
#[derive(Subcommand)]
enum Question {
    /// What the appliance does and what waits.
    Status {
        #[command(flatten)]
        agent: Agent,
    },
    /// The latest photos.
    Photos {
        #[command(flatten)]
        agent: Agent,
        /// Only this driver's.
        #[arg(long)]
        driver: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Write a file of a photo.
    PhotoFile {
        #[command(flatten)]
        agent: Agent,
        /// The photo.
        photo: String,
        /// Which file.
        class: Class,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take a picture file, as the watched folder does.
    Take {
        #[command(flatten)]
        agent: Agent,
        /// The picture.
        file: PathBuf,
        /// Whose photo it is: profile id, licence number or phone.
        #[arg(long)]
        driver: Option<String>,
        /// Why it is sent in spite of a failed check.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Find drivers by name, plate, phone or licence.
    Drivers {
        #[command(flatten)]
        agent: Agent,
        /// What to look for; everybody without it.
        text: Vec<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// The pictures that wait for a driver.
    Unassigned {
        #[command(flatten)]
        agent: Agent,
    },
    /// Who a waiting picture may show.
    Offers {
        #[command(flatten)]
        agent: Agent,
        /// The picture.
        entry: String,
    },
    /// Say whom a waiting picture shows.
    Assign {
        #[command(flatten)]
        agent: Agent,
        /// The picture.
        entry: String,
        /// The driver.
        driver: String,
        /// Why it is sent in spite of a failed check.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Throw a waiting picture away.
    Discard {
        #[command(flatten)]
        agent: Agent,
        /// The picture.
        entry: String,
    },
    /// What a person must settle.
    NeedsAttention {
        #[command(flatten)]
        agent: Agent,
    },
    /// Settle something.
    Settle {
        #[command(flatten)]
        agent: Agent,
        /// The entry.
        entry: String,
        /// What to do.
        action: Action,
        /// For `edit`: a JSON file with the command to send instead.
        #[arg(long, value_name = "FILE")]
        command: Option<PathBuf>,
    },
    /// Steer the link to the hub.
    Sync {
        #[command(flatten)]
        agent: Agent,
        /// What to do.
        #[arg(default_value = "now")]
        what: SyncAction,
    },
    /// Print a link that lets one browser in, once.
    Open {
        #[command(flatten)]
        agent: Agent,
    },
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    data: Data,
    /// Take photos from this folder, whatever the settings say.
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// Let browsers of this computer in, at this loopback address; without data yet, they can set the appliance up.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The folder of the built pages for browsers; otherwise the installed one.
    #[arg(long, env = "PARKDESK_UI", value_name = "DIR")]
    ui: Option<PathBuf>,
    /// The face program; otherwise parkdesk-faces beside this one.
    #[arg(long, env = "PARKDESK_FACES", value_name = "FILE")]
    faces: Option<PathBuf>,
    /// Its weights.
    #[arg(long, env = "PARKDESK_WEIGHTS", value_name = "DIR")]
    weights: Option<PathBuf>,
    /// Longest random wait before a hub that was away is asked again: a crowd must not return at once.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    reconnect_spread: u64,
}

#[derive(Args)]
struct EnrolArgs {
    #[command(flatten)]
    data: Data,
    /// The hub's address.
    #[arg(long, value_name = "URL")]
    hub: String,
    /// The one-time code from the administrator.
    #[arg(long)]
    code: String,
    /// The appliance's name for people.
    #[arg(long)]
    name: String,
    /// A certificate (PEM) to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Begin anew, with the old data moved into a folder beside.
    #[arg(long, conflicts_with = "again")]
    beside_old: bool,
    /// Come again as a new device of the same hub after the old one was revoked: the data and what was not sent stay.
    #[arg(long)]
    again: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Class {
    Original,
    Portrait,
    Thumb,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    Retry,
    Edit,
    Discard,
    #[value(alias = "use_offer")]
    UseOffer,
}

#[derive(Clone, Copy, ValueEnum)]
enum SyncAction {
    Now,
    Pause,
    Resume,
}

/// How answers are shown.
#[derive(Clone, Copy)]
struct Show {
    lang: Lang,
    json: bool,
}

/// Reads the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    // Whatever this program makes is for its owner alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = Cli::parse();
    let show = Show { lang: language(cli.lang), json: cli.json };
    match act(cli.what, show) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(show);
            failure.exit_code()
        }
    }
}

fn act(what: What, show: Show) -> Result<(), Failure> {
    match what {
        What::Run(args) => run::run(args, show),
        What::Enrol(args) => enrol::enrol(&args, show),
        What::Recover { data, code_file } => keys::recover(&data, code_file.as_deref(), show),
        What::RecoveryCode { data } => keys::recovery_code(&data, show),
        What::Doctor { data, thorough, bundle } => doctor::doctor(&data, thorough, bundle.as_deref(), show),
        What::Ask(question) => ask::ask(question, show),
    }
}

fn language(wanted: Option<Language>) -> Lang {
    match wanted {
        Some(Language::Ru) => Lang::Ru,
        Some(Language::En) => Lang::En,
        None => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
            lang_of(&locale.unwrap_or_default())
        }
    }
}
