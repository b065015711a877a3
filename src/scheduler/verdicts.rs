//! Why runs wait, decided once per shape and per full project, told per run in constant time.
//!
//! A verdict holds numbers and names, no text: the sentence is made when somebody reads it.

use std::collections::HashMap;

use super::rooms::{Room, Rooms};
use super::{Cpu, Hold, Memory, Reason, Scheduler};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, ProjectId};
use crate::queue::{ExecutorKind, Shape, Waiting};

/// Snapshot from which a reader tells the reason of any waiting run in constant time, without the scheduler.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    hold: Option<Hold>,
    /// How many run and may run, at the total limit.
    total: Option<(usize, u32)>,
    per_project: u32,
    /// How many run of each project at its limit.
    full: HashMap<ProjectId, usize>,
    shapes: HashMap<Shape, Verdict>,
    never: Vec<Never>,
}

/// Runs of one shape that will never start as things stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Never {
    /// How many.
    pub runs: usize,
    /// One of them: the first that no limit of its project holds back.
    pub first: Option<AttemptId>,
    /// Since when that one waits.
    pub since: Option<Timestamp>,
    /// Why.
    pub text: String,
}

/// What holds for the waiting runs of one shape.
#[derive(Clone, Debug)]
struct Verdict {
    /// The first that no project limit holds back.
    head: Option<AttemptId>,
    lack: Lack,
}

/// What a shape lacks: the first of these that holds.
#[derive(Clone, Debug)]
enum Lack {
    /// There is no node at all.
    NoNode,
    /// No node offers its executor.
    Executor(ExecutorKind),
    /// No node is so large; with the most memory that any has where that is too little besides the cpu.
    Size(Part, Best, Option<u32>),
    /// Every node, or every one that could run it, takes no new work.
    Out { every: bool, down: bool },
    /// No node has so much free; the executor is named where not every node offers it.
    Room(Part, Best, Option<ExecutorKind>),
    /// Only the node that is kept for a longer wait has room: its name.
    Kept(String),
    /// Nothing: it starts with the next placement.
    Nothing,
}

/// Of what there is too little; memory where there is enough cpu, each alone, or only both on one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Cpu,
    Memory,
    Both,
}

/// The node that has most of what is lacking.
#[derive(Clone, Debug)]
struct Best {
    name: String,
    cpu_millis: u32,
    memory_mb: u32,
}

impl Verdicts {
    /// The one binding reason why `waiting` waits.
    #[must_use]
    pub fn reason(&self, waiting: &Waiting) -> Reason {
        let Some(verdict) = self.shapes.get(&waiting.shape) else {
            // It began to wait after the snapshot was taken.
            return Reason {
                code: "behind",
                text: "it has only just begun to wait".to_owned(),
                never: false,
            };
        };
        let is_head = verdict.head == Some(waiting.attempt);
        let text = verdict.lack.text(waiting.shape, is_head);
        let code = match verdict.lack {
            Lack::Executor(_) | Lack::Size(..) => {
                return Reason {
                    code: "never",
                    text,
                    never: true,
                };
            }
            Lack::NoNode | Lack::Out { .. } => "no_nodes",
            Lack::Room(..) | Lack::Kept(_) | Lack::Nothing if is_head => "capacity",
            Lack::Room(..) | Lack::Kept(_) | Lack::Nothing => "behind",
        };
        let (code, text) = if let Some(hold) = &self.hold {
            (hold.code, hold.text.clone())
        } else if code == "no_nodes" {
            (code, text)
        } else if let Some((running, limit)) = self.total {
            ("total_limit", format!("{running} of {limit} runs at once"))
        } else if let Some(running) = self.full.get(&waiting.project) {
            (
                "project_limit",
                format!(
                    "this project runs {running} of its {} at once",
                    self.per_project
                ),
            )
        } else {
            (code, text)
        };
        Reason {
            code,
            text,
            never: false,
        }
    }

    /// What will never start as things stand, most runs first.
    #[must_use]
    pub fn never(&self) -> &[Never] {
        &self.never
    }

    /// Whether any run waits that some node here could ever take.
    #[must_use]
    pub fn any_may_start(&self) -> bool {
        self.shapes
            .values()
            .any(|verdict| !matches!(verdict.lack, Lack::Executor(_) | Lack::Size(..)))
    }

    /// Takes the snapshot.
    pub(super) fn of(scheduler: &Scheduler) -> Self {
        let queue = &scheduler.queue;
        let limits = queue.limits();
        let verdict = |shape, head: Option<crate::queue::Turn>| Verdict {
            head: head.map(crate::queue::Turn::attempt),
            lack: Lack::of(scheduler, shape),
        };
        let shapes: HashMap<_, _> = queue
            .shapes()
            .map(|(shape, head)| (shape, verdict(shape, head)))
            .collect();
        let mut never: Vec<Never> = shapes
            .iter()
            .filter(|(_, verdict)| matches!(verdict.lack, Lack::Executor(_) | Lack::Size(..)))
            .map(|(shape, verdict)| Never {
                runs: queue.waiting_of(*shape),
                first: verdict.head,
                since: verdict
                    .head
                    .and_then(|id| queue.get(id))
                    .map(|run| run.queued),
                text: verdict.lack.text(*shape, false),
            })
            .collect();
        never.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.text.cmp(&b.text)));
        Self {
            never,
            hold: scheduler.hold.clone(),
            total: limits
                .total
                .filter(|_| queue.is_full())
                .map(|limit| (queue.counts().1, limit)),
            per_project: limits.per_project.unwrap_or(0),
            full: queue.full_projects().collect(),
            shapes,
        }
    }
}

