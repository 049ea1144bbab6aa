//! Why something did not work, in Russian and in English: the closed codes of the API and the errors about keys.
//!
//! Every match is total, so a new code does not build without its words. Paths and figures are named; no personal data is.

use parkdesk_domain::RefusalCode;
use parkdesk_sqlcipher::dir::LockError;
use parkdesk_sqlcipher::recovery::RecoveryError;
use parkdesk_vision::limits::RejectionCode;

use super::{Lang, pick, refusal};
use crate::api::{Code, Problem};
use crate::installation::{DataFault, EnrolError, EnrolFault};
use crate::keys::ring::RingError;
use crate::keys::{KeySource, KeysError, Missing, NoKey, WRAPPED};

/// What an answer of the API says to people. In English that is its own sentence, which may name more.
#[must_use]
pub fn problem(problem: &Problem, lang: Lang) -> String {
    let detail = problem.detail.as_deref();
    match (lang, problem.code, detail) {
        (Lang::En, _, Some(detail)) => format!("{} [{detail}]", problem.message),
        (Lang::En, _, None) => problem.message.clone(),
        (Lang::Ru, Code::Refused, Some(code)) => {
            format!(
                "{}: {} [{code}]",
                self::code(Code::Refused, lang),
                refusal(&RefusalCode::from(code.to_owned()), lang)
            )
        }
        (Lang::Ru, Code::EnrolFailed, Some(code)) => {
            let why =
                EnrolFault::ALL.iter().find(|known| known.as_str() == code).map(|known| enrol_fault(*known, lang));
            format!("{} [{code}]", why.unwrap_or(self::code(Code::EnrolFailed, lang)))
        }
        (Lang::Ru, Code::Rejected, Some(code)) => {
            let why = REJECTIONS.iter().find(|known| known.as_str() == code).map(|known| rejection(*known, lang));
            format!("{} [{code}]", why.unwrap_or(self::code(Code::Rejected, lang)))
        }
        (Lang::Ru, code, Some(detail)) => format!("{} [{detail}]", self::code(code, lang)),
        (Lang::Ru, code, None) => self::code(code, lang).to_owned(),
    }
}

/// What a code of the API says to people.
#[must_use]
pub fn code(code: Code, lang: Lang) -> &'static str {
    match code {
        Code::BadRequest => pick(
            lang,
            "запрос не понят или значение поля невозможно: исправьте его и повторите",
            "the request cannot be read, or a field has an impossible value: correct it and try again",
        ),
        Code::NotFound => pick(
            lang,
            "на этом устройстве такого нет: проверьте номер",
            "there is no such thing on this appliance: check the id",
        ),
        Code::NotHere => pick(
            lang,
            "файла пока нет на этом устройстве: он придёт при следующем обмене с узлом",
            "this file is not on this appliance yet: it comes with the next exchange with the hub",
        ),
        Code::NotEnrolled => pick(
            lang,
            "устройство не подключено к узлу: выполните parkdesk-agent enrol с кодом от администратора",
            "this appliance belongs to no hub yet: run parkdesk-agent enrol with the code from the administrator",
        ),
        Code::NotSetUp => pick(
            lang,
            "данные этого устройства не открыты: подключите его к узлу (parkdesk-agent enrol) или верните ключ (recover)",
            "no data of this appliance is open: enrol it (parkdesk-agent enrol) or bring its key back (recover)",
        ),
        Code::EnrolFailed => pick(lang, "узел не подключил устройство", "the hub did not take the appliance in"),
        Code::WrongRecoveryCode => pick(
            lang,
            "этот код восстановления здесь ничего не открывает: проверьте каждую группу",
            "this recovery code opens nothing here: check every group",
        ),
        Code::SignedOut => pick(lang, "сначала войдите под своим именем", "a person must sign in first"),
        Code::WrongPassCode => {
            pick(lang, "неверный код входа: проверьте имя и код", "the pass code is wrong: check the name and the code")
        }
        Code::LockedOut => pick(
            lang,
            "слишком много неверных кодов входа: подождите и повторите",
            "too many wrong pass codes: wait and try again",
        ),
        Code::Superseded => {
            pick(lang, "более новый кадр занял место этого", "a newer live frame took the place of this one")
        }
        Code::Expired => pick(
            lang,
            "снимок не был сохранён вовремя: снимите ещё раз",
            "the shot was not saved in time: take it again",
        ),
        Code::Refused => pick(lang, "отклонено правилами", "refused by the rules"),
        Code::Rejected => pick(lang, "этот файл не принимается как фото", "this file is not taken as a photo"),
        Code::Quarantined => pick(
            lang,
            "этот снимок дважды остановил программу распознавания и больше не обрабатывается: снимите ещё раз",
            "this picture stopped the face program twice and is not tried again: take another one",
        ),
        Code::Busy => pick(
            lang,
            "сейчас слишком много работы: повторите через несколько секунд",
            "too much to do just now: try again in a few seconds",
        ),
        Code::Later => pick(
            lang,
            "сейчас это сделать нельзя, ничего не изменено: повторите позже",
            "it cannot be done now and nothing was changed: try again later",
        ),
        Code::DiskFull => pick(
            lang,
            "диск заполнен, ничего не изменено: освободите место и повторите",
            "the disk is full, nothing was changed: free some space and try again",
        ),
        Code::TooLarge => pick(
            lang,
            "запрос больше, чем принимается: уменьшите файл",
            "the request is larger than what is taken: make the file smaller",
        ),
        Code::Forbidden => pick(
            lang,
            "отсюда это не разрешено, или узел отозвал устройство: обратитесь к администратору",
            "this is not allowed from here, or the hub revoked this appliance: ask the administrator",
        ),
        Code::Unauthorized => pick(
            lang,
            "вход не выполнен: получите ссылку командой parkdesk-agent open",
            "not let in: get a link with parkdesk-agent open",
        ),
        Code::Internal => pick(
            lang,
            "сбой программы или диска: подробности в журнале (journalctl -u parkdesk-agent)",
            "a fault of this program or its disk: the log says more (journalctl -u parkdesk-agent)",
        ),
    }
}

