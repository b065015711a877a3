//! Certificates by ACME (RFC 8555), each name proved by a TXT record in DNS.
//!
//! Deals with the authority and tells what happens. Knows neither where accounts and certificates are kept nor who
//! writes the records.

mod dns;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, Order as AcmeOrder, OrderStatus, Problem, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use tokio::sync::{Notify, mpsc};

use crate::api::acme::{AcmeRecord, AcmeTold};
use crate::api::doctor::Verdict;
use crate::clock;
use crate::error::Kind;
use crate::sanitise;
use crate::secret::Secret;
use crate::services::trial::Trial;

/// How long DNS may take to show the records: a person may have to write them first.
const DNS_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Between two looks into DNS.
const DNS_EVERY: Duration = Duration::from_secs(2);

/// How long the authority may take to look at the records, and to issue.
const AUTHORITY: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_secs(150));

/// How often a request is made that the authority takes for an old one. RFC 8555 (6.5) has clients try anew; the library does
/// so three times at each of these.
const ROUNDS: usize = 5;

/// What the authority answers, asked anew while it refuses the number that guards against repetition: it may have lost it
/// in the minutes in which DNS was waited for. A request with such a number changes nothing there. No function, for the
/// compiler does not see that an asynchronous closure which borrows can be sent to another thread.
macro_rules! anew {
    ($ask:expr) => {{
        let mut round = 1;
        loop {
            match $ask.await {
                Err(Error::Api(problem)) if round < ROUNDS && kind_of(&problem) == "badNonce" => {
                    round += 1;
                }
                answer => break answer,
            }
        }
    }};
}

/// What is ordered.
#[derive(Debug)]
pub struct Order {
    /// Names, the first one first; `*.example.com` too.
    pub names: Vec<String>,
    /// URL of the authority's directory.
    pub directory: String,
    /// Where it may write to; may be empty.
    pub email: String,
    /// Whether its terms are agreed to.
    pub agree_tos: bool,
    /// A DNS server in place of the system's.
    pub resolver: Option<SocketAddr>,
    /// The account that was made there before.
    pub account: Option<Secret>,
}

/// What came of it.
#[derive(Debug)]
pub struct Issued {
    /// The certificate and those of its issuers, in PEM.
    pub chain: String,
    /// Its key, in PEM.
    pub key: Secret,
    /// The account, for the next time.
    pub account: Secret,
}

/// Tells what happens to whoever ordered.
#[derive(Debug)]
pub struct Teller(Trial<AcmeTold>);

impl Teller {
    /// Tells `to`; the first step begins now.
    #[must_use]
    pub fn new(to: mpsc::Sender<AcmeTold>) -> Self {
        Self(Trial::new(to))
    }

    /// A step went well.
    pub async fn ok(&mut self, name: &str, found: impl Into<String>) {
        self.0.ok(name, inert(&found.into())).await;
    }

    /// A step went, and somebody should know something.
    pub async fn warning(&mut self, name: &str, found: &str, fix: &str) {
        self.0.warning(name, None, inert(found), fix).await;
    }

    /// A step failed, and nothing comes after it.
    pub async fn failed(&mut self, name: &str, failure: Failed) {
        let (found, kind) = (inert(&failure.why), Some(failure.kind));
        let fix = Some(failure.fix).filter(|fix| !fix.is_empty());
        self.0
            .tell(name, Verdict::Failed, found, fix, kind, None)
            .await;
    }
}

/// What an authority or a DNS server says, fit for a terminal.
fn inert(found: &str) -> String {
    sanitise::line(found).into_owned()
}

/// Why a step failed, and what to do.
#[derive(Debug)]
pub struct Failed {
    /// What sort of failure.
    pub kind: Kind,
    /// Why.
    pub why: String,
    /// What to do about it; may be empty.
    pub fix: String,
}

impl Failed {
    /// With what to do about it.
    pub fn new(kind: Kind, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            kind,
            why: why.into(),
            fix: fix.into(),
        }
    }

    /// What the authority, or the way to it, says.
    fn of(err: &Error) -> Self {
        let Error::Api(problem) = err else {
            let fix = "see that the server reaches the authority: its address, the proxy, and the custom CAs";
            return Self::new(
                Kind::Infrastructure,
                crate::error::Chain(err).to_string(),
                fix,
            );
        };
        let what = kind_of(problem);
        let detail = problem.detail.as_deref().unwrap_or("it gives no reason");
        let (kind, fix) = match what {
            "rateLimited" => (Kind::Throttled, "wait as long as it says"),
            "userActionRequired" => (Kind::Refused, "agree to its terms anew: --agree-tos"),
            "rejectedIdentifier" | "unsupportedIdentifier" => {
                (Kind::Refused, "it issues nothing for that name")
            }
            "accountDoesNotExist" => (Kind::Refused, "make a new account: --agree-tos"),
            "invalidContact" | "unsupportedContact" => (Kind::Usage, "give another --email"),
            "unauthorized" | "dns" | "caa" => (
                Kind::Refused,
                "see what DNS shows for the name, from outside too",
            ),
            _ => (Kind::Infrastructure, ""),
        };
        Self::new(kind, format!("the authority says: {detail} ({what})"), fix)
    }
}

