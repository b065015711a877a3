//! Projects.

use super::{Client, Result, escape};
use crate::api::Written;
use crate::api::projects::{
    ProjectRef, ProjectRow, RenameProject, Variable, VariableRef, VariableRow,
};

impl Client {
    /// All projects, by name.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn projects(&self) -> Result<Vec<ProjectRow>> {
        self.get("/projects".to_owned()).await
    }

    /// One project, by name, key, or the absolute path or URL of its repository.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn project(&self, reference: &str) -> Result<ProjectRow> {
        self.get(path(reference)).await
    }

    /// Gives a project the name `to`, as `org/name`.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn rename_project(&self, reference: &str, to: &str) -> Result<Written<ProjectRef>> {
        let wanted = RenameProject { to: to.to_owned() };
        self.write(format!("{}/rename", path(reference)), &wanted)
            .await
    }

    /// Removes a project with all that was built of it.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn remove_project(&self, reference: &str) -> Result<Written<ProjectRef>> {
        self.delete(path(reference)).await
    }

    /// The variables of a project, by name, without their values.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn project_env(&self, reference: &str) -> Result<Vec<VariableRow>> {
        self.get(format!("{}/env", path(reference))).await
    }

    /// Sets a variable; the project may be one that is not built yet, named by its repository.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn set_project_env(
        &self,
        reference: &str,
        variable: &Variable,
    ) -> Result<Written<VariableRef>> {
        self.write(format!("{}/env", path(reference)), variable)
            .await
    }

    /// Takes a variable away.
    ///
    /// # Errors
    /// As [`Client::hello`].
    pub async fn unset_project_env(
        &self,
        reference: &str,
        name: &str,
    ) -> Result<Written<VariableRef>> {
        self.delete(format!("{}/env/{}", path(reference), escape(name)))
            .await
    }
}

fn path(reference: &str) -> String {
    format!("/projects/{}", escape(reference))
}
