//! A build for people: what runs say, line by line, with the run's name before it when several run at once.

mod lines;
mod summary;

use roundel::api::builds::{Outcome, PipelineDetail, PipelineRef, RunRow, StepRow, StepStatus};
use roundel::sanitise;

use super::report::{Broken, Report, hopeless};
use crate::cli::context::Context;
use crate::cli::follow::Piece;
use crate::cli::words::{Paint, between, label};
use crate::cli::{End, Failure, problems};
use lines::Lines;

pub(super) struct Text<'a, 'b> {
    context: &'a mut Context<'b>,
    paint: Paint,
    lines: Lines,
    /// Several runs run at once.
    several: bool,
    /// Attempt and step whose output came last.
    current: Option<(String, u16)>,
}

impl<'a, 'b> Text<'a, 'b> {
    pub(super) fn new(context: &'a mut Context<'b>) -> Self {
        let paint = context.out_paint();
        Self {
            context,
            paint,
            lines: Lines::default(),
            several: false,
            current: None,
        }
    }

    fn line(&mut self, run: &RunRow, text: &str) -> Result<(), Failure> {
        if self.several {
            let name = format!("{} | ", sanitise::line(&label(run)));
            write!(self.context.out, "{}", self.paint.faint(&name))?;
        }
        writeln!(self.context.out, "{text}")?;
        Ok(())
    }

    /// Says which step what follows is of, unless that is clear.
    fn turn(&mut self, run: &RunRow, step: &StepRow) -> Result<(), Failure> {
        let same_run = self
            .current
            .as_ref()
            .is_some_and(|(attempt, _)| *attempt == run.attempt);
        let same = same_run
            && self
                .current
                .as_ref()
                .is_some_and(|(_, index)| *index == step.index);
        // With names before the lines, runs may take turns; only a run's own change of step needs a word.
        if !same && (same_run || !self.several) {
            self.heading(run, step)?;
        }
        self.current = Some((run.attempt.clone(), step.index));
        Ok(())
    }

    /// What a step wrote last, when that had no end.
    fn last_line(&mut self, run: &RunRow, step: &StepRow) -> Result<(), Failure> {
        for line in self.lines.finish(&run.attempt, step.index) {
            self.turn(run, step)?;
            self.line(run, &line)?;
        }
        Ok(())
    }

    fn heading(&mut self, run: &RunRow, step: &StepRow) -> Result<(), Failure> {
        let text = self
            .paint
            .strong(&format!("--> {}", sanitise::line(&step.name)));
        self.line(run, &text)
    }
}

impl Report for Text<'_, '_> {
    fn created(&mut self, created: &PipelineRef) -> Result<(), Failure> {
        let paint = self.context.err_paint();
        Ok(problems::print(&created.warnings, self.context.err, paint)?)
    }

    fn started(&mut self, pipeline: &PipelineDetail) -> Result<(), Failure> {
        let row = &pipeline.row;
        // A commit that was checked out by itself has neither of them.
        let what = match (&*row.tag, &*row.branch) {
            ("", "") => String::new(),
            ("", name) | (name, _) => format!("{name} "),
        };
        let revision: String = row.revision.chars().take(12).collect();
        let title = format!(
            "{} #{} {what}{revision} {}",
            row.project, row.number, row.subject
        );
        writeln!(
            self.context.out,
            "{}",
            self.paint.strong(&sanitise::line(&title))
        )?;
        writeln!(
            self.context.out,
            "{}",
            self.paint.faint(&format!("pipeline {}", row.id))
        )?;
        if pipeline.workflows.is_empty() {
            writeln!(
                self.context.out,
                "Nothing to run: no workflow is meant for this branch."
            )?;
        }
        Ok(())
    }

    fn running(&mut self, runs: usize) {
        // One that is left over of several keeps its name, so that it can be told from those that ended.
        self.several = runs > 1 || (self.several && runs == 1);
    }

    fn waits(&mut self, run: &RunRow) -> Result<(), Failure> {
        let Some(reason) = &run.reason else {
            return Ok(());
        };
        let text = format!("==> {} waits: {}", label(run), reason.text);
        writeln!(
            self.context.out,
            "{}",
            self.paint.warn(&sanitise::line(&text))
        )?;
        Ok(())
    }

    fn began(&mut self, run: &RunRow) -> Result<(), Failure> {
        let node = run.node.as_deref().unwrap_or("a node");
        let text = format!("==> {} (#{}) on {node}", label(run), run.number);
        writeln!(
            self.context.out,
            "{}",
            self.paint.strong(&sanitise::line(&text))
        )?;
        Ok(())
    }

    fn piece(&mut self, run: &RunRow, piece: Piece<'_>) -> Result<(), Failure> {
        match piece {
            Piece::Began(step) => {
                self.heading(run, step)?;
                self.current = Some((run.attempt.clone(), step.index));
            }
            Piece::Wrote(step, bytes) => {
                self.turn(run, step)?;
                for line in self.lines.push(&run.attempt, step.index, bytes) {
                    self.line(run, &line)?;
                }
            }
            Piece::Ended(step) => {
                self.last_line(run, step)?;
                if matches!(
                    step.status,
                    StepStatus::Failed | StepStatus::Timedout | StepStatus::Canceled
                ) {
                    let how = match step.exit_code {
                        Some(code) => format!("exited with {code}"),
                        None => step.status.word().to_owned(),
                    };
                    let took = between(step.started_at, step.stopped_at);
                    let text = format!("--> {} {how} after {took}", sanitise::line(&step.name));
                    self.line(run, &self.paint.bad(&text))?;
                }
            }
            Piece::Closed(step) => self.last_line(run, step)?,
        }
        Ok(())
    }

    fn ended(&mut self, run: &RunRow) -> Result<(), Failure> {
        let outcome = run.outcome.map_or("dead", Outcome::word);
        let took = between(run.started_at, run.stopped_at);
        let cause = if run.cause.is_empty() {
            String::new()
        } else {
            format!(": {}", run.cause)
        };
        let text = format!(
            "==> {} (#{}) {outcome} after {took}{cause}",
            label(run),
            run.number
        );
        let text = sanitise::line(&text);
        let good = run.outcome == Some(Outcome::Success);
        let painted = if good {
            self.paint.good(&text)
        } else {
            self.paint.bad(&text)
        };
        writeln!(self.context.out, "{painted}")?;
        Ok(())
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.context.out.flush()?;
        writeln!(self.context.err, "==> {text}")?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.context.out.flush()?)
    }

    fn finished(
        &mut self,
        pipeline: &PipelineDetail,
        broken: &[Broken],
        end: End,
    ) -> Result<(), Failure> {
        summary::print(self.context.out, pipeline, broken, self.paint)?;
        let stuck = if pipeline.row.status.is_final() {
            None
        } else {
            hopeless(pipeline)
        };
        summary::look_further(self.context, pipeline, broken, stuck.as_deref(), end)?;
        Ok(())
    }
}
