//! Config -> the plain version 2 document that `config process` prints.
//!
//! No anchors, no parameters, every job under its final name. Compiling the document again gives the same plan.

use super::filters::{Filters, Pattern, Rule};
use super::plan::{Container, Executor, RunStep, Step, When};
use super::schema::step::{CHECKOUT_NAME, NO_OUTPUT_TIMEOUT_S};
use super::schema::{Config, Invocation, Job, Workflow};
use super::yaml::emit::{Out, emit};

use std::collections::HashMap;
use std::rc::Rc;

/// Renders a config.
pub(crate) fn render(config: &Config) -> String {
    let mut keys = Keys::default();
    let mut workflows = Vec::new();
    // A workflow may be called `version`, and then takes the place of the number.
    if config
        .workflows
        .iter()
        .all(|workflow| workflow.name != "version")
    {
        workflows.push(("version".to_owned(), Out::bare("2")));
    }
    for workflow in &config.workflows {
        workflows.push((workflow.name.clone(), keys.workflow(workflow)));
    }
    emit(&Out::Map(vec![
        ("version".to_owned(), Out::bare("2")),
        ("jobs".to_owned(), Out::Map(keys.jobs)),
        ("workflows".to_owned(), Out::Map(workflows)),
    ]))
}

/// The keys given to jobs so far: the final name, where it is free.
#[derive(Default)]
struct Keys {
    jobs: Vec<(String, Out)>,
    owners: HashMap<String, Rc<Job>>,
}

impl Keys {
    fn workflow(&mut self, workflow: &Workflow) -> Out {
        let jobs = workflow
            .jobs
            .iter()
            .map(|invocation| self.invocation(invocation))
            .collect();
        Out::Map(vec![("jobs".to_owned(), Out::List(jobs))])
    }

    fn invocation(&mut self, invocation: &Invocation) -> Out {
        let approval = invocation.job.executor == Executor::Approval;
        let key = if approval {
            invocation.name.clone()
        } else {
            self.key(invocation)
        };
        let mut map = Fields::default();
        if approval {
            map.text("type", "approval");
        }
        if key != invocation.name {
            map.text("name", &invocation.name);
        }
        if !invocation.requires.is_empty() {
            map.put("requires", texts(invocation.requires.iter()));
        }
        if let Some(filters) = filters(&invocation.filters) {
            map.put("filters", filters);
        }
        if map.0.is_empty() {
            Out::text(&key)
        } else {
            Out::Map(vec![(key, Out::Map(map.0))])
        }
    }

    fn key(&mut self, invocation: &Invocation) -> String {
        let mut key = invocation.name.clone();
        let mut number = 1;
        while let Some(owner) = self.owners.get(&key) {
            if Rc::ptr_eq(owner, &invocation.job) {
                return key;
            }
            number += 1;
            key = format!("{}-{number}", invocation.name);
        }
        self.owners.insert(key.clone(), Rc::clone(&invocation.job));
        self.jobs.push((key.clone(), job(&invocation.job)));
        key
    }
}

#[derive(Default)]
struct Fields(Vec<(String, Out)>);

impl Fields {
    fn put(&mut self, key: &str, value: Out) {
        self.0.push((key.to_owned(), value));
    }

    fn text(&mut self, key: &str, value: &str) {
        self.put(key, Out::text(value));
    }

    fn texts(&mut self, key: &str, values: &[String]) {
        if !values.is_empty() {
            self.put(key, texts(values.iter()));
        }
    }

    fn maybe(&mut self, key: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn environment<'a>(&mut self, variables: impl Iterator<Item = (&'a String, &'a String)>) {
        let map: Vec<(String, Out)> = variables
            .map(|(name, value)| (name.clone(), Out::text(value)))
            .collect();
        if !map.is_empty() {
            self.put("environment", Out::Map(map));
        }
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a String>) -> Out {
    Out::List(values.map(|value| Out::text(value)).collect())
}

fn job(job: &Job) -> Out {
    let mut map = Fields::default();
    match &job.executor {
        Executor::Docker { containers } => {
            map.put(
                "docker",
                Out::List(containers.iter().map(container).collect()),
            );
        }
        Executor::Machine { image: Some(image) } => {
            map.put(
                "machine",
                Out::Map(vec![("image".to_owned(), Out::text(image))]),
            );
        }
        Executor::Machine { image: None } => map.put("machine", Out::bare("true")),
        // The version of Xcode is not kept: no node here has one.
        // Stands in a workflow only.
        Executor::Approval => {}
        Executor::Other { name } => {
            map.put(name, Out::Map(vec![("xcode".to_owned(), Out::text("any"))]));
        }
    }
    map.maybe("resource_class", job.resource_class.as_ref());
    map.text("working_directory", &job.working_directory);
    map.maybe("shell", job.shell.as_ref());
    if job.parallelism > 1 {
        map.put("parallelism", Out::bare(&job.parallelism.to_string()));
    }
    map.environment(job.environment.iter().map(|(name, value)| (name, value)));
    map.put("steps", Out::List(job.steps.iter().map(step).collect()));
    Out::Map(map.0)
}

fn container(container: &Container) -> Out {
    let mut map = Fields::default();
    map.text("image", &container.image);
    map.maybe("name", container.name.as_ref());
    map.texts("entrypoint", &container.entrypoint);
    map.texts("command", &container.command);
    map.maybe("user", container.user.as_ref());
    map.environment(container.environment.iter());
    if let Some(auth) = &container.auth {
        let mut account = Fields::default();
        account.text("username", &auth.username);
        account.text("password", &auth.password);
        map.put("auth", Out::Map(account.0));
    }
    Out::Map(map.0)
}

fn step(step: &Step) -> Out {
    let (key, map) = match step {
        Step::Run(step) => ("run", run(step)),
        Step::Checkout { name, path } => {
            let mut map = Fields::default();
            if name != CHECKOUT_NAME {
                map.text("name", name);
            }
            map.maybe("path", path.as_ref());
            if map.0.is_empty() {
                return Out::text("checkout");
            }
            ("checkout", map)
        }
    };
    Out::Map(vec![(key.to_owned(), Out::Map(map.0))])
}

fn run(step: &RunStep) -> Fields {
    let mut map = Fields::default();
    if step.name != step.command {
        map.text("name", &step.name);
    }
    map.text("command", &step.command);
    map.maybe("shell", step.shell.as_ref());
    map.maybe("working_directory", step.working_directory.as_ref());
    map.environment(step.environment.iter().map(|(name, value)| (name, value)));
    if step.background {
        map.put("background", Out::bare("true"));
    }
    if step.no_output_timeout_s != NO_OUTPUT_TIMEOUT_S {
        map.text(
            "no_output_timeout",
            &format!("{}s", step.no_output_timeout_s),
        );
    }
    match step.when {
        When::OnSuccess => {}
        When::Always => map.text("when", "always"),
        When::OnFail => map.text("when", "on_fail"),
    }
    map
}

fn filters(filters: &Filters) -> Option<Out> {
    let mut map = Fields::default();
    for (key, rule) in [("branches", &filters.branches), ("tags", &filters.tags)] {
        if let Some(rule) = rule {
            map.put(key, Out::Map(self::rule(rule).0));
        }
    }
    (!map.0.is_empty()).then_some(Out::Map(map.0))
}

fn rule(rule: &Rule) -> Fields {
    let mut map = Fields::default();
    for (key, patterns) in [("only", &rule.only), ("ignore", &rule.ignore)] {
        if let Some(patterns) = patterns {
            let sources = patterns.iter().map(|pattern: &Pattern| &pattern.source);
            map.put(key, texts(sources));
        }
    }
    map
}
