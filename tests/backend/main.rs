//! Tests of the headless library through its public interface: no terminal, no command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod hostile;
mod house;
mod pipeline;
mod scheduler;
mod storage;
mod support;
