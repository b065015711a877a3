//! Certificate and key looked at as a whole: before they are saved, for the verb, and for whoever wants to know.

use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::api::certificates::Verified;
use crate::api::doctor::Verdict;
use crate::api::trial::Step;
use crate::certificates::{self, Certificate, Finding, Front, Of, Question};
use crate::clock::{self, Timestamp};
use crate::error::Kind;
use crate::sanitise::line;
use crate::services::ca;
use crate::services::trial::{Ask, Trial};
use crate::settings::value::Value;

/// The step that is taken last, where all before it were well: what Roundel's own connections would say.
const LAST: &str = "connection";

/// Looks at a certificate and its key. Also the file in its right order, where it is in another.
#[must_use]
pub fn verify(question: &Question<'_>) -> (Verified, Option<String>) {
    let mut look = certificates::look(question);
    if let Some(finding) = connection(question, &look.path, &look.findings) {
        look.findings.push(finding);
    }
    let verified = Verified {
        verdict: word(look.verdict()),
        chain: look.path.iter().map(ca::shown).collect(),
        steps: look.findings.into_iter().map(step).collect(),
    };
    (verified, look.ordered)
}

/// The look of rustls, which knows rules that have no step of their own, such as those on names of an authority.
fn connection(
    question: &Question<'_>,
    path: &[Certificate],
    findings: &[Finding],
) -> Option<Finding> {
    let (host, now, trusted) = (question.host?, question.now?, question.trusted?);
    let well = findings
        .iter()
        .all(|finding| finding.verdict == certificates::Verdict::Ok);
    if !well || question.front != Front::Direct {
        return None;
    }
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().map(|one| CertificateDer::from(one.der())));
    let verifier = ca::verifier(roots)?;
    let chain: Vec<CertificateDer<'_>> = path
        .iter()
        .map(|one| CertificateDer::from(one.der()))
        .collect();
    let (first, others) = chain.split_first()?;
    let since = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    let now = UnixTime::since_unix_epoch(since);
    let (verdict, found, fix) = match verifier.verify_server_cert(first, others, &name, &[], now) {
        Ok(_) => (
            certificates::Verdict::Ok,
            format!("{} is believed by it", line(host)),
            None,
        ),
        Err(err) => (
            certificates::Verdict::Failed,
            format!("refused by rustls: {}", line(&err.to_string())),
            Some("have it signed by an authority that may sign for this name".to_owned()),
        ),
    };
    Some(Finding {
        step: LAST,
        verdict,
        found,
        fix,
        of: Of::Certificate,
        hard: false,
    })
}

fn word(verdict: certificates::Verdict) -> Verdict {
    match verdict {
        certificates::Verdict::Ok => Verdict::Ok,
        certificates::Verdict::Warning => Verdict::Warning,
        certificates::Verdict::Failed => Verdict::Failed,
    }
}

fn step(finding: Finding) -> Step {
    let verdict = word(finding.verdict);
    Step {
        name: finding.step.to_owned(),
        verdict,
        found: finding.found,
        fix: finding.fix,
        kind: (verdict == Verdict::Failed).then_some(Kind::Usage),
        field: (verdict != Verdict::Ok).then(|| field(finding.of).to_owned()),
        ms: 0,
    }
}

/// The setting that a finding is about.
fn field(of: Of) -> &'static str {
    match of {
        Of::Certificate => "ssl_cert",
        Of::Key => "ssl_private_key",
        Of::Host => "hostname",
    }
}

/// A moment as people write it: a day, which begins at midnight UTC, or RFC 3339.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse(&whole).ok()
}

/// The test of the settings: what `ssl_cert` and `ssl_private_key` say. Words: `hostname` in place of the setting, `at` in place
/// of now.
pub async fn test(ask: &Ask, trial: &mut Trial) {
    const START: &str = "settings";
    let certificate = ask.values.text("ssl_cert");
    if certificate.is_empty() {
        let fix = "give one: `roundel settings set ssl_cert --file CERT`, or `roundel tls self-signed --stage`";
        let field = Some("ssl_cert");
        return trial
            .failed(START, Kind::Usage, field, "no certificate is set", fix)
            .await;
    }
    let key = match ask.values.get("ssl_private_key").as_deref() {
        Some(Value::Locked) => {
            let found = "the private key is sealed and cannot be opened now";
            let fix = "`roundel unlock` opens it, or give it anew";
            let field = Some("ssl_private_key");
            return trial
                .failed(START, Kind::Unavailable, field, found, fix)
                .await;
        }
        Some(value) => value.text().to_owned(),
        None => String::new(),
    };
    let key = zeroize::Zeroizing::new(key);
    let host = ask
        .word("hostname")
        .map_or_else(|| ask.values.text("hostname"), str::to_owned);
    let now = match ask.word("at") {
        None => clock::now(),
        Some(text) => match moment(text) {
            Some(moment) => moment,
            None => {
                let found = format!("`{}` is no moment", line(text));
                return trial
                    .failed(START, Kind::Usage, None, found, "write it as 2027-01-31")
                    .await;
            }
        },
    };
    let front = match ask.values.text("privacy.behind").as_str() {
        "elb" => Front::Balancer,
        _ => Front::Direct,
    };
    let values = ask.values.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let trusted = ca::trusted(&values);
        let question = Question {
            certificate: certificate.as_bytes(),
            key: Some(key.as_bytes()),
            host: (!host.is_empty()).then_some(host.as_str()),
            front,
            now: Some(now),
            trusted: Some(&trusted),
        };
        verify(&question).0
    });
    // A panic has been told by its own hook.
    let Ok(verified) = looked.await else {
        return trial
            .failed(
                START,
                Kind::Internal,
                None,
                "the look at it broke off",
                "report it",
            )
            .await;
    };
    for step in verified.steps {
        let field = step.field.as_deref();
        let fix = step.fix.unwrap_or_default();
        match step.verdict {
            Verdict::Ok => trial.ok(&step.name, step.found).await,
            Verdict::Warning => trial.warning(&step.name, field, step.found, fix).await,
            Verdict::Failed => {
                let kind = step.kind.unwrap_or(Kind::Usage);
                trial.failed(&step.name, kind, field, step.found, fix).await;
            }
        }
    }
}
