//! stub
use std::path::Path;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct VcsError;
impl crate::error::Explain for VcsError { fn kind(&self) -> crate::error::Kind { crate::error::Kind::Usage } }
pub struct Source { pub key: String, pub org: String, pub name: String, pub origin: String }
pub struct Revision { pub id: String, pub branch: String, pub tag: String, pub subject: String }
pub fn locate(_: &str) -> Result<Source, VcsError> { Err(VcsError) }
pub fn fetch(_: &Source, _: Option<&str>, _: &Path) -> Result<Revision, VcsError> { Err(VcsError) }
pub fn read_file(_: &Path, _: &str, _: &str, _: usize) -> Result<Option<Vec<u8>>, VcsError> { Ok(None) }
