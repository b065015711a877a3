//! The directory that people sign in with: OpenLDAP or Active Directory, as the settings say.
//!
//! A person is looked up by the search user, below one entry, and proves to be that person by a bind with the password that
//! was typed. Groups are those that name the person as a member, and those that these are members of in turn. Knows
//! nothing of sessions, of roles, and of who may come in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::rustls::client::WebPkiServerVerifier;

use crate::secret::Secret;
use crate::services::ca;
use crate::settings::rules::is_attribute;
use crate::settings::value::{Value, Values};

mod certificate;
mod error;
mod filter;
mod groups;
mod guard;
mod link;
mod people;
mod reason;
mod referral;
mod session;
mod steps;

pub use error::DirectoryError;
pub use groups::Group;
pub use reason::Refusal;
pub use steps::test;

use error::setting;
use groups::Nesting;
use session::Session;

/// Steps of a sign-in that may each take their whole time, before all of it is given up: connection and search, the
/// person's own bind, groups.
const STEPS_AT_ONCE: u32 = 3;

/// A directory, as the settings describe it. Cheap to clone; nothing is kept open between two questions.
#[derive(Clone, Debug)]
pub struct Directory {
    product: Product,
    at: Endpoint,
    search_user: String,
    search_password: Secret,
    /// Where it begins.
    base: String,
    /// Below which entry people are.
    people: String,
    user_field: String,
    /// Unset where no address is wanted.
    email_field: Option<String>,
    member_field: String,
    group_class: String,
    nesting: Nesting,
    /// Other servers that it names are asked too.
    follows: bool,
    /// How long each step may take.
    limit: Duration,
    /// Looks at certificates; unset where no authority is trusted.
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

/// Which kind of directory it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Product {
    OpenLdap,
    ActiveDirectory,
}

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Encryption {
    Plain,
    StartTls,
    Ldaps,
}

/// A server that speaks LDAP.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Endpoint {
    host: String,
    port: u16,
    encryption: Encryption,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A person of the directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Distinguished name, as the directory writes it.
    pub dn: String,
    /// The name people sign in with, as the directory writes it: the same for every spelling that it takes.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Groups, those that were found over other groups too; by name.
    pub groups: Vec<Group>,
}

