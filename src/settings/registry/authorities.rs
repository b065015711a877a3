//! Custom CAs: whom this installation trusts besides the system's authorities.

use super::{Entry, Group, Kind, Restart};
use crate::certificates::authorities;
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

pub(super) const GROUP: Group = Group {
    name: "ca",
    title: "Custom CAs",
    note: None,
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
    rules::looked(&authorities(value.text().as_bytes()), |_| true)
}
