//! Why a command failed: what happened, what it means, what to do. Scripts get the same as JSON and by exit code:
//! 1 failed, 2 wrong use, 3 the agent does not run, 4 the key is missing.

use std::path::PathBuf;
use std::process::ExitCode;

use parkdesk_app::api::Problem;
use parkdesk_app::installation::EnrolError;
use parkdesk_app::keys::KeysError;
use parkdesk_app::words::{Lang, errors};
use parkdesk_sqlcipher::dir::LockError;
use parkdesk_sync_agent::StartError;
use serde_json::json;

use super::Show;

/// Why.
pub(crate) enum Failure {
    /// Nobody answers in that data directory.
    Stopped(PathBuf),
    /// There is no data to run on in that directory.
    NoAppliance(PathBuf),
    /// The agent said no.
    Problem(Problem),
    /// There is no key.
    Keys(KeysError),
    /// The data directory is not ours to use now.
    Lock(LockError),
    /// The appliance does not start.
    Start(StartError),
    /// The hub did not take the appliance in.
    Enrol(EnrolError),
    /// The doctor found something and said so.
    Unsound,
    /// Anything else, said whole.
    Other(anyhow::Error),
}

impl Failure {
    /// Says it: to people on stderr, to programs on stdout.
    pub(crate) fn show(&self, show: Show) {
        if matches!(self, Self::Unsound) {
            return;
        }
        if show.json {
            println!("{}", json!({"error": {"code": self.code(), "message": self.text(Lang::En)}}));
        } else {
            eprintln!("{}", self.text(show.lang));
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::NoAppliance(_)
            | Self::Problem(_)
            | Self::Lock(_)
            | Self::Start(_)
            | Self::Enrol(_)
            | Self::Unsound
            | Self::Other(_) => 1,
            Self::Stopped(_) => 3,
            Self::Keys(_) => 4,
        })
    }

    fn code(&self) -> String {
        match self {
            Self::Stopped(_) => "agent_stopped".into(),
            Self::NoAppliance(_) => "not_enrolled".into(),
            Self::Problem(problem) => serde_json::to_value(problem.code)
                .ok()
                .and_then(|code| code.as_str().map(str::to_owned))
                .unwrap_or_default(),
            Self::Keys(KeysError::NoKey(_)) => "no_key".into(),
            Self::Keys(_) => "keys".into(),
            Self::Lock(LockError::AlreadyOwned(_)) => "in_use".into(),
            Self::Lock(LockError::Io { .. }) => "data_dir".into(),
            Self::Start(error) => match error {
                StartError::Owned { .. } => "in_use",
                StartError::Lock(_) => "data_dir",
                StartError::NoAppliance(_) => "not_enrolled",
                StartError::Keys(_) => "keys",
                StartError::Data(_) => "data",
                StartError::Listen(_) => "listen",
                StartError::System(_) => "failed",
            }
            .into(),
            Self::Enrol(error) => format!("enrol_{}", error.why.as_str()),
            Self::Unsound => "unsound".into(),
            Self::Other(_) => "failed".into(),
        }
    }

    fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Stopped(dir), Lang::En) => {
                let dir = dir.display();
                format!(
                    "The agent of {dir} does not run, so nothing was asked or changed. Start it: parkdesk-agent run --data {dir}"
                )
            }
            (Self::Stopped(dir), Lang::Ru) => {
                let dir = dir.display();
                format!(
                    "Агент каталога {dir} не запущен, ничего не изменено. Запустите: parkdesk-agent run --data {dir}"
                )
            }
            (Self::NoAppliance(dir), Lang::En) => {
                let dir = dir.display();
                format!(
                    "There is no appliance in {dir}, and nothing was made. Check --data, or enrol first: \
                     parkdesk-agent enrol --data {dir} --hub URL --code CODE --name NAME"
                )
            }
            (Self::NoAppliance(dir), Lang::Ru) => {
                let dir = dir.display();
                format!(
                    "В каталоге {dir} нет данных устройства, ничего не создано. Проверьте --data или сначала подключите \
                     устройство: parkdesk-agent enrol --data {dir} --hub URL --code CODE --name NAME"
                )
            }
            (Self::Problem(problem), _) => errors::problem(problem, lang),
            (Self::Keys(error), _) => errors::keys(error, lang),
            (Self::Lock(error), _) => errors::lock(error, lang),
            (Self::Start(StartError::Data(problem)), Lang::Ru) => {
                format!("{} ({})", errors::data(problem.code, lang), problem.message)
            }
            (Self::Start(StartError::Owned { socket }), Lang::Ru) => {
                format!("это устройство уже запущено: спрашивайте его через {}", socket.display())
            }
            (Self::Start(StartError::Lock(error)), _) => errors::lock(error, lang),
            (Self::Start(error), Lang::Ru) => format!("Устройство не запускается: {error}"),
            (Self::Start(error), Lang::En) => error.to_string(),
            (Self::Enrol(error), _) => errors::enrol(error, lang),
            // Said with its findings.
            (Self::Unsound, _) => String::new(),
            // What the system or a file said comes in its own words.
            (Self::Other(error), Lang::Ru) => format!("Не получилось: {error:#}"),
            (Self::Other(error), Lang::En) => format!("{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoAppliance(dir) => Self::NoAppliance(dir),
            StartError::Keys(error) => Self::Keys(error),
            error @ (StartError::Owned { .. }
            | StartError::Lock(_)
            | StartError::Data(_)
            | StartError::Listen(_)
            | StartError::System(_)) => Self::Start(error),
        }
    }
}

impl From<EnrolError> for Failure {
    fn from(error: EnrolError) -> Self {
        Self::Enrol(error)
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}
