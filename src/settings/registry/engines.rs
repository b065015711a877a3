//! Execution engines, and the 2.0 builders.

use super::{Choice, Entry, Group, Kind, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const BUILDERS: &[Choice] = &[choice("1", "Cluster"), choice("0", "Single Box")];

pub(super) const GROUP: Group = Group {
    name: "engines",
    title: "Execution engines",
    note: Some("Roundel runs 2.0 and 2.1 configs only; engine 1.0 is held for installations that move from the product."),
    entries: &[
        Entry::new("engine.v1", "1.0", Kind::Switch, "Builds of configs of version 1.")
            .rule(one_engine),
        Entry::new("engine.v2", "2.0", Kind::Switch, "Builds of configs of version 2 and 2.1. Held, not used: they are made either way.")
            .defaults(&[(When::Always, "true")])
            .rule(one_engine),
        Entry::new(
            "allow_cluster",
            "2.0 Builders Configuration",
            Kind::Choice(BUILDERS),
            "Cluster: jobs run on machines of their own. Single Box: on the Services machine, for trials and small teams.",
        )
        .defaults(&[(When::Always, "1")])
        .shown(When::On("engine.v2"))
        .required(When::Always),
        Entry::new(
            "secret_passphrase",
            "Passphrase of the 1.0 builders",
            Kind::Secret,
            "What builders of engine 1.0 show to be let in. Letters and digits.",
        )
        .shown(When::On("engine.v1"))
        .required(When::Always)
        .rule(passphrase),
    ],
};

fn one_engine(_: &Value, values: &Values) -> Vec<Fault> {
    let neither = !values.on("engine.v1") && !values.on("engine.v2");
    rules::faults(
        neither.then(|| Fault::error("is off, and so is the other engine").fix("turn one on")),
    )
}

fn passphrase(value: &Value, _: &Values) -> Vec<Fault> {
    let wrong = !value.text().bytes().all(|b| b.is_ascii_alphanumeric());
    rules::faults(wrong.then(|| Fault::error("holds something else than letters and digits")))
}
