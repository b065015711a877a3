//! Which certificate is served after which settings were saved.

use super::*;
use crate::secret::Secret;
use crate::services::tls::identity;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A certificate and its key, in PEM.
fn made(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn set(values: &mut Values, keys: (&str, &str), pair: (&str, &str)) {
    values.set(keys.0, Value::Text(pair.0.to_owned()));
    values.set(keys.1, Value::Secret(Secret::new(pair.1.to_owned())));
}

const PRIVACY: (&str, &str) = ("ssl_cert", "ssl_private_key");
const CONSOLE: (&str, &str) = ("console.tls.cert", "console.tls.key");

/// Both places open; the directory lives as long as the certificates.
fn open() -> (Certificates, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    let own = Served::own(&identity(root.path(), "ci.example.com").unwrap()).unwrap();
    let all = Certificates::default();
    assert!(
        all.config(Place::Public).is_none(),
        "nothing is listened on"
    );
    for place in Place::ALL {
        all.open(place, own.clone());
    }
    (all, root)
}

fn name(all: &Certificates, place: Place) -> String {
    all.at(place).unwrap().facts.name
}

#[test]
fn each_place_serves_what_is_set_for_it_and_its_own_until_then() {
    let (all, _root) = open();
    let mut values = Values::default();
    all.follow(&values, NOW);
    assert_eq!(all.at(Place::Public).unwrap().source, Source::Own);
    let (one, two) = (made("one.example.com"), made("two.example.com"));
    set(&mut values, PRIVACY, (&one.0, &one.1));
    set(&mut values, CONSOLE, (&two.0, &two.1));
    all.follow(&values, NOW);
    assert_eq!(name(&all, Place::Public), "one.example.com");
    assert_eq!(
        all.at(Place::Console).unwrap().source,
        Source::Own,
        "nobody has chosen another one for the console"
    );
    for (source, expected) in [
        ("key-cert", "two.example.com"),
        ("privacy", "one.example.com"),
        ("self-signed", "ci.example.com"),
    ] {
        values.set("console.tls.source", Value::Text(source.to_owned()));
        all.follow(&values, NOW);
        assert_eq!(name(&all, Place::Console), expected, "{source}");
    }
}

#[test]
fn one_that_cannot_be_used_leaves_the_one_before_and_says_why() {
    let (all, _root) = open();
    let (one, two) = (made("one.example.com"), made("two.example.com"));
    let mut values = Values::default();
    set(&mut values, PRIVACY, (&one.0, &one.1));
    all.follow(&values, NOW);
    let before = all.config(Place::Public).unwrap();
    for (pair, why) in [
        ((two.0.as_str(), one.1.as_str()), "cannot be used together"),
        (
            ("nothing", one.1.as_str()),
            "`ssl_cert` holds no certificate",
        ),
        (
            (two.0.as_str(), "nothing"),
            "`ssl_private_key` holds no private key",
        ),
    ] {
        set(&mut values, PRIVACY, pair);
        all.follow(&values, NOW);
        let standing = all.at(Place::Public).unwrap();
        assert_eq!(standing.facts.name, "one.example.com");
        let trouble = standing.trouble.unwrap();
        assert!(trouble.why.to_string().contains(why), "{}", trouble.why);
        assert!(!trouble.is_locked());
        assert_eq!(trouble.since, NOW);
    }
    values.set(PRIVACY.1, Value::Locked);
    all.follow(&values, NOW);
    let trouble = all.at(Place::Public).unwrap().trouble.unwrap();
    assert!(trouble.is_locked(), "{}", trouble.why);
    assert!(Arc::ptr_eq(&before, &all.config(Place::Public).unwrap()));
    set(&mut values, PRIVACY, (&two.0, &two.1));
    all.follow(&values, NOW);
    assert_eq!(name(&all, Place::Public), "two.example.com");
    assert_eq!(all.at(Place::Public).unwrap().trouble, None);
}

#[test]
fn what_has_not_changed_is_not_made_anew() {
    let (all, _root) = open();
    let one = made("one.example.com");
    let mut values = Values::default();
    set(&mut values, PRIVACY, (&one.0, &one.1));
    all.follow(&values, NOW);
    let before = all.config(Place::Public).unwrap();
    values.set("hostname", Value::Text("one.example.com".to_owned()));
    all.follow(&values, NOW);
    assert!(Arc::ptr_eq(&before, &all.config(Place::Public).unwrap()));
}

#[test]
fn days_are_whole_and_below_nothing_once_it_is_over() {
    let (pem, _) = made("one.example.com");
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut facts = Facts::of(&der).unwrap();
    assert_eq!(facts.name, "one.example.com");
    for (ms, days, soon) in [
        (30 * 86_400_000, 30, false),
        (30 * 86_400_000 - 1, 29, true),
        (1, 0, true),
        (-1, -1, true),
    ] {
        facts.until = Timestamp(NOW.0 + ms);
        assert_eq!((facts.days_left(NOW), facts.ends_soon(NOW)), (days, soon));
    }
}
