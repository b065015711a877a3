//! What of a job is shown: which run or all of them together, which step, which log.

use super::{Focus, Job, has_failed, is_bad};
use crate::console::action::{Source, WholeLog};
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;

impl Job {
    pub(super) fn choose_run(&mut self, forward: bool) {
        let runs = self.runs();
        let Some(at) = self
            .attempt()
            .and_then(|id| runs.iter().position(|run| run.attempt == id))
        else {
            return;
        };
        // From all of them first to the one whose steps are shown.
        let to = if self.is_together() {
            at
        } else if forward {
            (at + 1).min(runs.len() - 1)
        } else {
            at.saturating_sub(1)
        };
        let to = runs[to].attempt.clone();
        self.together = Some(false);
        self.show_run(to);
    }

    pub(super) fn show_run(&mut self, attempt: String) {
        if self.attempt().as_ref() != Some(&attempt) {
            self.step = None;
            self.run.clear();
        }
        self.attempt = Some(attempt);
    }

    /// Whether the log is that of all parallel runs.
    pub(super) fn is_together(&self) -> bool {
        self.together == Some(true) && !self.agent && self.runs().len() > 1
    }

    /// Says once whether the log opens on all runs: it does unless one was asked for or has failed; then that one has the
    /// answer.
    pub(super) fn decide(&mut self) {
        if self.together.is_none() && !self.runs().is_empty() {
            let asked = self.attempt.is_some();
            self.together = Some(!asked && !self.runs().iter().any(has_failed));
        }
    }

    /// The log to show, and the attempts that write it.
    pub(super) fn source(&self) -> Option<(Source, Vec<String>)> {
        let attempt = self.detail()?.run.attempt.clone();
        if self.agent {
            let source = Source::Agent {
                attempt: attempt.clone(),
            };
            return Some((source, vec![attempt]));
        }
        let step = self.step()?;
        let source = match self.job().filter(|_| self.is_together()) {
            Some((_, job)) => {
                let attempts = job.runs.iter().map(|run| run.attempt.clone()).collect();
                let job = job.id.clone();
                return Some((Source::Together { job, step }, attempts));
            }
            None => Source::Step {
                attempt: attempt.clone(),
                step,
            },
        };
        Some((source, vec![attempt]))
    }

    /// From all runs to one and back. From a line that was jumped to, to that line of its run.
    pub(super) fn change_company(&mut self) -> Vec<Effect> {
        if self.runs().len() < 2 {
            return Effect::refuse("this job has one run");
        }
        if !self.is_together() {
            (self.together, self.agent) = (Some(true), false);
            return Vec::new();
        }
        // The step stays: that of another run is the same one.
        let step = self.step();
        let here = self.log.line_here().and_then(|line| line.of);
        let run = here.and_then(|of| self.runs().iter().find(|run| run.index == of.run));
        let attempt = run.map(|run| run.attempt.clone()).or(self.attempt());
        self.together = Some(false);
        let Some(attempt) = attempt else {
            return Vec::new();
        };
        self.show_run(attempt.clone());
        self.step = step;
        if let (Some(step), Some(of)) = (step, here) {
            let source = Source::Step {
                attempt: attempt.clone(),
                step,
            };
            self.log.show(source, vec![attempt]);
            self.log.go_to_line(of.n);
        }
        Vec::new()
    }

    /// To the end of the step that failed: of this run, else of the first that failed.
    pub(super) fn go_to_failed_step(&mut self) -> Vec<Effect> {
        let here = self.detail().is_some_and(|detail| has_failed(&detail.run))
            || self.steps().iter().any(is_bad);
        let failed = self.runs().iter().find(|run| has_failed(run));
        match failed.map(|run| run.attempt.clone()) {
            _ if here => self.attempt = self.attempt(),
            Some(attempt) => self.show_run(attempt),
            None => return Effect::refuse("no step has failed"),
        }
        (self.together, self.agent, self.step) = (Some(false), false, None);
        if self.focus == Focus::Steps {
            self.focus = Focus::Log;
        }
        self.log.follow_end();
        Vec::new()
    }

    /// The log that is shown, as something to be kept.
    pub(super) fn whole_log(&self) -> Option<WholeLog> {
        let run = &self.detail()?.run;
        let (source, mut attempts) = self.source()?;
        let mut stream = self.log.stream.name().map(str::to_owned);
        let mut command = vec!["roundel logs".to_owned()];
        let mut name = format!("{}-{}-{}", run.project, run.number, run.job_name);
        match (&source, source.step()) {
            (Source::Together { .. }, _) => command.push("--job".to_owned()),
            _ if run.of > 1 => name += &format!("-{}", run.index + 1),
            _ => {}
        }
        match (source.step(), self.shown_step()) {
            (Some(step), shown) => {
                command.push(format!("--raw --step {step}"));
                name += &format!("-{}", shown.map_or("log", |shown| &shown.name));
            }
            (None, _) => {
                command.push("-stderr".to_owned());
                name += "-agent";
                stream = None;
            }
        }
        if let Some(stream) = &stream {
            command.push(format!("--stream {stream}"));
        }
        command.push(run.name.clone());
        // In the order of the verb: run by run.
        attempts.dedup();
        Some(WholeLog {
            attempts,
            step: source.step(),
            stream,
            name,
            command: command.join(" "),
        })
    }

    pub(super) fn choose_step(&mut self, cmd: Cmd) -> bool {
        let last = self.steps().len().saturating_sub(1);
        let at = self
            .step()
            .and_then(|index| self.steps().iter().position(|step| step.index == index))
            .unwrap_or(0);
        let to = match cmd {
            Cmd::Up => at.saturating_sub(1),
            Cmd::Down => (at + 1).min(last),
            Cmd::Top => 0,
            Cmd::Bottom => last,
            _ => return false,
        };
        self.step = self.steps().get(to).map(|step| step.index);
        self.agent = false;
        true
    }
}
