//! From what somebody wants built to a plan: which revision, and what its config asks for. Blocks on git.
//!
//! Decides nothing: what it answers goes to the dispatcher as a command.

use std::path::Path;
use std::sync::Arc;

use super::command::NewBuild;
use crate::cluster::embedded::mirror_path;
use crate::error::{Explain, Kind};
use crate::ids::PipelineId;
use crate::pipeline::{self, Classes, Facts, Plan, Problem, Severity};
use crate::services::proxy::{self, ProxyError};
use crate::settings::value::Values;
use crate::vcs::{self, Revision, Source, VcsError};

/// Where a repository says what to run.
const CONFIG: &str = ".circleci/config.yml";

/// Largest config read, in bytes; the largest of a hundred real ones has 40 KB.
const CONFIG_MAX: usize = 3 * 1024 * 1024;

/// What is wanted of a revision.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Id of the pipeline to be.
    pub id: PipelineId,
    /// Path or URL, as it was asked for.
    pub source: String,
    /// Only this job.
    pub only_job: Option<String>,
    /// `docker` jobs run on the host.
    pub no_engine: bool,
    /// Resource classes of the installation's own.
    pub classes: Classes,
    /// What the settings say, of the way to it.
    pub values: Arc<Values>,
}

/// Why there is nothing to take in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The repository.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// The way to it.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// It does not say what to run.
    #[error("there is no `{CONFIG}` in {project} at {revision}")]
    NoConfig {
        /// The project.
        project: String,
        /// Short commit id.
        revision: String,
    },
    /// What it says cannot be read.
    #[error("`{CONFIG}` at {revision} is not UTF-8 text")]
    NotText {
        /// Short commit id.
        revision: String,
    },
}

impl Explain for IntakeError {
    fn kind(&self) -> Kind {
        match self {
            IntakeError::Vcs(err) => err.kind(),
            IntakeError::Proxy(err) => err.kind(),
            IntakeError::NoConfig { .. } | IntakeError::NotText { .. } => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            IntakeError::Vcs(err) => err.hint(),
            IntakeError::Proxy(err) => err.hint(),
            IntakeError::NoConfig { .. } => Some(
                "commit one: builds run what is committed, not what lies in the work tree"
                    .to_owned(),
            ),
            IntakeError::NotText { .. } => Some("save it as UTF-8 and commit it".to_owned()),
        }
    }
}

/// A revision that can be taken in, with the problems of its config: errors when it has no plan, else warnings.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What to send to the engine.
    pub new: NewBuild,
    /// Problems of its config.
    pub problems: Vec<Problem>,
}

/// Brings the newest commit of a branch into the mirror, and compiles its config. `branch`: `None` is the one checked
/// out, or the remote's HEAD.
///
/// # Errors
/// See [`IntakeError`].
pub fn newest(data: &Path, wanted: &Wanted, branch: Option<&str>) -> Result<Prepared, IntakeError> {
    let source = vcs::locate(&wanted.source)?;
    let mirror = mirror_path(data, &source.key);
    let network = proxy::for_git(&wanted.source, &wanted.values)?;
    let revision = vcs::fetch(&source, branch, &mirror, &network)?;
    compile(&source, &mirror, revision, wanted)
}

/// Whether something of this source was ever brought into its mirror.
#[must_use]
pub fn was_built(data: &Path, source: &str) -> bool {
    vcs::locate(source).is_ok_and(|source| mirror_path(data, &source.key).exists())
}

/// Compiles the config of a revision that the mirror holds.
///
/// # Errors
/// See [`IntakeError`].
pub fn compile(
    source: &Source,
    mirror: &Path,
    revision: Revision,
    wanted: &Wanted,
) -> Result<Prepared, IntakeError> {
    let short = || revision.id[..revision.id.len().min(12)].to_owned();
    let bytes = vcs::read_file(mirror, &revision.id, CONFIG, CONFIG_MAX)?.ok_or_else(|| {
        IntakeError::NoConfig {
            project: format!("{}/{}", source.org, source.name),
            revision: short(),
        }
    })?;
    let text = String::from_utf8(bytes).map_err(|_| IntakeError::NotText { revision: short() })?;
    let facts = Facts {
        file: CONFIG.to_owned(),
        branch: revision.branch.clone(),
        tag: revision.tag.clone(),
        only_job: wanted.only_job.clone(),
        no_engine: wanted.no_engine,
        classes: wanted.classes.clone(),
    };
    let (plan, problems) = match pipeline::compile(&text, &facts) {
        Ok(compiled) => (Some(compiled.plan), compiled.warnings),
        Err(problems) => (None, problems),
    };
    Ok(prepared(source, revision, wanted, plan, problems))
}

/// A revision whose config is not even read, for this reason: it cannot be built, and its pipeline says so.
pub fn unread(source: &Source, revision: Revision, wanted: &Wanted, reason: &VcsError) -> Prepared {
    let problem = Problem {
        severity: Severity::Error,
        file: CONFIG.to_owned(),
        line: 0,
        column: 0,
        end_line: 0,
        end_column: 0,
        key: String::new(),
        message: reason.to_string(),
        hint: None,
    };
    prepared(source, revision, wanted, None, vec![problem])
}

fn prepared(
    source: &Source,
    revision: Revision,
    wanted: &Wanted,
    plan: Option<Plan>,
    problems: Vec<Problem>,
) -> Prepared {
    let new = NewBuild {
        id: wanted.id,
        project_key: source.key.clone(),
        org: source.org.clone(),
        name: source.name.clone(),
        origin: source.origin.clone(),
        source: wanted.source.clone(),
        branch: revision.branch,
        tag: revision.tag,
        revision: revision.id,
        subject: revision.subject,
        plan,
        problems: serde_json::to_string(&problems).expect("problems are plain data"),
        watch: None,
    };
    Prepared { new, problems }
}
