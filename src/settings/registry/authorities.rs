//! Custom CAs: whom this installation trusts besides the system's authorities.

use super::{Entry, Group, Kind, Restart};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

pub(super) const GROUP: Group = Group {
    name: "ca",
    title: "Custom CAs",
    note: Some("Nothing that Roundel connects to looks at them yet: held and checked, not used."),
    entries: &[Entry::new(
        "ca.certificates",
        "Certificates",
        Kind::Pem,
        "Certificates of authorities in PEM, one after the other: trusted by every connection that Roundel makes.",
    )
    .restart(Restart::Live)
    .rule(certificates)],
};

fn certificates(value: &Value, _: &Values) -> Vec<Fault> {
    let text = value.text();
    rules::faults(if text.contains("PRIVATE KEY-----") {
        Some(Fault::error("holds a private key").fix("only certificates belong here"))
    } else {
        (!text.contains("-----BEGIN CERTIFICATE-----"))
            .then(|| Fault::error("is no certificate in PEM"))
    })
}
