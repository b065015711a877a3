//! A certificate that was read: what of it matters for serving with it and for trusting it.

use std::net::IpAddr;

use x509_parser::error::X509Error;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_MD5_WITH_RSA, OID_PKCS1_MD2WITHRSAENC, OID_PKCS1_MD4WITHRSAENC, OID_PKCS1_MD5WITHRSAENC,
    OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::names::Name;
use super::public::Public;
use crate::clock::Timestamp;
use crate::sanitise;

/// Most characters of a name that are shown.
const SHOWN_MAX: usize = 160;
/// Most names of a certificate that are looked at: the public authorities put in a hundred at most.
const NAMES_MAX: usize = 1_000;

/// ECDSA with SHA-1: 1.2.840.10045.4.1.
const ECDSA_SHA1: &str = "1.2.840.10045.4.1";
/// DSA with SHA-1: 1.2.840.10040.4.3.
const DSA_SHA1: &str = "1.2.840.10040.4.3";
/// Where an issuer's certificate can be had: 1.3.6.1.5.5.7.48.2.
const ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// The bytes are no certificate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// They are of another form.
    #[error("what stands in it is no certificate")]
    Form,
    /// Something stands behind it.
    #[error("{0} bytes stand behind the certificate in its block")]
    Trailing(usize),
}

/// Whether one certificate was signed with the key of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// The algorithm is one that this program does not know; the names fit.
    Unknown,
}

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    subject: (Vec<u8>, String),
    issuer: (Vec<u8>, String),
    issuer_called: String,
    common_name: Option<String>,
    pub(super) names: Vec<Name>,
    pub(super) has_names: bool,
    not_before: Timestamp,
    not_after: Timestamp,
    public: Public,
    pub(super) signature: Signature,
    pub(super) use_: Use,
    /// Where the certificate of its issuer can be had.
    pub(super) issuer_at: Option<String>,
}

/// By what it was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signature {
    Md,
    Sha1,
    Sound,
}

/// What it may be used for; `None` where it does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Use {
    /// It is an authority's.
    pub authority: Option<bool>,
    /// Most certificates of authorities below it.
    pub below: Option<u32>,
    /// Handshakes.
    pub handshakes: Option<bool>,
    /// Certifying others.
    pub certifying: Option<bool>,
    /// Servers, in so many words: openssl and rustls take `any` for nothing.
    pub servers: Option<bool>,
    /// An extension stands there twice, or is no extension.
    pub broken: bool,
}

impl Certificate {
    /// Reads one in DER.
    ///
    /// # Errors
    /// When it is none, or something stands behind it.
    pub fn read(der: &[u8]) -> Result<Self, Unreadable> {
        let (rest, found) = X509Certificate::from_der(der).map_err(|_| Unreadable::Form)?;
        if !rest.is_empty() {
            return Err(Unreadable::Trailing(rest.len()));
        }
        let moment = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
        let key = found.public_key();
        let parameters = key.algorithm.parameters.as_ref();
        let public = Public::of_certificate(
            key.algorithm.algorithm.as_bytes(),
            // Of a curve: its identifier.
            parameters.map(|any| any.data),
            &key.subject_public_key.data,
        );
        let (names, has_names) = names(&found);
        Ok(Self {
            der: der.to_vec(),
            subject: both(found.subject()),
            issuer: both(found.issuer()),
            issuer_called: common_name(found.issuer())
                .unwrap_or_else(|| shown(&found.issuer().to_string())),
            common_name: common_name(found.subject()),
            names,
            has_names,
            not_before: moment(found.validity().not_before.timestamp()),
            not_after: moment(found.validity().not_after.timestamp()),
            public,
            signature: signature(&found.signature_algorithm.algorithm),
            use_: use_of(&found),
            issuer_at: issuer_at(&found),
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whose it is, inert for a terminal.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject.1
    }

    /// Who signed it, inert for a terminal.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer.1
    }

    /// A short name for who signed it.
    #[must_use]
    pub fn issuer_called(&self) -> &str {
        &self.issuer_called
    }

    /// The name of its subject, which stands for no host any more.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// A short name for it: of its subject, else the first that it is for.
    #[must_use]
    pub fn called(&self) -> String {
        match (&self.common_name, self.names.first()) {
            (Some(name), _) => name.clone(),
            (None, _) if !self.subject.1.is_empty() => self.subject.1.clone(),
            (None, Some(name)) => name.to_string(),
            (None, None) => "a certificate without a name".to_owned(),
        }
    }

    /// The names that it is for, inert for a terminal; not that of its subject, which nobody looks at any more.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// From when on it holds.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it holds.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Its key.
    #[must_use]
    pub fn public(&self) -> &Public {
        &self.public
    }

    /// Whether it is an authority's.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.use_.authority == Some(true)
    }

