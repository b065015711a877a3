//! Artifacts: how files of builds are served.

use super::{Entry, Group, Kind};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

pub(super) const GROUP: Group = Group {
    name: "artifacts",
    title: "Artifacts",
    note: Some("Artifacts are not built yet: held and checked, not used."),
    entries: &[Entry::new(
        "artifacts.serve_unsafe",
        "Serve artifacts with unsafe content-types",
        Kind::Switch,
        "Off, HTML and scripts are served as plain text. On, a build can act in the browser as whoever looks at it.",
    )
    .rule(serve_unsafe)],
};

fn serve_unsafe(value: &Value, _: &Values) -> Vec<Fault> {
    let on = *value == Value::Switch(true);
    rules::faults(on.then(|| {
        Fault::warning(
            "lets whoever may build take over the accounts of those who look at artifacts",
        )
    }))
}
