//! What the tests of the library share: finding outside data, reporting a skip.

#[path = "../support/skip.rs"]
mod skip;

use std::path::PathBuf;

pub use skip::skip;

/// The directory of real config files, from `ROUNDEL_CORPUS`; reports a skip when it is not set.
pub fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("ROUNDEL_CORPUS").map(PathBuf::from);
    if path.is_none() {
        skip("needs ROUNDEL_CORPUS");
    }
    path
}
