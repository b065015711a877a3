//! Secrets at rest: sealed under a key that lies beside the database, so that neither the database, a backup of it nor
//! a look at one of its rows shows them.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a nonce of its own for each sealing. What is sealed is bound to the name of the
//! thing it belongs to, so it opens nowhere else. Knows nothing of what is sealed.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::spool::write_whole;
use crate::error::{Explain, Kind};

/// Name of the key's file in the folder of secrets.
pub const KEY_FILE: &str = "key";

/// Length of the key, in bytes.
const KEY_LEN: usize = 32;

/// Begins what is sealed: the number of the form.
const FORM: &str = "1:";

/// Why nothing can be sealed, or a thing cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key's file cannot be made or read.
    #[error("failed to {what} the key `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key's file holds something else, or others can read it.
    #[error("the key `{path}` {what}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It was sealed under another key, for another thing, or was changed.
    #[error("the secret of {name} does not open with the key `{path}`")]
    Foreign {
        /// What it belongs to.
        name: String,
        /// The file of the key.
        path: PathBuf,
    },
}

impl Explain for SealError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            SealError::Io { .. } => "it has to be a file of the server's account".to_owned(),
            SealError::Key { path, .. } => format!(
                "put the right one back, with `chmod 600 {}`; without it the secrets have to be given anew",
                path.display()
            ),
            SealError::Foreign { .. } => {
                "the database comes from another data directory, or the key was replaced: put the right key back, or give the secret anew".to_owned()
            }
        })
    }
}

/// Seals and opens. The key is never shown.
pub struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
    path: PathBuf,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Seal {
    /// Takes the key of a folder of secrets, and makes one at the first time: 32 random bytes, readable by the server's
    /// account alone, on disk before anything is sealed under it.
    ///
    /// # Errors
    /// When the file cannot be made or read, holds no key, or others can read it.
    pub fn of(secrets: &Path) -> Result<Self, SealError> {
        let path = secrets.join(KEY_FILE);
        let failed = |what| {
            let path = path.clone();
            move |source| SealError::Io { path, what, source }
        };
        let random = SystemRandom::new();
        if !path.exists() {
            let mut fresh = [0; KEY_LEN];
            random
                .fill(&mut fresh)
                .map_err(|_| failed("make")(io::Error::other("no randomness is to be had")))?;
            write_whole(&path, &fresh)
                .and_then(|()| fs::File::open(secrets)?.sync_all())
                .map_err(failed("make"))?;
        }
        let bytes = fs::read(&path).map_err(failed("read"))?;
        let mode = fs::metadata(&path)
            .map_err(failed("read"))?
            .permissions()
            .mode();
        let wrong = |what| SealError::Key {
            path: path.clone(),
            what,
        };
        if mode & 0o077 != 0 {
            return Err(wrong("can be read by other accounts"));
        }
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes)
            .map_err(|_| wrong("is not 32 bytes long"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            random,
            path,
        })
    }

    /// Seals a secret that belongs to the thing `name`; the same secret seals to another text each time.
    ///
    /// # Panics
    /// When the kernel has no randomness to give, which it has from its start on.
    #[must_use]
    pub fn seal(&self, name: &str, secret: &str) -> String {
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .expect("the kernel gives randomness");
        let mut sealed = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .expect("a secret is shorter than 256 GB");
        let mut whole = nonce.to_vec();
        whole.append(&mut sealed);
        format!("{FORM}{}", STANDARD.encode(whole))
    }

    /// Opens what was sealed for the thing `name`.
    ///
    /// # Errors
    /// [`SealError::Foreign`] when it was not sealed so.
    pub fn open(&self, name: &str, sealed: &str) -> Result<String, SealError> {
        self.opened(name, sealed).ok_or_else(|| SealError::Foreign {
            name: name.to_owned(),
            path: self.path.clone(),
        })
    }

    fn opened(&self, name: &str, sealed: &str) -> Option<String> {
        let whole = STANDARD.decode(sealed.strip_prefix(FORM)?).ok()?;
        let (nonce, rest) = whole.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut rest)
            .ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse battery staple";

    #[test]
    fn what_was_sealed_opens_for_the_same_thing_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let seal = Seal::of(folder.path()).expect("a key");
        let sealed = seal.seal("setting ghe_client_secret", SECRET);
        assert!(!sealed.contains("horse"), "{sealed}");
        assert_ne!(sealed, seal.seal("setting ghe_client_secret", SECRET));
        let again = Seal::of(folder.path()).expect("the same key");
        let open =
            |name: &str, sealed: &str| again.open(name, sealed).map_err(|err| err.to_string());
        assert_eq!(
            open("setting ghe_client_secret", &sealed),
            Ok(SECRET.to_owned())
        );
        assert!(open("setting ldap.search_password", &sealed).is_err());
        for broken in [
            "",
            "1:",
            "1:AAAA",
            "2:AAAA",
            &sealed[..sealed.len() - 4],
            &sealed.replacen(':', ":A", 1),
        ] {
            assert!(
                open("setting ghe_client_secret", broken).is_err(),
                "{broken}"
            );
        }
    }

    #[test]
    fn another_key_opens_nothing_and_says_which_file() {
        let (one, two) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let sealed = Seal::of(one.path()).expect("a key").seal("x", SECRET);
        let err = Seal::of(two.path())
            .expect("a key")
            .open("x", &sealed)
            .expect_err("another key");
        assert!(
            err.to_string().contains(&two.path().display().to_string()),
            "{err}"
        );
        assert!(!format!("{err:?}").contains("horse"));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(KEY_FILE);
        Seal::of(folder.path()).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("rights");
        assert!(matches!(
            Seal::of(folder.path()),
            Err(SealError::Key { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("rights");
        fs::write(&path, "short").expect("written");
        assert!(matches!(
            Seal::of(folder.path()),
            Err(SealError::Key { .. })
        ));
    }
}
