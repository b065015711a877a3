//! A provider that lags, loses answers and lets go, and servers that are killed: whatever happens, nothing is lost track of.

use proptest::prelude::*;

use super::*;

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    /// The server looks; the provider answers or does not.
    Look(bool),
    /// A creating call ends: it went through, its answer was lost, or it was refused.
    Called(u8, u8),
    /// The server is killed; which of its calls went through.
    Kill(u8),
    /// Seconds go by.
    Pass(u16),
    /// A job waits.
    Wait,
    /// Waiting jobs are lent what is ready.
    Lend,
    /// A job is over.
    Over(u8),
    /// So many are wanted.
    Want(u8),
    /// Other ones are wanted.
    Reshape(u8),
    /// The provider ends an instance.
    Vanish(u8),
    /// An instance answers SSH no more.
    Silence(u8),
    /// The settings name a provider or none.
    Switch(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any::<bool>().prop_map(|blind| Event::Look(!blind)),
        4 => Just(Event::Look(true)),
        5 => (any::<u8>(), 0..3u8).prop_map(|(which, how)| Event::Called(which, how)),
        2 => any::<u8>().prop_map(Event::Kill),
        4 => (0..400u16).prop_map(Event::Pass),
        1 => (0..60_000u16).prop_map(Event::Pass),
        2 => Just(Event::Wait),
        3 => Just(Event::Lend),
        2 => any::<u8>().prop_map(Event::Over),
        1 => (0..4u8).prop_map(Event::Want),
        1 => (0..2u8).prop_map(Event::Reshape),
        1 => any::<u8>().prop_map(Event::Vanish),
        1 => any::<u8>().prop_map(Event::Silence),
        1 => any::<bool>().prop_map(Event::Switch),
    ]
}

/// Seconds until a new instance is in the list, and until it runs.
const LAG: i64 = 7_000;

struct World {
    now: i64,
    policy: Policy,
    rows: Vec<VmRecord>,
    /// With the moment from which the list shows it.
    instances: Vec<(Instance, i64)>,
    silent: BTreeSet<String>,
    calls: Vec<VmId>,
    waiting: Vec<AttemptId>,
    over: BTreeSet<AttemptId>,
    made: usize,
}

impl World {
    fn new() -> Self {
        Self {
            now: 1_000_000_000,
            policy: policy(1),
            rows: Vec::new(),
            instances: Vec::new(),
            silent: BTreeSet::new(),
            calls: Vec::new(),
            waiting: Vec::new(),
            over: BTreeSet::new(),
            made: 0,
        }
    }

    fn row(&mut self, id: VmId) -> Option<&mut VmRecord> {
        self.rows.iter_mut().find(|row| row.id == id)
    }

    fn put(&mut self, id: VmId, state: VmState) {
        let now = Timestamp(self.now);
        if let Some(row) = self.row(id) {
            row.state = state;
            row.since = now;
        }
    }

    /// The provider makes an instance. It does not know the id again, as one that forgets tokens after a while.
    fn launch(&mut self, vm: VmId) -> Instance {
        self.made += 1;
        let mut new = instance(
            &format!("i-{}", self.made),
            Some(vm),
            InstanceState::Pending,
        );
        new.launched_at = Some(Timestamp(self.now));
        self.instances.push((new.clone(), self.now + LAG));
        new
    }

    fn called(&mut self, vm: VmId, how: u8) {
        match how {
            0 => {
                let new = self.launch(vm);
                if let Some(row) = self.row(vm).filter(|row| row.state == VmState::Creating) {
                    row.instance = Some(new.id);
                    self.put(vm, VmState::Starting);
                }
            }
            1 => drop(self.launch(vm)),
            _ => self.put(vm, VmState::Ending),
        }
    }

    fn look(&mut self, answers: bool) {
        let seen: Vec<Instance> = self
            .instances
            .iter()
            .filter(|(_, from)| *from <= self.now)
            .map(|(one, _)| one.clone())
            .collect();
        let busy: BTreeSet<VmId> = self.calls.iter().copied().collect();
        let silent = self.rows.iter().filter(|row| {
            row.instance
                .as_ref()
                .is_some_and(|id| self.silent.contains(id))
        });
        let silent: BTreeSet<VmId> = silent.map(|row| row.id).collect();
        let waiting = u32::try_from(self.waiting.len()).unwrap();
        let facts = Facts {
            rows: &self.rows,
            seen: answers.then_some(&seen),
            busy: &busy,
            silent: &silent,
            demand: &BTreeMap::from([(Purpose::Machine, waiting)]),
            over: &self.over,
            held: &BTreeSet::new(),
            policy: &self.policy,
            now: Timestamp(self.now),
        };
        let actions = decide(&facts);
        let created = actions.contains(&Action::Create(Purpose::Machine));
        for action in actions {
            self.carry_out(action);
        }
        let pool = self
            .rows
            .iter()
            .filter(|row| !matches!(row.state, VmState::Leased | VmState::Ending))
            .count();
        let wanted = (self.policy.machine + waiting) as usize;
        assert!(
            !created || pool <= wanted,
            "{pool} where {wanted} are wanted"
        );
    }

