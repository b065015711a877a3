//! Tests of the headless library through its public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod pipeline;
mod support;
