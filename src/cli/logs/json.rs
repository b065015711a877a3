//! Lines as the API's objects, one JSON object per line, with the attempt and the step they are of.

use roundel::api::builds::{LogLine, LogQuery, RunRow, StepStatus};
use roundel::client::Client;
use serde::Serialize;

use super::{Args, changed, has_step, over};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::cli::follow::News;

/// Lines asked for at once: the most that are answered.
const LINES: u64 = 1000;

#[derive(Serialize)]
struct Said<'a> {
    attempt: &'a str,
    step: &'a str,
    #[serde(flatten)]
    line: &'a LogLine,
}

pub(super) async fn print(
    args: &Args,
    client: &Client,
    run: &RunRow,
    news: &mut News,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut next: Vec<Option<u64>> = Vec::new();
    loop {
        let detail = client.run(&run.attempt).await?;
        has_step(args, &detail)?;
        let ended = !args.follow || over(&detail.run);
        let steps: Vec<String> = if args.stderr {
            vec!["agent".to_owned()]
        } else {
            let begun = detail
                .steps
                .iter()
                .filter(|step| step.status != StepStatus::Waiting);
            begun
                .filter(|step| args.wants(step))
                .map(|step| step.index.to_string())
                .collect()
        };
        next.resize(steps.len().max(next.len()), None);
        for (step, next) in steps.iter().zip(&mut next) {
            lines(args, client, &run.attempt, step, next, ended, context).await?;
        }
        context.out.flush()?;
        if ended {
            return Ok(());
        }
        changed(client, news, &run.attempt).await;
    }
}

/// Prints the lines from `next` on; the unfinished last one only when nothing more will come.
async fn lines(
    args: &Args,
    client: &Client,
    attempt: &str,
    step: &str,
    next: &mut Option<u64>,
    ended: bool,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    loop {
        let mut query = LogQuery {
            stream: args.stream.clone(),
            ..LogQuery::default()
        };
        match (*next, args.last()) {
            (None, Some(last)) => query.tail = Some(last),
            (from, _) => (query.line, query.count) = (Some(from.unwrap_or(0)), Some(LINES)),
        }
        let answer = client.log_lines(attempt, step, &query).await?;
        let whole = if answer.open && !ended {
            answer.total.saturating_sub(1)
        } else {
            answer.total
        };
        let mut printed = false;
        for line in answer.lines.iter().filter(|line| line.n < whole) {
            serde_json::to_writer(
                &mut *context.out,
                &Said {
                    attempt,
                    step,
                    line,
                },
            )
            .map_err(std::io::Error::from)?;
            writeln!(context.out)?;
            *next = Some(line.n + 1);
            printed = true;
        }
        if !printed || next.is_some_and(|next| next >= whole) {
            return Ok(());
        }
    }
}
