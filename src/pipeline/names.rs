//! Final names of the jobs of a workflow.

use std::collections::{HashMap, HashSet};

use super::report::Report;
use super::schema::Version;
use super::schema::workflow::{Draft, DraftEntry};

/// Gives every job of a workflow its final name: the one written, else its key, with `-1`, `-2`, ... where several jobs
/// without a name have the same key. In version 2 a repeat that asks for nothing else counts once.
pub(crate) fn assign(draft: &mut Draft, version: Version, report: &mut Report) {
    if version == Version::V2 {
        drop_repeats(draft, report);
    }
    let mut taken: HashSet<String> = HashSet::new();
    for entry in draft.entries.iter().filter(|entry| entry.certain) {
        if entry
            .name
            .as_ref()
            .is_some_and(|name| !taken.insert(name.clone()))
        {
            let name = entry.name.as_deref().unwrap_or_default();
            report.error(
                &entry.place,
                format!("two jobs of the workflow are named `{name}`"),
            );
        }
    }
    let mut same: HashMap<String, usize> = HashMap::new();
    for entry in draft.entries.iter().filter(|entry| entry.name.is_none()) {
        *same.entry(entry.job.clone()).or_default() += 1;
    }
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for entry in draft
        .entries
        .iter_mut()
        .filter(|entry| entry.name.is_none())
    {
        let mut name = entry.job.clone();
        if same[&entry.job] > 1 || taken.contains(&name) {
            let number = numbers.entry(entry.job.clone()).or_default();
            name = loop {
                *number += 1;
                let numbered = format!("{}-{number}", entry.job);
                if !taken.contains(&numbered) {
                    break numbered;
                }
            };
        }
        taken.insert(name.clone());
        entry.name = Some(name);
    }
}

fn drop_repeats(draft: &mut Draft, report: &mut Report) {
    let mut seen = HashSet::new();
    draft.entries.retain(|entry| {
        let first = seen.insert(fingerprint(entry));
        if !first {
            report.warning(
                &entry.place,
                format!("job `{}` stands twice in the workflow", entry.job),
            );
        }
        first
    });
}

/// Everything that an entry asks for.
fn fingerprint(entry: &DraftEntry) -> String {
    let requires: Vec<&String> = entry.requires.iter().map(|(name, _)| name).collect();
    let filters = [&entry.filters.branches, &entry.filters.tags].map(|rule| {
        let rule = rule.as_ref();
        rule.map(|rule| {
            [&rule.only, &rule.ignore].map(|patterns| {
                let sources = patterns.iter().flatten().map(|pattern| &pattern.source);
                sources.collect::<Vec<_>>()
            })
        })
    });
    format!("{:?} {:?} {requires:?} {filters:?}", entry.job, entry.name)
}
