//! Bytes on disk.

mod logs;
