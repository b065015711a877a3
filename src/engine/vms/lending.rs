//! VMs for jobs: a job waits for one with a limit of time, has it alone, and gives it up to be destroyed.

use super::*;
use crate::services::vm::{Lease, SSH_PORT, USER};

/// Time that a job gives the pool beyond the limits of the settings: the looks between them.
const SLACK: Duration = Duration::from_secs(30);

/// A job that asks in pieces counts as one that waits for this long after each: what is made for it meanwhile is not one too many.
const LINGER: Duration = Duration::from_secs(30);

/// Why a job gets no VM.
#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    /// The settings name no provider that has any.
    #[error("`vm.provider` is `{word}`: there are no VMs")]
    NoProvider {
        /// What it is.
        word: String,
    },
    /// The provider cannot be asked.
    #[error("the VM provider cannot be asked")]
    Provider(#[from] VmError),
    /// The provider will not give any before somebody changes something.
    #[error("the VM provider gives none: {why}")]
    Refused {
        /// Why.
        why: String,
        /// What sort of failure it was.
        kind: Kind,
        /// What to do about it.
        hint: Option<String>,
    },
    /// None came in time.
    #[error("no VM was ready within {} s{}", waited.as_secs(), because(why.as_ref()))]
    Late {
        /// How long was waited.
        waited: Duration,
        /// What went wrong meanwhile.
        why: Option<String>,
    },
    /// The engine does not answer.
    #[error("the VM could not be lent")]
    Engine(#[from] CommandError),
    /// The store does not answer.
    #[error("the VM could not be lent")]
    Store(#[from] StoreError),
}

fn because(why: Option<&String>) -> String {
    why.map_or_else(String::new, |why| format!(": {why}"))
}

impl Explain for AcquireError {
    fn kind(&self) -> Kind {
        match self {
            AcquireError::NoProvider { .. } => Kind::Conflict,
            AcquireError::Provider(err) => err.kind(),
            AcquireError::Refused { kind, .. } => *kind,
            AcquireError::Late { .. } => Kind::Infrastructure,
            AcquireError::Engine(err) => err.kind(),
            AcquireError::Store(err) => err.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            AcquireError::NoProvider { .. } => {
                Some("choose one: `roundel settings set vm.provider ec2`".to_owned())
            }
            AcquireError::Provider(err) => err.hint(),
            AcquireError::Refused { hint, .. } => hint.clone(),
            AcquireError::Late { .. } => Some("`roundel vm test` tries the settings".to_owned()),
            AcquireError::Engine(err) => err.hint(),
            AcquireError::Store(err) => err.hint(),
        }
    }
}

/// A job that waits, until this is dropped.
struct Waits<'a>(&'a Vms, AttemptId);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut state = self.0.now();
        if let Some(one) = state.waiting.get_mut(&self.1) {
            one.asks -= 1;
            one.until = clock::now().plus(LINGER);
        }
    }
}

impl Vms {
    /// Lends an attempt a VM: one that is ready, else one that is made for it. Asked again, it is the same one. It is the
    /// attempt's alone until [`Vms::release`], or until the attempt is over.
    ///
    /// # Errors
    /// There is no provider, it refuses, or none is ready within the limits of the settings.
    ///
    /// # Cancel safety
    /// Dropped, and not asked again within half a minute, the attempt waits no more; asked again before that, it is the same
    /// wait, with the same limits. A VM that it was lent at that moment goes once the attempt is over.
    pub async fn acquire(
        &self,
        attempt: AttemptId,
        purpose: Purpose,
    ) -> Result<Lease, AcquireError> {
        let values = self.provided()?;
        let policy = Policy::of(&values, String::new(), self.shared.options.cycle);
        let most = policy.start_timeout + policy.ssh_timeout + SLACK;
        let mut moved = self.shared.moved.subscribe();
        let begun = self.wait_for(attempt, purpose);
        let _waits = Waits(self, attempt);
        loop {
            moved.mark_unchanged();
            let command = Command::Vm(VmCommand::Lend { attempt, purpose });
            let server = Actor::admin("server");
            match self.shared.handle.send(command, server, None).await {
                Ok((_, Reply::Vm { vm })) => {
                    self.lent(attempt);
                    return self.lease(vm).await;
                }
                Ok(_) | Err(CommandError::NotFound { .. }) => {}
                Err(err) => return Err(err.into()),
            }
            self.look_soon();
            if let Some(err) = self.refused(begun) {
                return Err(err);
            }
            let left = most.saturating_sub(clock::now().since(begun));
            if left.is_zero() {
                return Err(AcquireError::Late {
                    waited: most,
                    why: self.stand().failure,
                });
            }
            tokio::select! {
                _ = moved.changed() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    fn lent(&self, attempt: AttemptId) {
        let mut state = self.now();
        state.waiting.remove(&attempt);
        state.lent.insert(attempt);
    }

    /// An attempt is over: what it was lent, if anything, goes at once. The looks find it too, later.
    pub(in crate::engine) fn over(&self, attempt: AttemptId) {
        let lent = self.now().lent.remove(&attempt);
        if lent {
            let vms = self.clone();
            tokio::spawn(async move { vms.release(attempt).await });
        }
    }

    /// Counts an attempt among those that wait; answers since when it does. What failed a while ago is tried anew for it.
    fn wait_for(&self, attempt: AttemptId, purpose: Purpose) -> Timestamp {
        let mut state = self.now();
        let now = clock::now();
        let one = state.waiting.entry(attempt).or_insert(Waiting {
            purpose,
            since: now,
            asks: 0,
            until: now,
        });
        one.asks += 1;
        let since = one.since;
        if let Some(hold) = state.holds.get_mut(&purpose)
            && now.plus(hold.wait) > hold.until.plus(HOLD)
        {
            hold.until = now;
        }
        since
    }

    /// Takes back what an attempt was lent, to be destroyed. One that has none is fine.
    pub async fn release(&self, attempt: AttemptId) {
        self.now().waiting.remove(&attempt);
        self.tell(VmCommand::Release(attempt)).await;
        self.look_soon();
    }

    /// What the provider has refused since a moment, when asking again is of no use.
    fn refused(&self, since: Timestamp) -> Option<AcquireError> {
        let refused = self.now().refused.clone()?;
        (refused.at >= since).then_some(AcquireError::Refused {
            why: refused.why,
            kind: refused.kind,
            hint: refused.hint,
        })
    }

    async fn lease(&self, vm: VmId) -> Result<Lease, AcquireError> {
        let key = self.key().await?;
        let (rows, _) = self.read().await?;
        let lost = || CommandError::NotFound {
            what: "VM",
            name: vm.to_string(),
        };
        let row = rows.into_iter().find(|row| row.id == vm).ok_or_else(lost)?;
        let (Some(address), Some(instance)) = (row.address, row.instance) else {
            return Err(lost().into());
        };
        let said = self.shared.options.places.find(&instance);
        Ok(Lease {
            vm,
            instance,
            address,
            host_key: said.is_none().then(|| key.of_host(vm).public),
            port: said.as_ref().map_or(SSH_PORT, |place| place.port),
            user: said
                .and_then(|place| place.user)
                .unwrap_or_else(|| USER.to_owned()),
            private_key: key.login.private,
        })
    }
}
