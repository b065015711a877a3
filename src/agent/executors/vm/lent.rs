//! A machine that the server lends: asked for with the attempt's token, for as long as it takes.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::say;
use super::script::Inside;
use super::ssh::{self, Ssh, Target};
use crate::agent::asking::until_answered;
use crate::agent::executors::NotReady;
use crate::agent::journal::Journal;
use crate::api::agent::{LentMachine, Task};
use crate::client::Client;
use crate::error::Chain;

/// Time between two questions for a machine that is not there yet. The server holds each back for some seconds itself.
const ASK: Duration = Duration::from_secs(1);

/// Gets the machine and connects to it.
pub(super) async fn reach(
    task: &Task,
    (dir, token): (&Path, &str),
    place: &Path,
    patience: Duration,
    journal: &Rc<Journal>,
) -> Result<(Ssh, Inside), NotReady> {
    let machine = ask(task, dir, token, journal)
        .await
        .map_err(NotReady::Broken)?;
    ssh::keep_key(place, &machine.private_key)
        .map_err(|err| NotReady::Broken(format!("the machine's key could not be kept: {err}")))?;
    let target = Target {
        name: machine.name,
        address: machine.address,
        port: machine.port,
        user: machine.user,
        host_key: machine.host_key,
    };
    let attempt = task.attempt.to_string();
    ssh::connect(place, target, &attempt, patience)
        .await
        .map_err(NotReady::Broken)
}

/// Asks the server until it lends one; what it waits for is told in step 0, once each.
async fn ask(
    task: &Task,
    dir: &Path,
    token: &str,
    journal: &Rc<Journal>,
) -> Result<LentMachine, String> {
    let attempt = task.attempt.to_string();
    let mut client = Client::unix(&task.socket);
    let mut told = String::new();
    loop {
        let waited = "the machine is waited for";
        let lending = until_answered(&mut client, dir, waited, async |client| {
            client.machine(&attempt, token).await
        })
        .await
        .map_err(|err| format!("no machine can be had: {}", Chain(&err)))?;
        if let Some(machine) = lending.machine {
            return Ok(machine);
        }
        if lending.waits != told {
            told = lending.waits;
            say(journal, &told).await;
        }
        tokio::time::sleep(ASK).await;
    }
}
