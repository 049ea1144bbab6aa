//! The text of a reason file: Russian and English, with code, figure, limit and what to do.

use parkdesk_app::capture::TakeError;
use parkdesk_vision::limits::{Rejection, RejectionCode};

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
        TakeError::Rejected(rejection) => rejected(rejection),
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

fn rejected(rejection: &Rejection) -> String {
    let (figure, limit) = (rejection.figure.unwrap_or(0), rejection.limit.unwrap_or(0));
    match rejection.code {
        RejectionCode::NotAnImage => "Этот файл не снимок. Положите фотографию в формате JPEG, PNG или WebP.".into(),
        RejectionCode::UnsupportedFormat => {
            "Этот формат снимков не принимается. Сохраните фотографию как JPEG, PNG или WebP и положите снова.".into()
        }
        RejectionCode::TooManyBytes => format!(
            "В файле {figure} байт, принимается не больше {limit}. Сохраните снимок с меньшим качеством или размером."
        ),
        RejectionCode::TooManyPixels => {
            format!("В снимке {figure} пикселей, принимается не больше {limit}. Уменьшите снимок перед отправкой.")
        }
        RejectionCode::TooSmall => format!(
            "Короткая сторона снимка {figure} пикселей, нужно не меньше {limit}. Положите полный снимок с камеры."
        ),
        RejectionCode::ManyFrames => {
            format!("В файле анимация из {figure} кадров, принимается один. Положите отдельный снимок.")
        }
        RejectionCode::Truncated => {
            "Файл обрывается раньше, чем кончается снимок. Скопируйте его ещё раз целиком.".into()
        }
        RejectionCode::Broken => "Файл повреждён. Скопируйте его ещё раз или сделайте снимок снова.".into(),
    }
}
