//! The runs themselves, each in a slot that it keeps, and the lists that were asked for lately.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use super::Move;
use super::ranking::{Ranking, Wanted};
use crate::clock::Timestamp;
use crate::ids::{AttemptId, fleet_middle, write_fleet_name};
use crate::pipeline::status::RunState;
use crate::store::{HotRun, Term, Window, WindowQuery};

/// Rankings kept for whoever asks again: those of a few consoles. 400 KB each with 100,000 runs.
const KEPT: usize = 8;

/// Changes remembered, so that a ranking takes in what changed instead of being made anew.
const LOG: usize = 16_384;

/// Kinds of run of which the texts are shared: those of a pipeline come one after the other, in few classes.
const ORIGINS: usize = 16;

/// Names of jobs that may be there before it is worth looking for those that nobody has.
const JOBS: usize = 1024;

/// What the runs of one revision share, as it is and in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    texts: [Shared; 2],
    /// The middle of their fleet names, which are in lower case.
    middle: String,
    /// CPU that those of one class ask for.
    pub cpu_millis: u32,
}

/// The texts.
#[derive(Debug, PartialEq, Eq)]
struct Shared {
    title: String,
    branch: String,
    executor: String,
    workflow: String,
    class: String,
}

impl Origin {
    fn of(hot: &HotRun<'_>, middle: &str) -> Self {
        let shared = |case: fn(&str) -> String| Shared {
            title: case(&hot.title),
            branch: case(&hot.branch),
            executor: case(&hot.executor),
            workflow: case(&hot.workflow_name),
            class: case(hot.resource_class.as_deref().unwrap_or("")),
        };
        Self {
            texts: [shared(str::to_owned), shared(str::to_ascii_lowercase)],
            middle: middle.to_owned(),
            cpu_millis: hot.cpu_millis,
        }
    }

    fn is_of(&self, hot: &HotRun<'_>, middle: &str) -> bool {
        let texts = &self.texts[0];
        (texts.title == hot.title && texts.branch == hot.branch)
            && (texts.executor == hot.executor && texts.workflow == hot.workflow_name)
            && texts.class == hot.resource_class.as_deref().unwrap_or("")
            && (self.middle == middle && self.cpu_millis == hot.cpu_millis)
    }

    pub(super) fn title(&self) -> &str {
        &self.texts[0].title
    }
}

/// A run that is not over, as small as it can be: there may be 100,000.
#[derive(Debug)]
pub(super) struct Run {
    pub id: AttemptId,
    pub state: RunState,
    stopping: bool,
    pub priority: u8,
    copy: u32,
    number: i64,
    pub queued: Timestamp,
    /// Of one that was placed; most of a long list were not.
    placement: Option<Box<Placement>>,
    pub origin: Arc<Origin>,
    /// Name of its job, which it shares with all runs of jobs of that name.
    pub job: Arc<str>,
}

/// Where a run was placed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Placement {
    node: Option<Box<str>>,
    placed: Option<Timestamp>,
    started: Option<Timestamp>,
}

impl Run {
    pub(super) fn node(&self) -> Option<&str> {
        self.placement.as_ref()?.node.as_deref()
    }

    pub(super) fn placed(&self) -> Option<Timestamp> {
        self.placement.as_ref()?.placed
    }

    pub(super) fn started(&self) -> Option<Timestamp> {
        self.placement.as_ref()?.started
    }

    fn placement(&mut self) -> &mut Placement {
        self.placement.get_or_insert_default()
    }

    /// Its fleet name. Made anew each time.
    pub(super) fn name(&self) -> String {
        let mut name = String::new();
        self.write_name(&mut name);
        name
    }

    fn write_name(&self, out: &mut String) {
        write_fleet_name(out, self.id, self.copy, &self.origin.middle, self.number);
    }

