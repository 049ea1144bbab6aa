//! Answers in words, in Russian or English, lined up for the eye. Programs use `--json`.

use parkdesk_app::attention::{AttentionView, ConflictView};
use parkdesk_app::capture::Taken;
use parkdesk_app::drivers::DriverHitView;
use parkdesk_app::matching::{Likely, Likeness};
use parkdesk_app::photos::{FindingView, PhotoView, RecordState};
use parkdesk_app::status::{FacesView, Status};
use parkdesk_app::sync::{WatchState, WatchStatus};
use parkdesk_app::tray::{NoOffers, Offers, TrayView};
use parkdesk_app::words::{self, Lang};
use parkdesk_domain::Millis;

use super::table::{pairs, table};

fn pick(lang: Lang, ru: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Ru => ru,
        Lang::En => en,
    }
}

/// How long ago, in the largest whole unit.
fn ago(ms: i64, lang: Lang) -> String {
    let seconds = ms.max(0) / 1000;
    let (count, ru, en) = match seconds {
        0..60 => (seconds, "с", "s"),
        60..3600 => (seconds / 60, "мин", "min"),
        3600..86_400 => (seconds / 3600, "ч", "h"),
        _ => (seconds / 86_400, "дн.", "d"),
    };
    match lang {
        Lang::Ru => format!("{count} {ru} назад"),
        Lang::En => format!("{count} {en} ago"),
    }
}

pub(super) fn status(status: &Status, now: Millis, lang: Lang) -> String {
    let since = |at: Millis| ago(now.0.saturating_sub(at.0), lang);
    let none = || "—".to_owned();
    let device = status.device.as_ref().map_or_else(none, ToString::to_string);
    let parks: Vec<&str> = status.parks.iter().map(|park| park.name.as_str()).collect();
    let photos = status.photos;
    let (total, pending, bytes, uploaded) = (photos.total, photos.pending, photos.waiting_for_bytes, photos.uploaded);
    let photos = match lang {
        Lang::Ru => format!("{total} (ждут узла {pending}, файлы в пути {bytes}, на узле {uploaded})"),
        Lang::En => format!("{total} ({pending} wait for the hub, files of {bytes} under way, {uploaded} uploaded)"),
    };
    let queue = match (status.queue.oldest_at_ms, lang) {
        (None, _) => pick(lang, "пусто", "empty").to_owned(),
        (Some(at), Lang::Ru) => {
            format!("команд {}, файлов {}, старейшая {}", status.queue.commands, status.queue.files, since(at))
        }
        (Some(at), Lang::En) => {
            format!("commands {}, files {}, oldest {}", status.queue.commands, status.queue.files, since(at))
        }
    };
    let mut rows = vec![
        (pick(lang, "Устройство", "Device"), device),
        (pick(lang, "Парки", "Parks"), if parks.is_empty() { none() } else { parks.join(", ") }),
        (pick(lang, "Связь", "Link"), words::link(status.link.state, lang).to_owned()),
        (pick(lang, "Последний ответ", "Last contact"), status.link.last_contact_at_ms.map_or_else(none, since)),
        (pick(lang, "Очередь", "Queue"), queue),
        (pick(lang, "Фото", "Photos"), photos),
        (pick(lang, "Без водителя", "Unassigned"), status.unassigned.to_string()),
        (pick(lang, "Требуют решения", "Needs attention"), status.needs_attention.to_string()),
        (pick(lang, "Программа лиц", "Face program"), faces(&status.faces, lang)),
        (pick(lang, "Папка", "Folder"), status.watch.as_ref().map_or_else(none, |folder| watch(folder, lang))),
    ];
    if let Some(problem) = &status.link.last_problem {
        rows.push((pick(lang, "Сбой связи", "Link problem"), problem.message.clone()));
    }
    if let Some(problem) = status.watch.as_ref().and_then(|folder| folder.problem.clone()) {
        rows.push((pick(lang, "Сбой папки", "Folder problem"), problem));
    }
    pairs(&rows)
}

fn faces(faces: &FacesView, lang: Lang) -> String {
    if let Some(why) = &faces.problem {
        return match lang {
            Lang::Ru => format!("не запускается: {why}"),
            Lang::En => format!("does not run: {why}"),
        };
    }
    let state = if faces.running {
        pick(lang, "работает", "running")
    } else {
        pick(lang, "запустится с первым фото", "starts with the first photo")
    };
    match lang {
        Lang::Ru => format!("{state}, перезапусков {}, отложено фото {}", faces.restarts, faces.quarantined),
        Lang::En => format!("{state}, restarts {}, pictures kept aside {}", faces.restarts, faces.quarantined),
    }
}

