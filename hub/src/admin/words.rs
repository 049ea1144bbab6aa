//! What the administrator reads, in Russian and in English: what happened, what it means, what to do next. All texts of the
//! command line are here; `--json` prints the answer itself instead.

use parkdesk_domain::refusal::Offer;
use parkdesk_domain::{Millis, Refusal, RefusalCode};

mod start;

use super::import::{COLUMNS, LineError};
use super::{CodeView, Did, Problem};
use crate::store::DeviceView;

pub use self::start::{serve, start};

/// The reader's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Lang {
    /// The language of a locale name like `ru_RU.UTF-8`; anything but Russian is English.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ru") { Self::Ru } else { Self::En }
    }

    /// The text in this language.
    #[must_use]
    pub fn pick<'a>(self, ru: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ru => ru,
            Self::En => en,
        }
    }
}

/// A time of the day, UTC.
fn clock(at: Millis) -> String {
    let minutes = at.0.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// A one-time code and what to do with it.
#[must_use]
pub fn code(view: &CodeView, lang: Lang) -> String {
    let CodeView { code, expires_at_ms, role, park } = view;
    let (until, role) = (clock(*expires_at_ms), role.as_str());
    match lang {
        Lang::Ru => format!(
            "{code}\n\nКод подключает одно устройство к парку {park} с ролью {role}. Он действует один раз, до {until}.\n\
             Введите его на странице подключения устройства или выполните на нём:\n  \
             parkdesk-agent enrol --data КАТАЛОГ --hub АДРЕС_ЭТОГО_УЗЛА --code {code} --name \"Имя для людей\"\n\
             Если код не успели ввести, создайте новый той же командой.\n"
        ),
        Lang::En => format!(
            "{code}\n\nThe code enrols one appliance in the park {park} with the role {role}. It is good once, until {until}.\n\
             Type it on the appliance's set-up page, or run there:\n  \
             parkdesk-agent enrol --data DIR --hub ADDRESS_OF_THIS_HUB --code {code} --name \"A name for people\"\n\
             If it runs out, make a new one with the same command.\n"
        ),
    }
}

/// An appliance that may no longer come.
#[must_use]
pub fn revoked(device: &DeviceView, lang: Lang) -> String {
    let DeviceView { id, name, .. } = device;
    match lang {
        Lang::Ru => format!(
            "Устройство «{name}» ({id}) отозвано. Узел больше ничего от него не принимает и ничего ему не отдаёт.\n\
             При следующем выходе на связь оно заблокируется и скажет об этом. Что оно не успело отправить, остаётся на нём.\n\
             Вернуть его: создайте код (parkdesk-hub admin enrol-code) и выполните на нём parkdesk-agent enrol с этим кодом и --again:\n\
             его данные сохранятся.\n\
             Если устройство украдено, смените коды доступа сотрудников: parkdesk-hub admin person set-pass-code.\n"
        ),
        Lang::En => format!(
            "The appliance \"{name}\" ({id}) is revoked. The hub takes nothing from it and gives it nothing any more.\n\
             At its next contact it locks itself and says so. What it had not sent yet stays on it.\n\
             To let it come again: make a code (parkdesk-hub admin enrol-code) and run parkdesk-agent enrol there with it and --again:\n\
             its data is kept.\n\
             If it was stolen, change the pass codes of the people who used it: parkdesk-hub admin person set-pass-code.\n"
        ),
    }
}

/// What was done.
#[must_use]
pub fn did(what: Did, count: u64, lang: Lang) -> String {
    let text = match what {
        Did::FacesSet => lang.pick(
            "Готово: устройства узнают об этом при следующей связи.",
            "Done: appliances learn of it at their next contact.",
        ),
        Did::PassCodeSet => lang.pick(
            "Готово: новый код действует на устройствах парка после их следующей связи с узлом.",
            "Done: the new code holds on the park's appliances after their next contact with the hub.",
        ),
        Did::PersonRemoved => lang.pick(
            "Готово: команды этого человека узел больше не принимает, войти он не сможет после следующей связи устройства.",
            "Done: the hub takes this person's commands no more, and desks let them in no more after their next contact.",
        ),
        Did::EpochBegun => {
            return match lang {
                Lang::Ru => format!("Готово: устройства сверят с узлом {count} областей данных при следующей связи.\n"),
                Lang::En => format!("Done: appliances will compare {count} scopes with the hub at their next contact.\n"),
            };
        }
        Did::Reindexed => {
            return match lang {
                Lang::Ru => format!("Готово: указатели построены заново по {count} записям.\n"),
                Lang::En => format!("Done: the look-up tables were made anew from {count} rows.\n"),
            };
        }
    };
    format!("{text}\n")
}

/// A new person.
#[must_use]
pub fn person_added(id: &str, login: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => {
            format!("{id}\nЧеловек может войти под логином {login} на устройствах парка после их следующей связи.\n")
        }
        Lang::En => {
            format!(
                "{id}\nThey can sign in as {login} at the park's appliances after these were in contact with the hub.\n"
            )
        }
    }
}

