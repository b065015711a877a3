//! `project`: lists and shows projects, renames and removes them, sets variables for their jobs.

mod env;

use roundel::api::projects::ProjectRow;

use super::build::source;
use super::context::Context;
use super::table::block;
use super::words::count;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask (also -yes)
    #[arg(long, global = true)]
    yes: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the projects
    List,
    /// Show a project
    Show(Named),
    /// Give a project another name, in what was built too
    Rename {
        #[command(flatten)]
        project: Named,
        /// New name
        #[arg(value_name = "ORG/NAME")]
        to: String,
    },
    /// Remove a project with its pipelines and logs
    Remove(Named),
    /// List, set and unset the variables of its jobs
    #[command(subcommand)]
    Env(env::Verb),
}

/// A project, as a person names it.
#[derive(Debug, clap::Args)]
struct Named {
    /// Its name (org/name, or name alone), or its repository: ./folder, /folder or URL
    #[arg(value_name = "PROJECT")]
    project: String,
}

impl Named {
    /// As the server understands it, which stands in another folder.
    fn reference(&self) -> Result<String, Failure> {
        if self.project.starts_with(['.', '/']) {
            return source::resolve(&self.project);
        }
        Ok(self.project.clone())
    }
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    match &args.verb {
        Verb::List => list(context).await,
        Verb::Show(named) => show(named, context).await,
        Verb::Rename { project, to } => {
            let reference = project.reference()?;
            let client = context.connect().await?;
            let before = client.project(&reference).await?;
            let written = client.rename_project(&before.key, to).await?;
            let text = format!("{} is {} now.", before.project, written.value.project);
            context.done(&written, &text)
        }
        Verb::Env(verb) => env::run(verb, context).await,
        Verb::Remove(named) => remove(args.yes, named, context).await,
    }
}

async fn list(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let rows = client.projects().await?;
    let none = "There is no project yet. `roundel build PATH` makes one.";
    let heading = ["Project", "Pipelines", "Last build", "At", "Key"];
    context.rows(rows, none, heading, cells)
}

fn cells(row: ProjectRow) -> [String; 5] {
    let (build, at) = last(&row);
    [row.project, row.pipelines.to_string(), build, at, row.key]
}

/// Number of the newest build and moment of the newest pipeline, or dashes.
fn last(row: &ProjectRow) -> (String, String) {
    let build = match row.last_build {
        0 => "-".to_owned(),
        n => format!("#{n}"),
    };
    let at = row.last_at.map_or("-".to_owned(), |at| at.to_string());
    (build, at)
}

async fn show(named: &Named, context: &mut Context<'_>) -> Result<End, Failure> {
    let reference = named.reference()?;
    let client = context.connect().await?;
    let row = client.project(&reference).await?;
    if context.json {
        context.print_json(&row)?;
        return Ok(End::Ok);
    }
    let (build, at) = last(&row);
    block(
        context.out,
        &[
            ("Project", row.project),
            ("Key", row.key),
            ("Origin", row.origin),
            ("Pipelines", row.pipelines.to_string()),
            ("Last build", build),
            ("Last pipeline at", at),
        ],
    )?;
    Ok(End::Ok)
}

async fn remove(yes: bool, named: &Named, context: &mut Context<'_>) -> Result<End, Failure> {
    let reference = named.reference()?;
    let client = context.connect().await?;
    let row = client.project(&reference).await?;
    context.confirm(
        &format!(
            "Remove {} ({}) with {} and their logs, for ever?",
            row.project,
            row.key,
            count(row.pipelines, "pipeline")
        ),
        yes,
    )?;
    let written = client.remove_project(&row.key).await?;
    let gone = &written.value;
    let text = format!(
        "Removed {} with {} and {}.",
        gone.project,
        count(gone.pipelines, "pipeline"),
        count(gone.runs, "run")
    );
    context.done(&written, &text)
}
