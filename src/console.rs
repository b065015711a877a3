//! The console: what people see and what their hands do, in a terminal.
//!
//! Uses the library only through what is public there: the wire types, the typed client, the clock and the
//! sanitiser. Inside, one line: an [`event`] goes into [`app`], which changes its state and answers actions; the
//! [`runner`] performs those; a view draws the state. State and views know no clock, no IO and no key.

mod action;
mod chord;
mod event;
mod feed;
mod keymap;
mod line;
mod list;
mod marks;
mod now;
mod pen;
mod text;
mod theme;
mod widgets;
