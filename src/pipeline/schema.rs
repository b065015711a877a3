//! The resolved config: what is left when anchors, names and (later) parameters are gone; and its readers.
//!
//! Knows nothing of the revision built: filters are kept as rules, and applied by `assemble`.

pub(crate) mod class;
mod environment;
mod executor;
mod filters;
pub(crate) mod job;
pub(crate) mod step;
pub(crate) mod workflow;

use std::rc::Rc;

use super::filters::Filters;
use super::keys;
use super::plan::{Executor, Step};
use super::read::Map;
use super::report::{Place, Report};
use super::yaml::Scalar;
use class::Size;

/// The version of the language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// `2` or `2.0`.
    V2,
    /// `2.1`.
    V21,
}

/// A config without names to look up: workflows of complete jobs.
#[derive(Debug)]
pub(crate) struct Config {
    pub workflows: Vec<Workflow>,
}

/// One graph of jobs, each after all it requires.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub name: String,
    pub jobs: Vec<Invocation>,
}

/// A job as a workflow uses it.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// Final name, unique in the workflow.
    pub name: String,
    pub job: Rc<Job>,
    /// Final names.
    pub requires: Vec<String>,
    pub filters: Filters,
}

/// A complete job, without a name.
#[derive(Debug)]
pub(crate) struct Job {
    pub executor: Executor,
    pub resource_class: Option<String>,
    pub size: Size,
    pub parallelism: u32,
    pub environment: Vec<(String, String)>,
    pub working_directory: String,
    pub shell: Option<String>,
    pub steps: Vec<Step>,
    /// Job-level `branches`: counts only without workflows.
    pub branches: Filters,
    /// What a copy of the job costs of the budget of a plan, as a node of the file does.
    pub cost: u32,
}

/// Reads `version`; on a missing or wrong one notes an error and goes on as 2.1 would.
pub(crate) fn version(top: &Map, report: &mut Report) -> Version {
    let Some(value) = top.get("version") else {
        let hint = Some("write `version: 2.1` at the top".to_owned());
        report.error_hint(&top.at.key_place(), "key `version` is missing", hint);
        return Version::V21;
    };
    match value
        .node
        .scalar()
        .map(|scalar: &Scalar| scalar.text.as_str())
    {
        Some("2" | "2.0") => Version::V2,
        Some("2.1") => Version::V21,
        _ => {
            let wrong = value
                .node
                .scalar()
                .map_or(value.node.kind(), |scalar| scalar.text.as_str());
            let message = format!("version `{wrong}` is not one of 2, 2.0 and 2.1");
            report.error(&value.place(), message);
            Version::V21
        }
    }
}

/// Notes the keys of the root that are known and not run; unknown ones are allowed there.
pub(crate) fn check_top(top: &Map, version: Version, report: &mut Report) {
    for (key, value) in top.iter().filter(|(_, value)| !value.node.is_null()) {
        if key == "experimental" {
            report.warning(&value.key_place(), "`experimental` has no effect here");
        } else if keys::TOP.later.contains(&key) {
            match version {
                Version::V21 => report.not_yet(&value.key_place(), &format!("`{key}`")),
                Version::V2 => report.warning(
                    &value.key_place(),
                    format!("`{key}` needs `version: 2.1` and has no effect in this file"),
                ),
            }
        }
    }
}

/// The longest name of a job or workflow, in characters.
const MAX_NAME: usize = 128;

/// Notes a name that no screen could show.
pub(crate) fn check_name(what: &str, name: &str, place: &Place, report: &mut Report) {
    if name.trim().is_empty() {
        report.error(place, format!("the name of a {what} is empty"));
    } else if name.chars().count() > MAX_NAME {
        report.error(
            place,
            format!("the name of a {what} is longer than {MAX_NAME} characters"),
        );
    } else if name.contains(char::is_control) {
        report.error(
            place,
            format!("the name of a {what} holds control characters"),
        );
    }
}
