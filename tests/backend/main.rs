//! Tests of the headless library through its public interface.

mod house;
mod pipeline;
mod storage;
mod support;