    /// Whether its own key signed it, as is so for roots; also where that cannot be found out and the names say so.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.names_issuer(self) && self.signed_by(self) != Signed::No
    }

    /// Whether it names another as its issuer; says nothing of who signed.
    pub(super) fn names_issuer(&self, issuer: &Certificate) -> bool {
        self.issuer.0 == issuer.subject.0
    }

    /// Whether the key of another signed it.
    #[must_use]
    pub fn signed_by(&self, issuer: &Certificate) -> Signed {
        // Both were read from these bytes before.
        let (Ok((_, own)), Ok((_, other))) = (
            X509Certificate::from_der(&self.der),
            X509Certificate::from_der(&issuer.der),
        ) else {
            return Signed::No;
        };
        match own.verify_signature(Some(other.public_key())) {
            Ok(()) => Signed::Yes,
            Err(X509Error::SignatureVerificationError) if self.public_can_be_checked(issuer) => {
                Signed::No
            }
            Err(_) => Signed::Unknown,
        }
    }

    /// Whether ring takes the issuer's key at all: it refuses RSA below 2048 bits, and says no more than that it refused.
    fn public_can_be_checked(&self, issuer: &Certificate) -> bool {
        use super::public::Algorithm;
        match (&issuer.public.algorithm, self.signature) {
            (Algorithm::Rsa(bits), Signature::Sha1) => (1024..=8192).contains(bits),
            (Algorithm::Rsa(bits), _) => (2048..=8192).contains(bits),
            _ => true,
        }
    }

    /// Whether both are the same bytes.
    pub(super) fn is(&self, other: &Certificate) -> bool {
        self.der == other.der
    }
}

/// A name's bytes, and the name for people.
fn both(name: &X509Name<'_>) -> (Vec<u8>, String) {
    (name.as_raw().to_vec(), shown(&name.to_string()))
}

fn shown(text: &str) -> String {
    let text = sanitise::line(text);
    if text.chars().count() <= SHOWN_MAX {
        return text.into_owned();
    }
    text.chars().take(SHOWN_MAX).chain(['…']).collect()
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let text = name.iter_common_name().next()?.as_str().ok()?;
    (!text.is_empty()).then(|| shown(text))
}

/// The names that it is for, and whether there is a list of them at all.
fn names(found: &X509Certificate<'_>) -> (Vec<Name>, bool) {
    let Ok(Some(list)) = found.subject_alternative_name() else {
        return (Vec::new(), false);
    };
    let names = list.value.general_names.iter().take(NAMES_MAX);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(text) => Some(Name::Dns(shown(text))),
        GeneralName::IPAddress(bytes) => address(bytes).map(Name::Address),
        _ => None,
    });
    (names.collect(), true)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn signature(algorithm: &Oid<'_>) -> Signature {
    let md = [
        OID_PKCS1_MD2WITHRSAENC,
        OID_PKCS1_MD4WITHRSAENC,
        OID_PKCS1_MD5WITHRSAENC,
        OID_MD5_WITH_RSA,
    ];
    if md.contains(algorithm) {
        return Signature::Md;
    }
    let text = algorithm.to_id_string();
    let sha1 = [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(algorithm)
        || [ECDSA_SHA1, DSA_SHA1].contains(&text.as_str());
    if sha1 {
        Signature::Sha1
    } else {
        Signature::Sound
    }
}

fn use_of(found: &X509Certificate<'_>) -> Use {
    let mut use_ = Use::default();
    match found.basic_constraints() {
        Ok(Some(basic)) => {
            use_.authority = Some(basic.value.ca);
            use_.below = basic.value.path_len_constraint;
        }
        Ok(None) => {}
        Err(_) => use_.broken = true,
    }
    match found.key_usage() {
        Ok(Some(usage)) => {
            use_.handshakes = Some(usage.value.digital_signature());
            use_.certifying = Some(usage.value.key_cert_sign());
        }
        Ok(None) => {}
        Err(_) => use_.broken = true,
    }
    match found.extended_key_usage() {
        Ok(Some(usage)) => use_.servers = Some(usage.value.server_auth),
        Ok(None) => {}
        Err(_) => use_.broken = true,
    }
    use_.broken |= found.extensions().iter().any(|extension| {
        matches!(
            extension.parsed_extension(),
            ParsedExtension::ParseError { .. }
        )
    }) || found.subject_alternative_name().is_err();
    use_
}

fn issuer_at(found: &X509Certificate<'_>) -> Option<String> {
    found.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            return None;
        };
        access
            .iter()
            .find_map(|place| match &place.access_location {
                GeneralName::URI(url) if place.access_method.to_id_string() == ISSUERS => {
                    Some(shown(url))
                }
                _ => None,
            })
    })
}
