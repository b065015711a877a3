//! Why one run waits, at length: computed when somebody asks, by looking at every node.

use super::{Cpu, Explanation, Memory, Nearest, Node, Scheduler};
use crate::ids::AttemptId;
use crate::queue::{Shape, Waiting};

/// The causes in the order in which they are looked for.
const CAUSES: [&str; 10] = [
    "down",
    "draining",
    "ineligible",
    "executor",
    "too_small_cpu",
    "too_small_memory",
    "cpu",
    "memory",
    "kept",
    "fits",
];

impl Scheduler {
    /// Why this one waits; `None` when it does not. Looks at every node: for when somebody asks, not for lists.
    #[must_use]
    pub fn explain(&self, attempt: AttemptId) -> Option<Explanation> {
        let waiting = *self.queue.get(attempt)?;
        let shape = waiting.shape;
        let (place, place_of_shape) = self.queue.places(attempt)?;
        let mut counts = CAUSES.map(|cause| (cause, 0));
        for node in self.nodes.iter() {
            let cause = self.cause(node, shape);
            counts
                .iter_mut()
                .filter(|(word, _)| *word == cause)
                .for_each(|(_, number)| *number += 1);
        }
        let nearest = self.nearest(shape);
        Some(Explanation {
            shape,
            nodes: u32::try_from(self.nodes.len()).unwrap_or(u32::MAX),
            causes: counts
                .into_iter()
                .filter(|(_, number)| *number > 0)
                .collect(),
            nearest: nearest.map(near),
            place_of_shape: place_of_shape as u64,
            place: place as u64,
            help: self.help(&waiting, nearest),
        })
    }

    /// The first thing that keeps a shape from a node.
    fn cause(&self, node: &Node, shape: Shape) -> &'static str {
        let (spec, free) = (&node.spec, node.free());
        let kept_for = self
            .kept
            .filter(|kept| kept.node == spec.id)
            .map(|kept| kept.shape);
        match () {
            () if spec.down => "down",
            () if spec.draining => "draining",
            () if !spec.eligible => "ineligible",
            () if !node.offers(shape.executor) => "executor",
            () if spec.cpu_millis < shape.cpu_millis => "too_small_cpu",
            () if spec.memory_mb < shape.memory_mb => "too_small_memory",
            () if free.cpu_millis < shape.cpu_millis => "cpu",
            () if free.memory_mb < shape.memory_mb => "memory",
            () if kept_for.is_some_and(|kept| kept != shape) => "kept",
            () => "fits",
        }
    }

    /// The node that lacks least: one that takes work and is large enough before one that is large enough before any
    /// other that offers the executor.
    fn nearest(&self, shape: Shape) -> Option<&Node> {
        let offering = self.nodes.iter().filter(|node| node.offers(shape.executor));
        offering.min_by_key(|node| {
            let large = node.is_large_enough(shape);
            let distance = if large {
                node.lacks(shape)
            } else {
                node.falls_short(shape)
            };
            (!large, !node.is_usable(), distance)
        })
    }

    /// What would help, the thing that binds first.
    fn help(&self, waiting: &Waiting, nearest: Option<&Node>) -> Vec<String> {
        let shape = waiting.shape;
        let asked = format!(
            "{} cpu and {} memory",
            Cpu(shape.cpu_millis),
            Memory(shape.memory_mb)
        );
        let mut help = Vec::new();
        match nearest {
            None => help.push(format!(
                "a node that offers executor {:?}",
                shape.executor.word()
            )),
            Some(node) if !node.is_large_enough(shape) => {
                help.push(format!(
                    "a node with at least {asked}, or a smaller resource class"
                ));
            }
            Some(node) => help.extend(help_on(node, shape)),
        }
        for (state, remedy) in [
            ("draining", "ending the drain of"),
            ("ineligible", "making eligible"),
        ] {
            let idle = self
                .nodes
                .iter()
                .find(|node| self.cause(node, shape) == state && node.has_room(shape));
            help.extend(idle.map(|node| format!("{remedy} {}, which has room", node.spec.name)));
        }
        if let Some(hold) = &self.hold {
            help.push(format!(
                "placement resumes once this is over: {}",
                hold.text
            ));
        }
        let limits = self.queue.limits();
        if let Some(limit) = limits.total.filter(|_| self.queue.is_full()) {
            help.push(format!("a total limit above {limit}, or the end of a run"));
        }
        let (_, running) = self.queue.project_counts(waiting.project);
        if let Some(limit) = limits
            .per_project
            .filter(|limit| running >= *limit as usize)
        {
            help.push(format!(
                "a limit per project above {limit}, or the end of one of its {running} runs"
            ));
        }
        help
    }
}

/// What would help on a node that is large enough and takes work.
fn help_on(node: &Node, shape: Shape) -> Option<String> {
    let free = node.free();
    let cpu = shape.cpu_millis.saturating_sub(free.cpu_millis);
    let memory = shape.memory_mb.saturating_sub(free.memory_mb);
    let more = match (cpu, memory) {
        (0, 0) => return None,
        (_, 0) => format!("{} more cpu", Cpu(cpu)),
        (0, _) => format!("{} more memory", Memory(memory)),
        _ => format!("{} more cpu and {} more memory", Cpu(cpu), Memory(memory)),
    };
    node.is_usable()
        .then(|| format!("{more} free on {}: the end of runs there", node.spec.name))
}

fn near(node: &Node) -> Nearest {
    let free = node.free();
    Nearest {
        name: node.spec.name.clone(),
        cpu_millis: node.spec.cpu_millis,
        memory_mb: node.spec.memory_mb,
        cpu_free_millis: free.cpu_millis,
        memory_free_mb: free.memory_mb,
    }
}
