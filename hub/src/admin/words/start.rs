//! Why the hub does not start, or its files do not open for the administrator.

use parkdesk_sqlcipher::OpenError;
use parkdesk_sqlcipher::dir::LockError;

use super::Lang;
use crate::blob_files::BlobError;
use crate::data::StartError;
use crate::serve::ServeError;
use crate::store::postgres::ConnectError;

/// Why the hub does not start.
#[must_use]
pub fn serve(error: &ServeError, lang: Lang) -> String {
    match (error, lang) {
        (ServeError::Data(error), _) => start(error, lang),
        (_, Lang::En) => error.to_string(),
        (ServeError::NeedsTls(address), Lang::Ru) => format!(
            "адрес {address} доступен с других машин, поэтому нужен TLS: укажите --tls-cert и --tls-key или слушайте 127.0.0.1 \
             за прокси, у которого есть TLS"
        ),
        (ServeError::Certificate { cert, key, cause }, Lang::Ru) => {
            format!("сертификат {} или ключ {} не подходят: {cause}", cert.display(), key.display())
        }
        (ServeError::File { path, cause }, Lang::Ru) => format!("{}: {cause}", path.display()),
        (ServeError::AdminSocket(cause), Lang::Ru) => format!("сокет администратора не создан: {cause}"),
        (ServeError::Listen { address, cause }, Lang::Ru) => {
            format!(
                "нельзя слушать адрес {address}: {cause}; укажите другой в --listen или остановите того, кто его занял"
            )
        }
        (ServeError::Io(cause), Lang::Ru) => format!("узел остановился: {cause}"),
    }
}

/// Why a data directory does not open.
#[must_use]
pub fn start(error: &StartError, lang: Lang) -> String {
    if lang == Lang::En {
        return error.to_string();
    }
    match error {
        StartError::Lock(LockError::AlreadyOwned(path)) => {
            format!("каталог {} занят другим процессом: остановите его и повторите", path.display())
        }
        StartError::Lock(LockError::Io { path, cause }) => format!("каталог {}: {cause}", path.display()),
        StartError::Key(error) => error.in_russian(),
        StartError::KeyMissing { key, store } => format!(
            "файла ключа {} нет, а хранилище {} есть: верните файл ключа (ничего не изменено)",
            key.display(),
            store.display()
        ),
        StartError::StoreMissing { dir, found } => format!(
            "{0}/hub.db нет, а {found} есть: здесь жил узел, и вместо него ничего не создано. Верните hub.db (из резервной \
             копии, вместе с keys.db) или уберите весь каталог в сторону и начните заново",
            dir.display()
        ),
        StartError::NoHub(dir) => {
            format!("в {0} нет узла; запустите его: parkdesk-hub serve --data {0}", dir.display())
        }
        StartError::Open(error) => open(error),
        StartError::Blobs(BlobError::Full) => "на диске нет места".into(),
        StartError::Blobs(error) => format!("папка файлов не открывается: {error}"),
        StartError::Store(error) => store(error),
        StartError::EmbeddedHere(dir) => format!(
            "{}/hub.db — узел в одном файле: для хранилища в PostgreSQL выберите другой каталог данных, для файла уберите \
             --store",
            dir.display()
        ),
        StartError::SharedHere { dir, url } => format!(
            "из {} работал узел на PostgreSQL: назовите хранилище снова в --store (было {url}) или выберите другой каталог",
            dir.display()
        ),
        StartError::SharedStoreEmpty { store, found } => format!(
            "в {store} узла нет, но {} от него осталось, поэтому вместо него ничего не создано: проверьте адрес или верните базу из \
             резервной копии; чтобы начать заново, выберите другой каталог данных и другую папку файлов",
            found.display()
        ),
        StartError::SharedKeyMissing { key, store } => format!(
            "файла ключа {} нет, а в {store} узел уже есть: скопируйте сюда hub.key другого его процесса",
            key.display()
        ),
    }
}

