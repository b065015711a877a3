//! The routes, and what every handler can reach.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};

use super::{
    Sessions, SignIns, acme, agents, audit, backups, caller, certificates, compare, dashboard,
    doors, error, events, health, keep, logs, metrics, nodes, pipelines, projects, proxy, runs,
    secrets, services, sessions, settings, sign_in, tokens, trials, variables, vms, watches,
};
use crate::api::{self, Hello};
use crate::clock::{self, Timestamp};
use crate::engine::{Cleaning, Handle, Issuing, People, View, Watching};
use crate::services::health::Part;
use crate::storage::logs::LogStore;
use crate::storage::seal::Seal;

/// What every handler can reach. Cheap to clone, since each route has one for itself and one for each of its layers, and
/// those of a route are cloned for a request.
#[derive(Clone, Debug)]
pub struct Server(Arc<Parts>);

impl Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl From<Parts> for Server {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

/// What a server is made of.
#[derive(Debug)]
pub struct Parts {
    /// The way to change things.
    pub handle: Handle,
    /// The way to read.
    pub view: View,
    /// What opens sealed secrets.
    pub seal: Arc<Seal>,
    /// Logs.
    pub logs: LogStore,
    /// The data directory.
    pub data: PathBuf,
    /// What does not change while it runs.
    pub hello: Hello,
    /// The looks at watched repositories.
    pub watching: Watching,
    /// The VMs of the VM provider.
    pub vms: crate::engine::Vms,
    /// The removal of what has been kept for long enough.
    pub cleaning: Cleaning,
    /// Certificates that an authority issues.
    pub issuing: Issuing,
    /// Whether anybody is there.
    pub presence: Arc<Presence>,
    /// Which consoles may write.
    pub sessions: Sessions,
    /// Who was wrong too often.
    pub sign_ins: SignIns,
    /// Who people are.
    pub people: People,
}

/// Whether any API client is there: for a server that ends itself when idle.
#[derive(Debug, Default)]
pub struct Presence {
    last: AtomicI64,
    open: AtomicUsize,
}

impl Presence {
    /// When a client was last heard of; now while a request or stream is open.
    #[must_use]
    pub fn last(&self, now: Timestamp) -> Timestamp {
        if self.open.load(Ordering::Relaxed) > 0 {
            now
        } else {
            Timestamp(self.last.load(Ordering::Relaxed))
        }
    }

    /// A client is there until the answer is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Present {
        self.open.fetch_add(1, Ordering::Relaxed);
        Present(self.clone())
    }
}

