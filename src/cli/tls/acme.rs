//! `tls acme` and `tls renew`: a certificate from an authority. The server deals with the authority; what has to be in
//! DNS is shown here, or written by a program that is started here.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use roundel::api::acme::{AcmeOrder, AcmeRecord, AcmeTold};
use roundel::api::doctor::Verdict;
use roundel::client::Client;
use roundel::error::Kind;
use roundel::sanitise::line;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::context::Context;
use super::super::trial;
use super::super::{End, Failure};

/// Time for a program that writes a record.
const HOOK: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A name that the certificate is for; may be said several times, and *.example.com is one too
    #[arg(
        long = "hostname",
        value_name = "NAME",
        required_unless_present = "renew"
    )]
    names: Vec<String>,
    /// The authority's ACME directory [default: that of the last order, else Let's Encrypt's]
    #[arg(long, value_name = "URL")]
    directory: Option<String>,
    /// Where the authority may write to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Agree to the authority's terms, which it asks of a new account
    #[arg(long)]
    agree_tos: bool,
    /// DNS server that is asked for the record [default: the server's own]
    #[arg(long, value_name = "ADDR")]
    resolver: Option<String>,
    /// Order what was ordered last, also when its certificate holds for long
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    hook: Hook,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Renew {
    /// Also when the certificate holds for long
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    hook: Hook,
}

#[derive(Debug, clap::Args)]
struct Hook {
    /// Program that writes the record: started here as `PROGRAM set NAME VALUE`, at the end as `PROGRAM unset NAME VALUE`
    #[arg(long = "hook", value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

pub(super) async fn order(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let wanted = AcmeOrder {
        names: args.names.clone(),
        directory: args.directory.clone(),
        email: args.email.clone(),
        agree_tos: args.agree_tos,
        resolver: args.resolver.clone(),
        if_due: false,
    };
    follow(&wanted, args.hook.program.as_deref(), context).await
}

pub(super) async fn renew(args: &Renew, context: &mut Context<'_>) -> Result<End, Failure> {
    let wanted = AcmeOrder {
        if_due: !args.force,
        ..AcmeOrder::default()
    };
    follow(&wanted, args.hook.program.as_deref(), context).await
}

/// Orders, shows what happens, and takes away again what was written into DNS.
async fn follow(
    wanted: &AcmeOrder,
    hook: Option<&Path>,
    context: &mut Context<'_>,
) -> Result<End, Failure> {
    let client = context.connect().await?;
    let mut written = Vec::new();
    let end = tokio::select! {
        end = told(wanted, hook, &client, context, &mut written) => end,
        _ = tokio::signal::ctrl_c() => Ok(End::Interrupted),
    };
    if let Some(program) = hook {
        for record in &written {
            if let Err(failure) = call(program, "unset", record).await {
                writeln!(context.err, "{failure}")?;
            }
        }
    }
    end
}

async fn told(
    wanted: &AcmeOrder,
    hook: Option<&Path>,
    client: &Client,
    context: &mut Context<'_>,
    written: &mut Vec<AcmeRecord>,
) -> Result<End, Failure> {
    let mut answer = client.order_certificate(wanted).await?;
    let mut keys = None;
    let mut end = None;
    let mut waiting = false;
    loop {
        let item = tokio::select! {
            item = answer.next() => item,
            Some(()) = pressed(&mut keys) => {
                client.go_on_with_certificate().await?;
                continue;
            }
        };
        let Some(item) = item else { break };
        let item = item?;
        if context.json {
            let text = serde_json::to_string(&item).map_err(std::io::Error::other)?;
            writeln!(context.out, "{text}")?;
            context.out.flush()?;
        }
        match item {
            AcmeTold::Step(step) => {
                if !context.json {
                    trial::print(context, &step)?;
                }
                end = Some(match step.verdict {
                    Verdict::Failed => End::Kind(step.kind.unwrap_or(Kind::Infrastructure)),
                    _ => End::Ok,
                });
            }
            AcmeTold::Record(record) => {
                if !context.json {
                    let (name, value) = (line(&record.name), line(&record.value));
                    writeln!(context.out, "record  {name}. TXT \"{value}\"")?;
                    context.out.flush()?;
                }
                if let Some(program) = hook {
                    written.push(record.clone());
                    call(program, "set", &record).await?;
                }
            }
            AcmeTold::Waiting { left_s } if !waiting => {
                waiting = true;
                if context.terminals.input && hook.is_none() {
                    keys = Some(listen());
                }
                if !context.json {
                    let word = if keys.is_some() {
                        "; Enter goes on without that"
                    } else {
                        ""
                    };
                    let minutes = left_s.div_ceil(60);
                    writeln!(
                        context.out,
                        "waits   until DNS shows it, at most {minutes} min{word}"
                    )?;
                    context.out.flush()?;
                }
            }
            AcmeTold::Waiting { .. } => {}
        }
    }
    end.ok_or_else(|| Failure::said(Kind::Internal, "the server told nothing of the order"))
}

/// Resolves at Enter, never without somebody who can press it.
async fn pressed(keys: &mut Option<mpsc::Receiver<()>>) -> Option<()> {
    match keys {
        Some(keys) => match keys.recv().await {
            Some(()) => Some(()),
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Hears each Enter. Its thread ends with the process: a terminal cannot be read with an end in sight.
fn listen() -> mpsc::Receiver<()> {
    let (to, from) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || to.blocking_send(()).is_err() {
                return;
            }
        }
    });
    from
}

/// Starts the program that writes records, and waits for it.
async fn call(program: &Path, what: &str, record: &AcmeRecord) -> Result<(), Failure> {
    let shown = program.display();
    let failed = |why: String| {
        Failure::said(
            Kind::Infrastructure,
            format!("`{shown} {what} {}` {why}", record.name),
        )
    };
    let started = Command::new(program)
        .arg(what)
        .arg(&record.name)
        .arg(&record.value)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|err| failed(format!("cannot be started: {err}")))?;
    match timeout(HOOK, started.wait_with_output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(failed(format!("ended with {}", output.status))),
        Ok(Err(err)) => Err(failed(format!("cannot be waited for: {err}"))),
        Err(_) => Err(failed(format!("took longer than {} s", HOOK.as_secs()))),
    }
}
