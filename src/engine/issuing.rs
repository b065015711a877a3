//! Certificates that an authority issues: ordered with what the settings say, saved as a version of them, and served
//! from that moment on.
//!
//! One order at a time, on the runtime and never on the dispatcher.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::command::{Actor, Command, CommandError, Reply, SettingsCommand};
use super::handle::Handle;
use super::view::View;
use crate::clock;
use crate::error::{Chain, Explain, Kind};
use crate::secret::Secret;
use crate::services::acme::{self, Failed, Issued, Order, Teller};
use crate::services::certificates::{Facts, Source};
use crate::services::outgoing;
use crate::settings::check::{Finding, check};
use crate::settings::registry::find;
use crate::settings::value::{Value, Values};

/// What is wished for; what is left out is as at the last order.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Names that the certificate is for.
    pub names: Vec<String>,
    /// Where the authority is.
    pub directory: Option<String>,
    /// Where it may write to.
    pub email: Option<String>,
    /// Whether its terms are agreed to.
    pub agree_tos: bool,
    /// A DNS server in place of the system's.
    pub resolver: Option<String>,
    /// Only when the certificate that is served ends soon.
    pub if_due: bool,
}

/// Orders certificates; cheap to clone.
#[derive(Clone, Debug)]
pub struct Issuing {
    handle: Handle,
    view: View,
    current: Arc<Mutex<Option<Arc<Notify>>>>,
}

/// The one order that is under way; another one may come once it is dropped.
#[derive(Debug)]
pub struct Turn {
    current: Arc<Mutex<Option<Arc<Notify>>>>,
    go: Arc<Notify>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock(&self.current) = None;
    }
}

fn lock(current: &Mutex<Option<Arc<Notify>>>) -> std::sync::MutexGuard<'_, Option<Arc<Notify>>> {
    current.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Issuing {
    /// For an engine.
    #[must_use]
    pub fn new(handle: Handle, view: View) -> Self {
        Self {
            handle,
            view,
            current: Arc::default(),
        }
    }

    /// The right to order.
    ///
    /// # Errors
    /// When an order is under way.
    pub fn turn(&self) -> Result<Turn, CommandError> {
        let mut current = lock(&self.current);
        if current.is_some() {
            return Err(CommandError::Conflict {
                what: "certificate",
                name: self.view.values.borrow().text("hostname"),
                why: "is being ordered already".to_owned(),
            });
        }
        let go = Arc::new(Notify::new());
        *current = Some(go.clone());
        Ok(Turn {
            current: self.current.clone(),
            go,
        })
    }

    /// The records are in DNS: an order that waits for them goes on. Answers whether there is one.
    #[must_use]
    pub fn go_on(&self) -> bool {
        match &*lock(&self.current) {
            Some(go) => {
                go.notify_one();
                true
            }
            None => false,
        }
    }

    /// Carries an order out and tells each step. Dropping it gives up, unless the certificate is there already.
    pub async fn run(&self, turn: Turn, wish: &Wish, actor: Actor, teller: &mut Teller) {
        let values = self.view.values.borrow().clone();
        if wish.if_due
            && let Some(until) = self.not_due(&values)
        {
            return teller.ok("due", until).await;
        }
        let wish = wish.clone();
        // The system's authorities are read from files.
        let prepared = tokio::task::spawn_blocking(move || prepare(&wish, &values)).await;
        let (order, client) = match prepared {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(failed)) => return teller.failed("order", failed).await,
            Err(_) => {
                let failed = Failed::new(Kind::Internal, "it was broken off", "");
                return teller.failed("order", failed).await;
            }
        };
        let Some(issued) = acme::issue(&order, client, &turn.go, teller).await else {
            return;
        };
        let (handle, view) = (self.handle.clone(), self.view.clone());
        // What has been issued is kept, also when nobody listens any more.
        let kept = tokio::spawn(async move { keep(&handle, &view, order, issued, actor).await });
        match kept.await {
            Ok(Ok(version)) => {
                let text = format!("as version {version} of the settings");
                teller.ok("saved", text).await;
            }
            Ok(Err(failed)) => return teller.failed("saved", failed).await,
            Err(_) => {
                let failed = Failed::new(Kind::Internal, "saving was broken off", "");
                return teller.failed("saved", failed).await;
            }
        }
        self.tell_served(teller).await;
    }

    /// Until when the certificate holds, where nothing has to be done yet.
    fn not_due(&self, values: &Values) -> Option<String> {
        let facts = Facts::of_pem(&values.text("ssl_cert"))?;
        let now = clock::now();
        (!facts.renewal_due(now)).then(|| {
            let days = facts.days_left(now);
            format!("not yet: {} holds for {days} more days", facts.name)
        })
    }

    async fn tell_served(&self, teller: &mut Teller) {
        let all = self.view.certificates.all();
        let mut served = all.iter().filter(|one| one.source == Source::Privacy);
        let Some(first) = served.next() else {
            let fix = "start the server with --public ADDR, or `roundel settings set console.tls.source privacy`";
            return teller.warning("served", "nowhere yet", fix).await;
        };
        let places: Vec<&str> = [first]
            .into_iter()
            .chain(served)
            .map(|one| one.place.described())
            .collect();
        let text = format!(
            "{} on {}, until {}",
            first.facts.name,
            places.join(" and "),
            first.facts.until
        );
        teller.ok("served", text).await;
    }
}

