//! The text of a reason file: Russian and English, with code, figure, limit and what to do.

use parkdesk_app::capture::TakeError;
use parkdesk_vision::quality::Lang;

/// Why a file waits or was refused, in the two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) ru: String,
    pub(super) en: String,
}

impl Why {
    /// Of a picture that was not taken.
    pub(super) fn of(error: &TakeError) -> Self {
        Self { ru: russian(error), en: error.to_string() }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(error: &std::io::Error) -> Self {
        Self {
            ru: format!("Файл не читается ({error}). Проверьте права доступа к нему."),
            en: format!("a file cannot be read ({error}): check its permissions"),
        }
    }

    /// A picture that somebody may still be writing.
    pub(super) fn unfinished() -> Self {
        Self {
            ru: "Снимок записан не до конца. Если так и останется, он будет отклонён.".into(),
            en: "a picture is not complete yet: it is refused if it stays so".into(),
        }
    }

    /// A folder in which nothing can be moved.
    pub(super) fn unmovable(error: &std::io::Error) -> Self {
        Self {
            ru: format!("Файлы не переносятся в done/ и rejected/ ({error}). Разрешите этой программе запись в папку."),
            en: format!("files cannot be moved to done/ or rejected/ ({error}): let this program write in the folder"),
        }
    }
}

/// The text for a file that was refused.
pub(super) fn text(error: &TakeError) -> String {
    let (code, figure, limit) = match error {
        TakeError::Rejected(r) => (r.code.as_str().to_owned(), r.figure, r.limit),
        TakeError::Quarantined => ("quarantined".to_owned(), None, None),
        TakeError::Refused(refusal) => (refusal.code.as_str().to_owned(), None, None),
        TakeError::Busy => ("busy".to_owned(), None, None),
        TakeError::Later(_) => ("later".to_owned(), None, None),
    };
    let number = |name: &str, n: Option<i64>| n.map(|n| format!("{name}: {n}\n")).unwrap_or_default();
    format!("{}\n\n{error}\n\ncode: {code}\n{}{}", russian(error), number("figure", figure), number("limit", limit),)
}

fn russian(error: &TakeError) -> String {
    match error {
        TakeError::Rejected(rejection) => rejection.text(Lang::Ru),
        TakeError::Quarantined => {
            "Этот снимок дважды остановил программу распознавания, больше он не обрабатывается. Сделайте снимок ещё раз.".into()
        }
        TakeError::Refused(refusal) => format!(
            "Снимок не принят по правилам (код {}). Проверьте права этого устройства и водителя, затем положите файл снова.",
            refusal.code.as_str()
        ),
        TakeError::Busy | TakeError::Later(_) => "Сейчас снимок принять нельзя, он будет принят позже.".into(),
    }
}
