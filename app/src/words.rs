//! What people read, in Russian and in English, keyed by the closed codes of this crate and of the domain.
//!
//! The API answers with codes and an English sentence; the command line and the pages say it in the reader's language. Each
//! text says what happened and what to do. No personal data comes in here.

pub mod doctor;
pub mod errors;

use parkdesk_domain::RefusalCode;
use parkdesk_sqlite::AttentionKind;
pub use parkdesk_vision::quality::Lang;

use crate::capture::{AssignedBy, TrayReason};
use crate::matching::Likeness;
use crate::sync::LinkState;

/// The language of a locale name like `ru_RU.UTF-8`; anything but Russian is English.
#[must_use]
pub fn lang_of(locale: &str) -> Lang {
    if locale.to_ascii_lowercase().starts_with("ru") { Lang::Ru } else { Lang::En }
}

fn pick(lang: Lang, ru: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Ru => ru,
        Lang::En => en,
    }
}

/// The verdict in a word.
#[must_use]
pub fn likeness(word: Likeness, lang: Lang) -> &'static str {
    match word {
        Likeness::Same => pick(lang, "тот же человек", "same person"),
        Likeness::Unsure => pick(lang, "не уверены, посмотрите сами", "unsure, look yourself"),
        Likeness::Different => pick(lang, "другой человек", "different person"),
    }
}

/// How many strangers would look as alike, in words.
#[must_use]
pub fn false_matches(milli: u64, lang: Lang) -> String {
    // One significant digit: whole strangers are exact, and a chance is rounded to the worse side.
    if milli >= 1000 {
        let count = milli / 1000;
        return match lang {
            Lang::Ru => format!("столь же похожих посторонних: {count}"),
            Lang::En => format!("strangers as alike: {count}"),
        };
    }
    let one_in = 1000 / milli.max(1);
    match lang {
        Lang::Ru => format!("случайное совпадение: не чаще 1 из {one_in}"),
        Lang::En => format!("chance match: at most 1 in {one_in}"),
    }
}

/// The verdict on two photos of one driver. Nobody else is in question, so strangers are not counted, and a chance match is
/// of interest only where there is a match.
#[must_use]
pub fn likely(word: Likeness, milli: u64, lang: Lang) -> String {
    if milli >= 1000 { likeness(word, lang).to_owned() } else { likely_among(word, milli, lang) }
}

/// The verdict on a picture among many drivers.
#[must_use]
pub fn likely_among(word: Likeness, milli: u64, lang: Lang) -> String {
    match word {
        Likeness::Same | Likeness::Unsure => format!("{} ({})", likeness(word, lang), false_matches(milli, lang)),
        Likeness::Different => likeness(word, lang).to_owned(),
    }
}

/// What a sitter is told when nothing is wrong.
#[must_use]
pub fn live_ready(lang: Lang) -> &'static str {
    pick(lang, "Так хорошо, можно снимать", "Good like this, ready to shoot")
}

/// Why a picture waits in the tray.
#[must_use]
pub fn tray_reason(reason: TrayReason, lang: Lang) -> &'static str {
    match reason {
        TrayReason::NoFace => pick(
            lang,
            "на фото не найдено лицо: выберите водителя или переснимите",
            "no face was found: choose the driver or take another photo",
        ),
        TrayReason::NoHint => pick(
            lang,
            "неизвестно, чьё это фото: выберите водителя",
            "nothing says whose photo it is: choose the driver",
        ),
        TrayReason::UnknownDriver => pick(
            lang,
            "указанного водителя нет на этом устройстве: выберите другого или создайте",
            "the named driver is not on this appliance: choose or create one",
        ),
        TrayReason::SeveralDrivers => pick(
            lang,
            "указание подходит нескольким водителям: выберите одного",
            "the hint fits several drivers: choose one",
        ),
        TrayReason::SeveralParks => pick(
            lang,
            "устройство обслуживает несколько парков: выберите водителя",
            "the appliance serves several parks: choose the driver",
        ),
    }
}

/// How the driver was found.
#[must_use]
pub fn assigned_by(how: AssignedBy, lang: Lang) -> &'static str {
    match how {
        AssignedBy::Folder => pick(lang, "по папке", "by folder"),
        AssignedBy::FileName => pick(lang, "по имени файла", "by file name"),
        AssignedBy::Sidecar => pick(lang, "по списку CSV", "by the CSV list"),
        AssignedBy::Hint => pick(lang, "указан при отправке", "named with the file"),
        AssignedBy::Person => pick(lang, "выбран человеком", "chosen by a person"),
    }
}

/// Where the link stands.
#[must_use]
pub fn link(state: LinkState, lang: Lang) -> &'static str {
    match state {
        LinkState::Starting => pick(lang, "соединяется", "connecting"),
        LinkState::Online => pick(lang, "на связи", "online"),
        LinkState::Offline => pick(lang, "нет связи, данные сохранены здесь", "offline, work is saved here"),
        LinkState::Paused => pick(lang, "приостановлено", "paused"),
        LinkState::Revoked => pick(
            lang,
            "устройство отозвано: обратитесь к администратору",
            "this appliance was revoked: ask the administrator",
        ),
        LinkState::NotEnrolled => {
            pick(lang, "не подключено к узлу: выполните parkdesk-agent enrol", "not enrolled: run parkdesk-agent enrol")
        }
    }
}

