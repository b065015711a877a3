//! The console on a pseudo-terminal: what it draws, what it does to the terminal, and what it makes of a server that
//! comes and goes. Each test has a data directory, and so a server, of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod approve;
mod arm;
mod audit;
mod compare;
mod dashboard;
mod keep;
mod kernel;
mod keys;
mod lent;
mod lists;
mod log;
mod look;
mod marks;
mod matrix;
mod modes;
mod mouse;
mod once;
mod plain;
mod questions;
mod safety;
mod scale;
mod settings;
mod several;
#[path = "../support/skip.rs"]
mod skip;
mod slow;
mod support;
mod themes;
mod tour;
mod within;
