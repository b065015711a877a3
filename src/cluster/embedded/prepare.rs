//! From a submission to a running agent: files of the attempt, then the process.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{Settings, account};
use crate::api::agent::{Checkout, Docker, Guest, RunAs, Task, Vm};
use crate::cluster::Submission;
use crate::ids::AttemptId;
use crate::pipeline::Executor;

/// Who the steps of host jobs run as.
#[derive(Clone, Debug)]
pub enum Account {
    /// As the server itself; its name, for step 0 and USER.
    Own(String),
    /// As another account.
    Other(RunAs),
}

/// Why an agent could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of the attempt could not be written.
    #[error("failed to write `{path}`")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The process could not be made.
    #[error("failed to run `{program}`")]
    Spawn {
        /// Which program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Path of the mirror of a project under the data directory: a hash of its key, since keys are URLs and paths.
#[must_use]
pub fn mirror_path(data: &Path, project_key: &str) -> PathBuf {
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(project_key.as_bytes())
        .iter()
        .take(10)
        .map(|b| format!("{b:02x}"))
        .collect();
    data.join("repos").join(format!("{hash}.git"))
}

/// Writes the attempt's files and starts its agent. Blocks.
pub(super) fn start(
    settings: &Settings,
    engine: Option<PathBuf>,
    submission: Submission,
) -> Result<tokio::process::Child, StartError> {
    let id = submission.attempt.to_string();
    let dir = settings.data.join("attempts").join(&id);
    let written = |path: &Path| {
        let path = path.to_owned();
        move |source| StartError::Write { path, source }
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(written(&dir))?;
    let token = dir.join("token");
    private_file(&token, submission.token.as_bytes()).map_err(written(&token))?;
    let task_path = dir.join("task.json");
    let task = task(settings, engine, submission);
    let text = serde_json::to_vec(&task).expect("a task is plain data");
    private_file(&task_path, &text).map_err(written(&task_path))?;
    let log_dir = settings.data.join("logs").join(&id);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&log_dir)
        .map_err(written(&log_dir))?;
    let log_path = log_dir.join("agent.log");
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log_path)
        .map_err(written(&log_path))?;

    let mut command = std::process::Command::new(&settings.program);
    command
        .arg("agent")
        .arg("--dir")
        .arg(&dir)
        .current_dir("/")
        .env_clear()
        .env("PATH", path())
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    tokio::process::Command::from(command)
        .spawn()
        .map_err(|source| StartError::Spawn {
            program: settings.program.clone(),
            source,
        })
}

fn private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// PATH of agents and of their steps.
pub(super) fn path() -> String {
    const PLAIN: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    std::env::var("PATH")
        .ok()
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| PLAIN.to_owned())
}

fn task(settings: &Settings, engine: Option<PathBuf>, submission: Submission) -> Task {
    let containers = match submission.job.executor {
        Executor::Docker { containers } => Some(containers),
        _ => None,
    };
    let elsewhere = |where_to: &str| {
        let note = format!("{}: {where_to}.", submission.name);
        // Another place has its own PATH, LANG and users.
        (Vec::new(), vec![note], None)
    };
    let (mut environment, mut notes, run_as) = match (&containers, &submission.vm) {
        (Some(_), _) => elsewhere("containers"),
        (None, Some(Vm { guest: Some(_), .. })) => elsewhere("a guest of this machine"),
        (None, Some(Vm { guest: None, .. })) => elsewhere("a machine of the VM provider"),
        (None, None) => on_host(settings, submission.attempt, &submission.name),
    };
    let vm = submission
        .vm
        .map(|vm| with_account(settings, submission.attempt, vm));
    let variables = submission.variables.map(|at| environment.len() + at);
    environment.extend(submission.environment);
    notes.extend(submission.notes);
    Task {
        attempt: submission.attempt,
        name: submission.name,
        socket: settings.socket.clone(),
        scratch: settings.scratch.join(submission.attempt.to_string()),
        run_as,
        notes,
        environment,
        variables,
        working_directory: submission.job.working_directory,
        shell: submission.job.shell,
        steps: submission.job.steps,
        checkout: Checkout {
            mirror: mirror_path(&settings.data, &submission.checkout.project_key),
            origin: submission.checkout.origin,
            revision: submission.checkout.revision,
            branch: submission.checkout.branch,
            tag: submission.checkout.tag,
        },
        resource_class: submission.job.resource_class,
        cpu_millis: submission.cpu_millis,
        memory_mb: submission.memory_mb,
        deadline_s: settings.deadline_s,
        silence_s: settings.silence_s,
        docker: containers.map(|containers| Docker {
            engine: engine.unwrap_or_default(),
            data_id: settings.mark.clone(),
            containers,
        }),
        vm,
    }
}

/// A guest's QEMU is a process of this machine, and as little trusted as a job that is one.
fn with_account(settings: &Settings, attempt: AttemptId, vm: Vm) -> Vm {
    let guest = vm.guest.map(|guest| Guest {
        run_as: run_as(settings, attempt),
        ..guest
    });
    Vm { guest, ..vm }
}

/// The account of what a run does on this machine, when it is not the server's own, with a group of the run's own.
fn run_as(settings: &Settings, attempt: AttemptId) -> Option<RunAs> {
    match &settings.account {
        Account::Own(_) => None,
        Account::Other(account) => Some(RunAs {
            gid: account::group_of(attempt),
            ..account.clone()
        }),
    }
}

/// Environment, first note and account of a job on the host.
fn on_host(
    settings: &Settings,
    attempt: AttemptId,
    name: &str,
) -> (Vec<(String, String)>, Vec<String>, Option<RunAs>) {
    let run_as = run_as(settings, attempt);
    let user = match &settings.account {
        Account::Own(name) => name.clone(),
        Account::Other(account) => account.name.clone(),
    };
    let mut environment: Vec<(String, String)> = vec![
        ("PATH".to_owned(), path()),
        (
            "LANG".to_owned(),
            std::env::var("LANG").unwrap_or_else(|_| "C.UTF-8".to_owned()),
        ),
        ("USER".to_owned(), user.clone()),
        ("LOGNAME".to_owned(), user.clone()),
    ];
    if let Ok(zone) = std::env::var("TZ") {
        environment.push(("TZ".to_owned(), zone));
    }
    environment.extend(settings.host_env.iter().cloned());
    let note = format!("{name}: a process of this machine, as the user {user}.");
    (environment, vec![note], run_as)
}