fn watch(watch: &WatchStatus, lang: Lang) -> String {
    let state = match watch.state {
        WatchState::Watching => pick(lang, "просматривается", "watched"),
        WatchState::Missing => pick(lang, "папка не найдена", "not there"),
        WatchState::Blocked => pick(lang, "нет доступа", "no access"),
    };
    let WatchStatus { folder, waiting, taken, rejected, .. } = watch;
    match lang {
        Lang::Ru => format!("{folder}: {state}, ждут {waiting}, взято {taken}, отклонено {rejected}"),
        Lang::En => format!("{folder}: {state}, {waiting} waiting, {taken} taken, {rejected} rejected"),
    }
}

fn state(state: RecordState, lang: Lang) -> &'static str {
    match state {
        RecordState::Saved => pick(lang, "сохранено здесь", "saved here"),
        RecordState::Sent => pick(lang, "отправлено", "sent"),
        RecordState::Accepted => pick(lang, "принято", "accepted"),
        RecordState::Refused => pick(lang, "отклонено", "refused"),
        RecordState::Conflict => pick(lang, "конфликт", "conflict"),
    }
}

fn advice(findings: &[FindingView], lang: Lang) -> String {
    let one = |finding: &FindingView| {
        let text = match lang {
            Lang::Ru => &finding.advice_ru,
            Lang::En => &finding.advice_en,
        };
        if finding.level == "fail" { format!("{text}!") } else { text.clone() }
    };
    match findings {
        [] => pick(lang, "хорошо", "good").to_owned(),
        some => some.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

pub(super) fn photos(photos: &[PhotoView], lang: Lang) -> String {
    let heading = match lang {
        Lang::Ru => ["фото", "файл", "водитель", "как найден", "портрет", "состояние", "раннее фото", "качество"],
        Lang::En => ["photo", "file", "driver", "found", "portrait", "state", "earlier photo", "quality"],
    };
    let dash = || "—".to_owned();
    let rows: Vec<Vec<String>> = photos
        .iter()
        .map(|photo| {
            let nearest =
                photo.nearest.as_ref().map(|n| words::likely(n.likely.verdict, n.likely.false_matches_milli, lang));
            vec![
                photo.id.to_string(),
                photo.file_name.clone().unwrap_or_else(dash),
                photo.driver_name.clone().unwrap_or_else(|| photo.driver.to_string()),
                photo.assigned_by.map_or_else(dash, |how| words::assigned_by(how, lang).to_owned()),
                photo.portrait_size.map_or_else(dash, |size| format!("{}x{}", size.width, size.height)),
                state(photo.state, lang).to_owned(),
                nearest.unwrap_or_else(dash),
                advice(&photo.findings, lang),
            ]
        })
        .collect();
    table(
        &heading,
        &rows,
        pick(lang, "Фото пока нет: положите снимки в папку.", "No photos yet: put pictures into the folder."),
    )
}

pub(super) fn drivers(drivers: &[DriverHitView], lang: Lang) -> String {
    let heading = match lang {
        Lang::Ru => ["водитель", "имя", "номер", "телефон", "фото"],
        Lang::En => ["driver", "name", "plate", "phone", "photo"],
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
    let rows: Vec<Vec<String>> = drivers
        .iter()
        .map(|d| vec![d.id.to_string(), d.name.clone(), text(&d.plate), text(&d.phone), text(&d.photo_status)])
        .collect();
    table(&heading, &rows, pick(lang, "Никого не найдено.", "Nobody was found."))
}

pub(super) fn tray(tray: &[TrayView], lang: Lang) -> String {
    let heading = match lang {
        Lang::Ru => ["снимок", "файл", "почему ждёт", "качество"],
        Lang::En => ["picture", "file", "why it waits", "quality"],
    };
    let rows: Vec<Vec<String>> = tray
        .iter()
        .map(|entry| {
            let why = words::tray_reason(entry.reason, lang).to_owned();
            vec![entry.id.to_string(), entry.file_name.clone(), why, advice(&entry.findings, lang)]
        })
        .collect();
    table(&heading, &rows, pick(lang, "Все снимки разобраны.", "Every picture has its driver."))
}

pub(super) fn offers(offers: &Offers, lang: Lang) -> String {
    let heading = match lang {
        Lang::Ru => ["водитель", "имя", "похожесть"],
        Lang::En => ["driver", "name", "likeness"],
    };
    let rows: Vec<Vec<String>> = offers
        .offers
        .iter()
        .map(|offer| {
            let likely = words::likely_among(offer.likely.verdict, offer.likely.false_matches_milli, lang);
            vec![offer.driver.to_string(), offer.driver_name.clone().unwrap_or_else(|| "—".to_owned()), likely]
        })
        .collect();
    let empty = match offers.none_because {
        Some(NoOffers::SearchIsOff) => {
            pick(lang, "Поиск по лицам в парке выключен.", "The park does not let faces be searched.")
        }
        Some(NoOffers::NoFace) => pick(lang, "На снимке нет лица.", "The picture has no face."),
        Some(NoOffers::NobodyAlike) => pick(lang, "Никто из известных не похож.", "Nobody who is known looks alike."),
        Some(NoOffers::NobodyKnown) | None => {
            pick(lang, "Сравнивать пока не с кем.", "There is nobody to compare with yet.")
        }
    };
    table(&heading, &rows, empty)
}

pub(super) fn taken(taken: &Taken, lang: Lang) -> String {
    match (taken, lang) {
        (Taken::Captured { photo, driver, findings, nearest, .. }, _) => {
            let mut text = match lang {
                Lang::Ru => format!("Фото {photo} водителя {driver} сохранено.\n"),
                Lang::En => format!("The photo {photo} of the driver {driver} is saved.\n"),
            };
            if let Some(nearest) = nearest {
                let Likely { verdict, false_matches_milli, .. } = nearest.likely;
                let compared = pick(lang, "Рядом с прежним фото водителя", "Beside the driver's earlier photo");
                text.push_str(&format!("{compared}: {}.\n", words::likely(verdict, false_matches_milli, lang)));
                if verdict == Likeness::Different {
                    text.push_str(pick(
                        lang,
                        "Проверьте, тот ли это водитель!\n",
                        "Check whether this is the right driver!\n",
                    ));
                }
            }
            if !findings.is_empty() {
                let quality = pick(lang, "Качество", "Quality");
                text.push_str(&format!("{quality}: {}\n", advice(findings, lang)));
            }
            text
        }
        (Taken::Tray { entry, reason }, Lang::Ru) => {
            format!("Снимок {entry} ждёт: {}.\n", words::tray_reason(*reason, lang))
        }
        (Taken::Tray { entry, reason }, Lang::En) => {
            format!("The picture {entry} waits: {}.\n", words::tray_reason(*reason, lang))
        }
        (Taken::Duplicate { of }, Lang::Ru) => format!("Этот файл уже взят: {of}.\n"),
        (Taken::Duplicate { of }, Lang::En) => format!("This file was taken before: {of}.\n"),
    }
}

/// A field that both sides changed: what it was, what this side wanted, what stands.
fn conflicting(entry: &AttentionView, conflict: &ConflictView, lang: Lang) -> String {
    let text = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => "—".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let field = &conflict.field;
    let given = entry.input.as_ref().and_then(|input| input.get("fields")).and_then(|fields| fields.get(field));
    let was = text(given.and_then(|given| given.get("was")));
    let (now, current) = (text(Some(&conflict.wanted)), text(Some(&conflict.stands)));
    match lang {
        Lang::Ru => format!("{field}: было {was}, вы хотели {now}, сейчас {current}"),
        Lang::En => format!("{field}: was {was}, you wanted {now}, it is {current} now"),
    }
}

pub(super) fn attention(list: &[AttentionView], lang: Lang) -> String {
    let heading = match lang {
        Lang::Ru => ["запись", "что", "почему", "что можно сделать"],
        Lang::En => ["entry", "what", "why", "what can be done"],
    };
    let rows: Vec<Vec<String>> = list
        .iter()
        .map(|entry| {
            let mut why = match lang {
                Lang::Ru => entry.reason_ru.clone(),
                Lang::En => entry.reason_en.clone(),
            };
            if let Some(field) = &entry.field {
                why.push_str(&format!(" [{field}]"));
            }
            for conflict in &entry.conflicts {
                why.push_str(&format!("; {}", conflicting(entry, conflict, lang)));
            }
            // As `settle` takes them.
            let offers: Vec<String> = entry.offers.iter().map(|offer| offer.replace('_', "-")).collect();
            let command = entry.command.clone().unwrap_or_else(|| entry.kind.clone());
            vec![entry.id.clone(), command, why, offers.join(", ")]
        })
        .collect();
    table(&heading, &rows, pick(lang, "Всё в порядке: решать нечего.", "All is well: nothing to settle."))
}

pub(super) fn done(lang: Lang) -> String {
    format!("{}\n", pick(lang, "Готово.", "Done."))
}

#[cfg(test)]
mod tests;