/// Why something waits to be settled that no rule refused.
#[must_use]
pub fn attention(kind: AttentionKind, lang: Lang) -> &'static str {
    match kind {
        AttentionKind::Conflict => pick(
            lang,
            "кто-то тем временем изменил те же поля: выберите значение",
            "somebody changed the same fields meanwhile: choose a value",
        ),
        AttentionKind::ParkedBlob => pick(
            lang,
            "файл не удалось передать: попробуйте ещё раз или переснимите",
            "a file could not be sent or fetched: try again, or take the photo once more",
        ),
        AttentionKind::Salvaged => pick(
            lang,
            "это спасено из повреждённого файла и не отправлено: отправьте или удалите",
            "this was saved from a damaged file and was not sent: send it or let it go",
        ),
        AttentionKind::Refused => pick(lang, "отклонено без причины", "refused without a reason"),
    }
}

/// The queue stands still.
#[must_use]
pub fn stuck(lang: Lang) -> &'static str {
    pick(
        lang,
        "узел отвечает, но эта команда не двигается больше 10 минут: повторите, а если не поможет, обратитесь к администратору",
        "the hub answers, but this command has not moved for 10 minutes: try again, and ask the administrator if that does not help",
    )
}

/// Why the rules refused a command.
#[must_use]
pub fn refusal(code: &RefusalCode, lang: Lang) -> &'static str {
    match code {
        RefusalCode::NotAllowed => pick(
            lang,
            "нет права на это действие: обратитесь к администратору",
            "no right to do this: ask the administrator",
        ),
        RefusalCode::UnknownPark => pick(lang, "такого парка нет", "there is no such park"),
        RefusalCode::UnknownDriver => pick(lang, "такого водителя в парке нет", "there is no such driver in the park"),
        RefusalCode::UnknownPhoto => pick(lang, "такого фото нет", "there is no such photo"),
        RefusalCode::PhotoJudged => pick(
            lang,
            "фото уже проверено, отменить съёмку нельзя",
            "the photo was judged already: the capture cannot be undone",
        ),
        RefusalCode::UnknownDecision => pick(lang, "такого решения нет", "there is no such decision"),
        RefusalCode::ParkReadOnly => {
            pick(lang, "парк-копия доступен только для чтения", "the park is a read-only mirror")
        }
        RefusalCode::Invalid => pick(lang, "поле заполнено неверно", "a field has an impossible value"),
        RefusalCode::Exists => pick(lang, "уже существует", "it exists already"),
        RefusalCode::LicenceTaken => {
            pick(lang, "удостоверение уже у другого водителя парка", "another driver of the park has this licence")
        }
        RefusalCode::UnknownPerson => {
            pick(lang, "такого сотрудника в парке нет", "there is no such person in the park")
        }
        RefusalCode::LoginTaken => {
            pick(lang, "этот логин уже у другого сотрудника парка", "another person of the park has this login")
        }
        RefusalCode::Conflict => {
            pick(lang, "кто-то уже изменил это: выберите значение", "somebody changed it meanwhile: choose a value")
        }
        RefusalCode::IdReused => pick(lang, "номер команды уже использован", "the command's id was used before"),
        RefusalCode::UnknownCommand => pick(
            lang,
            "узел не знает эту команду: обновите программу узла",
            "the hub does not know this command: update the hub",
        ),
        RefusalCode::TooWide => {
            pick(lang, "слишком большое изменение: разделите его", "the change is too large: split it")
        }
        RefusalCode::Other(_) => pick(
            lang,
            "отклонено узлом по новой причине: обновите программу",
            "refused by the hub for a newer reason: update this program",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_as_chances_or_as_strangers() {
        assert_eq!(false_matches(1, Lang::En), "chance match: at most 1 in 1000");
        assert_eq!(false_matches(400, Lang::En), "chance match: at most 1 in 2");
        assert_eq!(false_matches(3000, Lang::En), "strangers as alike: 3");
        assert_eq!(likely(Likeness::Same, 1, Lang::Ru), "тот же человек (случайное совпадение: не чаще 1 из 1000)");
    }

    #[test]
    fn difference_has_no_figure_and_one_driver_is_not_compared_with_strangers() {
        for milli in [1, 900, 4000] {
            assert_eq!(likely(Likeness::Different, milli, Lang::En), "different person");
            assert_eq!(likely_among(Likeness::Different, milli, Lang::Ru), "другой человек");
        }
        assert_eq!(likely(Likeness::Unsure, 4000, Lang::En), "unsure, look yourself");
        assert_eq!(likely_among(Likeness::Unsure, 4000, Lang::En), "unsure, look yourself (strangers as alike: 4)");
    }

    #[test]
    fn every_refusal_has_words_in_both_languages() {
        for code in RefusalCode::KNOWN {
            let (ru, en) = (refusal(code, Lang::Ru), refusal(code, Lang::En));
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)) && en.is_ascii() && !en.is_empty(), "{code:?}");
        }
    }

    #[test]
    fn the_language_follows_the_locale() {
        assert_eq!(lang_of("ru_RU.UTF-8"), Lang::Ru);
        assert_eq!(lang_of("C"), Lang::En);
    }
}
