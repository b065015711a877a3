//! Projects: another name, removal with all that was built, variables. Decisions only; values come sealed.

use super::builds::Batch;
use super::command::{Actor, CommandError, ProjectCommand, Reply};
use super::outbox::Topic;
use crate::ids::ProjectId;
use crate::store::VariableRecord;

/// Most variables of a project.
const VARIABLES_MAX: u64 = 200;

/// Most bytes of them, sealed: a Build Agent needs some hundred bytes for each of them to look for it.
const VARIABLES_BYTES: u64 = 64 * 1024;

impl Batch<'_, '_> {
    /// Decides a wish on a project.
    pub(super) fn project(
        &mut self,
        command: ProjectCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let reply = match command {
            ProjectCommand::Rename {
                project,
                title,
                org,
                name,
            } => {
                self.at_rest(project, title)?;
                let title = format!("{org}/{name}");
                if let Some(other) = self.tx.other_project(&title, project)? {
                    return Err(conflict(title, format!("is there already: {other}")));
                }
                self.tx.rename_project(project, &org, &name)?;
                unbuilt(title)
            }
            ProjectCommand::Remove { project, title } => {
                let title = self.at_rest(project, title)?;
                if self.tx.is_watched(&title)? {
                    let why = "is watched, and the next commit would bring it back";
                    return Err(conflict(title, why.to_owned()));
                }
                let gone = self.tx.remove_project(project)?;
                Reply::Project {
                    title,
                    pipelines: gone.pipelines,
                    runs: gone.runs,
                }
            }
            ProjectCommand::SetVariable {
                project,
                name,
                sealed,
                hint,
            } => {
                let (key, origin) = (&project.key, &project.origin);
                let id = self
                    .tx
                    .project(key, &project.org, &project.name, origin)?
                    .id;
                let title = self.tx.project_title(id)?.unwrap_or_default();
                let (count, bytes) = self.tx.other_variables(id, &name)?;
                if count >= VARIABLES_MAX || bytes + sealed.len() as u64 > VARIABLES_BYTES {
                    let most = format!("{VARIABLES_MAX} variables of {VARIABLES_BYTES} bytes");
                    return Err(conflict(title, format!("can have no more than {most}")));
                }
                let variable = VariableRecord {
                    name,
                    sealed,
                    hint,
                    at: self.now,
                    by: actor.name.clone(),
                };
                self.tx.set_variable(id, &variable)?;
                unbuilt(title)
            }
            ProjectCommand::UnsetVariable {
                project,
                title,
                name,
            } => {
                if !self.tx.unset_variable(project, &name)? {
                    return Err(CommandError::NotFound {
                        what: "variable",
                        name,
                    });
                }
                unbuilt(title)
            }
        };
        self.out.touch(Topic::Builds, "project");
        self.out.touch(Topic::Runs, "project");
        Ok(reply)
    }

    /// The project's name now, when nothing of it waits or runs: those are known by their project in many places.
    fn at_rest(&self, project: ProjectId, asked: String) -> Result<String, CommandError> {
        let Some(title) = self.tx.project_title(project)? else {
            return Err(CommandError::NotFound {
                what: "project",
                name: asked,
            });
        };
        let workflows = self.state.workflows.values();
        match workflows.filter(|live| live.project == project).count() {
            0 => Ok(title),
            1 => Err(conflict(
                title,
                "has a workflow that is not over".to_owned(),
            )),
            n => Err(conflict(
                title,
                format!("has {n} workflows that are not over"),
            )),
        }
    }
}

/// A change that removes nothing that was built.
fn unbuilt(title: String) -> Reply {
    Reply::Project {
        title,
        pipelines: 0,
        runs: 0,
    }
}

fn conflict(name: String, why: String) -> CommandError {
    CommandError::Conflict {
        what: "project",
        name,
        why,
    }
}
