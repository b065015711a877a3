//! Why a directory gives no person: what is at fault, how to mend it, and which setting that is.

use std::io;
use std::time::Duration;

use super::certificate::{Certificate, Distrust, shown};
use super::reason::{Answer, INVALID_DN, NO_SUCH_OBJECT, Refusal};
use super::{Encryption, Endpoint};
use crate::error::{Explain, Kind};
use crate::sanitise::line;

/// Most characters of a name that is told on.
const SHOWN_MAX: usize = 80;

/// Why nobody was found, or nothing could be said.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A setting cannot be used.
    #[error("`{key}` {why}")]
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong, as the end of a sentence.
        why: String,
        /// What to do about it.
        fix: String,
    },
    /// The search password is sealed, and what opens it is not there.
    #[error("the search password cannot be opened now")]
    Locked,
    /// The name means no address.
    #[error("the name `{host}` cannot be resolved")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody takes the connection.
    #[error("no connection to {address}")]
    Connect {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("{address} gave no {what} within {seconds} s")]
    Silent {
        /// Host and port.
        address: String,
        /// What was waited for.
        what: &'static str,
        /// How long.
        seconds: u64,
    },
    /// The other side ended the connection, or the network did.
    #[error("{address} ended the connection")]
    Ended {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What answers is no directory.
    #[error("{address} does not answer as a directory does: {why}")]
    Garbled {
        /// Host and port.
        address: String,
        /// In which way.
        why: String,
    },
    /// The directory does not encrypt on this port.
    #[error("{address} refuses StartTLS: {answer}")]
    NoStartTls {
        /// Host and port.
        address: String,
        /// What it said.
        answer: Answer,
    },
    /// No encrypted connection came about.
    #[error("no TLS with {address}")]
    Handshake {
        /// Host and port.
        address: String,
        /// The connection was to be encrypted from its first byte.
        ldaps: bool,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate is not trusted.
    #[error("the certificate of {address} is refused: {why}; it shows {}", shown(.chain))]
    Certificate {
        /// Host and port.
        address: String,
        /// Why.
        why: Distrust,
        /// What it showed, its own first.
        chain: Vec<Certificate>,
        /// The connection was to be encrypted from its first byte.
        ldaps: bool,
    },
    /// No authority is trusted, neither the system's nor one of the settings.
    #[error("no authority is trusted here")]
    NoAuthority,
    /// The search user is refused.
    #[error("the search user `{}` is refused: {}", line(.user), .why.words())]
    SearchUser {
        /// As the settings name it.
        user: String,
        /// Why.
        why: BindFault,
    },
    /// An entry that settings name is not there.
    #[error("there is no entry `{}`: {answer}", line(.dn))]
    Base {
        /// The entry.
        dn: String,
        /// The setting that names it.
        key: &'static str,
        /// What the directory said.
        answer: Answer,
    },
    /// What is looked for is on other servers, which are not asked.
    #[error("the directory says that this is at {}", line(&.servers.join(", ")))]
    Referral {
        /// Addresses that it named.
        servers: Vec<String>,
        /// Why they were not asked.
        why: String,
    },
    /// A search failed.
    #[error("the search below `{}` failed: {answer}", line(.base))]
    Search {
        /// Where.
        base: String,
        /// What the directory said.
        answer: Answer,
    },
    /// Nobody has the name.
    #[error("nobody below `{}` is called `{}`", line(.people), short(.name))]
    Unknown {
        /// The name.
        name: String,
        /// Where was looked.
        people: String,
    },
    /// Several have the name.
    #[error("several are called `{}`: {}", short(.name), line(&.dns.join(" and ")))]
    Several {
        /// The name.
        name: String,
        /// Some of them.
        dns: Vec<String>,
    },
    /// No password was given. Most directories take a bind without one for nobody's, and let it in.
    #[error("the password is empty, and an empty one is never sent")]
    EmptyPassword,
    /// The directory refuses the person.
    #[error("the directory refuses `{}`: {}", line(.dn), .why.words())]
    Account {
        /// The person's entry.
        dn: String,
        /// Why.
        why: BindFault,
    },
}

/// Why a bind was refused: something that is known of accounts, or else the directory's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BindFault {
    /// The account.
    Account(Refusal),
    /// Something else.
    Other(Answer),
}

