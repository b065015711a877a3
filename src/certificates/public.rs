//! The public half of a key: of which sort it is, how strong, and whether two are the same.

use super::der::{self, oid, tag};

/// Of which sort a key is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RSA, with the bits of its modulus.
    Rsa(usize),
    /// ECDSA on NIST's curve P-256.
    P256,
    /// On P-384.
    P384,
    /// On P-521.
    P521,
    /// On another curve.
    Curve(&'static str),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// DSA.
    Dsa,
    /// Anything else.
    Other,
}

impl Algorithm {
    /// In words: `RSA, 2048 bits`.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Algorithm::Rsa(bits) => format!("RSA, {bits} bits"),
            Algorithm::P256 => "ECDSA on P-256".to_owned(),
            Algorithm::P384 => "ECDSA on P-384".to_owned(),
            Algorithm::P521 => "ECDSA on P-521".to_owned(),
            Algorithm::Curve(name) => format!("ECDSA on {name}"),
            Algorithm::Ed25519 => "Ed25519".to_owned(),
            Algorithm::Ed448 => "Ed448".to_owned(),
            Algorithm::Dsa => "DSA".to_owned(),
            Algorithm::Other => "an algorithm that TLS does not have".to_owned(),
        }
    }

    /// By the content of a curve's object identifier.
    pub(super) fn of_curve(content: &[u8]) -> Self {
        match content {
            oid::P256 => Algorithm::P256,
            oid::P384 => Algorithm::P384,
            oid::P521 => Algorithm::P521,
            oid::P224 => Algorithm::Curve("P-224"),
            oid::K256 => Algorithm::Curve("secp256k1"),
            _ => Algorithm::Curve("a curve of its own"),
        }
    }
}

/// A public key: the same for a certificate and the private key that it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Public {
    /// Of which sort.
    pub algorithm: Algorithm,
    /// Modulus and exponent of RSA; of everything else its bytes alone.
    numbers: (Vec<u8>, Vec<u8>),
}

impl Public {
    /// RSA, from the content of its two numbers.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let (modulus, exponent) = (der::unsigned(modulus)?, der::unsigned(exponent)?);
        Some(Self {
            algorithm: Algorithm::Rsa(der::bits(modulus)),
            numbers: (modulus.to_vec(), exponent.to_vec()),
        })
    }

    /// Of another sort.
    pub(super) fn plain(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self {
            algorithm,
            numbers: (bytes.to_vec(), Vec::new()),
        }
    }

    /// From a certificate's field: the content of the algorithm's identifier, its parameters, and the key's bytes.
    pub(super) fn of_certificate(algorithm: &[u8], parameters: Option<&[u8]>, key: &[u8]) -> Self {
        let sort = match algorithm {
            oid::RSA | oid::RSA_PSS => {
                let read = || {
                    let (numbers, _) = der::take(key, tag::SEQUENCE)?;
                    let (modulus, rest) = der::take(numbers, tag::INTEGER)?;
                    let (exponent, _) = der::take(rest, tag::INTEGER)?;
                    Self::rsa(modulus, exponent)
                };
                if let Some(found) = read() {
                    return found;
                }
                Algorithm::Other
            }
            oid::EC => parameters.map_or(Algorithm::Other, Algorithm::of_curve),
            oid::ED25519 => Algorithm::Ed25519,
            oid::ED448 => Algorithm::Ed448,
            oid::DSA => Algorithm::Dsa,
            _ => Algorithm::Other,
        };
        Self::plain(sort, key)
    }
}
