//! Workflows as written: which jobs, under which names, after which others. Names are looked up later.

use crate::pipeline::filters::{Filters, Patterns};
use crate::pipeline::keys;
use crate::pipeline::read::{Cursor, Map};
use crate::pipeline::report::{Place, Report};
use crate::pipeline::yaml::Value;

use super::filters;

/// A workflow whose names have not been looked up.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub name: String,
    pub entries: Vec<DraftEntry>,
}

/// One job of a workflow.
#[derive(Clone, Debug)]
pub(crate) struct DraftEntry {
    /// Key under `jobs`.
    pub job: String,
    pub place: Place,
    /// Final name: `name` as written, later made unique.
    pub name: Option<String>,
    pub requires: Vec<(String, Place)>,
    pub filters: Filters,
    /// Keys that are none of an entry's own, so arguments of the job.
    pub arguments: Vec<(String, Place)>,
    /// Whether the job is to be looked up: not if the entry is of a kind that is not run yet.
    pub runs: bool,
    /// Whether it is no job but somebody's approval.
    pub approval: bool,
    /// Whether it is one job with the name given here: a matrix is several, with names of their own.
    pub certain: bool,
}

impl DraftEntry {
    /// A job without requirements, filters or arguments.
    pub(crate) fn new(job: &str, place: Place) -> Self {
        Self {
            job: job.to_owned(),
            place,
            name: None,
            requires: Vec::new(),
            filters: Filters::default(),
            arguments: Vec::new(),
            runs: true,
            approval: false,
            certain: true,
        }
    }
}

/// Reads `workflows`, in the order of the file.
pub(crate) fn read_all(value: &Cursor, patterns: &mut Patterns, report: &mut Report) -> Vec<Draft> {
    let Some(map) = value.map(report) else {
        return Vec::new();
    };
    let is_version =
        |name: &str, value: &Cursor| name == "version" && value.node.scalar().is_some();
    let drafts: Vec<Draft> = map
        .iter()
        .filter(|(name, value)| !is_version(name, value))
        .map(|(name, value)| read(name, &value, patterns, report))
        .collect();
    if drafts.is_empty() {
        report.error(&value.key_place(), "there is no workflow under `workflows`");
    }
    drafts
}

fn read(name: &str, value: &Cursor, patterns: &mut Patterns, report: &mut Report) -> Draft {
    let mut draft = Draft {
        name: name.to_owned(),
        entries: Vec::new(),
    };
    super::check_name("workflow", name, &value.key_place(), report);
    let Some(map) = value.map(report) else {
        return draft;
    };
    map.check(&keys::WORKFLOW, report);
    let Some(jobs) = map.get("jobs") else {
        report.error(
            &value.key_place(),
            format!("workflow `{name}` has no `jobs`"),
        );
        return draft;
    };
    let Some(items) = jobs.list(report) else {
        return draft;
    };
    if items.is_empty() {
        report.error(&jobs.key_place(), format!("workflow `{name}` has no jobs"));
    }
    draft.entries = items
        .iter()
        .filter_map(|item| entry(item, patterns, report))
        .collect();
    draft
}

fn entry(item: &Cursor, patterns: &mut Patterns, report: &mut Report) -> Option<DraftEntry> {
    let options = match &*item.node.value {
        Value::Map(entries) if entries.len() == 1 => item.map(report)?,
        Value::Map(_) => {
            let map = item.map(report)?;
            let names: Vec<String> = map
                .names()
                .take(4)
                .map(|name| format!("`{name}`"))
                .collect();
            let message = format!(
                "a workflow's job has one key, this one has {}",
                names.join(", ")
            );
            let hint = names
                .first()
                .map(|first| format!("indent what belongs to {first} deeper than {first}"));
            report.error_hint(&item.place(), message, hint);
            return None;
        }
        _ => return Some(DraftEntry::new(&item.text(report)?, item.place())),
    };
    let (job, value) = options.iter().next()?;
    let mut entry = DraftEntry::new(job, value.key_place());
    if value.node.is_null() {
        return Some(entry);
    }
    let map = value.map(report)?;
    for (key, value) in map
        .iter()
        .filter(|(key, _)| !keys::INVOCATION.runs.contains(key))
    {
        if keys::INVOCATION.later.contains(&key) {
            report.not_yet(&value.key_place(), &format!("`{key}`"));
        } else {
            entry.arguments.push((key.to_owned(), value.key_place()));
        }
    }
    if let Some(value) = map.get("type") {
        entry.approval = value.text(report).as_deref() == Some("approval");
        entry.runs = entry.approval;
        if !entry.approval {
            report.not_yet(&value.key_place(), "`type` other than `approval`");
        }
    }
    entry.name = map.get("name").and_then(|value| value.text(report));
    entry.certain =
        map.get("matrix").is_none() && entry.name.is_some() == map.get("name").is_some();
    if let Some(value) = map.get("name") {
        let name = entry.name.as_deref().unwrap_or(job);
        super::check_name("job", name, &value.place(), report);
    }
    entry.requires = requires(&map, report);
    if let Some(value) = map.get("filters") {
        entry.filters = filters::read(&value, patterns, report);
    }
    Some(entry)
}

fn requires(map: &Map, report: &mut Report) -> Vec<(String, Place)> {
    let Some(value) = map.get("requires") else {
        return Vec::new();
    };
    let read = |item: &Cursor| {
        if matches!(&*item.node.value, Value::Map(_)) {
            report.not_yet(&item.place(), "a requirement with statuses");
            return None;
        }
        Some((item.text(report)?, item.place()))
    };
    value.one_or_many().iter().filter_map(read).collect()
}
