//! The waiting line: all runs in order, and below it one line per shape and project from which the next is taken.
//!
//! Knows limits but no node: whoever places runs says which shapes fit nowhere ([`Queue::park`]) and when that may
//! have changed ([`Queue::wake`]). Finding the next run, starting it and ending one cost `O(log n)` in the number of
//! waiting runs, because a full project or a parked shape is left out as a whole and its runs are never looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ordered::{Item, Ordered};
use super::{Limits, Shape, Since, Turn, Waiting};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, ProjectId};

impl Item for Waiting {
    type Key = Turn;
    type Mark = ();
    fn key(&self) -> Turn {
        self.turn()
    }
    fn mark(_: &[Self]) {}
}

impl Item for Turn {
    type Key = Turn;
    type Mark = ();
    fn key(&self) -> Turn {
        *self
    }
    fn mark(_: &[Self]) {}
}

/// Waiting runs of one shape and one project.
#[derive(Debug, Default)]
struct ProjectLine {
    runs: Ordered<Turn>,
    /// The turn under which this line stands in [`ShapeLine::heads`].
    listed: Option<Turn>,
}

/// Waiting runs of one shape.
#[derive(Debug, Default)]
struct ShapeLine {
    projects: HashMap<ProjectId, ProjectLine>,
    /// First run of each project that has room under its limit.
    heads: BTreeSet<(Turn, ProjectId)>,
    /// Fits nowhere at present.
    parked: bool,
    /// The turn under which this shape stands in [`Queue::awake`].
    listed: Option<Turn>,
}

/// What is known of a project that has runs.
#[derive(Debug, Default)]
struct Project {
    waiting: usize,
    running: usize,
    /// Shapes of its waiting runs.
    shapes: BTreeSet<Shape>,
}

/// Waiting runs and the numbers of running ones.
#[derive(Debug, Default)]
pub struct Queue {
    limits: Limits,
    /// All waiting runs.
    line: Ordered<Waiting>,
    /// Where each of them stands in it.
    turns: HashMap<AttemptId, Since>,
    shapes: BTreeMap<Shape, ShapeLine>,
    /// First admissible run of each shape that is not parked.
    awake: BTreeSet<(Turn, Shape)>,
    /// Shapes that are.
    parked: BTreeSet<Shape>,
    projects: HashMap<ProjectId, Project>,
    running: usize,
}

