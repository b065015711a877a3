//! Tests of the client and of the verbs: the program itself against servers of its own, each in a directory that goes
//! away with the test.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod access;
mod account;
mod acme;
mod authorities;
mod backup;
mod bad_input;
mod client;
#[path = "../support/directory.rs"]
mod directory;
mod disk;
mod docker;
mod doctor;
mod gc;
mod groups;
mod guest;
mod health;
mod hostile;
mod ldap;
mod leaks;
mod listener;
mod locked;
mod offline;
#[path = "../support/openldap.rs"]
mod openldap;
mod package;
mod project;
mod proxy;
mod queue;
mod remote;
mod search;
mod secrets;
mod services;
mod settings;
mod signin;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/squid.rs"]
mod squid;
mod support;
mod surroundings;
mod tls;
mod unreachable;
mod verbs;
mod vm;
mod watch;
mod wire;
