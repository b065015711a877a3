//! The `checkout` step: the revision out of the server's mirror, with the project's own origin.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Context;
use crate::agent::executors::{End, Executor, Program};

/// Silence after which a checkout counts as stuck.
pub(super) const SILENCE: Duration = Duration::from_secs(600);

/// Values come through the environment, never as text of the script.
const SCRIPT: &str = r#"
cd "$CHECKOUT_DIR"
if [ -e .git ]; then
  echo "Fetching into existing repository"
  git fetch --quiet --force --prune --no-tags -- "$CHECKOUT_MIRROR" '+refs/*:refs/roundel/*'
elif [ -n "$(ls -A .)" ]; then
  echo "The directory $CHECKOUT_DIR is not empty and not a git repository." >&2
  exit 1
else
  echo "Cloning git repository"
  git clone --quiet --no-checkout --no-hardlinks -- "$CHECKOUT_MIRROR" .
fi
git remote set-url origin "$CHECKOUT_ORIGIN" 2>/dev/null || git remote add origin "$CHECKOUT_ORIGIN"
# Builds without a branch once had the word HEAD for it, and may be run again.
if [ -n "$CHECKOUT_TAG" ] || [ -z "$CHECKOUT_BRANCH" ] || [ "$CHECKOUT_BRANCH" = HEAD ]; then
  git -c advice.detachedHead=false checkout --quiet --force --detach "$CHECKOUT_REVISION"
else
  git checkout --quiet --force --no-track -B "$CHECKOUT_BRANCH" "$CHECKOUT_REVISION"
fi
git --no-pager log --no-color -1 --format='HEAD is now at %h %s'
"#;

pub(super) async fn run(
    context: &Context<'_>,
    executor: &mut impl Executor,
    index: u16,
    path: Option<&str>,
) -> End {
    let place = executor.places().of_step(path);
    let (host, directory) = executor.git(&place);
    let mirror = match reachable_mirror(context) {
        Ok(mirror) => mirror,
        Err(err) => return End::Failed(err),
    };
    let checkout = &context.task.checkout;
    let plain = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let environment = [
        plain("CHECKOUT_DIR", &directory.display().to_string()),
        plain("CHECKOUT_MIRROR", &mirror.display().to_string()),
        plain("CHECKOUT_ORIGIN", &checkout.origin),
        plain("CHECKOUT_REVISION", &checkout.revision),
        plain("CHECKOUT_BRANCH", &checkout.branch),
        plain("CHECKOUT_TAG", &checkout.tag),
        plain("GIT_TERMINAL_PROMPT", "0"),
        // The mirror may belong to the server's account.
        plain("GIT_CONFIG_COUNT", "1"),
        plain("GIT_CONFIG_KEY_0", "safe.directory"),
        plain("GIT_CONFIG_VALUE_0", "*"),
    ];
    let program = Program {
        step: index,
        words: ["/bin/sh", "-e", "-c", SCRIPT].map(OsString::from).to_vec(),
        directory,
        environment: &environment,
        silence: Some(SILENCE),
        deadline: context.deadline,
        background: false,
    };
    let end = host.run(&program, context.journal).await;
    if !matches!(end, End::Exited(0)) {
        return end;
    }
    let from = program.directory.clone();
    let program = Program {
        directory: place,
        ..program
    };
    executor.bring(&program, &from, context.journal).await
}

/// The mirror as the steps' account can read it: itself, or a copy in the scratch directory for another account,
/// which cannot enter the data directory.
fn reachable_mirror(context: &Context<'_>) -> std::io::Result<PathBuf> {
    let mirror = &context.task.checkout.mirror;
    let Some(account) = &context.task.run_as else {
        return Ok(mirror.clone());
    };
    let copy = context.task.scratch.join("mirror.git");
    if !copy.exists() {
        copy_owned(mirror, &copy, account.uid, account.gid)?;
    }
    Ok(copy)
}

/// Copies directories and plain files; a mirror holds nothing else. A fetch into it may be under way: what goes meanwhile is
/// nothing that a checkout needs.
fn copy_owned(from: &Path, to: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    let mut entries: Vec<_> = std::fs::read_dir(from)?.collect::<Result<_, _>>()?;
    // Names first, then what they name: a commit that comes meanwhile has no name in the copy.
    entries.sort_by_key(|entry| entry.file_name() == "objects");
    for entry in entries {
        let target = to.join(entry.file_name());
        let copied = if entry.file_type()?.is_dir() {
            copy_owned(&entry.path(), &target, uid, gid)
        } else if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), &target)
                .and_then(|_| std::os::unix::fs::lchown(&target, Some(uid), Some(gid)))
        } else {
            Ok(())
        };
        if let Err(err) = copied
            && entry.path().exists()
        {
            return Err(err);
        }
    }
    std::os::unix::fs::lchown(to, Some(uid), Some(gid))
}
