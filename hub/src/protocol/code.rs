//! One-time enrolment codes: `XXXX-XXXX-XXXX` in Crockford's base 32. The first group names the code, so that wrong
//! tries are counted against it; the other forty bits are the secret. With five tries and ten minutes nobody guesses it.

use rand::Rng;
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 4;
const LENGTH: usize = 3 * GROUP;

/// A code as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeId {
    /// The first group.
    pub handle: String,
    /// SHA-256 of the whole, spelled plainly.
    pub hash: [u8; 32],
}

/// A new code, as it is shown to a person once.
pub fn new_code(rng: &mut impl Rng) -> String {
    let mut bytes = [0u8; LENGTH];
    rng.fill_bytes(&mut bytes);
    let letters: Vec<char> =
        bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32))).map(|b| char::from(*b)).collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// Reads a code as typed: any case, with or without dashes and spaces, O for 0, I and L for 1.
#[must_use]
pub fn parse(typed: &str) -> Option<CodeId> {
    let mut plain = String::with_capacity(LENGTH);
    for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let known = u8::try_from(c).is_ok_and(|b| ALPHABET.contains(&b));
        if !known || plain.len() == LENGTH {
            return None;
        }
        plain.push(c);
    }
    if plain.len() != LENGTH {
        return None;
    }
    let hash = Sha256::digest(plain.as_bytes()).into();
    Some(CodeId { handle: plain.chars().take(GROUP).collect(), hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = new_code(&mut rand::rng());
        assert_eq!(code.len(), 14, "{code}");
        let id = parse(&code).unwrap();
        assert_eq!(parse(&code.to_lowercase().replace('-', " ")), Some(id));
        assert_eq!(parse("OIL0-1234-5678"), parse("0110-1234-5678"));
    }

    #[test]
    fn other_texts_are_no_codes() {
        for text in ["", "ABCD-EFGH", "ABCD-EFGH-JKMN-P", "ABCD-EFGH-JKMU", "ЖЖЖЖ-EFGH-JKMN"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