/// By what a person is looked up.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// The name that somebody signs in with.
    Name(&'a str),
    /// The distinguished name that an earlier answer had.
    Dn(&'a str),
}

impl Directory {
    /// The directory of some settings. Blocks for some milliseconds: the system's authorities are read.
    ///
    /// # Errors
    /// When a setting that it needs is absent or cannot be read; the first of them.
    pub fn new(values: &Values) -> Result<Self, DirectoryError> {
        let text = |key| match values.text(key) {
            text if text.is_empty() => Err(setting(key, "is not set", "set it")),
            text => Ok(text),
        };
        let name = |key| {
            let name = text(key)?;
            if is_attribute(&name) {
                Ok(name)
            } else {
                Err(setting(
                    key,
                    "is no name of an attribute",
                    "letters, digits and `-`, a letter first",
                ))
            }
        };
        let search_password = match values.get("ldap.search_password").as_deref() {
            Some(Value::Secret(secret)) if !secret.expose().is_empty() => secret.clone(),
            Some(Value::Locked) => return Err(DirectoryError::Locked),
            _ => {
                let key = "ldap.search_password";
                return Err(setting(
                    key,
                    "is empty, and an empty password is never sent",
                    "set it",
                ));
            }
        };
        let product = match text("ldap.type")?.as_str() {
            "ldap_type_ad" => Product::ActiveDirectory,
            _ => Product::OpenLdap,
        };
        let encryption = match text("ldap.encryption")?.as_str() {
            "ldaps" => Encryption::Ldaps,
            "starttls" => Encryption::StartTls,
            _ => Encryption::Plain,
        };
        let port = u16::try_from(values.number("ldap.port")).ok();
        let port = port
            .filter(|port| *port > 0)
            .ok_or_else(|| setting("ldap.port", "is no port", "a number from 1 to 65535"))?;
        let base = text("ldap.base_dn")?;
        let below = values.text("ldap.user_search_dn");
        Ok(Self {
            product,
            at: Endpoint {
                host: text("ldap.hostname")?,
                port,
                encryption,
            },
            search_user: text("ldap.search_user")?,
            search_password,
            people: people::below(&below, &base),
            base,
            user_field: name("ldap.username_field")?,
            email_field: match values.has("ldap.email_field") {
                true => Some(name("ldap.email_field")?),
                false => None,
            },
            member_field: name("ldap.group_membership_field")?,
            group_class: name("ldap.group_object_class")?,
            nesting: Nesting::of(&values.text("ldap.nested_groups")),
            follows: values.on("ldap.referrals"),
            limit: Duration::from_secs(values.number("ldap.timeout").max(1)),
            verifier: ca::verifier(ca::roots(values)),
        })
    }

    /// Who somebody is that gives a name and a password.
    ///
    /// # Errors
    /// When it is nobody ([`DirectoryError::refuses`]), or nobody can say ([`crate::error::Explain::kind`]). An empty password
    /// is refused before anything is sent.
    pub async fn sign_in(&self, name: &str, password: &Secret) -> Result<Person, DirectoryError> {
        if password.expose().is_empty() {
            return Err(DirectoryError::EmptyPassword);
        }
        self.within(async {
            let mut session = self.open().await?;
            let found = people::find(self, &mut session, Who::Name(name)).await?;
            let one = found.one(name, &self.people)?;
            people::prove(self, &one, password).await?;
            self.person(&mut session, one).await
        })
        .await
    }

    /// Whether somebody is still there: `None` when the entry is gone, is below another one, or its account is disabled or
    /// has ended. An account that is locked for a while because of wrong passwords is there.
    ///
    /// # Errors
    /// When nobody can say.
    pub async fn look_up(&self, who: Who<'_>) -> Result<Option<Person>, DirectoryError> {
        self.within(async {
            let mut session = self.open().await?;
            let found = people::find(self, &mut session, who).await?;
            let (Who::Name(name) | Who::Dn(name)) = who;
            match found.one(name, &self.people) {
                Ok(one) if one.refusal.is_none() => self.person(&mut session, one).await.map(Some),
                Ok(_) | Err(DirectoryError::Unknown { .. }) => Ok(None),
                Err(err) => Err(err),
            }
        })
        .await
    }

    /// All of it, in the time of some steps.
    async fn within<T>(
        &self,
        all: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        let limit = self.limit * STEPS_AT_ONCE;
        match timeout(limit, all).await {
            Ok(result) => result,
            Err(_) => Err(DirectoryError::silent(&self.at, "an answer to all", limit)),
        }
    }

    /// A connection that the search user has signed in on.
    async fn open(&self) -> Result<Session, DirectoryError> {
        self.open_at(&self.at).await
    }

    async fn open_at(&self, at: &Endpoint) -> Result<Session, DirectoryError> {
        let mut session = self.dial(at).await?;
        self.sign_on(&mut session).await?;
        Ok(session)
    }

    /// Signs the search user in on a connection.
    async fn sign_on(&self, session: &mut Session) -> Result<(), DirectoryError> {
        let bound = session
            .bind(&self.search_user, &self.search_password)
            .await?;
        bound.map_err(|why| DirectoryError::SearchUser {
            user: self.search_user.clone(),
            why,
        })
    }

    /// A connection that nobody has signed in on.
    async fn dial(&self, at: &Endpoint) -> Result<Session, DirectoryError> {
        let addresses = link::resolve(at, self.limit).await?;
        let stream = link::connect(at, &addresses, self.limit).await?;
        let link = link::secure(at, stream, self.verifier.clone(), self.limit).await?;
        Session::over(at, link, self.limit).await
    }

    async fn person(
        &self,
        session: &mut Session,
        one: people::Candidate,
    ) -> Result<Person, DirectoryError> {
        let groups = groups::of(self, session, &one).await?;
        Ok(Person {
            dn: one.dn,
            name: one.name,
            email: one.email,
            groups: groups.found,
        })
    }
}

#[cfg(test)]
mod tests;
