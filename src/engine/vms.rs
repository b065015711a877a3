//! The VMs of the VM provider: looked at on a period and on demand, made, probed, lent to jobs and destroyed.
//!
//! A look takes no input and is idempotent: it asks the provider, reads the rows, has [`plan`] decide, and carries that out.
//! Whatever a server was doing when it was killed, the next one's first look goes on with. Calls take seconds and run beside
//! the looks; those about which one is under way are left alone by them.

mod calls;
mod command;
mod decide;
mod known;
mod lending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::command::{Actor, Command, CommandError, Reply};
use super::handle::Handle;
use super::view::View;
use crate::clock::{self, Timestamp};
use crate::error::{Chain, Explain, Kind};
use crate::ids::{AttemptId, VmId};
use crate::pipeline::status::RunState;
use crate::services::vm::ec2::Ec2;
use crate::services::vm::key::VmKey;
use crate::services::vm::plan::{self, Action, Facts, Policy};
use crate::services::vm::ssh;
use crate::services::vm::{Instance, Purpose, VmError, VmProvider, VmState};
use crate::settings::value::Values;
use crate::storage::seal::Seal;
use crate::store::{StoreError, VmRecord};

pub use command::{NewVm, VmCommand};
use known::{HOLD, HOLD_MAX, Hold, Known, Now, Refusal, Waiting};
pub use known::{VmsOptions, VmsStand};
pub use lending::AcquireError;

/// Time between two looks when all is as it should be: EC2 counts requests.
const EVERY: Duration = Duration::from_secs(60);
/// Time between two looks while something is on its way or waited for.
const SOON: Duration = Duration::from_secs(3);
/// Least time between two looks, however often they are asked for.
const LEAST: Duration = Duration::from_millis(250);
/// Calls at the same time.
const CALLS: usize = 8;
/// Looks at which a VM that waits for a job may be silent before it is taken for lost: three minutes.
const SILENT_LOOKS: u32 = 3;
/// VMs that are asked for SSH at the same time.
const PROBES: usize = 32;

/// The pool; cheap to clone.
#[derive(Clone, Debug)]
pub struct Vms {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    handle: Handle,
    view: View,
    seal: Arc<Seal>,
    data_id: String,
    options: VmsOptions,
    one: tokio::sync::Mutex<Known>,
    calls: Arc<Semaphore>,
    again: Notify,
    /// Told whenever rows may have changed.
    moved: tokio::sync::watch::Sender<()>,
    now: Mutex<Now>,
}

impl Vms {
    /// Begins to look, for as long as the runtime lives.
    #[must_use]
    pub fn start(
        handle: Handle,
        view: View,
        seal: Arc<Seal>,
        data_id: String,
        options: VmsOptions,
    ) -> Self {
        let vms = Self {
            shared: Arc::new(Shared {
                handle,
                view,
                seal,
                data_id,
                options,
                one: tokio::sync::Mutex::default(),
                calls: Arc::new(Semaphore::new(CALLS)),
                again: Notify::new(),
                moved: tokio::sync::watch::channel(()).0,
                now: Mutex::default(),
            }),
        };
        tokio::spawn(vms.clone().keep_looking());
        vms
    }

