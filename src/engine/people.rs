//! Who people are: signing in by name and password, and the look at everybody whose session is open.
//!
//! The directory is asked here and never on the dispatcher's thread. A look takes no input and is idempotent: it asks
//! for each person once, ends the sessions of those who are no more what they were, and gives the others the role that
//! their groups give them now. A directory that does not answer throws nobody out at once: each session lasts for a
//! while after the last time its person was found.

mod directory;
mod error;
mod looking;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::command::{Actor, Command, CommandError};
use super::handle::Handle;
use super::refusals::Refusal;
use super::sessions::{NewSession, SessionCommand};
use super::view::View;
use crate::access::{Fresh, Guess, Guesses, Origin, Role, Roles, Way, role_of};
use crate::clock::{self, Timestamp};
use crate::sanitise;
use crate::secret::{Secret, password};
use crate::settings::value::{Value, Values};

use directory::Known;
pub use error::SignInError;

/// Life of a session: a week, in which its person is looked at again and again.
const LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Questions to the directory, and passwords that are hashed, at the same time: a hash takes 19 MB.
const QUESTIONS: usize = 32;
const HASHES: usize = 2;

/// How long a try waits for its turn, and how long it may then take: an API client waits for 30 s.
const TURN: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(20);

/// Longest name and password, in bytes.
const NAME_MAX: usize = 256;
const PASSWORD_MAX: usize = 1024;

/// Who somebody says they are.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Their name in the directory; empty for the password of the console.
    pub name: String,
    /// Their password.
    pub password: Secret,
    /// Where they are, for the limits on wrong ones.
    pub origin: Origin,
    /// The same in words: an address, or an account of this machine.
    pub who: String,
}

/// Somebody who signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Their session: shown once, and kept as a hash.
    pub token: Fresh,
    /// As the audit log calls them.
    pub who: String,
    /// What they may do.
    pub role: Role,
    /// When the session ends by itself.
    pub expires: Timestamp,
}

/// Signing in, and the looks at who is signed in; cheap to clone.
#[derive(Clone, Debug)]
pub struct People {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    handle: Handle,
    view: View,
    values: watch::Receiver<Arc<Values>>,
    guesses: Mutex<Guesses>,
    questions: Semaphore,
    hashes: Semaphore,
    one: tokio::sync::Mutex<()>,
}

impl People {
    /// Begins to look at those who are signed in, for as long as the runtime lives.
    #[must_use]
    pub fn start(handle: Handle, view: View) -> Self {
        let values = view.values.clone();
        let people = Self {
            shared: Arc::new(Shared {
                handle,
                view,
                values,
                guesses: Mutex::default(),
                questions: Semaphore::new(QUESTIONS),
                hashes: Semaphore::new(HASHES),
                one: tokio::sync::Mutex::default(),
            }),
        };
        tokio::spawn(people.clone().keep_looking());
        people
    }

    /// Signs somebody in. Each refusal is in the audit log before it is answered.
    ///
    /// # Errors
    /// Why not.
    ///
    /// # Cancel safety
    /// Dropped, the try goes on and counts.
    pub async fn sign_in(&self, given: Credentials) -> Result<SignedIn, SignInError> {
        let people = self.clone();
        // On its own: whoever goes away meanwhile has tried all the same.
        let tried = tokio::spawn(async move {
            let result = people.try_to(&given).await;
            if let Err(err) = &result
                && err.is_refusal()
            {
                people.tell(&given, err).await;
            }
            result
        });
        tried
            .await
            .unwrap_or(Err(SignInError::Engine(CommandError::ShuttingDown)))
    }

    async fn try_to(&self, given: &Credentials) -> Result<SignedIn, SignInError> {
        let shared = &self.shared;
        let values = shared.values.borrow().clone();
        let way = way(&values, &given.name)?;
        let password = given.password.expose();
        if password.is_empty() {
            return Err(SignInError::Empty);
        }
        // Nobody has such a one, and nothing is asked with it.
        let long = given.name.len() > NAME_MAX || password.len() > PASSWORD_MAX;
        let name = if long { "" } else { given.name.trim() };
        self.guesses(|all| all.begin(given.origin, name, clock::now()))
            .map_err(SignInError::Throttled)?;
        let known = if long {
            Err(SignInError::Wrong)
        } else {
            self.ask(way, &values, name, &given.password).await
        };
        let guess = match &known {
            Ok(_) => Guess::Right,
            Err(SignInError::Wrong) => Guess::Wrong,
            Err(_) => Guess::Unknown,
        };
        self.guesses(|all| all.settle(given.origin, name, guess, clock::now()));
        let (known, role) = known?;
        let (token, expires) = (Fresh::make(), clock::now().plus(LIFE));
        let who = way.actor(&known.name);
        let new = NewSession {
            id: token.id.clone(),
            hash: token.hash(),
            way,
            name: known.name,
            mark: known.mark,
            email: known.email,
            role,
            expires,
            origin: match given.origin {
                Origin::Socket => String::new(),
                _ => given.who.clone(),
            },
        };
        let actor = Actor {
            name: who.clone(),
            role,
        };
        let command = Command::Session(SessionCommand::Begin(Box::new(new)));
        shared.handle.send(command, actor, None).await?;
        Ok(SignedIn {
            token,
            who,
            role,
            expires,
        })
    }

