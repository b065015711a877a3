//! The certificates that are served: taken from the settings as they are saved, and swapped while connections go on.
//!
//! Each place that is listened on by TLS has the certificate of the server's own to fall back on. A new one that
//! cannot be used leaves the one before where it is, and says why. Knows no sockets.
//!
//! What is swapped is the whole configuration of the handshakes and not only a resolver's answer: sessions of the
//! certificate before are not resumed, so that every new connection is shown the new one.

mod facts;

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::tls::{Identity, server_config};
use crate::clock::Timestamp;
use crate::settings::value::{Value, Values};

pub use facts::Facts;

/// Longest chain that is served: longer ones are no chains.
const CHAIN_MAX: usize = 16;

/// Where a certificate is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On the addresses that everybody uses.
    Public,
    /// On the port of consoles.
    Console,
}

impl Place {
    /// Both.
    pub const ALL: [Place; 2] = [Place::Public, Place::Console];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Place::Public => "public",
            Place::Console => "console",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Place::Public => "the public address",
            Place::Console => "the console",
        }
    }
}

/// Where a certificate comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Made by the server at its first start.
    Own,
    /// `ssl_cert` of Privacy.
    Privacy,
    /// `console.tls.cert`.
    Console,
}

impl Source {
    /// Its word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Source::Own => "self-signed",
            Source::Privacy => "privacy",
            Source::Console => "console",
        }
    }

    /// The setting that holds the certificate.
    #[must_use]
    pub fn setting(self) -> Option<&'static str> {
        match self {
            Source::Own => None,
            Source::Privacy => Some("ssl_cert"),
            Source::Console => Some("console.tls.cert"),
        }
    }
}

/// Why a certificate and its key cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no certificate in it.
    #[error("`{0}` holds no certificate in PEM")]
    NoCertificate(&'static str),
    /// There is no key in it.
    #[error("`{0}` holds no private key in PEM that is not encrypted")]
    NoKey(&'static str),
    /// The key is sealed, and nobody has opened it yet.
    #[error("`{0}` is locked: `roundel unlock` opens it")]
    Locked(&'static str),
    /// It is longer than any chain.
    #[error("`{0}` holds more than {CHAIN_MAX} certificates")]
    Long(&'static str),
    /// The certificate cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    /// They do not fit each other, or the kind of the key is unknown.
    #[error("certificate and key cannot be used together: {0}")]
    Together(String),
}

/// A certificate that can be served.
#[derive(Clone, Debug)]
pub struct Served {
    config: Arc<ServerConfig>,
    /// What it says of itself.
    pub facts: Facts,
    /// Where it comes from.
    pub source: Source,
}

impl Served {
    /// The certificate of the server's own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn own(identity: &Identity) -> Result<Self, Unfit> {
        Ok(Self {
            config: identity.config.clone(),
            facts: Facts::of(&identity.certificate)?,
            source: Source::Own,
        })
    }

    fn of(given: &Given) -> Result<Self, Unfit> {
        let chain = CertificateDer::pem_slice_iter(given.chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Unfit::NoCertificate(given.keys.0))?;
        let first = chain.first().ok_or(Unfit::NoCertificate(given.keys.0))?;
        if chain.len() > CHAIN_MAX {
            return Err(Unfit::Long(given.keys.0));
        }
        let facts = Facts::of(first)?;
        let key = match &given.key {
            Value::Locked => return Err(Unfit::Locked(given.keys.1)),
            key => PrivateKeyDer::from_pem_slice(key.text().as_bytes())
                .map_err(|_| Unfit::NoKey(given.keys.1))?,
        };
        let config = server_config(chain, key).map_err(|err| Unfit::Together(err.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            facts,
            source: given.source,
        })
    }
}

/// What the settings want to be served at a place.
struct Given {
    source: Source,
    /// Names of the settings.
    keys: (&'static str, &'static str),
    chain: String,
    key: Value,
}

impl Given {
    fn at(place: Place, values: &Values) -> Option<Self> {
        let of = |source, keys: (&'static str, &'static str)| {
            let (chain, key) = (values.text(keys.0), values.get(keys.1)?.into_owned());
            (!chain.is_empty() && !key.is_empty()).then_some(Self {
                source,
                keys,
                chain,
                key,
            })
        };
        let privacy = || of(Source::Privacy, ("ssl_cert", "ssl_private_key"));
        match (place, values.text("console.tls.source").as_str()) {
            (Place::Public, _) | (Place::Console, "privacy") => privacy(),
            (Place::Console, "key-cert") => {
                of(Source::Console, ("console.tls.cert", "console.tls.key"))
            }
            (Place::Console, _) => None,
        }
    }

    /// Tells whether it is the same as before, without keeping the key.
    fn mark(&self) -> [u8; 32] {
        let mut all = Sha256::new();
        all.update([u8::from(self.key == Value::Locked), self.source as u8]);
        all.update((self.chain.len() as u64).to_be_bytes());
        all.update(&self.chain);
        all.update(self.key.text());
        all.finalize().into()
    }
}

/// Why the certificate that is set is not the one that is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: Unfit,
}

impl Trouble {
    /// Whether nothing is wrong with it, but that its key has yet to be opened.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self.why, Unfit::Locked(_))
    }
}

