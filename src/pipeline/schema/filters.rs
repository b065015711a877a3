//! `filters` of a workflow's job, and `branches` of a job.

use crate::pipeline::filters::{Filters, Pattern, Patterns, Rule};
use crate::pipeline::keys;
use crate::pipeline::read::{Cursor, Map};
use crate::pipeline::report::Report;

/// Reads `filters`.
pub(super) fn read(value: &Cursor, patterns: &mut Patterns, report: &mut Report) -> Filters {
    if value.node.scalar().is_some() {
        report.not_yet(&value.place(), "an expression as `filters`");
        return Filters::default();
    }
    let Some(map) = value.map(report) else {
        return Filters::default();
    };
    map.check(&keys::FILTERS, report);
    let mut rule = |key: &str| {
        map.get(key)
            .and_then(|value| rule(&value, patterns, report))
    };
    Filters {
        branches: rule("branches"),
        tags: rule("tags"),
    }
}

/// Reads the `branches` of a job; with both keys only `ignore` counts there.
pub(super) fn branches(
    value: &Cursor,
    patterns: &mut Patterns,
    report: &mut Report,
) -> Option<Rule> {
    let mut rule = rule(value, patterns, report)?;
    if rule.ignore.is_some() {
        rule.only = None;
    }
    Some(rule)
}

fn rule(value: &Cursor, patterns: &mut Patterns, report: &mut Report) -> Option<Rule> {
    if value.node.scalar().is_some() || value.items().is_some() {
        let hint = "write `only:` or `ignore:` below it".to_owned();
        let message = format!("a filter must be a map, not {}", value.node.kind());
        report.error_hint(&value.place(), message, Some(hint));
        return None;
    }
    let map = value.map(report)?;
    map.check(&keys::RULE, report);
    let only = entries(&map, "only", patterns, report);
    let ignore = entries(&map, "ignore", patterns, report);
    Some(Rule { only, ignore })
}

fn entries(
    map: &Map,
    key: &str,
    patterns: &mut Patterns,
    report: &mut Report,
) -> Option<Vec<Pattern>> {
    let value = map.get(key)?;
    let items = value.one_or_many();
    let read = |item: &Cursor| {
        let text = item.text(report)?;
        match patterns.read(&text) {
            Ok(pattern) => Some(pattern),
            Err(err) => {
                report.error_hint(
                    &item.place(),
                    format!("pattern `{text}` {}", err.message),
                    err.hint,
                );
                None
            }
        }
    };
    Some(items.iter().filter_map(read).collect())
}