const REJECTIONS: [RejectionCode; 8] = [
    RejectionCode::NotAnImage,
    RejectionCode::UnsupportedFormat,
    RejectionCode::TooManyBytes,
    RejectionCode::TooManyPixels,
    RejectionCode::TooSmall,
    RejectionCode::ManyFrames,
    RejectionCode::Truncated,
    RejectionCode::Broken,
];

/// Why a picture is not taken, without its figures.
fn rejection(code: RejectionCode, lang: Lang) -> &'static str {
    match code {
        RejectionCode::NotAnImage => pick(
            lang,
            "этот файл не снимок: нужна фотография в JPEG, PNG или WebP",
            "this file is no picture: a photo as JPEG, PNG or WebP is needed",
        ),
        RejectionCode::UnsupportedFormat => pick(
            lang,
            "этот формат не принимается: сохраните фото в JPEG, PNG или WebP",
            "this format is not taken: save the photo as JPEG, PNG or WebP",
        ),
        RejectionCode::TooManyBytes => pick(
            lang,
            "файл слишком большой: сохраните фото с меньшим качеством",
            "the file is too large: save the photo with a lower quality",
        ),
        RejectionCode::TooManyPixels => pick(
            lang,
            "в снимке слишком много пикселей: уменьшите его",
            "the picture has too many pixels: scale it down",
        ),
        RejectionCode::TooSmall => pick(
            lang,
            "снимок слишком мал: возьмите полный снимок с камеры",
            "the picture is too small: take the camera's full one",
        ),
        RejectionCode::ManyFrames => pick(
            lang,
            "это анимация, принимается один кадр: возьмите отдельный снимок",
            "this is an animation and one frame is taken: take a single picture",
        ),
        RejectionCode::Truncated => pick(
            lang,
            "файл обрывается раньше, чем кончается снимок: скопируйте его целиком",
            "the file ends before the picture does: copy it whole",
        ),
        RejectionCode::Broken => pick(
            lang,
            "файл повреждён: скопируйте его ещё раз или снимите заново",
            "the file is damaged: copy it again or take the photo again",
        ),
    }
}

