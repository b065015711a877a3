//! The command line: what can be said, and one file per verb.
//!
//! Verbs speak to a server through the typed client, print through the writers of a [`Context`], and answer how it
//! ended; they hold no rules of their own about builds or nodes.

mod agent;
mod approve;
mod audit;
mod backup;
mod build;
mod ca;
mod cancel;
mod certificates;
mod compare;
mod completions;
mod config;
mod console;
mod context;
mod doctor;
mod failure;
mod follow;
mod gc;
mod ldap;
mod logging;
mod login;
mod logout;
mod logs;
mod man;
mod node_drain;
mod node_eligibility;
mod node_status;
mod people;
mod problems;
mod project;
mod proxy;
#[cfg(test)]
mod reference;
mod rerun;
mod secrets;
mod serve;
mod services;
mod settings;
mod spelling;
mod status;
mod stop;
mod table;
mod tls;
mod token;
mod trial;
mod version;
mod vm;
mod watch;
mod whoami;
mod words;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use context::{Context, Terminals};
pub(crate) use failure::{End, Failure};

/// A self-hosted CI server that is run from a terminal.
///
/// Without a verb it opens the console. Verbs that need a server start one when nobody is there; it ends by itself
/// when it has been idle for a minute.
#[derive(Debug, Parser)]
#[command(name = "roundel", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    look: console::Look,
    #[command(subcommand)]
    verb: Option<Verb>,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 the build failed, 2 usage or config, 3 cannot be placed or \
    infrastructure, 4 not found or conflict, 5 refused, 6 no server, 130 interrupted, 141 whoever read the output has gone";

/// Apart in the help: between a verb's own options they hide those.
const HEADING: &str = "Global options";

/// What can stand with every verb.
#[derive(Clone, Debug, Default, Args)]
struct Global {
    /// Socket of the server, or https://HOST[:PORT] [env: ROUNDEL_SERVER]
    #[arg(long, global = true, help_heading = HEADING, value_name = "SERVER")]
    server: Option<String>,
    /// What the certificate of a server on another machine has to be
    #[arg(long, global = true, help_heading = HEADING, value_name = "SHA256")]
    fingerprint: Option<String>,
    /// File with the token for it [env: ROUNDEL_TOKEN holds the token itself]
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Data directory, whose server is started when it is not there [env: ROUNDEL_DATA]
    #[arg(long, global = true, help_heading = HEADING, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Bootstrap file [default: config.toml in the XDG configuration directory]
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the objects of the API as JSON (also -json)
    #[arg(long, global = true, help_heading = HEADING)]
    json: bool,
    /// No colours, as with NO_COLOR
    #[arg(long, global = true, help_heading = HEADING)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the services until told to end
    Serve(serve::Args),
    /// Open the console
    Console(console::Args),
    /// Build a repository and follow it
    Build(build::Args),
    /// Build the new commits of a repository as they come
    Watch(watch::Args),
    /// List, show, rename and remove projects
    Project(project::Args),
    /// Run a workflow again
    Rerun(rerun::Args),
    /// Show what a build did differently from the last green one
    Compare(compare::Args),
    /// Approve a job that waits for it
    Approve(approve::Args),
    /// List, make and destroy VMs for jobs; try the settings of their provider
    #[command(subcommand)]
    Vm(vm::Verb),
    /// Cancel a pipeline, a workflow or a job
    Cancel(cancel::Args),
    /// List the runs, or show one run or pipeline
    Status(status::Args),
    /// List the nodes, or show one
    NodeStatus(node_status::Args),
    /// Turn the drain of a node on or off
    NodeDrain(node_drain::Args),
    /// Let a node take new work, or not
    NodeEligibility(node_eligibility::Args),
    /// Print the log of a run, a job or a pipeline
    Logs(logs::Args),
    /// Stop a run
    Stop(stop::Args),
    /// Check a config file without a server
    #[command(subcommand)]
    Config(config::Verb),
    /// Show who changed what
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Sign in to a server on another machine, by a token or by name and password
    Login(login::Args),
    /// Sign out of a server on another machine
    Logout(logout::Args),
    /// Show who the server takes you for
    Whoami,
    /// List who has signed in by name and password, or forget somebody
    #[command(subcommand)]
    People(people::Verb),
    /// Make, list and revoke tokens that people and programs sign in with
    #[command(subcommand)]
    Token(token::Verb),
    /// Back up the installation, check a backup, restore one
    #[command(subcommand)]
    Backup(backup::Verb),
    /// Look for what is wrong with the installation and the machine; needs no server
    Doctor,
    /// Remove what has been kept for long enough; set how long that is
    Gc(gc::Args),
    /// Show whether the installation takes work; stop or start that
    Services(services::Args),
    /// Show and change what the installation is told
    Settings(settings::Args),
    /// Test the directory that people sign in with
    #[command(subcommand)]
    Ldap(ldap::Verb),
    /// Try the proxy; write what tells others of it
    #[command(subcommand)]
    Proxy(proxy::Verb),
    /// Look at certificates, make one, have one issued, fetch those of a host
    #[command(subcommand)]
    Tls(tls::Verb),
    /// Show and change whom Roundel trusts besides the system's authorities
    Ca(ca::Args),
    /// Show what keeps the secrets; put them under a passphrase, or take it off
    #[command(subcommand)]
    Secrets(secrets::Verb),
    /// Open the secrets with their passphrase, after a start of the server
    Unlock(secrets::Given),
    /// Print the version
    Version,
    /// Print completions for a shell
    Completions(completions::Args),
    /// Write the manual pages into a folder
    Man(man::Args),
}

