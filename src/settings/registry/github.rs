//! GitHub: which one, and the OAuth application that people sign in with.

use super::{Choice, Entry, Group, Kind, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const TYPES: &[Choice] = &[
    choice("github_type_public", "Public GitHub"),
    choice("github_type_enterprise", "GitHub Enterprise"),
];

const SCHEMES: &[Choice] = &[
    choice("https", "HTTPS (TLS/SSL Enabled)"),
    choice("http", "HTTP (unencrypted/insecure)"),
    choice("https_self_signed", "HTTPS (with self signed)"),
];

const ENTERPRISE: When = When::Is("ghe_type", "github_type_enterprise");

pub(super) const GROUP: Group = Group {
    name: "github",
    title: "GitHub Integration",
    note: Some("Webhooks and signing in with GitHub are not built yet: held and checked, not used."),
    entries: &[
        Entry::new(
            "ghe_type",
            "GitHub",
            Kind::Choice(TYPES),
            "Where the repositories are. It cannot be changed later without breaking the installation.",
        )
        .defaults(&[(When::Always, "github_type_public")])
        .required(When::Always),
        Entry::new(
            "ghe_domain",
            "GitHub Enterprise Domain",
            Kind::Text,
            "Name of the GitHub Enterprise server, without a scheme.",
        )
        .shown(ENTERPRISE)
        .required(When::Always)
        .rule(rules::host),
        Entry::new("ghe_protocol", "Scheme", Kind::Choice(SCHEMES), "How that server is spoken to.")
            .defaults(&[(When::Always, "https")])
            .shown(ENTERPRISE)
            .required(When::Always)
            .rule(scheme),
        Entry::new(
            "ghe_client_id",
            "GitHub Application Client ID",
            Kind::Text,
            "Client ID of the OAuth application. Its homepage is http(s)://HOSTNAME, its callback http(s)://HOSTNAME/auth/github.",
        )
        .required(ENTERPRISE)
        .rule(client_id),
        Entry::new(
            "ghe_client_secret",
            "GitHub Application Client Secret",
            Kind::Secret,
            "Client secret of the same application.",
        )
        .required(When::Has("ghe_client_id"))
        .rule(client_secret),
        Entry::new(
            "ghe_api_token",
            "GitHub Enterprise Default API Token",
            Kind::Secret,
            "Used where no person's token is at hand. A token without any scope, of the organisation rather than of a person.",
        )
        .shown(ENTERPRISE)
        .required(When::Always)
        .rule(rules::word),
    ],
};

fn scheme(value: &Value, _: &Values) -> Vec<Fault> {
    let plain = value.text() == "http";
    rules::faults(
        plain.then(|| Fault::warning("sends tokens over the network as they are").fix("use https")),
    )
}

fn client_id(value: &Value, values: &Values) -> Vec<Fault> {
    hex_word(value, values, 20)
}

fn client_secret(value: &Value, values: &Values) -> Vec<Fault> {
    hex_word(value, values, 40)
}

fn hex_word(value: &Value, values: &Values, digits: usize) -> Vec<Fault> {
    let blank = rules::word(value, values);
    if blank.is_empty() {
        rules::faults(rules::expect_hex(value.text(), digits))
    } else {
        blank
    }
}
