//! Every code of the API and every error about keys says in both languages what to do.

use std::path::PathBuf;

use parkdesk_sqlcipher::KeyError;
use utoipa::PartialSchema;

use super::*;

#[test]
fn what_was_found_in_place_of_a_key_is_said_in_both_languages() {
    let rings = [
        RingError::Absent("x".into()),
        RingError::Locked("x".into()),
        RingError::Silent(60),
        RingError::Failed("x".into()),
    ];
    for why in rings.into_iter().map(Missing::Unreachable).chain([Missing::Absent]) {
        assert!(is_russian(&missing(&why, Lang::Ru)) && !is_russian(&missing(&why, Lang::En)), "{why:?}");
    }
}

fn is_russian(text: &str) -> bool {
    text.chars().any(|c| ('а'..='я').contains(&c))
}

/// All codes, as the description of the API lists them.
fn codes() -> Vec<Code> {
    let schema = serde_json::to_value(Code::schema()).unwrap();
    let mut names = Vec::new();
    collect(&schema, &mut names);
    names.into_iter().map(|name| serde_json::from_value(name).unwrap()).collect()
}

fn collect(schema: &serde_json::Value, names: &mut Vec<serde_json::Value>) {
    match schema {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("enum", serde_json::Value::Array(list)) => names.extend(list.iter().cloned()),
                    ("const", one) => names.push(one.clone()),
                    (_, other) => collect(other, names),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|one| collect(one, names)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn every_code_of_the_api_has_words_in_both_languages() {
    let codes = codes();
    assert!(codes.len() >= 14, "{codes:?}");
    for one in codes {
        let (ru, en) = (code(one, Lang::Ru), code(one, Lang::En));
        assert!(is_russian(ru) && en.is_ascii() && !en.is_empty(), "{one:?}");
        let answer = Problem::new(one, "the sentence");
        assert_eq!(problem(&answer, Lang::En), "the sentence");
        assert_eq!(problem(&answer, Lang::Ru), ru);
    }
}

#[test]
fn a_refusal_or_rejection_is_said_by_its_own_code() {
    let answer = |code, detail: &str| Problem { code, message: "m".into(), detail: Some(detail.into()) };
    for known in RefusalCode::KNOWN {
        let said = problem(&answer(Code::Refused, known.as_str()), Lang::Ru);
        assert!(said.contains(refusal(known, Lang::Ru)) && said.contains(known.as_str()), "{said}");
    }
    for known in REJECTIONS {
        let said = problem(&answer(Code::Rejected, known.as_str()), Lang::Ru);
        assert!(said.contains(rejection(known, Lang::Ru)) && is_russian(&said), "{said}");
        assert!(rejection(known, Lang::En).is_ascii());
    }
    assert!(is_russian(&problem(&answer(Code::Rejected, "of a newer program"), Lang::Ru)));
    assert_eq!(problem(&answer(Code::BadRequest, "name"), Lang::En), "m [name]");
    assert!(problem(&answer(Code::BadRequest, "name"), Lang::Ru).ends_with("[name]"));
}

#[test]
fn every_error_about_keys_has_words_in_both_languages() {
    let path = || PathBuf::from("/d/key");
    let no_key = |key_file, has_wrapped_copy, looked_in| {
        let why = Missing::Absent;
        KeysError::NoKey(Box::new(NoKey { dir: "/d".into(), key_file, looked_in, why, has_wrapped_copy }))
    };
    let io = || std::io::Error::other("cause");
    let errors = [
        no_key(None, true, KeySource::Keyring),
        no_key(Some(path()), false, KeySource::File(path())),
        no_key(None, false, KeySource::Credential),
        KeysError::NoKeyStore(RingError::Absent("x".into())),
        KeysError::NoKeyStore(RingError::Locked("x".into())),
        KeysError::NoKeyStore(RingError::Silent(5)),
        KeysError::NoKeyStore(RingError::Failed("x".into())),
        KeysError::Key(KeyError::Permissions { path: path(), mode: 0o644 }),
        KeysError::Key(KeyError::Malformed(path())),
        KeysError::Key(KeyError::NotHex),
        KeysError::Key(KeyError::NoCredential("n".into())),
        KeysError::Key(KeyError::Random("x".into())),
        KeysError::NotKept,
        KeysError::Recovery(RecoveryError::Mistyped),
        KeysError::Recovery(RecoveryError::OtherKey),
        KeysError::Recovery(RecoveryError::Damaged),
        KeysError::NoWrappedCopy,
        KeysError::NoData(path()),
        KeysError::OtherKey { dir: path(), place: "p".into() },
        KeysError::Unchecked { dir: path(), why: "w".into() },
        KeysError::CredentialIsReadOnly,
    ];
    for error in &errors {
        let (ru, en) = (keys(error, Lang::Ru), keys(error, Lang::En));
        assert!(is_russian(&ru) && !is_russian(&en) && !en.is_empty(), "{ru} | {en}");
    }
    for error in
        [KeysError::Io { path: path(), cause: io() }, KeysError::Key(KeyError::Io { path: path(), cause: io() })]
    {
        assert_eq!(keys(&error, Lang::Ru), "/d/key: cause", "a path and what the system says");
    }
    let both = [no_key(Some(path()), true, KeySource::File(path())), no_key(None, true, KeySource::Keyring)];
    for error in both {
        for lang in [Lang::Ru, Lang::En] {
            let said = keys(&error, lang);
            for way in ["recover --data /d", "--beside-old --data /d", "(2)"] {
                assert!(said.contains(way), "{way}: {said}");
            }
        }
    }
}

#[test]
fn a_directory_in_use_is_said_in_both_languages() {
    for error in
        [LockError::AlreadyOwned("/d".into()), LockError::Io { path: "/d".into(), cause: std::io::Error::other("x") }]
    {
        assert!(is_russian(&lock(&error, Lang::Ru)) && !is_russian(&lock(&error, Lang::En)));
    }
}

#[test]
fn data_that_does_not_open_is_said_in_both_languages() {
    for fault in [DataFault::Newer, DataFault::Damaged, DataFault::Other] {
        assert!(is_russian(data(fault, Lang::Ru)) && data(fault, Lang::En).is_ascii(), "{fault:?}");
    }
}

#[test]
fn every_failed_enrolment_has_words_in_both_languages() {
    for fault in EnrolFault::ALL {
        let (ru, en) = (enrol_fault(fault, Lang::Ru), enrol_fault(fault, Lang::En));
        assert!(is_russian(ru) && en.is_ascii(), "{fault:?}");
        let error = EnrolError { why: fault, message: "own text".into() };
        assert!(enrol(&error, Lang::Ru).starts_with(ru));
        assert_eq!(enrol(&error, Lang::En), "own text");
        let answer = Problem { code: Code::EnrolFailed, message: "m".into(), detail: Some(fault.as_str().into()) };
        assert!(problem(&answer, Lang::Ru).starts_with(ru));
    }
}
