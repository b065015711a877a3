//! Secrets at rest: sealed under a key, so that neither the database, a backup of it nor a look at one of its rows shows
//! them. What keeps the key is one of three: a file of the server's account beside the database, a passphrase that
//! somebody has to give after each start, or a credential of systemd.
//!
//! Knows nothing of what is sealed.

mod key;

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use key::PASSPHRASE_MIN;
pub use key::{Key, Opener, Passphrase};

pub use crate::api::secrets::Guard;

use super::spool::write_whole;
use crate::error::{Explain, Kind};
use crate::secret::Secret;

/// Name of the key's file in the folder of secrets.
pub const KEY_FILE: &str = "key";

/// Name of the file that holds the key under a passphrase.
pub const LOCKED_FILE: &str = "key.locked";

/// Name of the credential of systemd that holds the key.
pub const CREDENTIAL: &str = "roundel.key";

/// What the key itself is sealed as, under a passphrase.
const OWN_NAME: &str = "key of the secrets";

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
    /// The passphrase has not been given since the server started.
    #[error("the secrets are locked")]
    Locked,
    /// It is not the passphrase.
    #[error("that is not the passphrase of the secrets")]
    Wrong,
    /// No passphrase can be so short.
    #[error("a passphrase has at least {PASSPHRASE_MIN} characters")]
    Short,
    /// The key is kept in a way that does not allow it.
    #[error("the key of the secrets is kept by {0}")]
    Guarded(Guard),
}

impl Explain for SealError {
    fn kind(&self) -> Kind {
        match self {
            SealError::Io { .. } | SealError::Key { .. } | SealError::Foreign { .. } => {
                Kind::Infrastructure
            }
            SealError::Locked => Kind::Unavailable,
            SealError::Wrong => Kind::Refused,
            SealError::Short => Kind::Usage,
            SealError::Guarded(_) => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            SealError::Locked => crate::api::secrets::LOCKED,
            _ => "",
        }
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
            SealError::Locked => "`roundel unlock` opens them with the passphrase".to_owned(),
            SealError::Wrong => "without it the secrets cannot be opened, and have to be given anew".to_owned(),
            SealError::Short => "several words are easier to keep in mind than a short one".to_owned(),
            SealError::Guarded(Guard::File) => "`roundel secrets protect` puts it under a passphrase".to_owned(),
            SealError::Guarded(Guard::Passphrase) => "`roundel secrets unprotect` takes the passphrase off".to_owned(),
            SealError::Guarded(Guard::Credential) => "take the credential out of the unit first, and put the key in its file".to_owned(),
        })
    }
}

/// Seals and opens, while it is not locked. The key is never shown.
pub struct Seal {
    held: RwLock<Held>,
    secrets: PathBuf,
}

struct Held {
    guard: Guard,
    key: Option<Arc<Key>>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl Seal {
    /// Takes the key of a folder of secrets: of the credential in `credentials` where there is one, else of the file,
    /// else none before the passphrase is given. At the first time makes one: 32 random bytes, readable by the server's
    /// account alone, on disk before anything is sealed under it.
    ///
    /// # Errors
    /// When the file cannot be made or read, holds no key, or others can read it.
    pub fn of(secrets: &Path, credentials: Option<&Path>) -> Result<Self, SealError> {
        let (file, locked) = (secrets.join(KEY_FILE), secrets.join(LOCKED_FILE));
        let credential = credentials.map(|dir| dir.join(CREDENTIAL));
        let (guard, key) = match credential.filter(|path| path.exists()) {
            Some(path) => (Guard::Credential, Some(read(&path)?)),
            // Both are there when a passphrase was being set or taken off as the power went: the file is as good as ever.
            None if file.exists() => (Guard::File, Some(read_own(&file)?)),
            None if locked.exists() => (Guard::Passphrase, None),
            None => {
                let key = Key::random();
                write(&file, key.bytes())?;
                (Guard::File, Some(key))
            }
        };
        let key = key.map(Arc::new);
        Ok(Self {
            held: RwLock::new(Held { guard, key }),
            secrets: secrets.to_owned(),
        })
    }

    /// What keeps the key, and whether the secrets are locked.
    #[must_use]
    pub fn stands(&self) -> (Guard, bool) {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        (held.guard, held.key.is_none())
    }

    fn key(&self) -> Result<Arc<Key>, SealError> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.key.clone().ok_or(SealError::Locked)
    }

