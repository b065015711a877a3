//! `watch`: has new commits of a repository built, lists what is watched, looks at once, and ends it.

use roundel::api::watches::{AddWatch, WatchRow};
use roundel::error::Kind;

use super::build::source;
use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a repository, or a URL that git understands
    #[arg(value_name = "PATH|URL", required_unless_present = "list")]
    source: Option<String>,
    /// Time between two looks
    #[arg(long, value_name = "SPAN", default_value = "30s", conflicts_with_all = ["list", "now", "remove"])]
    every: String,
    /// Look at it now: for a hook of the repository
    #[arg(long, conflicts_with_all = ["list", "remove"])]
    now: bool,
    /// Watch it no more
    #[arg(long, conflicts_with = "list")]
    remove: bool,
    /// List what is watched
    #[arg(long, conflicts_with = "source")]
    list: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let Some(named) = args.source.as_deref() else {
        return list(context).await;
    };
    if args.remove || args.now {
        // What is watched may be gone from the disk, and can also be named by its project.
        let reference = source::resolve(named).unwrap_or_else(|_| named.to_owned());
        let client = context.connect().await?;
        if args.now {
            let looked = client.look_now(&reference).await?;
            let text = format!("Looks at {} now.", looked.source);
            return context.done(&looked, &text);
        }
        let removed = client.remove_watch(&reference).await?;
        let text = format!("Watches {} no more.", removed.value.source);
        return context.done(&removed, &text);
    }
    let every_s = roundel::settings::span::seconds(&args.every).ok_or_else(|| {
        Failure::said(Kind::Usage, format!("`{}` is no span of time", args.every))
            .with_hint("write it as 30s, 5m or 1h")
    })?;
    let wanted = AddWatch {
        source: source::resolve(named)?,
        every_s,
    };
    let client = context.connect().await?;
    let added = client.add_watch(&wanted).await?;
    let every = &args.every;
    let text = format!(
        "Watches {}: commits that are pushed from now on are built, looked for every {every}.",
        added.value.source
    );
    context.done(&added, &text)
}

async fn list(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let rows = client.watches().await?;
    let none = "Nothing is watched. `roundel watch PATH` begins.";
    let heading = [
        "Source",
        "Project",
        "Every",
        "Branches",
        "Built",
        "Last look",
        "Result",
    ];
    context.rows(rows, none, heading, cells)
}

fn cells(row: WatchRow) -> [String; 7] {
    let looked = row.looked_at.map_or("-".to_owned(), |at| at.to_string());
    let result = match (row.failure, row.looked_at) {
        (Some(why), _) => why,
        (None, Some(_)) if !row.passed_over.is_empty() => {
            let branches = row.passed_over.join(", ");
            format!("ok; what came to {branches} was built before")
        }
        (None, Some(_)) => "ok".to_owned(),
        (None, None) => "-".to_owned(),
    };
    [
        row.source,
        row.project,
        format!("{} s", row.every_s),
        row.branches.to_string(),
        row.built.to_string(),
        looked,
        result,
    ]
}
