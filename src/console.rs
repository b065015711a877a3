//! The console: what people see and what their hands do, in a terminal.
//!
//! Uses the library only through what is public there: the wire types, the typed client, the clock and the
//! sanitiser. Inside, one line: an [`event`] goes into [`app`], which changes its state and answers actions; the
//! [`runner`] performs those; a view draws the state. State and views know no clock, no IO and no key.

mod action;
mod app;
mod chord;
mod command;
mod effect;
mod event;
mod feed;
mod keymap;
mod line;
mod list;
mod marks;
mod now;
mod overlays;
mod pen;
mod place;
mod screens;
mod shell;
mod text;
mod theme;
mod verbs;
mod view;
mod widgets;

pub fn from_args(_: &[String]) -> std::process::ExitCode { 0.into() }
