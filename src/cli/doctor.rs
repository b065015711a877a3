//! `doctor`: what is wrong with the installation and the machine, each with evidence and a fix. Needs no server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use roundel::api::doctor::{Check, Examination, Verdict};
use roundel::client::Client;
use roundel::client::launch::{self, Place};
use roundel::error::{Chain, Kind};
use roundel::sanitise::line;
use roundel::services::doctor::{self, Subject};
use roundel::settings::bootstrap::Bootstrap;
use tokio::time::timeout;

use super::context::{self, Context};
use super::words::count;
use super::{End, Failure, serve};

/// How long a server may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(context: &mut Context<'_>) -> Result<End, Failure> {
    let place = context::place(context.global()).await?;
    if let Place::Remote(remote) = &place {
        let why = format!(
            "doctor looks at this machine, and {} is another",
            remote.address
        );
        return Err(Failure::said(Kind::Usage, why).with_hint("run it there"));
    }
    let named = context::config_file(context.global())?;
    let of_system = place
        .is_system()
        .then(|| PathBuf::from(launch::SYSTEM_CONFIG));
    let config = named.or(of_system.filter(|path| path.exists()));
    let bootstrap = Bootstrap::load(config.as_deref())?;
    let (server, data, running) = server(&place).await;
    let set = bootstrap
        .listen
        .iter()
        .chain(bootstrap.public.iter().flatten());
    let (client, addresses) = match running {
        Some((client, addresses)) => (Some(client), addresses),
        None => (None, set.cloned().collect()),
    };
    let subject = Subject {
        data,
        addresses,
        engines: serve::engines(bootstrap.engine.clone()),
    };
    let mut checks = doctor::examine(&subject).await;
    checks.insert(0, server);
    if let Some(client) = client {
        checks.extend(certificates(&client).await);
    }
    let worst = checks.iter().map(|check| check.verdict).max();
    let found = Examination {
        verdict: worst.unwrap_or(Verdict::Ok),
        data: subject.data.display().to_string(),
        checks,
    };
    if context.json {
        context.print_json(&found)?;
    } else {
        print(context, &found)?;
    }
    Ok(match found.verdict {
        Verdict::Ok | Verdict::Warning => End::Ok,
        Verdict::Failed => End::Infrastructure,
    })
}

/// The certificates that a server serves.
async fn certificates(client: &Client) -> Vec<Check> {
    const NAME: &str = "certificate";
    let Ok(Ok(dashboard)) = timeout(PATIENCE, client.dashboard()).await else {
        // That it does not answer is told already.
        return Vec::new();
    };
    let rows = dashboard.certificates.into_iter();
    rows.map(|row| {
        let told = format!(
            "{}: {} by {}, until {}",
            row.place, row.name, row.issuer, row.until
        );
        let fix = "save a new certificate and its key, or `roundel tls renew` where an authority issued it";
        match (row.trouble, row.days_left) {
            (Some(why), _) => {
                let told = format!("{told}; the one that is set cannot be served: {why}");
                let fix = match row.locked {
                    true => "`roundel unlock`",
                    false => "`roundel tls verify` says what is wrong with it",
                };
                Check::failed(NAME, told, fix)
            }
            (None, ..0) => Check::failed(NAME, format!("{told}: it has expired"), fix),
            (None, days) if row.ends_soon => {
                Check::warning(NAME, format!("{told}: {} left", count(days.unsigned_abs(), "day")), fix)
            }
            (None, _) => Check::ok(NAME, told),
        }
    })
    .collect()
}

/// Whether the server answers, where its data is, and the way to one that does, with the addresses that it listens on.
async fn server(place: &Place) -> (Check, PathBuf, Option<(Client, Vec<String>)>) {
    const NAME: &str = "server";
    let data = match place {
        Place::Data(data) => data.canonicalize().unwrap_or_else(|_| data.clone()),
        // What it says of itself is nearer.
        Place::Socket(_) if place.is_system() => PathBuf::from(launch::SYSTEM_DATA),
        Place::Socket(socket) => socket.parent().unwrap_or(Path::new("/")).to_owned(),
        Place::Remote(_) => PathBuf::from("/"),
    };
    let holder = doctor::holder(&data);
    let answer = match timeout(PATIENCE, launch::connect(place)).await {
        Ok(answer) => answer.map_err(|err| Chain(&err).to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    match (answer, holder) {
        (Ok(connected), _) => {
            let hello = connected.hello;
            let told = format!(
                "version {}, pid {}, since {}",
                hello.version, hello.pid, hello.started_at
            );
            let own = env!("CARGO_PKG_VERSION");
            let check = if hello.version == own {
                Check::ok(NAME, told)
            } else {
                let told = format!("{told}; this program is version {own}");
                Check::warning(
                    NAME,
                    told,
                    "start the server anew: what runs goes on meanwhile",
                )
            };
            let network = hello.network.map(|network| network.address);
            let addresses = network.into_iter().chain(hello.public).collect();
            let running = Some((connected.client, addresses));
            (check, PathBuf::from(hello.data), running)
        }
        (Err(err), Some(pid)) => {
            let found = format!("pid {pid} has the data directory and does not answer: {err}");
            let log = data.join("log");
            let fix = format!(
                "look into {}; `kill {pid}` ends it, and what runs goes on",
                log.display()
            );
            (Check::failed(NAME, found, fix), data, None)
        }
        (Err(err), None) => match place {
            Place::Data(_) => (
                Check::ok(NAME, "none runs: a verb that needs one starts it"),
                data,
                None,
            ),
            Place::Socket(_) | Place::Remote(_) => {
                let fix = match place.is_system() {
                    true => {
                        "start it: `systemctl start roundel`; `journalctl -u roundel` says why it ended"
                    }
                    false => "start it: `roundel serve`",
                };
                (Check::failed(NAME, err, fix), data, None)
            }
        },
    }
}

fn print(context: &mut Context<'_>, found: &Examination) -> Result<(), Failure> {
    let paint = context.out_paint();
    let width = found.checks.iter().map(|check| check.name.len()).max();
    let width = width.unwrap_or_default();
    for check in &found.checks {
        let word = paint.verdict(check.verdict);
        writeln!(
            context.out,
            "{word}  {:width$}  {}",
            check.name,
            line(&check.found)
        )?;
        if let Some(fix) = &check.fix {
            writeln!(context.out, "{:7}  {:width$}  fix: {}", "", "", line(fix))?;
        }
    }
    let number = |verdict| {
        found
            .checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count() as u64
    };
    writeln!(
        context.out,
        "\n{}: {} failed, {}.",
        count(found.checks.len() as u64, "check"),
        number(Verdict::Failed),
        count(number(Verdict::Warning), "warning")
    )?;
    Ok(())
}
