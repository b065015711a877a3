//! Tokens of people and programs: `rdl_<id>_<secret>`, of which only the hash of the secret is kept.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Role;
use crate::clock::Timestamp;
use crate::secret::{Secret, same};

/// What every token begins with, so that a leak is found by a search.
const PREFIX: &str = "rdl_";

/// SHA-256 of a secret.
pub type Hash = [u8; 32];

/// Hash of a secret: what is kept of it.
#[must_use]
pub fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// A token that was just made. Its whole text is shown once and cannot be printed by accident.
pub struct Fresh {
    /// What names it: twelve hex digits, no secret.
    pub id: String,
    secret: Secret,
}

impl Fresh {
    /// Makes one, of 244 random bits.
    #[must_use]
    pub fn make() -> Self {
        let random = || Uuid::new_v4().simple().to_string();
        Self {
            id: random().split_off(20),
            secret: Secret::new(random() + &random()),
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash(self.secret.expose())
    }

    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret.expose())
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_...", self.id)
    }
}

/// Id and secret of a token's text; `None` when it is none.
#[must_use]
pub fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let plain = |part: &str| {
        (1..=64).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (plain(id) && plain(secret)).then_some((id, secret))
}

/// How a person signed in whom a session is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By the directory.
    Ldap,
    /// By the password of the console.
    Console,
}

impl Way {
    /// As it is stored and printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Way::Ldap => "ldap",
            Way::Console => "console",
        }
    }

    /// What the audit log calls a person who came this way: no token and no account of the machine is called so.
    #[must_use]
    pub fn actor(self, name: &str) -> String {
        match self {
            Way::Ldap => format!("{name} (ldap)"),
            Way::Console => "password of the console".to_owned(),
        }
    }
}

impl FromStr for Way {
    type Err = NoWay;

    fn from_str(text: &str) -> Result<Self, NoWay> {
        let mut all = [Way::Ldap, Way::Console].into_iter();
        all.find(|way| way.word() == text).ok_or(NoWay)
    }
}

/// What names no way of signing in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no way of signing in")]
pub struct NoWay;

/// A token that opens something, or has opened something and can say why not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who carries it, as the audit log has it.
    pub who: String,
    /// How the person signed in whose session it is; `None` for a token that somebody made.
    pub way: Option<Way>,
    /// What it may do.
    pub role: Role,
    /// Of its secret.
    pub hash: Hash,
    /// When it ends; `None` for never.
    pub expires: Option<Timestamp>,
    /// Why it was ended, when it was.
    pub ended: Option<String>,
}

/// Why a token does not open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is none of that id, or its secret is another: which of the two is not told.
    Wrong,
    /// Its time is over.
    Expired(Timestamp),
    /// It was ended, and why.
    Ended(String),
}

/// All tokens that were not revoked, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(HashMap<String, Entry>);

impl FromIterator<(String, Entry)> for Tokens {
    fn from_iter<I: IntoIterator<Item = (String, Entry)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Tokens {
    /// The token that this id and secret open.
    ///
    /// # Errors
    /// When they open none, or its time is over.
    pub fn open(&self, id: &str, secret: &str, now: Timestamp) -> Result<&Entry, Refused> {
        let found = self.0.get(id);
        // Hashed and compared also when there is none, so that both take the same time.
        let none = Hash::default();
        let right = same(&hash(secret), found.map_or(&none, |entry| &entry.hash));
        let entry = found.filter(|_| right).ok_or(Refused::Wrong)?;
        match (&entry.ended, entry.expires) {
            (Some(why), _) => Err(Refused::Ended(why.clone())),
            (None, Some(end)) if end <= now => Err(Refused::Expired(end)),
            _ => Ok(entry),
        }
    }

    /// Why a token opens nothing any more, whose time is not over; `None` while it opens.
    #[must_use]
    pub fn why_ended(&self, id: &str) -> Option<String> {
        match self.0.get(id) {
            Some(entry) => entry.ended.clone(),
            None => Some("it was revoked".to_owned()),
        }
    }

    /// Whether the one of this id is a person's session.
    #[must_use]
    pub fn is_session(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|entry| entry.way.is_some())
    }

    /// Whether a token of this id is there.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Number of those that are sessions of people, and of those that are not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let open = self.0.values().filter(|entry| entry.ended.is_none());
        let sessions = open.clone().filter(|entry| entry.way.is_some()).count();
        (sessions, open.count() - sessions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fresh: &Fresh, expires: Option<i64>) -> (String, Entry) {
        let entry = Entry {
            who: "laptop".to_owned(),
            way: None,
            role: Role::Viewer,
            hash: fresh.hash(),
            expires: expires.map(Timestamp),
            ended: None,
        };
        (fresh.id.clone(), entry)
    }

    #[test]
    fn a_token_opens_by_its_own_secret_and_until_its_time() {
        let (a, b) = (Fresh::make(), Fresh::make());
        let tokens = Tokens::from_iter([entry(&a, None), entry(&b, Some(100))]);
        let open = |text: &str, now| {
            let (id, secret) = parts(text).unwrap();
            tokens
                .open(id, secret, Timestamp(now))
                .map(|entry| entry.role)
        };
        assert_eq!(open(&a.reveal(), 1), Ok(Role::Viewer));
        assert_eq!(open(&b.reveal(), 99), Ok(Role::Viewer));
        assert_eq!(
            open(&b.reveal(), 100),
            Err(Refused::Expired(Timestamp(100)))
        );
        let mixed = format!("rdl_{}_{}", a.id, parts(&b.reveal()).unwrap().1);
        assert_eq!(open(&mixed, 1), Err(Refused::Wrong));
        assert_eq!(open("rdl_abc_def", 1), Err(Refused::Wrong));
        assert!(tokens.holds(&a.id) && !tokens.holds("abc"));
    }

    #[test]
    fn one_that_was_ended_says_why_to_whoever_has_its_secret() {
        let (a, b) = (Fresh::make(), Fresh::make());
        let (id, mut ended) = entry(&a, Some(100));
        ended.ended = Some("gone".to_owned());
        let tokens = Tokens::from_iter([(id, ended), entry(&b, None)]);
        let text = a.reveal();
        let (id, secret) = parts(&text).unwrap();
        let open = |secret: &str, now| tokens.open(id, secret, Timestamp(now)).err();
        assert_eq!(open(secret, 1), Some(Refused::Ended("gone".to_owned())));
        assert_eq!(open("guess", 1), Some(Refused::Wrong));
        assert_eq!(tokens.why_ended(id).as_deref(), Some("gone"));
        assert_eq!(tokens.why_ended(&b.id), None);
        assert!(tokens.why_ended("abc").is_some());
        assert_eq!(tokens.counts(), (0, 1));
    }

    #[test]
    fn no_two_are_alike_and_none_prints_its_secret() {
        let (a, b) = (Fresh::make(), Fresh::make());
        assert_ne!(a.reveal(), b.reveal());
        let text = a.reveal();
        let (id, secret) = parts(&text).unwrap();
        assert_eq!((id.len(), secret.len()), (12, 64));
        assert!(!format!("{a:?}").contains(secret));
    }

    #[test]
    fn what_is_no_token_is_told_from_one() {
        for text in [
            "",
            "rdl_",
            "rdl__x",
            "rdl_x_",
            "rdl_x",
            "x_y_z",
            "rdl_a b_c",
            "rdl_a_b\n",
        ] {
            assert_eq!(parts(text), None, "{text:?}");
        }
        assert_eq!(parts(&format!("rdl_a_{}", "x".repeat(65))), None);
    }
}