impl BindFault {
    fn words(&self) -> String {
        match self {
            BindFault::Account(refusal) => refusal.words().to_owned(),
            BindFault::Other(answer) => answer.to_string(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            BindFault::Account(_) => Kind::SignIn,
            BindFault::Other(answer) if answer.wants_encryption() || answer.code == INVALID_DN => {
                Kind::Usage
            }
            BindFault::Other(answer) if answer.is_outage() => Kind::Unavailable,
            BindFault::Other(_) => Kind::Refused,
        }
    }
}

/// An error about a setting.
pub(super) fn setting(key: &'static str, why: &str, fix: &str) -> DirectoryError {
    DirectoryError::Setting {
        key,
        why: why.to_owned(),
        fix: fix.to_owned(),
    }
}

/// The beginning of a name that somebody typed.
fn short(name: &str) -> String {
    let name = line(name);
    match name.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.into_owned(),
    }
}

impl DirectoryError {
    pub(super) fn silent(at: &Endpoint, what: &'static str, limit: Duration) -> Self {
        DirectoryError::Silent {
            address: at.to_string(),
            what,
            seconds: limit.as_secs(),
        }
    }

    pub(super) fn ended(at: &Endpoint, source: io::Error) -> Self {
        DirectoryError::Ended {
            address: at.to_string(),
            source,
        }
    }

    pub(super) fn garbled(at: &Endpoint, why: impl Into<String>) -> Self {
        DirectoryError::Garbled {
            address: at.to_string(),
            why: why.into(),
        }
    }

    pub(super) fn handshake(at: &Endpoint, source: io::Error) -> Self {
        DirectoryError::Handshake {
            address: at.to_string(),
            ldaps: at.encryption == Encryption::Ldaps,
            source,
        }
    }

    /// Of a search below an entry that a setting names: where the entry is not there, it is that which is wrong.
    pub(super) fn at_entry(self, dn: &str, key: &'static str) -> Self {
        match self {
            DirectoryError::Search { answer, .. } if answer.code == NO_SUCH_OBJECT => {
                DirectoryError::Base {
                    dn: dn.to_owned(),
                    key,
                    answer,
                }
            }
            other => other,
        }
    }

    /// Whether it says no to the person, where everything else says that nothing is known: name, password or account.
    #[must_use]
    pub fn refuses(&self) -> bool {
        match self {
            DirectoryError::Unknown { .. }
            | DirectoryError::Several { .. }
            | DirectoryError::EmptyPassword => true,
            DirectoryError::Account { why, .. } => matches!(why, BindFault::Account(_)),
            _ => false,
        }
    }

    /// Key of the setting that is probably at fault.
    #[must_use]
    pub fn setting(&self) -> Option<&'static str> {
        Some(match self {
            DirectoryError::Setting { key, .. } | DirectoryError::Base { key, .. } => key,
            DirectoryError::Locked => "ldap.search_password",
            DirectoryError::Resolve { .. } => "ldap.hostname",
            DirectoryError::Connect { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => "ldap.port",
                _ => "ldap.hostname",
            },
            DirectoryError::Silent { .. }
            | DirectoryError::Ended { .. }
            | DirectoryError::Garbled { .. } => "ldap.port",
            DirectoryError::NoStartTls { .. } | DirectoryError::Handshake { .. } => {
                "ldap.encryption"
            }
            DirectoryError::Certificate { why, .. } => match why {
                Distrust::Issuer => "ca.certificates",
                Distrust::Name { .. } => "ldap.hostname",
                _ => return None,
            },
            DirectoryError::NoAuthority => "ca.certificates",
            DirectoryError::SearchUser { why, .. } => match why {
                BindFault::Account(Refusal::Password) => "ldap.search_password",
                BindFault::Other(answer) if answer.wants_encryption() => "ldap.encryption",
                _ => "ldap.search_user",
            },
            DirectoryError::Referral { .. } => "ldap.referrals",
            DirectoryError::Search { .. } => "ldap.search_user",
            DirectoryError::Unknown { .. } => "ldap.user_search_dn",
            DirectoryError::Several { .. } => "ldap.username_field",
            DirectoryError::EmptyPassword | DirectoryError::Account { .. } => return None,
        })
    }
}

