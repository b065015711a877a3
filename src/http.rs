//! The HTTP API: axum on a unix socket. One file per resource; handlers translate between `api` and the engine, and
//! decide nothing.

mod acme;
mod agents;
mod audit;
mod backups;
mod body;
mod caller;
mod certificates;
mod compare;
mod dashboard;
mod doors;
mod error;
mod events;
mod health;
mod keep;
mod logs;
mod metrics;
mod nodes;
mod peer;
mod pipelines;
mod port;
mod projects;
mod proxy;
mod query;
mod router;
mod runs;
mod secrets;
mod serve;
mod services;
mod sessions;
mod settings;
mod sign_in;
mod tokens;
mod translate;
mod trials;
mod variables;
mod vms;
mod watches;

pub use caller::SignIns;
pub use peer::Peer;
pub use router::{Server, router};
pub use serve::{JobUser, ServeError, ServeOptions, serve};
pub use sessions::Sessions;
