//! A server from start to end: data directory, engine, fleet, socket.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::UnixListener;

use super::doors::Doors;
use super::peer::Peer;
use super::router::{Parts, Presence, Server, router};
use super::{Sessions, SignIns};
use crate::api::{API_VERSION, Hello};
use crate::clock::{self, Timestamp};
use crate::cluster::embedded::{Account, Embedded, Machine, Settings, account, first_look, split};
use crate::containers;
use crate::engine::{self, Capacity, Engine, Handle, Issuing, People, Watching};
use crate::error::{Explain, Kind};
use crate::pipeline::Classes;
use crate::pipeline::status::Phase;
use crate::queue::{ExecutorKind, Limits};
use crate::services::ca;
use crate::services::tls::TlsError;
use crate::services::vm::CYCLE;
use crate::services::vm::ssh::Places;
use crate::settings::paths;
use crate::storage::data_dir::{self, DataDir, DataDirError};
use crate::storage::logs::{LogError, LogStore};
use crate::storage::seal::{Seal, SealError};
use crate::store::StoreError;
use crate::vcs;

/// How long a server that was started by itself stays without work and without clients.
const IDLE: Duration = Duration::from_secs(60);

/// How long open answers may take to end at a shutdown; streams never end by themselves.
const FAREWELL: Duration = Duration::from_millis(500);

