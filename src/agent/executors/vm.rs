//! Steps in a machine of their own, reached by SSH: a guest that QEMU runs on this one, or a machine that the server lends.
//!
//! Each step is a session over one connection. Nothing of the server's is in the machine but what git checked out and
//! the variables of the run, which travel inside the connection and stand on no command line.

mod ending;
mod exec;
mod guest;
mod lent;
mod script;
mod seed;
mod ssh;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{End, Executor, Host, NotReady, Program, let_go};
use crate::agent::environment::Environment;
use crate::agent::journal::Journal;
use crate::agent::paths::Places;
use crate::api::agent::{self, SPIN_UP, Task};
use crate::clock;
use crate::sanitise;
use guest::Guest;
use script::Inside;
use ssh::Ssh;

/// The machine of one attempt.
#[derive(Debug)]
pub(in crate::agent) struct Vm {
    ssh: Ssh,
    guest: Option<Guest>,
    attempt: String,
    /// Where git works.
    host: Host,
    checkout: PathBuf,
    places: Places,
    environment: Environment,
    /// Where files of the run are kept in the machine.
    kept: PathBuf,
    /// Number of the account and of its group, there.
    owner: (u32, u32),
    has_bash: bool,
    readers: Vec<JoinHandle<()>>,
}

impl Vm {
    /// Makes the machine ready, and tells how that goes in step 0. When it fails nothing of it is left.
    pub(in crate::agent) async fn prepare(
        task: &Task,
        environment: Environment,
        vm: &agent::Vm,
        (dir, token): (&Path, &str),
        journal: &Rc<Journal>,
        deadline: Instant,
    ) -> Result<Self, NotReady> {
        tokio::select! {
            made = make(task, environment, vm, (dir, token), journal) => made,
            () = journal.stopped() => Err(NotReady::Stopped),
            () = tokio::time::sleep_until(deadline.into()) => Err(NotReady::Late),
        }
    }

    /// A sentence when there is a guest, and it runs no more.
    async fn end_of_guest(&mut self) -> Option<String> {
        self.guest.as_mut()?.ended().await
    }
}

async fn make(
    task: &Task,
    environment: Environment,
    vm: &agent::Vm,
    (dir, token): (&Path, &str),
    journal: &Rc<Journal>,
) -> Result<Vm, NotReady> {
    let host = Host::for_git(task, dir)?;
    let place = ssh::place(dir)
        .map_err(|err| NotReady::Broken(format!("the connection has no place: {err}")))?;
    let attempt = task.attempt.to_string();
    let begun = clock::monotonic();
    let patience = Duration::from_secs(vm.ssh_timeout_s);
    let (ssh, inside, guest) = match &vm.guest {
        Some(wanted) => {
            let (ssh, inside, guest) =
                guest::start(task, wanted, &place, patience, journal).await?;
            (ssh, inside, Some(guest))
        }
        None => {
            let (ssh, inside) = lent::reach(task, (dir, token), &place, patience, journal).await?;
            (ssh, inside, None)
        }
    };
    let after = begun.elapsed().as_secs_f64();
    let name = ssh.name();
    let key = ssh.fingerprint().await.unwrap_or_default();
    say(
        journal,
        &format!("Connected to {name} after {after:.1} s; its host key is {key}."),
    )
    .await;
    say(
        journal,
        "The machine's own size is the limit; those of the resource class do not apply in it.",
    )
    .await;
    let unnamed: Vec<&str> = environment
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !script::holds(name))
        .collect();
    if !unnamed.is_empty() {
        let names = unnamed.join(", ");
        say(
            journal,
            &format!("Variables that no shell can be given, and that the steps lack: {names}."),
        )
        .await;
    }
    let Inside {
        uid,
        gid,
        home,
        kept,
        bash,
    } = inside;
    let of_machine = [(
        "BASH_ENV".to_owned(),
        kept.join("bash_env").display().to_string(),
    )];
    Ok(Vm {
        ssh,
        guest,
        attempt,
        checkout: host.places.home.join("checkout"),
        host,
        places: Places::at(home, &task.working_directory),
        environment: Environment::before(&of_machine, environment),
        kept,
        owner: (uid, gid),
        has_bash: bash,
        readers: Vec::new(),
    })
}

async fn say(journal: &Rc<Journal>, line: &str) {
    let line = format!("{line}\n");
    journal.output(SPIN_UP, 1, line.as_bytes()).await;
}

/// The last line that says something, made inert.
fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(sanitise::line(line.trim()).into())
}

impl Executor for Vm {
    fn places(&self) -> &Places {
        &self.places
    }

    fn has_bash(&self) -> bool {
        self.has_bash
    }

    async fn keep_script(&mut self, name: &str, text: &str) -> io::Result<OsString> {
        self.keep(name, text).await
    }

    async fn run(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        self.exec(program, journal).await
    }

    fn git(&mut self, _: &Path) -> (&mut Host, PathBuf) {
        (&mut self.host, self.checkout.clone())
    }

    async fn bring(&mut self, program: &Program<'_>, from: &Path, journal: &Rc<Journal>) -> End {
        self.bring_checkout(program, from, journal).await
    }

    async fn finish(self, journal: &Rc<Journal>) {
        let busy = self.readers.iter().any(|reader| !reader.is_finished());
        match self.guest {
            // It goes as a whole, and nobody in it is asked who has nothing more to say.
            Some(guest) if !busy => guest.end().await,
            guest => {
                self.ssh.close().await;
                if let Some(guest) = guest {
                    guest.end().await;
                }
            }
        }
        let_go(self.readers).await;
        self.host.finish(journal).await;
    }
}