/// What could not be done.
#[must_use]
pub fn problem(problem: &Problem, lang: Lang) -> String {
    match (problem, lang) {
        (Problem::NoRole { role }, Lang::Ru) => format!(
            "Роли {role:?} нет. Выберите одну из: field, photo_staff, operator, senior, moderator, reviewer, admin.\n"
        ),
        (Problem::NoRole { role }, Lang::En) => format!(
            "There is no role {role:?}: use one of field, photo_staff, operator, senior, moderator, reviewer, admin.\n"
        ),
        (Problem::BadMinutes { most }, Lang::Ru) => format!("Код живёт от 1 до {most} минут: исправьте --minutes.\n"),
        (Problem::BadMinutes { most }, Lang::En) => format!("A code lives 1 to {most} minutes: correct --minutes.\n"),
        (Problem::NoPark { park }, Lang::Ru) => {
            format!("Парка {park} нет. Список парков: parkdesk-hub admin park list.\n")
        }
        (Problem::NoPark { park }, Lang::En) => format!("There is no park {park}: see parkdesk-hub admin park list.\n"),
        (Problem::NoDevice { device }, Lang::Ru) => {
            format!("Устройства {device} нет. Список устройств: parkdesk-hub admin device list.\n")
        }
        (Problem::NoDevice { device }, Lang::En) => {
            format!("There is no appliance {device}: see parkdesk-hub admin device list.\n")
        }
        (Problem::NoArea { area }, Lang::Ru) => {
            format!("Области {area:?} нет. Выберите из: directory, fleet, staff, photos, faces, chats.\n")
        }
        (Problem::NoArea { area }, Lang::En) => {
            format!("There is no area {area:?}: use directory, fleet, staff, photos, faces, chats.\n")
        }
        (Problem::Broken { cause }, Lang::Ru) => {
            format!("Не получилось, ничего не изменено: {cause}. Подробности в журнале узла.\n")
        }
        (Problem::Broken { cause }, Lang::En) => {
            format!("It failed and nothing was changed: {cause}. The hub's log says more.\n")
        }
    }
}

