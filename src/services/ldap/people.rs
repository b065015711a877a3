//! Who is meant by a name: the search for a person, and the proof by a bind.

use ldap3::Scope;

use super::error::{BindFault, DirectoryError};
use super::reason::Refusal;
use super::session::{Entry, Question, Session};
use super::{Directory, Endpoint, Product, Who, filter, referral};
use crate::clock::{self, Timestamp};
use crate::secret::Secret;
use crate::settings::rules::is_below;

/// As many as it takes to know that a name is not one person's.
const ENOUGH: u16 = 2;

/// Most referrals of a search that are followed.
const FOLLOWED_MAX: usize = 4;

/// What to do where people are on servers that are not asked.
pub(super) const ELSEWHERE: &str =
    "name the server that has the people, or switch `ldap.referrals` on: then it is asked too";

/// Bit of `userAccountControl`: the account is disabled (MS-ADTS §2.2.16).
const DISABLED: i64 = 0x2;

/// `pwdAccountLockedTime` of an account that an administrator has locked for good (draft-behera-ldap-password-policy §5.3.3).
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// Somebody who may be meant.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) dn: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    /// Why the account is none any more, as its entry says.
    pub(super) refusal: Option<Refusal>,
    /// The server that has the entry.
    pub(super) at: Endpoint,
}

/// Who may be meant.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) all: Vec<Candidate>,
    /// Servers that were named and not asked.
    pub(super) skipped: Vec<String>,
    /// Why not.
    pub(super) why: Option<String>,
}

impl Candidates {
    /// The one person who is meant.
    pub(super) fn one(mut self, name: &str, people: &str) -> Result<Candidate, DirectoryError> {
        match (self.all.pop(), self.all.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(last), false) => {
                let all = self.all.iter().chain(Some(&last));
                Err(DirectoryError::Several {
                    name: name.to_owned(),
                    dns: all.map(|one| one.dn.clone()).collect(),
                })
            }
            (None, _) if !self.skipped.is_empty() => Err(DirectoryError::Referral {
                servers: self.skipped,
                why: self.why.unwrap_or_default(),
            }),
            (None, _) => Err(DirectoryError::Unknown {
                name: name.to_owned(),
                people: people.to_owned(),
            }),
        }
    }
}

/// An entry below the base: what settings say is relative to it, and also taken when it is whole.
pub(super) fn below(relative: &str, base: &str) -> String {
    if relative.is_empty() {
        base.to_owned()
    } else if is_below(relative, base) {
        relative.to_owned()
    } else {
        format!("{relative},{base}")
    }
}

/// Everybody who may be meant: nobody, one, or enough to know that it is not one.
pub(super) async fn find(
    dir: &Directory,
    session: &mut Session,
    who: Who<'_>,
) -> Result<Candidates, DirectoryError> {
    let mut found = Candidates::default();
    let question = match who {
        Who::Name(name) if name.is_empty() || name.len() > filter::NAME_MAX => return Ok(found),
        Who::Name(name) => dir.question(&dir.people, Scope::Subtree, dir.filter_of(name)),
        Who::Dn(dn) if !is_below(dn, &dir.people) => return Ok(found),
        Who::Dn(dn) => dir.question(dn, Scope::Base, "(objectClass=*)".to_owned()),
    };
    let (base, scope, filter) = (question.base, question.scope, question.filter.clone());
    let answer = session.search(question).await;
    let answer = match answer.map_err(|err| err.at_entry(base, "ldap.user_search_dn")) {
        // Somebody who was there and is there no more.
        Err(DirectoryError::Base { .. }) if matches!(who, Who::Dn(_)) => return Ok(found),
        answer => answer?,
    };
    let candidate = |at: &Endpoint, entry: Entry| dir.candidate(at, who, entry);
    found.all.extend(
        answer
            .entries
            .into_iter()
            .map(|entry| candidate(&dir.at, entry)),
    );
    if !dir.follows {
        if !answer.referrals.is_empty() {
            found.why = Some(ELSEWHERE.to_owned());
        }
        found.skipped = answer.referrals;
        return Ok(found);
    }
    for url in answer.referrals.into_iter().take(FOLLOWED_MAX) {
        // One hop: what a server that was referred to refers to is not asked.
        let target = match referral::target(&url, &dir.at) {
            Ok(target) => target,
            Err(why) => {
                found.skipped.push(url);
                found.why = Some(why);
                continue;
            }
        };
        let mut other = dir.open_at(&target.at).await?;
        let base = target.base.as_deref().unwrap_or(base);
        let answer = other
            .search(dir.question(base, scope, filter.clone()))
            .await?;
        let more = answer.entries.into_iter();
        found
            .all
            .extend(more.map(|entry| candidate(&target.at, entry)));
    }
    Ok(found)
}