    /// Opens what is locked. Costs a tenth of a second of one core and 19 MB, which is what makes guessing dear.
    ///
    /// # Errors
    /// [`SealError::Wrong`]; [`SealError::Guarded`] where no passphrase keeps the key; when the file cannot be read.
    pub fn unlock(&self, passphrase: &Secret) -> Result<(), SealError> {
        let key = self.wrapped(passphrase)?;
        self.hold(Guard::Passphrase, key);
        Ok(())
    }

    /// Puts the key under a passphrase, another one where there is one already; the secrets stay open until the server
    /// starts anew.
    ///
    /// # Errors
    /// [`SealError::Locked`]; [`SealError::Short`]; [`SealError::Guarded`] with a credential; when the disk does not take it.
    pub fn protect(&self, passphrase: &Secret) -> Result<(), SealError> {
        let key = self.key()?;
        if self.stands().0 == Guard::Credential {
            return Err(SealError::Guarded(Guard::Credential));
        }
        let text = Passphrase::new(passphrase)?.wrap(OWN_NAME, key.bytes());
        write(&self.secrets.join(LOCKED_FILE), text.as_bytes())?;
        remove(&self.secrets.join(KEY_FILE))?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.guard = Guard::Passphrase;
        Ok(())
    }

    /// Puts the key into a file again.
    ///
    /// # Errors
    /// [`SealError::Wrong`]; [`SealError::Guarded`] where no passphrase keeps the key; when the disk does not take it.
    pub fn unprotect(&self, passphrase: &Secret) -> Result<(), SealError> {
        let key = self.wrapped(passphrase)?;
        write(&self.secrets.join(KEY_FILE), key.bytes())?;
        remove(&self.secrets.join(LOCKED_FILE))?;
        self.hold(Guard::File, key);
        Ok(())
    }

    fn hold(&self, guard: Guard, key: Key) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let key = Some(Arc::new(key));
        *held = Held { guard, key };
    }

    /// The key that lies under a passphrase.
    fn wrapped(&self, passphrase: &Secret) -> Result<Key, SealError> {
        let guard = self.stands().0;
        if guard != Guard::Passphrase {
            return Err(SealError::Guarded(guard));
        }
        let path = self.secrets.join(LOCKED_FILE);
        let text = fs::read_to_string(&path).map_err(failed(&path, "read"))?;
        let bytes = Passphrase::unwrap(passphrase, OWN_NAME, &text).ok_or(SealError::Wrong)?;
        key_of(&bytes, &path)
    }

    /// Seals a secret that belongs to the thing `name`; the same secret seals to another text each time.
    ///
    /// # Errors
    /// [`SealError::Locked`].
    ///
    /// # Panics
    /// When the kernel has no randomness to give, which it has from its start on.
    pub fn seal(&self, name: &str, secret: &str) -> Result<String, SealError> {
        Ok(self.key()?.seal(name, secret.as_bytes()))
    }

    /// Opens what was sealed for the thing `name`.
    ///
    /// # Errors
    /// [`SealError::Foreign`] when it was not sealed so; [`SealError::Locked`].
    pub fn open(&self, name: &str, sealed: &str) -> Result<String, SealError> {
        let opened = self.key()?.open(name, sealed);
        opened
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
            .ok_or_else(|| SealError::Foreign {
                name: name.to_owned(),
                path: self.secrets.join(KEY_FILE),
            })
    }
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> SealError + use<> {
    let path = path.to_owned();
    move |source| SealError::Io { path, what, source }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SealError> {
    write_whole(path, bytes)
        .and_then(|()| sync_parent(path))
        .map_err(failed(path, "write"))
}

/// Removes a file for good: what is there next is found without it after a loss of power too.
fn remove(path: &Path) -> Result<(), SealError> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(failed(path, "remove")(err)),
        _ => sync_parent(path).map_err(failed(path, "remove")),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
}

fn read(path: &Path) -> Result<Key, SealError> {
    let bytes = fs::read(path).map_err(failed(path, "read"))?;
    key_of(&bytes, path)
}

/// The key that a file holds.
fn key_of(bytes: &[u8], path: &Path) -> Result<Key, SealError> {
    Key::from_bytes(bytes).ok_or_else(|| SealError::Key {
        path: path.to_owned(),
        what: "is not 32 bytes long",
    })
}

