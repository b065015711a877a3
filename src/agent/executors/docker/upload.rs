//! Files of this machine into the primary container, owned by its user: what git checked out, long scripts. By the
//! archive API, so that an image needs no git, and engine and container no sight of the server's directories.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::rc::Rc;

use bollard::query_parameters::UploadToContainerOptionsBuilder;
use bytes::Bytes;
use futures_util::stream;
use tokio::io::AsyncReadExt;

use super::{Docker, exec};
use crate::agent::executors::pack::{READY, carry, names_in, pack, packed};
use crate::agent::executors::{End, Program};
use crate::agent::journal::Journal;
use crate::containers::said;

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
        let names = match names_in(from) {
            Ok(names) => names,
            Err(err) => return End::Failed(err),
        };
        let copy = self.upload(from, &names, &program.directory);
        match carry(program, from, journal, copy).await {
            Ok(()) => End::Exited(0),
            Err(end) => end,
        }
    }

    /// Copies `names` of the directory `from` into the directory `to` of the container.
    pub(super) async fn upload(
        &self,
        from: &Path,
        names: &[OsString],
        to: &Path,
    ) -> io::Result<()> {
        let mut child = pack(from, names, self.owner)?;
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
        packed(child).await?;
        sent.map_err(|err| {
            io::Error::other(format!(
                "failed to copy to `{}` in the container: {}",
                to.display(),
                said(&err)
            ))
        })
    }
}
