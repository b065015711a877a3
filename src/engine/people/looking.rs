//! The look at everybody whose session is open, on a period and whenever settings are saved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::directory;
use super::{ANSWER, People, print, roles};
use crate::access::{Role, Way, role_of};
use crate::clock;
use crate::engine::command::{Actor, Command, CommandError};
use crate::engine::sessions::SessionCommand;
use crate::error::Chain;
use crate::services::health::Part;
use crate::services::ldap::Directory;
use crate::settings::value::{Value, Values};
use crate::store::SessionRecord;

/// How long a directory may be silent before sessions end, at least; else two periods.
const GRACE: Duration = Duration::from_secs(3600);

/// A look is noted in the store when the one before it is this old: each costs a write.
const NOTED: Duration = Duration::from_secs(60);

/// A look begins so much before the period is over, at most: it takes a moment, and is to be done within.
const EARLY: Duration = Duration::from_secs(20);

/// What a look found of somebody.
enum Found {
    /// They are there, and their groups give them this.
    Known(Role),
    /// They may not go on, and why.
    Gone(String),
    /// Nobody could say, and why.
    Silent(String),
}

impl People {
    /// Looks whenever it is time, for as long as the runtime lives.
    pub(super) async fn keep_looking(self) {
        let mut values = self.shared.values.clone();
        loop {
            let period = period(&values.borrow_and_update());
            let pause = period - EARLY.min(period / 5);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                saved = values.changed() => if saved.is_err() {
                    return;
                },
            }
            if let Err(err) = self.activate().await {
                tracing::warn!(error = %Chain(&err), "the look at who is signed in failed");
            }
        }
    }

    /// Looks at everybody whose session is open, after a look that is under way.
    ///
    /// # Errors
    /// When the store cannot be read or written; what was ended is ended.
    pub async fn activate(&self) -> Result<(), CommandError> {
        let shared = &self.shared;
        let _turn = shared.one.lock().await;
        let store = shared.view.store.clone();
        let open = tokio::task::spawn_blocking(move || store.open_sessions()).await;
        let open = open.map_err(|_| CommandError::ShuttingDown)??;
        let now = clock::now();
        let mut people: BTreeMap<(Way, String), Vec<SessionRecord>> = BTreeMap::new();
        for session in open.into_iter().filter(|one| one.expires > now) {
            let key = (session.way, session.mark.clone());
            people.entry(key).or_default().push(session);
        }
        if people.is_empty() {
            return Ok(());
        }
        let values = shared.values.borrow().clone();
        let begun = clock::monotonic();
        // Made for the first who is looked up, and then there for all: it reads files.
        let mut directory = None;
        // Once the directory has been silent, it is not waited for again before the next look.
        let mut silent = None;
        for ((way, mark), sessions) in people {
            let found = match (way, &silent) {
                (Way::Console, _) => console(&values, &mark),
                (Way::Ldap, Some(why)) => Found::Silent(String::clone(why)),
                (Way::Ldap, None) => {
                    let (found, stop) = look_up(&values, &mut directory, &mark).await;
                    if let (Found::Silent(why), true) = (&found, stop) {
                        silent = Some(why.clone());
                    }
                    found
                }
            };
            self.take_in(found, sessions, &values).await?;
        }
        let meter = shared.view.pulse.of(Part::SignIn);
        match silent {
            None => meter.done(begun.elapsed(), clock::now()),
            Some(why) => meter.failed(why, clock::now()),
        }
        Ok(())
    }

    /// Has done what a look found of somebody; the sessions are all of them.
    async fn take_in(
        &self,
        found: Found,
        sessions: Vec<SessionRecord>,
        values: &Values,
    ) -> Result<(), CommandError> {
        let Some(name) = sessions.first().map(|one| one.name.clone()) else {
            return Ok(());
        };
        let now = clock::now();
        let ids = |which: &dyn Fn(&SessionRecord) -> bool| -> Vec<String> {
            let chosen = sessions.iter().filter(|one| which(one));
            chosen.map(|one| one.id.clone()).collect()
        };
        let (over, why) = match found {
            Found::Gone(why) => (ids(&|_| true), why),
            Found::Silent(why) => {
                let grace = GRACE.max(period(values) * 2);
                let over = ids(&|one| now.since(one.checked) > grace);
                let minutes = grace.as_secs() / 60;
                let why = format!("the directory could not be asked for {minutes} min: {why}");
                (over, why)
            }
            Found::Known(role) => {
                let changed = ids(&|one| one.role != role);
                let seen = ids(&|one| now.since(one.checked) >= NOTED);
                self.have(changed, |ids| SessionCommand::Role { ids, name, role })
                    .await?;
                return self.have(seen, SessionCommand::Checked).await;
            }
        };
        self.have(over, |ids| SessionCommand::End { ids, name, why })
            .await
    }

    /// Has something done to these sessions, where there are any.
    async fn have(
        &self,
        ids: Vec<String>,
        done: impl FnOnce(Vec<String>) -> SessionCommand,
    ) -> Result<(), CommandError> {
        if !ids.is_empty() {
            let command = Command::Session(done(ids));
            let server = Actor::admin("server");
            self.shared.handle.send(command, server, None).await?;
        }
        Ok(())
    }
}

/// Time from one look to the next.
fn period(values: &Values) -> Duration {
    Duration::from_secs(values.number("ldap.recheck_s").max(1))
}

/// What the password of the console says of those who signed in by it.
fn console(values: &Values, mark: &str) -> Found {
    let gone = |why: &str| Found::Gone(why.to_owned());
    if values.text("console.auth_type") != "password" {
        return gone("signing in by the password of the console was turned off");
    }
    match values.given("console.password") {
        Some(Value::Secret(hash)) if print(hash) == mark => Found::Known(Role::Admin),
        Some(Value::Secret(_)) => gone("the password of the console is another one now"),
        Some(Value::Locked) => Found::Silent("the secrets are locked".to_owned()),
        _ => gone("the password of the console was taken away"),
    }
}

/// What the directory says of somebody, and whether it is of no use to ask it about others.
async fn look_up(values: &Arc<Values>, made: &mut Option<Directory>, mark: &str) -> (Found, bool) {
    let gone = |why: &str| (Found::Gone(why.to_owned()), false);
    if !values.on("ldap.enabled") {
        return gone("signing in by the directory was turned off");
    }
    let asked = async {
        let directory = match made {
            Some(directory) => directory,
            None => made.insert(directory::of(values).await?),
        };
        directory::look_up(directory, mark).await
    };
    match timeout(ANSWER, asked).await {
        Err(_) => {
            let why = format!("it did not answer within {} s", ANSWER.as_secs());
            (Found::Silent(why), true)
        }
        Ok(Err(err)) => {
            let stop = directory::is_away(&err);
            (Found::Silent(Chain(&err).to_string()), stop)
        }
        Ok(Ok(None)) => {
            gone("its person is not in the directory any more, or may not sign in there")
        }
        Ok(Ok(Some(known))) => match role_of(&known.groups, &roles(values)) {
            Some(role) => (Found::Known(role), false),
            None => gone("its person is in no group any more that may sign in here"),
        },
    }
}