/// Gets a certificate, telling each step; `None` once one has failed. `go` ends the wait for DNS. Dropping it leaves the
/// order to the authority, which forgets it.
pub async fn issue(
    order: &Order,
    client: reqwest::Client,
    go: &Notify,
    teller: &mut Teller,
) -> Option<Issued> {
    let (account, credentials) = match account(order, client).await {
        Ok((account, credentials, how)) => {
            teller.ok("account", how).await;
            (account, credentials)
        }
        Err(failed) => {
            teller.failed("account", failed).await;
            return None;
        }
    };
    let names: Vec<Identifier> = order.names.iter().cloned().map(Identifier::Dns).collect();
    let new = NewOrder::new(&names);
    let mut placed = match anew!(account.new_order(&new)) {
        Ok(placed) => placed,
        Err(err) => {
            teller.failed("order", Failed::of(&err)).await;
            return None;
        }
    };
    teller.ok("order", order.names.join(", ")).await;
    if let Err((step, failed)) = prove(&mut placed, order, go, teller).await {
        teller.failed(step, failed).await;
        return None;
    }
    match certificate(&mut placed, &order.names).await {
        Ok((chain, key)) => {
            teller.ok("certificate", "issued").await;
            Some(Issued {
                chain,
                key,
                account: credentials,
            })
        }
        Err(failed) => {
            teller.failed("certificate", failed).await;
            None
        }
    }
}

/// The last word of a problem's type: `urn:ietf:params:acme:error:badNonce` is `badNonce`.
fn kind_of(problem: &Problem) -> &str {
    let whole = problem.r#type.as_deref().unwrap_or_default();
    whole.rsplit(':').next().unwrap_or_default()
}

