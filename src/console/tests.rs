//! Tests of the console as a whole: an app on a stage, with a server in memory, keys by their names and frames as text.
//!
//! [`kit`] is for the tests beside the code, too.

#![allow(
    clippy::type_complexity,
    reason = "the tables of tests are read where they stand"
)]

pub mod kit;

mod ahead;
mod amounts;
mod approvals;
mod drawing;
mod foremost;
mod hostile;
mod jobs;
mod keys;
mod live;
mod log;
mod marks;
mod matrix;
mod over;
mod palette;
mod prompts;
mod screens;
mod stage;
mod states;
mod travel;
mod writes;
