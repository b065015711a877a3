//! Typed client of the HTTP API, over the unix socket of a server.
//!
//! Knows `api` and no engine. Used by the console, by the verbs and (its connection) by the Build Agent.

pub mod launch;
