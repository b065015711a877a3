//! Overrides: variables and heaps of the product's services, as their customization files held them.

use super::{Entry, Group, Kind, Restart};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

/// The services that have a file of their own, and `global` for the one of the installation.
pub(super) const SERVICES: &[&str] = &[
    "global",
    "api-service",
    "audit-log-service",
    "contexts-service",
    "contexts-service-db-migrator",
    "cron-service",
    "cron-service-db-migrator",
    "domain-service",
    "domain-service-migrator",
    "federations-service-db-migrator",
    "federations-service-migrator",
    "frontend",
    "output-processor",
    "permissions-service",
    "permissions-service-migrator",
    "picard-dispatcher",
    "schedulerer",
    "test-results",
    "vm-gc",
    "vm-scaler",
    "vm-service",
    "vm-service-db-migrator",
    "workflows-conductor",
];

pub(super) const GROUP: Group = Group {
    name: "overrides",
    title: "Overrides",
    note: Some("Roundel has none of these services: held and checked for installations that move from the product."),
    entries: &[
        Entry::new(
            "override.<service>.<NAME>",
            "Variable of a service",
            Kind::Text,
            "Written into the service's customization file as export NAME=\"value\", and wins over its default there.",
        )
        .restart(Restart::Service)
        .rule(variable),
        Entry::new(
            "jvm_heap.<service>",
            "Heap of a service",
            Kind::Text,
            "JVM_HEAP_SIZE of a service, as 2g.",
        )
        .restart(Restart::Service)
        .rule(rules::heap),
        Entry::new(
            "global.circle_url",
            "CIRCLE_URL",
            Kind::Text,
            "Scheme and host that services call themselves by, where they differ from the hostname.",
        )
        .rule(rules::url_of_host),
    ],
};

/// Whether a text can name a variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// The service that was probably meant.
pub(super) fn nearest_service(service: &str) -> Option<&'static str> {
    crate::nearest::nearest(service, SERVICES.iter().copied())
}

/// What a shell would read otherwise than it stands there.
fn variable(value: &Value, _: &Values) -> Vec<Fault> {
    let sharp = value.text().contains(['"', '\\', '`', '$']);
    rules::faults(sharp.then(|| {
        Fault::error("holds one of \" \\ ` $, which the file's reader takes for its own")
            .fix("leave them out")
    }))
}
