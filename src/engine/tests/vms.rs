//! VMs as the dispatcher decides about them: made once, lent to one job at a time, given up, and there after a restart.

use super::*;
use crate::ids::VmId;
use crate::services::vm::{Instance, InstanceState, Purpose, SSH_PORT, VmState};

impl Bench {
    async fn vm(&self, command: VmCommand) -> Result<Reply, CommandError> {
        let sent = self.engine.handle.send(Command::Vm(command), actor(), None);
        sent.await.map(|(_, reply)| reply)
    }

    fn state(&self, vm: VmId) -> VmState {
        let rows = self.engine.vms.rows().unwrap();
        rows.iter().find(|row| row.id == vm).unwrap().state
    }

    /// One that is ready. It is of no region, so nobody is ever asked about it.
    async fn ready(&self, name: &str) -> VmId {
        let vm = VmId::fresh();
        let new = NewVm {
            id: vm,
            purpose: Purpose::Machine,
            region: String::new(),
            shape: String::new(),
            asked: true,
        };
        self.vm(VmCommand::Make(Box::new(new.clone())))
            .await
            .unwrap();
        let mut instance = Instance {
            id: name.to_owned(),
            vm: Some(vm),
            state: InstanceState::Pending,
            address: None,
            ssh_port: SSH_PORT,
            launched_at: None,
            purpose: Some(Purpose::Machine),
        };
        let take = |instance: &Instance| VmCommand::Take {
            vm,
            instance: instance.clone(),
        };
        self.vm(take(&instance)).await.unwrap();
        assert_eq!(self.state(vm), VmState::Starting);
        instance.state = InstanceState::Running;
        instance.address = Some("10.0.0.1".to_owned());
        self.vm(take(&instance)).await.unwrap();
        assert_eq!(self.state(vm), VmState::Connecting);
        self.vm(VmCommand::Answers(vm)).await.unwrap();
        // Asked again, what is there stays as it is.
        self.vm(VmCommand::Make(Box::new(new))).await.unwrap();
        assert_eq!(self.state(vm), VmState::Ready);
        vm
    }

    async fn lend(&self, attempt: AttemptId) -> Option<VmId> {
        let purpose = Purpose::Machine;
        match self.vm(VmCommand::Lend { attempt, purpose }).await {
            Ok(Reply::Vm { vm }) => Some(vm),
            Err(CommandError::NotFound { .. }) => None,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_vm_is_lent_to_one_job_and_goes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let (one, two) = (bench.ready("i-1").await, bench.ready("i-2").await);
    let [a, b, c] = [0; 3].map(|_| AttemptId::fresh());
    assert_eq!(bench.lend(a).await, Some(one));
    assert_eq!(bench.lend(b).await, Some(two));
    assert_eq!(bench.lend(c).await, None);
    // The answer was lost: it has the same one.
    assert_eq!(bench.lend(a).await, Some(one));

    let err = bench.vm(VmCommand::Destroy(one)).await.unwrap_err();
    assert_eq!(err.kind(), Kind::Conflict);
    assert!(err.to_string().contains(&a.to_string()), "{err}");
    bench.vm(VmCommand::Release(a)).await.unwrap();
    assert_eq!(bench.state(one), VmState::Ending);
    // Given up, it is nobody's again.
    assert_eq!(bench.lend(c).await, None);
    assert_eq!(bench.lend(a).await, None);
    let three = bench.ready("i-3").await;
    assert_eq!(bench.lend(a).await, Some(three));
    bench.vm(VmCommand::Forget(one)).await.unwrap();
    assert_eq!(bench.engine.vms.rows().unwrap().len(), 2);
}

#[tokio::test]
async fn many_jobs_at_once_never_share_one() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    for n in 0..5 {
        bench.ready(&format!("i-{n}")).await;
    }
    let asked = (0..20).map(|_| bench.lend(AttemptId::fresh()));
    let mut lent: Vec<VmId> = futures_util::future::join_all(asked)
        .await
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(lent.len(), 5);
    lent.sort();
    lent.dedup();
    assert_eq!(lent.len(), 5);
}

#[tokio::test]
async fn the_next_server_finds_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let vm = bench.ready("i-1").await;
    let attempt = AttemptId::fresh();
    assert_eq!(bench.lend(attempt).await, Some(vm));
    bench.engine.stop().await;
    let bench = start_in(dir.path(), NO_LIMITS);
    let rows = bench.engine.vms.rows().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].id, rows[0].attempt), (vm, Some(attempt)));
    assert_eq!(rows[0].asked_by, "uid 1000 (ann)");
}

#[tokio::test]
async fn without_a_provider_a_job_is_told_the_setting() {
    let dir = tempfile::tempdir().unwrap();
    let bench = start_in(dir.path(), NO_LIMITS);
    let err = bench
        .engine
        .vms
        .acquire(AttemptId::fresh(), Purpose::Machine)
        .await
        .unwrap_err();
    assert!(
        err.to_string().contains("`vm.provider` is `on_host`"),
        "{err}"
    );
    assert!(err.hint().is_some());
}
