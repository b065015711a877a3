//! Workflows as written -> workflows of complete jobs: which jobs are used, and what each is called.
//!
//! Here parameters, commands, executors, matrices and orbs will be expanded: on the tree of a job, before it is read.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::filters::Patterns;
use super::read::{Cursor, Map};
use super::report::{Place, Report};
use super::schema::workflow::{self, Draft, DraftEntry};
use super::schema::{self, Config, Invocation, Job, Version, Workflow, check_name, job};
use super::yaml::MAX_COST;
use super::{Classes, Facts, graph, keys, names, read, template};
use crate::nearest::nearest;

/// The most runs, parallel copies counted, that one config may ask for.
const MAX_RUNS: u32 = 10_000;

/// Resolves a config: what runs, or only one job of it. Notes every error on the way.
pub(crate) fn expand(top: &Map, version: Version, facts: &Facts, report: &mut Report) -> Config {
    if let Some(jobs) = top.get("jobs") {
        jobs.map(report);
    }
    let mut expander = Expander::new(top, version, facts.classes.clone());
    let drafts = match &facts.only_job {
        Some(name) => expander.only(top, name, report).into_iter().collect(),
        None => {
            schema::check_top(top, version, report);
            expander.drafts(top, report)
        }
    };
    if facts.only_job.is_none() {
        expander.check_unused(&drafts, report);
    }
    let workflows = drafts
        .iter()
        .map(|draft| expander.workflow(draft, report))
        .collect();
    Config { workflows }
}

struct Expander {
    version: Version,
    /// The definitions under `jobs`, in the order of the file.
    jobs: Vec<(String, Cursor)>,
    places: HashMap<String, usize>,
    /// Jobs read so far.
    read: HashMap<String, Option<Rc<Job>>>,
    /// Names of reusable commands.
    commands: HashSet<String>,
    /// Names of groups of jobs.
    groups: HashSet<String>,
    patterns: Patterns,
    /// Resource classes of the installation's own.
    classes: Classes,
    /// What the jobs used so far cost of the budget of a plan.
    cost: u32,
    /// How many runs they ask for.
    runs: u32,
}