/// Runs the program and answers its exit code.
pub(crate) fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    // A lock, a pipe or a file that the caller holds open is nothing for a server that outlives it, nor for the steps of jobs.
    close_fds::set_fds_cloexec(3, &[]);
    let args: Vec<OsString> = args.collect();
    // No verb of a person's, and started for every run: what all verbs say of themselves takes it longer than its own start.
    if args.get(1).is_some_and(|word| word == "agent") {
        return agent::run(&agent::Args::parse_from(&args[1..]));
    }
    let cli = Cli::parse_from(spelling::respell(args.into_iter()));
    let verb = match cli.verb {
        // These do not print through a context: they take the terminal or the process for themselves.
        None => return console::run(&console::Args::looking(cli.look), &cli.global),
        Some(Verb::Console(args)) => {
            return console::run(&args.looking_also(cli.look), &cli.global);
        }
        Some(verb) => match cli.look.given() {
            None => verb,
            Some(flag) => {
                let why = format!("{flag} belongs to the console; this verb has none");
                Cli::command()
                    .error(ErrorKind::ArgumentConflict, why)
                    .exit()
            }
        },
    };
    let terminals = Terminals {
        input: io::stdin().is_terminal(),
        out: io::stdout().is_terminal(),
        err: io::stderr().is_terminal(),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    // Never locked: a server's threads write their log there, and would wait for ever.
    let mut err = io::stderr();
    let mut context = Context::new(&mut out, &mut err, terminals, &cli.global);
    let result = dispatch(verb, &mut context).and_then(|end| {
        context.out.flush()?;
        Ok(end)
    });
    let code = match result {
        Ok(end) => end.code(),
        Err(failure) => {
            // What was printed before it comes first.
            let _ = context.out.flush();
            failure::print(&failure, &mut context);
            failure.end().code()
        }
    };
    ExitCode::from(code)
}

fn dispatch(verb: Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Serve(args) => return serve::run(&args, context),
        Verb::Config(verb) => return config::run(&verb, context),
        // These two need no server: what they read lies before them.
        Verb::Backup(backup::Verb::Verify(args)) => return backup::verify(&args, context),
        Verb::Backup(backup::Verb::Restore(args)) => return backup::restore(&args, context),
        Verb::Version => return version::run(context),
        Verb::Completions(args) => return completions::run(&args, context),
        Verb::Man(args) => return man::run(&args, context),
        _ => {}
    }
    let runtime = context::runtime()?;
    runtime.block_on(async {
        match verb {
            Verb::Build(args) => build::run(&args, context).await,
            Verb::Watch(args) => watch::run(&args, context).await,
            Verb::Project(args) => project::run(&args, context).await,
            Verb::Rerun(args) => rerun::run(&args, context).await,
            Verb::Compare(args) => compare::run(&args, context).await,
            Verb::Approve(args) => approve::run(&args, context).await,
            Verb::Vm(verb) => vm::run(&verb, context).await,
            Verb::Cancel(args) => cancel::run(&args, context).await,
            Verb::Status(args) => status::run(&args, context).await,
            Verb::NodeStatus(args) => node_status::run(&args, context).await,
            Verb::NodeDrain(args) => node_drain::run(&args, context).await,
            Verb::NodeEligibility(args) => node_eligibility::run(&args, context).await,
            Verb::Logs(args) => logs::run(&args, context).await,
            Verb::Stop(args) => stop::run(&args, context).await,
            Verb::Audit(verb) => audit::run(&verb, context).await,
            Verb::Doctor => doctor::run(context).await,
            Verb::Gc(args) => gc::run(&args, context).await,
            Verb::Login(args) => login::run(&args, context).await,
            Verb::Logout(args) => logout::run(&args, context).await,
            Verb::Whoami => whoami::run(context).await,
            Verb::People(verb) => people::run(&verb, context).await,
            Verb::Token(verb) => token::run(&verb, context).await,
            Verb::Services(args) => services::run(&args, context).await,
            Verb::Secrets(verb) => secrets::run(&verb, context).await,
            Verb::Unlock(given) => secrets::unlock(&given, context).await,
            Verb::Settings(args) => settings::run(&args, context).await,
            Verb::Ldap(verb) => ldap::run(&verb, context).await,
            Verb::Proxy(verb) => proxy::run(&verb, context).await,
            Verb::Tls(verb) => tls::run(&verb, context).await,
            Verb::Ca(args) => ca::run(&args, context).await,
            Verb::Backup(backup::Verb::Create(args)) => backup::create(&args, context).await,
            Verb::Backup(_)
            | Verb::Serve(_)
            | Verb::Console(_)
            | Verb::Config(_)
            | Verb::Version
            | Verb::Completions(_)
            | Verb::Man(_) => unreachable!("handled before"),
        }
    })
}

/// Whether a line is one that the program takes: for tests of those who show such lines.
#[cfg(test)]
pub(crate) fn parse(line: &str) -> Result<(), clap::Error> {
    let words = line.split(' ').map(OsString::from);
    Cli::try_parse_from(spelling::respell(words)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