/// Why there is no key. In English that is the error's own text.
#[must_use]
pub fn keys(error: &KeysError, lang: Lang) -> String {
    if lang == Lang::En {
        return error.to_string();
    }
    match error {
        KeysError::NoKey(no_key) => self::no_key(no_key),
        KeysError::NoKeyStore(error) => format!(
            "хранилище ключей не может сохранить ключ ({}). Данные остались бы без защиты, поэтому ничего не создано. Войдите \
             в рабочий стол с хранилищем ключей, либо укажите --key-file FILE, либо дайте службе учётные данные systemd с \
             именем parkdesk-key",
            ring(error)
        ),
        KeysError::Key(error) => error.in_russian(),
        KeysError::NotKept => {
            "хранилище ключей не сохранило ключ, ничего не создано: проверьте хранилище или укажите --key-file FILE".into()
        }
        KeysError::Recovery(error) => recovery(error).to_owned(),
        KeysError::NoWrappedCopy => {
            format!("в каталоге данных нет файла {WRAPPED}: код восстановления здесь не поможет")
        }
        KeysError::NoData(dir) => {
            format!("в каталоге {} нет данных: проверьте --data; ничего не создано", dir.display())
        }
        KeysError::OtherKey { dir, place } => format!(
            "ключ из {place} не открывает данные в {}: проверьте --data и --key-file; ничего не изменено, код \
             восстановления прежний",
            dir.display()
        ),
        KeysError::Unchecked { dir, why } => format!(
            "данные в {} не читаются, поэтому ключ не проверен и ничего не изменено: {why}",
            dir.display()
        ),
        KeysError::CredentialIsReadOnly => {
            "ключ приходит из учётных данных systemd: восстановить его может только администратор (systemd-creds encrypt)"
                .into()
        }
        KeysError::Io { path, cause } => format!("{}: {cause}", path.display()),
    }
}

/// What was found where a key should be.
#[must_use]
pub fn missing(why: &Missing, lang: Lang) -> String {
    match (lang, why) {
        (Lang::En, why) => why.to_string(),
        (Lang::Ru, Missing::Absent) => "ключа от этих данных там нет".into(),
        (Lang::Ru, Missing::Unreachable(error)) => ring(error),
    }
}

fn no_key(error: &NoKey) -> String {
    let dir = error.dir.display();
    let place = match &error.key_file {
        Some(file) => format!("--data {dir} --key-file {}", file.display()),
        None => format!("--data {dir}"),
    };
    let looked_in = match &error.looked_in {
        KeySource::File(path) => format!("файле ключа {}", path.display()),
        KeySource::Credential => "учётных данных systemd".into(),
        KeySource::Keyring => "хранилище ключей".into(),
    };
    let forgotten = match error.key_file {
        None => "Если они созданы с --key-file, добавьте его к команде. ",
        Some(_) => "",
    };
    let first = if error.has_wrapped_copy {
        format!("(1) ввести код восстановления: parkdesk-agent recover {place}")
    } else {
        format!("(1) код восстановления не поможет, потому что его файла {WRAPPED} нет")
    };
    format!(
        "Данные в {dir} закрыты: ключа нет в {looked_in}. Ничего не изменено. {forgotten}Есть три пути: {first}; (2) открыть \
         хранилище ключей (войти в рабочий стол заново) или вернуть файл ключа и запустить снова; (3) подключить устройство \
         заново рядом с прежними данными: parkdesk-agent enrol --beside-old {place} --hub URL --code CODE --name NAME"
    )
}

fn recovery(error: &RecoveryError) -> &'static str {
    match error {
        RecoveryError::Mistyped => "это не код восстановления: проверьте каждую группу",
        RecoveryError::OtherKey => "этот код восстановления от другой установки",
        RecoveryError::Damaged => "сохранённая копия ключа не читается: код здесь не поможет, верните файл ключа",
    }
}

fn ring(error: &RingError) -> String {
    match error {
        RingError::Absent(cause) => format!("хранилище ключей не отвечает: {cause}"),
        RingError::Locked(cause) => format!("хранилище ключей закрыто: {cause}"),
        RingError::Silent(seconds) => {
            format!("хранилище ключей не ответило за {seconds} с: найдите его окно и откройте его")
        }
        RingError::Failed(cause) => format!("сбой хранилища ключей: {cause}"),
    }
}

/// Why a data directory cannot be owned.
#[must_use]
pub fn lock(error: &LockError, lang: Lang) -> String {
    match (error, lang) {
        (LockError::AlreadyOwned(path), Lang::Ru) => {
            format!("каталог {} занят другим процессом: остановите агента и повторите", path.display())
        }
        (LockError::AlreadyOwned(path), Lang::En) => {
            format!("{} is in use by another process: stop the agent and try again", path.display())
        }
        (LockError::Io { path, cause }, Lang::Ru) => {
            format!("каталог {} нельзя использовать: {cause}", path.display())
        }
        (LockError::Io { path, cause }, Lang::En) => format!("{} cannot be used: {cause}", path.display()),
    }
}