fn store(error: &ConnectError) -> String {
    match error {
        ConnectError::Address(cause) => {
            format!("адрес хранилища не читается: {cause}; он выглядит так: postgres://user@host/database")
        }
        ConnectError::PasswordShown => "в адресе хранилища пароль, его увидели бы другие: уберите его и укажите \
             --store-password-file или учётные данные systemd parkdesk-hub-store-password"
            .into(),
        ConnectError::File { path, cause } => format!("{} не подходит: {cause}", path.display()),
        ConnectError::Tls(cause) => format!("TLS к хранилищу не настраивается: {cause}"),
        ConnectError::Away { place, cause } => format!("PostgreSQL {place} не отвечает: {cause}"),
        ConnectError::Migration { place, cause } => {
            format!("таблицы {place} не обновлены, ничего не изменено: {cause}")
        }
        ConnectError::Newer(place) => {
            format!("{place}: здесь работала более новая версия Parkdesk; установите её, ничего не изменено")
        }
        ConnectError::OtherKey(place) => {
            format!("{place} создано с другим ключом: всем процессам узла нужен один и тот же hub.key")
        }
    }
}

fn open(error: &OpenError) -> String {
    match error {
        OpenError::Missing(path) => format!("файла {} нет; вместо него ничего не создано", path.display()),
        OpenError::WrongKey(path) => {
            format!("{} закрыт другим ключом: укажите его в --key-file (ничего не изменено)", path.display())
        }
        OpenError::NotADatabase { path, .. } => {
            format!("{} не наш зашифрованный файл: верните его из резервной копии (ничего не изменено)", path.display())
        }
        OpenError::Corrupt { path, why } => {
            format!("{} повреждён ({why}): верните его из резервной копии (ничего не изменено)", path.display())
        }
        OpenError::Newer { path, found, known } => format!(
            "{} записан более новой программой (шаг {found}, эта знает {known}): обновите программу (ничего не изменено)",
            path.display()
        ),
        OpenError::Migration(why) => format!("переход на новую схему не удался, файл прежний: {why}"),
        OpenError::Full => "на диске нет места".into(),
        OpenError::Io { path, cause } => format!("{}: {cause}", path.display()),
        OpenError::Library(why) => format!("библиотека SQLite: {why}"),
        OpenError::Sqlite(cause) => format!("сбой SQLite: {cause}"),
        // A kind of a newer library comes in its own words.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use parkdesk_sqlcipher::KeyError;

    use super::*;

    fn errors() -> Vec<ServeError> {
        let path = || PathBuf::from("/srv/hub");
        let open = |error: OpenError| ServeError::Data(StartError::Open(error));
        let store = |error: ConnectError| ServeError::Data(StartError::Store(error));
        vec![
            ServeError::NeedsTls("192.0.2.1:8420".parse().unwrap()),
            ServeError::Data(StartError::Lock(LockError::AlreadyOwned(path()))),
            ServeError::Data(StartError::KeyMissing { key: path(), store: path() }),
            ServeError::Data(StartError::StoreMissing { dir: path(), found: "keys.db" }),
            ServeError::Data(StartError::NoHub(path())),
            ServeError::Data(StartError::Key(KeyError::Permissions { path: path(), mode: 0o644 })),
            ServeError::Data(StartError::Key(KeyError::Malformed(path()))),
            open(OpenError::WrongKey(path())),
            open(OpenError::Corrupt { path: path(), why: "page 3".into() }),
            open(OpenError::Newer { path: path(), found: 9, known: 2 }),
            open(OpenError::Full),
            ServeError::Data(StartError::EmbeddedHere(path())),
            ServeError::Data(StartError::SharedHere { dir: path(), url: "postgres://hub@db/hub".into() }),
            ServeError::Data(StartError::SharedStoreEmpty { store: "db/hub".into(), found: path() }),
            ServeError::Data(StartError::SharedKeyMissing { key: path(), store: "db/hub".into() }),
            store(ConnectError::Address("no host".into())),
            store(ConnectError::PasswordShown),
            store(ConnectError::File { path: path(), cause: "not there".into() }),
            store(ConnectError::Tls("no roots".into())),
            store(ConnectError::Away { place: "db/hub".into(), cause: "refused".into() }),
            store(ConnectError::Migration { place: "db/hub".into(), cause: "a lock".into() }),
            store(ConnectError::Newer("db/hub".into())),
            store(ConnectError::OtherKey("db/hub".into())),
        ]
    }

    #[test]
    fn every_reason_not_to_start_is_told_in_both_languages() {
        for error in errors() {
            let (ru, en) = (serve(&error, Lang::Ru), serve(&error, Lang::En));
            assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{ru}");
            assert!(en.is_ascii(), "{en}");
        }
    }
}
