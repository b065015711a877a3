//! Properties of placement: any sequence of steps, with the promises checked after each.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

impl Scheduler {
    /// Panics when an inner promise is broken.
    fn check_invariants(&self) {
        self.queue.check_invariants();
        self.nodes.check_invariants();
        assert_eq!(
            self.queue.counts().1,
            self.running.len(),
            "the queue counts what runs"
        );
        let mut used: HashMap<NodeId, Used> = HashMap::new();
        for running in self.running.values() {
            assert!(
                self.queue.get(running.run.attempt).is_none(),
                "nothing waits and runs"
            );
            add(used.entry(running.node).or_default(), running.run.shape);
        }
        for node in self.nodes.iter() {
            assert_eq!(
                node.used,
                used.remove(&node.spec.id).unwrap_or_default(),
                "{}",
                node.spec.name
            );
        }
        assert_eq!(
            self.astray,
            used.values().map(|used| used.runs as usize).sum::<usize>()
        );
        assert_eq!(self.nodes.kept(), self.kept.map(|kept| kept.node));
        for shape in self.queue.parked() {
            assert_eq!(self.best_node(shape), None, "parked shapes fit nowhere");
        }
    }

    /// What must hold once everything was placed that can be: nothing is left that could start.
    fn check_settled(&self) {
        if self.hold.is_some() || self.queue.is_full() {
            return;
        }
        let limit = self
            .queue
            .limits()
            .per_project
            .map_or(usize::MAX, |limit| limit as usize);
        for run in self
            .line(0)
            .filter(|run| self.project_counts(run.project).1 < limit)
        {
            let open = |node: &&Node| {
                self.kept
                    .is_none_or(|kept| kept.node != node.spec.id || kept.shape == run.shape)
            };
            let fitting = self
                .nodes
                .iter()
                .filter(open)
                .find(|node| node.fits(run.shape));
            assert!(
                fitting.is_none(),
                "{run:?} waits though {fitting:?} has room"
            );
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Enqueue {
        shape: usize,
        project: i64,
        priority: u8,
        age: i64,
    },
    Withdraw(usize),
    Release(usize),
    Node {
        node: usize,
        size: u32,
        state: u8,
    },
    RemoveNode(usize),
    Adopt {
        shape: usize,
        node: usize,
    },
    Limits(Option<u32>, Option<u32>),
    Hold(bool),
    Place(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let limit = || proptest::option::of(0_u32..12);
    let step = prop_oneof![
        6 => (0..SHAPES.len(), 0_i64..4, 49_u8..52, 0_i64..500).prop_map(|(shape, project, priority, age)| Step::Enqueue { shape, project, priority, age }),
        1 => any::<usize>().prop_map(Step::Withdraw),
        5 => any::<usize>().prop_map(Step::Release),
        2 => (0_usize..6, 0_u32..9, 0_u8..8).prop_map(|(node, size, state)| Step::Node { node, size, state }),
        1 => (0_usize..6).prop_map(Step::RemoveNode),
        1 => (0..SHAPES.len(), 0_usize..6).prop_map(|(shape, node)| Step::Adopt { shape, node }),
        1 => (limit(), limit()).prop_map(|(project, total)| Step::Limits(project, total)),
        1 => any::<bool>().prop_map(Step::Hold),
        6 => (1_usize..20).prop_map(Step::Place),
        1 => (1_u64..400).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..120)
}

const SHAPES: [(u32, u32, ExecutorKind); 6] = [
    (1000, 1024, ExecutorKind::Host),
    (2000, 4096, ExecutorKind::Host),
    (500, 6000, ExecutorKind::Host),
    (4000, 2048, ExecutorKind::Docker),
    (64_000, 1024, ExecutorKind::Host),
    (1000, 1024, ExecutorKind::Other),
];

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(kind: u8, number: usize) -> T {
    format!("0190a0b1-c2d3-7e4f-8a{kind:02x}-{number:012x}")
        .parse()
        .unwrap()
}

fn shape(index: usize) -> Shape {
    let (cpu_millis, memory_mb, executor) = SHAPES[index];
    Shape {
        cpu_millis,
        memory_mb,
        executor,
    }
}

/// A scheduler and what must be true of it, kept the plain way.
struct World {
    scheduler: Scheduler,
    waiting: BTreeMap<AttemptId, Waiting>,
    running: BTreeMap<AttemptId, NodeId>,
    made: usize,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let scheduler = Scheduler::new(Limits {
            per_project: None,
            total: None,
        });
        Self {
            scheduler,
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            made: 0,
            now: Timestamp(1_000_000),
        }
    }

    fn run(&mut self, shape_index: usize, project: i64, priority: u8, age: i64) -> Waiting {
        self.made += 1;
        let queued = Timestamp(self.now.0 - age * 1000);
        let attempt = id(1, self.made);
        Waiting {
            attempt,
            project: ProjectId(project),
            shape: shape(shape_index),
            priority,
            queued,
        }
    }

    fn step(&mut self, step: &Step) -> Vec<Placement> {
        match *step {
            Step::Enqueue {
                shape,
                project,
                priority,
                age,
            } => {
                let run = self.run(shape, project, priority, age);
                self.scheduler.enqueue(run);
                self.scheduler.enqueue(run);
                self.waiting.insert(run.attempt, run);
            }
            Step::Withdraw(at) => {
                let attempt = nth(self.waiting.keys(), at).unwrap_or(id(1, 0));
                let waited = self.waiting.remove(&attempt);
                assert_eq!(self.scheduler.withdraw(attempt), waited);
            }
            Step::Release(at) => {
                let attempt = nth(self.running.keys(), at).unwrap_or(id(1, 0));
                let released = self.scheduler.release(attempt);
                assert_eq!(
                    released.map(|placement| placement.node),
                    self.running.remove(&attempt)
                );
                assert!(released.is_none_or(|placement| placement.run.attempt == attempt));
            }
            Step::Node { node, size, state } => self.scheduler.upsert_node(NodeSpec {
                id: id(2, node),
                name: format!("n{node:02}"),
                cpu_millis: size * 1000,
                memory_mb: size * 2048,
                executors: if node % 2 == 0 {
                    vec![ExecutorKind::Host]
                } else {
                    vec![ExecutorKind::Docker, ExecutorKind::Host]
                },
                eligible: state != 1,
                draining: state == 2,
                down: state == 3,
            }),
            Step::RemoveNode(node) => self.scheduler.remove_node(id(2, node)),
            Step::Adopt { shape, node } => {
                let run = self.run(shape, 0, 50, 0);
                self.scheduler.adopt(run, id(2, node));
                self.running.insert(run.attempt, id(2, node));
            }
            Step::Limits(per_project, total) => {
                self.scheduler.set_limits(Limits { per_project, total });
            }
            Step::Hold(on) => {
                self.scheduler.set_hold(on.then(|| Hold {
                    code: "disk",
                    text: "the disk is full".to_owned(),
                }));
            }
            Step::Place(max) => return self.place(max),
            Step::Wait(seconds) => self.now = self.now.plus(Duration::from_secs(seconds)),
        }
        Vec::new()
    }

    fn place(&mut self, max: usize) -> Vec<Placement> {
        let placed = self.scheduler.place(self.now, max);
        assert!(placed.len() <= max);
        let mut last: HashMap<Shape, Waiting> = HashMap::new();
        for Placement { run, node } in &placed {
            let waited = self.waiting.remove(&run.attempt);
            assert_eq!(waited, Some(*run), "what is placed waited as it is");
            self.running.insert(run.attempt, *node);
            let (spec, used) = self.scheduler.node(*node).expect("on a node that is known");
            assert!(
                spec.eligible
                    && !spec.draining
                    && !spec.down
                    && spec.executors.contains(&run.shape.executor)
            );
            assert!(
                used.cpu_millis <= spec.cpu_millis && used.memory_mb <= spec.memory_mb,
                "{spec:?} {used:?}"
            );
            if let Some(before) = last.insert(run.shape, *run) {
                assert!(before.turn() < run.turn(), "in order within a shape");
            }
        }
        let limits = self.scheduler.queue.limits();
        let full = |project| {
            limits
                .per_project
                .is_some_and(|most| self.scheduler.project_counts(project).1 >= most as usize)
        };
        for (shape, last) in last {
            let overtaken = self
                .waiting
                .values()
                .find(|run| run.shape == shape && run.turn() < last.turn() && !full(run.project));
            assert!(
                overtaken.is_none(),
                "{overtaken:?} was overtaken by {last:?}"
            );
        }
        if placed.len() < max {
            self.scheduler.check_settled();
        }
        placed
    }

    fn check(&mut self) {
        self.scheduler.check_invariants();
        assert_eq!(
            self.scheduler.counts(),
            (self.waiting.len(), self.running.len())
        );
        let mut line: Vec<Waiting> = self.waiting.values().copied().collect();
        line.sort_by_key(Waiting::turn);
        let told: Vec<AttemptId> = self.scheduler.line(0).map(|run| run.attempt).collect();
        assert_eq!(told, line.iter().map(|run| run.attempt).collect::<Vec<_>>());
        let verdicts = self.scheduler.verdicts();
        for (at, run) in line.iter().enumerate() {
            let reason = verdicts.reason(run);
            let explanation = self.scheduler.explain(run.attempt).unwrap();
            assert_eq!(
                explanation
                    .causes
                    .iter()
                    .map(|(_, number)| number)
                    .sum::<u32>(),
                explanation.nodes
            );
            assert_eq!(explanation.place, at as u64 + 1);
            let of_shape = line[..at]
                .iter()
                .filter(|other| other.shape == run.shape)
                .count();
            assert_eq!(explanation.place_of_shape, of_shape as u64 + 1);
            self.check_reason(run, &reason);
        }
    }

    /// The numbers of a reason, computed anew from what the nodes say.
    fn check_reason(&self, run: &Waiting, reason: &Reason) {
        let offering: Vec<_> = self
            .scheduler
            .nodes()
            .filter(|(spec, _)| spec.executors.contains(&run.shape.executor))
            .collect();
        let large = |spec: &NodeSpec| {
            spec.cpu_millis >= run.shape.cpu_millis && spec.memory_mb >= run.shape.memory_mb
        };
        let known = self.scheduler.nodes().next().is_some();
        assert_eq!(
            reason.never,
            known && !offering.iter().any(|(spec, _)| large(spec)),
            "{reason:?}"
        );
        if let Some((asked, best)) = reason.text.split_once(" cpu free; best is ") {
            let usable = offering
                .iter()
                .filter(|(spec, _)| spec.eligible && !spec.draining && !spec.down);
            let free = usable
                .map(|(spec, used)| (spec.cpu_millis.saturating_sub(used.cpu_millis), &spec.name));
            let most = free.clone().map(|(cpu, _)| cpu).max().unwrap();
            assert!(
                asked.ends_with(&format!(" {}", Cpu(run.shape.cpu_millis)))
                    && most < run.shape.cpu_millis,
                "{reason:?}"
            );
            assert!(
                free.filter(|(cpu, _)| *cpu == most)
                    .any(|(cpu, name)| best == format!("{name} with {}", Cpu(cpu))),
                "{reason:?}"
            );
        }
    }
}

fn nth(
    keys: impl ExactSizeIterator<Item = impl std::borrow::Borrow<AttemptId>>,
    at: usize,
) -> Option<AttemptId> {
    let count = keys.len();
    let mut keys = keys;
    keys.nth(at.checked_rem(count)?)
        .map(|key| *std::borrow::Borrow::borrow(&key))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_after_each_step_and_equal_input_gives_equal_placements(steps in steps()) {
        let (mut world, mut twin) = (World::new(), World::new());
        for step in &steps {
            let placed = world.step(step);
            world.check();
            assert_eq!(placed, twin.step(step));
        }
        // In the end everything that can ever start does, once it may: nothing is lost on the way.
        world.step(&Step::Hold(false));
        world.step(&Step::Limits(None, None));
        (0..6).for_each(|node| { world.step(&Step::Node { node, size: 8, state: 0 }); });
        world.step(&Step::Place(1000));
        while let Some(attempt) = nth(world.running.keys(), 0) {
            world.scheduler.release(attempt);
            world.running.remove(&attempt);
            world.step(&Step::Place(1000));
            world.check();
        }
        for run in world.waiting.values() {
            assert!(run.shape.cpu_millis > 8000 || run.shape.executor == ExecutorKind::Other, "{run:?} never started");
        }
    }
}
