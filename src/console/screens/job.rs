//! A job: the graph it stands in, its runs, the steps of one of them, and the log of one step.

use ratatui::layout::Rect;
use roundel::api::builds::{
    JobRow, Outcome, PipelineDetail, RunDetail, RunRow, RunState, StepRow, StepStatus,
    WorkflowDetail,
};
use roundel::error::Kind;
use serde_json::Value;

use super::{Scene, Screen, Touch, json, only, workflow};
use crate::console::action::{Action, Kept, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Prompt, Purpose};
use crate::console::pen::Pen;
use crate::console::place::JobRef;
use crate::console::shell::Shell;
use crate::console::spot::Spot;
use crate::console::verbs::{Subject, Within};

mod choose;
mod find;
mod left;
mod log;
mod log_view;
mod pane;
mod stand;
mod view;
mod words;

use log::Log;

/// Which part takes the movements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Focus {
    /// The steps.
    #[default]
    Steps,
    /// The log.
    Log,
    /// The log, which has the whole screen.
    FullLog,
}

/// The screen.
#[derive(Debug, Default)]
pub struct Job {
    reference: JobRef,
    pipeline: Feed<PipelineDetail>,
    run: Feed<RunDetail>,
    /// The attempt whose steps are shown, once one was chosen.
    attempt: Option<String>,
    /// The step whose log is shown; `None` = the one that runs or failed.
    step: Option<u16>,
    /// The Build Agent's own log instead of a step's.
    agent: bool,
    /// The log is that of all parallel runs; `None` until it is known whether there are several.
    together: Option<bool>,
    focus: Focus,
    log: Log,
}

impl Job {
    /// Shows another job.
    pub fn enter(&mut self, reference: &JobRef) {
        if self.reference != *reference {
            *self = Self {
                reference: reference.clone(),
                attempt: reference.run.clone(),
                ..Self::default()
            };
        }
    }

    fn detail(&self) -> Option<&RunDetail> {
        self.run.data()
    }

    /// Id or prefix of the pipeline: as given, or as the run says.
    fn pipeline_id(&self) -> Option<String> {
        self.reference
            .pipeline
            .clone()
            .or_else(|| self.detail().map(|detail| detail.run.pipeline.clone()))
    }

    /// The job and the pass it stands in. A name means the job in the newest pass that has one.
    fn job(&self) -> Option<(&WorkflowDetail, &JobRow)> {
        let detail = self.pipeline.data()?;
        let wanted = self
            .reference
            .job
            .as_deref()
            .or_else(|| self.detail().map(|detail| detail.run.job.as_str()))?;
        let all = detail
            .workflows
            .iter()
            .rev()
            .flat_map(|pass| pass.jobs.iter().map(move |job| (pass, job)));
        let mut named = all.filter(|(_, job)| job.id == wanted || job.name == wanted);
        named.next()
    }

    /// The name that was asked for, when the pipeline is known and holds no such job.
    fn missing(&self) -> Option<&str> {
        let known = self.pipeline.data().is_some() && self.job().is_none();
        let name = self.reference.job.as_deref()?;
        (known && self.reference.run.is_none()).then_some(name)
    }

    fn runs(&self) -> &[RunRow] {
        self.job().map_or(&[], |(_, job)| &job.runs)
    }

    /// The attempt to show: the chosen one, else the first that failed, that runs, or that there is.
    fn attempt(&self) -> Option<String> {
        if let Some(chosen) = &self.attempt {
            return Some(chosen.clone());
        }
        let runs = self.runs();
        let running = |run: &&RunRow| run.state == RunState::Running;
        let run = runs
            .iter()
            .find(|run| has_failed(run))
            .or_else(|| runs.iter().find(running))
            .or_else(|| runs.first());
        run.map(|run| run.attempt.clone())
    }

    fn steps(&self) -> &[StepRow] {
        self.detail().map_or(&[], |detail| &detail.steps)
    }

