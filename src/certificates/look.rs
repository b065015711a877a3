//! The one look at a certificate and its key: every step, well or not, each with what was seen and what to do.

mod files;
mod steps;

use super::certificate::Certificate;
use super::chain::{Order, order};
use super::key::PrivateKey;
use super::pem;
use crate::clock::Timestamp;

/// Most certificates of a file: a chain has four at most, and each is compared with each.
const CHAIN_MAX: usize = 32;
/// Most certificates of authorities: the systems' own stores have 150.
const AUTHORITIES_MAX: usize = 500;

/// How a step came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, for some or for now.
    Warning,
    /// It does not work.
    Failed,
}

/// Which of the things that were given is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// The file of the certificate.
    Certificate,
    /// The file of the key.
    Key,
    /// The hostname.
    Host,
}

/// A step of the look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at.
    pub step: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, inert for a terminal.
    pub found: String,
    /// What to do; not where all is well.
    pub fix: Option<String>,
    /// What is at fault, or would be.
    pub of: Of,
    /// The file is not what it should be, or the key is that of another certificate: what keeps it from being saved.
    pub hard: bool,
}

impl Finding {
    fn ok(step: &'static str, of: Of, found: impl Into<String>) -> Self {
        Self {
            step,
            verdict: Verdict::Ok,
            found: found.into(),
            fix: None,
            of,
            hard: false,
        }
    }

    fn warning(
        step: &'static str,
        of: Of,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warning,
            fix: Some(fix.into()),
            ..Self::ok(step, of, found)
        }
    }

    fn failed(
        step: &'static str,
        of: Of,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Failed,
            ..Self::warning(step, of, found, fix)
        }
    }

    fn hard(self) -> Self {
        Self { hard: true, ..self }
    }
}

/// What stands in front of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Front {
    /// Nothing: people see this certificate.
    #[default]
    Direct,
    /// A load balancer, which shows people another and does not look at this one closely.
    Balancer,
}

/// What is to be looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// The file of the certificate.
    pub certificate: &'a [u8],
    /// The file of the key; `None` when it is not to be looked at.
    pub key: Option<&'a [u8]>,
    /// The name that people use; `None` when it is not known.
    pub host: Option<&'a str>,
    /// What stands in front.
    pub front: Front,
    /// The moment; `None` leaves everything aside that changes with time.
    pub now: Option<Timestamp>,
    /// Authorities that are trusted; `None` leaves aside who signed the last certificate.
    pub trusted: Option<&'a [Certificate]>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Each step, in the order in which they are best read. Those that need what could not be read are left out.
    pub findings: Vec<Finding>,
    /// The certificates that were read, the server's first and then who signed each.
    pub path: Vec<Certificate>,
    /// The file as it should be, where it is not and can be.
    pub ordered: Option<String>,
}

impl Look {
    /// The worst of its steps.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let all = self.findings.iter().map(|finding| finding.verdict);
        all.max().unwrap_or(Verdict::Failed)
    }
}

/// Looks at a certificate and its key.
#[must_use]
pub fn look(question: &Question<'_>) -> Look {
    let mut look = Look::default();
    let certificates = files::certificates(question, CHAIN_MAX, &mut look.findings);
    let key = question
        .key
        .and_then(|bytes| files::key(bytes, question.certificate, &mut look.findings));
    let Some(certificates) = certificates else {
        return look;
    };
    let public = key.as_ref().and_then(PrivateKey::public);
    let order = order(&certificates, public);
    look.path = order
        .path
        .iter()
        .map(|&place| certificates[place].clone())
        .collect();
    if !order.is_right() {
        look.ordered = Some(look.path.iter().map(|one| pem(one.der())).collect());
    }
    let seen = Seen {
        question,
        certificates: &certificates,
        key: key.as_ref(),
        order: &order,
        path: &look.path,
    };
    seen.steps(&mut look.findings);
    look
}

/// Looks at certificates of authorities that are to be trusted: the readable ones, and everything that is wrong.
#[must_use]
pub fn authorities(bytes: &[u8]) -> Look {
    let mut look = Look::default();
    let question = Question {
        certificate: bytes,
        ..Question::default()
    };
    let found = files::certificates(&question, AUTHORITIES_MAX, &mut look.findings);
    for certificate in found.unwrap_or_default() {
        let called = certificate.called();
        if look.path.iter().any(|other| other.is(&certificate)) {
            look.findings.push(Finding::warning(
                "twice",
                Of::Certificate,
                format!("`{called}` stands there twice"),
                "once is enough",
            ));
            continue;
        }
        if !certificate.is_authority() && !certificate.is_self_signed() {
            look.findings.push(Finding::warning(
                "authority",
                Of::Certificate,
                format!("`{called}` is no authority's: nothing that others show is trusted for it"),
                format!(
                    "give the certificate of its issuer, `{}`",
                    certificate.issuer()
                ),
            ));
        }
        look.path.push(certificate);
    }
    look
}

/// What the steps look at: everything could be read.
struct Seen<'a> {
    question: &'a Question<'a>,
    /// As they stand in the file; one at least.
    certificates: &'a [Certificate],
    key: Option<&'a PrivateKey>,
    order: &'a Order,
    /// As they belong.
    path: &'a [Certificate],
}