    /// Asks whoever knows whether the password is right.
    async fn ask(
        &self,
        way: Way,
        values: &Arc<Values>,
        name: &str,
        given: &Secret,
    ) -> Result<(Known, Role), SignInError> {
        if way == Way::Console {
            return self.ask_console(values, given).await;
        }
        let turn = timeout(TURN, self.shared.questions.acquire()).await;
        let _turn = turn.map_err(|_| SignInError::Busy)?;
        let known = timeout(ANSWER, directory::sign_in(values, name, given))
            .await
            .map_err(|_| SignInError::Silent(ANSWER))?
            .map_err(SignInError::Directory)?
            .ok_or(SignInError::Wrong)?;
        match role_of(&known.groups, &roles(values)) {
            Some(role) => Ok((known, role)),
            None => Err(SignInError::NoGroup(known.name)),
        }
    }

    async fn ask_console(
        &self,
        values: &Values,
        given: &Secret,
    ) -> Result<(Known, Role), SignInError> {
        let hash = match values.given("console.password") {
            Some(Value::Secret(hash)) => hash.clone(),
            Some(Value::Locked) => return Err(SignInError::Locked),
            _ => return Err(SignInError::Nowhere),
        };
        let known = Known {
            name: "console".to_owned(),
            mark: print(&hash),
            email: String::new(),
            groups: Vec::new(),
        };
        let turn = timeout(TURN, self.shared.hashes.acquire()).await;
        let _turn = turn.map_err(|_| SignInError::Busy)?;
        let given = given.clone();
        let right = tokio::task::spawn_blocking(move || password::is_right(&given, &hash)).await;
        match right {
            Ok(true) => Ok((known, Role::Admin)),
            Ok(false) => Err(SignInError::Wrong),
            Err(_) => Err(SignInError::Engine(CommandError::ShuttingDown)),
        }
    }

    /// Writes a refusal into the audit log. A name that has never signed in here is left out: people type their
    /// password there.
    async fn tell(&self, given: &Credentials, why: &SignInError) {
        let store = self.shared.view.store.clone();
        let name = given.name.trim().to_owned();
        let typed = name.clone();
        let known = tokio::task::spawn_blocking(move || store.knows_person(&typed)).await;
        let known = known.is_ok_and(|known| known.unwrap_or(false));
        let from = match (name.as_str(), known) {
            ("", _) => "by the password of the console".to_owned(),
            (name, true) => format!("as {}", sanitise::line(name)),
            (_, false) => "under a name that has not signed in here".to_owned(),
        };
        let refusal = Refusal {
            who: given.who.clone(),
            what: "sign-in".to_owned(),
            why: why.to_string(),
            from,
        };
        self.shared.handle.refused(refusal).await;
    }

    fn guesses<T>(&self, act: impl FnOnce(&mut Guesses) -> T) -> T {
        let all = &self.shared.guesses;
        act(&mut all.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How somebody of this name signs in, as the settings stand.
fn way(values: &Values, name: &str) -> Result<Way, SignInError> {
    let console = values.text("console.auth_type") == "password";
    match name.trim().is_empty() {
        true if console && values.has("console.password") => Ok(Way::Console),
        false if values.on("ldap.enabled") => Ok(Way::Ldap),
        _ => Err(SignInError::Nowhere),
    }
}

/// Which groups of the directory make somebody what.
fn roles(values: &Values) -> Roles {
    let groups = |key: &str| {
        let text = values.text(key);
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Roles {
        admin: groups("ldap.admin_groups"),
        operator: groups("ldap.operator_groups"),
        viewer: groups("ldap.viewer_groups"),
    }
}

/// By which a password's hash is known again and cannot be told.
fn print(hash: &Secret) -> String {
    let digest = Sha256::digest(hash.expose().as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