/// A key in a file of ours, which nobody else may read.
fn read_own(path: &Path) -> Result<Key, SealError> {
    let about = fs::metadata(path).map_err(failed(path, "read"))?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(SealError::Key {
            path: path.to_owned(),
            what: "can be read by other accounts",
        });
    }
    read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct horse battery staple";

    #[test]
    fn what_was_sealed_opens_for_the_same_thing_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let seal = Seal::of(folder.path(), None).expect("a key");
        let sealed = seal
            .seal("setting ghe_client_secret", SECRET)
            .expect("it is open");
        assert!(!sealed.contains("horse"), "{sealed}");
        assert_ne!(
            Ok(&sealed),
            seal.seal("setting ghe_client_secret", SECRET)
                .as_ref()
                .map_err(ToString::to_string)
        );
        let again = Seal::of(folder.path(), None).expect("the same key");
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
        let sealed = Seal::of(one.path(), None)
            .and_then(|seal| seal.seal("x", SECRET))
            .expect("a key");
        let err = Seal::of(two.path(), None)
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
        Seal::of(folder.path(), None).expect("a key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("rights");
        assert!(matches!(
            Seal::of(folder.path(), None),
            Err(SealError::Key { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("rights");
        fs::write(&path, "short").expect("written");
        assert!(matches!(
            Seal::of(folder.path(), None),
            Err(SealError::Key { .. })
        ));
    }

    #[test]
    fn a_passphrase_locks_at_the_next_start_and_opens_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        let (right, wrong) = (
            Secret::new("correct horse battery".to_owned()),
            Secret::new("incorrect horse battery".to_owned()),
        );
        let seal = Seal::of(dir, None).expect("a key");
        let sealed = seal.seal("x", SECRET).expect("it is open");
        let raw = fs::read(dir.join(KEY_FILE)).expect("the key");
        assert!(matches!(
            seal.protect(&Secret::new("short".to_owned())),
            Err(SealError::Short)
        ));
        seal.protect(&right).expect("protected");
        assert_eq!(seal.stands(), (Guard::Passphrase, false), "still open");
        assert!(!dir.join(KEY_FILE).exists());
        let kept = fs::read(dir.join(LOCKED_FILE)).expect("the wrapped key");
        assert!(!kept.windows(raw.len()).any(|window| window == raw));

        let again = Seal::of(dir, None).expect("a start");
        assert_eq!(again.stands(), (Guard::Passphrase, true));
        assert!(matches!(again.open("x", &sealed), Err(SealError::Locked)));
        assert!(matches!(again.seal("x", SECRET), Err(SealError::Locked)));
        assert!(matches!(again.unlock(&wrong), Err(SealError::Wrong)));
        again.unlock(&right).expect("open");
        assert_eq!(again.open("x", &sealed).expect("open"), SECRET);

        assert!(matches!(again.unprotect(&wrong), Err(SealError::Wrong)));
        again.unprotect(&right).expect("in a file");
        assert_eq!(fs::read(dir.join(KEY_FILE)).expect("the key"), raw);
        assert!(!dir.join(LOCKED_FILE).exists());
        let plain = Seal::of(dir, None).expect("a start");
        assert_eq!(plain.stands(), (Guard::File, false));
        assert!(matches!(
            plain.unlock(&right),
            Err(SealError::Guarded(Guard::File))
        ));
    }

    #[test]
    fn a_credential_comes_before_the_file_and_has_no_passphrase() {
        let (folder, credentials) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        fs::write(credentials.path().join(CREDENTIAL), [7; 32]).expect("written");
        let seal = Seal::of(folder.path(), Some(credentials.path())).expect("a key");
        assert_eq!(seal.stands(), (Guard::Credential, false));
        let sealed = seal.seal("x", SECRET).expect("open");
        assert_eq!(seal.open("x", &sealed).expect("open"), SECRET);
        assert!(!folder.path().join(KEY_FILE).exists());
        let passphrase = Secret::new("correct horse battery".to_owned());
        assert!(matches!(
            seal.protect(&passphrase),
            Err(SealError::Guarded(Guard::Credential))
        ));
        let without = Seal::of(folder.path(), None).expect("a key of its own");
        assert!(matches!(
            without.open("x", &sealed),
            Err(SealError::Foreign { .. })
        ));
    }
}
