//! The key, and what it does to bytes: ChaCha20-Poly1305 (RFC 8439) with a nonce of its own for each sealing. What is
//! sealed is bound to the name of the thing it belongs to, so it opens nowhere else. From a passphrase a key is made by
//! Argon2id (RFC 9106) with a salt of its own.
//!
//! Knows no files.

use std::collections::HashMap;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::SealError;
use crate::secret::{Secret, random};

/// Fewest characters of a passphrase.
pub(super) const PASSPHRASE_MIN: usize = 12;

/// Length of a key, in bytes.
const KEY_LEN: usize = 32;

/// Length of a salt, in bytes: what RFC 9106 recommends.
const SALT_LEN: usize = 16;

/// Begins what is sealed: the number of the form.
const FORM: &str = "1:";

/// Begins what is sealed under a passphrase; the salt comes next.
const WRAPPED: &str = "p1:";

/// Memory in KiB, passes, lanes: the least that OWASP recommends for Argon2id. A part of the form `p1`.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// 32 bytes that seal and open. Their memory is wiped when they go.
pub struct Key {
    bytes: Zeroizing<[u8; KEY_LEN]>,
    cipher: LessSafeKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    fn new(bytes: [u8; KEY_LEN]) -> Self {
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, &bytes).expect("32 bytes are a key");
        Self {
            bytes: Zeroizing::new(bytes),
            cipher: LessSafeKey::new(unbound),
        }
    }

    /// A fresh one.
    ///
    /// # Panics
    /// When the kernel has no randomness to give, which it has from its start on.
    #[must_use]
    pub fn random() -> Self {
        Self::new(random())
    }

    /// Of what was kept; `None` when it is not 32 bytes long.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::new(bytes.try_into().ok()?))
    }

    /// To be kept.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Seals what belongs to the thing `name`; the same bytes seal to another text each time.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8]) -> String {
        format!("{FORM}{}", self.sealed(name, plain))
    }

    fn sealed(&self, name: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LEN] = random();
        let mut sealed = plain.to_vec();
        self.cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .expect("a secret is shorter than 256 GB");
        let mut whole = nonce.to_vec();
        whole.append(&mut sealed);
        STANDARD.encode(whole)
    }

    /// Opens what was sealed for the thing `name`; `None` when it was not sealed so.
    #[must_use]
    pub fn open(&self, name: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.opened(name, sealed.strip_prefix(FORM)?)
    }

    fn opened(&self, name: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let whole = STANDARD.decode(sealed).ok()?;
        let (nonce, rest) = whole.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let plain = self
            .cipher
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut rest)
            .ok()?;
        Some(Zeroizing::new(plain.to_vec()))
    }
}

/// Seals under a passphrase: the key is made once, for a salt of its own, however much is sealed.
#[derive(Debug)]
pub struct Passphrase {
    salt: [u8; SALT_LEN],
    key: Key,
}

impl Passphrase {
    /// Makes the key, which costs a tenth of a second of one core and 19 MB.
    ///
    /// # Errors
    /// [`SealError::Short`].
    pub fn new(passphrase: &Secret) -> Result<Self, SealError> {
        if passphrase.expose().chars().count() < PASSPHRASE_MIN {
            return Err(SealError::Short);
        }
        let salt = random();
        Ok(Self {
            salt,
            key: derive(passphrase, &salt),
        })
    }

    /// Seals what belongs to the thing `name`.
    #[must_use]
    pub fn wrap(&self, name: &str, plain: &[u8]) -> String {
        let sealed = self.key.sealed(name, plain);
        format!("{WRAPPED}{}:{sealed}", STANDARD.encode(self.salt))
    }

    /// Opens one thing that was sealed so.
    pub(super) fn unwrap(
        passphrase: &Secret,
        name: &str,
        text: &str,
    ) -> Option<Zeroizing<Vec<u8>>> {
        Opener::new(passphrase.clone()).open(name, text)
    }
}

/// Opens what was sealed under a passphrase; what has the same salt costs its key once.
#[derive(Debug)]
pub struct Opener {
    passphrase: Secret,
    keys: HashMap<[u8; SALT_LEN], Key>,
}

impl Opener {
    /// With this passphrase.
    #[must_use]
    pub fn new(passphrase: Secret) -> Self {
        Self {
            passphrase,
            keys: HashMap::new(),
        }
    }

    /// Opens what was sealed for the thing `name`; `None` when it was not sealed so.
    pub fn open(&mut self, name: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (salt, sealed) = text.trim().strip_prefix(WRAPPED)?.split_once(':')?;
        let salt: [u8; SALT_LEN] = STANDARD.decode(salt).ok()?.try_into().ok()?;
        let passphrase = &self.passphrase;
        self.keys
            .entry(salt)
            .or_insert_with(|| derive(passphrase, &salt))
            .opened(name, sealed)
    }
}

fn derive(passphrase: &Secret, salt: &[u8; SALT_LEN]) -> Key {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, Some(KEY_LEN)).expect("these can be");
    let mut bytes = [0; KEY_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, &mut bytes)
        .expect("lengths are as they have to be");
    Key::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_under_a_passphrase_opens_with_it_and_for_its_name_alone() {
        let right = Secret::new("correct horse battery".to_owned());
        let sealer = Passphrase::new(&right).expect("long enough");
        let (a, b) = (sealer.wrap("a", b"one"), sealer.wrap("b", b"two"));
        assert!(a.starts_with(WRAPPED), "{a}");
        let mut opener = Opener::new(right);
        assert_eq!(opener.open("a", &a).expect("open").as_slice(), b"one");
        assert_eq!(opener.open("b", &b).expect("open").as_slice(), b"two");
        assert_eq!(opener.keys.len(), 1, "one salt, one key");
        assert!(opener.open("b", &a).is_none());
        for broken in ["", "p1:", "p1:AAAA:AAAA", &a[..a.len() - 4], &a[3..]] {
            assert!(opener.open("a", broken).is_none(), "{broken}");
        }
        let mut other = Opener::new(Secret::new("another horse battery".to_owned()));
        assert!(other.open("a", &a).is_none());
    }
}
