//! What an installation can be told: the bootstrap file, where things lie, and the registry of settings with the one
//! look at their values.

pub mod bootstrap;
pub mod check;
pub mod exchange;
pub mod keep;
pub mod paths;
pub mod registry;
pub(crate) mod rules;
pub mod span;
pub mod value;
