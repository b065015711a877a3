//! How much of a folder is not committed, and so not part of a build.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Time given to git; a warning is not worth more.
const PATIENCE: Duration = Duration::from_secs(5);

/// Number of files with changes that are not committed; 0 when it cannot be told, or for a URL.
pub(super) async fn count(source: &str) -> u64 {
    if !Path::new(source).is_absolute() {
        return 0;
    }
    let status = Command::new("git")
        .args([
            "--no-optional-locks",
            "-C",
            source,
            "status",
            "--porcelain",
            "-z",
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(PATIENCE, status).await {
        Ok(Ok(output)) if output.status.success() => entries(&output.stdout),
        _ => 0,
    }
}

/// Counts the entries of `git status --porcelain -z`: a renamed file has its old name as a second one.
fn entries(output: &[u8]) -> u64 {
    let mut names = output
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let mut count = 0;
    while let Some(entry) = names.next() {
        count += 1;
        if matches!(entry.first(), Some(b'R' | b'C')) {
            names.next();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_counts_once() {
        assert_eq!(entries(b""), 0);
        assert_eq!(entries(b" M a\0?? b c\0R  new\0old\0A  d\0"), 4);
    }
}
