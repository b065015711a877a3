//! Privacy: TLS of the public address.

use super::{Choice, Entry, Group, Kind, TestId, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const BALANCERS: &[Choice] = &[
    choice("direct", "People reach this machine"),
    choice("elb", "A load balancer holds the real certificate"),
];

pub(super) const GROUP: Group = Group {
    name: "privacy",
    title: "Privacy",
    note: Some("The listener serves a certificate of its own for now: held and checked, not used."),
    entries: &[
        Entry::new(
            "privacy.ssl_only",
            "SSL only (Recommended)",
            Kind::Switch,
            "The public address speaks TLS alone. The callback of the GitHub application has to begin with https then.",
        ),
        Entry::new(
            "privacy.behind",
            "In front of it",
            Kind::Choice(BALANCERS),
            "Behind a load balancer an expired or self-signed certificate is enough, as long as its name is the hostname.",
        )
        .defaults(&[(When::Always, "direct")])
        .shown(When::On("privacy.ssl_only")),
        Entry::new(
            "ssl_cert",
            "Certificate File",
            Kind::Pem,
            "The certificate, then those of its issuers in order, in PEM.",
        )
        .shown(When::On("privacy.ssl_only"))
        .required(When::Always)
        .rule(certificate)
        .test(TestId::Tls),
        Entry::new(
            "ssl_private_key",
            "Private Key File",
            Kind::SecretPem,
            "The key of that certificate, in PEM and not encrypted.",
        )
        .shown(When::On("privacy.ssl_only"))
        .required(When::Always)
        .rule(private_key)
        .test(TestId::Tls),
    ],
};

/// What a file is, by its first lines; the rest is for the test.
fn certificate(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    rules::faults(if text.contains("-----BEGIN CERTIFICATE-----") {
        None
    } else if text.contains("PRIVATE KEY-----") {
        Some(Fault::error("is a private key").fix("the two files are swapped"))
    } else {
        Some(
            Fault::error("is no certificate in PEM")
                .fix("it begins with -----BEGIN CERTIFICATE-----"),
        )
    })
}

fn private_key(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    let encrypted =
        text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
    rules::faults(if encrypted {
        Some(
            Fault::error("is encrypted")
                .fix("openssl pkey -in KEY -out PLAIN takes the passphrase off"),
        )
    } else if text.contains("PRIVATE KEY-----") {
        None
    } else if text.contains("-----BEGIN CERTIFICATE-----") {
        Some(Fault::error("is a certificate").fix("the two files are swapped"))
    } else {
        Some(
            Fault::error("is no private key in PEM")
                .fix("it begins with -----BEGIN PRIVATE KEY-----"),
        )
    })
}