impl Expander {
    fn new(top: &Map, version: Version, classes: Classes) -> Self {
        // Version 2 has no such names: there a key of the root like these is only a place for anchors.
        let names = |key: &str| match top.get(key).filter(|_| version == Version::V21) {
            Some(at) => Map { at }.names().map(str::to_owned).collect(),
            None => HashSet::new(),
        };
        let jobs: Vec<(String, Cursor)> = match top.get("jobs") {
            Some(at) => Map { at }
                .iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            None => Vec::new(),
        };
        let places = jobs
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (name.clone(), at))
            .collect();
        Self {
            version,
            jobs,
            places,
            read: HashMap::new(),
            commands: names("commands"),
            groups: names("job-groups"),
            patterns: Patterns::default(),
            classes,
            cost: 0,
            runs: 0,
        }
    }

    /// The workflows of the file, or the implicit one.
    fn drafts(&mut self, top: &Map, report: &mut Report) -> Vec<Draft> {
        let Some(workflows) = top.get("workflows") else {
            return self.implicit(top, report).into_iter().collect();
        };
        let workflows = self.settled(&workflows, report);
        let mut drafts = workflow::read_all(&workflows, &mut self.patterns, report);
        for draft in &mut drafts {
            names::assign(draft, self.version, report);
        }
        drafts
    }

    fn settled(&self, at: &Cursor, report: &mut Report) -> Cursor {
        match self.version {
            Version::V2 => at.clone(),
            Version::V21 => template::settle(at, report),
        }
    }

    /// Without `workflows` the job `build` runs alone.
    fn implicit(&mut self, top: &Map, report: &mut Report) -> Option<Draft> {
        let Some(&at) = self.places.get("build") else {
            let place = top
                .get("jobs")
                .map_or_else(|| top.at.key_place(), |jobs| jobs.key_place());
            let message = "there are no `workflows`, and no job named `build` to run without them";
            let hint = if self.places.contains_key("workflows") {
                "`workflows` stands under `jobs`: move it to the left margin"
            } else {
                "add `workflows`, or name one job `build`"
            };
            report.error_hint(&place, message, Some(hint.to_owned()));
            return None;
        };
        let name = match self.version {
            Version::V2 => "build",
            Version::V21 => "workflow",
        };
        let mut draft = alone(name, "build", "build", self.jobs[at].1.key_place());
        if self.version == Version::V2 {
            let job = self.job("build", report);
            draft.entries[0].filters = job.map(|job| job.branches.clone()).unwrap_or_default();
        }
        Some(draft)
    }

    /// The one job that was asked for, by its key or by its name in a workflow.
    fn only(&mut self, top: &Map, name: &str, report: &mut Report) -> Option<Draft> {
        if let Some(&at) = self.places.get(name) {
            return Some(alone(name, name, name, self.jobs[at].1.key_place()));
        }
        let mut unheard = Report::new("");
        let drafts = self.drafts(top, &mut unheard);
        self.patterns = Patterns::default();
        let mut entries = drafts.iter().flat_map(|draft| &draft.entries);
        if let Some(entry) = entries.find(|entry| entry.name.as_deref() == Some(name)) {
            return Some(alone(name, name, &entry.job, entry.place.clone()));
        }
        let place = top
            .get("jobs")
            .map_or_else(|| top.at.key_place(), |jobs| jobs.key_place());
        report.error_hint(
            &place,
            format!("there is no job `{name}` in this config"),
            self.meant(name),
        );
        None
    }

    fn meant(&self, name: &str) -> Option<String> {
        let near = nearest(name, self.jobs.iter().map(|(name, _)| name.as_str()));
        near.map(|near| format!("did you mean `{near}`?"))
    }

    /// Jobs that no workflow uses may hold what is not run yet, but must look like jobs.
    fn check_unused(&self, drafts: &[Draft], report: &mut Report) {
        let used: HashSet<&str> = drafts
            .iter()
            .flat_map(|draft| &draft.entries)
            .map(|entry| entry.job.as_str())
            .collect();
        for (name, value) in self
            .jobs
            .iter()
            .filter(|(name, _)| !used.contains(name.as_str()))
        {
            job::check_shape(name, value, report);
        }
    }

    /// A job as it is defined; read once.
    fn job(&mut self, name: &str, report: &mut Report) -> Option<Rc<Job>> {
        if let Some(job) = self.read.get(name) {
            return job.clone();
        }
        let at = *self.places.get(name)?;
        let value = self.jobs[at].1.clone();
        check_name("job", name, &value.key_place(), report);
        let value = self.settled(&value, report);
        let job = job::read(
            &value,
            &self.commands,
            &mut self.patterns,
            &self.classes,
            report,
        )
        .map(Rc::new);
        self.read.insert(name.to_owned(), job.clone());
        job
    }

    fn workflow(&mut self, draft: &Draft, report: &mut Report) -> Workflow {
        let mut jobs: Vec<Option<Rc<Job>>> = draft
            .entries
            .iter()
            .map(|entry| self.entry(entry, report))
            .collect();
        let graph = graph::link(draft, report);
        let invocation = |at: usize| {
            let entry = &draft.entries[at];
            let name = |at: &usize| draft.entries[*at].name.clone().unwrap_or_default();
            Some(Invocation {
                name: name(&at),
                job: jobs[at].take()?,
                requires: graph.requires[at].iter().map(name).collect(),
                filters: entry.filters.clone(),
            })
        };
        Workflow {
            name: draft.name.clone(),
            jobs: graph.order.iter().copied().filter_map(invocation).collect(),
        }
    }

    fn entry(&mut self, entry: &DraftEntry, report: &mut Report) -> Option<Rc<Job>> {
        if !entry.runs {
            return None;
        }
        if entry.approval {
            return Some(Rc::new(job::approval()));
        }
        if !self.places.contains_key(&entry.job) {
            self.missing(entry, report);
            return None;
        }
        self.check_arguments(entry, report);
        let job = self.job(&entry.job, report)?;
        self.spend(&job, &entry.place, report);
        Some(job)
    }

    /// Counts one use of a job; says once when a plan would grow too large.
    fn spend(&mut self, job: &Job, place: &Place, report: &mut Report) {
        let was_within = self.cost <= MAX_COST && self.runs <= MAX_RUNS;
        self.cost = self.cost.saturating_add(job.cost);
        self.runs = self.runs.saturating_add(job.parallelism);
        if was_within && self.cost > MAX_COST {
            let message =
                format!("the jobs of all workflows together grow beyond {MAX_COST} nodes");
            report.error(place, message);
        } else if was_within && self.runs > MAX_RUNS {
            let message = format!("the workflows together ask for more than {MAX_RUNS} runs");
            report.error(place, message);
        }
    }

    /// A job without parameters takes no arguments. One that has some is not run yet, and says so itself.
    fn check_arguments(&self, entry: &DraftEntry, report: &mut Report) {
        let at = self
            .places
            .get(&entry.job)
            .map(|&at| self.jobs[at].1.clone());
        if at.is_some_and(|at| Map { at }.get("parameters").is_some()) {
            return;
        }
        for (key, place) in &entry.arguments {
            if report.is_full() {
                return;
            }
            let message = format!("unknown key `{key}` in {}", keys::INVOCATION.what);
            let hint = read::hint(key, &keys::INVOCATION, report);
            report.lenient(place, message, hint);
        }
    }

    fn missing(&self, entry: &DraftEntry, report: &mut Report) {
        if report.is_full() {
            return;
        }
        if self.version == Version::V21 && entry.job.contains('/') {
            return report.not_yet(&entry.place, &format!("orb job `{}`", entry.job));
        }
        if self.groups.contains(&entry.job) {
            return report.not_yet(&entry.place, &format!("job group `{}`", entry.job));
        }
        let message = format!("there is no job `{}` under `jobs`", entry.job);
        report.error_hint(&entry.place, message, self.meant(&entry.job));
    }
}

/// A workflow of one job without requirements.
fn alone(workflow: &str, name: &str, job: &str, place: Place) -> Draft {
    let entry = DraftEntry {
        name: Some(name.to_owned()),
        ..DraftEntry::new(job, place)
    };
    Draft {
        name: workflow.to_owned(),
        entries: vec![entry],
    }
}
