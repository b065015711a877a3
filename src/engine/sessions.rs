//! Sessions of people: begun, changed and ended; and which settings the people who have signed in allow. Decisions
//! only: who somebody is, `people` has asked before.

use super::builds::Batch;
use super::command::{Actor, CommandError, Reply};
use crate::access::{Hash, Role, Way};
use crate::clock::Timestamp;
use crate::settings::check::Finding;
use crate::settings::value::Values;
use crate::store::{PersonRecord, SessionRecord};

/// Sessions of one person that are open at once; one more ends the oldest.
const EACH: usize = 20;

/// Sessions altogether: more than an installation has people who work at the same time.
const MOST: usize = 4096;

/// How long a session is remembered after its end, to say why it opens nothing.
const REMEMBERED_MS: i64 = 7 * 86_400_000;

/// People that a finding names.
const NAMED: usize = 3;

/// Wishes on sessions of people.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    /// Somebody was who they said.
    Begin(Box<NewSession>),
    /// The person whose session it is leaves.
    Leave {
        /// Which.
        id: String,
        /// Their name.
        name: String,
    },
    /// Sessions of a person end. The server's own doing, or that of an administrator.
    End {
        /// Which.
        ids: Vec<String>,
        /// Their name.
        name: String,
        /// Why, as an end of a sentence about the session.
        why: String,
    },
    /// A person may do this from now on.
    Role {
        /// Their sessions.
        ids: Vec<String>,
        /// Their name.
        name: String,
        /// What.
        role: Role,
    },
    /// The people of these sessions were found as they were. No deed for the audit log.
    Checked(Vec<String>),
    /// Somebody who has signed in is forgotten, with their sessions.
    Forget {
        /// Where they are known.
        kind: String,
        /// By which name.
        name: String,
    },
}

impl SessionCommand {
    /// The least role that may ask for it: who signs in or leaves is anybody.
    pub(super) fn needs(&self) -> Role {
        match self {
            SessionCommand::Begin(_) | SessionCommand::Leave { .. } => Role::Viewer,
            _ => Role::Admin,
        }
    }

    /// What the audit log says of it: action, object, detail.
    pub(super) fn told(&self) -> Option<(&'static str, String, String)> {
        Some(match self {
            SessionCommand::Begin(new) => {
                let from = match new.origin.as_str() {
                    "" => String::new(),
                    origin => format!(" from {origin}"),
                };
                let detail = format!("{} {}{from}", new.way.word(), new.role);
                ("session.sign_in", new.name.clone(), detail)
            }
            SessionCommand::Leave { name, .. } => ("session.sign_out", name.clone(), String::new()),
            SessionCommand::End { name, why, .. } => ("session.end", name.clone(), why.clone()),
            SessionCommand::Role { name, role, .. } => {
                ("session.role", name.clone(), role.to_string())
            }
            SessionCommand::Forget { kind, name } => ("people.forget", name.clone(), kind.clone()),
            SessionCommand::Checked(_) => return None,
        })
    }
}

/// A session to be remembered.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What names it.
    pub id: String,
    /// Of its secret.
    pub hash: Hash,
    /// How the person signed in.
    pub way: Way,
    /// Their name.
    pub name: String,
    /// What they are known by.
    pub mark: String,
    /// Their address; may be empty.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// Where they signed in from; empty on the machine itself.
    pub origin: String,
}

impl Batch<'_, '_> {
    /// Decides a wish on sessions.
    pub(super) fn session(
        &mut self,
        command: SessionCommand,
        actor: &Actor,
    ) -> Result<Reply, CommandError> {
        let mut count = 0;
        match command {
            SessionCommand::Begin(new) => self.begin_session(*new)?,
            SessionCommand::Leave { id, .. } => {
                let why = "its person signed out";
                if !self.tx.end_session(&id, self.now, why)? {
                    let (what, name) = ("session", id);
                    return Err(CommandError::NotFound { what, name });
                }
            }
            SessionCommand::End { ids, why, .. } => {
                for id in ids {
                    count += u64::from(self.tx.end_session(&id, self.now, &why)?);
                }
            }
            SessionCommand::Role { ids, role, .. } => {
                for id in ids {
                    self.tx.set_session_role(&id, role)?;
                }
            }
            SessionCommand::Checked(ids) => {
                // What opens stays as it is.
                for id in ids {
                    self.tx.note_session_checked(&id, self.now)?;
                }
                return Ok(Reply::Noted);
            }
            SessionCommand::Forget { kind, name } => {
                if !self.tx.forget_person(&kind, &name)? {
                    let what = "person";
                    return Err(CommandError::NotFound { what, name });
                }
                let why = format!("{} has forgotten its person", actor.name);
                for session in self.tx.sessions()? {
                    if session.way.word() == kind && session.name == name {
                        count += u64::from(self.tx.end_session(&session.id, self.now, &why)?);
                    }
                }
            }
        }
        self.state.load_tokens(self.tx)?;
        Ok(Reply::Forgotten { count })
    }

