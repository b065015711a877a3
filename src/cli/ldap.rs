//! `ldap`: puts the directory of the settings to the test, also as somebody who signs in.

use std::path::{Path, PathBuf};

use roundel::error::Kind;
use roundel::secret::Secret;
use roundel::settings::registry::TestId;
use rustix::termios::OptionalActions;

use super::context::Context;
use super::trial::{self, Given};
use super::{End, Failure, settings};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Go the way of a sign-in step by step: with what is saved, what is staged, and what is given here
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// Look this person up, and sign in with the password
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File with the person's password, `-` for standard input; on a terminal it is asked for
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    let Verb::Test(args) = verb;
    let mut wanted = args.given.of(TestId::Ldap)?;
    if let Some(user) = &args.user {
        wanted
            .words
            .insert("user".to_owned(), Secret::new(user.clone()));
        if !wanted.words.contains_key("password")
            && let Some(password) = password(args.password_file.as_deref(), context)?
        {
            wanted.words.insert("password".to_owned(), password);
        }
    }
    trial::run(context, &wanted).await
}

/// The password of a file, or what is typed; `None` where neither is there.
fn password(file: Option<&Path>, context: &mut Context<'_>) -> Result<Option<Secret>, Failure> {
    let text = match file {
        Some(file) => settings::bounded(file)?,
        None if context.terminals.input => {
            // What was typed before the question is no answer to it.
            let typed = context.hidden("Password (it is not shown)", OptionalActions::Flush)?;
            String::from_utf8(typed)
                .map_err(|_| Failure::said(Kind::Usage, "what was typed is no text"))?
        }
        None => return Ok(None),
    };
    Ok(Some(Secret::new(
        text.trim_end_matches(['\n', '\r']).to_owned(),
    )))
}
