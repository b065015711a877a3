//! Privacy: TLS of the public address.

use super::{Choice, Entry, Group, Kind, Restart, TestId, When, choice};
use crate::certificates::{self, Front, Look, Of, Question};
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
    note: None,
    entries: &[
        Entry::new(
            "privacy.ssl_only",
            "SSL only (Recommended)",
            Kind::Switch,
            "The public address speaks TLS alone. The callback of the GitHub application has to begin with https then.",
        )
        .restart(Restart::Live),
        Entry::new(
            "privacy.behind",
            "In front of it",
            Kind::Choice(BALANCERS),
            "Behind a load balancer an expired or self-signed certificate is enough, as long as its name is the hostname.",
        )
        .defaults(&[(When::Always, "direct")])
        .shown(When::On("privacy.ssl_only"))
        .restart(Restart::Live),
        Entry::new(
            "ssl_cert",
            "Certificate File",
            Kind::Pem,
            "The certificate, then those of its issuers in order, in PEM.",
        )
        .shown(When::On("privacy.ssl_only"))
        .required(When::Always)
        .restart(Restart::Live)
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
        .restart(Restart::Live)
        .rule(private_key)
        .test(TestId::Tls),
        Entry::new(
            "acme.hostnames",
            "Names at the authority",
            Kind::List,
            "Names that a certificate is ordered for by `roundel tls acme`, and renewed for by `roundel tls renew`.",
        )
        .restart(Restart::Live)
        .rule(rules::acme_names),
        Entry::new(
            "acme.directory",
            "Authority",
            Kind::Text,
            "Where the authority is: the URL of its ACME directory.",
        )
        .defaults(&[(When::Always, "https://acme-v02.api.letsencrypt.org/directory")])
        .restart(Restart::Live)
        .rule(rules::acme_directory),
        Entry::new(
            "acme.email",
            "Address for the authority",
            Kind::Text,
            "Where the authority may write to.",
        )
        .restart(Restart::Live),
        Entry::new(
            "acme.resolver",
            "DNS server for the proof",
            Kind::Text,
            "Asked whether the records of a proof are there, in place of the system's servers.",
        )
        .restart(Restart::Live)
        .rule(rules::acme_resolver),
        Entry::new(
            "acme.account",
            "Account at the authority",
            Kind::Secret,
            "Made at the first order, and used by the next ones.",
        )
        .restart(Restart::Live),
    ],
};

/// All that can be seen without a clock and without knowing who is trusted; that is for the test.
fn certificate(value: &Value, values: &Values) -> Vec<Fault> {
    let key = values.get("ssl_private_key");
    let key = key
        .as_deref()
        .map(Value::text)
        .filter(|text| !text.is_empty());
    rules::looked(&look(value.text(), key, values), |of| of != Of::Key)
}

fn private_key(value: &Value, values: &Values) -> Vec<Fault> {
    if *value == Value::Locked {
        return Vec::new();
    }
    let text = value.text();
    rules::looked(&look(&values.text("ssl_cert"), Some(text), values), |of| {
        of == Of::Key
    })
}

fn look(certificate: &str, key: Option<&str>, values: &Values) -> Look {
    let host = values.text("hostname");
    certificates::look(&Question {
        certificate: certificate.as_bytes(),
        key: key.map(str::as_bytes),
        host: (!host.is_empty()).then_some(host.as_str()),
        front: match values.text("privacy.behind").as_str() {
            "elb" => Front::Balancer,
            _ => Front::Direct,
        },
        now: None,
        trusted: None,
    })
}
