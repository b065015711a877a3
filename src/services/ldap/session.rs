//! A conversation with a directory: binds and searches, each in its time.
//!
//! The library panics on some answers that are no LDAP; here that is an error like any other.

use std::collections::HashMap;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ldap3::controls::RawControl;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry,
    SearchOptions, StdStream, parse_refs,
};
use tokio::time::timeout;

use super::Endpoint;
use super::error::{BindFault, DirectoryError};
use super::link::{Fault, Link};
use super::reason::{Answer, Policy, REFERRAL, Refusal, SIZE_LIMIT};
use crate::secret::Secret;

/// Most referrals of one search that are kept.
const REFERRALS_MAX: usize = 16;

/// An open connection.
pub(super) struct Session {
    at: Endpoint,
    ldap: Ldap,
    fault: Fault,
    limit: Duration,
}

/// A search.
pub(super) struct Question<'a> {
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    pub(super) filter: String,
    pub(super) attributes: Vec<&'a str>,
    /// Most entries that are wanted.
    pub(super) most: u16,
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// Where there may be more.
    pub(super) referrals: Vec<String>,
    /// There are more than were wanted, or than the directory gives.
    pub(super) more: bool,
}

/// An entry. Attributes are found by any spelling of their names.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: HashMap<String, Vec<String>>,
}

impl Entry {
    pub(super) fn all(&self, attribute: &str) -> &[String] {
        self.attributes
            .get(&attribute.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn first(&self, attribute: &str) -> Option<&str> {
        self.all(attribute).first().map(String::as_str)
    }
}

impl From<SearchEntry> for Entry {
    fn from(entry: SearchEntry) -> Self {
        let attributes = entry.attrs.into_iter();
        Self {
            dn: entry.dn,
            attributes: attributes
                .map(|(name, values)| (name.to_ascii_lowercase(), values))
                .collect(),
        }
    }
}

impl Session {
    /// Speaks LDAP over a connection.
    pub(super) async fn over(
        at: &Endpoint,
        link: Link,
        limit: Duration,
    ) -> Result<Self, DirectoryError> {
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(link.stream));
        let (connection, ldap) = LdapConnAsync::with_settings(settings, "ldapi:///")
            .await
            .map_err(|err| DirectoryError::garbled(at, err.to_string()))?;
        // Ends when the session is dropped; what went wrong is heard of by who asked.
        tokio::spawn(async move {
            let _ = connection.drive().await;
        });
        Ok(Self {
            at: at.clone(),
            ldap,
            fault: link.fault,
            limit,
        })
    }

    /// Signs in on the connection. The inner result is the directory's answer.
    pub(super) async fn bind(
        &mut self,
        name: &str,
        password: &Secret,
    ) -> Result<Result<(), BindFault>, DirectoryError> {
        // Where both are empty, or one is, most directories let in nobody in particular.
        if name.is_empty() || password.expose().is_empty() {
            return Err(DirectoryError::EmptyPassword);
        }
        self.ldap.with_controls(RawControl {
            ctype: Policy::OID.to_owned(),
            crit: false,
            val: None,
        });
        let asked = self.ldap.simple_bind(name, password.expose());
        let result = answered(&self.at, &self.fault, self.limit, "answer to a bind", asked).await?;
        let policy = result
            .ctrls
            .iter()
            .filter(|control| control.1.ctype == Policy::OID)
            .find_map(|control| Policy::of(control.1.val.as_deref()?));
        let answer = Answer::from(result);
        if answer.code == 0 && policy.is_none() {
            return Ok(Ok(()));
        }
        Ok(Err(match Refusal::of(&answer, policy) {
            Some(refusal) => BindFault::Account(refusal),
            None => BindFault::Other(answer),
        }))
    }

    /// Searches. An answer that is no success is [`DirectoryError::Search`].
    pub(super) async fn search(&mut self, question: Question<'_>) -> Result<Found, DirectoryError> {
        self.search_within(self.limit, question).await
    }

    /// The same in a time of its own.
    pub(super) async fn search_within(
        &mut self,
        limit: Duration,
        question: Question<'_>,
    ) -> Result<Found, DirectoryError> {
        let base = question.base;
        let asked = search(&mut self.ldap, limit, &question);
        let (mut found, answer) =
            answered(&self.at, &self.fault, limit, "answer to a search", asked).await?;
        found.referrals.extend(answer.referrals.iter().cloned());
        found.referrals.truncate(REFERRALS_MAX);
        match answer.code {
            0 | REFERRAL => Ok(found),
            SIZE_LIMIT => {
                found.more = true;
                Ok(found)
            }
            _ => Err(DirectoryError::Search {
                base: base.to_owned(),
                answer,
            }),
        }
    }
}

async fn search(
    ldap: &mut Ldap,
    limit: Duration,
    question: &Question<'_>,
) -> Result<(Found, Answer), LdapError> {
    let seconds = i32::try_from(limit.as_secs()).unwrap_or(i32::MAX);
    ldap.with_search_options(
        SearchOptions::new()
            .sizelimit(i32::from(question.most))
            .timelimit(seconds),
    );
    let attributes: Vec<String> = question.attributes.iter().map(|&a| a.to_owned()).collect();
    let mut stream = ldap
        .streaming_search(question.base, question.scope, &question.filter, attributes)
        .await?;
    let mut found = Found::default();
    while let Some(item) = stream.next().await? {
        if item.is_intermediate() {
            continue;
        }
        if item.is_ref() {
            found.referrals.extend(parse_refs(item.0));
            found.referrals.truncate(REFERRALS_MAX);
        } else if found.entries.len() < usize::from(question.most) {
            found.entries.push(SearchEntry::construct(item).into());
        } else {
            // It was asked for no more.
            found.more = true;
            break;
        }
    }
    let more = found.more;
    let mut answer = Answer::from(stream.finish().await);
    if more {
        answer.code = SIZE_LIMIT;
    }
    Ok((found, answer))
}

/// What the library answers, in its time; a panic of the library is an answer that is no LDAP.
async fn answered<T>(
    at: &Endpoint,
    fault: &Fault,
    limit: Duration,
    what: &'static str,
    asked: impl Future<Output = Result<T, LdapError>>,
) -> Result<T, DirectoryError> {
    let garbled = |why: &str| DirectoryError::garbled(at, why);
    let ended = |source: io::Error| match fault.get() {
        Some(why) => garbled(why),
        None => DirectoryError::ended(at, source),
    };
    match timeout(limit, AssertUnwindSafe(asked).catch_unwind()).await {
        Err(_) => Err(DirectoryError::silent(at, what, limit)),
        Ok(Err(_)) => Err(garbled("an answer is not built as LDAP has it")),
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(LdapError::Io { source }))) => Err(ended(source)),
        Ok(Ok(Err(
            LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. },
        ))) => Err(ended(io::ErrorKind::UnexpectedEof.into())),
        Ok(Ok(Err(err))) => Err(garbled(&err.to_string())),
    }
}

impl From<LdapResult> for Answer {
    fn from(result: LdapResult) -> Self {
        Self {
            code: result.rc,
            text: result.text,
            referrals: result.refs,
        }
    }
}
