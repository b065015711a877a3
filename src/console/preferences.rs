//! What a person has set for the console: `keymap.toml` beside the bootstrap file.
//!
//! The only place of the console that reads files of settings; what they mean is decided elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use roundel::settings::bootstrap::usual_file;

use crate::console::keymap::{self, Keymap};

/// Where the files of a person are.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// The directory of the bootstrap file; `None` where an account has none.
    dir: Option<PathBuf>,
}

impl Preferences {
    /// Those beside a bootstrap file, or beside the one that is read when none is named.
    #[must_use]
    pub fn beside(config: Option<&Path>) -> Self {
        let file = config.map(Path::to_owned).or_else(usual_file);
        let dir = file.and_then(|file| file.parent().map(Path::to_owned));
        Self { dir }
    }

    /// What the keys mean, and what is wrong with the file that changes them. No file changes nothing.
    #[must_use]
    pub fn keymap(&self) -> (Keymap, Vec<String>) {
        let Some(path) = self.dir.as_ref().map(|dir| dir.join("keymap.toml")) else {
            return (Keymap::standard(), Vec::new());
        };
        match fs::read_to_string(&path) {
            Ok(text) => keymap::read(&text, &path.display().to_string()),
            Err(err) if err.kind() == io::ErrorKind::NotFound => (Keymap::standard(), Vec::new()),
            Err(err) => (
                Keymap::standard(),
                vec![format!("{}: cannot be read: {err}", path.display())],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_changes_nothing_and_one_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let preferences = Preferences::beside(Some(&dir.path().join("config.toml")));
        assert_eq!(preferences.keymap().1, Vec::<String>::new());
        fs::write(dir.path().join("keymap.toml"), b"[builds]\nstop = \"\xff\"").unwrap();
        let problems = preferences.keymap().1;
        assert!(
            problems[0].contains("keymap.toml: cannot be read"),
            "{problems:?}"
        );
        fs::write(dir.path().join("keymap.toml"), "[builds]\nstop = \"nokey\"").unwrap();
        let problems = preferences.keymap().1;
        assert!(
            problems[0].contains("keymap.toml:2: there is no key `nokey`"),
            "{problems:?}"
        );
    }
}
