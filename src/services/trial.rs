//! Tests of settings before they are saved: what one is given, how it tells its steps, and which is which.
//!
//! Knows neither who asks nor how the steps are shown.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::api::doctor::Verdict;
use crate::api::trial::Step;
use crate::clock;
use crate::error::Kind;
use crate::secret::Secret;
use crate::services::tls;
use crate::settings::registry::TestId;
use crate::settings::value::Values;

/// Longest a whole test takes: each step has a limit of its own, and no test has so many slow ones.
const LIMIT: Duration = Duration::from_secs(180);

/// How long a name may take to resolve.
const RESOLVE: Duration = Duration::from_secs(10);

/// What a test is given.
#[derive(Debug)]
pub struct Ask {
    /// Values not saved yet over those that are staged over those that are saved; secrets open.
    pub values: Values,
    /// What only this test wants to know.
    pub words: BTreeMap<String, Secret>,
    /// The data directory.
    pub data: PathBuf,
}

impl Ask {
    /// What only this test wants to know, where it was given.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        self.words
            .get(name)
            .map(Secret::expose)
            .filter(|word| !word.is_empty())
    }
}

/// Tells the steps of a test as they end, in the words `T`. Whoever listens may go away: the test is dropped then.
#[derive(Debug)]
pub struct Trial<T = Step> {
    to: mpsc::Sender<T>,
    since: Instant,
    failed: bool,
}

impl<T: From<Step>> Trial<T> {
    /// Tells `to`; the first step begins now.
    #[must_use]
    pub fn new(to: mpsc::Sender<T>) -> Self {
        Self {
            to,
            since: clock::monotonic(),
            failed: false,
        }
    }

    /// Whether a step has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// A step went well.
    pub async fn ok(&mut self, name: &str, found: impl Into<String>) {
        self.tell(name, Verdict::Ok, found.into(), None, None, None)
            .await;
    }

    /// A step went, and somebody should know something; `field` is the setting it is about, where it is one.
    pub async fn warning(
        &mut self,
        name: &str,
        field: Option<&str>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let fix = Some(fix.into());
        self.tell(name, Verdict::Warning, found.into(), fix, None, field)
            .await;
    }

    /// A step failed; `field` is the setting at fault, where it is one.
    pub async fn failed(
        &mut self,
        name: &str,
        kind: Kind,
        field: Option<&str>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.failed = true;
        let (fix, kind) = (Some(fix.into()), Some(kind));
        self.tell(name, Verdict::Failed, found.into(), fix, kind, field)
            .await;
    }

    pub(super) async fn tell(
        &mut self,
        name: &str,
        verdict: Verdict,
        found: String,
        fix: Option<String>,
        kind: Option<Kind>,
        field: Option<&str>,
    ) {
        let ms = self.since.elapsed().as_millis();
        let step = Step {
            name: name.to_owned(),
            verdict,
            found,
            fix,
            kind,
            field: field.map(str::to_owned),
            ms: u64::try_from(ms).unwrap_or(u64::MAX),
        };
        self.say(step.into()).await;
        self.since = clock::monotonic();
    }

    /// Tells what is no step.
    pub(super) async fn say(&self, what: T) {
        // Whoever runs the test notices that nobody listens any more.
        let _ = self.to.send(what).await;
    }
}

/// Puts values to a test, and tells each step. Dropping it ends the test.
pub async fn run(test: TestId, ask: &Ask, trial: &mut Trial) {
    let steps = async {
        match test {
            TestId::Vm => super::vm::test(ask, trial).await,
            TestId::Hostname => hostname(ask, trial).await,
            TestId::Ldap => super::ldap::test(ask, trial).await,
            TestId::Proxy => super::proxy::test(ask, trial).await,
            TestId::Tls => tls::verify::test(ask, trial).await,
        }
    };
    if timeout(LIMIT, steps).await.is_err() {
        let found = format!("took longer than {} s", LIMIT.as_secs());
        let fix = "what the last step reached answers too slowly";
        trial
            .failed("time", Kind::Infrastructure, None, found, fix)
            .await;
    }
}

/// The public hostname resolves.
async fn hostname(ask: &Ask, trial: &mut Trial) {
    const FIELD: Option<&str> = Some("hostname");
    let host = ask.values.text("hostname");
    if host.is_empty() {
        let fix = "give the name by which people reach this installation";
        return trial
            .failed("name", Kind::Usage, FIELD, "no hostname is set", fix)
            .await;
    }
    match resolve(&host, 443).await {
        Ok(addresses) => {
            let mut addresses: Vec<String> =
                addresses.iter().map(|one| one.ip().to_string()).collect();
            addresses.dedup();
            trial
                .ok("resolve", format!("{host} is {}", addresses.join(", ")))
                .await;
        }
        Err(found) => {
            let fix = "enter the name in DNS, or correct it";
            trial
                .failed("resolve", Kind::Infrastructure, FIELD, found, fix)
                .await;
        }
    }
}

/// The addresses of a name, one at least.
///
/// # Errors
/// Why there are none: a sentence.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = timeout(RESOLVE, tokio::net::lookup_host((host, port)));
    let addresses: Vec<SocketAddr> = match found.await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(err)) => return Err(format!("{host} does not resolve: {err}")),
        Err(_) => {
            let seconds = RESOLVE.as_secs();
            return Err(format!("no answer about {host} within {seconds} s"));
        }
    };
    if addresses.is_empty() {
        return Err(format!("{host} has no address"));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::value::Value;

    async fn steps(test: TestId, host: &str) -> Vec<Step> {
        let mut values = Values::default();
        values.set("hostname", Value::Text(host.to_owned()));
        let ask = Ask {
            values,
            words: BTreeMap::new(),
            data: PathBuf::from("/"),
        };
        let (to, mut from) = mpsc::channel(8);
        run(test, &ask, &mut Trial::new(to)).await;
        let mut steps = Vec::new();
        while let Some(step) = from.recv().await {
            steps.push(step);
        }
        steps
    }

    #[tokio::test]
    async fn a_hostname_resolves_or_says_what_to_do() {
        let told = steps(TestId::Hostname, "localhost").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].verdict, Verdict::Ok, "{told:?}");
        assert!(told[0].found.starts_with("localhost is "), "{told:?}");
        for (host, kind) in [("", Kind::Usage), ("no-such.invalid", Kind::Infrastructure)] {
            let told = steps(TestId::Hostname, host).await;
            assert_eq!(told[0].verdict, Verdict::Failed, "{told:?}");
            assert_eq!(told[0].kind, Some(kind));
            assert_eq!(told[0].field.as_deref(), Some("hostname"));
            assert!(told[0].fix.is_some());
        }
    }
}