/// Why the rules refused it, and what to do.
#[must_use]
pub fn refusal(refusal: &Refusal, lang: Lang) -> String {
    let offer = refusal.offer.as_ref().map(|Offer { id, .. }| id.as_str()).unwrap_or_default();
    let field = refusal.field.as_deref().unwrap_or_default();
    let text = match (&refusal.code, lang) {
        (RefusalCode::Invalid, Lang::Ru) => format!("Значение поля {field} не подходит: исправьте его и повторите."),
        (RefusalCode::Invalid, Lang::En) => format!("The value of {field} cannot be taken: correct it and try again."),
        (RefusalCode::Exists, Lang::Ru) => "Это уже есть: выберите другой номер или не указывайте его.".into(),
        (RefusalCode::Exists, Lang::En) => "It exists already: choose another id, or leave it out.".into(),
        (RefusalCode::LoginTaken, Lang::Ru) => format!("Этот логин уже у человека {offer}: выберите другой."),
        (RefusalCode::LoginTaken, Lang::En) => format!("The person {offer} has this login already: choose another."),
        (RefusalCode::LicenceTaken, Lang::Ru) => format!("Это удостоверение уже у водителя {offer}."),
        (RefusalCode::LicenceTaken, Lang::En) => format!("The driver {offer} has this licence already."),
        (RefusalCode::UnknownPark, Lang::Ru) => "Такого парка нет: parkdesk-hub admin park list.".into(),
        (RefusalCode::UnknownPark, Lang::En) => "There is no such park: see parkdesk-hub admin park list.".into(),
        (RefusalCode::UnknownPerson, Lang::Ru) => {
            "Такого человека в парке нет (или он удалён): parkdesk-hub admin person list --park ПАРК.".into()
        }
        (RefusalCode::UnknownPerson, Lang::En) => {
            "There is no such person in the park (any more): see parkdesk-hub admin person list --park PARK.".into()
        }
        (RefusalCode::ParkReadOnly, Lang::Ru) => "Парк отражает другую систему: измените это там.".into(),
        (RefusalCode::ParkReadOnly, Lang::En) => "The park mirrors another system: change it there.".into(),
        (
            RefusalCode::NotAllowed
            | RefusalCode::UnknownDriver
            | RefusalCode::UnknownPhoto
            | RefusalCode::PhotoJudged
            | RefusalCode::UnknownDecision
            | RefusalCode::Conflict
            | RefusalCode::IdReused
            | RefusalCode::UnknownCommand
            | RefusalCode::TooWide
            | RefusalCode::Other(_),
            Lang::Ru,
        ) => format!("Отказано по правилам ({} {field}): ничего не изменено.", refusal.code.as_str()),
        (_, Lang::En) => format!("The rules refuse it ({} {field}): nothing was changed.", refusal.code.as_str()),
    };
    format!("{text}\n")
}

/// A line of a file of drivers that was not taken, and what to do about it.
#[must_use]
pub fn line(error: &LineError, lang: Lang) -> String {
    let LineError { line, code, field, detail } = error;
    let field = field.as_deref().map(|field| format!(" ({field})")).unwrap_or_default();
    let advice = line_advice(code, detail.as_deref(), lang);
    match lang {
        Lang::Ru => format!("строка {line}: {code}{field}: {advice}"),
        Lang::En => format!("line {line}: {code}{field}: {advice}"),
    }
}

