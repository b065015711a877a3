//! Which runs a reference of `logs` means.

use roundel::api::builds::{PipelineDetail, RunRow};
use roundel::client::Client;
use roundel::error::{Explain, Kind};

use crate::cli::Failure;

/// The runs that `reference` means: one run; with `job` all of its job; all of a pipeline, in the order of its jobs.
pub(super) async fn runs(
    client: &Client,
    reference: &str,
    job: bool,
) -> Result<Vec<RunRow>, Failure> {
    match client.run(reference).await {
        Ok(detail) if !job => Ok(vec![detail.run]),
        Ok(detail) => {
            let pipeline = client.pipeline(&detail.run.pipeline).await?;
            let mut runs = all(pipeline);
            runs.retain(|run| run.job == detail.run.job);
            Ok(if runs.is_empty() {
                vec![detail.run]
            } else {
                runs
            })
        }
        Err(err) if err.kind() == Kind::NotFound && !job => {
            match client.pipeline(reference).await {
                Ok(pipeline) => Ok(all(pipeline)),
                Err(second) if second.kind() == Kind::NotFound => Err(Failure::said(
                    Kind::NotFound,
                    format!("there is no run or pipeline `{reference}`"),
                )
                .with_hint("`roundel status` lists the runs")),
                Err(second) => Err(second.into()),
            }
        }
        Err(err) => Err(err.into()),
    }
}

fn all(pipeline: PipelineDetail) -> Vec<RunRow> {
    let jobs = pipeline
        .workflows
        .into_iter()
        .flat_map(|workflow| workflow.jobs);
    jobs.filter(|job| !job.reused)
        .flat_map(|job| job.runs)
        .collect()
}
