//! What a person names as a repository: a path or a URL, and the project it stands for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::VcsError;
use super::git::{git, run};

/// Time for a question to a repository on this machine.
pub(super) const LOCAL: Duration = Duration::from_secs(20);

/// Where a repository is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// On this machine.
    Path {
        /// Its top directory, or the git directory of a bare one.
        top: PathBuf,
        /// The branch that was checked out when it was looked for; `None` when a commit was.
        on: Option<String>,
    },
    /// Somewhere that git fetches from.
    Url(String),
}

/// A repository and the project it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where it is.
    pub place: Place,
    /// Normalised origin URL, else the absolute path: the same for all clones of one project.
    pub key: String,
    /// Owner, from the origin URL; `local` without one.
    pub org: String,
    /// Name, from the origin URL; the folder's without one.
    pub name: String,
    /// What a checkout's origin should be: seen by everybody who sees a build, so without user and password.
    pub origin: String,
}

/// Finds a repository by path or URL. A URL is only looked at, not contacted.
///
/// # Errors
/// [`VcsError::Refused`], [`VcsError::NoPath`], [`VcsError::NotARepository`], or what git says.
pub fn locate(source: &str) -> Result<Source, VcsError> {
    let refused = |why| VcsError::Refused {
        what: crate::sanitise::line(&without_password(source)).into_owned(),
        why,
    };
    if source.is_empty() {
        return Err(refused("it is empty"));
    }
    if source.starts_with('-') {
        return Err(refused(
            "it begins with `-`, which git would take for an option",
        ));
    }
    if source.chars().any(char::is_control) {
        return Err(refused("it holds control characters"));
    }
    if is_url(source) {
        return from_url(source, &refused);
    }
    let path = Path::new(source);
    let path = path.canonicalize().map_err(|_| VcsError::NoPath {
        path: path.to_owned(),
    })?;
    let (top, on) = top_of(&path)?;
    let mut command = git(&top);
    command.args(["config", "--get", "remote.origin.url"]);
    let said = run(command, "read the repository's origin", LOCAL, 8192)?;
    let origin = String::from_utf8_lossy(&said.out).trim().to_owned();
    if let Some((key, org, name)) = project_of(&origin) {
        return Ok(Source {
            place: Place::Path { top, on },
            key,
            org,
            name,
            origin: without_password(&origin),
        });
    }
    let folder = top.file_name().map_or_else(
        || "root".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let name = crate::sanitise::line(folder.trim_end_matches(".git")).into_owned();
    let key = top.display().to_string();
    Ok(Source {
        place: Place::Path { top, on },
        org: "local".to_owned(),
        name,
        origin: key.clone(),
        key,
    })
}

/// The top of the work tree, or the directory of a bare repository, and the branch that is checked out.
fn top_of(path: &Path) -> Result<(PathBuf, Option<String>), VcsError> {
    let not_one = || VcsError::NotARepository {
        path: path.to_owned(),
    };
    let directory = if path.is_dir() {
        path
    } else {
        path.parent().ok_or_else(not_one)?
    };
    let ask = |words: &[&str]| {
        let mut command = git(directory);
        command.args(["rev-parse", "--is-bare-repository", "--absolute-git-dir"]);
        command.args(words);
        run(command, "find the repository", LOCAL, 16 * 1024)
    };
    let said = ask(&["--symbolic-full-name", "HEAD", "--show-toplevel"])?;
    let text = String::from_utf8_lossy(&said.out);
    let mut lines = text.lines();
    let (is_bare, inside, head, top) = (lines.next(), lines.next(), lines.next(), lines.next());
    let branch = head.and_then(|name| name.strip_prefix("refs/heads/"));
    let on = branch
        // What stands for bytes that are no text is in no name.
        .filter(|name| is_branch_name(name) && !name.contains(char::REPLACEMENT_CHARACTER))
        .map(str::to_owned);
    match (is_bare, inside, top) {
        (Some("true"), Some(bare), _) => Ok((PathBuf::from(bare), on)),
        (Some("false"), Some(_), Some(top)) if said.ok => Ok((PathBuf::from(top), on)),
        // Git stops at HEAD where nothing is committed yet, and at the work tree inside `.git` itself.
        (Some("false"), Some(inside), _) => {
            let said = ask(&["--show-toplevel"])?;
            let text = String::from_utf8_lossy(&said.out);
            let top = text.lines().nth(2).filter(|_| said.ok).map(PathBuf::from);
            top.or_else(|| Some(Path::new(inside).parent()?.to_owned()))
                .map(|top| (top, on))
                .ok_or_else(not_one)
        }
        _ if said.err.contains("not a git repository") => Err(not_one()),
        _ => Err(VcsError::Failed {
            what: "find the repository",
            said: said.err,
        }),
    }
}

/// The rules of `git check-ref-format` that matter here.
pub(super) fn is_branch_name(name: &str) -> bool {
    let is_odd = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    // What everybody calls the commit that is checked out.
    name != "HEAD"
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.split('/').any(is_odd)
        && !name
            .chars()
            .any(|c| c.is_control() || " ~^:?*[\\".contains(c))
}

/// Whether it names something on this machine.
#[must_use]
pub fn is_local(source: &str) -> bool {
    !is_url(source) || source.starts_with("file:")
}

/// `scheme://...`, a remote helper (`ext::...`), or `user@host:path`.
fn is_url(text: &str) -> bool {
    text.contains("://") || text.contains("::") || scp_like(text).is_some()
}

/// `user@host:path` or `host:path` that is no path of this machine.
fn scp_like(text: &str) -> Option<(&str, &str)> {
    let (host, path) = text.split_once(':')?;
    (!host.contains('/') && !host.is_empty() && !path.is_empty() && !Path::new(text).exists())
        .then_some((host, path))
}

fn from_url(url: &str, refused: &impl Fn(&'static str) -> VcsError) -> Result<Source, VcsError> {
    if !url.contains("://") {
        if url.contains("::") {
            return Err(refused("remote helpers may run programs"));
        }
        let dashed = |part: &str| part.starts_with('-') || part.contains("@-");
        if url
            .split_once(':')
            .is_some_and(|(host, path)| dashed(host) || dashed(path))
        {
            return Err(refused("a part of it begins with `-`"));
        }
    } else {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        if !["https", "http", "ssh", "git", "file"].contains(&scheme) {
            return Err(refused(
                "its scheme is not one of https, http, ssh, git, file",
            ));
        }
        let authority = rest.split('/').next().unwrap_or(rest);
        if without_password(url) != url {
            return Err(refused(
                "whoever may see a build would see what opens it; git's own credential store keeps that, or use SSH",
            ));
        }
        let host = authority.rsplit('@').next().unwrap_or(authority);
        if authority.starts_with('-') || host.starts_with('-') {
            return Err(refused("its host begins with `-`"));
        }
    }
    let (key, org, name) = project_of(url).ok_or_else(|| refused("it names no repository"))?;
    Ok(Source {
        place: Place::Url(url.to_owned()),
        key,
        org,
        name,
        origin: url.to_owned(),
    })
}

/// A URL without its password; over HTTP also without the name, in whose place a token may stand.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    match user.split(':').next() {
        Some(user) if !scheme.starts_with("http") => format!("{scheme}://{user}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}

/// Key, owner and name of a URL: `https://host/owner/name.git`, `git@host:owner/name`.
fn project_of(url: &str) -> Option<(String, String, String)> {
    let (host, path) = match url.split_once("://") {
        Some(("file", rest)) => ("", rest),
        Some((_, rest)) => rest.split_once('/')?,
        None => scp_like(url)?,
    };
    let host = host.rsplit('@').next()?.to_ascii_lowercase();
    let path = path
        .trim_matches('/')
        .trim_end_matches(".git")
        .trim_end_matches('/');
    let inert = |text: &str| crate::sanitise::line(text).into_owned();
    let name = path.rsplit('/').next().map(inert)?;
    if name.is_empty() {
        return None;
    }
    let owner = path.rsplit('/').nth(1).map(inert);
    let owner = owner.filter(|owner| !owner.is_empty() && !host.is_empty());
    let owner = owner.unwrap_or_else(|| "local".to_owned());
    Some((format!("{host}/{path}"), owner, name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clones_of_one_project_have_one_key() {
        let one = |url| project_of(url).unwrap();
        let wanted = (
            "git.example.com/acme/web".to_owned(),
            "acme".to_owned(),
            "web".to_owned(),
        );
        assert_eq!(one("https://git.example.com/acme/web.git"), wanted);
        assert_eq!(one("ssh://git@git.example.com/acme/web"), wanted);
        assert_eq!(one("git@git.example.com:acme/web.git"), wanted);
        assert_eq!(one("https://user:pw@GIT.example.com/acme/web/"), wanted);
        assert_eq!(
            one("file:///srv/git/web.git"),
            (
                "/srv/git/web".to_owned(),
                "local".to_owned(),
                "web".to_owned()
            )
        );
    }

    #[test]
    fn what_opens_a_remote_is_neither_taken_nor_shown() {
        let cases = [
            (
                "https://bot:T0KEN@h.example.com/a/b",
                "https://h.example.com/a/b",
            ),
            (
                "http://T0KEN@h.example.com/a/b@c",
                "http://h.example.com/a/b@c",
            ),
            (
                "ssh://git:T0KEN@h.example.com:22/a/b",
                "ssh://git@h.example.com:22/a/b",
            ),
        ];
        for (url, shown) in cases {
            assert_eq!(without_password(url), shown);
            let err = locate(url).unwrap_err().to_string();
            assert!(err.contains("would see what opens it"), "{err}");
            assert!(!err.contains("T0KEN"), "{err}");
            assert_eq!(without_password(shown), shown);
            assert!(locate(shown).is_ok(), "{shown}");
        }
        for url in ["git@h.example.com:a/b", "file:///a@b/c", "https://h/a:b@c"] {
            assert_eq!(without_password(url), url);
        }
        let dir = tempfile::tempdir().unwrap();
        for words in [
            &["init", "--quiet"][..],
            &["remote", "add", "origin", cases[0].0],
        ] {
            let mut command = git(dir.path());
            command.args(words);
            assert!(run(command, "prepare", LOCAL, 8192).unwrap().ok);
        }
        let found = locate(&dir.path().display().to_string()).unwrap();
        assert_eq!(found.origin, cases[0].1);
        assert!(!format!("{found:?}").contains("T0KEN"));
    }

    #[test]
    fn what_could_run_a_program_is_refused() {
        for bad in [
            "-oProxyCommand=x",
            "--upload-pack=x",
            "ext::sh -c x",
            "https://-x/y",
            "git@-h:x",
            "ssh://git@-oProxyCommand=x/y@z",
            "foo://h/x",
            "",
        ] {
            let err = locate(bad).unwrap_err();
            assert!(matches!(err, VcsError::Refused { .. }), "{bad}: {err}");
        }
    }

    #[test]
    fn a_folder_that_is_not_git_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let err = locate(&dir.path().display().to_string()).unwrap_err();
        assert!(matches!(err, VcsError::NotARepository { .. }), "{err}");
        let err = locate("/no/such/path").unwrap_err();
        assert!(matches!(err, VcsError::NoPath { .. }), "{err}");
    }

    #[test]
    fn the_top_and_what_is_checked_out_are_found_from_wherever_one_stands() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let script = "git init -q -b main empty && git init -q -b main work && cd work && mkdir -p .circleci
            git -c user.name=Ann -c user.email=ann@example.com commit -q --allow-empty -m first
            git worktree add -q -b fix/2 ../tree && git worktree add -q --detach ../commit
            git worktree add -q -b \"$(printf 'caf\\351')\" ../latin && git clone -q --bare . ../bare.git";
        let done = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(&root)
            .status();
        assert!(done.unwrap().success());
        for (path, wanted, branch) in [
            ("empty", "empty", None),
            ("work", "work", Some("main")),
            ("work/.circleci", "work", Some("main")),
            ("work/.git", "work", Some("main")),
            ("tree", "tree", Some("fix/2")),
            ("commit", "commit", None),
            ("latin", "latin", None),
            ("bare.git", "bare.git", Some("main")),
            ("bare.git/refs", "bare.git", Some("main")),
        ] {
            let place = locate(&root.join(path).display().to_string())
                .unwrap()
                .place;
            let on = branch.map(str::to_owned);
            assert_eq!(
                place,
                Place::Path {
                    top: root.join(wanted),
                    on
                },
                "{path}"
            );
        }
    }

    /// What looks like an address, odd in every part.
    fn url() -> impl Strategy<Value = String> {
        let scheme = prop::sample::select(vec![
            "", "https://", "ssh://", "git://", "file://", "ext://", "ext::", "-://",
        ]);
        let host = vec![
            "@",
            "-",
            "-oProxyCommand=x",
            "user",
            ":pw",
            "git.example.com",
            "[::1]",
            ":22",
        ];
        let path = vec![
            "/", ":", "@", "-", "acme", "web", ".git", "..", "~", "?", "#", "%2d", " ", "\u{202e}",
            "é",
        ];
        let some = |words| {
            prop::collection::vec(prop::sample::select(words), 0..5)
                .prop_map(|words| words.concat())
        };
        (
            scheme,
            some(host),
            prop_oneof![Just("/"), Just(":")],
            some(path),
        )
            .prop_map(|(scheme, host, sep, path)| format!("{scheme}{host}{sep}{path}"))
    }

    proptest! {
        #[test]
        fn no_url_that_is_taken_reaches_git_as_an_option_or_a_program(url in url()) {
            let refused = |why| VcsError::Refused { what: url.clone(), why };
            let Ok(source) = from_url(&url, &refused) else { return Ok(()) };
            let (host, path) = match url.split_once("://") {
                Some((scheme, rest)) => {
                    prop_assert!(["https", "http", "ssh", "git", "file"].contains(&scheme), "{}", url);
                    rest.split_once('/').unwrap_or((rest, ""))
                }
                None => {
                    let (host, path) = url.split_once(':').unwrap();
                    prop_assert!(!path.starts_with(['-', ':']), "{}", url);
                    (host, path)
                }
            };
            prop_assert!(!host.starts_with('-') && !host.rsplit('@').next().unwrap().starts_with('-'), "{} {}", url, path);
            for name in [&source.org, &source.name] {
                prop_assert!(!name.is_empty() && !name.chars().any(char::is_control), "{:?}", source);
            }
            prop_assert!(!source.key.contains('@') || path.contains('@') || url.starts_with("file:"), "who signs in is no part of a project: {:?}", source);
        }
    }
}