impl Explain for DirectoryError {
    fn kind(&self) -> Kind {
        match self {
            DirectoryError::Setting { .. } | DirectoryError::EmptyPassword => Kind::Usage,
            DirectoryError::Locked
            | DirectoryError::Resolve { .. }
            | DirectoryError::Connect { .. }
            | DirectoryError::Silent { .. }
            | DirectoryError::Ended { .. } => Kind::Unavailable,
            DirectoryError::Garbled { .. }
            | DirectoryError::NoStartTls { .. }
            | DirectoryError::Handshake { .. } => Kind::Infrastructure,
            DirectoryError::Certificate { .. } | DirectoryError::NoAuthority => Kind::Refused,
            DirectoryError::SearchUser { why, .. } | DirectoryError::Account { why, .. } => {
                why.kind()
            }
            DirectoryError::Search { answer, .. } if answer.is_outage() => Kind::Unavailable,
            DirectoryError::Search { .. } => Kind::Refused,
            DirectoryError::Base { .. }
            | DirectoryError::Referral { .. }
            | DirectoryError::Unknown { .. } => Kind::NotFound,
            DirectoryError::Several { .. } => Kind::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        const PORTS: &str = "LDAPS is spoken at port 636, StartTLS and plain LDAP at 389";
        let hint = match self {
            DirectoryError::Setting { fix, .. } => fix.clone(),
            DirectoryError::Locked => "`roundel unlock` opens what is sealed".to_owned(),
            DirectoryError::Resolve { .. } => {
                "correct the hostname, or the name servers of this machine".to_owned()
            }
            DirectoryError::Connect { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => {
                    format!("start the directory, or correct the port: {PORTS}")
                }
                _ => "correct the hostname, or let this machine through to it".to_owned(),
            },
            DirectoryError::Silent { .. } => format!(
                "correct hostname and port ({PORTS}), or look for a firewall between; `ldap.timeout` is how long each step waits"
            ),
            DirectoryError::Ended { .. } | DirectoryError::Garbled { .. } => {
                format!("correct the port or the encryption: {PORTS}")
            }
            DirectoryError::NoStartTls { .. } => {
                "choose LDAPS and its port, 636, or let the directory do StartTLS".to_owned()
            }
            DirectoryError::Handshake { ldaps: true, .. } => {
                format!("correct the port, or choose StartTLS: {PORTS}")
            }
            DirectoryError::Handshake { .. } => {
                "look into the directory's log: it has to speak TLS 1.2 or 1.3".to_owned()
            }
            DirectoryError::Certificate { address, why, chain, ldaps } => {
                distrust_hint(address, why, chain, *ldaps)
            }
            DirectoryError::NoAuthority => {
                "add the certificate of the directory's authority to Custom CAs".to_owned()
            }
            DirectoryError::SearchUser { why, .. } => match why {
                BindFault::Account(Refusal::Password) => {
                    "correct search user and search password: a distinguished name, with Active Directory user@domain too"
                        .to_owned()
                }
                BindFault::Account(refusal) => refusal.fix().to_owned(),
                BindFault::Other(answer) if answer.wants_encryption() => {
                    "choose StartTLS or LDAPS".to_owned()
                }
                BindFault::Other(_) => {
                    "write the search user as a distinguished name, as cn=search,dc=example,dc=com".to_owned()
                }
            },
            DirectoryError::Base { key: "ldap.user_search_dn", .. } => {
                "correct the user search DN, which is relative to the base, or let the search user see it".to_owned()
            }
            DirectoryError::Base { .. } => {
                "correct the base DN, or let the search user see it".to_owned()
            }
            DirectoryError::Referral { why, .. } => why.clone(),
            DirectoryError::Search { .. } => {
                "let the search user read people and groups".to_owned()
            }
            DirectoryError::Unknown { .. } => {
                "correct the name, the user search DN or the username field".to_owned()
            }
            DirectoryError::Several { .. } => {
                "choose a username field whose values are unique, or a narrower user search DN".to_owned()
            }
            DirectoryError::EmptyPassword => "give the password".to_owned(),
            DirectoryError::Account { why, .. } => match why {
                BindFault::Account(refusal) => refusal.fix().to_owned(),
                BindFault::Other(_) => "look into the directory's log".to_owned(),
            },
        };
        Some(hint)
    }
}

fn distrust_hint(address: &str, why: &Distrust, chain: &[Certificate], ldaps: bool) -> String {
    match why {
        Distrust::Issuer => {
            let issuer = chain
                .last()
                .map_or("its authority", |last| last.issuer.as_str());
            let how = if ldaps {
                format!("`roundel ca fetch {address}` shows what it sends")
            } else {
                "ask for its file".to_owned()
            };
            format!(
                "add the certificate of `{}` to Custom CAs; {how}",
                line(issuer)
            )
        }
        Distrust::Name { names } if !names.is_empty() => {
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            format!(
                "use one of the names that it is of as hostname, or give the directory a certificate for `{host}`"
            )
        }
        Distrust::Expired => "renew the directory's certificate".to_owned(),
        Distrust::Early => {
            "set the clocks of this machine and of the directory right, or renew its certificate"
                .to_owned()
        }
        Distrust::Authority => {
            "let an authority sign a certificate for the directory, and trust the authority"
                .to_owned()
        }
        Distrust::Name { .. } | Distrust::Other(_) => {
            "give the directory another certificate".to_owned()
        }
    }
}
