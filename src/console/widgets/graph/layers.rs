//! Columns of a workflow graph: a job stands one column behind the deepest of those it requires; a wire over several
//! columns passes through the ones between.

use super::{EDGE, Form, Node};

/// What stands at one place of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Spot {
    /// A job, by index.
    Job(usize),
    /// A wire from this job that goes on to a later column.
    Pass(usize),
}

impl Spot {
    pub(super) fn job(&self) -> Option<usize> {
        match self {
            Spot::Job(job) => Some(*job),
            Spot::Pass(_) => None,
        }
    }
}

/// The columns, and the wires from each to the next as pairs of spots.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) columns: Vec<Vec<Spot>>,
    pub(super) wires: Vec<Vec<(usize, usize)>>,
}

impl Layers {
    pub(super) fn new(nodes: &[Node]) -> Self {
        let mut depth: Vec<usize> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let known = node.requires.iter().filter_map(|i| depth.get(*i));
            depth.push(known.max().map_or(0, |d| d + 1));
        }
        let mut columns: Vec<Vec<Spot>> = vec![Vec::new(); depth.iter().max().map_or(0, |d| d + 1)];
        for (job, d) in depth.iter().enumerate() {
            columns[*d].push(Spot::Job(job));
        }
        for (job, from) in depth.iter().enumerate() {
            let children = nodes
                .iter()
                .zip(&depth)
                .filter(|(node, _)| node.requires.contains(&job));
            let last = children.map(|(_, d)| *d).max().unwrap_or(0);
            for column in columns.iter_mut().take(last).skip(from + 1) {
                column.push(Spot::Pass(job));
            }
        }
        let mut layers = Self {
            columns,
            wires: Vec::new(),
        };
        layers.untangle(nodes);
        layers.wires = (0..layers.columns.len().saturating_sub(1))
            .map(|i| layers.wires_between(nodes, i))
            .collect();
        layers
    }

    /// Whether something in a column leads to a spot of the next one.
    fn leads(nodes: &[Node], from: Spot, to: Spot) -> bool {
        let source = match from {
            Spot::Job(job) | Spot::Pass(job) => job,
        };
        match to {
            Spot::Job(job) => nodes[job].requires.contains(&source),
            Spot::Pass(job) => job == source,
        }
    }

    fn wires_between(&self, nodes: &[Node], column: usize) -> Vec<(usize, usize)> {
        let (left, right) = (&self.columns[column], &self.columns[column + 1]);
        let pairs = left.iter().enumerate().flat_map(|(i, from)| {
            let targets = right
                .iter()
                .enumerate()
                .filter(|(_, to)| Self::leads(nodes, *from, **to));
            targets.map(move |(j, _)| (i, j))
        });
        pairs.collect()
    }

    /// Orders each column by the mean place of what leads there, which keeps most wires from crossing.
    fn untangle(&mut self, nodes: &[Node]) {
        for i in 1..self.columns.len() {
            let left = self.columns[i - 1].clone();
            let mean = |to: Spot| {
                let places: Vec<usize> = (0..left.len())
                    .filter(|j| Self::leads(nodes, left[*j], to))
                    .collect();
                if places.is_empty() {
                    usize::MAX
                } else {
                    places.iter().sum::<usize>() * 1000 / places.len()
                }
            };
            // Stable, so that the order of the file decides among equals.
            self.columns[i].sort_by_key(|spot| mean(*spot));
        }
    }

    pub(super) fn find(&self, job: usize) -> Option<(usize, usize)> {
        let mut all = self.columns.iter().enumerate();
        all.find_map(|(i, column)| {
            column
                .iter()
                .position(|spot| *spot == Spot::Job(job))
                .map(|j| (i, j))
        })
    }

    fn spot_height(spot: Spot, form: Form) -> u16 {
        if spot.job().is_some() {
            form.height()
        } else {
            1
        }
    }

    pub(super) fn height(&self, column: usize, form: Form) -> u16 {
        self.columns[column]
            .iter()
            .map(|spot| Self::spot_height(*spot, form))
            .fold(0, u16::saturating_add)
    }

    pub(super) fn tops(&self, column: usize, form: Form) -> Vec<u16> {
        let mut y = 0;
        let tops = self.columns[column].iter().map(|spot| {
            let top = y;
            y = (y + Self::spot_height(*spot, form)).min(EDGE);
            top
        });
        tops.collect()
    }

    /// The line of a spot at which wires come and go, from its top.
    pub(super) fn port(&self, column: usize, spot: usize, form: Form) -> u16 {
        if self.columns[column][spot].job().is_some() {
            form.port()
        } else {
            0
        }
    }
}
