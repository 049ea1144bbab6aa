//! What the window itself says: tray, notifications, dialogs. The page has its own texts.

use parkdesk_app::words::Lang;

/// Menu entries and sentences of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Say {
    Open,
    Now,
    Pause,
    Resume,
    Quit,
    NotSetUp,
    Unreachable,
    Online,
    Offline,
    Paused,
    Revoked,
    Starting,
    StillHere,
}

/// The text.
pub(crate) fn text(lang: Lang, what: Say) -> &'static str {
    let (ru, en) = match what {
        Say::Open => ("Открыть Parkdesk", "Open Parkdesk"),
        Say::Now => ("Отправить сейчас", "Sync now"),
        Say::Pause => ("Приостановить отправку", "Pause syncing"),
        Say::Resume => ("Возобновить отправку", "Resume syncing"),
        Say::Quit => ("Выйти", "Quit"),
        Say::NotSetUp => ("Ещё не настроено", "Not set up yet"),
        Say::Unreachable => ("Запускается…", "Starting…"),
        Say::Online => ("На связи", "Online"),
        Say::Offline => ("Нет связи, работаем здесь", "Offline, working on this computer"),
        Say::Paused => ("Отправка приостановлена", "Syncing is paused"),
        Say::Revoked => ("Доступ отозван: обратитесь к администратору", "Access revoked: ask the administrator"),
        Say::Starting => ("Подключение…", "Connecting…"),
        Say::StillHere => (
            "Parkdesk продолжает работать: фото принимаются и отправляются. Открыть и выйти можно через значок.",
            "Parkdesk keeps working: photos are taken and sent. Open it or quit from the icon.",
        ),
    };
    match lang {
        Lang::Ru => ru,
        Lang::En => en,
    }
}

/// `2 записи требуют внимания`.
pub(crate) fn need_attention(lang: Lang, count: u64) -> String {
    match lang {
        Lang::En if count == 1 => "1 record needs attention".into(),
        Lang::En => format!("{count} records need attention"),
        Lang::Ru => {
            let phrase = match (count % 10, count % 100) {
                (_, 11..=14) => "записей требуют внимания",
                (1, _) => "запись требует внимания",
                (2..=4, _) => "записи требуют внимания",
                _ => "записей требуют внимания",
            };
            format!("{count} {phrase}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_counts_have_their_forms() {
        let cases = [
            (1, "1 запись требует внимания"),
            (2, "2 записи требуют внимания"),
            (5, "5 записей требуют внимания"),
            (11, "11 записей требуют внимания"),
            (21, "21 запись требует внимания"),
            (114, "114 записей требуют внимания"),
        ];
        for (count, expected) in cases {
            assert_eq!(need_attention(Lang::Ru, count), expected);
        }
        assert_eq!(need_attention(Lang::En, 1), "1 record needs attention");
        assert_eq!(need_attention(Lang::En, 3), "3 records need attention");
    }
}