    fn carry_out(&mut self, action: Action) {
        let now = Timestamp(self.now);
        match action {
            Action::Create(purpose) => {
                let mut new = row(VmState::Creating, self.now);
                new.purpose = purpose;
                new.shape.clone_from(&self.policy.shape);
                self.calls.push(new.id);
                self.rows.push(new);
            }
            Action::Resume(vm) => self.calls.push(vm),
            Action::Take(vm, own) => {
                let row = self.row(vm).unwrap();
                row.instance = Some(own.id);
                row.address = own.address;
                let state = match own.state {
                    InstanceState::Running => VmState::Connecting,
                    _ => VmState::Starting,
                };
                if row.state < VmState::Connecting && row.state != state {
                    row.state = state;
                    row.since = now;
                }
            }
            Action::Probe(vm) => {
                let silent = self.silent.clone();
                let row = self.row(vm).unwrap();
                let answers = row.instance.as_ref().is_none_or(|id| !silent.contains(id));
                if row.state == VmState::Connecting && answers {
                    self.put(vm, VmState::Ready);
                }
            }
            Action::End(vm, _) => self.put(vm, VmState::Ending),
            Action::Destroy(vm, id) => {
                assert_eq!(self.row(vm).unwrap().state, VmState::Ending);
                self.destroy(&id);
            }
            Action::DestroyOrphan(one) => {
                let taken = self
                    .rows
                    .iter()
                    .find(|row| row.instance.as_ref() == Some(&one.id));
                assert!(taken.is_none(), "{one:?} belongs to {taken:?}");
                self.destroy(&one.id);
            }
            Action::Forget(vm) => self.rows.retain(|row| row.id != vm),
        }
    }

    fn destroy(&mut self, id: &str) {
        for (one, _) in self.instances.iter_mut().filter(|(one, _)| one.id == id) {
            one.state = InstanceState::Gone;
        }
    }

    fn pass(&mut self, ms: i64) {
        self.now += ms;
        for (one, from) in &mut self.instances {
            if one.state == InstanceState::Pending && *from <= self.now {
                one.state = InstanceState::Running;
            }
        }
    }

    fn lend(&mut self) {
        while let Some(attempt) = self.waiting.first().copied() {
            let Some(id) = lend(&self.rows, Purpose::Machine).map(|row| row.id) else {
                return;
            };
            self.waiting.remove(0);
            self.row(id).unwrap().attempt = Some(attempt);
            self.put(id, VmState::Leased);
        }
    }

    fn happen(&mut self, event: Event) {
        let pick = |n: u8, of: usize| (of > 0).then(|| n as usize % of);
        match event {
            Event::Look(answers) => self.look(answers),
            Event::Called(which, how) => {
                if let Some(at) = pick(which, self.calls.len()) {
                    let vm = self.calls.remove(at);
                    self.called(vm, how);
                }
            }
            Event::Kill(went) => {
                for (n, vm) in std::mem::take(&mut self.calls).into_iter().enumerate() {
                    if went >> (n % 8) & 1 == 1 {
                        self.launch(vm);
                    }
                }
                self.waiting.clear();
            }
            Event::Pass(seconds) => self.pass(i64::from(seconds) * 1000),
            Event::Wait => self.waiting.push(AttemptId::fresh()),
            Event::Lend => self.lend(),
            Event::Over(which) => {
                let leased: Vec<AttemptId> =
                    self.rows.iter().filter_map(|row| row.attempt).collect();
                if let Some(at) = pick(which, leased.len()) {
                    self.over.insert(leased[at]);
                }
            }
            Event::Want(machine) => self.policy.machine = machine.into(),
            Event::Reshape(which) => self.policy.shape = ["a", "b"][which as usize].to_owned(),
            Event::Vanish(which) => {
                if let Some(at) = pick(which, self.instances.len()) {
                    self.instances[at].0.state = InstanceState::Gone;
                }
            }
            Event::Silence(which) => {
                if let Some(at) = pick(which, self.instances.len()) {
                    self.silent.insert(self.instances[at].0.id.clone());
                }
            }
            Event::Switch(on) => self.policy.on = on,
        }
        self.check();
    }

    /// What holds after each event.
    fn check(&self) {
        let (mut attempts, mut instances) = (BTreeSet::new(), BTreeSet::new());
        for row in &self.rows {
            if row.state == VmState::Leased {
                assert!(attempts.insert(row.attempt.unwrap()), "two for one job");
            }
            if let Some(id) = &row.instance {
                assert!(instances.insert(id.clone()), "two rows for one instance");
            }
        }
    }

    /// What holds once nothing more goes wrong.
    fn settle(&mut self) {
        self.policy.on = true;
        for _ in 0..200 {
            for vm in std::mem::take(&mut self.calls) {
                self.called(vm, 0);
            }
            self.pass(5_000);
            self.lend();
            self.look(true);
        }
        assert!(self.waiting.is_empty(), "a job waits for ever");
        let there: BTreeSet<&String> = self
            .instances
            .iter()
            .filter(|(one, _)| one.state.is_there())
            .map(|(one, _)| &one.id)
            .collect();
        let known: BTreeSet<&String> = self
            .rows
            .iter()
            .filter_map(|row| row.instance.as_ref())
            .collect();
        assert_eq!(there, known, "{:?}", self.rows);
        let ready = self.rows.iter().filter(|row| row.state == VmState::Ready);
        assert_eq!(
            ready.count(),
            self.policy.machine as usize,
            "{:?}",
            self.rows
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_track_of(events in proptest::collection::vec(event(), 0..120)) {
        let mut world = World::new();
        for event in events {
            world.happen(event);
        }
        world.settle();
    }
}
