//! Files of this machine for another place of steps, as an archive: what git checked out, so that the place needs no git
//! and sees nothing of the server's directories.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::heard::Heard;
use super::{End, Program};
use crate::agent::journal::Journal;

/// Says whether a checkout may go to the directory `$1`: as `git clone` has it, or over a checkout of before.
pub(super) const READY: &str = r#"mkdir -p -- "$1" || exit 1
cd -- "$1" || exit 1
[ -e .git ] && exit 0
for entry in * .[!.]* ..?*; do
  [ -e "$entry" ] || [ -L "$entry" ] || continue
  echo "The directory $1 is not empty and not a git repository."
  exit 1
done"#;

/// Packs `names` of the directory `from`, to be owned by `owner` there. The archive is the child's standard output.
pub(super) fn pack(from: &Path, names: &[OsString], owner: (u32, u32)) -> io::Result<Child> {
    Command::new("tar")
        .arg("--create")
        .arg("--file=-")
        .arg("--numeric-owner")
        .arg(format!("--owner={}", owner.0))
        .arg(format!("--group={}", owner.1))
        .arg("--directory")
        .arg(from)
        .arg("--")
        .args(names)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|err| io::Error::new(err.kind(), format!("failed to run `tar`: {err}")))
}

/// Waits for the end of a packing.
pub(super) async fn packed(child: Child) -> io::Result<()> {
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let status = output.status;
    Err(io::Error::other(format!(
        "tar ended with {status}: {words}"
    )))
}

/// Waits for a copy of what git put in `from`, as for a step, and removes that here; nothing is heard of a copy before it is
/// whole. What there is instead of a copy is the error.
pub(super) async fn carry<T>(
    program: &Program<'_>,
    from: &Path,
    journal: &Journal,
    copy: impl Future<Output = io::Result<T>>,
) -> Result<T, End> {
    let copied = program.watch(copy, &Heard::new(), journal).await;
    let from = from.to_owned();
    // What is left goes with the scratch directory.
    let _ = tokio::task::spawn_blocking(move || crate::storage::trees::remove(&from)).await;
    copied?.map_err(End::Failed)
}

/// Names of all that is in a directory.
pub(super) fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let entries = std::fs::read_dir(directory)?;
    Ok(entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .collect())
}