/// The account of before, else a new one; with what to keep of it, and how it came about.
async fn account(
    order: &Order,
    client: reqwest::Client,
) -> Result<(Account, Secret, String), Failed> {
    let builder = || Account::builder_with_http(Box::new(web::Web::new(client.clone())));
    let known = order
        .account
        .as_ref()
        .filter(|kept| directory_of(kept).as_deref() == Some(&order.directory));
    if let Some(kept) = known {
        let read: AccountCredentials = serde_json::from_str(kept.expose()).map_err(|_| {
            let fix = "make another: roundel settings unset acme.account, then --agree-tos";
            Failed::new(Kind::Usage, "the account that is kept cannot be read", fix)
        })?;
        let account = builder()
            .from_credentials(read)
            .await
            .map_err(|err| Failed::of(&err))?;
        let how = format!("{} is known at {}", account.id(), order.directory);
        return Ok((account, kept.clone(), how));
    }
    if !order.agree_tos {
        let why = format!("there is no account at {} yet", order.directory);
        let fix = "read its terms, then say --agree-tos";
        return Err(Failed::new(Kind::Refused, why, fix));
    }
    let contact = format!("mailto:{}", order.email);
    let contacts = [contact.as_str()];
    let new = NewAccount {
        contact: if order.email.is_empty() {
            &[]
        } else {
            &contacts
        },
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = anew!(builder().create(&new, order.directory.clone(), None))
        .map_err(|err| Failed::of(&err))?;
    let kept = serde_json::to_string(&credentials)
        .map_err(|err| Failed::new(Kind::Internal, err.to_string(), ""))?;
    let how = format!("{} made at {}", account.id(), order.directory);
    Ok((account, Secret::new(kept), how))
}

/// The authority that an account is of.
fn directory_of(kept: &Secret) -> Option<String> {
    let read: serde_json::Value = serde_json::from_str(kept.expose()).ok()?;
    Some(read.get("directory")?.as_str()?.to_owned())
}

/// The step that failed, and why.
type AtStep = (&'static str, Failed);

/// Proves that the names are ours; the step that failed, where one does.
async fn prove(
    placed: &mut AcmeOrder,
    order: &Order,
    go: &Notify,
    teller: &mut Teller,
) -> Result<(), AtStep> {
    let failed = |step| move |err: Error| (step, Failed::of(&err));
    anew!(read(placed)).map_err(failed("order"))?;
    let mut records = Vec::new();
    let mut authorizations = placed.authorizations();
    while let Some(found) = authorizations.next().await {
        let mut found = found.map_err(failed("order"))?;
        if found.status == AuthorizationStatus::Valid {
            continue;
        }
        let Identifier::Dns(name) = found.identifier().identifier.clone() else {
            continue;
        };
        let Some(challenge) = found.challenge(ChallengeType::Dns01) else {
            let why = format!("the authority takes no proof by DNS for {name}");
            return Err((
                "order",
                Failed::new(Kind::Refused, why, "ask another authority"),
            ));
        };
        records.push(AcmeRecord {
            name: format!("_acme-challenge.{name}"),
            value: challenge.key_authorization().dns_value(),
        });
    }
    if records.is_empty() {
        teller
            .ok("proof", "the authority knows these names already")
            .await;
        return Ok(());
    }
    for record in &records {
        teller.0.say(AcmeTold::Record(record.clone())).await;
    }
    wait(&records, order.resolver, go, teller)
        .await
        .map_err(|failed| ("dns", failed))?;
    let mut authorizations = placed.authorizations();
    while let Some(found) = authorizations.next().await {
        let mut found = found.map_err(failed("proof"))?;
        if found.status != AuthorizationStatus::Pending {
            continue;
        }
        if let Some(mut challenge) = found.challenge(ChallengeType::Dns01) {
            anew!(challenge.set_ready()).map_err(failed("proof"))?;
        }
    }
    match anew!(placed.poll_ready(&AUTHORITY)) {
        Ok(OrderStatus::Ready) => {
            teller
                .ok("proof", "the authority has seen every record")
                .await;
            Ok(())
        }
        Ok(_) => Err(("proof", refusal(placed).await)),
        Err(err) => match refusal(placed).await {
            found if found.fix.is_empty() => Err(("proof", Failed::of(&err))),
            found => Err(("proof", found)),
        },
    }
}

/// Has the library know every authorization of an order, which it then gives without asking.
async fn read(placed: &mut AcmeOrder) -> Result<(), Error> {
    let mut authorizations = placed.authorizations();
    while let Some(found) = authorizations.next().await {
        found?;
    }
    Ok(())
}

/// What the authority has against a record.
async fn refusal(placed: &mut AcmeOrder) -> Failed {
    let mut authorizations = placed.authorizations();
    while let Some(Ok(mut found)) = authorizations.next().await {
        if anew!(found.refresh()).is_err() {
            continue;
        }
        let why = found.challenges.iter().find_map(|one| one.error.clone());
        if let Some(why) = why {
            let name = found.identifier().to_string();
            let mut failed = Failed::of(&Error::Api(why));
            failed.why = format!("{name}: {}", failed.why);
            return failed;
        }
    }
    Failed::new(Kind::Refused, "the authority refuses the order", "")
}

/// Waits until DNS shows every record, or somebody says that it does.
async fn wait(
    records: &[AcmeRecord],
    resolver: Option<SocketAddr>,
    go: &Notify,
    teller: &mut Teller,
) -> Result<(), Failed> {
    let servers = match resolver {
        Some(server) => vec![server],
        None => dns::servers(),
    };
    let begun = clock::monotonic();
    loop {
        let mut missing = None;
        for record in records {
            match dns::txt(&servers, &record.name).await {
                Ok(texts) if texts.contains(&record.value) => {}
                Ok(_) => missing = Some(format!("{} does not show it", record.name)),
                Err(err) => missing = Some(format!("{}: {err}", record.name)),
            }
        }
        let Some(missing) = missing else {
            teller.ok("dns", "shows every record").await;
            return Ok(());
        };
        let Some(left) = DNS_LIMIT.checked_sub(begun.elapsed()) else {
            let why = format!("{missing} after {} minutes", DNS_LIMIT.as_secs() / 60);
            let fix = "write the record, give it time to spread, and order again";
            return Err(Failed::new(Kind::Infrastructure, why, fix));
        };
        let left_s = left.as_secs();
        teller.0.say(AcmeTold::Waiting { left_s }).await;
        tokio::select! {
            () = tokio::time::sleep(DNS_EVERY) => {}
            () = go.notified() => {
                teller.ok("dns", "not waited for: somebody said to go on").await;
                return Ok(());
            }
        }
    }
}

/// Has it issued, for a new key.
async fn certificate(placed: &mut AcmeOrder, names: &[String]) -> Result<(String, Secret), Failed> {
    let made = || {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        let key = KeyPair::generate()?;
        let request = params.serialize_request(&key)?;
        Ok::<_, rcgen::Error>((request, key))
    };
    let (request, key) = made().map_err(|err| Failed::new(Kind::Usage, err.to_string(), ""))?;
    let failed = |err: Error| Failed::of(&err);
    anew!(placed.finalize_csr(request.der())).map_err(failed)?;
    let chain = anew!(placed.poll_certificate(&AUTHORITY)).map_err(failed)?;
    Ok((chain, Secret::new(key.serialize_pem())))
}

/// A DNS server, `192.0.2.1` or with a port.
#[must_use]
pub fn resolver(text: &str) -> Option<SocketAddr> {
    let alone = || Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, dns::PORT));
    text.parse().ok().or_else(alone)
}