    /// Index of the step to show: the chosen one, else the one that failed or runs, else the last that has begun.
    fn step(&self) -> Option<u16> {
        if self.step.is_some() {
            return self.step;
        }
        let steps = self.steps();
        let step = steps.iter().find(|step| is_bad(step));
        let step = step.or_else(|| steps.iter().find(|step| step.status == StepStatus::Running));
        let begun = |step: &&StepRow| step.started_at.is_some() && step.log_bytes > 0;
        step.or_else(|| steps.iter().rev().find(begun))
            .or_else(|| steps.first())
            .map(|step| step.index)
    }

    fn shown_step(&self) -> Option<&StepRow> {
        let index = self.step()?;
        self.steps().iter().find(|step| step.index == index)
    }

    fn leave_log(&mut self) -> Option<Vec<Effect>> {
        match self.focus {
            Focus::FullLog => self.focus = Focus::Log,
            Focus::Log => self.focus = Focus::Steps,
            Focus::Steps if !self.log.search_words().is_empty() => self.log.search(""),
            Focus::Steps => return None,
        }
        Some(Vec::new())
    }
}

fn has_failed(run: &RunRow) -> bool {
    run.outcome
        .is_some_and(|outcome| outcome != Outcome::Success)
}

fn is_bad(step: &StepRow) -> bool {
    matches!(
        step.status,
        StepStatus::Failed | StepStatus::Timedout | StepStatus::Canceled
    )
}