    /// All VMs, oldest first. Blocks on the store.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn rows(&self) -> Result<Vec<VmRecord>, StoreError> {
        self.shared.view.store.vms()
    }

    /// How the pool stands.
    #[must_use]
    pub fn stand(&self) -> VmsStand {
        let now = self.now();
        VmsStand {
            waiting: now.waiting.len(),
            ..now.stand.clone()
        }
    }

    /// Whether there is anything to look after: VMs, or a provider that is to have some.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.now().stand.busy
    }

    /// Has a look made soon.
    pub fn look_soon(&self) {
        self.shared.again.notify_one();
    }

    /// What the settings say now.
    fn values(&self) -> Arc<Values> {
        self.shared.view.values.borrow().clone()
    }

    /// What the settings say now, which have to name a provider.
    fn provided(&self) -> Result<Arc<Values>, AcquireError> {
        let values = self.values();
        match values.text("vm.provider") {
            word if word == "ec2" => Ok(values),
            word => Err(AcquireError::NoProvider { word }),
        }
    }

    /// Tells those who wait that rows may have changed, or what is known of the provider.
    fn moved(&self) {
        self.shared.moved.send_replace(());
    }

    /// Asks for one more VM on somebody's behalf; it is made soon, and a job takes it, or it goes after a day.
    ///
    /// # Errors
    /// There is no provider, or the engine refuses.
    pub async fn ask(
        &self,
        id: VmId,
        purpose: Purpose,
        actor: Actor,
        key: Option<String>,
    ) -> Result<i64, AcquireError> {
        let values = self.provided()?;
        let mut known = self.shared.one.lock().await;
        let region = values.text("vm.aws_region");
        let shape = self.provider(&mut known, &values, &region).await?.shape();
        drop(known);
        let command = VmCommand::Make(Box::new(NewVm {
            id,
            purpose,
            region,
            shape,
            asked: true,
        }));
        let (seq, _) = self
            .shared
            .handle
            .send(Command::Vm(command), actor, key)
            .await?;
        self.look_soon();
        Ok(seq)
    }

    /// Has a VM destroyed on somebody's behalf.
    ///
    /// # Errors
    /// It is not there, or a job has it.
    pub async fn destroy(
        &self,
        vm: VmId,
        actor: Actor,
        key: Option<String>,
    ) -> Result<i64, CommandError> {
        let command = Command::Vm(VmCommand::Destroy(vm));
        let (seq, _) = self.shared.handle.send(command, actor, key).await?;
        self.look_soon();
        Ok(seq)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.shared
            .now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider of a region, as the settings name it now.
    async fn provider(
        &self,
        known: &mut Known,
        values: &Arc<Values>,
        region: &str,
    ) -> Result<Arc<Ec2>, VmError> {
        let same = known
            .values
            .as_ref()
            .is_some_and(|old| Arc::ptr_eq(old, values));
        if !same {
            // Whatever failed may be mended by this.
            let mut state = self.now();
            state.holds.clear();
            state.refused = None;
            drop(state);
            *known = Known {
                values: Some(values.clone()),
                providers: BTreeMap::new(),
            };
        }
        if let Some(made) = known.providers.get(region) {
            return Ok(made.clone());
        }
        let key = self.key().await?;
        let (values, place) = (values.clone(), region.to_owned());
        let (data_id, places) = (
            self.shared.data_id.clone(),
            self.shared.options.places.clone(),
        );
        // Making a client reads the authorities of the system from the disk.
        let making =
            tokio::task::spawn_blocking(move || Ec2::new(&values, &place, &data_id, key, places));
        let made = making
            .await
            .map_err(|err| VmError::Outgoing(Box::new(err)))??;
        let made = Arc::new(made);
        known.providers.insert(region.to_owned(), made.clone());
        Ok(made)
    }

    /// The key that opens the VMs.
    async fn key(&self) -> Result<VmKey, VmError> {
        let secrets = self.shared.options.data.join("secrets");
        let seal = self.shared.seal.clone();
        let read = tokio::task::spawn_blocking(move || VmKey::of(&secrets, &seal)).await;
        let why = |err: &dyn std::error::Error| VmError::Credentials {
            why: Chain(err).to_string(),
            key: "vm.provider",
        };
        match read {
            Ok(read) => read.map_err(|err| why(&err)),
            Err(err) => Err(why(&err)),
        }
    }

    /// Tells the engine; what it refuses was overtaken by something, and the next look sees by what.
    async fn tell(&self, command: VmCommand) -> bool {
        let actor = Actor::admin("server");
        let told = self
            .shared
            .handle
            .send(Command::Vm(command), actor, None)
            .await;
        if let Err(err) = &told {
            tracing::debug!(error = %Chain(err), "a change of a VM was not taken");
        }
        self.moved();
        told.is_ok()
    }

    /// Looks whenever a look is due.
    async fn keep_looking(self) {
        let mut values = self.shared.view.values.clone();
        loop {
            let span = match self.activate().await {
                Ok(true) => SOON,
                // A wait that is shorter than usual, by the bootstrap file, has to be noticed.
                Ok(false) => EVERY.min(self.shared.options.cycle),
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), "a look at the VMs failed");
                    SOON
                }
            };
            tokio::time::sleep(LEAST).await;
            tokio::select! {
                () = tokio::time::sleep(span) => {}
                () = self.shared.again.notified() => {}
                changed = values.changed() => if changed.is_err() {
                    return;
                }
            }
        }
    }

    /// Looks once; answers whether anything is on its way.
    ///
    /// # Errors
    /// When the store cannot be read. What the provider has against it is in [`Vms::stand`].
    pub async fn activate(&self) -> Result<bool, StoreError> {
        let mut known = self.shared.one.lock().await;
        let values = self.values();
        let before = self.read().await?.0;
        let on = values.text("vm.provider") == "ec2";
        if !on && before.is_empty() {
            self.now().stand = VmsStand::default();
            return Ok(false);
        }
        self.now().stand.busy = true;
        let region = values.text("vm.aws_region");
        let mut regions: BTreeSet<String> = before.iter().map(|row| row.region.clone()).collect();
        if on || regions.is_empty() {
            regions.insert(region.clone());
        }
        let mut providers = BTreeMap::new();
        for region in &regions {
            match self.provider(&mut known, &values, region).await {
                Ok(one) => drop(providers.insert(region.clone(), one)),
                Err(err) => {
                    self.failed(None, &err);
                    // Nothing can be asked, so nothing can be decided.
                    return Ok(true);
                }
            }
        }
        let shape = match providers.get(&region) {
            Some(one) => one.shape(),
            None => String::new(),
        };
        let seen = self.describe(&providers).await;
        // After the provider: whatever it told of had its row before.
        let (rows, over) = self.read().await?;
        let policy = Policy::of(&values, shape, self.shared.options.cycle);
        let actions = self.decide(&rows, seen.as_deref(), &over, &policy);
        let waited = !self.now().waiting.is_empty();
        let moving = rows
            .iter()
            .any(|row| !matches!(row.state, VmState::Ready | VmState::Leased));
        let idle = |action: &Action| matches!(action, Action::Probe(_));
        let on_the_way = waited || moving || !actions.iter().all(idle);
        self.carry_out(actions, &rows, &providers, &region, &policy)
            .await;
        Ok(on_the_way)
    }

    fn decide(
        &self,
        rows: &[VmRecord],
        seen: Option<&[Instance]>,
        over: &BTreeSet<AttemptId>,
        policy: &Policy,
    ) -> Vec<Action> {
        let now = clock::now();
        let mut state = self.now();
        let leased = rows.iter().filter(|row| row.state == VmState::Leased);
        state.lent.extend(leased.filter_map(|row| row.attempt));
        state
            .quiet
            .retain(|vm, _| rows.iter().any(|row| row.id == *vm));
        let mut demand: BTreeMap<Purpose, u32> = BTreeMap::new();
        state
            .waiting
            .retain(|_, one| one.asks > 0 || now < one.until);
        for one in state.waiting.values() {
            *demand.entry(one.purpose).or_default() += 1;
        }
        let silent = state
            .quiet
            .iter()
            .filter(|(_, looks)| **looks >= SILENT_LOOKS);
        let held = state.holds.iter().filter(|(_, hold)| now < hold.until);
        plan::decide(&Facts {
            rows,
            seen,
            busy: &state.busy,
            silent: &silent.map(|(vm, _)| *vm).collect(),
            demand: &demand,
            over,
            held: &held.map(|(purpose, _)| *purpose).collect(),
            policy,
            now,
        })
    }

    /// All rows, and the attempts among them that are over.
    async fn read(&self) -> Result<(Vec<VmRecord>, BTreeSet<AttemptId>), StoreError> {
        let store = self.shared.view.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let rows = store.vms()?;
            let mut over = BTreeSet::new();
            let leased = rows.iter().filter(|row| row.state == VmState::Leased);
            for attempt in leased.filter_map(|row| row.attempt) {
                let run = store.attempt(attempt)?;
                if run.is_none_or(|run| run.state == RunState::Dead) {
                    over.insert(attempt);
                }
            }
            Ok((rows, over))
        });
        // The runtime ends: nobody looks any more.
        read.await.unwrap_or_else(|_| Ok(Default::default()))
    }

    /// What all of these providers have; `None` when one did not say.
    async fn describe(&self, providers: &BTreeMap<String, Arc<Ec2>>) -> Option<Vec<Instance>> {
        let mut seen = Vec::new();
        for one in providers.values() {
            match one.describe_all().await {
                Ok(found) => seen.extend(found),
                Err(err) => {
                    self.failed(None, &err);
                    return None;
                }
            }
        }
        let mut state = self.now();
        state.stand.looked = Some(clock::now());
        // A call that failed is told until one goes well.
        if state.holds.is_empty() {
            state.stand.failure = None;
            state.stand.field = None;
            state.stand.failing_since = None;
        }
        Some(seen)
    }

    /// Takes note of a failure; of a purpose's call, no other is made for a while.
    fn failed(&self, purpose: Option<Purpose>, err: &VmError) {
        tracing::warn!(error = %Chain(err), "the VM provider did not do what was asked");
        let now = clock::now();
        let mut state = self.now();
        state.stand.failure = Some(Chain(err).to_string());
        state.stand.field = err.field();
        state.stand.failing_since.get_or_insert(now);
        if err.is_lasting() {
            state.refused = Some(Refusal {
                at: now,
                why: Chain(err).to_string(),
                kind: err.kind(),
                hint: err.hint(),
            });
            self.moved();
        }
        if let Some(purpose) = purpose {
            let wait = state
                .holds
                .get(&purpose)
                .map_or(HOLD, |hold| (hold.wait * 2).min(HOLD_MAX));
            let hold = Hold {
                until: now.plus(wait),
                wait,
            };
            state.holds.insert(purpose, hold);
        }
    }
}