    /// Whether a word of a filter occurs in it. `room` is for texts that are made for that.
    pub(super) fn holds(&self, term: &Term, room: &mut String) -> bool {
        let lower = !term.exact;
        let cased = |text| in_case(text, lower);
        let shared = &self.origin.texts[usize::from(lower)];
        let node = || cased(self.node().unwrap_or(""));
        match term.field {
            Some("project") => term.is_in(&shared.title),
            Some("job") => term.is_in(&cased(&self.job)),
            Some("workflow") => term.is_in(&shared.workflow),
            Some("branch") => term.is_in(&shared.branch),
            Some("status") if self.stopping => {
                term.is_in(&format!("{}  stopping", self.state.word()))
            }
            Some("status") => term.is_in(self.state.word()),
            Some("node") => term.is_in(&node()),
            Some("executor") => term.is_in(&shared.executor),
            Some("class") => term.is_in(&shared.class),
            // Scattered letters may lie in several of its texts, in the order in which the store has them.
            _ if term.fuzzy => {
                let (job, node, state) = (cased(&self.job), node(), self.state.word());
                let (title, branch, kind) = (&shared.title, &shared.branch, &shared.executor);
                room.clear();
                self.write_name(room);
                let _ = write!(
                    room,
                    " {job} {title} {branch} {state}  {node} {kind} #{}",
                    self.number
                );
                term.is_in(room)
            }
            // No other word holds a space, so none goes across two of them.
            _ => {
                let parts = [&shared.title, &shared.branch, &shared.executor];
                term.is_in(&cased(&self.job))
                    || parts.into_iter().any(|part| term.is_in(part))
                    || term.is_in(self.state.word())
                    || term.is_in(&node())
                    || {
                        room.clear();
                        self.write_name(room);
                        let _ = write!(room, " #{}", self.number);
                        term.is_in(room)
                    }
            }
        }
    }
}

/// A text as filters compare it.
fn in_case(text: &str, lower: bool) -> Cow<'_, str> {
    if lower && text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// All runs that are not over.
#[derive(Debug, Default)]
pub(super) struct Board {
    runs: Vec<Option<Run>>,
    /// When each slot changed last, in changes.
    changed: Vec<u64>,
    slots: HashMap<AttemptId, u32>,
    free: Vec<u32>,
    /// Number of changes so far.
    now: u64,
    /// The slots of the last changes, the newest at the end.
    log: VecDeque<u32>,
    /// Those of the newest runs.
    origins: VecDeque<Arc<Origin>>,
    /// Names of jobs.
    jobs: HashSet<Arc<str>>,
    /// When so many of them are there, those that nobody has are dropped.
    jobs_most: usize,
    /// The line itself: unfiltered, in its own order.
    line: Ranking,
    /// Those asked for lately, the newest at the end.
    kept: Vec<Ranking>,
}

impl Board {
    /// The run in a slot.
    pub(super) fn run(&self, slot: u32) -> Option<&Run> {
        self.runs.get(slot as usize)?.as_ref()
    }

