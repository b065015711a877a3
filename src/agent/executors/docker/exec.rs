//! A step as an exec in the primary container.

use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::KillContainerOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWrite;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Docker;
use crate::agent::executors::heard::Heard;
use crate::agent::executors::{End, GRACE, Program, last_words};
use crate::agent::journal::Journal;
use crate::api::agent::OUTPUT_MAX;
use crate::clock;
use crate::containers::{self, Engine, said};
use crate::processes::MARK;

/// First and longest pause between two questions whether an exec has ended whose output is still open.
const ASK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long the engine may fail to answer that question: a restart that keeps containers alive is shorter.
const ENGINE_AWAY: Duration = Duration::from_secs(20);
/// Exit code of what was killed by SIGKILL.
const KILLED: i32 = 137;
/// How long a small errand in a container may take.
const ERRAND: Duration = Duration::from_secs(30);

/// Goes to the directory, which is made when it is missing, and becomes the program.
const ENTER: &str = r#"[ -d "$1" ] || mkdir -p -- "$1" || exit 1
cd -- "$1" || exit 1
unset OLDPWD
shift
exec "$@""#;

/// What comes of an exec, and its other end: output ends when that is closed.
struct Output {
    parts: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    _input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Docker {
    pub(super) async fn exec(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        let mut words: Vec<String> = ["/bin/sh", "-c", ENTER, "sh"].map(str::to_owned).to_vec();
        words.push(program.directory.display().to_string());
        words.extend(
            program
                .words
                .iter()
                .map(|word| word.to_string_lossy().into_owned()),
        );
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(self.variables(program.environment)),
            cmd: Some(words),
            user: self.user.clone(),
            ..ExecConfig::default()
        };
        self.memory.forget();
        let (id, output) = match begin(&self.engine, &self.primary, config).await {
            Ok(begun) => begun,
            Err(err) => return self.not_begun(&err).await,
        };
        tracing::info!(step = program.step, exec = %id, "step started");
        let heard = Rc::new(Heard::new());
        let closed = Rc::new(Notify::new());
        let reader = listen(
            output,
            program.step,
            journal.clone(),
            heard.clone(),
            closed.clone(),
        );
        if program.background {
            self.left.push(id);
            self.readers.push(reader);
            return End::Left;
        }
        let ended = self.ended(&id, &closed);
        let end = match program.watch(ended, &heard, journal).await {
            Ok(end) => end,
            Err(cut_short) => {
                self.end_everything(&id).await;
                cut_short
            }
        };
        let mut readers = vec![reader];
        last_words(&mut readers, &heard).await;
        self.readers.append(&mut readers);
        if !matches!(end, End::Exited(0)) {
            self.tell_of_services(program.step, journal).await;
        }
        self.memory.told(end, program.step, journal).await
    }