/// Why the data does not open.
#[must_use]
pub fn data(fault: DataFault, lang: Lang) -> &'static str {
    match fault {
        DataFault::Newer => pick(
            lang,
            "данные записаны более новой программой и не изменены: обновите эту",
            "the data was written by a newer program and was not changed: update this one",
        ),
        DataFault::Damaged => pick(
            lang,
            "данные повреждены и не изменены: верните их из резервной копии или подключите устройство заново рядом с ними \
             (parkdesk-agent enrol --beside-old)",
            "the data is damaged and was not changed: put it back from a backup, or enrol anew beside it (parkdesk-agent enrol \
             --beside-old)",
        ),
        DataFault::Other => pick(
            lang,
            "данные не открываются и не изменены: проверьте место на диске, права и нет ли пропавших файлов",
            "the data does not open and was not changed: check the disk's space, permissions and missing files",
        ),
    }
}

/// Why there is no enrolment. In English that is the error's own text, which may name more.
#[must_use]
pub fn enrol(error: &EnrolError, lang: Lang) -> String {
    match lang {
        Lang::En => error.message.clone(),
        Lang::Ru => match error.why {
            // What the system said comes in its own words.
            EnrolFault::Data | EnrolFault::Tls => format!("{} ({})", enrol_fault(error.why, lang), error.message),
            EnrolFault::WrongCode
            | EnrolFault::TooManyTries
            | EnrolFault::Unreachable
            | EnrolFault::NotAHub
            | EnrolFault::AlreadyEnrolled
            | EnrolFault::Name
            | EnrolFault::Key => enrol_fault(error.why, lang).to_owned(),
        },
    }
}

/// What hindered an enrolment.
#[must_use]
pub fn enrol_fault(fault: EnrolFault, lang: Lang) -> &'static str {
    match fault {
        EnrolFault::WrongCode => pick(
            lang,
            "узел не принимает этот код: он введён с ошибкой, использован или истёк; попросите у администратора узла новый",
            "the hub does not take this code: it is mistyped, used or expired; ask the hub's administrator for a new one",
        ),
        EnrolFault::TooManyTries => pick(
            lang,
            "узел занят, или было слишком много неверных кодов: повторите через минуту",
            "the hub has too much to do, or too many wrong codes were tried: try again in a minute",
        ),
        EnrolFault::Unreachable => pick(
            lang,
            "узел не отвечает или у него сбой: проверьте адрес и сеть и повторите (код не израсходован)",
            "the hub does not answer or failed: check the address and the network, then try again (the code is not used up)",
        ),
        EnrolFault::NotAHub => pick(
            lang,
            "по этому адресу отвечает не узел Parkdesk или узел другой версии: проверьте адрес, войдите в сеть, обновите \
             программу",
            "what answers at this address is no Parkdesk hub, or one of another version: check the address, log in to the \
             network, update the program",
        ),
        EnrolFault::Tls => pick(
            lang,
            "соединение с этим адресом не защищено или сертификату нет доверия: нужен https, верная дата на этом компьютере и \
             сертификат удостоверяющего центра узла (--ca)",
            "the connection to this address is not safe or its certificate is not trusted: use https, check this computer's \
             date, or give the hub's certificate authority (--ca)",
        ),
        EnrolFault::AlreadyEnrolled => pick(
            lang,
            "эти данные уже принадлежат узлу, ничего не изменено. Чтобы начать заново и сохранить прежние данные рядом, \
             добавьте к той же команде --beside-old",
            "this data already belongs to a hub, nothing was changed. To begin anew and keep the old data beside, add \
             --beside-old to the same command",
        ),
        EnrolFault::Name => pick(
            lang,
            "имя устройства (--name) пустое или длиннее 100 знаков; ничего не изменено",
            "the name (--name) is empty or longer than 100 characters; nothing was changed",
        ),
        EnrolFault::Key => pick(
            lang,
            "ключ данных не найден, не подходит или его негде хранить; ничего не изменено. Войдите в рабочий стол с хранилищем \
             ключей, верните файл ключа (--key-file) или введите код восстановления: parkdesk-agent recover",
            "the data's key was not found, does not fit, or cannot be kept; nothing was changed. Sign in to a desktop with a \
             keyring, put the key file back (--key-file), or enter the recovery code: parkdesk-agent recover",
        ),
        EnrolFault::Data => pick(
            lang,
            "данные не читаются или не записываются: проверьте место на диске и права и повторите (код не израсходован)",
            "the data cannot be read or written: check the disk's space and permissions, then try again (the code is not \
             used up)",
        ),
    }
}

#[cfg(test)]
mod tests;
