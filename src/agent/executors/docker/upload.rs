//! Files of this machine into the primary container, owned by its user: what git checked out, long scripts. By the
//! archive API, so that an image needs no git, and engine and container no sight of the server's directories.

use std::cell::Cell;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use bytes::Bytes;
use futures_util::stream;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::{Docker, exec};
use crate::agent::executors::{End, Program, silent};
use crate::agent::journal::Journal;
use crate::clock;
use crate::containers::said;

/// Says whether a checkout may go there: as `git clone` has it, or over a checkout of before.
const READY: &str = r#"mkdir -p -- "$1" || exit 1
cd -- "$1" || exit 1
[ -e .git ] && exit 0
for entry in * .[!.]* ..?*; do
  [ -e "$entry" ] || [ -L "$entry" ] || continue
  echo "The directory $1 is not empty and not a git repository."
  exit 1
done"#;

/// One read of the archive.
const PART: usize = 64 * 1024;

impl Docker {
    /// Puts the checkout in its place in the container. Ends as a step does that runs there.
    pub(super) async fn bring_checkout(
        &self,
        program: &Program<'_>,
        from: &Path,
        journal: &Rc<Journal>,
    ) -> End {
        let target = program.directory.display().to_string();
        let words = ["/bin/sh", "-c", READY, "sh", &target];
        match exec::errand(
            &self.engine,
            &self.primary,
            self.user.as_deref(),
            &words,
            &[],
        )
        .await
        {
            Ok((0, _)) => {}
            Ok((code, text)) => {
                journal.output(program.step, 2, text.as_bytes()).await;
                return End::Exited(i32::try_from(code).unwrap_or(-1));
            }
            Err(why) => return End::Failed(io::Error::other(why)),
        }
        let names = match std::fs::read_dir(from) {
            Ok(entries) => entries
                .filter_map(|entry| Some(entry.ok()?.file_name()))
                .collect::<Vec<_>>(),
            Err(err) => return End::Failed(err),
        };
        // Nothing is heard of a copy before it is whole.
        let begun = Cell::new(clock::monotonic());
        let end = tokio::select! {
            done = self.upload(from, &names, &program.directory) => match done {
                Ok(()) => End::Exited(0),
                Err(err) => End::Failed(err),
            },
            () = journal.stopped() => End::Stopped,
            () = silent(&begun, program.silence) => End::Silent,
            () = tokio::time::sleep_until(program.deadline.into()) => End::Late,
        };
        let _ = tokio::task::spawn_blocking({
            let from = from.to_owned();
            // What is left goes with the scratch directory.
            move || std::fs::remove_dir_all(from)
        })
        .await;
        end
    }

    /// Copies `names` of the directory `from` into the directory `to` of the container.
    pub(super) async fn upload(
        &self,
        from: &Path,
        names: &[OsString],
        to: &Path,
    ) -> io::Result<()> {
        let mut child = Command::new("tar")
            .arg("--create")
            .arg("--file=-")
            .arg("--numeric-owner")
            .arg(format!("--owner={}", self.owner.0))
            .arg(format!("--group={}", self.owner.1))
            .arg("--directory")
            .arg(from)
            .arg("--")
            .args(names)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|err| io::Error::new(err.kind(), format!("failed to run `tar`: {err}")))?;
        let pipe = child.stdout.take().expect("it was asked for");
        let parts = stream::try_unfold(pipe, |mut pipe| async move {
            let mut part = vec![0; PART];
            let read = pipe.read(&mut part).await?;
            part.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(part), pipe)))
        });
        let options = UploadToContainerOptionsBuilder::new()
            .path(&to.display().to_string())
            .build();
        let sent = self
            .engine
            .api
            .upload_to_container(
                &self.primary,
                Some(options),
                bollard::body_try_stream(parts),
            )
            .await;
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(format!(
                "tar ended with {}: {words}",
                output.status
            )));
        }
        sent.map_err(|err| {
            io::Error::other(format!(
                "failed to copy to `{}` in the container: {}",
                to.display(),
                said(&err)
            ))
        })
    }
}
