//! Roundel, a self-hosted CI server: the headless library.
//!
//! It takes a repository and its `.circleci/config.yml`, plans pipelines, queues runs, places them on a fleet, runs
//! them in a build agent and keeps their logs. It knows nothing of a terminal: the console and the command line are
//! declared by `main.rs` and reach the library only through what is public here.
//!
//! **The order of the modules below is the order of dependency**: a module uses only modules above it. A test reads
//! the `use crate::` lines and fails on the rest. (The formatter sorts within a group, so a group holds only modules
//! whose order among themselves is free or happens to be that of the alphabet.)

// The ground that everything stands on.
pub mod clock;
pub mod error;
pub mod ids;
mod nearest;
pub mod sanitise;
pub mod secret;

// Pure: what certificates and keys are, as bytes; and on them the registry of settings.
pub mod certificates;
pub mod settings;

// Pure: values in, decisions out; no clock, no file, no socket.
pub mod access;
pub mod pipeline;
pub mod queue;
pub mod scheduler;

// The words of the wire, and of the records that an agent writes.
pub mod api;

// Disk, processes, containers, repositories.
pub mod containers;
pub mod processes;
pub mod storage;
pub mod store;
pub mod vcs;

// Outside edges: backups; what the server measures of itself.
pub mod services;

// The fleet, and the one loop that changes state.
pub mod cluster;
pub mod engine;

// The other side of the wire.
pub mod client;

pub mod agent;

// The door.
pub mod http;