    fn begin_session(&mut self, new: NewSession) -> Result<(), CommandError> {
        self.tx
            .forget_sessions(Timestamp(self.now.0 - REMEMBERED_MS))?;
        if self.state.tokens.counts().0 >= MOST {
            return Err(CommandError::Conflict {
                what: "session",
                name: new.name,
                why: format!("is one too many: {MOST} are open"),
            });
        }
        let own: Vec<_> = self
            .tx
            .sessions()?
            .into_iter()
            .filter(|one| one.ended.is_none() && one.way == new.way && one.name == new.name)
            .collect();
        let over = (own.len() + 1).saturating_sub(EACH);
        for oldest in &own[..over] {
            let why = format!("its person has {EACH} newer ones");
            self.tx.end_session(&oldest.id, self.now, &why)?;
        }
        if new.way == Way::Ldap {
            self.tx.note_person(&PersonRecord {
                kind: new.way.word().to_owned(),
                name: new.name.clone(),
                email: new.email,
                first: self.now,
                last: self.now,
            })?;
        }
        self.tx.insert_session(&SessionRecord {
            id: new.id,
            way: new.way,
            name: new.name,
            mark: new.mark,
            role: new.role,
            hash: new.hash,
            created: self.now,
            expires: new.expires,
            checked: self.now,
            origin: new.origin,
            ended: None,
        })?;
        Ok(())
    }

    /// Refuses settings that would shut out the people who sign in here.
    pub(super) fn people_allow(&self, values: &Values) -> Result<(), CommandError> {
        match conflict(values, &self.tx.people()?) {
            None => Ok(()),
            Some(finding) => Err(CommandError::Settings {
                findings: vec![finding],
            }),
        }
    }
}

/// What the people who have signed in have against some values: directory and GitHub exclude one another, since a name
/// of the one is nobody in the other.
#[must_use]
pub fn conflict(values: &Values, people: &[PersonRecord]) -> Option<Finding> {
    let of = |kind: &str| -> Vec<&str> {
        let known = people.iter().filter(|person| person.kind == kind);
        known.map(|person| person.name.as_str()).collect()
    };
    let ldap = values.on("ldap.enabled");
    let (others, what, message) = if ldap {
        (
            of("github"),
            "github",
            "cannot be on where people sign in with GitHub",
        )
    } else if values.has("ghe_client_id") {
        let message =
            "cannot be off, with GitHub in its place, where people sign in by the directory";
        (of("ldap"), "ldap", message)
    } else {
        return None;
    };
    if others.is_empty() {
        return None;
    }
    let mut names = others[..others.len().min(NAMED)].join(", ");
    if others.len() > NAMED {
        names += &format!(" and {} more", others.len() - NAMED);
    }
    Some(Finding {
        fix: Some(format!(
            "begin with a new installation, or let those go whose name means nothing then: `roundel people forget {what} NAME`"
        )),
        ..Finding::unreadable("ldap.enabled", format!("{message}: {names}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::value::Value;

    fn person(kind: &str, name: &str) -> PersonRecord {
        PersonRecord {
            kind: kind.to_owned(),
            name: name.to_owned(),
            email: String::new(),
            first: Timestamp(1),
            last: Timestamp(1),
        }
    }

    #[test]
    fn people_of_one_kind_keep_the_other_kind_out() {
        let people = |kind: &str| ["ann", "ben", "eve", "joe"].map(|name| person(kind, name));
        let mut values = Values::default();
        for kind in ["ldap", "github"] {
            assert_eq!(conflict(&values, &people(kind)), None, "nobody signs in");
        }
        values.set("ghe_client_id", Value::Text("0".repeat(20)));
        assert_eq!(conflict(&values, &people("github")), None);
        let refused = conflict(&values, &people("ldap")).expect("refused");
        assert!(refused.is_error() && refused.key == "ldap.enabled");
        assert!(
            refused.message.ends_with("ann, ben, eve and 1 more"),
            "{refused:?}"
        );
        values.set("ldap.enabled", Value::Switch(true));
        assert_eq!(conflict(&values, &people("ldap")), None);
        let refused = conflict(&values, &people("github")).expect("refused");
        assert!(refused.message.contains("GitHub: ann"), "{refused:?}");
        assert_eq!(conflict(&values, &[]), None);
    }
}
