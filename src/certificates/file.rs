//! What a file is: PEM and what its blocks hold, DER and of what, or something else that people take for it.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::der::{self, oid, tag};

/// Longest file that is looked at, in bytes: as long as a setting may be.
pub const PEM_MAX: usize = 256 * 1024;

/// The form of a private key that is not encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyForm {
    /// `PRIVATE KEY`.
    Pkcs8,
    /// `RSA PRIVATE KEY`.
    Pkcs1,
    /// `EC PRIVATE KEY`.
    Sec1,
}

impl KeyForm {
    /// As the standard is called.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            KeyForm::Pkcs8 => "PKCS#8",
            KeyForm::Pkcs1 => "PKCS#1",
            KeyForm::Sec1 => "SEC1",
        }
    }
}

/// What a block, or a whole file, holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A certificate.
    Certificate,
    /// A certificate in a form of openssl's own.
    OpensslCertificate,
    /// A request for one.
    Request,
    /// A list of those that are revoked.
    Revoked,
    /// Certificates in PKCS#7.
    Pkcs7,
    /// A store in PKCS#12.
    Pkcs12,
    /// A store of Java's.
    Keystore,
    /// A private key.
    Key(KeyForm),
    /// A private key under a passphrase.
    Encrypted,
    /// The public half of a key.
    Public,
    /// A private key as ssh keeps it.
    Ssh,
    /// A private key for DSA.
    Dsa,
    /// Parameters, which stand beside some keys and mean nothing here.
    Parameters,
    /// Something else, by its label.
    Other(String),
}

impl Thing {
    /// With an article.
    #[must_use]
    pub fn described(&self) -> String {
        let text = match self {
            Thing::Certificate => "a certificate",
            Thing::OpensslCertificate => "a certificate in a form of openssl's own",
            Thing::Request => "a request for a certificate, which an authority has yet to sign",
            Thing::Revoked => "a list of revoked certificates",
            Thing::Pkcs7 => "a bundle of certificates in PKCS#7",
            Thing::Pkcs12 => "a PKCS#12 store",
            Thing::Keystore => "a keystore of Java",
            Thing::Key(form) => return format!("a private key in {}", form.described()),
            Thing::Encrypted => "an encrypted private key",
            Thing::Public => "a public key",
            Thing::Ssh => "a private key in the form of OpenSSH",
            Thing::Dsa => "a private key for DSA",
            Thing::Parameters => "parameters of a key",
            Thing::Other(label) => {
                return format!("`{}`", crate::sanitise::line(label));
            }
        };
        text.to_owned()
    }

    /// Whether it is a private key, readable or not.
    #[must_use]
    pub fn is_key(&self) -> bool {
        matches!(
            self,
            Thing::Key(_) | Thing::Encrypted | Thing::Ssh | Thing::Dsa
        )
    }
}

/// A block of PEM.
#[derive(Debug)]
pub struct Block {
    /// What it holds.
    pub thing: Thing,
    /// Its bytes; empty for what is not read here.
    pub der: Zeroizing<Vec<u8>>,
    /// The line on which it begins, from 1.
    pub line: usize,
}

/// What a file is.
#[derive(Debug)]
pub enum File {
    /// Nothing, or blanks.
    Empty,
    /// Longer than anything that is looked at.
    Long,
    /// Blocks of PEM.
    Pem {
        /// In their order; one at least.
        blocks: Vec<Block>,
        /// The line with text behind the last block.
        after: Option<usize>,
    },
    /// PEM that is broken.
    Broken {
        /// The line on which that shows.
        line: usize,
        /// In which way, as an end of a sentence.
        why: &'static str,
    },
    /// Bytes.
    Der(Thing),
    /// Text in UTF-16, as some editors write it.
    Wide,
    /// Text without a block of PEM.
    Text,
    /// Bytes that are nothing known.
    Unknown,
}

/// Looks what a file is.
#[must_use]
pub fn read(bytes: &[u8]) -> File {
    if bytes.len() > PEM_MAX {
        return File::Long;
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return File::Empty;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return File::Wide;
    }
    if let Some(thing) = binary(bytes) {
        return File::Der(thing);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => File::Unknown,
        Ok(text) => lines(text),
        Err(_) if memchr::memmem::find(bytes, b"-----BEGIN ").is_some() => {
            lines(&String::from_utf8_lossy(bytes))
        }
        Err(_) => File::Unknown,
    }
}

/// What begins and ends a block.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A block that is being read.
struct Open<'a> {
    label: &'a str,
    line: usize,
    body: Zeroizing<String>,
    /// A line of the form `Name: value` stands in it, and one of those says that it is encrypted.
    headers: bool,
    encrypted: bool,
}

