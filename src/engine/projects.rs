//! Projects: another name, removal with all that was built. Decisions only.

use super::builds::Batch;
use super::command::{CommandError, ProjectCommand, Reply};
use super::outbox::Topic;
use crate::ids::ProjectId;

impl Batch<'_, '_> {
    /// Decides a wish on a project.
    pub(super) fn project(&mut self, command: ProjectCommand) -> Result<Reply, CommandError> {
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
                Reply::Project {
                    title,
                    pipelines: 0,
                    runs: 0,
                }
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

fn conflict(name: String, why: String) -> CommandError {
    CommandError::Conflict {
        what: "project",
        name,
        why,
    }
}
