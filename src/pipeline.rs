//! `config.yml` -> [`Plan`]: what is to be run for one revision, decided once and stored.
//!
//! Pure: knows no file, no clock, no network, no store. [`compile`] takes the text and the facts of the revision and
//! answers the whole plan or all the problems at once.

mod assemble;
pub mod diff;
mod expand;
mod filters;
mod graph;
mod keys;
mod names;
pub mod plan;
pub mod problem;
mod read;
mod render;
mod report;
mod schema;
pub mod status;
mod template;
pub mod usual;
mod yaml;

pub use plan::{Auth, Container, Executor, JobPlan, Plan, Step, WorkflowPlan};
pub use problem::{Problem, Severity};
pub use schema::class::{Classes, Size};

use read::Cursor;
use report::Report;
use schema::{Config, Version};

/// The facts of the revision that a config is compiled for.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Name of the file, for problems; `.circleci/config.yml` as a rule.
    pub file: String,
    /// Branch built; empty on a tag build.
    pub branch: String,
    /// Tag built; empty on a branch build.
    pub tag: String,
    /// Only this job, with no requirements, as a workflow of its own (`build --job`).
    pub only_job: Option<String>,
    /// Run `docker` jobs on the host, with a warning in step 0 (`build --no-engine`).
    pub no_engine: bool,
    /// Resource classes of the installation's own.
    pub classes: Classes,
}

/// What a compile found besides the plan: warnings never stop it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What to run; workflows in the order of the file, those filtered out left out.
    pub plan: Plan,
    /// Problems that did not stop the compile.
    pub warnings: Vec<Problem>,
}

/// Compiles a config.
///
/// # Errors
/// All problems found, sorted by line and column; at least one of them has [`Severity::Error`].
pub fn compile(text: &str, facts: &Facts) -> Result<Compiled, Vec<Problem>> {
    let (config, warnings) = resolve(text, facts)?;
    Ok(Compiled {
        plan: assemble::plan(&config, facts),
        warnings,
    })
}

/// Renders the config as the plain version 2 document that `config process` prints: no anchors, every job under its
/// final name, filters kept. Compiling the document gives the same plan as compiling the text.
///
/// # Errors
/// As [`compile`].
pub fn process(text: &str, facts: &Facts) -> Result<String, Vec<Problem>> {
    let (config, _) = resolve(text, facts)?;
    Ok(render::render(&config))
}

/// Text -> tree -> config with all names resolved, and the warnings on the way.
fn resolve(text: &str, facts: &Facts) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let mut report = Report::new(&facts.file);
    let document = match yaml::parse(text) {
        Ok(document) => document,
        Err(fault) => {
            report.fault(fault, Severity::Error);
            return Err(report.finish());
        }
    };
    let Some(top) = Cursor::root(document.root).map(&mut report) else {
        return Err(report.finish());
    };
    let version = schema::version(&top, &mut report);
    report.set_strict(version == Version::V21);
    document
        .repeated
        .into_iter()
        .for_each(|fault| report.lenient_fault(fault));
    let config = expand::expand(&top, version, facts, &mut report);
    if report.has_errors() {
        Err(report.finish())
    } else {
        Ok((config, report.finish()))
    }
}

#[cfg(test)]
mod tests;
