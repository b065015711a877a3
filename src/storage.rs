//! Bytes on disk: the data directory, logs, and later artifacts, caches and workspaces.

pub mod data_dir;
pub mod logs;
