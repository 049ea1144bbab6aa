//! `parkdesk-hub`: `serve` runs the hub, `admin` talks to it (or to its files when it does not run).

use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use parkdesk_domain::body::FacePolicy;
use parkdesk_domain::rights::Role;
use parkdesk_domain::{DeviceId, RowId, pass_code};
use parkdesk_hub::admin::people::NewPerson;
use parkdesk_hub::admin::words::{self, Lang};
use parkdesk_hub::admin::{Request, show, socket};
use parkdesk_hub::data::{self, Opened, Shared, StartError};
use parkdesk_hub::serve::{self, Options};
use parkdesk_hub::store::any::AnyStore;
use parkdesk_hub::store::postgres::Address;
use parkdesk_hub::{admin, clock};
use parkdesk_sqlcipher::dir::LockError;
use rand::Rng;

/// Bounds of the histograms, all of which are times.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 60.0];

/// The upstream of Parkdesk's appliances.
#[derive(Debug, Parser)]
#[command(name = "parkdesk-hub", version)]
struct Cli {
    /// Language of the answers; otherwise that of the session.
    #[arg(long, global = true)]
    lang: Option<Language>,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    Ru,
    En,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the hub until SIGTERM; prints one JSON line when ready.
    Serve(ServeArgs),
    /// Look after a hub, running or not.
    Admin(AdminArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The data directory; made at the first start.
    #[arg(long, env = "PARKDESK_HUB_DATA")]
    data: PathBuf,
    /// Where to listen; other machines can reach it only with TLS.
    #[arg(long, env = "PARKDESK_HUB_LISTEN", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// The key file (0600); without it the systemd credential `parkdesk-hub-key`, else `hub.key` in the data directory.
    #[arg(long)]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// Certificate chain, PEM.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A file with the token that opens /metrics from elsewhere.
    #[arg(long)]
    metrics_token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct AdminArgs {
    /// The data directory.
    #[arg(long, env = "PARKDESK_HUB_DATA")]
    data: PathBuf,
    /// The key file, if the hub does not run.
    #[arg(long)]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    noun: Noun,
}

/// Which store. The password is never an argument, which every user of the machine could read.
#[derive(Debug, Args)]
struct StoreArgs {
    /// The store on PostgreSQL, postgres://user@host/database; without it hub.db in the data directory.
    #[arg(long = "store", env = "PARKDESK_HUB_STORE", hide_env_values = true)]
    url: Option<String>,
    /// A file with its password; else the systemd credential `parkdesk-hub-store-password`.
    #[arg(long = "store-password-file", env = "PARKDESK_HUB_STORE_PASSWORD_FILE", requires = "url")]
    password_file: Option<PathBuf>,
    /// Certificates that vouch for it, PEM; those of the system without.
    #[arg(long = "store-ca", env = "PARKDESK_HUB_STORE_CA", requires = "url")]
    ca_file: Option<PathBuf>,
    /// The folder of photos that all processes of this hub see; blobs/ in the data directory if there is one process.
    #[arg(long, env = "PARKDESK_HUB_BLOBS", requires = "url")]
    blobs: Option<PathBuf>,
}

impl StoreArgs {
    fn shared(self) -> Option<Shared> {
        let Self { url, password_file, ca_file, blobs } = self;
        Some(Shared { address: Address { url: url?, password_file, ca_file }, blobs })
    }
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Parks.
    #[command(subcommand)]
    Park(ParkVerb),
    /// Drivers.
    #[command(subcommand)]
    Driver(DriverVerb),
    /// A one-time code that enrols an appliance.
    EnrolCode {
        /// field, photo_staff, operator, senior, moderator, reviewer or admin.
        #[arg(long)]
        role: String,
        /// The park.
        #[arg(long)]
        park: RowId,
        /// What it reads: directory, fleet, staff, photos, faces, chats; by role if absent.
        #[arg(long, value_delimiter = ',')]
        area: Vec<String>,
        /// How long the code lives.
        #[arg(long, default_value_t = 10)]
        minutes: i64,
    },
    /// Appliances.
    #[command(subcommand)]
    Device(DeviceVerb),
    /// People who sign in at a park's desks.
    #[command(subcommand)]
    Person(PersonVerb),
    /// Photos.
    #[command(subcommand)]
    Photo(PhotoVerb),
    /// Figures.
    Stats,
    /// Say that the data was restored from a backup: appliances compare notes with the hub.
    Restored,
    /// Fill all look-up tables anew from the rows.
    Reindex,
}

#[derive(Debug, Subcommand)]
enum ParkVerb {
    /// A new park.
    Create {
        /// Its name.
        #[arg(long)]
        name: String,
        /// The city's id.
        #[arg(long)]
        city: String,
        /// Its id; made if absent.
        #[arg(long)]
        id: Option<RowId>,
        /// What faces may be used for: off, verify (a driver's own photos) or search (all drivers of the park).
        #[arg(long, default_value = "verify", value_parser = faces)]
        faces: FacePolicy,
    },
    /// Change what faces may be used for: off, verify or search.
    Faces {
        /// The park.
        park: RowId,
        /// The new policy.
        #[arg(value_parser = faces)]
        faces: FacePolicy,
    },
    /// All parks.
    List,
}

#[derive(Debug, Subcommand)]
enum DriverVerb {
    /// Import a CSV file: driver_id,last_name,first_name,middle_name,phones,licence,plate.
    Import {
        /// The file, UTF-8, separated by commas or semicolons.
        file: PathBuf,
        /// The park.
        #[arg(long)]
        park: RowId,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// A park's drivers.
    List {
        /// The park.
        #[arg(long)]
        park: RowId,
    },
}

#[derive(Debug, Subcommand)]
enum DeviceVerb {
    /// All appliances.
    List,
    /// An appliance may no longer come.
    Revoke {
        /// Its id.
        device: DeviceId,
    },
}

#[derive(Debug, Subcommand)]
enum PersonVerb {
    /// A new person; the pass code is asked for, or read from a file.
    Add {
        /// The park.
        #[arg(long)]
        park: RowId,
        /// The name that others see.
        #[arg(long)]
        name: String,
        /// What is typed at the desk.
        #[arg(long)]
        login: String,
        /// photo_staff, operator, senior, moderator, reviewer or admin.
        #[arg(long)]
        role: String,
        #[command(flatten)]
        code: PassCode,
    },
    /// A park's people.
    List {
        /// The park.
        #[arg(long)]
        park: RowId,
    },
    /// A person no longer works there.
    Remove {
        /// The person's id.
        person: RowId,
        /// The park.
        #[arg(long)]
        park: RowId,
    },
    /// A person's new pass code; it is asked for, or read from a file.
    SetPassCode {
        /// The person's id.
        person: RowId,
        /// The park.
        #[arg(long)]
        park: RowId,
        #[command(flatten)]
        code: PassCode,
    },
}

/// Where the pass code comes from: never an argument, which every user of the machine could read.
#[derive(Debug, Args)]
struct PassCode {
    /// A file with the pass code on its first line; without it the code is asked for.
    #[arg(long)]
    pass_code_file: Option<PathBuf>,
}

impl PassCode {
    fn verifier(&self, lang: Lang) -> anyhow::Result<String> {
        let code = match &self.pass_code_file {
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
                text.lines().next().unwrap_or_default().to_owned()
            }
            None => {
                let failed = lang.pick("код доступа не прочитан", "the pass code cannot be read");
                let ask = |text| rpassword::prompt_password(text).context(failed);
                let typed = ask(lang.pick("Код доступа: ", "Pass code: "))?;
                if ask(lang.pick("Ещё раз: ", "Once more: "))? != typed {
                    anyhow::bail!(
                        "{}",
                        lang.pick(
                            "коды не совпадают: ничего не изменено",
                            "the two pass codes differ: nothing was changed",
                        )
                    );
                }
                typed
            }
        };
        pass_code::verifier(&code, &rand::random()).map_err(|bad| match lang {
            Lang::Ru => anyhow::anyhow!("в коде доступа должно быть от 6 до 64 знаков: ничего не изменено"),
            Lang::En => anyhow::Error::new(bad).context("nothing was changed"),
        })
    }
}

#[derive(Debug, Subcommand)]
enum PhotoVerb {
    /// A park's photos.
    List {
        /// The park.
        #[arg(long)]
        park: RowId,
    },
}

fn main() -> ExitCode {
    let Cli { lang, command } = Cli::parse();
    let lang = language(lang);
    // The administrator reads answers, not the log.
    let usual = match &command {
        Verb::Serve(_) => "info,refinery_core=warn",
        Verb::Admin(_) => "warn",
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| usual.into()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    // Two TLS providers may be compiled in; ours is chosen here and nowhere else.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::warn!("a TLS provider was installed before");
    }
    let done = match command {
        Verb::Serve(args) => run_serve(args, lang).map(|()| ExitCode::SUCCESS),
        Verb::Admin(args) => run_admin(args, lang),
    };
    done.unwrap_or_else(|error| {
        eprintln!("parkdesk-hub: {error:#}");
        ExitCode::FAILURE
    })
}

fn run_serve(args: ServeArgs, lang: Lang) -> anyhow::Result<()> {
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()?;
    let options = Options {
        data: args.data,
        listen: args.listen,
        key_file: args.key_file,
        shared: args.store.shared(),
        tls: args.tls_cert.zip(args.tls_key),
        metrics_token_file: args.metrics_token_file,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve::run(options, Some(metrics)));
    served.map_err(|error| anyhow::anyhow!(words::serve(&error, lang)))
}

fn run_admin(args: AdminArgs, lang: Lang) -> anyhow::Result<ExitCode> {
    let request = request(args.noun, lang)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shared = args.store.shared();
    let open = || match &shared {
        Some(shared) => {
            let opened = data::open_existing_shared(&args.data, args.key_file.as_deref(), shared, clock::now());
            runtime.block_on(opened)
        }
        None => data::open_existing(&args.data, args.key_file.as_deref(), clock::now()),
    };
    let answer = match reach(&args.data, open, lang)? {
        Reached::Hub(stream) => socket::ask(stream, &request).context(lang.pick(
            "узел владеет каталогом данных, но не отвечает на admin.sock",
            "the hub owns the data directory but does not answer on its admin.sock",
        ))?,
        Reached::Files(opened) => {
            let mut rng = clock::rng();
            runtime.block_on(run_alone(&opened.store, &mut rng, request))?
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", show::text(&answer, lang));
    }
    Ok(if show::is_success(&answer) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Without a running hub in this data directory; those elsewhere on the same store hear of it.
async fn run_alone(store: &AnyStore, rng: &mut (impl Rng + Send), request: Request) -> anyhow::Result<admin::Answer> {
    let (answer, touched) = admin::run(store, clock::now(), rng, request).await?;
    if let AnyStore::Postgres(store) = store {
        store.tell(&touched).await?;
    }
    Ok(answer)
}

/// Where the administrator's wish goes.
enum Reached {
    /// The running hub has the store.
    Hub(UnixStream),
    /// No hub runs.
    Files(Box<Opened>),
}

/// The running hub, or its files; one that is just starting (or stopping) is waited for a little.
fn reach(dir: &Path, open: impl Fn() -> Result<Opened, StartError>, lang: Lang) -> anyhow::Result<Reached> {
    let told = |error: &StartError| anyhow::anyhow!(words::start(error, lang));
    let until = Instant::now() + data::PATIENCE;
    loop {
        let error = match open() {
            Ok(opened) => return Ok(Reached::Files(Box::new(opened))),
            Err(error @ StartError::Lock(LockError::AlreadyOwned(_))) => match socket::connect(dir) {
                Ok(stream) => return Ok(Reached::Hub(stream)),
                Err(_) => told(&error).context(lang.pick(
                    "узел не отвечает на admin.sock: он ещё запускается?",
                    "the hub does not answer on its admin.sock: is it starting?",
                )),
            },
            // Whoever speaks to the running hub need not know where its store is.
            Err(error @ StartError::SharedHere { .. }) => match socket::connect(dir) {
                Ok(stream) => return Ok(Reached::Hub(stream)),
                Err(_) => told(&error),
            },
            // Its start makes the files one after another.
            Err(error @ (StartError::NoHub(_) | StartError::StoreMissing { .. })) => told(&error),
            Err(error) => return Err(told(&error)),
        };
        if Instant::now() >= until {
            return Err(error);
        }
        std::thread::sleep(data::PAUSE);
    }
}

fn language(wanted: Option<Language>) -> Lang {
    match wanted {
        Some(Language::Ru) => Lang::Ru,
        Some(Language::En) => Lang::En,
        None => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            Lang::of_locale(&locale.unwrap_or_default())
        }
    }
}

fn faces(text: &str) -> Result<FacePolicy, String> {
    match text {
        "off" => Ok(FacePolicy::Off),
        "verify" => Ok(FacePolicy::Verify),
        "search" => Ok(FacePolicy::Search),
        _ => Err("it is off, verify or search".to_owned()),
    }
}

fn request(noun: Noun, lang: Lang) -> anyhow::Result<Request> {
    Ok(match noun {
        Noun::Park(ParkVerb::Create { name, city, id, faces }) => Request::ParkCreate { name, city, id, faces },
        Noun::Park(ParkVerb::Faces { park, faces }) => Request::ParkFaces { park, faces },
        Noun::Park(ParkVerb::List) => Request::ParkList,
        Noun::Driver(DriverVerb::Import { file, park, dry_run }) => {
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let csv = String::from_utf8(bytes).map_err(|error| {
                let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
                let line = before.filter(|byte| **byte == b'\n').count() + 1;
                let file = file.display();
                match lang {
                    Lang::Ru => anyhow::anyhow!("{file}: строка {line} не в UTF-8: сохраните файл в UTF-8"),
                    Lang::En => anyhow::anyhow!("{file}: line {line} is not UTF-8: save the file as UTF-8"),
                }
            })?;
            Request::DriverImport { park, csv, dry_run }
        }
        Noun::Driver(DriverVerb::List { park }) => Request::DriverList { park },
        Noun::EnrolCode { role, park, area, minutes } => {
            Request::EnrolCode { role: Role::from(role), park, areas: area, minutes }
        }
        Noun::Device(DeviceVerb::List) => Request::DeviceList,
        Noun::Device(DeviceVerb::Revoke { device }) => Request::DeviceRevoke { device },
        Noun::Person(PersonVerb::Add { park, name, login, role, code }) => {
            let verifier = code.verifier(lang)?;
            Request::PersonAdd(NewPerson { park, name, login, role: Role::from(role), verifier })
        }
        Noun::Person(PersonVerb::List { park }) => Request::PersonList { park },
        Noun::Person(PersonVerb::Remove { person, park }) => Request::PersonRemove { park, person },
        Noun::Person(PersonVerb::SetPassCode { person, park, code }) => {
            Request::PersonSetPassCode { park, person, verifier: code.verifier(lang)? }
        }
        Noun::Photo(PhotoVerb::List { park }) => Request::PhotoList { park },
        Noun::Stats => Request::Stats,
        Noun::Restored => Request::Restored,
        Noun::Reindex => Request::Reindex,
    })
}
