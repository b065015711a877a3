//! The one way in which a test says that it was not run. Shared by the three test binaries.

use std::fs::OpenOptions;
use std::io::Write;

/// Reports that the running test is skipped; the caller then returns.
///
/// `why` begins with `needs` and names the absent component, as `needs tmux`. The line goes to the file that
/// `ROUNDEL_TEST_SKIPS` names, from which `tests/run` takes it out of the passed ones, and to the test's own output.
///
/// # Panics
/// When that file cannot be written: the test would be counted as passed.
pub fn skip(why: &str) {
    assert!(
        why.starts_with("needs "),
        "a skip says what the test needs, not `{why}`"
    );
    let thread = std::thread::current();
    let line = format!(
        "skipped: {} {why}\n",
        thread.name().unwrap_or("unnamed test")
    );
    print!("{line}");
    if let Some(path) = std::env::var_os("ROUNDEL_TEST_SKIPS") {
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the file named by ROUNDEL_TEST_SKIPS takes a line");
    }
}
