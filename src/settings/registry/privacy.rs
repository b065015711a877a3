//! Privacy: TLS of the public address.

use super::{Choice, Entry, Group, Kind, Restart, TestId, When, choice};
use crate::settings::rules;

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
        .rule(rules::certificate)
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
        .rule(rules::private_key)
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
