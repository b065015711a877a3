//! Roundel, a self-hosted CI server: the headless library.
//!
//! It takes a repository and its `.circleci/config.yml`, plans pipelines, queues runs, places them on a fleet, runs
//! them in a build agent and keeps their logs. It knows nothing of a terminal: the console and the command line are
//! declared by `main.rs` and reach the library only through what is public here.
//!
//! **The order of the modules below is the order of dependency**: a module uses only modules above it. A test reads
//! the `use crate::` lines and fails on the rest.

pub mod agent;
pub mod api;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod engine;
pub mod error;
pub mod http;
pub mod ids;
pub mod pipeline;
pub mod queue;
pub mod sanitise;
pub mod processes;
pub mod scheduler;
pub mod settings;
pub mod storage;
pub mod store;
pub mod vcs;
