//! What the two files are: everything that people take for a certificate or a key, by its name and with what makes it one.

use super::{Finding, Of, Question};
use crate::certificates::certificate::{Certificate, Unreadable};
use crate::certificates::file::{Block, File, KeyForm, PEM_MAX, Thing, read};
use crate::certificates::key::PrivateKey;
use crate::certificates::public::Algorithm;

const CERTIFICATE: &str = "certificate file";
const KEY: &str = "key file";

const SWAPPED: &str = "the two files are swapped: give each in the place of the other";

/// The certificates of a file, where it is one; says what it is.
pub(super) fn certificates(
    question: &Question<'_>,
    most: usize,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Certificate>> {
    let failed =
        |found: String, fix: &str| Finding::failed(CERTIFICATE, Of::Certificate, found, fix).hard();
    let (blocks, after) = match read(question.certificate) {
        File::Pem { blocks, after } => (blocks, after),
        other => {
            findings.push(unread(&other, CERTIFICATE, Of::Certificate, question.key));
            return None;
        }
    };
    let holds = |right: fn(&Thing) -> bool| blocks.iter().find(|block| right(&block.thing));
    if !blocks.iter().any(|block| block.thing == Thing::Certificate) {
        findings.push(failed(
            is_instead(&blocks),
            &to_certificate(&blocks[0].thing, question.key),
        ));
        return None;
    }
    if let Some(block) = holds(Thing::is_key) {
        findings.push(failed(
            format!("holds {} too, on line {}: it would be shown with the certificate", block.thing.described(), block.line),
            "take it out: `openssl crl2pkcs7 -nocrl -certfile CERT | openssl pkcs7 -print_certs -out cert.pem`",
        ));
        return None;
    }
    let ours: Vec<&Block> = blocks
        .iter()
        .filter(|block| block.thing == Thing::Certificate)
        .collect();
    if ours.len() > most {
        findings.push(failed(
            format!("holds {} certificates, more than {most}", ours.len()),
            "give the server's certificate and those of its issuers alone",
        ));
        return None;
    }
    let mut certificates = Vec::with_capacity(ours.len());
    for (block, number) in ours.iter().zip(1..) {
        match Certificate::read(&block.der) {
            Ok(certificate) => certificates.push(certificate),
            Err(err) => {
                let fix = match err {
                    Unreadable::Form => "export it anew: part of it is missing, or it was changed",
                    Unreadable::Trailing(_) => {
                        "export it anew: `openssl x509 -in CERT -out cert.pem` leaves the rest away"
                    }
                };
                findings.push(failed(
                    format!("block {number}, on line {}: {err}", block.line),
                    fix,
                ));
                return None;
            }
        }
    }
    let told = match certificates.len() {
        1 => "PEM, 1 certificate".to_owned(),
        count => format!("PEM, {count} certificates"),
    };
    let other = blocks
        .iter()
        .find(|block| block.thing != Thing::Certificate);
    findings.push(if let Some(block) = other {
        let found = format!(
            "{told}, and {} on line {}, which nobody looks at",
            block.thing.described(),
            block.line
        );
        Finding::warning(CERTIFICATE, Of::Certificate, found, "take it out")
    } else if let Some(line) = after {
        let found = format!("{told}, and from line {line} on something that is none");
        Finding::warning(
            CERTIFICATE,
            Of::Certificate,
            found,
            "take out what stands behind the last END line",
        )
    } else {
        Finding::ok(CERTIFICATE, Of::Certificate, told)
    });
    Some(certificates)
}

/// The key of a file, where it is one; says what it is. `certificate` is the other file.
pub(super) fn key(
    bytes: &[u8],
    certificate: &[u8],
    findings: &mut Vec<Finding>,
) -> Option<PrivateKey> {
    let failed = |found: String, fix: &str| Finding::failed(KEY, Of::Key, found, fix).hard();
    let (blocks, after) = match read(bytes) {
        File::Pem { blocks, after } => (blocks, after),
        other => {
            findings.push(unread(&other, KEY, Of::Key, Some(certificate)));
            return None;
        }
    };
    let keys: Vec<&Block> = blocks.iter().filter(|block| block.thing.is_key()).collect();
    let block = match keys.as_slice() {
        [] => {
            findings.push(failed(
                is_instead(&blocks),
                &to_key(&blocks[0].thing, certificate),
            ));
            return None;
        }
        [one] => one,
        [_, second, ..] => {
            findings.push(failed(
                format!(
                    "holds {} private keys, the second on line {}",
                    keys.len(),
                    second.line
                ),
                "leave the one that belongs to the certificate",
            ));
            return None;
        }
    };
    let Thing::Key(form) = block.thing else {
        findings.push(failed(
            format!("is {}", block.thing.described()),
            &to_key(&block.thing, certificate),
        ));
        return None;
    };
    let key = match PrivateKey::read(form, &block.der) {
        Ok(key) => key,
        Err(err) => {
            findings.push(failed(
                err.to_string(),
                "export it anew: part of it is missing, or it was changed",
            ));
            return None;
        }
    };
    let told = format!("{}, {}", form.described(), key.algorithm().described());
    let other = blocks
        .iter()
        .find(|block| !block.thing.is_key() && block.thing != Thing::Parameters);
    findings.push(
        if form == KeyForm::Pkcs8 && *key.algorithm() == Algorithm::Dsa {
            failed(
                format!("{told}: TLS has none for it any more"),
                "make a key of another sort, and have its certificate signed",
            )
        } else if let Some(other) = other {
            let found = format!(
                "{told}; and {} on line {}, which nobody looks at",
                other.thing.described(),
                other.line
            );
            Finding::warning(KEY, Of::Key, found, "leave the key alone")
        } else if let Some(line) = after {
            let found = format!("{told}; and from line {line} on something that is no key");
            Finding::warning(
                KEY,
                Of::Key,
                found,
                "take out what stands behind its END line",
            )
        } else {
            Finding::ok(KEY, Of::Key, told)
        },
    );
    Some(key)
}

/// What a file of blocks is, none of which is what was looked for.
fn is_instead(blocks: &[Block]) -> String {
    format!("is {}", blocks[0].thing.described())
}

/// What a file is that is no PEM. `other` is the file in the other place.
fn unread(file: &File, step: &'static str, of: Of, other: Option<&[u8]>) -> Finding {
    let wanted = match of {
        Of::Key => "a private key in PEM begins with -----BEGIN PRIVATE KEY-----",
        _ => "a certificate in PEM begins with -----BEGIN CERTIFICATE-----",
    };
    let (found, fix) = match file {
        File::Empty => ("is empty".to_owned(), wanted.to_owned()),
        File::Long => (
            format!("is longer than {} KB", PEM_MAX / 1024),
            wanted.to_owned(),
        ),
        File::Wide => (
            "is text in UTF-16".to_owned(),
            "save it as UTF-8, or `iconv -f utf-16 -t utf-8 FILE >file.pem`".to_owned(),
        ),
        File::Text => (
            "is text without anything in PEM".to_owned(),
            wanted.to_owned(),
        ),
        File::Broken { line, why } => (
            format!("what begins on line {line} {why}"),
            "copy it anew, from the first dash to the last".to_owned(),
        ),
        File::Der(thing) => {
            let fix = match of {
                Of::Key => to_key_from_der(thing, other.unwrap_or_default()),
                _ => to_certificate_from_der(thing, other),
            };
            let form = match thing {
                Thing::Pkcs12 | Thing::Keystore | Thing::Ssh => "",
                _ => " in DER",
            };
            (
                format!("is {}{form}, and PEM is needed", thing.described()),
                fix,
            )
        }
        File::Pem { .. } | File::Unknown => (
            "is nothing that is known here".to_owned(),
            wanted.to_owned(),
        ),
    };
    Finding::failed(step, of, found, fix).hard()
}

/// Whether a file is a certificate, or a private key, in whatever form.
fn is_a(bytes: &[u8], right: fn(&Thing) -> bool) -> bool {
    match read(bytes) {
        File::Pem { blocks, .. } => blocks.iter().any(|block| right(&block.thing)),
        File::Der(thing) => right(&thing),
        _ => false,
    }
}

fn is_certificate(thing: &Thing) -> bool {
    *thing == Thing::Certificate
}

/// What makes a certificate of a block of PEM. `key` is the file in the place of the key.
fn to_certificate(thing: &Thing, key: Option<&[u8]>) -> String {
    match thing {
        Thing::OpensslCertificate => "openssl x509 -in CERT -out cert.pem",
        Thing::Pkcs7 => "openssl pkcs7 -print_certs -in CERT -out cert.pem",
        Thing::Pkcs12 => "openssl pkcs12 -in CERT -nokeys -out cert.pem",
        Thing::Request => "send it to the authority, and give what it sends back",
        thing if thing.is_key() && key.is_some_and(|key| is_a(key, is_certificate)) => SWAPPED,
        _ => "give the certificate: it begins with -----BEGIN CERTIFICATE-----",
    }
    .to_owned()
}

fn to_certificate_from_der(thing: &Thing, key: Option<&[u8]>) -> String {
    match thing {
        Thing::Certificate => "openssl x509 -inform der -in CERT -out cert.pem",
        Thing::Pkcs7 => "openssl pkcs7 -inform der -print_certs -in CERT -out cert.pem",
        Thing::Keystore => {
            "keytool -importkeystore -srckeystore CERT -destkeystore store.p12 -deststoretype PKCS12, then openssl pkcs12 -in store.p12 -nokeys -out cert.pem"
        }
        thing => return to_certificate(thing, key),
    }
    .to_owned()
}

/// What makes a key of a block of PEM. `certificate` is the file in the place of the certificate.
fn to_key(thing: &Thing, certificate: &[u8]) -> String {
    match thing {
        Thing::Encrypted => "openssl pkey -in KEY -out key.pem takes the passphrase off",
        Thing::Ssh => "ssh-keygen -p -m pem -f COPY-OF-KEY writes it anew in the form of openssl; a key of its own would be better",
        Thing::Dsa => "make a key of another sort, and have its certificate signed",
        Thing::Pkcs12 => "openssl pkcs12 -in KEY -nocerts -noenc -out key.pem",
        Thing::Public => "give its private half, which is where it was made",
        Thing::Certificate | Thing::OpensslCertificate if is_a(certificate, Thing::is_key) => SWAPPED,
        _ => "give the private key: it begins with -----BEGIN PRIVATE KEY-----",
    }
    .to_owned()
}

fn to_key_from_der(thing: &Thing, certificate: &[u8]) -> String {
    match thing {
        Thing::Key(_) => "openssl pkey -inform der -in KEY -out key.pem",
        Thing::Encrypted => "openssl pkcs8 -inform der -in KEY -out key.pem takes the passphrase off",
        Thing::Keystore => {
            "keytool -importkeystore -srckeystore KEY -destkeystore store.p12 -deststoretype PKCS12, then openssl pkcs12 -in store.p12 -nocerts -noenc -out key.pem"
        }
        thing => return to_key(thing, certificate),
    }
    .to_owned()
}