/// A client that is there.
#[derive(Debug)]
pub(super) struct Present(Arc<Presence>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.last.store(clock::now().0, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Builds the routes. Build Agents report on the machine's socket only, `near`.
pub fn router(server: Server, near: bool) -> Router {
    let guard = middleware::from_fn_with_state(server.clone(), sessions::guard);
    let identify = middleware::from_fn_with_state(server.clone(), caller::identify);
    let clients = Router::new()
        .route("/hello", get(hello))
        .route("/summary", get(events::summary))
        .route("/events", get(events::stream))
        .route("/pipelines", get(pipelines::list).post(pipelines::create))
        .route("/pipelines/{reference}", get(pipelines::detail))
        .route("/rerun/{reference}", post(pipelines::rerun))
        .route("/approve/{reference}", post(pipelines::approve))
        .route("/cancel/{reference}", post(pipelines::cancel))
        .route("/runs", get(runs::list))
        .route("/runs/{reference}", get(runs::detail))
        .route("/runs/{reference}/stop", post(runs::stop))
        .route("/nodes", get(nodes::list))
        .route("/nodes/{reference}", get(nodes::detail))
        .route("/nodes/{reference}/drain", post(nodes::drain))
        .route("/nodes/{reference}/eligibility", post(nodes::eligibility))
        .route("/logs/{attempt}/{step}", get(logs::read))
        .route("/jobs/{reference}/logs/{step}", get(logs::of_job))
        .route("/audit", get(audit::list))
        .route("/backups", post(backups::create))
        .route("/dashboard", get(dashboard::read))
        .route("/gc", get(keep::read).post(keep::run))
        .route("/gc/plan", get(keep::plan))
        .route("/gc/keep", post(keep::set))
        .route("/secrets", get(secrets::read))
        .route("/secrets/unlock", post(secrets::unlock))
        .route("/secrets/protect", post(secrets::protect))
        .route("/secrets/unprotect", post(secrets::unprotect))
        .route("/services", get(services::list))
        .route("/services/stop", post(services::stop))
        .route("/services/start", post(services::start))
        .route("/compare/{reference}", get(compare::read))
        .route("/session", get(sessions::read).post(sessions::arm))
        .route("/projects", get(projects::list))
        .route(
            "/projects/{reference}",
            get(projects::detail).delete(projects::remove),
        )
        .route("/projects/{reference}/rename", post(projects::rename))
        .route("/settings", get(settings::list))
        .route("/settings/stage", post(settings::stage))
        .route("/settings/discard", post(settings::discard))
        .route("/settings/save", post(settings::save))
        .route("/settings/rollback", post(settings::rollback))
        .route("/settings/test", post(trials::run))
        .route("/settings/trust", post(certificates::trust))
        .route("/settings/versions", get(settings::versions))
        .route("/settings/diff", get(settings::diff))
        .route("/settings/drift", get(proxy::drift))
        .route("/proxy/render", post(proxy::render))
        .route(
            "/settings/export",
            get(settings::export).post(settings::export_sealed),
        )
        .route(
            "/projects/{reference}/env",
            get(variables::list).post(variables::set),
        )
        .route("/projects/{reference}/env/{name}", delete(variables::unset))
        .route("/vms", get(vms::list).post(vms::create))
        .route("/vms/{reference}", delete(vms::destroy))
        .route("/watches", get(watches::list).post(watches::add))
        .route("/watches/{reference}", delete(watches::remove))
        .route("/watches/{reference}/look", post(watches::look))
        .route("/tls/acme", post(acme::order))
        .route("/tls/acme/go", post(acme::go_on))
        .route("/tls/chain", post(certificates::chain))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{id}", delete(tokens::revoke))
        .route("/people", get(sign_in::people))
        .route("/people/{kind}/{name}", delete(sign_in::forget))
        .layer(guard.clone())
        .layer(identify.clone())
        .layer(middleware::from_fn_with_state(server.clone(), present));
    // Whoever watches the server from outside is nobody who keeps it from ending when idle.
    let watchers = Router::new()
        .route("/metrics", get(metrics::read))
        .layer(guard)
        .layer(identify)
        .route("/health", get(health::read));
    // Nobody is signed in who signs in; and whoever is may leave, whatever their role.
    let entrance = Router::new()
        .route("/session/sign-out", post(sign_in::leave))
        .layer(middleware::from_fn_with_state(
            server.clone(),
            caller::identify,
        ))
        .route("/session/sign-in", sign_in::route())
        .layer(middleware::from_fn_with_state(server.clone(), present));
    let agents = Router::new()
        .route("/attempts/{attempt}/records", post(agents::records))
        .route("/attempts/{attempt}/variables", get(agents::variables))
        .route("/attempts/{attempt}/machine", get(agents::machine))
        .layer(agents::body_limit());
    let agents = if near { agents } else { Router::new() };
    Router::new()
        .nest(api::ROOT, clients.merge(entrance).merge(agents))
        .merge(watchers)
        .layer(middleware::from_fn(error::in_our_form))
        .with_state(server)
}

async fn present(State(server): State<Server>, request: Request, next: Next) -> Response {
    let _here = server.presence.enter();
    let begun = clock::monotonic();
    let asked = request.uri().path().to_owned();
    let reads = request.method() == Method::GET;
    let answer = next.run(request).await;
    let meter = server.view.pulse.of(Part::Api);
    match answer.status() {
        // A server that is read-only says so itself, and the store's line does.
        StatusCode::INTERNAL_SERVER_ERROR => {
            meter.failed(format!("{asked} was answered 500"), clock::now());
        }
        // A write takes what git or a backup takes.
        _ if reads => meter.done(begun.elapsed(), clock::now()),
        _ => {}
    }
    answer
}

async fn hello(State(server): State<Server>) -> Json<Hello> {
    Json(Hello {
        network: doors::network(&server),
        ..server.hello.clone()
    })
}
