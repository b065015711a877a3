//! Workflows as written -> workflows of complete jobs: which jobs are used, and what each is called.
//!
//! Here parameters, commands, executors, matrices and orbs will be expanded: on the tree of a job, before it is read.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::filters::{Filters, Patterns};
use super::nearest::nearest;
use super::read::{Cursor, Map};
use super::report::{Place, Report};
use super::schema::workflow::{self, Draft, DraftEntry};
use super::schema::{self, Config, Invocation, Job, Version, Workflow, check_name, job};
use super::yaml::{MAX_COST, Value};
use super::{graph, template};

/// Resolves a config: what runs, or only one job of it. Notes every error on the way.
pub(crate) fn expand(top: &Map, version: Version, only_job: Option<&str>, report: &mut Report) -> Config {
    if let Some(jobs) = top.get("jobs") {
        jobs.map(report);
    }
    let mut expander = Expander::new(top, version);
    let drafts = match only_job {
        Some(name) => expander.only(top, name, report).into_iter().collect(),
        None => {
            schema::check_top(top, version, report);
            expander.drafts(top, report)
        }
    };
    if only_job.is_none() {
        expander.check_unused(&drafts, report);
    }
    let workflows = drafts.iter().map(|draft| expander.workflow(draft, report)).collect();
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
    patterns: Patterns,
    /// What the copies of jobs have cost so far.
    spent: u32,
}

impl Expander {
    fn new(top: &Map, version: Version) -> Self {
        let named = |key: &str| match top.get(key).map(|value| value.node.value) {
            Some(value) if matches!(&*value, Value::Map(_)) => Some(value),
            _ => None,
        };
        let mut commands = HashSet::new();
        if let (Version::V21, Some(value)) = (version, named("commands")) {
            if let Value::Map(entries) = &*value {
                commands.extend(entries.iter().map(|entry| entry.key.clone()));
            }
        }
        let jobs: Vec<(String, Cursor)> = match top.get("jobs") {
            Some(at) => Map { at }.iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            None => Vec::new(),
        };
        let places = jobs.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        Self { version, jobs, places, read: HashMap::new(), commands, patterns: Patterns::default(), spent: 0 }
    }

    /// The workflows of the file, or the implicit one.
    fn drafts(&mut self, top: &Map, report: &mut Report) -> Vec<Draft> {
        let Some(workflows) = top.get("workflows") else {
            return self.implicit(top, report).into_iter().collect();
        };
        let workflows = self.settled(&workflows, report);
        let mut drafts = workflow::read_all(&workflows, &mut self.patterns, report);
        for draft in &mut drafts {
            name_all(draft, self.version, report);
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
            let place = top.get("jobs").map_or_else(|| top.at.key_place(), |jobs| jobs.key_place());
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
        let place = top.get("jobs").map_or_else(|| top.at.key_place(), |jobs| jobs.key_place());
        report.error_hint(&place, format!("there is no job `{name}` in this config"), self.meant(name));
        None
    }

    fn meant(&self, name: &str) -> Option<String> {
        let near = nearest(name, self.jobs.iter().map(|(name, _)| name.as_str()));
        near.map(|near| format!("did you mean `{near}`?"))
    }

    /// Jobs that no workflow uses may hold what is not run yet, but must look like jobs.
    fn check_unused(&self, drafts: &[Draft], report: &mut Report) {
        let used: HashSet<&str> =
            drafts.iter().flat_map(|draft| &draft.entries).map(|entry| entry.job.as_str()).collect();
        for (name, value) in self.jobs.iter().filter(|(name, _)| !used.contains(name.as_str())) {
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
        let job = job::read(&value, &self.commands, &mut self.patterns, report).map(Rc::new);
        self.read.insert(name.to_owned(), job.clone());
        job
    }

    fn workflow(&mut self, draft: &Draft, report: &mut Report) -> Workflow {
        let mut jobs: Vec<Option<Rc<Job>>> =
            draft.entries.iter().map(|entry| self.entry(entry, report)).collect();
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
        Workflow { name: draft.name.clone(), jobs: graph.order.iter().copied().filter_map(invocation).collect() }
    }

    fn entry(&mut self, entry: &DraftEntry, report: &mut Report) -> Option<Rc<Job>> {
        if !entry.runs {
            return None;
        }
        if !self.places.contains_key(&entry.job) {
            self.missing(entry, report);
            return None;
        }
        let job = self.job(&entry.job, report)?;
        self.spent = self.spent.saturating_add(job.cost);
        if self.spent > MAX_COST {
            let message = format!("the jobs of all workflows together grow beyond {MAX_COST} nodes");
            report.error(&entry.place, message);
        }
        Some(job)
    }

    fn missing(&self, entry: &DraftEntry, report: &mut Report) {
        if report.is_full() {
            return;
        }
        if self.version == Version::V21 && entry.job.contains('/') {
            return report.not_yet(&entry.place, &format!("orb job `{}`", entry.job));
        }
        let message = format!("there is no job `{}` under `jobs`", entry.job);
        report.error_hint(&entry.place, message, self.meant(&entry.job));
    }
}

/// A workflow of one job without requirements.
fn alone(workflow: &str, name: &str, job: &str, place: Place) -> Draft {
    let entry = DraftEntry {
        job: job.to_owned(),
        place,
        name: Some(name.to_owned()),
        requires: Vec::new(),
        filters: Filters::default(),
        bare: true,
        runs: true,
    };
    Draft { name: workflow.to_owned(), entries: vec![entry] }
}

/// Gives every job of a workflow its final name: the one written, else its key, with `-1`, `-2`, ... where the key comes
/// again. Plain repeats in version 2 count once.
fn name_all(draft: &mut Draft, version: Version, report: &mut Report) {
    if version == Version::V2 {
        let mut bare = HashSet::new();
        draft.entries.retain(|entry| {
            let keep = !entry.bare || bare.insert(entry.job.clone());
            if !keep {
                report.warning(&entry.place, format!("job `{}` stands twice in the workflow", entry.job));
            }
            keep
        });
    }
    let mut unnamed: HashMap<String, usize> = HashMap::new();
    for entry in draft.entries.iter().filter(|entry| entry.name.is_none()) {
        *unnamed.entry(entry.job.clone()).or_default() += 1;
    }
    let mut taken: HashSet<String> = draft.entries.iter().filter_map(|entry| entry.name.clone()).collect();
    if taken.len() < draft.entries.iter().filter(|entry| entry.name.is_some()).count() {
        let mut seen = HashSet::new();
        for entry in &draft.entries {
            let Some(name) = entry.name.as_deref() else { continue };
            if !seen.insert(name) {
                report.error(&entry.place, format!("two jobs of the workflow are named `{name}`"));
            }
        }
    }
    let mut next: HashMap<String, usize> = HashMap::new();
    for entry in draft.entries.iter_mut().filter(|entry| entry.name.is_none()) {
        let mut name = entry.job.clone();
        if unnamed[&entry.job] > 1 || taken.contains(&name) {
            let number = next.entry(entry.job.clone()).or_default();
            while {
                *number += 1;
                name = format!("{}-{number}", entry.job);
                taken.contains(&name)
            } {}
        }
        taken.insert(name.clone());
        entry.name = Some(name);
    }
}