impl Lack {
    fn of(scheduler: &Scheduler, shape: Shape) -> Self {
        let nodes = &scheduler.nodes;
        let offer = nodes.offer(shape.executor);
        if nodes.len() == 0 {
            return Self::NoNode;
        }
        if offer.all.len() == 0 {
            return Self::Executor(shape.executor);
        }
        let best = |room: Room| Best {
            name: nodes
                .get(room.node)
                .map_or_else(String::new, |node| node.spec.name.clone()),
            cpu_millis: room.cpu_millis,
            memory_mb: room.memory_mb,
        };
        if let Some((part, room)) = shortage(&offer.all, None, shape) {
            let most = offer.all.most_memory(0).map_or(0, |room| room.memory_mb);
            let besides = part == Part::Cpu && most < shape.memory_mb;
            return Self::Size(part, best(room), besides.then_some(most));
        }
        if offer
            .usable
            .tightest(shape.cpu_millis, shape.memory_mb)
            .is_none()
        {
            return Self::Out {
                every: nodes.usable() == 0,
                down: nodes.down() > 0,
            };
        }
        // The kept node stands in no list of free room; whoever tells of free room must not forget it.
        let kept = nodes
            .kept()
            .and_then(|id| nodes.get(id))
            .filter(|node| node.offers(shape.executor));
        if let Some((part, room)) = shortage(&offer.free, kept.map(super::Node::free), shape) {
            return Self::Room(
                part,
                best(room),
                (offer.all.len() < nodes.len()).then_some(shape.executor),
            );
        }
        match (kept, scheduler.kept) {
            (Some(node), Some(kept))
                if kept.shape != shape && scheduler.best_node(shape).is_none() =>
            {
                Self::Kept(node.spec.name.clone())
            }
            _ => Self::Nothing,
        }
    }

    /// The sentence.
    fn text(&self, asked: Shape, is_head: bool) -> String {
        let (cpu, memory) = (Cpu(asked.cpu_millis), Memory(asked.memory_mb));
        match self {
            Self::NoNode => "there is no node".to_owned(),
            Self::Executor(ExecutorKind::Other) => {
                // A shape does not say which of the two.
                r#"no node offers executor "macos" or "windows": will never start"#.to_owned()
            }
            Self::Executor(kind) => format!(
                "no node offers executor {:?}: will never start",
                kind.word()
            ),
            Self::Size(part, best, besides) => {
                let (most_cpu, most_memory) = (Cpu(best.cpu_millis), Memory(best.memory_mb));
                match part {
                    Part::Cpu => {
                        let besides = besides.map_or_else(String::new, |most| {
                            format!(", nor as {memory} memory; the largest has {}", Memory(most))
                        });
                        format!(
                            "no node is as large as {cpu} cpu; the largest has {most_cpu}{besides}: will never start"
                        )
                    }
                    Part::Memory => {
                        format!(
                            "no node is as large as {memory} memory; the largest has {most_memory}: will never start"
                        )
                    }
                    Part::Both => format!(
                        "no node is as large as {cpu} cpu and {memory} memory; the largest with so much cpu has \
                         {most_memory}: will never start"
                    ),
                }
            }
            Self::Out { every, down } => {
                let which = if *every {
                    "every node"
                } else {
                    "every node that could run it"
                };
                let states = if *down {
                    "draining, ineligible or down"
                } else {
                    "draining or ineligible"
                };
                format!("{which} is {states}")
            }
            Self::Room(part, best, executor) => {
                let node = executor.map_or("no node".to_owned(), |kind| {
                    format!("no node with executor {:?}", kind.word())
                });
                let Best {
                    name,
                    cpu_millis,
                    memory_mb,
                } = best;
                let (most_cpu, most_memory) = (Cpu(*cpu_millis), Memory(*memory_mb));
                match part {
                    Part::Cpu => {
                        format!("{node} has {cpu} cpu free; best is {name} with {most_cpu}")
                    }
                    Part::Memory => format!(
                        "{node} has {memory} memory free; best is {name} with {most_memory}"
                    ),
                    Part::Both => format!(
                        "{node} has {cpu} cpu and {memory} memory free together; best is {name} with {most_cpu} cpu and \
                         {most_memory}"
                    ),
                }
            }
            Self::Kept(name) => {
                format!("{name} has room but is kept for a run that has waited longer")
            }
            Self::Nothing if is_head => {
                "a node has room; it starts with the next placement".to_owned()
            }
            Self::Nothing => {
                "a node has room; runs like it that stand before it start first".to_owned()
            }
        }
    }
}

/// Of what there is too little in a list (and one more room) for a shape, and where there is most of it; `None` when
/// a room fits or there is none.
fn shortage(rooms: &Rooms, more: Option<Room>, shape: Shape) -> Option<(Part, Room)> {
    let (cpu, memory) = (shape.cpu_millis, shape.memory_mb);
    let fits = |room: Room| room.cpu_millis >= cpu && room.memory_mb >= memory;
    if more.is_some_and(fits) || rooms.tightest(cpu, memory).is_some() {
        return None;
    }
    let larger = |one: Option<Room>, of: fn(Room) -> u32| match (one, more) {
        (Some(one), Some(more)) => Some(if of(more) > of(one) { more } else { one }),
        (one, more) => one.or(more),
    };
    let most_cpu = larger(rooms.most_cpu(), |room| room.cpu_millis)?;
    if most_cpu.cpu_millis < cpu {
        return Some((Part::Cpu, most_cpu));
    }
    let most_memory = larger(rooms.most_memory(0), |room| room.memory_mb)?;
    if most_memory.memory_mb < memory {
        return Some((Part::Memory, most_memory));
    }
    let more = more.filter(|room| room.cpu_millis >= cpu);
    let both = rooms
        .most_memory(cpu)
        .into_iter()
        .chain(more)
        .max_by_key(|room| room.memory_mb)?;
    Some((Part::Both, both))
}
