//! Puts the engine together: store, state, dispatcher's thread, fleet, and the runs that outlived the last server.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::cleaning::{Board, Cleaning, Finder};
use super::dispatcher::Dispatcher;
use super::gate::Gate;
use super::handle::{Handle, QUEUE};
use super::launch::{self, Inbox};
use super::nodes::Nodes;
use super::publish::{Feed, Waits, picture};
use super::room::Room;
use super::roster;
use super::state::{Capacity, State};
use super::view::View;
use super::vms::{Vms, VmsOptions};
use super::wellness;
use crate::clock;
use crate::cluster::{Containers, Fleet};
use crate::ids::AttemptId;
use crate::pipeline::Classes;
use crate::queue::Limits;
use crate::services::certificates::Certificates;
use crate::services::health::Pulse;
use crate::storage::logs::LogStore;
use crate::storage::seal::Seal;
use crate::store::{self, StoreError};

/// Read connections: one per core that a small machine has, and one more for a slow question.
const READERS: usize = 3;

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file.
    pub database: PathBuf,
    /// The data directory, watched for room.
    pub data: PathBuf,
    /// Where jobs work, watched for room too.
    pub scratch: PathBuf,
    /// How many runs may run at once.
    pub limits: Limits,
    /// Seconds of silence after which a Build Agent counts as unreachable.
    pub silence_s: u64,
    /// Nodes this machine offers, by name.
    pub nodes: Vec<(String, Capacity)>,
    /// Seals and opens secrets.
    pub seal: Arc<Seal>,
    /// The fleet's container engine, as far as is known.
    pub containers: Containers,
    /// Resource classes of the installation's own.
    pub classes: Classes,
    /// What is known of the VMs.
    pub vms: VmsOptions,
    /// Id of a restored copy, by which all that it makes elsewhere is told from what the other makes; `None` when the data
    /// is no copy, and its own id does.
    pub copy: Option<String>,
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    /// The way to change things.
    pub handle: Handle,
    /// The way to read.
    pub view: View,
    /// The removal of what has been kept for long enough.
    pub cleaning: Cleaning,
    /// The VMs of the VM provider.
    pub vms: Vms,
    /// Id of the data, made with the store.
    pub data_id: String,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Engine {
    /// Ends the dispatcher after what it has taken, and waits for it. Runs go on.
    pub async fn stop(mut self) {
        self.handle.shutdown().await;
        if let Some(thread) = self.thread.take() {
            // A panic of the dispatcher has been reported by its own hook.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Starts the engine on the current runtime. `fleet` makes the fleet, given where its reports go and the mark of all that
/// is made outside of the data directory.
///
/// # Errors
/// When the store cannot be opened or read.
pub fn start<F: Fleet + 'static>(
    options: &Options,
    logs: &LogStore,
    fleet: impl FnOnce(Inbox, &str) -> F,
) -> Result<Engine, StoreError> {
    let (mut writer, pool) = store::open(&options.database, READERS)?;
    // Beside what follows, which moves no run.
    let roster = roster::filling(&pool);
    let now = clock::now();
    let tx = writer.begin()?;
    let mut state = State::load(&tx, options.limits, &options.nodes, now)?;
    state.load_values(&tx, &options.seal)?;
    let placed = tx.tokens()?;
    let data_id = match tx.meta("data_id")? {
        Some(id) => id,
        None => {
            let id = uuid::Uuid::new_v4().to_string();
            tx.set_meta("data_id", &id)?;
            id
        }
    };
    tx.commit()?;

    let gate = Arc::new(Gate::new(options.silence_s));
    let mut adopted: Vec<AttemptId> = Vec::new();
    for (attempt, token) in placed {
        let Some(run) = state
            .attempts
            .get(&attempt)
            .filter(|_| state.scheduler.node_of(attempt).is_some())
        else {
            continue;
        };
        let token = token
            .try_into()
            .map_err(|_| StoreError::Corrupt { what: "token" })?;
        gate.open(attempt, token, run.seq, run.stopping.is_some(), true, now);
        adopted.push(attempt);
    }

    let pulse = Pulse::default();
    let mut fleet_nodes = options.nodes.clone();
    for (_, capacity) in &mut fleet_nodes {
        capacity.set_containers(&options.containers);
    }
    state.set_containers(options.containers.clone());
    let mut waits = Waits::default();
    let nodes = Arc::new(Nodes::all(&state));
    let first = picture(
        &mut state,
        nodes.clone(),
        &mut waits,
        None,
        options.seal.stands().1,
        now,
    );
    let (live, watching) = watch::channel(Arc::new(first));
    let feed = Feed::new(watching);
    let (to, from) = mpsc::channel(QUEUE);
    let handle = Handle {
        to,
        refusals: Arc::default(),
    };
    let (tokens, opening) = watch::channel(state.tokens.clone());
    let (values, holding) = watch::channel(state.values.clone());
    let view = View {
        store: pool,
        feed: feed.clone(),
        gate: gate.clone(),
        tokens: opening,
        values: holding,
        pulse: pulse.clone(),
        certificates: Certificates::default(),
        roster: roster.clone(),
        passes: Board::default(),
        classes: Arc::new(options.classes.clone()),
    };
    // Unbounded, and bounded all the same: an effect is one of a run that was placed or stopped.
    let (effects, carried) = mpsc::unbounded_channel();
    let dispatcher = Dispatcher {
        writer,
        state,
        limits: options.limits,
        fleet: fleet_nodes,
        gate,
        live,
        changes: feed.changes.clone(),
        effects,
        tokens,
        values,
        waits,
        seal: options.seal.clone(),
        pulse: pulse.clone(),
        nodes,
        nodes_changed: Vec::new(),
        roster,
        read_only: None,
        stale: false,
    };
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new()
        .name("dispatcher".to_owned())
        .spawn(move || dispatcher.run(from, &runtime))
        .expect("a thread can be started");

    let inbox = Inbox {
        handle: handle.clone(),
        view: view.clone(),
        logs: logs.clone(),
    };
    let mark = options.copy.as_ref().unwrap_or(&data_id);
    let fleet: Arc<dyn Fleet> = Arc::new(fleet(inbox, mark));
    fleet.adopt(adopted);
    let finder = Finder {
        store: view.store.clone(),
        logs: logs.clone(),
        data: options.data.clone(),
        fleet: fleet.clone(),
    };
    let cleaning = Cleaning::start(handle.clone(), view.clone(), finder)?;
    let vms = Vms::start(
        handle.clone(),
        view.clone(),
        options.seal.clone(),
        mark.clone(),
        options.vms.clone(),
    );
    tokio::spawn(launch::carry_out(
        carried,
        view.clone(),
        fleet,
        handle.clone(),
        vms.clone(),
    ));
    tokio::spawn(launch::tick(
        handle.clone(),
        view.gate.clone(),
        Room {
            data: options.data.clone(),
            scratch: options.scratch.clone(),
        },
    ));
    tokio::spawn(wellness::watch(view.clone(), options.data.clone()));
    Ok(Engine {
        handle,
        view,
        cleaning,
        vms,
        data_id,
        thread: Some(thread),
    })
}
