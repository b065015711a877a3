//! What an installation can be told: the bootstrap file, where things lie, and later the registry of settings.

pub mod bootstrap;
pub mod paths;
pub mod span;
