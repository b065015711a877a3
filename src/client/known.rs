//! What a person keeps of servers on other machines, beside the bootstrap file: `known_servers`, one line each, and a
//! token for each, for nobody else to read.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::remote::Address;
use crate::access::Fingerprint;
use crate::storage::spool::write_at_once;

/// The person's files.
#[derive(Clone, Debug)]
pub struct Known(PathBuf);

impl Known {
    /// In the XDG configuration directory; `None` without a home.
    #[must_use]
    pub fn usual() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "roundel")?;
        Some(Self(dirs.config_dir().to_owned()))
    }

    /// The file of the fingerprints.
    #[must_use]
    pub fn servers(&self) -> PathBuf {
        self.0.join("known_servers")
    }

    pub(super) fn token_file(&self, address: &Address) -> PathBuf {
        self.0.join("tokens").join(address.to_string())
    }

    /// The fingerprint that a server is known by.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or its line for the server cannot.
    pub fn fingerprint(&self, address: &Address) -> io::Result<Option<Fingerprint>> {
        let name = address.to_string();
        let lines = or_none(fs::read_to_string(self.servers()))?.unwrap_or_default();
        let mut known = lines.lines().filter_map(|line| line.split_once(' '));
        let line = known.find(|(server, _)| *server == name);
        line.map(|(_, print)| print.parse())
            .transpose()
            .map_err(io::Error::other)
    }

    /// Keeps a fingerprint, in place of another one of the same server; `None` forgets it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_fingerprint(
        &self,
        address: &Address,
        print: Option<Fingerprint>,
    ) -> io::Result<()> {
        let name = address.to_string();
        let old = or_none(fs::read_to_string(self.servers()))?.unwrap_or_default();
        let mut lines: Vec<String> = old
            .lines()
            .filter(|line| line.split(' ').next() != Some(&name))
            .map(str::to_owned)
            .collect();
        lines.extend(print.map(|print| format!("{name} {print}")));
        lines.push(String::new());
        write(&self.servers(), lines.join("\n").as_bytes())
    }

    /// The token that is kept for a server.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn token(&self, address: &Address) -> io::Result<Option<String>> {
        let text = or_none(fs::read_to_string(self.token_file(address)))?;
        Ok(text.map(|text| text.trim().to_owned()))
    }

    /// Keeps a token; `None` forgets it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_token(&self, address: &Address, token: Option<&str>) -> io::Result<()> {
        let path = self.token_file(address);
        match token {
            Some(token) => write(&path, format!("{token}\n").as_bytes()),
            None => or_none(fs::remove_file(path)).map(|_| ()),
        }
    }
}

fn or_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
}

/// Replaces a file by one that only its owner reads.
fn write(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
    }
    write_at_once(path, bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_others_stay_as_they_are() {
        let root = tempfile::tempdir().unwrap();
        let known = Known(root.path().join("roundel"));
        let [one, two] = ["https://one.example.com", "https://two.example.com"]
            .map(|text| text.parse().unwrap());
        assert_eq!(known.fingerprint(&one).unwrap(), None);
        let print = Fingerprint::of(b"a");
        known
            .keep_fingerprint(&one, Some(Fingerprint::of(b"old")))
            .unwrap();
        known.keep_fingerprint(&two, Some(print)).unwrap();
        known.keep_fingerprint(&one, Some(print)).unwrap();
        assert_eq!(known.fingerprint(&one).unwrap(), Some(print));
        known.keep_fingerprint(&one, None).unwrap();
        assert_eq!(known.fingerprint(&one).unwrap(), None);
        assert_eq!(known.fingerprint(&two).unwrap(), Some(print));
        known.keep_token(&one, Some("rdl_a_b")).unwrap();
        assert_eq!(known.token(&one).unwrap().as_deref(), Some("rdl_a_b"));
        let mode = fs::metadata(known.token_file(&one))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        known.keep_token(&one, None).unwrap();
        known.keep_token(&one, None).unwrap();
        assert_eq!(known.token(&one).unwrap(), None);
    }
}
