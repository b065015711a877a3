//! Housekeeping: how long what nobody needs any more is kept.

use super::{Entry, Group, Kind, Restart, When};
use crate::settings::check::Fault;
use crate::settings::keep;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const fn kept(
    key: &'static str,
    label: &'static str,
    default: &'static [(When, &'static str)],
    help: &'static str,
) -> Entry {
    Entry::new(key, label, Kind::Text, help)
        .defaults(default)
        .required(When::Always)
        .rule(span)
        .restart(Restart::Live)
}

pub(super) const GROUP: Group = Group {
    name: "keep",
    title: "Housekeeping",
    note: None,
    entries: &[
        kept(
            "keep.logs",
            "Keep logs for",
            &[(When::Always, "30d")],
            "What the steps of a run printed, from its end on. The run stays, and says when its log went. As 30d, 12h or forever.",
        ),
        kept(
            "keep.builds",
            "Keep builds for",
            &[(When::Always, "365d")],
            "Builds that are over, with their runs and logs; not the newest green one of a branch that is still built. As 365d or forever.",
        ),
        kept(
            "keep.attempts",
            "Keep attempts for",
            &[(When::Always, "1d")],
            "What lies about of attempts that are over, where it could not be cleared up at their end. As 1d or forever.",
        ),
        kept(
            "keep.scratch",
            "Keep scratch for",
            &[(When::Always, "1d")],
            "The same of the directories that jobs worked in. As 1d or forever.",
        ),
        kept(
            "keep.repos",
            "Keep mirrors for",
            &[(When::Always, "90d")],
            "Mirrors of repositories of which nothing is watched or was built for so long. As 90d or forever.",
        ),
    ],
};

fn span(value: &Value, _: &Values) -> Vec<Fault> {
    let none = keep::span(value.text()).is_none();
    rules::faults(
        none.then(|| Fault::error("is no span of time").fix("write it as 30d, 12h or forever")),
    )
}
