//! The recovery code: shown once, it opens a wrapped copy of the key that lies beside the file, for the day the keyring
//! is gone (architecture, "Keys and recovery").
//!
//! 152 random bits and 8 check bits, as eight groups of four in Crockford's base32 (no I, L, O, U; what people confuse is
//! read as meant). The wrap is argon2id (19 MiB, two passes) and ChaCha20-Poly1305.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::key::Key;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const MAGIC: &[u8; 5] = b"PDRC1";
const RANDOM_BYTES: usize = 19;

/// Eight groups of four.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode(Vec<u8>);

/// Why a code does not open a wrapped key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// Not eight groups of four, or mistyped.
    #[error("this is not a recovery code: check every group")]
    Mistyped,
    /// A sound code, but of another key.
    #[error("this recovery code belongs to another installation")]
    OtherKey,
    /// The wrapped key is damaged or of a newer program.
    #[error("the wrapped key cannot be read")]
    Damaged,
}

/// A new code.
#[must_use]
pub fn new_code(rng: &mut impl CryptoRng) -> RecoveryCode {
    let mut bytes = vec![0; RANDOM_BYTES];
    rng.fill_bytes(&mut bytes);
    bytes.push(check_byte(&bytes));
    RecoveryCode(bytes)
}

fn check_byte(bytes: &[u8]) -> u8 {
    Sha256::digest(bytes).first().copied().unwrap_or_default()
}

impl RecoveryCode {
    /// Reads what a person typed: case, blanks and hyphens do not matter.
    ///
    /// # Errors
    /// [`RecoveryError::Mistyped`].
    pub fn parse(text: &str) -> Result<Self, RecoveryError> {
        let mut bytes = Vec::with_capacity(RANDOM_BYTES + 1);
        let (mut bits, mut count) = (0_u32, 0);
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = ALPHABET.iter().position(|a| char::from(*a) == c).ok_or(RecoveryError::Mistyped)?;
            bits = (bits << 5) | u32::try_from(value).map_err(|_| RecoveryError::Mistyped)?;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from((bits >> count) & 0xff).map_err(|_| RecoveryError::Mistyped)?);
                bits &= (1 << count) - 1;
            }
        }
        let code = Self(bytes);
        match code.0.split_last() {
            Some((check, random)) if random.len() == RANDOM_BYTES && count == 0 && *check == check_byte(random) => {
                Ok(code)
            }
            Some(_) | None => Err(RecoveryError::Mistyped),
        }
    }

    fn wrapping_key(&self, salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("BUG: constant argon2 parameters are valid");
        let mut out = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&self.0, salt, out.as_mut())
            .expect("BUG: salt and output lengths are constant and valid");
        out
    }
}

impl fmt::Display for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut bits, mut count, mut written) = (0_u32, 0, 0);
        for byte in &self.0 {
            bits = (bits << 8) | u32::from(*byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                if written > 0 && written % 4 == 0 {
                    f.write_str("-")?;
                }
                let at = usize::try_from((bits >> count) & 31).map_err(|_| fmt::Error)?;
                let letter = ALPHABET.get(at).ok_or(fmt::Error)?;
                write!(f, "{}", char::from(*letter))?;
                written += 1;
                bits &= (1 << count) - 1;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

/// The key, wrapped so that only the code opens it; to be kept beside the file.
#[must_use]
pub fn wrap(key: &Key, code: &RecoveryCode, rng: &mut impl CryptoRng) -> Vec<u8> {
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let cipher = ChaCha20Poly1305::new(&(*code.wrapping_key(&salt)).into());
    let payload = Payload { msg: key.as_bytes(), aad: MAGIC };
    let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("BUG: 32 bytes are within the cipher's limits");
    [MAGIC.as_slice(), &salt, &nonce, &sealed].concat()
}

/// Opens a wrapped key.
///
/// # Errors
/// If the code is of another key or the wrapped key is damaged.
pub fn unwrap(wrapped: &[u8], code: &RecoveryCode) -> Result<Key, RecoveryError> {
    let damaged = || RecoveryError::Damaged;
    let rest = wrapped.strip_prefix(MAGIC).ok_or_else(damaged)?;
    let (salt, rest) = rest.split_at_checked(16).ok_or_else(damaged)?;
    let (nonce, sealed) = rest.split_at_checked(12).ok_or_else(damaged)?;
    if sealed.len() != 32 + 16 {
        return Err(damaged());
    }
    let nonce: [u8; 12] = nonce.try_into().map_err(|_| damaged())?;
    let cipher = ChaCha20Poly1305::new(&(*code.wrapping_key(salt)).into());
    let opened = cipher.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: MAGIC });
    let plain = Zeroizing::new(opened.map_err(|_| RecoveryError::OtherKey)?);
    Ok(Key::from_bytes(plain.as_slice().try_into().map_err(|_| damaged())?))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_code_opens_what_it_wrapped_however_it_is_typed() {
        let mut rng = StdRng::seed_from_u64(1);
        let (key, code) = (Key::from_bytes([9; 32]), new_code(&mut rng));
        let wrapped = wrap(&key, &code, &mut rng);
        let text = code.to_string();
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 8]);
        for typed in [text.clone(), text.to_lowercase().replace('-', " "), text.replace('0', "o").replace('1', "l")] {
            assert_eq!(unwrap(&wrapped, &RecoveryCode::parse(&typed).unwrap()), Ok(key.clone()), "{typed}");
        }
    }

    #[test]
    fn a_mistyped_letter_is_found_and_another_code_does_not_open() {
        let mut rng = StdRng::seed_from_u64(2);
        let (key, code) = (Key::from_bytes([9; 32]), new_code(&mut rng));
        let wrapped = wrap(&key, &code, &mut rng);
        let text = code.to_string();
        let first = if text.starts_with('7') { '8' } else { '7' };
        let swapped: String = std::iter::once(first).chain(text.chars().skip(1)).collect();
        let short: String = text.chars().take(34).collect();
        for typed in [swapped, short, String::new(), "слово".into()] {
            assert_eq!(RecoveryCode::parse(&typed), Err(RecoveryError::Mistyped), "{typed}");
        }
        assert_eq!(unwrap(&wrapped, &new_code(&mut rng)), Err(RecoveryError::OtherKey));
        assert_eq!(unwrap(&wrapped[..40], &code), Err(RecoveryError::Damaged));
    }
}