    /// All slots, also empty ones.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        0..u32::try_from(self.runs.len()).unwrap_or(u32::MAX)
    }

    /// Number of changes so far.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Whether a slot changed after the change of that number.
    pub(super) fn changed_since(&self, slot: u32, then: u64) -> bool {
        self.changed[slot as usize] > then
    }

    /// The slots that changed after the change of that number; `None` when not all of them are remembered.
    pub(super) fn changes_since(&self, then: u64) -> Option<impl Iterator<Item = u32>> {
        let count = usize::try_from(self.now - then).ok()?;
        let first = self.log.len().checked_sub(count)?;
        Some(self.log.range(first..).copied())
    }

    pub(super) fn take(&mut self, moves: Vec<Move>) {
        for step in moves {
            match step {
                Move::Waits(run) => self.put(*run),
                Move::Placed(id, node, at) => self.change(id, |run| {
                    run.state = RunState::Running;
                    let placement = run.placement();
                    placement.node = Some(node);
                    placement.placed = Some(at);
                }),
                Move::Started(id, at) => self.change(id, |run| {
                    run.placement().started.get_or_insert(at);
                }),
                Move::Stopping(id) => self.change(id, |run| run.stopping = true),
                Move::Returned(id) => self.change(id, |run| {
                    run.state = RunState::Pending;
                    run.placement().node = None;
                    run.placement().placed = None;
                }),
                Move::Over(id) => {
                    if let Some(slot) = self.slots.remove(&id) {
                        self.runs[slot as usize] = None;
                        self.free.push(slot);
                        self.note(slot);
                    }
                }
            }
        }
    }

    /// Takes a run in; one that is there already is replaced.
    pub(super) fn put(&mut self, hot: HotRun<'_>) {
        let run = self.packed(hot);
        let id = run.id;
        let slot = self.slots.get(&id).copied().or_else(|| self.free.pop());
        let slot = slot.unwrap_or_else(|| {
            self.runs.push(None);
            self.changed.push(0);
            u32::try_from(self.runs.len() - 1).expect("fewer runs than memory has room for")
        });
        self.runs[slot as usize] = Some(run);
        self.slots.insert(id, slot);
        self.note(slot);
    }

    fn origin(&mut self, hot: &HotRun<'_>) -> Arc<Origin> {
        let middle = fleet_middle(&hot.name).unwrap_or("");
        let known = self.origins.iter().find(|known| known.is_of(hot, middle));
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let new = Arc::new(Origin::of(hot, middle));
        self.origins.truncate(ORIGINS - 1);
        self.origins.push_front(Arc::clone(&new));
        new
    }

    /// A job's name, which is kept once. Those that nobody has any more are dropped when there are too many names.
    fn job(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.jobs.get(name) {
            return Arc::clone(known);
        }
        if self.jobs.len() >= self.jobs_most {
            self.jobs.retain(|name| Arc::strong_count(name) > 1);
            self.jobs_most = 2 * self.jobs.len() + JOBS;
        }
        let new: Arc<str> = name.into();
        self.jobs.insert(Arc::clone(&new));
        new
    }

    fn packed(&mut self, hot: HotRun<'_>) -> Run {
        let (origin, job) = (self.origin(&hot), self.job(&hot.job_name));
        let placement = Placement {
            node: hot.node_name.map(|name| name.as_ref().into()),
            placed: hot.placed,
            started: hot.started,
        };
        Run {
            id: hot.id,
            state: hot.state,
            stopping: hot.stopping,
            priority: hot.priority,
            copy: hot.copy,
            number: hot.number,
            queued: hot.queued,
            placement: (placement != Placement::default()).then(|| Box::new(placement)),
            origin,
            job,
        }
    }

    fn change(&mut self, id: AttemptId, change: impl FnOnce(&mut Run)) {
        let slot = self.slots.get(&id).copied();
        if let Some(slot) = slot
            && let Some(run) = self.runs[slot as usize].as_mut()
        {
            change(run);
            self.note(slot);
        }
    }

    fn note(&mut self, slot: u32) {
        self.now += 1;
        self.changed[slot as usize] = self.now;
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(slot);
    }

    /// A window of the runs in these states.
    pub(super) fn window(&mut self, states: &[RunState], query: &WindowQuery) -> Window<AttemptId> {
        let wanted = Wanted::new(states, query);
        let mut ranking = match self.kept.iter().position(|known| known.is_of(&wanted)) {
            Some(at) => self.kept.remove(at),
            None => {
                // What is asked for is cut out of the line, whose order is the second in every other.
                self.refresh_line();
                Ranking::cut(wanted, &self.line, self)
            }
        };
        ranking.refresh(self);
        let total = ranking.slots().len() as u64;
        let around = query
            .around
            .as_deref()
            .and_then(|id| self.slots.get(&id.parse().ok()?))
            .and_then(|slot| ranking.rank(*slot, self));
        let offset = around.map_or(query.offset, |rank| {
            crate::store::centred(rank as u64, query.limit, total)
        });
        let from = usize::try_from(offset.min(total)).unwrap_or(0);
        let to = usize::try_from((offset + query.limit).min(total)).unwrap_or(0);
        let window = ranking.slots().get(from..to).unwrap_or_default();
        let ids = window.iter().filter_map(|slot| Some(self.run(*slot)?.id));
        let found = Window {
            rows: ids.collect(),
            total,
            offset,
        };
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(ranking);
        found
    }

    /// Place in line, from 1, of a run that waits.
    pub(super) fn place(&mut self, id: AttemptId) -> Option<u64> {
        let slot = *self.slots.get(&id)?;
        let waits = self.run(slot)?.state == RunState::Pending;
        self.refresh_line();
        // Those that wait stand before those that run.
        let rank = self.line.rank(slot, self).filter(|_| waits)?;
        Some(rank as u64 + 1)
    }

    fn refresh_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        line.refresh(self);
        self.line = line;
    }
}