/// Signs in as the person, on a connection of its own.
pub(super) async fn prove(
    dir: &Directory,
    one: &Candidate,
    password: &Secret,
) -> Result<(), DirectoryError> {
    let mut own = dir.dial(&one.at).await?;
    let refused = |why| DirectoryError::Account {
        dn: one.dn.clone(),
        why,
    };
    let bound = own.bind(&one.dn, password).await?;
    // What the entry says holds also where the directory lets its account in, and is more exact than that it is locked.
    let why = match (bound, one.refusal) {
        (Ok(()) | Err(BindFault::Account(Refusal::Locked)), Some(refusal)) => {
            BindFault::Account(refusal)
        }
        (Ok(()), None) => return Ok(()),
        (Err(why), _) => why,
    };
    Err(refused(why))
}

impl Directory {
    fn question<'a>(&'a self, base: &'a str, scope: Scope, filter: String) -> Question<'a> {
        let mut attributes = vec![self.user_field.as_str()];
        attributes.extend(self.email_field.as_deref());
        attributes.extend(match self.product {
            Product::ActiveDirectory => ["userAccountControl", "accountExpires"].as_slice(),
            Product::OpenLdap => ["pwdAccountLockedTime"].as_slice(),
        });
        Question {
            base,
            scope,
            filter,
            attributes,
            most: ENOUGH,
        }
    }

    /// The filter that finds a person by the name that was typed.
    fn filter_of(&self, name: &str) -> String {
        let by_field = filter::equals(&self.user_field, name);
        match self.product {
            Product::OpenLdap => by_field,
            Product::ActiveDirectory => {
                let by_principal = if name.contains('@') {
                    filter::equals("userPrincipalName", name)
                } else {
                    String::new()
                };
                // Machines have such names too, and are users.
                format!("(&(objectClass=user)(!(objectClass=computer))(|{by_field}{by_principal}))")
            }
        }
    }

    fn candidate(&self, at: &Endpoint, who: Who<'_>, entry: Entry) -> Candidate {
        let names = entry.all(&self.user_field);
        let asked = match who {
            Who::Name(name) => name,
            Who::Dn(_) => "",
        };
        let name = names
            .iter()
            .find(|name| name.eq_ignore_ascii_case(asked))
            .or(names.first());
        let email = self.email_field.as_deref();
        Candidate {
            name: name.cloned().unwrap_or_else(|| asked.to_owned()),
            email: email
                .and_then(|field| entry.first(field))
                .map(str::to_owned),
            refusal: refusal(&entry, clock::now()),
            at: at.clone(),
            dn: entry.dn,
        }
    }
}

/// Whether an entry says that its account is over.
fn refusal(entry: &Entry, now: Timestamp) -> Option<Refusal> {
    let number = |attribute| entry.first(attribute)?.parse::<i64>().ok();
    if number("userAccountControl").is_some_and(|bits| bits & DISABLED != 0) {
        return Some(Refusal::Disabled);
    }
    if number("accountExpires").is_some_and(|at| has_expired(at, now)) {
        return Some(Refusal::AccountExpired);
    }
    (entry.first("pwdAccountLockedTime") == Some(LOCKED_FOR_GOOD)).then_some(Refusal::Disabled)
}

/// Of `accountExpires`: intervals of 100 ns since 1601; 0 and the largest number mean never (MS-ADA1 §2.1).
fn has_expired(at: i64, now: Timestamp) -> bool {
    const TO_1970_MS: i64 = 11_644_473_600_000;
    at != 0 && at != i64::MAX && at / 10_000 - TO_1970_MS <= now.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_below_the_base() {
        for (relative, whole) in [
            ("ou=users", "ou=users,dc=example,dc=com"),
            ("", "dc=example,dc=com"),
            ("ou=users,DC=Example, dc=com", "ou=users,DC=Example, dc=com"),
        ] {
            assert_eq!(below(relative, "dc=example,dc=com"), whole);
        }
    }

    #[test]
    fn an_account_expires_when_its_time_has_come() {
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        // 2026-01-01 in intervals of 100 ns since 1601.
        let at = 134_116_992_000_000_000;
        assert!(has_expired(at, now));
        assert!(!has_expired(at + 10_000, now));
        assert!(!has_expired(0, now) && !has_expired(i64::MAX, now));
    }
}
