//! `build`: has a revision built and follows it to its end.

mod dirty;
mod json;
mod report;
pub(super) mod source;
mod text;
mod watch;

use roundel::api::builds::CreatePipeline;
use roundel::client::{Client, ClientError};
use roundel::ids::PipelineId;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch as channel;

use super::context::Context;
use super::{End, Failure};
use report::Report;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a repository, or a URL that git understands
    #[arg(default_value = ".", value_name = "PATH|URL")]
    source: String,
    /// Branch to build [default: the one checked out, or the remote's HEAD]
    #[arg(long)]
    branch: Option<String>,
    /// Build only this job
    #[arg(long)]
    job: Option<String>,
    /// Run docker jobs on the host, with a warning
    #[arg(long)]
    no_engine: bool,
    /// Wait also for runs that cannot be placed as things stand
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let interrupts = interrupts()?;
    let mut first = interrupts.clone();
    let taking_in = async {
        let source = source::resolve(&args.source)?;
        let client = context.connect().await?;
        let new = CreatePipeline {
            id: PipelineId::fresh(),
            source: source.clone(),
            branch: args.branch.clone(),
            job: args.job.clone(),
            no_engine: args.no_engine,
        };
        let (created, dirty) = tokio::join!(create(client, &new, context), dirty::count(&source));
        Ok::<_, Failure>((created?, dirty))
    };
    let ((client, created), dirty) = tokio::select! {
        result = taking_in => result?,
        Ok(_) = first.wait_for(|times| *times > 0) => return Ok(End::Interrupted),
    };

    if dirty > 0 && !context.json {
        let paint = context.err_paint();
        let files = match dirty {
            1 => "1 file with changes that are not committed is".to_owned(),
            n => format!("{n} files with changes that are not committed are"),
        };
        let text = format!("{}: {files} not part of the build", paint.warn("warning"));
        writeln!(context.err, "{text}")?;
    }
    let wait = args.wait;
    if context.json {
        let report = json::Json::new(context);
        follow(client, created, wait, report, interrupts).await
    } else {
        let report = text::Text::new(context);
        follow(client, created, wait, report, interrupts).await
    }
}

type Created = roundel::api::Written<roundel::api::builds::PipelineRef>;

/// Follows the pipeline; the second interrupt leaves at once.
async fn follow(
    client: Client,
    created: Created,
    wait: bool,
    mut report: impl Report,
    interrupts: channel::Receiver<u32>,
) -> Result<End, Failure> {
    report.created(&created.value)?;
    let mut second = interrupts.clone();
    let mut watch = watch::Watch::new(client, &created.value.pipeline, wait, interrupts);
    tokio::select! {
        result = watch.run(&mut report) => return result,
        Ok(_) = second.wait_for(|times| *times > 1) => {}
    }
    watch.leave().await;
    Ok(End::Interrupted)
}

/// Asks for the pipeline. A server that was about to end itself for want of work may do so between the two calls: then
/// another one is found or started, once; the id makes the build happen once.
async fn create(
    client: Client,
    new: &CreatePipeline,
    context: &mut Context<'_>,
) -> Result<(Client, Created), Failure> {
    match client.create_pipeline(new).await {
        Err(ClientError::NoServer { .. } | ClientError::Protocol { .. }) => {
            let client = context.connect().await?;
            let created = client.create_pipeline(new).await?;
            Ok((client, created))
        }
        result => Ok((client, result?)),
    }
}

/// Counts the interrupts from the keyboard from here on, instead of dying of the first.
fn interrupts() -> Result<channel::Receiver<u32>, Failure> {
    let mut signal = signal(SignalKind::interrupt())?;
    let (sender, receiver) = channel::channel(0);
    tokio::spawn(async move {
        while signal.recv().await.is_some() {
            sender.send_modify(|times| *times += 1);
        }
    });
    Ok(receiver)
}
