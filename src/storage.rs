//! Bytes on disk: the data directory, logs, an agent's spool, and later artifacts, caches and workspaces.

pub mod data_dir;
pub mod logs;
pub mod own_log;
pub mod seal;
pub mod space;
pub mod spool;
pub mod trees;