impl Screen for Job {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        let log = (self.focus != Focus::Steps).then_some(Context::Log);
        log.into_iter()
            .chain([Context::Job, Context::Things, Context::Everywhere])
            .collect()
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(id) = self.pipeline_id() {
            actions.extend(
                self.pipeline
                    .need(Slot::Detail, Want::Pipeline(id), shell.now),
            );
        }
        if let Some(attempt) = self.attempt() {
            actions.extend(self.run.need(Slot::Run, Want::Run(attempt), shell.now));
        }
        self.decide();
        let waits = self
            .detail()
            .is_some_and(|detail| detail.run.state == RunState::Pending);
        if let (Some((source, attempts)), false) = (self.source(), waits) {
            self.log.show(source, attempts);
            let area = self.log_area(shell, shell.body());
            actions.extend(self.log.need((area.width, area.height), shell.now));
        }
        actions
    }

    fn accept(&mut self, slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        match slot {
            Slot::Detail => {
                _ = self
                    .pipeline
                    .accept(want, only!(answer, Answer::Pipeline), |_| false);
                if self.reference.job.is_none() && self.reference.run.is_none() {
                    let foremost = self.pipeline.data().and_then(workflow::foremost);
                    self.reference.job = foremost.map(|job| job.id.clone());
                }
            }
            Slot::Run => _ = self.run.accept(want, only!(answer, Answer::Run), |_| false),
            Slot::Log => self.log.accept_lines(want, only!(answer, Answer::Lines)),
            Slot::Search => self
                .log
                .accept_matches(want, only!(answer, Answer::Matches)),
            _ => {}
        }
    }

    fn touch(&mut self, touch: Touch) {
        self.log.touch(touch);
        touch.reach(&mut self.pipeline);
        touch.reach(&mut self.run);
    }

    fn command(&mut self, cmd: Cmd, shell: &Shell) -> Option<Vec<Effect>> {
        let width = self.log_area(shell, shell.body()).width;
        let shown = log_view::shows_times(&self.log, width);
        if self.log.mode(cmd, shown) {
            return Some(Vec::new());
        }
        match cmd {
            Cmd::NextPane | Cmd::PreviousPane => {
                self.focus = if self.focus == Focus::Steps {
                    Focus::Log
                } else {
                    Focus::Steps
                };
            }
            Cmd::Open => self.focus = Focus::Log,
            Cmd::FullScreen => {
                self.focus = if self.focus == Focus::FullLog {
                    Focus::Log
                } else {
                    Focus::FullLog
                }
            }
            Cmd::Back => return self.leave_log(),
            Cmd::NextRun | Cmd::PreviousRun if self.runs().len() < 2 => {
                return Some(Effect::refuse("this job has one run only"));
            }
            Cmd::NextRun => self.choose_run(true),
            Cmd::PreviousRun => self.choose_run(false),
            Cmd::AgentLog => self.agent = !self.agent,
            Cmd::Filter => {
                let prompt = Prompt::new(Purpose::Search, "");
                return Some(vec![Effect::Open(Overlay::Prompt(prompt))]);
            }
            Cmd::NextMatch => return Some(self.log.next_match(true)),
            Cmd::PreviousMatch => return Some(self.log.next_match(false)),
            Cmd::NextError => self.log.next_error(),
            Cmd::FailedStep => return Some(self.go_to_failed_step()),
            Cmd::Together => return Some(self.change_company()),
            Cmd::Save if self.focus != Focus::Steps => {
                let log = self.whole_log()?;
                return Some(vec![Effect::Save(Kept::Log(log))]);
            }
            cmd if self.focus == Focus::Steps => return self.choose_step(cmd).then(Vec::new),
            cmd => return self.log.movement(cmd).then(Vec::new),
        }
        Some(Vec::new())
    }

    fn point(&mut self, spot: Spot) -> bool {
        match spot {
            Spot::Row(n) => {
                let index = usize::try_from(n).ok();
                let index = index.and_then(|n| Some(self.steps().get(n)?.index));
                let here = index == self.step() && !self.agent;
                if index.is_some() {
                    (self.step, self.agent) = (index, false);
                }
                if !here {
                    self.focus = Focus::Steps;
                }
                here
            }
            Spot::Run(n) => {
                let run = self.runs().get(n).map(|run| run.attempt.clone());
                if let Some(run) = run {
                    self.together = Some(false);
                    self.show_run(run);
                }
                false
            }
            Spot::Log if self.focus == Focus::Steps => {
                self.focus = Focus::Log;
                false
            }
            _ => false,
        }
    }

    fn scroll(&mut self, spot: Option<Spot>, lines: i32, _shell: &Shell) {
        let cmd = if lines > 0 { Cmd::Down } else { Cmd::Up };
        for _ in 0..lines.unsigned_abs() {
            if spot == Some(Spot::Log) {
                self.log.movement(cmd);
            } else {
                self.choose_step(cmd);
            }
        }
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let run = self.detail().map(|detail| Subject::Run(&detail.run));
        let pipeline = self.pipeline.data().map(|detail| {
            let within = self.job().map(|(pass, job)| Within {
                detail,
                pass: &pass.id,
                job,
            });
            Subject::Pipeline(&detail.row, within)
        });
        run.into_iter().chain(pipeline).collect()
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        self.draw(pen, area, scene);
    }

    fn footer(&self, _scene: &Scene) -> Line {
        self.words_below()
    }

    fn rows(&self) -> Value {
        self.detail().map_or(Value::Null, |detail| json(&[detail]))
    }

    fn seq(&self) -> Option<i64> {
        self.run.data().map(|detail| detail.seq)
    }

    fn is_settled(&self) -> bool {
        // A job that has no run yet has no steps and no log to wait for either.
        let no_run = self.attempt().is_none() && self.job().is_some();
        if self.missing().is_some() || (no_run && self.pipeline.is_settled()) {
            return true;
        }
        let log = self.log.lines.is_settled()
            || self
                .detail()
                .is_some_and(|detail| detail.run.state == RunState::Pending);
        self.run.failure().is_some()
            || self.pipeline.failure().is_some()
            || (self.run.is_settled() && self.pipeline.is_settled() && log)
    }

    fn refused(&self) -> Option<Kind> {
        let failure = self.run.failure().or(self.pipeline.failure());
        let missing = self.missing().map(|_| Kind::NotFound);
        failure.map(|failure| failure.kind).or(missing)
    }

    fn go_to_line(&mut self, n: u64) -> Vec<Effect> {
        if self.focus == Focus::Steps {
            self.focus = Focus::Log;
        }
        self.log.go_to_line(n);
        Vec::new()
    }

    fn search(&mut self, words: &str) -> Vec<Effect> {
        // Nothing typed is the same once more, as pagers have it.
        if words.is_empty() && !self.log.search_words().is_empty() {
            return self.log.next_match(true);
        }
        self.log.search(words);
        Vec::new()
    }
}