/// Who the steps of host jobs run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobUser {
    /// As the server's own account: said in so many words, or a server that a person started for herself.
    Own,
    /// As this account; needs root.
    Named(String),
    /// Not said: as the server's own account, unless that is root; then `roundel-job`, or `nobody` without it.
    Unsaid,
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The data directory.
    pub data: PathBuf,
    /// Started by a verb or console: ends itself after an idle minute.
    pub auto: bool,
    /// The `roundel` program to run as an agent.
    pub program: PathBuf,
    /// Nodes this machine is split into.
    pub nodes: u32,
    /// How many runs may run at once.
    pub limits: Limits,
    /// Where to listen on the network, besides the socket.
    pub listen: Option<SocketAddr>,
    /// Where to listen for everybody; people are sent to the first.
    pub public: Vec<SocketAddr>,
    /// Where systemd puts credentials, where it started the server.
    pub credentials: Option<PathBuf>,
    /// Who steps run as.
    pub job_user: JobUser,
    /// Variables that jobs get besides the clean ones.
    pub host_env: Vec<(String, String)>,
    /// Seconds after which a run is stopped as timed out.
    pub deadline_s: u64,
    /// Seconds of silence after which a Build Agent counts as unreachable.
    pub silence_s: u64,
    /// Sockets where a container engine is looked for.
    pub engines: Vec<PathBuf>,
    /// Resource classes of the installation's own.
    pub classes: Classes,
    /// File that says where VMs are reached: for tests.
    pub vm_places: Option<PathBuf>,
    /// The longest that a VM waits for a job; `None` for a day.
    pub vm_cycle: Option<Duration>,
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// The store.
    #[error("the server cannot start")]
    Store(#[from] StoreError),
    /// The logs.
    #[error("the server cannot start")]
    Logs(#[from] LogError),
    /// The key that secrets are sealed under.
    #[error("the server cannot start")]
    Seal(#[from] SealError),
    /// The socket.
    #[error("failed to listen on `{path}`")]
    Listen {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The port.
    #[error("failed to listen on {address}")]
    Port {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The account of host jobs.
    #[error("host jobs cannot run as `{name}`: {why}")]
    Account {
        /// Its name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// The scratch directory of another account.
    #[error("failed to make the scratch directory `{path}`")]
    Scratch {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Explain for ServeError {
    fn kind(&self) -> Kind {
        match self {
            ServeError::Data(err) => err.kind(),
            ServeError::Store(err) => err.kind(),
            ServeError::Logs(err) => err.kind(),
            ServeError::Seal(err) => err.kind(),
            ServeError::Account { .. } => Kind::Usage,
            ServeError::Tls(err) => err.kind(),
            ServeError::Listen { .. } | ServeError::Port { .. } | ServeError::Scratch { .. } => {
                Kind::Infrastructure
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            ServeError::Data(err) => err.hint(),
            ServeError::Store(err) => err.hint(),
            ServeError::Logs(err) => err.hint(),
            ServeError::Seal(err) => err.hint(),
            ServeError::Account { .. } => Some(
                "set host_user in the bootstrap file to an account of this machine, or to \"self\""
                    .to_owned(),
            ),
            ServeError::Tls(err) => err.hint(),
            ServeError::Port { .. } => Some(
                "choose another address: --listen and --public, or `listen` and `public` in the bootstrap file"
                    .to_owned(),
            ),
            ServeError::Listen { .. } | ServeError::Scratch { .. } => None,
        }
    }
}

/// Runs a server until `end` resolves, or until it has been idle for a minute when it was started by itself. Runs
/// that are under way go on without it, and are taken up again by the next server.
///
/// # Errors
/// When it cannot start.
pub async fn serve(
    options: ServeOptions,
    end: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let dir = DataDir::open(&options.data)?;
    let data = dir.path().to_owned();
    let (account, scratch) = job_account(&options.job_user, &data)?;
    let socket = paths::socket_path(&data);
    let listener = listen(&data, &socket)?;
    let doors = Doors::open(&data, options.listen, &options.public, &hostname()).await?;
    let logs = LogStore::open(&data.join("logs"))?;
    let seal = Arc::new(Seal::of(
        &data.join("secrets"),
        options.credentials.as_deref(),
    )?);
    let jobs_run_as = match &account {
        Account::Own(name) => name.clone(),
        Account::Other(other) => other.name.clone(),
    };
    let found = containers::find(&options.engines).await;
    let settings = |mark: &str| Settings {
        program: options.program.clone(),
        data: data.clone(),
        socket: socket.clone(),
        scratch: scratch.clone(),
        account,
        host_env: options.host_env.clone(),
        deadline_s: options.deadline_s,
        silence_s: options.silence_s,
        mark: mark.to_owned(),
        engines: options.engines.clone(),
    };
    let first = first_look(found.as_ref());
    let engine = engine::start(
        &engine::Options {
            database: data.join("roundel.db"),
            data: data.clone(),
            scratch: scratch.clone(),
            limits: options.limits,
            silence_s: options.silence_s,
            nodes: nodes(options.nodes),
            classes: options.classes.clone(),
            seal: seal.clone(),
            containers: first.clone(),
            vms: crate::engine::VmsOptions {
                data: data.clone(),
                places: Places::of(options.vm_places.clone()),
                cycle: options.vm_cycle.unwrap_or(CYCLE),
            },
            copy: dir.copy_id()?,
        },
        &logs,
        |inbox, mark| Embedded::new(settings(mark), inbox, found.ok(), first.clone()),
    )?;
    let started_at = clock::now();
    let hello = Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: API_VERSION,
        data_id: engine.data_id.clone(),
        pid: std::process::id(),
        started_at,
        auto: options.auto,
        hostname: hostname(),
        jobs_run_as,
        data: data.display().to_string(),
        network: doors.network.clone(),
        public: doors.addresses.clone(),
    };
    let presence = Arc::new(Presence::default());
    vcs::trust(ca::files::bundle(&data));
    let authorities = ca::files::keep(data.clone(), engine.view.values.clone());
    let authorities = tokio::spawn(authorities);
    let watching = Watching::start(engine.handle.clone(), engine.view.clone(), data.clone())?;
    let server = Server::from(Parts {
        handle: engine.handle.clone(),
        view: engine.view.clone(),
        seal,
        logs,
        data,
        hello,
        watching: watching.clone(),
        vms: engine.vms.clone(),
        cleaning: engine.cleaning.clone(),
        issuing: Issuing::new(engine.handle.clone(), engine.view.clone()),
        presence: presence.clone(),
        sessions: Sessions::default(),
        sign_ins: SignIns::default(),
        people: People::start(engine.handle.clone(), engine.view.clone()),
    });
    tracing::info!(socket = %socket.display(), "serving");

    let mut far = doors.serve(&server);
    let app = router(server, true).into_make_service_with_connect_info::<Peer>();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    told_supervisor(NotifyState::Ready).await;
    let alive = tokio::spawn(tell_again(engine.handle.clone()));
    tokio::select! {
        () = end => tracing::info!("told to end"),
        () = idle(&engine, &presence, &watching, started_at), if options.auto => tracing::info!("idle for a minute: ending"),
    }
    told_supervisor(NotifyState::Stopping).await;
    // No new connections find the way in; those open get a moment.
    let _ = std::fs::remove_file(&socket);
    tokio::time::sleep(FAREWELL).await;
    serving.abort();
    far.abort_all();
    authorities.abort();
    alive.abort();
    engine.stop().await;
    Ok(())
}

/// Tells whoever supervises this process, where somebody does: systemd, by `NOTIFY_SOCKET` (sd_notify(3)). Jobs do not
/// inherit that variable: their environment is made anew.
///
/// In a thread that nobody waits for: a supervisor that does not listen holds up neither the server nor its end.
async fn tell_supervisor(state: NotifyState<'static>) {
    let (done, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(sd_notify::notify(&[state])));
    if let Ok(Err(err)) = told.await {
        tracing::warn!(%err, "the supervisor was not told");
    }
}

/// The same, for a moment at most.
async fn told_supervisor(state: NotifyState<'static>) {
    if tokio::time::timeout(FAREWELL, tell_supervisor(state))
        .await
        .is_err()
    {
        tracing::warn!("the supervisor does not listen");
    }
}

/// Tells the supervisor for as long as the engine answers, where it wants to hear that (`WatchdogSec=`): a server that
/// hangs is then started anew, and the builds go on meanwhile.
async fn tell_again(handle: Handle) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut every = tokio::time::interval((limit / 3).max(Duration::from_millis(1)));
    loop {
        every.tick().await;
        if !handle.answers().await {
            return;
        }
        tell_supervisor(NotifyState::Watchdog).await;
    }
}

/// Resolves once nobody has been there and nothing was to do for a minute. A watched repository is something to do.
async fn idle(engine: &Engine, presence: &Presence, watching: &Watching, started: Timestamp) {
    let mut busy = started;
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        let now = clock::now();
        let live = engine.view.live();
        let takes_work = live.installation.phase == Phase::Started;
        let waits = takes_work && live.verdicts.any_may_start();
        if live.running > 0 || waits || watching.is_busy() || engine.vms.is_busy() {
            busy = now;
        }
        if now.since(busy.max(presence.last(now))) >= IDLE {
            return;
        }
    }
}

fn nodes(count: u32) -> Vec<(String, Capacity)> {
    let host = hostname();
    let shares = split(Machine::measure(), count);
    let several = shares.len() > 1;
    // All of one length, so that the order of names is the order of numbers.
    let digits = shares.len().to_string().len().max(2);
    (1..)
        .zip(shares)
        .map(|(n, share)| {
            let name = if several {
                format!("{host}-{n:0digits$}")
            } else {
                host.clone()
            };
            let capacity = Capacity {
                cpu_total_millis: share.cpu_total_millis,
                cpu_reserved_millis: share.cpu_reserved_millis,
                memory_total_mb: share.memory_total_mb,
                memory_reserved_mb: share.memory_reserved_mb,
                executors: vec![ExecutorKind::Host],
                overcommitted: share.overcommitted,
                engine: None,
            };
            (name, capacity)
        })
        .collect()
}

fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Takes the socket's place, which a server that was killed may have left; the lock is ours, so nobody listens there.
fn listen(data: &Path, socket: &Path) -> Result<UnixListener, ServeError> {
    let failed = |source| ServeError::Listen {
        path: socket.to_owned(),
        source,
    };
    if let Some(parent) = socket.parent().filter(|parent| *parent != data) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(failed)?;
        std::fs::write(data.join("socket"), socket.as_os_str().as_encoded_bytes())
            .map_err(failed)?;
    }
    match std::fs::symlink_metadata(socket) {
        Ok(found) if found.file_type().is_socket() => {
            std::fs::remove_file(socket).map_err(failed)?;
        }
        Ok(_) => {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something else is there",
            )));
        }
        Err(_) => {}
    }
    // The directory is 0700, so nobody connects in the moment before the socket itself is 0600.
    let listener = UnixListener::bind(socket).map_err(failed)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// The account without which a server of root runs host jobs as nobody.
const JOB_ACCOUNT: &str = "roundel-job";

/// Who runs steps, and where their scratch directories are: another account cannot enter the data directory.
fn job_account(wanted: &JobUser, data: &Path) -> Result<(Account, PathBuf), ServeError> {
    let uid = rustix::process::geteuid().as_raw();
    let own = || (Account::Own(account::name_of(uid)), data.join("scratch"));
    let (name, found) = match wanted {
        JobUser::Own => return Ok(own()),
        JobUser::Unsaid if uid != 0 => return Ok(own()),
        JobUser::Unsaid => {
            let found = account::find(JOB_ACCOUNT).or_else(|| account::find("nobody"));
            (JOB_ACCOUNT.to_owned(), found)
        }
        JobUser::Named(name) => (name.clone(), account::find(name)),
    };
    let Some(found) = found else {
        return Err(ServeError::Account {
            name,
            why: "there is no such account in /etc/passwd",
        });
    };
    if found.uid == uid {
        return Ok(own());
    }
    if uid != 0 {
        return Err(ServeError::Account {
            name,
            why: "only a server that runs as root can run jobs as another account",
        });
    }
    if found.name != JOB_ACCOUNT && *wanted == JobUser::Unsaid {
        tracing::warn!(
            "there is no account {JOB_ACCOUNT}: host jobs run as {}",
            found.name
        );
    }
    let scratch = foreign_scratch(data)?;
    Ok((Account::Other(found), scratch))
}

/// A scratch directory that others may pass through but not list, outside the data directory.
fn foreign_scratch(data: &Path) -> Result<PathBuf, ServeError> {
    let name = crate::cluster::embedded::mirror_path(data, &data.display().to_string());
    let name = name
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let path = PathBuf::from("/var/tmp").join(format!("roundel-scratch-{name}"));
    let failed = |source| ServeError::Scratch {
        path: path.clone(),
        source,
    };
    match std::fs::DirBuilder::new().mode(0o711).create(&path) {
        Ok(()) => {}
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
            // Anybody can make names in /var/tmp: only a real directory of our own will do.
            let found = std::fs::symlink_metadata(&path).map_err(failed)?;
            if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
                return Err(failed(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "it belongs to somebody else",
                )));
            }
        }
        Err(err) => return Err(failed(err)),
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711)).map_err(failed)?;
    data_dir::spread(&path);
    Ok(path)
}
