//! A job: the keys of one entry under `jobs`.

use std::collections::HashSet;

use super::class::{Classes, Size, default_size};
use super::{Job, environment, executor, filters, step};
use crate::pipeline::filters::{Filters, Patterns};
use crate::pipeline::keys;
use crate::pipeline::plan::Executor;
use crate::pipeline::read::{self, Cursor};
use crate::pipeline::report::Report;

/// Directory of the steps of a job that names none.
const WORKING_DIRECTORY: &str = "~/project";
/// The most parallel copies of a job.
const MAX_PARALLELISM: u32 = 256;

/// Reads a job that is to be run. `commands` are the names of reusable commands.
pub(crate) fn read(
    value: &Cursor,
    commands: &HashSet<String>,
    patterns: &mut Patterns,
    classes: &Classes,
    report: &mut Report,
) -> Option<Job> {
    let map = value.map(report)?;
    let unknown = executor::unknown(&map);
    if let Some((key, at)) = &unknown {
        let message = format!("`{key}` is not a supported executor type");
        let near = read::hint(key, &keys::JOB, report);
        let hint = near.unwrap_or_else(|| format!("the supported ones are {}", keys::EXECUTORS));
        report.error_hint(&at.key_place(), message, Some(hint));
    }
    map.check_but(unknown.as_ref().map(|(key, _)| *key), &keys::JOB, report);

    let place = executor::read(&map, report);
    let steps = match map.get("steps") {
        Some(steps) => step::read_all(&steps, commands, report),
        // Some types of job have none, and no type is run yet.
        None if map.get("type").is_some() => None,
        None => {
            report.error(&value.key_place(), "the job has no `steps`");
            None
        }
    };
    let environment = environment::read(&map, report);
    let parallelism = map
        .get("parallelism")
        .map(|value| value.integer(report, 1, MAX_PARALLELISM));
    let directory = map.get("working_directory").map(|value| value.text(report));
    let branches = map
        .get("branches")
        .map(|value| filters::branches(&value, patterns, report));
    let place = place?;
    let class = map.get("resource_class").or(place.class);
    let class = class.map(|value| executor::class(&value, place.kind, classes, report));
    let shell = map
        .get("shell")
        .or(place.shell)
        .map(|value| step::shell(&value, report));

    // A value that is there and wrong has been reported: no job then.
    let (resource_class, size) = match class {
        Some(read) => read.map(|(name, size)| (Some(name), size))?,
        None => (None, default_size(place.kind)),
    };
    Some(Job {
        executor: place.executor,
        resource_class,
        size,
        parallelism: parallelism.unwrap_or(Some(1))?,
        environment,
        working_directory: directory.unwrap_or_else(|| Some(WORKING_DIRECTORY.to_owned()))?,
        shell: shell.map_or(Some(None), |shell| shell.map(Some))?,
        steps: steps?,
        branches: branches.map_or_else(Filters::default, |rule| Filters {
            branches: rule,
            tags: None,
        }),
        cost: value.node.cost(),
    })
}

/// What stands in the graph for somebody's approval.
pub(crate) fn approval() -> Job {
    Job {
        executor: Executor::Approval,
        resource_class: None,
        size: Size {
            cpu_millis: 0,
            memory_mb: 0,
        },
        parallelism: 1,
        environment: Vec::new(),
        working_directory: WORKING_DIRECTORY.to_owned(),
        shell: None,
        steps: Vec::new(),
        branches: Filters::default(),
        cost: 1,
    }
}

/// Checks a job that no workflow uses: only that it looks like one.
pub(crate) fn check_shape(name: &str, value: &Cursor, report: &mut Report) {
    let Some(map) = shaped(name, value, report) else {
        return;
    };
    if let Some(steps) = map
        .get("steps")
        .filter(|steps| steps.items().is_none() && !steps.is_hole())
    {
        report.lenient(
            &steps.place(),
            format!("`steps` must be a list, not {}", steps.node.kind()),
            None,
        );
    }
}

fn shaped(name: &str, value: &Cursor, report: &mut Report) -> Option<crate::pipeline::read::Map> {
    if matches!(&*value.node.value, crate::pipeline::yaml::Value::Map(_)) {
        return value.map(report);
    }
    let message = format!("job `{name}` must be a map, not {}", value.node.kind());
    let hint = keys::JOB
        .all()
        .any(|key| key == name)
        .then(|| "indent it to stand inside a job".to_owned());
    report.lenient(&value.key_place(), message, hint);
    None
}
