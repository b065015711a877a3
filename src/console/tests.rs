//! Tests of the console as a whole: an app on a stage, with a server in memory, keys by their names and frames as text.
//!
//! [`kit`] is for the tests beside the code, too.

pub mod kit;

mod foremost;
mod stage;
