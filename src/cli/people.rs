//! `people`: who has signed in by name and password, and who is forgotten again.

use roundel::api::session::Person;

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List those who have signed in, and how many sessions of theirs are open
    List,
    /// Forget somebody and end their sessions; they can sign in again
    Forget {
        /// Where they are known: ldap or github
        kind: String,
        /// As `people list` shows them
        name: String,
    },
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    match verb {
        Verb::List => {
            let people = client.people().await?;
            let none = "Nobody has signed in by name and password.";
            let heading = [
                "Name",
                "Known by",
                "Role",
                "Sessions",
                "Last sign-in",
                "E-mail",
            ];
            context.rows(people, none, heading, cells)
        }
        Verb::Forget { kind, name } => {
            let done = client.forget_person(kind, name).await?;
            let text = match done.value.sessions {
                0 => format!("{name} is forgotten."),
                1 => format!("{name} is forgotten, and 1 session has ended."),
                count => format!("{name} is forgotten, and {count} sessions have ended."),
            };
            context.done(&done, &text)
        }
    }
}

fn cells(person: Person) -> [String; 6] {
    let role = person.sessions.iter().map(|one| one.role).max();
    [
        person.name,
        person.kind,
        role.map_or(String::new(), |role| role.to_string()),
        person.sessions.len().to_string(),
        person.last_at.to_string(),
        person.email,
    ]
}