fn lines(text: &str) -> File {
    let broken = |line, why| File::Broken { line, why };
    if text.starts_with('\u{feff}') {
        return broken(
            1,
            "begins with a byte order mark, which other programs stumble over",
        );
    }
    let (mut blocks, mut after) = (Vec::new(), None);
    let mut open: Option<Open<'_>> = None;
    for (raw, number) in text.lines().zip(1..) {
        let line = raw.trim_end();
        match &mut open {
            None => {
                let Some(at) = line.find(BEGIN) else {
                    if !line.is_empty() && !blocks.is_empty() {
                        after = after.or(Some(number));
                    }
                    continue;
                };
                let label = line[at + BEGIN.len()..].strip_suffix(DASHES);
                match (at, label) {
                    (0, Some(label)) if !label.contains(DASHES) => {
                        // What stood between two blocks is a remark on the second.
                        after = None;
                        open = Some(Open {
                            label,
                            line: number,
                            body: Zeroizing::new(String::new()),
                            headers: false,
                            encrypted: false,
                        });
                    }
                    (at, Some(label))
                        if line[..at].trim().is_empty() && !label.contains(DASHES) =>
                    {
                        return broken(number, "is indented");
                    }
                    _ => {
                        return broken(number, "has lost its line ends, or part of its first line");
                    }
                }
            }
            Some(block) => {
                if let Some(label) = line.strip_prefix(END) {
                    if label.strip_suffix(DASHES) != Some(block.label) {
                        return broken(number, "ends as another thing than it begins as");
                    }
                    let read = finish(block);
                    let Ok(block) = read else {
                        return broken(block.line, "holds something that is no base64");
                    };
                    blocks.push(block);
                    open = None;
                } else if line.contains(BEGIN) {
                    return broken(block.line, "has no END line before the next thing begins");
                } else if line.contains(": ") {
                    block.headers = true;
                    block.encrypted |= line.starts_with("Proc-Type:") && line.contains("ENCRYPTED");
                } else {
                    block.body.push_str(line.trim());
                    block.body.push('\n');
                }
            }
        }
    }
    match open {
        Some(block) => broken(block.line, "has no END line: the end is cut off"),
        None if blocks.is_empty() => File::Text,
        None => File::Pem { blocks, after },
    }
}

/// The block that was read, or nothing where its base64 is none.
fn finish(open: &Open<'_>) -> Result<Block, ()> {
    let thing = match open.label {
        _ if open.encrypted => Thing::Encrypted,
        "CERTIFICATE" => Thing::Certificate,
        "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => Thing::OpensslCertificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Thing::Request,
        "X509 CRL" => Thing::Revoked,
        "PKCS7" | "CMS" => Thing::Pkcs7,
        "PKCS12" => Thing::Pkcs12,
        "PRIVATE KEY" => Thing::Key(KeyForm::Pkcs8),
        "RSA PRIVATE KEY" => Thing::Key(KeyForm::Pkcs1),
        "EC PRIVATE KEY" => Thing::Key(KeyForm::Sec1),
        "ENCRYPTED PRIVATE KEY" => Thing::Encrypted,
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Thing::Public,
        "OPENSSH PRIVATE KEY" => Thing::Ssh,
        "DSA PRIVATE KEY" => Thing::Dsa,
        "EC PARAMETERS" | "DH PARAMETERS" | "DSA PARAMETERS" => Thing::Parameters,
        label => Thing::Other(label.to_owned()),
    };
    let mut der = Zeroizing::new(Vec::new());
    if matches!(thing, Thing::Certificate | Thing::Key(_)) {
        if open.headers {
            return Err(());
        }
        // By the reader that whoever serves with the file uses too.
        let (begin, end) = (BEGIN, END);
        let (label, body) = (open.label, open.body.as_str());
        let text = Zeroizing::new(format!(
            "{begin}{label}{DASHES}\n{body}{end}{label}{DASHES}\n"
        ));
        use rustls_pemfile::Item;
        let item = rustls_pemfile::read_one_from_slice(text.as_bytes()).map_err(drop)?;
        match item.map(|(item, _)| item) {
            Some(Item::X509Certificate(found)) => der.extend_from_slice(&found),
            Some(Item::Pkcs1Key(found)) => der.extend_from_slice(found.secret_pkcs1_der()),
            Some(Item::Pkcs8Key(found)) => der.extend_from_slice(found.secret_pkcs8_der()),
            Some(Item::Sec1Key(found)) => der.extend_from_slice(found.secret_sec1_der()),
            _ => return Err(()),
        }
    }
    Ok(Block {
        thing,
        der,
        line: open.line,
    })
}

/// What bytes that are no text hold; `None` for text and for what is not known.
fn binary(bytes: &[u8]) -> Option<Thing> {
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || bytes.starts_with(&[0xce; 4]) {
        return Some(Thing::Keystore);
    }
    if bytes.starts_with(b"openssh-key-v1\0") {
        return Some(Thing::Ssh);
    }
    // PKCS#12 is also written with lengths left open: an outer sequence, then the number of its version.
    if bytes.starts_with(&[0x30, 0x80, 0x02, 0x01, 0x03]) {
        return Some(Thing::Pkcs12);
    }
    let (whole, _) = der::take(bytes, tag::SEQUENCE)?;
    if X509Certificate::from_der(bytes).is_ok() {
        return Some(Thing::Certificate);
    }
    if X509CertificationRequest::from_der(bytes).is_ok() {
        return Some(Thing::Request);
    }
    let first = der::element(whole)?;
    match first.tag {
        tag::OID if first.content.starts_with(oid::PKCS7) => Some(Thing::Pkcs7),
        tag::INTEGER => {
            let second = der::element(first.rest)?;
            match (first.content, second.tag) {
                ([3], tag::SEQUENCE) => Some(Thing::Pkcs12),
                ([0 | 1], tag::SEQUENCE) => Some(Thing::Key(KeyForm::Pkcs8)),
                ([0 | 1], tag::INTEGER) => Some(Thing::Key(KeyForm::Pkcs1)),
                ([1], tag::OCTETS) => Some(Thing::Key(KeyForm::Sec1)),
                _ => None,
            }
        }
        tag::SEQUENCE => {
            let (algorithm, _) = der::take(first.content, tag::OID)?;
            let encrypted = [oid::PKCS5, oid::PKCS12_PBE];
            match der::element(first.rest)?.tag {
                tag::OCTETS if encrypted.iter().any(|way| algorithm.starts_with(way)) => {
                    Some(Thing::Encrypted)
                }
                tag::BITS => Some(Thing::Public),
                _ => None,
            }
        }
        _ => None,
    }
}