fn line_advice(code: &str, detail: Option<&str>, lang: Lang) -> String {
    let taken = |ru: &str, en: &str| match (detail, lang) {
        (Some(driver), Lang::Ru) => format!("{ru} (водитель {driver}): исправьте строку или уберите её"),
        (Some(driver), Lang::En) => format!("{en} (driver {driver}): correct the line or remove it"),
        (None, Lang::Ru) => format!("{ru}: исправьте строку или уберите её"),
        (None, Lang::En) => format!("{en}: correct the line or remove it"),
    };
    let text = match code {
        "bad_header" => match lang {
            Lang::Ru => return format!("заголовок не читается ({})", detail.unwrap_or_default()),
            Lang::En => return format!("the header cannot be read ({})", detail.unwrap_or_default()),
        },
        "missing_column" => match lang {
            Lang::Ru => return format!("добавьте столбец; заголовок: {}", COLUMNS.join(",")),
            Lang::En => return format!("add the column; the header is {}", COLUMNS.join(",")),
        },
        "too_many_fields" => lang.pick(
            "полей больше, чем в заголовке: возьмите в кавычки поля с разделителем",
            "the line has more fields than the header: quote fields that hold the separator",
        ),
        "unreadable" => lang.pick(
            "сохраните файл как CSV в UTF-8, с парными кавычками",
            "save the file as CSV in UTF-8 with balanced quotes",
        ),
        "unstorable" => lang.pick("уберите знаки, которые нельзя хранить", "remove characters that cannot be stored"),
        "deferred" => lang.pick("загрузите файл ещё раз позже", "import the file again later"),
        "invalid" => {
            lang.pick("исправьте поле и загрузите файл ещё раз", "correct the field and import the file again")
        }
        "exists" => lang.pick(
            "водитель с этим номером уже есть с другими данными: измените его в парке",
            "a driver with this id is there with other values: edit it in the office instead",
        ),
        "licence_taken" => return taken("это удостоверение уже у другого", "another one has this licence"),
        "unknown_park" => lang.pick(
            "сначала создайте парк: parkdesk-hub admin park create",
            "create the park first: parkdesk-hub admin park create",
        ),
        "park_read_only" => lang.pick(
            "парк отражает другую систему: загрузите водителей там",
            "the park is a mirror of another system: import there",
        ),
        _ => lang.pick("исправьте строку и загрузите файл ещё раз", "correct the line and import the file again"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use parkdesk_domain::refusal::Remedy;
    use parkdesk_domain::rights::Role;

    use super::*;

    #[test]
    fn every_text_is_there_in_both_languages_and_says_what_next() {
        let code = CodeView {
            code: "AAAA-BBBB-CCCC".into(),
            expires_at_ms: Millis(45_240_000),
            role: Role::Field,
            park: "p1".parse().unwrap(),
        };
        let (ru, en) = (super::code(&code, Lang::Ru), super::code(&code, Lang::En));
        assert!(ru.contains("до 12:34 UTC") && ru.contains("parkdesk-agent enrol"), "{ru}");
        assert!(en.starts_with("AAAA-BBBB-CCCC\n") && en.contains("until 12:34 UTC"), "{en}");
        let device = DeviceView {
            id: "d1".parse().unwrap(),
            name: "Касса".into(),
            enrolled_at_ms: Millis(1),
            revoked_at_ms: Some(Millis(2)),
            grants: vec![],
        };
        for lang in [Lang::Ru, Lang::En] {
            let text = revoked(&device, lang);
            assert!(text.contains("Касса") && text.contains("enrol-code"), "{text}");
        }
    }

    #[test]
    fn every_refusal_says_something_in_both_languages() {
        for code in RefusalCode::KNOWN {
            let refused = Refusal::new(code.clone(), Remedy::Discard);
            let (ru, en) = (refusal(&refused, Lang::Ru), refusal(&refused, Lang::En));
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)) && en.is_ascii(), "{code:?}: {ru} {en}");
        }
    }

    #[test]
    fn every_bad_line_is_told_in_both_languages() {
        let codes = ["bad_header", "missing_column", "too_many_fields", "unreadable", "unstorable", "deferred"];
        for code in codes.into_iter().chain(RefusalCode::KNOWN.iter().map(RefusalCode::as_str)) {
            let error = LineError { line: 7, code: code.into(), field: None, detail: Some("v1".into()) };
            let (ru, en) = (line(&error, Lang::Ru), line(&error, Lang::En));
            assert!(ru.starts_with("строка 7: ") && en.starts_with("line 7: ") && en.is_ascii(), "{ru} {en}");
        }
        let taken = LineError { line: 5, code: "licence_taken".into(), field: None, detail: Some("v1".into()) };
        assert!(line(&taken, Lang::Ru).contains("водитель v1"));
    }

    #[test]
    fn the_language_follows_the_locale() {
        assert_eq!((Lang::of_locale("ru_RU.UTF-8"), Lang::of_locale("C")), (Lang::Ru, Lang::En));
    }
}
