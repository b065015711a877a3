//! Console: who comes in on port 8800, and with which certificate.

use super::{Choice, Entry, Group, Kind, Restart, When, choice};
use crate::secret::password::is_hash;
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

/// Shortest password of the console, in characters.
const PASSWORD_MIN: usize = 12;

const WAYS_IN: &[Choice] = &[
    choice("password", "Password"),
    choice("ldap", "LDAP"),
    choice("anonymous", "Anonymous"),
];

const CERTIFICATES: &[Choice] = &[
    choice("self-signed", "Self-signed"),
    choice("key-cert", "Key and certificate"),
    choice("privacy", "That of Privacy"),
];

const LEVELS: &[Choice] = &[
    choice("error", "Errors"),
    choice("warn", "Warnings"),
    choice("info", "Information"),
    choice("debug", "Debug"),
];

const OWN: When = When::Is("console.tls.source", "key-cert");

pub(super) const GROUP: Group = Group {
    name: "console",
    title: "Console",
    note: Some("Nobody comes in without signing in: `Anonymous` is held, and not used yet."),
    entries: &[
        Entry::new(
            "console.auth_type",
            "Way in",
            Kind::Choice(WAYS_IN),
            "How people on other machines prove who they are. Tokens are taken besides.",
        )
        .defaults(&[(When::Always, "password")])
        .required(When::Always)
        .restart(Restart::Live)
        .rule(way_in),
        Entry::new(
            "console.password",
            "Password",
            Kind::Secret,
            "At least 12 characters. Who has it is an administrator; it is kept as an argon2id hash.",
        )
        .hashed()
        .shown(When::Is("console.auth_type", "password"))
        .restart(Restart::Live)
        .rule(password),
        Entry::new(
            "console.tls.source",
            "Certificate",
            Kind::Choice(CERTIFICATES),
            "One made at the first start, one of your own, or the one of Privacy for both.",
        )
        .defaults(&[(When::Always, "self-signed")])
        .required(When::Always)
        .restart(Restart::Live)
        .rule(source),
        Entry::new(
            "console.tls.hostname",
            "Hostname of the console",
            Kind::Text,
            "The name that stands in it.",
        )
        .shown(OWN)
        .required(When::Always)
        .restart(Restart::Live)
        .rule(rules::host),
        Entry::new(
            "console.tls.cert",
            "Certificate of the console",
            Kind::Pem,
            "In PEM, with its issuers. Consoles of other machines know the server by it, and ask again when it changes.",
        )
        .shown(OWN)
        .required(When::Always)
        .restart(Restart::Live)
        .rule(rules::certificate),
        Entry::new(
            "console.tls.key",
            "Key of the console",
            Kind::SecretPem,
            "In PEM and not encrypted.",
        )
        .shown(OWN)
        .required(When::Always)
        .restart(Restart::Live)
        .rule(private_key),
        Entry::new(
            "console.log_level",
            "Log level",
            Kind::Choice(LEVELS),
            "How much the console writes into its log. Held, not used: `log` of the bootstrap file says what is logged.",
        )
        .defaults(&[(When::Always, "info")])
        .restart(Restart::Console),
    ],
};

/// "That of Privacy" needs one there.
fn source(value: &Value, values: &Values) -> Vec<Fault> {
    let none = value.text() == "privacy" && !values.has("ssl_cert");
    rules::faults(none.then(|| {
        Fault::error("takes the certificate of Privacy, and there is none")
            .fix("give Privacy one: `ssl_cert` and `ssl_private_key`")
    }))
}

fn private_key(value: &Value, values: &Values) -> Vec<Fault> {
    rules::key_of(value, &values.text("console.tls.cert"))
}

fn way_in(value: &Value, values: &Values) -> Vec<Fault> {
    rules::faults(match value.text() {
        "anonymous" => Some(Fault::warning("lets in whoever reaches port 8800")),
        "ldap" if !values.on("ldap.enabled") => {
            let fault = Fault::error("names the directory, and signing in by it is off");
            Some(fault.fix("turn `ldap.enabled` on first, or with it"))
        }
        _ => None,
    })
}

fn password(value: &Value, _: &Values) -> Vec<Fault> {
    // One that is kept is a hash, whose length says nothing.
    let short = !is_hash(value.text()) && value.text().chars().count() < PASSWORD_MIN;
    rules::faults(short.then(|| Fault::error(format!("has fewer than {PASSWORD_MIN} characters"))))
}