    /// The environment of a step: of two variables of one name the later one holds.
    fn variables(&self, of_step: &[(String, String)]) -> Vec<String> {
        let mut variables: Vec<(&str, &str)> = Vec::new();
        let of_step = of_step
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in self.environment.iter().chain(of_step) {
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value));
        }
        variables.push((MARK, &self.attempt));
        variables
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    /// Resolves once an exec has ended. Left-over processes may hold its output open for longer.
    async fn ended(&self, id: &str, closed: &Notify) -> End {
        let mut pause = ASK.0;
        let mut away: Option<Instant> = None;
        loop {
            tokio::select! {
                () = closed.notified() => pause = ASK.0,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(ASK.1),
            }
            match self.engine.api.inspect_exec(id).await {
                Ok(exec) if exec.running == Some(true) => away = None,
                Ok(exec) => {
                    let code = i32::try_from(exec.exit_code.unwrap_or(-1)).unwrap_or(-1);
                    return match self.end_of_primary(code).await {
                        Some(gone) => End::Gone(gone),
                        None => End::Exited(code),
                    };
                }
                Err(err) => {
                    let since = *away.get_or_insert_with(clock::monotonic);
                    if since.elapsed() >= ENGINE_AWAY || containers::is_missing(&err) {
                        let gone = self.state_of_primary().await;
                        return End::Gone(gone.unwrap_or_else(|| said(&err)));
                    }
                }
            }
        }
    }

    /// A sentence when a step ended with this code because the primary container did. Its processes are killed one by
    /// one, so a killed step may be seen before that end is.
    async fn end_of_primary(&self, code: i32) -> Option<String> {
        if code == 0 {
            return None;
        }
        let begun = clock::monotonic();
        loop {
            let gone = self.state_of_primary().await;
            if gone.is_some() || code != KILLED || begun.elapsed() >= ASK.1 {
                return gone;
            }
            tokio::time::sleep(ASK.0).await;
        }
    }

    /// A sentence when the primary container no longer runs.
    async fn state_of_primary(&self) -> Option<String> {
        let state = match containers::state(&self.engine, &self.primary).await {
            Ok(state) => state,
            Err(err) if containers::is_missing(&err) => {
                return Some("the primary container was removed".to_owned());
            }
            Err(err) => return Some(format!("the container engine went away: {}", said(&err))),
        };
        if state.running {
            return None;
        }
        Some(if state.oom_killed {
            self.memory.words().to_owned()
        } else {
            format!("the primary container ended with {}", state.exit_code)
        })
    }

    async fn not_begun(&self, err: &bollard::errors::Error) -> End {
        match self.state_of_primary().await {
            Some(gone) => End::Gone(gone),
            None => End::Failed(std::io::Error::other(said(err))),
        }
    }

    /// TERM to all in the container, then, when the step does not go, KILL to the container: nothing outlives its first
    /// process. Whatever ends a step this way ends the run.
    async fn end_everything(&self, exec: &str) {
        self.ask_to_end(&[exec.to_owned()], GRACE).await;
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        if let Err(err) = self
            .engine
            .api
            .kill_container(&self.primary, Some(options))
            .await
        {
            tracing::warn!(error = %said(&err), "the container could not be killed; it is removed next");
        }
    }

    /// Asks all processes in the container but its first to end, and waits for those of the execs.
    pub(super) async fn ask_to_end(&self, execs: &[String], patience: Duration) {
        let asked = errand(
            &self.engine,
            &self.primary,
            Some("0"),
            &["/bin/sh", "-c", "kill -TERM -1"],
            &[],
        );
        if let Err(why) = asked.await {
            tracing::warn!("the processes in the container could not be asked to end: {why}");
            return;
        }
        let begun = clock::monotonic();
        for exec in execs {
            while begun.elapsed() < patience
                && let Ok(found) = self.engine.api.inspect_exec(exec).await
                && found.running == Some(true)
            {
                tokio::time::sleep(ASK.0).await;
            }
        }
    }
}

async fn begin(
    engine: &Engine,
    container: &str,
    config: ExecConfig,
) -> Result<(String, Output), bollard::errors::Error> {
    let id = engine.api.create_exec(container, config).await?.id;
    let options = StartExecOptions {
        output_capacity: Some(OUTPUT_MAX),
        ..StartExecOptions::default()
    };
    match engine.api.start_exec(&id, Some(options)).await? {
        StartExecResults::Attached { output, input } => Ok((
            id,
            Output {
                parts: output,
                _input: input,
            },
        )),
        StartExecResults::Detached => Err(bollard::errors::Error::DockerStreamError {
            error: "the engine gave no output of the step".to_owned(),
        }),
    }
}

/// Runs a small program in a container to its end. Answers its exit code and what it said on either stream.
pub(super) async fn errand(
    engine: &Engine,
    container: &str,
    user: Option<&str>,
    words: &[&str],
    environment: &[String],
) -> Result<(i64, String), String> {
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: Some(environment.to_vec()),
        cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        user: user.map(str::to_owned),
        ..ExecConfig::default()
    };
    let work = async {
        let (id, mut output) = begin(engine, container, config).await?;
        let mut text = Vec::new();
        while let Some(Ok(part)) = output.parts.next().await {
            if text.len() < OUTPUT_MAX {
                text.extend_from_slice(&part.into_bytes());
            }
        }
        loop {
            let found = engine.api.inspect_exec(&id).await?;
            if found.running != Some(true) {
                let text = String::from_utf8_lossy(&text).into_owned();
                return Ok((found.exit_code.unwrap_or(-1), text));
            }
            tokio::time::sleep(ASK.0).await;
        }
    };
    match tokio::time::timeout(ERRAND, work).await {
        Ok(done) => done.map_err(|err: bollard::errors::Error| said(&err)),
        Err(_) => Err(format!("it took longer than {} s", ERRAND.as_secs())),
    }
}

/// Copies what an exec says into the journal until its last writer closes it. The journal's own pace holds it back.
fn listen(
    mut output: Output,
    step: u16,
    journal: Rc<Journal>,
    heard: Rc<Heard>,
    closed: Rc<Notify>,
) -> JoinHandle<()> {
    tokio::task::spawn_local(async move {
        while let Some(Ok(part)) = output.parts.next().await {
            let stream = match &part {
                LogOutput::StdErr { .. } => 2,
                _ => 1,
            };
            let bytes = part.into_bytes();
            heard.taking(journal.output(step, stream, &bytes)).await;
        }
        closed.notify_one();
    })
}
