//! The 32-byte key of a data directory and where it may come from (architecture, "Keys and recovery"). A key is never
//! shown, never logged and wiped when dropped; the OS keyring is the binaries' business, they hand over the hex form.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::durable;

/// 32 random bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Others than the owner may read the key file.
    #[error("{} may be read by others (mode {mode:o}): run `chmod 600 {}`", path.display(), path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is not a key.
    #[error("{} is not a key: it must hold 64 hex digits or 32 bytes", .0.display())]
    Malformed(PathBuf),
    /// The text is not a key.
    #[error("not a key: it must be 64 hex digits")]
    NotHex,
    /// The file cannot be read or made.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not started by systemd with a credential of that name.
    #[error("no systemd credential {0:?}: set LoadCredentialEncrypted= in the unit or use --key-file")]
    NoCredential(String),
    /// The system gives no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl KeyError {
    /// The same in Russian, for whoever tells it to a person.
    #[must_use]
    pub fn in_russian(&self) -> String {
        match self {
            Self::Permissions { path, mode } => {
                let path = path.display();
                format!("{path} могут читать другие (права {mode:o}): выполните chmod 600 {path}")
            }
            Self::Malformed(path) => {
                format!("{} не ключ: нужны 64 шестнадцатеричные цифры или 32 байта", path.display())
            }
            Self::NotHex => "это не ключ: нужны 64 шестнадцатеричные цифры".into(),
            Self::Io { path, cause } => format!("{}: {cause}", path.display()),
            Self::NoCredential(name) => format!(
                "нет учётных данных systemd {name:?}: задайте LoadCredentialEncrypted= в службе или укажите --key-file"
            ),
            Self::Random(cause) => format!("система не даёт случайных чисел: {cause}"),
        }
    }
}

impl Key {
    /// A new key from the system's generator.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|e| KeyError::Random(e.to_string()))?;
        Ok(Self(bytes))
    }

    /// A key from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for ciphers and wrapping.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The form kept in a keyring or key file.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    /// Reads the form kept in a keyring.
    ///
    /// # Errors
    /// If it is not 64 hex digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NotHex)?;
        Ok(Self(bytes))
    }

    /// Reads a key file: 64 hex digits or 32 bytes, readable by its owner only.
    ///
    /// # Errors
    /// If it is missing, no key, or others may read it.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let io = |cause| KeyError::Io { path: path.to_owned(), cause };
        let mode = fs::metadata(path).map_err(io)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Permissions { path: path.to_owned(), mode });
        }
        Self::read(path)
    }

    /// Makes a new key and its file (0600), all at once; never over an existing file.
    ///
    /// # Errors
    /// If the file exists or cannot be made.
    pub fn create_file(path: &Path) -> Result<Self, KeyError> {
        let key = Self::random()?;
        let mut text = key.to_hex();
        text.push('\n');
        durable::create(path, text.as_bytes()).map_err(|cause| KeyError::Io { path: path.to_owned(), cause })?;
        Ok(key)
    }

    /// The systemd credential `name` of this service (`LoadCredentialEncrypted=`).
    ///
    /// # Errors
    /// If there is none or it is no key.
    pub fn from_credential(name: &str) -> Result<Self, KeyError> {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
        let path = folder.map(|folder| PathBuf::from(folder).join(name)).filter(|path| path.is_file());
        // systemd guards the folder itself, so the file's mode says nothing.
        Self::read(&path.ok_or_else(|| KeyError::NoCredential(name.to_owned()))?)
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|cause| KeyError::Io { path: path.to_owned(), cause })?;
        let bytes = Zeroizing::new(bytes);
        if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
            return Ok(Self(raw));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::Malformed(path.to_owned()))?;
        Self::from_hex(text).map_err(|_| KeyError::Malformed(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_is_private_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = Key::create_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(Key::from_file(&path).unwrap(), key);
        assert!(matches!(Key::create_file(&path), Err(KeyError::Io { .. })));
        assert_eq!(Key::from_file(&path).unwrap(), key, "the old key stands");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        Key::create_file(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Key::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn raw_bytes_are_a_key_and_anything_else_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        durable::replace(&path, &[7; 32]).unwrap();
        assert_eq!(Key::from_file(&path).unwrap(), Key([7; 32]));
        for bad in [&b""[..], b"hello", &[7; 31], &[0xff; 33]] {
            durable::replace(&path, bad).unwrap();
            assert!(matches!(Key::from_file(&path), Err(KeyError::Malformed(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", Key([1; 32])), "Key(..)");
    }
}
