//! `config.yml` -> [`Plan`]: what is to be run for one revision, decided once and stored.
//!
//! Pure: knows no file, no clock, no network, no store. [`compile`] takes the text and the facts of the revision and
//! answers the whole plan or all the problems at once.

pub mod plan;
pub mod problem;
pub mod status;

pub use plan::{Executor, JobPlan, Plan, Step, WorkflowPlan};
pub use problem::{Problem, Severity};

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
    let _ = (text, facts);
    Err(Vec::new())
}

/// Renders the plan as the plain version 2 document that `config process` prints.
///
/// # Errors
/// As [`compile`].
pub fn process(text: &str, facts: &Facts) -> Result<String, Vec<Problem>> {
    let _ = (text, facts);
    Err(Vec::new())
}
