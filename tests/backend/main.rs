//! Tests of the headless library, through what is public of it.

mod scheduler;
