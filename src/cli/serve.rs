//! `serve`: runs the services in this process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use roundel::client::launch;
use roundel::containers;
use roundel::http::{self, JobUser, ServeError, ServeOptions};
use roundel::queue::Limits;
use roundel::settings::bootstrap::{self, Bootstrap, NODES_MAX};
use roundel::storage::data_dir::DataDirError;
use roundel::storage::own_log::OwnLog;
use tokio::signal::unix::{SignalKind, signal};

use super::context::{self, Context};
use super::{End, Failure, logging};

/// How long work that was under way for an answer may go on at the end.
const LAST_WORK: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after an idle minute: no client, nothing queued that can start, nothing running
    #[arg(long)]
    auto: bool,
    /// Listen on the network too, by TLS: an address of this machine, as 0.0.0.0:8800
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    listen: Option<SocketAddr>,
    /// Listen for everybody: an address of this machine, as 0.0.0.0:443; may be said several times, and people are sent to the first
    #[arg(long, value_name = "ADDR", value_parser = public)]
    public: Vec<SocketAddr>,
    /// Split this machine into N rehearsal nodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(NODES_MAX)))]
    nodes: Option<u32>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let config = context::config_file(context.global())?;
    let bootstrap = Bootstrap::load(config.as_deref())?;
    let data = data(context.global().data.clone(), &bootstrap)?;
    let own_log = OwnLog::of_this_process(&data);
    logging::start(bootstrap.log.as_deref(), own_log)?;
    if args.auto {
        // Only fails for the leader of a process group, which a shell made: then it is detached enough.
        let _ = rustix::process::setsid();
    }
    let options = options(args, data, &bootstrap)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let end = told_to_end()?;
        Ok::<_, Failure>(http::serve(options, end).await)
    })?;
    // A fetch from a remote that does not answer may last for minutes; nothing depends on it any more.
    runtime.shutdown_timeout(LAST_WORK);
    match result {
        Ok(()) => Ok(End::Ok),
        // Somebody else was faster, and a server is what was wanted.
        Err(ServeError::Data(DataDirError::Taken { .. })) if args.auto => Ok(End::Ok),
        Err(err) => Err(err.into()),
    }
}

/// The data directory; made when it is not there.
fn data(data: Option<PathBuf>, bootstrap: &Bootstrap) -> Result<PathBuf, Failure> {
    let data = match data
        .or_else(|| env_path("ROUNDEL_DATA"))
        .or_else(|| bootstrap.data.clone())
    {
        Some(data) => data,
        None => launch::default_data()?,
    };
    Ok(launch::prepare_data(&data)?)
}

fn options(args: &Args, data: PathBuf, bootstrap: &Bootstrap) -> Result<ServeOptions, Failure> {
    let job_user = match bootstrap.host_user.as_deref() {
        Some("self") => JobUser::Own,
        Some(name) => JobUser::Named(name.to_owned()),
        // Whoever it was started for by a verb runs her own jobs.
        None if args.auto => JobUser::Own,
        None => JobUser::Unsaid,
    };
    let own = job_user == JobUser::Own
        || (job_user == JobUser::Unsaid && !rustix::process::geteuid().is_root());
    let file_listen = bootstrap.listen.as_deref().and_then(bootstrap::address);
    Ok(ServeOptions {
        data,
        auto: args.auto,
        program: std::env::current_exe()?,
        nodes: args.nodes.or(bootstrap.nodes).unwrap_or(1),
        limits: Limits {
            per_project: bootstrap.max_runs_per_project,
            total: bootstrap.max_runs,
        },
        listen: args.listen.or(file_listen),
        public: public_addresses(args, bootstrap),
        credentials: env_path("CREDENTIALS_DIRECTORY"),
        job_user,
        host_env: host_env(bootstrap.host_env.as_deref(), own),
        deadline_s: bootstrap.deadline_s(),
        silence_s: bootstrap.silence_s(),
        engines: engines(bootstrap.engine.clone()),
        classes: context::classes(bootstrap),
        vm_places: bootstrap.vm_ssh_map.clone(),
        vm_cycle: bootstrap.vm_cycle(),
    })
}

/// The public addresses of the flags, else those of the bootstrap file.
fn public_addresses(args: &Args, bootstrap: &Bootstrap) -> Vec<SocketAddr> {
    if !args.public.is_empty() {
        return args.public.clone();
    }
    let file = bootstrap.public.iter().flatten();
    file.filter_map(|text| bootstrap::public_address(text))
        .collect()
}

fn public(text: &str) -> Result<SocketAddr, String> {
    bootstrap::public_address(text)
        .ok_or_else(|| "an address of this machine, as 0.0.0.0:443".to_owned())
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    bootstrap::address(text).ok_or_else(|| "an address of this machine, as 0.0.0.0:8800".to_owned())
}

/// The variables that jobs get: those named. Jobs of the server's own account also find the tool chain of its home,
/// which they would lose because HOME is another one.
fn host_env(named: Option<&[String]>, own: bool) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = named
        .unwrap_or_default()
        .iter()
        .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
        .collect();
    let home = env_path("HOME").filter(|_| own);
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
        let missing = variables.iter().all(|(known, _)| known != name);
        let path = env_path(name).or_else(|| home.as_ref().map(|home| home.join(folder)));
        if let Some(path) = path.filter(|path| own && missing && Path::is_dir(path)) {
            variables.push((name.to_owned(), path.display().to_string()));
        }
    }
    variables
}

/// Where a container engine is looked for: `DOCKER_HOST`, the bootstrap file, the usual places.
pub(super) fn engines(file: Option<PathBuf>) -> Vec<PathBuf> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let named = containers::socket_of(&host);
    if named.is_none() && !host.is_empty() {
        tracing::warn!(
            "DOCKER_HOST is `{host}`, which is passed over: only the socket of a local engine will do"
        );
    }
    let runtime_dir = env_path("XDG_RUNTIME_DIR");
    containers::places(named.or(file), runtime_dir.as_deref())
}

fn env_path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// Resolves at the first signal that asks a server to end.
fn told_to_end() -> Result<impl Future<Output = ()> + Send, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
