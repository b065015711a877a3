//! Tests of the headless library through its public interface.

mod pipeline;
mod support;
