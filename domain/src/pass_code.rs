//! Pass codes of people at a desk: a pass code is typed, turned into a verifier (argon2id, PHC string) where it was typed,
//! and forgotten; verifiers are what is replicated, so that people sign in without the hub.
//!
//! The salt comes from the caller. Both directions take tens of milliseconds and 19 MiB: off threads that must not wait.

use std::ops::RangeInclusive;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Characters of a pass code.
pub const LENGTH: RangeInclusive<usize> = 6..=64;

/// Longest verifier.
const MAX_VERIFIER: usize = 256;

/// A text that is no pass code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pass code has {} to {} characters", LENGTH.start(), LENGTH.end())]
pub struct BadPassCode;

/// The verifier of a pass code.
///
/// # Errors
/// [`BadPassCode`].
pub fn verifier(code: &str, salt: &[u8; 16]) -> Result<String, BadPassCode> {
    if !LENGTH.contains(&code.chars().count()) {
        return Err(BadPassCode);
    }
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| BadPassCode)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password_with_salt(code.as_bytes(), salt).map(|hash| hash.to_string()).map_err(|_| BadPassCode)
}

/// Whether the pass code is the verifier's.
#[must_use]
pub fn matches(code: &str, verifier: &str) -> bool {
    is_verifier(verifier)
        && LENGTH.contains(&code.chars().count())
        && PasswordHash::new(verifier)
            .is_ok_and(|hash| Argon2::default().verify_password(code.as_bytes(), &hash).is_ok())
}

/// Whether the text is a whole argon2id verifier that costs no desk more than 64 MiB and ten passes to check.
#[must_use]
pub fn is_verifier(text: &str) -> bool {
    if text.len() > MAX_VERIFIER {
        return false;
    }
    let Ok(hash) = PasswordHash::new(text) else { return false };
    let is_whole = hash.algorithm.as_str() == "argon2id" && hash.salt.is_some() && hash.hash.is_some();
    is_whole && Params::try_from(&hash).is_ok_and(|p| p.m_cost() <= 64 * 1024 && p.t_cost() <= 10 && p.p_cost() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_code_is_known_by_its_verifier_only() {
        let made = verifier("пароль-1", &[7; 16]).unwrap();
        assert!(is_verifier(&made) && made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert!(matches("пароль-1", &made) && !matches("пароль-2", &made));
        assert_ne!(made, verifier("пароль-1", &[8; 16]).unwrap(), "another salt, another verifier");
    }

    #[test]
    fn pass_codes_have_six_to_sixty_four_characters() {
        for (code, good) in [("12345", false), ("123456", true), (&"я".repeat(64), true), (&"я".repeat(65), false)] {
            assert_eq!(verifier(code, &[0; 16]).is_ok(), good, "{code}");
        }
    }

    #[test]
    fn other_texts_and_costly_verifiers_are_none() {
        let good = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(is_verifier(good));
        let others = [
            "123456".to_owned(),
            String::new(),
            good.replace("argon2id", "argon2i"),
            good.replace("m=64", "m=4194304"),
            good.replace("t=1", "t=1000"),
            good.rsplit_once('$').unwrap().0.to_owned(),
            format!("{good}{}", "A".repeat(300)),
        ];
        for text in others {
            assert!(!is_verifier(&text) && !matches("123456", &text), "{text}");
        }
    }
}
