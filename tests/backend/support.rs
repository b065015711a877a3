//! What the tests of the library share: finding outside data, reporting a skip.

use std::path::PathBuf;

/// Reports that the running test is skipped, in the one line that `tests/run` counts; the caller then returns.
///
/// `why` begins with `needs`, as `needs ROUNDEL_CORPUS`.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    println!("skipped: {why} ({})", thread.name().unwrap_or("unnamed test"));
}

/// The directory of real config files, from `ROUNDEL_CORPUS`; reports a skip when it is not set.
pub fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("ROUNDEL_CORPUS").map(PathBuf::from);
    if path.is_none() {
        skip("needs ROUNDEL_CORPUS");
    }
    path
}
