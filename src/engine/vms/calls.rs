//! Carries out what was decided about the VMs: rows before calls, calls beside the looks, and what came of them told.

use super::*;
use crate::services::vm::SSH_PORT;

impl Vms {
    pub(super) async fn carry_out(
        &self,
        actions: Vec<Action>,
        rows: &[VmRecord],
        providers: &BTreeMap<String, Arc<Ec2>>,
        region: &str,
        policy: &Policy,
    ) {
        let of = |vm: &VmId| rows.iter().find(|row| row.id == *vm);
        let provider_of = |vm: &VmId| of(vm).and_then(|row| providers.get(&row.region));
        let mut probed = Vec::new();
        for action in actions {
            match action {
                Action::Create(purpose) => {
                    let Some(provider) = providers.get(region) else {
                        continue;
                    };
                    let id = VmId::fresh();
                    let new = NewVm {
                        id,
                        purpose,
                        region: region.to_owned(),
                        shape: policy.shape.clone(),
                        asked: false,
                    };
                    // On disk before anybody is asked: whatever happens now, somebody knows of it.
                    if self.tell(VmCommand::Make(Box::new(new))).await {
                        self.create(id, purpose, provider.clone());
                    }
                }
                Action::Resume(vm) => {
                    if let (Some(row), Some(provider)) = (of(&vm), provider_of(&vm)) {
                        self.create(vm, row.purpose, provider.clone());
                    }
                }
                Action::Take(vm, instance) => {
                    tracing::info!(%vm, instance = instance.id, "the provider has a VM");
                    if self.tell(VmCommand::Take { vm, instance }).await {
                        // Whether it answers is asked at once.
                        self.look_soon();
                    }
                }
                Action::Probe(vm) => probed.extend(of(&vm).cloned()),
                Action::End(vm, why) => {
                    tracing::info!(%vm, why, "a VM is to go");
                    if self.tell(VmCommand::End { vm, why }).await {
                        self.look_soon();
                    }
                }
                Action::Destroy(vm, instance) => {
                    if let Some(provider) = provider_of(&vm) {
                        self.end(vm, instance, provider.clone());
                    }
                }
                Action::DestroyOrphan(instance) => {
                    tracing::warn!(instance = instance.id, "an instance of nobody is destroyed");
                    for provider in providers.values() {
                        // In the regions where it is not, it is not there, which is fine.
                        if let Err(err) = provider.destroy(&instance.id).await {
                            self.failed(None, &err);
                        }
                    }
                }
                Action::Forget(vm) => {
                    tracing::info!(%vm, "a VM is gone");
                    self.tell(VmCommand::Forget(vm)).await;
                }
            }
        }
        self.probe(probed).await;
    }

    /// Asks the provider for a VM whose row is there, beside the looks.
    fn create(&self, vm: VmId, purpose: Purpose, provider: Arc<Ec2>) {
        self.now().busy.insert(vm);
        let vms = self.clone();
        tokio::spawn(async move {
            let made = {
                let _turn = vms.shared.calls.acquire().await;
                provider.create(purpose, vm).await
            };
            match made {
                Ok(instance) => {
                    tracing::info!(%vm, instance = instance.id, "a VM is made");
                    vms.now().holds.remove(&purpose);
                    vms.tell(VmCommand::Take { vm, instance }).await;
                }
                Err(err) => {
                    vms.failed(Some(purpose), &err);
                    // Where only the answer is missing, the row stays and the next looks find out.
                    if !err.is_open() {
                        let why = Chain(&err).to_string();
                        vms.tell(VmCommand::End { vm, why }).await;
                    }
                    vms.moved();
                }
            }
            vms.now().busy.remove(&vm);
            vms.look_soon();
        });
    }

    /// Has the provider destroy a VM, beside the looks.
    fn end(&self, vm: VmId, instance: String, provider: Arc<Ec2>) {
        self.now().busy.insert(vm);
        let vms = self.clone();
        tokio::spawn(async move {
            let ended = {
                let _turn = vms.shared.calls.acquire().await;
                provider.destroy(&instance).await
            };
            vms.now().busy.remove(&vm);
            match ended {
                Ok(()) => vms.look_soon(),
                // The next look tries again.
                Err(err) => vms.failed(None, &err),
            }
        });
    }

    /// Asks VMs whether they answer SSH.
    async fn probe(&self, rows: Vec<VmRecord>) {
        let turns = Arc::new(Semaphore::new(PROBES));
        let mut asked = JoinSet::new();
        for row in rows {
            let (Some(address), Some(instance)) = (row.address.clone(), &row.instance) else {
                continue;
            };
            let said = self.shared.options.places.find(instance);
            let port = said.map_or(SSH_PORT, |place| place.port);
            let turns = turns.clone();
            asked.spawn(async move {
                let _turn = turns.acquire().await;
                (row, ssh::probe(&address, port).await)
            });
        }
        while let Some(answer) = asked.join_next().await {
            let Ok((row, answer)) = answer else { continue };
            match (row.state, answer) {
                (VmState::Connecting, Ok(())) => {
                    self.tell(VmCommand::Answers(row.id)).await;
                    self.look_soon();
                }
                (VmState::Connecting, Err(why)) => {
                    tracing::debug!(vm = %row.id, why, "a VM does not answer SSH yet");
                }
                (_, Ok(())) => drop(self.now().quiet.remove(&row.id)),
                (_, Err(why)) => {
                    tracing::warn!(vm = %row.id, why, "a VM does not answer SSH");
                    *self.now().quiet.entry(row.id).or_default() += 1;
                }
            }
        }
    }
}