/// What is ordered, by the wish and the settings, and the way to the authority.
fn prepare(wish: &Wish, values: &Values) -> Result<(Order, reqwest::Client), Failed> {
    let mut wanted = values.clone();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            wanted.set(key, value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    let names = (!wish.names.is_empty()).then(|| Value::List(wish.names.clone()));
    set("acme.hostnames", names);
    set("acme.directory", text(&wish.directory));
    set("acme.email", text(&wish.email));
    set("acme.resolver", text(&wish.resolver));
    let wrong: Vec<String> = check(&wanted)
        .into_iter()
        .filter(|finding| finding.is_error() && finding.key.starts_with("acme."))
        .map(|finding| format!("{} {}", finding.key, finding.message))
        .collect();
    if !wrong.is_empty() {
        return Err(Failed::new(Kind::Usage, wrong.join("; "), ""));
    }
    let names = match wanted.get("acme.hostnames").as_deref() {
        Some(Value::List(names)) if !names.is_empty() => names.clone(),
        _ => {
            let fix = "say for which name: --hostname NAME";
            return Err(Failed::new(Kind::Usage, "nothing was ordered before", fix));
        }
    };
    let account = match wanted.get("acme.account").as_deref() {
        Some(Value::Secret(secret)) => Some(secret.clone()),
        Some(Value::Locked) => {
            let why = "the account is locked";
            return Err(Failed::new(Kind::Refused, why, "roundel unlock"));
        }
        _ => None,
    };
    let client = outgoing::client(values).map_err(|err| {
        let fix = err.hint().unwrap_or_default();
        Failed::new(err.kind(), Chain(&err).to_string(), fix)
    })?;
    let order = Order {
        names,
        directory: wanted.text("acme.directory"),
        email: wanted.text("acme.email"),
        agree_tos: wish.agree_tos,
        resolver: acme::resolver(&wanted.text("acme.resolver")),
        account,
    };
    Ok((order, client))
}

/// Saves what was issued, and serves it; answers the version.
async fn keep(
    handle: &Handle,
    view: &View,
    order: Order,
    issued: Issued,
    actor: Actor,
) -> Result<u64, Failed> {
    let secret = |secret: Secret| Some(Value::Secret(secret));
    let text = |text: String| Some(Value::Text(text));
    let resolver = order.resolver.map(|server| Value::Text(server.to_string()));
    let all: BTreeMap<&str, Option<Value>> = BTreeMap::from([
        ("acme.hostnames", Some(Value::List(order.names))),
        ("acme.directory", text(order.directory)),
        (
            "acme.email",
            text(order.email).filter(|text| !text.is_empty()),
        ),
        ("acme.resolver", resolver),
        ("acme.account", secret(issued.account)),
        ("ssl_cert", text(issued.chain)),
        ("ssl_private_key", secret(issued.key)),
    ]);
    let changes = all
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let command = SettingsCommand::Put {
        changes,
        origin: "acme",
    };
    let sent = handle.send(Command::Settings(command), actor, None).await;
    let (_, reply) = sent.map_err(|err| match &err {
        CommandError::Settings { findings } => {
            let why: Vec<String> = findings.iter().map(said).collect();
            Failed::new(Kind::Conflict, why.join("; "), "")
        }
        err => Failed::new(err.kind(), Chain(err).to_string(), ""),
    })?;
    let Reply::Settings { version, .. } = reply else {
        let why = "the settings were asked for and something else answered";
        return Err(Failed::new(Kind::Internal, why, ""));
    };
    // Whoever hears that it is saved finds it served.
    let now = view.values.borrow().clone();
    view.certificates.follow(&now, clock::now());
    Ok(version)
}

fn said(finding: &Finding) -> String {
    let label = find(&finding.key).map_or(finding.key.as_str(), |(_, entry)| entry.label);
    format!("{label} {}", finding.message)
}
