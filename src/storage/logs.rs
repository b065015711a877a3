//! stub
use std::path::Path;
use crate::api::agent::Record;
use crate::api::builds::{LogLines, LogMatches};
use crate::ids::AttemptId;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct LogError;
impl crate::error::Explain for LogError { fn kind(&self) -> crate::error::Kind { crate::error::Kind::Unavailable } }
#[derive(Clone, Copy)] pub enum Log { Agent, Step(u16) }
#[derive(Clone, Debug)]
pub struct LogStore;
impl LogStore {
    pub fn open(_: &Path) -> Result<LogStore, LogError> { Ok(LogStore) }
    pub fn append(&self, _: AttemptId, _: &[Record]) -> Result<Vec<(u16, u64)>, LogError> { Ok(vec![]) }
    pub fn sync(&self, _: AttemptId, _: u16) -> Result<(), LogError> { Ok(()) }
    pub fn close(&self, _: AttemptId) {}
    pub fn len(&self, _: AttemptId, _: u16) -> u64 { 0 }
    pub fn last_seq(&self, _: AttemptId) -> u64 { 0 }
    pub fn read(&self, _: AttemptId, _: Log, _: Option<u8>, _: u64, _: u64) -> Result<Vec<u8>, LogError> { Ok(vec![]) }
    pub fn stream_len(&self, _: AttemptId, _: Log, _: Option<u8>) -> Result<u64, LogError> { Ok(0) }
    pub fn lines(&self, _: AttemptId, _: Log, _: Option<u8>, _: u64, _: u64) -> Result<LogLines, LogError> { Err(LogError) }
    pub fn tail(&self, _: AttemptId, _: Log, _: Option<u8>, _: u64) -> Result<LogLines, LogError> { Err(LogError) }
    pub fn search(&self, _: AttemptId, _: Log, _: Option<u8>, _: &str, _: u64) -> Result<LogMatches, LogError> { Err(LogError) }
}
