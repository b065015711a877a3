//! The steps once both files can be read: who belongs to whom, in which order, for which name, until when, how strong.

use super::{Finding, Front, Of, Seen, Verdict};
use crate::certificates::SOON_DAYS;
use crate::certificates::certificate::{Certificate, Signature, Signed};
use crate::certificates::public::Algorithm;

const DAY_MS: i64 = 86_400_000;
/// Fewest bits of RSA that browsers take (CA/Browser Forum, Baseline Requirements §6.1.5).
const RSA_MIN: usize = 2048;

impl Seen<'_> {
    /// All of them.
    pub(super) fn steps(&self, findings: &mut Vec<Finding>) {
        findings.extend(self.belong());
        findings.push(self.order());
        findings.extend(self.issuers());
        findings.extend(self.root());
        findings.extend(self.name());
        findings.extend(self.validity());
        findings.push(self.strength());
        findings.push(self.signature());
        findings.push(self.usage());
    }

    fn leaf(&self) -> &Certificate {
        &self.path[0]
    }

    /// What people who look closely refuse: behind a load balancer, which does not, it is only worth knowing.
    fn strict(
        &self,
        step: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        let failed = Finding::failed(step, Of::Certificate, found, fix);
        match self.question.front {
            Front::Direct => failed,
            Front::Balancer => Finding {
                verdict: Verdict::Warning,
                ..failed
            },
        }
    }

    /// Whether the key is that of the certificate.
    fn belong(&self) -> Option<Finding> {
        const STEP: &str = "key and certificate";
        let key = self.key?;
        let Some(public) = key.public() else {
            let found = "the key does not hold its public half, so that nothing can be compared";
            let fix = "openssl pkey -in KEY -out key.pem writes it with both halves";
            return Some(Finding::failed(STEP, Of::Key, found, fix));
        };
        if self.certificates.iter().any(|one| one.public() == public) {
            let whose = self.leaf().called();
            return Some(Finding::ok(
                STEP,
                Of::Key,
                format!("the key is that of `{whose}`"),
            ));
        }
        let found = format!(
            "the key ({}) is not that of `{}` ({})",
            key.algorithm().described(),
            self.leaf().called(),
            self.leaf().public().algorithm.described()
        );
        let fix = "give the key with which the certificate was asked for: `openssl x509 -noout -pubkey -in CERT` and `openssl pkey -pubout -in KEY` print the same then";
        Some(Finding::failed(STEP, Of::Key, found, fix).hard())
    }

    /// Whether they stand in the file as they are to be sent.
    fn order(&self) -> Finding {
        const STEP: &str = "order";
        const FIX: &str =
            "`roundel tls verify CERT KEY --write-ordered FILE` writes them as they belong";
        let order = self.order;
        if order.is_right() {
            let told = match self.path.len() {
                1 => "the server's certificate alone".to_owned(),
                2 => "the server's certificate, then its issuer".to_owned(),
                count => format!("the server's certificate, then its {} issuers", count - 1),
            };
            return Finding::ok(STEP, Of::Certificate, told);
        }
        let place = order.path[0] + 1;
        if place > 1 {
            let found = format!(
                "the server's certificate, `{}`, is number {place} of the file and has to be the first",
                self.leaf().called()
            );
            return Finding::failed(STEP, Of::Certificate, found, FIX);
        }
        let called = |places: &[usize]| -> String {
            let names: Vec<String> = places
                .iter()
                .map(|&place| {
                    format!(
                        "`{}` (number {})",
                        self.certificates[place].called(),
                        place + 1
                    )
                })
                .collect();
            names.join(", ")
        };
        let found = if !order.twice.is_empty() {
            format!("twice in the file: {}", called(&order.twice))
        } else if order.path.is_sorted() {
            format!("signed nothing of the chain: {}", called(&order.strangers))
        } else {
            format!(
                "not in the order in which they signed one another: {} have to follow",
                called(&order.path[1..])
            )
        };
        Finding::warning(STEP, Of::Certificate, found, FIX)
    }

    /// Whether there is a way to an authority that is trusted.
    fn issuers(&self) -> Option<Finding> {
        const STEP: &str = "issuers";
        let last = self.path.last()?;
        if let Some(place) = self.order.impostor {
            let found = format!(
                "`{}` (number {}) has the name of the issuer of `{}`, and did not sign it",
                self.certificates[place].called(),
                place + 1,
                last.called()
            );
            let fix = "get the issuer's certificate anew: it was probably replaced by one with another key";
            return Some(self.strict(STEP, found, fix));
        }
        if let Some(finding) = self.unfit_issuer(STEP) {
            return Some(finding);
        }
        let trusted = self.question.trusted?;
        let is_trusted = |one: &Certificate| {
            trusted.iter().any(|root| {
                root.is(one) || (root.public() == one.public() && root.subject() == one.subject())
            })
        };
        if last.is_self_signed() {
            let found = if is_trusted(last) {
                let told = format!("signed by `{}`, which is trusted here", last.called());
                Finding::ok(STEP, Of::Certificate, told)
            } else if self.path.len() == 1 {
                let found = format!(
                    "`{}` is self-signed: nobody trusts it who was not told to",
                    last.called()
                );
                let fix = "have it signed by an authority, or give it to those who are to trust it";
                Finding::warning(STEP, Of::Certificate, found, fix)
            } else {
                let found = format!(
                    "its root, `{}`, is not trusted on this machine",
                    last.called()
                );
                let fix = "is it your own authority? `roundel ca add FILE` makes Roundel trust it; the people's machines need it as well";
                self.strict(STEP, found, fix)
            };
            return Some(found);
        }
        let root = trusted
            .iter()
            .find(|root| last.names_issuer(root) && last.signed_by(root) != Signed::No);
        Some(match root {
            Some(root) if self.question.now.is_some_and(|now| root.not_after() < now) => {
                let found = format!(
                    "signed by `{}`, which expired on {}",
                    root.called(),
                    root.not_after().day()
                );
                self.strict(STEP, found, "have it signed anew")
            }
            Some(root) => {
                let told = format!("signed by `{}`, which is trusted here", root.called());
                Finding::ok(STEP, Of::Certificate, told)
            }
            None => {
                let found = format!(
                    "missing: `{}`, which signed `{}`; nor is it one of the authorities that this machine trusts",
                    last.issuer(),
                    last.called()
                );
                let at = last
                    .issuer_at
                    .as_ref()
                    .map_or(String::new(), |at| format!(" (it is at {at})"));
                let fix = format!(
                    "put its certificate{at} behind the last one of the file; or, where it is a root of your own, `roundel ca add FILE`"
                );
                self.strict(STEP, found, fix)
            }
        })
    }

    /// An issuer in the file that may not be one.
    fn unfit_issuer(&self, step: &'static str) -> Option<Finding> {
        self.path
            .iter()
            .enumerate()
            .skip(1)
            .find_map(|(below, issuer)| {
                let uses = &issuer.use_;
                let why = if uses.authority != Some(true) {
                    "is no authority's (basicConstraints)"
                } else if uses.certifying == Some(false) {
                    "may not certify others (keyUsage)"
                } else if uses.below.is_some_and(|most| (most as usize) < below - 1) {
                    "may not have so many authorities below it (pathlen)"
                } else {
                    return None;
                };
                let found = format!(
                    "`{}` {why}, and signed `{}`",
                    issuer.called(),
                    self.path[below - 1].called()
                );
                Some(self.strict(
                    step,
                    found,
                    "have the certificate signed by an authority that may",
                ))
            })
    }

    /// Whether the root is sent.
    fn root(&self) -> Option<Finding> {
        const STEP: &str = "root";
        let last = self.path.last()?;
        let told = match (self.path.len(), last.is_self_signed()) {
            (1, true) => return None,
            (_, true) => format!(
                "sent, which does no good: `{}` is trusted by who has it, and by nobody else",
                last.called()
            ),
            (_, false) => "not sent, as it should be".to_owned(),
        };
        Some(Finding::ok(STEP, Of::Certificate, told))
    }

    /// Whether it is for the name that people use.
    fn name(&self) -> Option<Finding> {
        const STEP: &str = "name";
        let leaf = self.leaf();
        let names: Vec<String> = leaf
            .names()
            .iter()
            .take(10)
            .map(ToString::to_string)
            .collect();
        let mut listed = names.join(", ");
        if leaf.names().len() > 10 {
            listed += &format!(" and {} more", leaf.names().len() - 10);
        }
        let Some(host) = self.question.host else {
            // The rules of the settings say themselves that there is none.
            self.question.now?;
            let found = match listed.as_str() {
                "" => "for no name; and no hostname was given to compare".to_owned(),
                listed => format!("for {listed}; no hostname was given to compare"),
            };
            return Some(Finding::warning(
                STEP,
                Of::Host,
                found,
                "say which: `--hostname HOST`, or the setting `hostname`",
            ));
        };
        let host_shown = crate::sanitise::line(host);
        if leaf.names().iter().any(|name| name.is_for(host)) {
            return Some(Finding::ok(
                STEP,
                Of::Host,
                format!("for {listed}: {host_shown} is one of them"),
            ));
        }
        let common = leaf.common_name().is_some_and(|name| {
            super::super::names::matches(name, host)
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|one| host.parse() == Ok(one))
        });
        let ask = format!(
            "have a certificate signed with {host_shown} among its subject alternative names"
        );
        Some(match (leaf.has_names, common) {
            (false, true) => {
                let found = format!(
                    "only its common name is {host_shown}: browsers, git and Roundel itself look at alternative names alone, and it has none"
                );
                // Nobody takes a self-signed one without being told to, and who is told can be told this too.
                match self.question.front {
                    Front::Direct if !leaf.is_self_signed() => {
                        Finding::failed(STEP, Of::Certificate, found, ask)
                    }
                    _ => Finding::warning(STEP, Of::Certificate, found, ask),
                }
            }
            (true, true) => {
                let found = format!(
                    "for {listed}, not for {host_shown}: its common name does not count beside those"
                );
                Finding::failed(STEP, Of::Host, found, ask)
            }
            (_, false) => {
                let listed = match (listed.as_str(), leaf.common_name()) {
                    ("", Some(name)) => name.to_owned(),
                    ("", None) => "no name".to_owned(),
                    (listed, _) => listed.to_owned(),
                };
                let found = format!("for {listed}, not for {host_shown}");
                Finding::failed(
                    STEP,
                    Of::Host,
                    found,
                    format!("{ask}, or set the hostname to one of its names"),
                )
            }
        })
    }

    /// Whether it holds now, and for how long.
    fn validity(&self) -> Option<Finding> {
        const STEP: &str = "validity";
        let now = self.question.now?;
        for one in self.path {
            // A root that is sent is looked at by nobody.
            if one.is_self_signed() && self.path.len() > 1 {
                continue;
            }
            let called = one.called();
            if now > one.not_after() {
                let found = format!(
                    "`{called}` expired on {}, {} ago",
                    one.not_after().day(),
                    days(now.0 - one.not_after().0)
                );
                return Some(self.strict(STEP, found, "have it renewed"));
            }
            if now < one.not_before() {
                let found = format!("`{called}` holds only from {} on", one.not_before());
                return Some(self.strict(STEP, found, "wait, or set the clock if it is wrong"));
            }
        }
        let first = self.path.iter().min_by_key(|one| one.not_after())?;
        let left = (first.not_after().0 - now.0) / DAY_MS;
        let told = format!(
            "from {} to {}, {} left",
            self.leaf().not_before().day(),
            first.not_after().day(),
            days(first.not_after().0 - now.0)
        );
        if left < SOON_DAYS {
            let found = format!("`{}`: {told}", first.called());
            return Some(Finding::warning(
                STEP,
                Of::Certificate,
                found,
                "have it renewed in time",
            ));
        }
        Some(Finding::ok(STEP, Of::Certificate, told))
    }

    /// Whether the keys are strong, and of a sort that this server and others can use.
    fn strength(&self) -> Finding {
        const STEP: &str = "strength";
        const ANEW: &str = "make a key anew (`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`) and have its certificate signed";
        for one in self.path {
            let weak = match &one.public().algorithm {
                Algorithm::Rsa(bits) => *bits < RSA_MIN,
                Algorithm::Dsa | Algorithm::Other | Algorithm::Curve("P-224") => true,
                _ => false,
            };
            if weak {
                let found = format!(
                    "the key of `{}` is too weak: {}",
                    one.called(),
                    one.public().algorithm.described()
                );
                return self.strict(STEP, found, ANEW);
            }
        }
        let algorithm = &self.leaf().public().algorithm;
        let told = algorithm.described();
        let served = match self.key {
            Some(key) => key.can_serve(),
            None => matches!(
                algorithm,
                Algorithm::Rsa(..=4096) | Algorithm::P256 | Algorithm::P384 | Algorithm::Ed25519
            ),
        };
        if !served {
            let found =
                format!("{told}: this server has RSA up to 4096 bits, P-256, P-384 and Ed25519");
            return Finding::failed(STEP, Of::Key, found, ANEW);
        }
        if *algorithm == Algorithm::Ed25519 {
            let found = format!("{told}: browsers do not take it");
            return Finding::warning(STEP, Of::Key, found, ANEW);
        }
        Finding::ok(STEP, Of::Key, told)
    }

    /// By what they were signed; of a root nobody asks.
    fn signature(&self) -> Finding {
        const STEP: &str = "signature";
        for one in self.path.iter().filter(|one| !one.is_self_signed()) {
            let by = match one.signature {
                Signature::Md => "MD5 or older, which anybody can forge",
                Signature::Sha1 => "SHA-1, which can be forged",
                Signature::Sound => continue,
            };
            let found = format!("`{}` was signed by {by}", one.called());
            return self.strict(STEP, found, "have it signed anew, by SHA-256 or better");
        }
        Finding::ok(STEP, Of::Certificate, "not by MD5 or SHA-1")
    }

    /// Whether it may be used by a server.
    fn usage(&self) -> Finding {
        const STEP: &str = "use";
        let leaf = self.leaf();
        let uses = &leaf.use_;
        let anew = "have a certificate signed for a server: keyUsage digitalSignature, extendedKeyUsage serverAuth, basicConstraints CA:FALSE";
        if uses.broken {
            let found = "an extension stands there twice, or cannot be read";
            return self.strict(STEP, found, anew);
        }
        if uses.servers == Some(false) {
            return self.strict(STEP, "not for servers (extendedKeyUsage)", anew);
        }
        if uses.handshakes == Some(false) {
            return self.strict(
                STEP,
                "not for handshakes (keyUsage without digitalSignature)",
                anew,
            );
        }
        if uses.authority == Some(true) {
            let found = "it is an authority's own (basicConstraints CA:TRUE): rustls and others refuse it for a server";
            return Finding::warning(STEP, Of::Certificate, found, anew);
        }
        Finding::ok(STEP, Of::Certificate, "for a server")
    }
}

/// `1 day`, `12 days`.
fn days(ms: i64) -> String {
    match ms / DAY_MS {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    }
}
