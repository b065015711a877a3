//! A private key: its form, its sort, its public half. Its bytes are wiped when it goes, and it prints as nothing.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tokio_rustls::rustls::crypto::ring::sign;
use tokio_rustls::rustls::pki_types::{
    PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use super::der::{self, oid, tag};
use super::file::KeyForm;
use super::public::{Algorithm, Public};

/// A private key that was read.
pub struct PrivateKey {
    form: KeyForm,
    algorithm: Algorithm,
    public: Option<Public>,
    der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("form", &self.form)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The bytes are no private key of the form that they were said to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what stands in it is no private key of the form {}", .0.described())]
pub struct UnusableKey(pub KeyForm);

/// What was found in one.
struct Inside {
    algorithm: Algorithm,
    public: Option<Public>,
}

impl PrivateKey {
    /// Reads a key in DER.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(form: KeyForm, der: &[u8]) -> Result<Self, UnusableKey> {
        let inside = match form {
            KeyForm::Pkcs8 => pkcs8(der),
            KeyForm::Pkcs1 => pkcs1(der),
            KeyForm::Sec1 => sec1(der, None),
        }
        .ok_or(UnusableKey(form))?;
        Ok(Self {
            form,
            algorithm: inside.algorithm,
            public: inside.public,
            der: Zeroizing::new(der.to_vec()),
        })
    }

    /// Its form.
    #[must_use]
    pub fn form(&self) -> KeyForm {
        self.form
    }

    /// Its sort.
    #[must_use]
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// Its public half; `None` where the key does not hold it.
    #[must_use]
    pub fn public(&self) -> Option<&Public> {
        self.public.as_ref()
    }

    /// For who serves with it.
    #[must_use]
    pub fn for_serving(&self) -> PrivateKeyDer<'static> {
        let der = self.der.to_vec();
        match self.form {
            KeyForm::Pkcs8 => PrivatePkcs8KeyDer::from(der).into(),
            KeyForm::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
            KeyForm::Sec1 => PrivateSec1KeyDer::from(der).into(),
        }
    }

    /// Whether this program can serve with it: RSA from 2048 to 4096 bits, P-256, P-384, Ed25519.
    #[must_use]
    pub fn can_serve(&self) -> bool {
        sign::any_supported_type(&self.for_serving()).is_ok()
    }
}

/// RFC 8017 §A.1.2: version, modulus, public exponent, and what is nobody's business.
fn pkcs1(bytes: &[u8]) -> Option<Inside> {
    let (numbers, _) = der::take(bytes, tag::SEQUENCE)?;
    let (_, rest) = der::take(numbers, tag::INTEGER)?;
    let (modulus, rest) = der::take(rest, tag::INTEGER)?;
    let (exponent, rest) = der::take(rest, tag::INTEGER)?;
    der::take(rest, tag::INTEGER)?;
    let public = Public::rsa(modulus, exponent)?;
    Some(Inside {
        algorithm: public.algorithm.clone(),
        public: Some(public),
    })
}

/// RFC 5915 §3; `curve` where the form around it names it.
fn sec1(bytes: &[u8], curve: Option<&[u8]>) -> Option<Inside> {
    let (fields, _) = der::take(bytes, tag::SEQUENCE)?;
    let (version, rest) = der::take(fields, tag::INTEGER)?;
    let (_, mut rest) = der::take(rest, tag::OCTETS)?;
    if version != [1] {
        return None;
    }
    let (mut curve, mut point) = (curve, None);
    while let Some(field) = der::element(rest) {
        match field.tag {
            tag::CONTEXT_0 => {
                curve = der::take(field.content, tag::OID)
                    .map(|(oid, _)| oid)
                    .or(curve);
            }
            tag::CONTEXT_1 => point = der::take(field.content, tag::BITS).map(|(bits, _)| bits),
            _ => {}
        }
        rest = field.rest;
    }
    let algorithm = curve.map_or(Algorithm::Other, Algorithm::of_curve);
    // The first byte of a string of bits counts those that are not used.
    let public = point
        .and_then(|bits| bits.split_first())
        .map(|(_, point)| Public::plain(algorithm.clone(), point));
    Some(Inside { algorithm, public })
}

/// RFC 5958 §2: version, algorithm, the key in a form of its own.
fn pkcs8(bytes: &[u8]) -> Option<Inside> {
    let (fields, _) = der::take(bytes, tag::SEQUENCE)?;
    let (_, rest) = der::take(fields, tag::INTEGER)?;
    let (algorithm, rest) = der::take(rest, tag::SEQUENCE)?;
    let (key, rest) = der::take(rest, tag::OCTETS)?;
    let (sort, parameters) = der::take(algorithm, tag::OID)?;
    let edwards = |algorithm: Algorithm| {
        let mut rest = rest;
        let mut public = None;
        while let Some(field) = der::element(rest) {
            if field.tag == tag::IMPLICIT_1 {
                public = field.content.split_first().map(|(_, point)| point.to_vec());
            }
            rest = field.rest;
        }
        (algorithm, public)
    };
    let (algorithm, public) = match sort {
        oid::RSA | oid::RSA_PSS => return pkcs1(key),
        oid::EC => return sec1(key, der::take(parameters, tag::OID).map(|(oid, _)| oid)),
        oid::ED25519 => {
            let (seed, _) = der::take(key, tag::OCTETS)?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
            (
                Algorithm::Ed25519,
                Some(pair.public_key().as_ref().to_vec()),
            )
        }
        oid::ED448 => edwards(Algorithm::Ed448),
        oid::DSA => (Algorithm::Dsa, None),
        _ => (Algorithm::Other, None),
    };
    let public = public.map(|point| Public::plain(algorithm.clone(), &point));
    Some(Inside { algorithm, public })
}
