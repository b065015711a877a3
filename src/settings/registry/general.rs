//! General: where this installation is reached.

use super::{Entry, Group, Kind, TestId, When};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

pub(super) const GROUP: Group = Group {
    name: "general",
    title: "General",
    note: None,
    entries: &[Entry::new(
        "hostname",
        "Hostname",
        Kind::Text,
        "Name or address at which people, GitHub and build agents reach this installation, without a scheme.",
    )
    .required(When::Always)
    .rule(hostname)
    .test(TestId::Hostname)],
};

fn hostname(value: &Value, values: &Values) -> Vec<Fault> {
    let mut faults = rules::host(value, values);
    if faults.is_empty()
        && values.on("privacy.ssl_only")
        && value.text().parse::<std::net::IpAddr>().is_ok()
    {
        faults.push(
            Fault::warning("is an address, and few authorities issue certificates for one")
                .fix("give the installation a name"),
        );
    }
    faults
}
