//! What is to be built: a folder of this machine, or a URL.

use std::path::Path;

use roundel::error::Kind;

use crate::cli::Failure;

/// The absolute path of a folder, or the URL as it is.
pub(in crate::cli) fn resolve(source: &str) -> Result<String, Failure> {
    if source.starts_with('-') {
        return Err(Failure::said(
            Kind::Usage,
            format!("`{source}` is neither a folder nor a URL"),
        )
        .with_hint("a folder whose name begins with - is written ./-name"));
    }
    let path = Path::new(source);
    if !path.exists() && is_url(source) {
        return Ok(source.to_owned());
    }
    let absolute = path.canonicalize().map_err(|err| {
        Failure::said(
            Kind::NotFound,
            format!("failed to find the folder `{source}`: {err}"),
        )
        .with_hint("give the folder of a git repository, or a URL that git understands")
    })?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::said(
            Kind::Usage,
            format!("the path `{}` is not UTF-8", path.to_string_lossy()),
        )
    })
}

/// `scheme://...`, or `user@host:path` as ssh writes it.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    scheme
        || text
            .split_once(':')
            .is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_kept_and_folders_become_absolute() {
        for url in [
            "https://example.com/a.git",
            "ssh://git@host/a",
            "git@example.com:acme/web.git",
            "file:///a",
        ] {
            assert_eq!(resolve(url).unwrap(), url);
        }
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        assert_eq!(
            resolve(path.to_str().unwrap()).unwrap(),
            path.to_str().unwrap()
        );
    }

    #[test]
    fn what_is_neither_is_refused() {
        let cases = [
            ("-uroot@host:x", 2),
            ("--upload-pack=x", 2),
            ("/no/such/folder", 4),
            ("host:path", 4),
        ];
        for (source, code) in cases {
            assert_eq!(resolve(source).unwrap_err().end().code(), code, "{source}");
        }
    }
}
