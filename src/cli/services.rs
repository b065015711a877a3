//! `services`: how the parts of the server do, whether the installation takes work, and stopping and starting that.

use std::io::{self, Write};
use std::time::Duration;

use roundel::api::services::{Installation, Phase, ServiceRow};
use roundel::client::Client;
use roundel::sanitise::line;

use super::context::Context;
use super::table::table;
use super::words::{Paint, count};
use super::{End, Failure};

/// How often is looked whether everything has ended.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask (also -yes)
    #[arg(long, global = true)]
    yes: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Take no new work; what runs may end
    Stop {
        /// End only when nothing runs any more
        #[arg(long)]
        wait: bool,
    },
    /// Take work again
    Start,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let now = match args.verb {
        None => {
            let services = client.services().await?;
            if context.json {
                context.print_json(&services)?;
                return Ok(End::Ok);
            }
            list(context.out, &services.services)?;
            if let Some(network) = &services.network {
                writeln!(
                    context.out,
                    "Listens on https://{}, fingerprint {}.",
                    network.address, network.fingerprint
                )?;
            }
            if let Some(public) = &services.public {
                let way = match public.ssl_only {
                    true => "by TLS alone",
                    false => "with TLS and without",
                };
                let addresses = public.addresses.join(", ");
                writeln!(context.out, "Listens for everybody on {addresses}, {way}.")?;
            }
            services.installation
        }
        Some(Verb::Stop { wait }) => stop(&client, context, args.yes, wait).await?,
        Some(Verb::Start) => client.start_services().await?.value,
    };
    if context.json {
        context.print_json(&now)?;
    } else {
        let running = client.summary().await?.running;
        let paint = context.out_paint();
        writeln!(context.out, "{}", sentence(&now, running, paint))?;
    }
    Ok(End::Ok)
}

/// The parts of the server, one a line, then an empty line.
fn list(out: &mut dyn Write, services: &[ServiceRow]) -> io::Result<()> {
    let rows: Vec<[String; 5]> = services
        .iter()
        .map(|row| {
            let error = row.last_error.as_ref();
            [
                row.name.clone(),
                row.health.word().to_owned(),
                row.since.to_string(),
                error.map_or_else(
                    || "-".to_owned(),
                    |error| format!("{} {}", error.at, error.text),
                ),
                row.note.clone(),
            ]
        })
        .collect();
    table(
        out,
        ["Name", "Health", "Since", "Last error", "Note"],
        &rows,
    )?;
    writeln!(out)
}

async fn stop(
    client: &Client,
    context: &mut Context<'_>,
    yes: bool,
    wait: bool,
) -> Result<Installation, Failure> {
    let going = match client.summary().await?.running {
        0 => "nothing runs".to_owned(),
        n => format!("{} may end", count(n, "run")),
    };
    context.confirm(
        &format!("Stop the installation? It takes no new work; {going}."),
        yes,
    )?;
    let mut now = client.stop_services().await?.value;
    while wait && now.phase == Phase::Stopping {
        tokio::time::sleep(LOOK).await;
        now = client.summary().await?.installation;
    }
    Ok(now)
}

/// How the installation stands, in a sentence.
pub(super) fn sentence(now: &Installation, running: u64, paint: Paint) -> String {
    let who = now.since.map_or_else(String::new, |since| {
        format!(" since {since}, by {}", line(&now.by))
    });
    match now.phase {
        Phase::Started => format!("{}{who}.", paint.good("Started")),
        Phase::Stopping => format!(
            "{}{who}: takes no new work, {} yet to end.",
            paint.warn("Stopping"),
            count(running, "run")
        ),
        Phase::Stopped => format!(
            "{}{who}: takes no new work, nothing runs.",
            paint.bad("Stopped")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundel::clock::Timestamp;

    #[test]
    fn the_sentence_says_what_is_who_did_it_and_what_is_left() {
        let said = |phase, running| {
            let now = Installation {
                phase,
                since: Some(Timestamp(1_700_000_000_000)),
                by: "uid 1000 (ann)".to_owned(),
            };
            sentence(&now, running, Paint::plain())
        };
        let since = "since 2023-11-14T22:13:20.000Z, by uid 1000 (ann)";
        assert_eq!(said(Phase::Started, 3), format!("Started {since}."));
        assert_eq!(
            said(Phase::Stopping, 1),
            format!("Stopping {since}: takes no new work, 1 run yet to end.")
        );
        assert_eq!(
            said(Phase::Stopped, 0),
            format!("Stopped {since}: takes no new work, nothing runs.")
        );
    }
}
