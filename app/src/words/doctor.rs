//! What the doctor looks at, and what to do about what it finds.

use parkdesk_sqlite::Check;

use super::{Lang, pick};

/// What is looked at.
#[must_use]
pub fn check(check: Check, lang: Lang) -> &'static str {
    match check {
        Check::Pages => pick(lang, "страницы файла данных", "pages of the data file"),
        Check::RowHashes => pick(lang, "записи и их контрольные суммы", "rows and their hashes"),
        Check::Cursors => pick(lang, "до какого места получены данные узла", "how far the hub's data was fetched"),
        Check::Queue => pick(lang, "очередь на отправку", "the queue of what is to be sent"),
        Check::Shadows => pick(lang, "копии узла под изменёнными записями", "the hub's rows under changed ones"),
        Check::Unsent => pick(lang, "файлы, которые ещё не отправлены", "files that were not sent yet"),
        Check::Files => pick(lang, "файлы на диске", "files on the disk"),
        Check::Keys => pick(lang, "ключи к файлам и шаблонам лиц", "keys of files and face templates"),
        Check::Typed => pick(lang, "таблицы для поиска и списков", "tables of search and lists"),
        Check::Plans => pick(lang, "изменения, которые ждут отправки", "changes that wait to be sent"),
    }
}

/// What to do about its faults.
#[must_use]
pub fn advice(check: Check, lang: Lang) -> &'static str {
    match check {
        Check::Pages => pick(
            lang,
            "файл данных повреждён: проверьте диск и верните данные из резервной копии, неотправленное спасёт parkdesk-agent enrol \
             --beside-old",
            "the data file is damaged: check the disk and put a backup in place; parkdesk-agent enrol --beside-old saves what was \
             not sent",
        ),
        Check::RowHashes | Check::Cursors => pick(
            lang,
            "часть данных узла здесь неверна: подключите устройство заново рядом с прежними данными (parkdesk-agent enrol \
             --beside-old) и пришлите отчёт",
            "some of the hub's data is wrong here: enrol anew beside the old data (parkdesk-agent enrol --beside-old) and send the \
             report",
        ),
        Check::Queue | Check::Shadows | Check::Plans => pick(
            lang,
            "очередь не сходится: ничего не удаляйте, сделайте копию каталога данных и пришлите отчёт",
            "the queue does not add up: delete nothing, copy the data directory and send the report",
        ),
        Check::Unsent => pick(
            lang,
            "файлы пропали до отправки: верните их из копии каталога данных или переснимите",
            "files were lost before they were sent: put them back from a copy of the data directory, or take the photos again",
        ),
        Check::Files => pick(
            lang,
            "файлы пропали или повреждены: проверьте диск; то, что есть на узле, сохранно там",
            "files are lost or damaged: check the disk; what the hub has is safe there",
        ),
        Check::Keys => pick(
            lang,
            "без ключа эти файлы не открыть: верните keys.db из копии каталога данных",
            "nothing opens these files without a key: put keys.db back from a copy of the data directory",
        ),
        Check::Typed => pick(
            lang,
            "списки и поиск могут врать: обновите программу, она построит их заново, и пришлите отчёт",
            "lists and search may be wrong: update the program, which makes them anew, and send the report",
        ),
    }
}

/// The clock.
#[must_use]
pub fn clock(lang: Lang) -> &'static str {
    pick(lang, "часы устройства", "the appliance's clock")
}

/// What to do about a clock that is off.
#[must_use]
pub fn clock_advice(lang: Lang) -> &'static str {
    pick(
        lang,
        "часы расходятся с узлом больше чем на 2 минуты: включите синхронизацию времени (время снимков неверно)",
        "the clock is more than 2 minutes off the hub's: turn on time synchronisation (times of photos are wrong)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_named_and_advised_in_both_languages() {
        for check_ in Check::ALL.iter().copied() {
            for text in [check(check_, Lang::Ru), advice(check_, Lang::Ru)] {
                assert!(text.chars().any(|c| ('а'..='я').contains(&c)), "{text}");
            }
            assert!(check(check_, Lang::En).is_ascii() && advice(check_, Lang::En).is_ascii());
        }
    }
}
