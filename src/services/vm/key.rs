//! The key that opens the VMs: Ed25519, made once for a data directory, its secret half sealed. And the keys by which the VMs
//! are known: each gets a host key that follows from that one and its id, so that nobody else can answer in its place, and
//! nothing has to be kept for it.
//!
//! Both halves in OpenSSH's forms, which its own client and others read: PKCS#8, which `ring` writes, is not read by the
//! OpenSSH 9.2 of Debian 12.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::error::{Explain, Kind};
use crate::ids::VmId;
use crate::secret::Secret;
use crate::storage::seal::{Seal, SealError};
use crate::storage::spool::write_whole;

/// Name of the key's file in the folder of secrets.
pub const KEY_FILE: &str = "vm_key";

/// Its public half, for whoever makes an image that does not begin with cloud-init.
pub const PUBLIC_FILE: &str = "vm_key.pub";

/// What the sealed key is bound to.
const NAME: &str = "key of the VMs";

/// The kind of key, as SSH names it (RFC 8709).
const KIND: &str = "ssh-ed25519";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be made or read.
    #[error("failed to {what} the key of the VMs, `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not open.
    #[error("the key of the VMs does not open")]
    Sealed(#[from] SealError),
}

impl Explain for KeyError {
    fn kind(&self) -> Kind {
        Kind::Infrastructure
    }

    fn hint(&self) -> Option<String> {
        match self {
            KeyError::Sealed(err) => err.hint(),
            KeyError::Io { path, .. } => Some(format!(
                "remove {} to have a new one made: VMs that are there do not open with it, and are replaced within a day",
                path.display()
            )),
        }
    }
}

/// Both halves, and what host keys follow from.
#[derive(Clone, Debug)]
pub struct VmKey {
    /// What opens the VMs.
    pub login: Pair,
    hosts: hmac::Key,
}

/// Both halves of a key.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Kind and base64, as in `authorized_keys` and, after a name, in `known_hosts`.
    pub public: String,
    /// A file, as `ssh-keygen` writes it, without a passphrase.
    pub private: Secret,
}

impl VmKey {
    /// The key of a folder of secrets; made at the first time.
    ///
    /// # Errors
    /// When its file cannot be made or read, or does not open.
    pub fn of(secrets: &Path, seal: &Seal) -> Result<Self, KeyError> {
        let path = secrets.join(KEY_FILE);
        let failed = |what| {
            let path = path.clone();
            move |source| KeyError::Io { path, what, source }
        };
        if !path.exists() {
            let mut seed = Zeroizing::new([0; 32]);
            SystemRandom::new()
                .fill(&mut *seed)
                .map_err(|_| failed("make")(io::Error::other("no randomness is to be had")))?;
            let text = Zeroizing::new(STANDARD.encode(*seed));
            write_whole(&path, seal.seal(NAME, &text)?.as_bytes()).map_err(failed("make"))?;
        }
        let sealed = fs::read_to_string(&path).map_err(failed("read"))?;
        let opened = Zeroizing::new(seal.open(NAME, sealed.trim())?);
        let mut seed = Zeroizing::new([0; 32]);
        if STANDARD.decode_slice(opened.as_bytes(), &mut *seed) != Ok(32) {
            return Err(failed("read")(io::Error::other("it holds no key")));
        }
        let key = Self::from_seed(&seed);
        let public = secrets.join(PUBLIC_FILE);
        let line = format!("{} roundel\n", key.login.public);
        if fs::read_to_string(&public).ok().as_ref() != Some(&line) {
            write_whole(&public, line.as_bytes()).map_err(failed("tell"))?;
        }
        Ok(key)
    }

    /// A key that is good for a rehearsal, where nothing is ever opened.
    #[must_use]
    pub fn for_rehearsal() -> Self {
        Self::from_seed(&[0; 32])
    }

    /// The key of a seed.
    fn from_seed(seed: &[u8; 32]) -> Self {
        Self {
            login: Pair::from_seed(seed),
            hosts: hmac::Key::new(hmac::HMAC_SHA256, seed),
        }
    }

    /// The host key of a VM.
    #[must_use]
    pub fn of_host(&self, vm: VmId) -> Pair {
        let tag = hmac::sign(&self.hosts, format!("host key of {vm}").as_bytes());
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(tag.as_ref());
        Pair::from_seed(&seed)
    }
}

impl Pair {
    fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are a seed");
        let public = pair.public_key().as_ref();
        let blob = [string(KIND.as_bytes()), string(public)].concat();
        // PROTOCOL.key of OpenSSH: a head without a cipher, the public key, then the private part, padded to eight.
        let both = Zeroizing::new([&seed[..], public].concat());
        let check = [0x52, 0x6f, 0x75, 0x6e];
        let mut private = Zeroizing::new(
            [
                &check[..],
                &check[..],
                &blob,
                &string(&both),
                &string(b"roundel"),
            ]
            .concat(),
        );
        for pad in 1.. {
            if private.len().is_multiple_of(8) {
                break;
            }
            private.push(pad);
        }
        let whole = Zeroizing::new(
            [
                &b"openssh-key-v1\0"[..],
                &string(b"none"),
                &string(b"none"),
                &string(b""),
                &1u32.to_be_bytes(),
                &string(&blob),
                &string(&private),
            ]
            .concat(),
        );
        let text = Zeroizing::new(STANDARD.encode(&*whole));
        let mut file = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            // Base64 is ASCII, so any place is one between characters.
            let (line, more) = rest.split_at(rest.len().min(70));
            file.push_str(line);
            file.push('\n');
            rest = more;
        }
        file.push_str("-----END OPENSSH PRIVATE KEY-----\n");
        Self {
            public: format!("{KIND} {}", STANDARD.encode(blob)),
            private: Secret::new(file),
        }
    }
}

/// A string of SSH: its length in four bytes, then itself (RFC 4251, 5).
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_and_its_secret_half_is_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let seal = Seal::of(dir.path(), None).unwrap();
        let key = VmKey::of(dir.path(), &seal).unwrap();
        let again = VmKey::of(dir.path(), &seal).unwrap();
        assert_eq!(key.login.public, again.login.public);
        assert_eq!(key.login.private, again.login.private);
        let (one, two) = (VmId::fresh(), VmId::fresh());
        assert_eq!(key.of_host(one).public, again.of_host(one).public);
        assert_ne!(key.of_host(one).public, key.of_host(two).public);
        assert_ne!(key.of_host(one).public, key.login.public);
        let kept = fs::read_to_string(dir.path().join(KEY_FILE)).unwrap();
        assert!(kept.starts_with("1:"), "{kept}");
    }

    #[test]
    fn openssh_reads_both_halves() {
        let key = Pair::from_seed(&[7; 32]);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        write_whole(&file, key.private.expose().as_bytes()).unwrap();
        let said = std::process::Command::new("ssh-keygen")
            .args(["-y", "-f"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(said.status.success(), "{said:?}");
        let line = String::from_utf8(said.stdout).unwrap();
        assert_eq!(line.trim(), format!("{} roundel", key.public));
    }
}
