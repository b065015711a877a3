//! What holds for any bytes; what each form and each rule comes to is in the table of `tests/data/tls`.

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;

fn made(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn ask<'a>(certificate: &'a [u8], key: &'a [u8], host: &'a str) -> Question<'a> {
    Question {
        certificate,
        key: Some(key),
        host: Some(host),
        front: Front::Direct,
        now: Some(Timestamp(1_800_000_000_000)),
        trusted: Some(&[]),
    }
}

/// Bytes that look like something: cut, changed or joined pieces of real files.
fn near() -> impl Strategy<Value = Vec<u8>> {
    let (cert, key) = made("ci.example.com");
    let read = |text: &str| match read(text.as_bytes()) {
        File::Pem { blocks, .. } => blocks[0].der.to_vec(),
        other => panic!("{other:?}"),
    };
    let pieces = vec![
        read(&cert),
        read(&key),
        cert.into_bytes(),
        key.into_bytes(),
        b"-----BEGIN CERTIFICATE-----\n".to_vec(),
        b"-----END CERTIFICATE-----\n".to_vec(),
        b"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n".to_vec(),
        vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        vec![0x30, 0x80, 0x02, 0x01, 0x03],
    ];
    let changed = (
        prop::sample::select(pieces),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    );
    let piece = changed.prop_map(|(mut bytes, from, to, changes)| {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len() + 1));
        // Mostly whole, sometimes cut.
        match from % 3 {
            0 => bytes,
            _ => bytes[from.min(to)..from.max(to)].to_vec(),
        }
    });
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down_and_what_it_says_is_inert(
        certificate in prop_oneof![near(), prop::collection::vec(any::<u8>(), 0..600)],
        key in prop_oneof![near(), prop::collection::vec(any::<u8>(), 0..600)],
        host in "\\PC{0,20}",
    ) {
        let look = look(&ask(&certificate, &key, &host));
        prop_assert!(!look.findings.is_empty());
        for finding in &look.findings {
            prop_assert_eq!(finding.verdict == Verdict::Ok, finding.fix.is_none());
            let said = format!("{}{:?}", finding.found, finding.fix);
            prop_assert!(!said.chars().any(|c| c.is_control()), "{}", said);
        }
        let _ = authorities(&certificate);
        let _ = Certificate::read(&certificate);
        for form in [KeyForm::Pkcs8, KeyForm::Pkcs1, KeyForm::Sec1] {
            let _ = PrivateKey::read(form, &key).map(|key| key.can_serve());
        }
    }
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let long = "x".repeat(PEM_MAX + 1);
    assert!(matches!(read(long.as_bytes()), File::Long));
    let (cert, _) = made("ci.example.com");
    let many = cert.repeat(33);
    let look = look(&ask(many.as_bytes(), b"", "ci.example.com"));
    assert!(
        look.findings[0].found.contains("33 certificates"),
        "{look:?}"
    );
    assert!(look.path.is_empty());
}

#[test]
fn what_is_written_as_pem_is_read_again() {
    let (cert, key) = made("ci.example.com");
    let File::Pem {
        blocks,
        after: None,
    } = read(cert.as_bytes())
    else {
        panic!("no PEM");
    };
    assert_eq!(pem(&blocks[0].der), cert.replace("\r\n", "\n"));
    let told = format!(
        "{:?}",
        PrivateKey::read(
            KeyForm::Pkcs8,
            &match read(key.as_bytes()) {
                File::Pem { blocks, .. } => blocks[0].der.to_vec(),
                other => panic!("{other:?}"),
            }
        )
    );
    assert!(told.contains("P256") && !told.contains("der"), "{told}");
}

#[test]
fn without_a_moment_and_without_authorities_only_what_stays_is_said() {
    let (cert, key) = made("ci.example.com");
    let mut question = ask(cert.as_bytes(), key.as_bytes(), "ci.example.com");
    let steps = |question: &Question<'_>| -> Vec<&'static str> {
        look(question).findings.iter().map(|one| one.step).collect()
    };
    assert!(steps(&question).contains(&"validity"));
    question.now = None;
    question.trusted = None;
    let left = steps(&question);
    assert!(
        !left.contains(&"validity") && !left.contains(&"issuers"),
        "{left:?}"
    );
    assert!(
        left.contains(&"name") && left.contains(&"strength"),
        "{left:?}"
    );
}