/// What is served at a place.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Where.
    pub place: Place,
    /// Where the certificate comes from.
    pub source: Source,
    /// What it says of itself.
    pub facts: Facts,
    /// Why it is not the one that is set.
    pub trouble: Option<Trouble>,
}

#[derive(Debug, Default)]
struct Slot {
    own: Option<Served>,
    now: Option<Served>,
    mark: Option<[u8; 32]>,
    trouble: Option<Trouble>,
}

/// All that are served; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<[Mutex<Slot>; Place::ALL.len()]>);

impl Certificates {
    /// A place is listened on from now on, by a certificate of the server's own until another one is set.
    pub fn open(&self, place: Place, own: Served) {
        let mut slot = self.slot(place);
        slot.own = Some(own.clone());
        slot.now = Some(own);
    }

    /// Serves what the settings say, at the places that are listened on. What has not changed stays as it is.
    pub fn follow(&self, values: &Values, now: Timestamp) {
        for place in Place::ALL {
            self.slot(place)
                .follow(Given::at(place, values), place, now);
        }
    }

    /// The configuration for the next handshake; `None` where nothing is listened on.
    #[must_use]
    pub fn config(&self, place: Place) -> Option<Arc<ServerConfig>> {
        Some(self.slot(place).now.as_ref()?.config.clone())
    }

    /// What is served at a place that is listened on.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<Standing> {
        let slot = self.slot(place);
        let served = slot.now.as_ref()?;
        Some(Standing {
            place,
            source: served.source,
            facts: served.facts.clone(),
            trouble: slot.trouble.clone(),
        })
    }

    /// All places that are listened on.
    #[must_use]
    pub fn all(&self) -> Vec<Standing> {
        Place::ALL
            .into_iter()
            .filter_map(|place| self.at(place))
            .collect()
    }

    fn slot(&self, place: Place) -> std::sync::MutexGuard<'_, Slot> {
        self.0[place as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn follow(&mut self, given: Option<Given>, place: Place, now: Timestamp) {
        let Some(own) = &self.own else { return };
        let mark = given.as_ref().map(Given::mark);
        if mark == self.mark {
            return;
        }
        self.mark = mark;
        match given.as_ref().map(Served::of) {
            None => {
                self.now = Some(own.clone());
                self.trouble = None;
            }
            Some(Ok(served)) => {
                tracing::info!(place = place.word(), name = %served.facts.name, fingerprint = %served.facts.fingerprint, "serving another certificate");
                self.now = Some(served);
                self.trouble = None;
            }
            Some(Err(why)) => {
                tracing::warn!(place = place.word(), error = %why, "the certificate that is set cannot be served");
                self.trouble = Some(Trouble { since: now, why });
            }
        }
    }
}

#[cfg(test)]
mod tests;
