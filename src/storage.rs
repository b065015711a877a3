//! Bytes on disk: logs, and later artifacts, caches and workspaces.

pub mod logs;
