//! The directory, as far as signing in needs it: who somebody is, and whether they still are.

use std::sync::Arc;

use crate::error::{Explain, Kind};
use crate::secret::Secret;
pub(super) use crate::services::ldap::DirectoryError;
use crate::services::ldap::{Directory, Person, Who};
use crate::settings::value::Values;

/// Somebody whom the directory, or the password of the console, says to be there.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub name: String,
    /// What they are known by again: the name of their entry.
    pub mark: String,
    /// May be empty.
    pub email: String,
    /// Distinguished names of their groups.
    pub groups: Vec<String>,
}

impl From<Person> for Known {
    fn from(person: Person) -> Self {
        Self {
            name: person.name,
            mark: person.dn,
            email: person.email.unwrap_or_default(),
            groups: person.groups.into_iter().map(|group| group.dn).collect(),
        }
    }
}

/// The directory of some settings. It reads files when it is made.
pub(super) async fn of(values: &Arc<Values>) -> Result<Directory, DirectoryError> {
    let values = values.clone();
    let made = tokio::task::spawn_blocking(move || Directory::new(&values)).await;
    // What is broken off is as little known as what is locked.
    made.unwrap_or(Err(DirectoryError::Locked))
}

/// Who somebody is that gives a name and a password; `None` when it is nobody who may sign in.
pub(super) async fn sign_in(
    values: &Arc<Values>,
    name: &str,
    password: &Secret,
) -> Result<Option<Known>, DirectoryError> {
    match of(values).await?.sign_in(name, password).await {
        Ok(person) => Ok(Some(person.into())),
        Err(err) if err.refuses() => Ok(None),
        Err(err) => Err(err),
    }
}

/// Whether the person of an entry is still there and may sign in.
pub(super) async fn look_up(
    directory: &Directory,
    mark: &str,
) -> Result<Option<Known>, DirectoryError> {
    let found = directory.look_up(Who::Dn(mark)).await?;
    Ok(found.map(Known::from))
}

/// Whether it is of no use to ask about anybody else now.
pub(super) fn is_away(err: &DirectoryError) -> bool {
    matches!(
        err.kind(),
        Kind::Unavailable | Kind::Infrastructure | Kind::Usage
    )
}
