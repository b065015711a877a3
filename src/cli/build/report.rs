//! What happens to a build, as those see it who print it.

use roundel::api::builds::{LogLine, PipelineDetail, PipelineRef, RunDetail, RunRow};

use crate::cli::follow::Piece;
use crate::cli::{End, Failure};

/// Prints what happens. Called in the order in which it happened, run by run.
pub(super) trait Report {
    /// The pipeline was taken in.
    fn created(&mut self, created: &PipelineRef) -> Result<(), Failure>;
    /// What it builds is known.
    fn started(&mut self, pipeline: &PipelineDetail) -> Result<(), Failure>;
    /// This many runs run at this moment.
    fn running(&mut self, runs: usize);
    /// A run waits, or waits for another reason than before.
    fn waits(&mut self, run: &RunRow) -> Result<(), Failure>;
    /// A run was placed.
    fn began(&mut self, run: &RunRow) -> Result<(), Failure>;
    /// A run said something.
    fn piece(&mut self, run: &RunRow, piece: Piece<'_>) -> Result<(), Failure>;
    /// A run ended, and all it said was told.
    fn ended(&mut self, run: &RunRow) -> Result<(), Failure>;
    /// Something about the following itself.
    fn note(&mut self, text: &str) -> Result<(), Failure>;
    /// What was told so far is shown.
    fn flush(&mut self) -> Result<(), Failure>;
    /// The end: of the build, or of the following when the rest will never start.
    fn finished(
        &mut self,
        pipeline: &PipelineDetail,
        failed: &[Broken],
        end: End,
    ) -> Result<(), Failure>;
}

/// A run that did not end well, with the last lines of the step that decided it.
#[derive(Debug)]
pub(super) struct Broken {
    pub detail: RunDetail,
    pub lines: Vec<LogLine>,
}

/// How the following ends when the pipeline has ended so.
pub(super) fn end_of(pipeline: &PipelineDetail, interrupted: bool) -> End {
    use roundel::api::builds::Status;
    match pipeline.row.status {
        Status::Success => End::Ok,
        Status::Canceled if interrupted => End::Interrupted,
        Status::InfrastructureFail => End::Infrastructure,
        Status::Failed if only_the_ground_gave_way(pipeline) => End::Infrastructure,
        _ => End::BuildFailed,
    }
}

/// Whether no job failed by what it did, and at least one because its agent or node was lost.
fn only_the_ground_gave_way(pipeline: &PipelineDetail) -> bool {
    use roundel::api::builds::Status;
    let statuses = || {
        let jobs = pipeline
            .workflows
            .iter()
            .flat_map(|workflow| &workflow.jobs);
        jobs.map(|job| job.status)
    };
    statuses().any(|status| status == Status::InfrastructureFail)
        && !statuses().any(|status| matches!(status, Status::Failed | Status::Timedout))
}

/// The runs that wait in vain, when nothing else is left: one at least.
pub(super) fn hopeless(pipeline: &PipelineDetail) -> Option<Vec<&RunRow>> {
    use roundel::api::builds::{RunState, Status};
    let jobs = pipeline
        .workflows
        .iter()
        .flat_map(|workflow| &workflow.jobs)
        .filter(|job| !job.reused);
    let mut found = Vec::new();
    for job in jobs.filter(|job| !job.status.is_final() && job.status != Status::Blocked) {
        if job.runs.is_empty() {
            return None;
        }
        for run in job.runs.iter().filter(|run| run.state != RunState::Dead) {
            match &run.reason {
                Some(reason) if run.state == RunState::Pending && reason.never => found.push(run),
                _ => return None,
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::status::fixtures;
    use roundel::api::builds::{RunState, Status};

    #[test]
    fn the_end_follows_from_the_status() {
        let cases = [
            (Status::Success, false, 0),
            (Status::Failed, false, 1),
            (Status::Timedout, false, 1),
            (Status::NotRun, false, 1),
            (Status::Canceled, false, 1),
            (Status::Canceled, true, 130),
            (Status::Success, true, 0),
            (Status::InfrastructureFail, false, 3),
        ];
        for (status, interrupted, code) in cases {
            let pipeline = fixtures::pipeline_detail(status, &fixtures::failed_run());
            assert_eq!(
                end_of(&pipeline, interrupted).code(),
                code,
                "{status:?} {interrupted}"
            );
        }
    }

    #[test]
    fn a_build_whose_agent_was_lost_is_no_failed_build() {
        let mut pipeline = fixtures::pipeline_detail(Status::Failed, &fixtures::failed_run());
        assert_eq!(end_of(&pipeline, false), End::BuildFailed);
        let lost = roundel::api::builds::JobRow {
            status: Status::InfrastructureFail,
            ..pipeline.workflows[0].jobs[0].clone()
        };
        pipeline.workflows[0].jobs.push(lost.clone());
        assert_eq!(
            end_of(&pipeline, false),
            End::BuildFailed,
            "a job failed too"
        );
        pipeline.workflows[0].jobs = vec![lost];
        assert_eq!(end_of(&pipeline, false), End::Infrastructure);
    }

    #[test]
    fn a_build_is_hopeless_when_all_that_is_left_will_never_start() {
        let never = |never| {
            let mut run = fixtures::run_row();
            run.reason.as_mut().unwrap().never = never;
            run
        };
        assert!(hopeless(&fixtures::pipeline_detail(Status::Queued, &never(false))).is_none());
        assert!(
            hopeless(&fixtures::pipeline_detail(
                Status::Success,
                &fixtures::failed_run()
            ))
            .is_none()
        );
        let mut pipeline = fixtures::pipeline_detail(Status::Queued, &never(true));
        assert_eq!(hopeless(&pipeline).unwrap().len(), 1);
        let running = RunRow {
            state: RunState::Running,
            reason: None,
            ..fixtures::run_row()
        };
        pipeline.workflows[0].jobs[0].runs.push(running);
        assert!(hopeless(&pipeline).is_none(), "another copy still runs");
    }
}
