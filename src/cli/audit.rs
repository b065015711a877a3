//! `audit list`: who changed what, newest first.

use roundel::api::{AuditRow, ListQuery};

use super::context::Context;
use super::table::table;
use super::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List the changes, newest first
    List(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only rows that hold all these words (!word: that do not hold it; last:1h: of the last hour)
    filter: Vec<String>,
    /// Rows at most
    #[arg(short, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    n: u64,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    let Verb::List(args) = verb;
    let client = context.connect().await?;
    let query = ListQuery {
        filter: args.filter.join(" "),
        limit: Some(args.n),
        ..ListQuery::default()
    };
    let page = client.audit(&query).await?;
    if context.json {
        context.print_json(&page)?;
    } else {
        let rows: Vec<_> = page.rows.into_iter().map(cells).collect();
        table(
            context.out,
            ["Time", "Actor", "Action", "Object", "Result", "Detail"],
            &rows,
        )?;
    }
    Ok(End::Ok)
}

fn cells(row: AuditRow) -> [String; 6] {
    let dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    [
        row.at.to_string(),
        row.actor,
        row.action,
        dash(row.object),
        row.result,
        dash(row.detail),
    ]
}