impl Queue {
    /// Starts empty.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Changes the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        let waiting: Vec<ProjectId> = self.projects.keys().copied().collect();
        for project in waiting {
            self.relist_project(project);
        }
    }

    /// A run begins to wait; false, and nothing done, when it waits already.
    pub fn enqueue(&mut self, run: Waiting) -> bool {
        if self.turns.contains_key(&run.attempt) {
            return false;
        }
        let turn = run.turn();
        self.turns.insert(run.attempt, turn.since);
        self.line.insert(run);
        let lines = &mut self.shapes.entry(run.shape).or_default().projects;
        lines.entry(run.project).or_default().runs.insert(turn);
        let project = self.projects.entry(run.project).or_default();
        project.waiting += 1;
        project.shapes.insert(run.shape);
        self.relist(run.shape, run.project);
        true
    }

    /// A waiting run leaves the line; `None` when it did not wait.
    pub fn withdraw(&mut self, attempt: AttemptId) -> Option<Waiting> {
        let since = self.turns.remove(&attempt)?;
        let turn = Turn { since, attempt };
        let run = self
            .line
            .remove(&turn)
            .expect("every turn stands in the line");
        let shape = self
            .shapes
            .get_mut(&run.shape)
            .expect("every waiting run has a line of its shape");
        let line = shape
            .projects
            .get_mut(&run.project)
            .expect("and one of its project in it");
        line.runs.remove(&turn);
        let emptied = line.runs.is_empty();
        self.relist(run.shape, run.project);
        let project = self
            .projects
            .get_mut(&run.project)
            .expect("a project with a waiting run is known");
        project.waiting -= 1;
        if emptied {
            project.shapes.remove(&run.shape);
            self.forget(run.shape, run.project);
        }
        self.forget_project(run.project);
        Some(run)
    }

    /// A waiting run starts; `None` when it did not wait.
    pub fn start(&mut self, attempt: AttemptId) -> Option<Waiting> {
        let run = self.withdraw(attempt)?;
        self.count_running(run.project);
        Some(run)
    }

    /// A run of `project` runs that never waited here.
    pub fn count_running(&mut self, project: ProjectId) {
        self.running += 1;
        self.projects.entry(project).or_default().running += 1;
        self.relist_project(project);
    }

    /// A run of `project` ended.
    pub fn finish(&mut self, project: ProjectId) {
        self.running = self.running.saturating_sub(1);
        if let Some(known) = self.projects.get_mut(&project) {
            known.running = known.running.saturating_sub(1);
            self.relist_project(project);
            self.forget_project(project);
        }
    }

    /// The run that may go next: the first of all whose project and shape have room. `None` at the total limit.
    #[must_use]
    pub fn next(&self) -> Option<&Waiting> {
        if self.is_full() {
            return None;
        }
        let (turn, _) = self.awake.first()?;
        self.line.get(turn)
    }

    /// Runs of this shape fit nowhere: none of them is next until the shape is woken.
    pub fn park(&mut self, shape: Shape) {
        self.set_parked(shape, true);
    }

    /// Runs of this shape may fit somewhere.
    pub fn wake(&mut self, shape: Shape) {
        self.set_parked(shape, false);
    }

    /// Shapes that are parked.
    pub fn parked(&self) -> impl Iterator<Item = Shape> {
        self.parked.iter().copied()
    }

    /// Shapes that wait, and of each the first run that no project limit holds back.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = (Shape, Option<Turn>)> {
        self.shapes
            .iter()
            .map(|(shape, line)| (*shape, line.heads.first().map(|(turn, _)| *turn)))
    }

    /// The first run of a shape that no project limit holds back.
    pub(crate) fn head(&self, shape: Shape) -> Option<Turn> {
        self.shapes
            .get(&shape)?
            .heads
            .first()
            .map(|(turn, _)| *turn)
    }

    /// Number of waiting runs of a shape. Costs the number of projects that have such.
    pub(crate) fn waiting_of(&self, shape: Shape) -> usize {
        self.shapes.get(&shape).map_or(0, |line| {
            line.projects.values().map(|line| line.runs.len()).sum()
        })
    }

    /// Number of shapes that wait.
    #[must_use]
    pub fn shape_count(&self) -> usize {
        self.shapes.len()
    }

    /// Number of waiting and running runs.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.line.len(), self.running)
    }

    /// Waiting and running of one project.
    #[must_use]
    pub fn project_counts(&self, project: ProjectId) -> (usize, usize) {
        self.projects
            .get(&project)
            .map_or((0, 0), |known| (known.waiting, known.running))
    }

    /// Projects that run as many as they may while more of theirs wait, with the number that runs.
    pub fn full_projects(&self) -> impl Iterator<Item = (ProjectId, usize)> {
        let full = self
            .projects
            .iter()
            .filter(|(_, known)| known.waiting > 0 && self.is_project_full(known));
        full.map(|(project, known)| (*project, known.running))
    }

    /// Whether as many run as may run in total.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.limits
            .total
            .is_some_and(|limit| self.running >= limit as usize)
    }

    /// The waiting run of that attempt.
    #[must_use]
    pub fn get(&self, attempt: AttemptId) -> Option<&Waiting> {
        self.line.get(&self.turn(attempt)?)
    }

    /// Place of a waiting run among all and among those of its shape, from 1.
    #[must_use]
    pub fn places(&self, attempt: AttemptId) -> Option<(usize, usize)> {
        let turn = &self.turn(attempt)?;
        let shape = self.line.get(turn)?.shape;
        let of_shape: usize = self
            .shapes
            .get(&shape)?
            .projects
            .values()
            .map(|line| line.runs.rank(turn))
            .sum();
        Some((self.line.rank(turn) + 1, of_shape + 1))
    }

    /// The waiting runs in order, from place `offset` (0 is the first).
    pub fn line(&self, offset: usize) -> impl Iterator<Item = &Waiting> {
        self.line.iter_from(offset)
    }

    /// Since when the oldest waiting run waits: the least of the heads of each priority, of which there are few.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        let mut head = self.line.first();
        let mut oldest = head?.queued;
        while let Some(run) = head {
            oldest = oldest.min(run.queued);
            let lower = self
                .line
                .chunks_from(|other| other.priority >= run.priority)
                .next();
            head = lower.and_then(|(_, items)| items.first());
        }
        Some(oldest)
    }

    fn turn(&self, attempt: AttemptId) -> Option<Turn> {
        let since = *self.turns.get(&attempt)?;
        Some(Turn { since, attempt })
    }

    fn is_project_full(&self, project: &Project) -> bool {
        self.limits
            .per_project
            .is_some_and(|limit| project.running >= limit as usize)
    }

    fn set_parked(&mut self, shape: Shape, parked: bool) {
        let Some(line) = self.shapes.get_mut(&shape) else {
            return;
        };
        line.parked = parked;
        if parked {
            self.parked.insert(shape)
        } else {
            self.parked.remove(&shape)
        };
        Self::relist_shape(&mut self.awake, shape, line);
    }

    /// Puts all lines of a project where they belong after its limit or its number of running runs changed.
    fn relist_project(&mut self, project: ProjectId) {
        let Some(known) = self.projects.get(&project) else {
            return;
        };
        let full = self.is_project_full(known);
        for shape in &known.shapes {
            if let Some(line) = self.shapes.get_mut(shape) {
                Self::relist_line(&mut self.awake, *shape, line, project, full);
            }
        }
    }

    fn relist(&mut self, shape: Shape, project: ProjectId) {
        let full = self
            .projects
            .get(&project)
            .is_some_and(|known| self.is_project_full(known));
        if let Some(line) = self.shapes.get_mut(&shape) {
            Self::relist_line(&mut self.awake, shape, line, project, full);
        }
    }

    /// Brings the head of one project's line, and then of its shape, up to date.
    fn relist_line(
        awake: &mut BTreeSet<(Turn, Shape)>,
        shape: Shape,
        line: &mut ShapeLine,
        project: ProjectId,
        full: bool,
    ) {
        let Some(of_project) = line.projects.get_mut(&project) else {
            return;
        };
        let head = if full {
            None
        } else {
            of_project.runs.first().copied()
        };
        if of_project.listed != head {
            of_project
                .listed
                .map(|turn| line.heads.remove(&(turn, project)));
            head.map(|turn| line.heads.insert((turn, project)));
            of_project.listed = head;
            Self::relist_shape(awake, shape, line);
        }
    }

    fn relist_shape(awake: &mut BTreeSet<(Turn, Shape)>, shape: Shape, line: &mut ShapeLine) {
        let head = if line.parked {
            None
        } else {
            line.heads.first().map(|(turn, _)| *turn)
        };
        if line.listed != head {
            line.listed.map(|turn| awake.remove(&(turn, shape)));
            head.map(|turn| awake.insert((turn, shape)));
            line.listed = head;
        }
    }

    /// Forgets the line of a shape and project that became empty.
    fn forget(&mut self, shape: Shape, project: ProjectId) {
        if let Some(line) = self.shapes.get_mut(&shape) {
            line.projects.remove(&project);
            if line.projects.is_empty() {
                self.shapes.remove(&shape);
                self.parked.remove(&shape);
            }
        }
    }

    fn forget_project(&mut self, project: ProjectId) {
        if self
            .projects
            .get(&project)
            .is_some_and(|known| known.waiting == 0 && known.running == 0)
        {
            self.projects.remove(&project);
        }
    }

    /// Panics when an inner promise is broken.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        self.line.check_invariants();
        assert_eq!(self.line.len(), self.turns.len());
        let mut heads: BTreeMap<Shape, Turn> = BTreeMap::new();
        let mut waiting: HashMap<ProjectId, usize> = HashMap::new();
        let mut of_lines = 0;
        for run in self.line(0) {
            assert_eq!(self.turn(run.attempt), Some(run.turn()));
            *waiting.entry(run.project).or_default() += 1;
            let line = &self.shapes[&run.shape].projects[&run.project];
            assert!(line.runs.get(&run.turn()).is_some());
            if !self.is_project_full(&self.projects[&run.project]) {
                heads.entry(run.shape).or_insert(run.turn());
            }
        }
        for (shape, line) in &self.shapes {
            assert_eq!(
                line.heads.first().map(|(turn, _)| *turn),
                heads.get(shape).copied()
            );
            assert_eq!(line.parked, self.parked.contains(shape));
            let awake = if line.parked {
                None
            } else {
                heads.get(shape).copied()
            };
            assert_eq!(line.listed, awake);
            assert_eq!(
                self.awake
                    .iter()
                    .find(|(_, other)| other == shape)
                    .map(|(turn, _)| *turn),
                awake
            );
            of_lines += line
                .projects
                .values()
                .map(|line| line.runs.len())
                .sum::<usize>();
            assert!(line.projects.values().all(|line| !line.runs.is_empty()));
        }
        assert_eq!(of_lines, self.line.len());
        assert!(self.awake.len() <= self.shapes.len());
        assert_eq!(
            self.projects
                .values()
                .map(|known| known.running)
                .sum::<usize>(),
            self.running
        );
        for (project, known) in &self.projects {
            assert_eq!(known.waiting, waiting.get(project).copied().unwrap_or(0));
            assert!(known.waiting + known.running > 0);
        }
        assert_eq!(self.oldest(), self.line(0).map(|run| run.queued).min());
    }
}
