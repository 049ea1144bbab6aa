//! Canonical JSON (RFC 8785) without floats and NUL: the one byte form of bodies and commands, so that hashes agree in
//! all places. Object keys are ordered by UTF-16 code units, strings escape only what JSON must, numbers are integers
//! within ±(2^53 - 1).

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A float, or an integer beyond 2^53 - 1, would read differently elsewhere.
    #[error("number {0} is not an integer within ±(2^53 - 1)")]
    Number(String),
    /// A NUL cannot be stored by PostgreSQL.
    #[error("a string holds a NUL character")]
    Nul,
    /// Nested deeper than 64 levels.
    #[error("nested deeper than 64 levels")]
    Depth,
    /// The value does not serialise to JSON.
    #[error("not JSON: {0}")]
    Json(String),
}

const MAX_SAFE: u64 = (1 << 53) - 1;

/// The canonical text of `value`.
///
/// # Errors
/// If the value holds floats, too large integers, NUL characters, or is nested deeper than 64 levels.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, CanonicalError> {
    let value = serde_json::to_value(value).map_err(|e| CanonicalError::Json(e.to_string()))?;
    let mut out = String::with_capacity(256);
    write(&value, 0, &mut out)?;
    Ok(out)
}

/// SHA-256 of `text` as 64 hex digits.
#[must_use]
pub fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn write(value: &Value, depth: u32, out: &mut String) -> Result<(), CanonicalError> {
    if depth > 64 {
        return Err(CanonicalError::Depth);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => {
            let safe = n.as_i64().is_some_and(|i| i.unsigned_abs() <= MAX_SAFE);
            if !safe {
                return Err(CanonicalError::Number(n.to_string()));
            }
            out.push_str(&n.to_string());
        }
        Value::String(s) => write_string(s, out)?,
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (key, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out)?;
                out.push(':');
                write(item, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) -> Result<(), CanonicalError> {
    if text.contains('\0') {
        return Err(CanonicalError::Nul);
    }
    // serde_json escapes exactly what RFC 8785 asks for: `"`, `\`, and controls, the short forms first.
    let quoted = serde_json::to_string(text).map_err(|e| CanonicalError::Json(e.to_string()))?;
    out.push_str(&quoted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn keys_are_ordered_by_utf16_as_in_rfc_8785() {
        // RFC 8785, 3.2.3: the emoji sorts before U+FB33, though its code point is higher.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            to_string(&value).unwrap(),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn strings_escape_only_what_must_be() {
        assert_eq!(to_string(&json!("\u{1f}/\"\\\u{8}é\u{7f}")).unwrap(), "\"\\u001f/\\\"\\\\\\bé\u{7f}\"");
        assert_eq!(to_string(&json!("a\0")), Err(CanonicalError::Nul));
    }

    #[test]
    fn floats_and_unsafe_integers_are_refused() {
        assert!(matches!(to_string(&json!(1.5)), Err(CanonicalError::Number(_))));
        assert!(matches!(to_string(&json!(u64::MAX)), Err(CanonicalError::Number(_))));
        assert_eq!(to_string(&json!(-9_007_199_254_740_991_i64)).unwrap(), "-9007199254740991");
    }

    proptest! {
        #[test]
        fn text_is_a_fixed_point(keys in proptest::collection::btree_map(".{0,8}", -1000i64..1000, 0..8)) {
            let clean = keys.keys().all(|k| !k.contains('\0'));
            prop_assume!(clean);
            let text = to_string(&keys).unwrap();
            let again: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(to_string(&again).unwrap(), text);
        }
    }
}
