//! `gc`: removes what has been kept for long enough, says what that would be, how it stands, and how long things are kept.

use roundel::api::keep::{Housekeeping, KeepRow, Kept, Pass, Plan, Removed};
use roundel::error::Kind;
use roundel::sanitise::line;
use roundel::settings::keep;

use super::context::Context;
use super::table::table;
use super::words::{bytes, span};
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be removed, and remove nothing
    #[arg(long, conflicts_with_all = ["status", "keep"])]
    dry_run: bool,
    /// Show what was removed last, when the next time is, and how long things are kept
    #[arg(long)]
    status: bool,
    /// Keep logs, builds, attempts, scratch or repos so long from now on; removes nothing yet
    #[arg(long, value_name = "KIND=SPAN", value_parser = kept)]
    keep: Vec<KeepRow>,
}

/// `logs=30d`, `builds=forever`.
fn kept(text: &str) -> Result<KeepRow, String> {
    let (kind, span) = text
        .split_once('=')
        .ok_or("write it as logs=30d, or logs=forever")?;
    let kind = kind.parse::<Kept>().map_err(|err| err.to_string())?;
    let seconds = keep::span(span)
        .ok_or_else(|| format!("`{span}` is no span of time; write it as 30d, 12h or forever"))?;
    Ok(KeepRow { kind, seconds })
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    if args.dry_run {
        let plan = client.housekeeping_plan().await?;
        if context.json {
            context.print_json(&plan)?;
        } else {
            print_plan(context, &plan)?;
        }
        return Ok(End::Ok);
    }
    for wanted in &args.keep {
        client.set_keep(wanted).await?;
    }
    if args.status || !args.keep.is_empty() {
        let now = client.housekeeping().await?;
        if context.json {
            context.print_json(&now)?;
        } else {
            print_status(context, &now)?;
        }
        return Ok(End::Ok);
    }
    let pass = client.clean().await?;
    if context.json {
        context.print_json(&pass)?;
    } else {
        writeln!(context.out, "{}", removed(&pass))?;
    }
    match pass.error {
        None => Ok(End::Ok),
        Some(why) => Err(Failure::said(Kind::Infrastructure, line(&why).into_owned())),
    }
}

fn print_plan(context: &mut Context<'_>, plan: &Plan) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = plan
        .candidates
        .iter()
        .map(|one| {
            [
                one.kind.word().to_owned(),
                one.name.clone(),
                one.since.to_string(),
                bytes(one.bytes),
            ]
        })
        .collect();
    if !rows.is_empty() {
        table(context.out, ["Kind", "Name", "Since", "Size"], &rows)?;
        writeln!(context.out)?;
    }
    writeln!(context.out, "Would remove {}.", amounts(&plan.removed))?;
    Ok(())
}

fn print_status(context: &mut Context<'_>, now: &Housekeeping) -> Result<(), Failure> {
    let rows: Vec<[String; 2]> = now
        .keep
        .iter()
        .map(|row| [row.kind.word().to_owned(), keep::written(row.seconds)])
        .collect();
    table(context.out, ["Kind", "Kept for"], &rows)?;
    writeln!(context.out)?;
    match &now.last {
        None => writeln!(context.out, "Nothing was removed yet.")?,
        Some(last) => writeln!(context.out, "{}: {}", last.at, removed(last))?,
    }
    if let Some(why) = now.last.as_ref().and_then(|last| last.error.as_ref()) {
        let bad = context.out_paint().bad("failed");
        writeln!(context.out, "{bad}: {}", line(why))?;
    }
    match (now.running_since, now.next_at) {
        (Some(since), _) => writeln!(context.out, "Removing since {since}.")?,
        (None, Some(at)) => writeln!(context.out, "Next at {at}.")?,
        (None, None) => {}
    }
    Ok(())
}

/// What a pass came to, in a sentence.
fn removed(pass: &Pass) -> String {
    let took = span(std::time::Duration::from_millis(pass.took_ms));
    format!("Removed {} in {took}.", amounts(&pass.removed))
}

/// `2 builds (1.5 MiB), 5 logs (12 KiB)`.
fn amounts(removed: &[Removed]) -> String {
    if removed.is_empty() {
        return "nothing".to_owned();
    }
    let each = removed
        .iter()
        .map(|one| format!("{} {} ({})", one.count, one.kind.word(), bytes(one.bytes)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_given_by_kind() {
        let row = |kind, seconds| Ok(KeepRow { kind, seconds });
        assert_eq!(kept("logs=30d"), row(Kept::Logs, Some(2_592_000)));
        assert_eq!(kept("builds=forever"), row(Kept::Builds, None));
        for (text, words) in [
            ("logs", "write it as logs=30d"),
            ("cats=1d", "`cats` is not one of logs"),
            ("logs=30", "`30` is no span of time"),
        ] {
            let err = kept(text).unwrap_err();
            assert!(err.contains(words), "{text}: {err}");
        }
    }

    #[test]
    fn what_was_removed_is_told_in_a_sentence() {
        let mut pass = Pass {
            at: roundel::clock::Timestamp(0),
            took_ms: 40,
            removed: Vec::new(),
            error: None,
        };
        assert_eq!(removed(&pass), "Removed nothing in 40ms.");
        let one = |kind, count, bytes| Removed { kind, count, bytes };
        pass.removed = vec![one(Kept::Builds, 2, 3 << 19), one(Kept::Logs, 5, 12_288)];
        assert_eq!(
            removed(&pass),
            "Removed 2 builds (1.5 MiB), 5 logs (12 KiB) in 40ms."
        );
    }
}
