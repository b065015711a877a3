//! What a person has set for the console: `keymap.toml` and `themes/` beside the bootstrap file.
//!
//! The only place of the console that reads files of settings; what they mean is decided elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use roundel::settings::bootstrap::usual_file;

use crate::console::keymap::{self, Keymap};
use crate::console::theme::{self, Depth, Theme, ThemeError};

/// Themes of a person that are offered at most.
const THEMES_MAX: usize = 100;

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

    /// A theme: the file at a path, a file in `themes/` of that name, or one that is built in.
    ///
    /// # Errors
    /// When there is none of that name, or its file cannot be used.
    pub fn theme(&self, name: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let is_path = name.contains('/') || name.ends_with(".toml");
        let own = self
            .dir
            .as_ref()
            .map(|dir| dir.join("themes").join(format!("{name}.toml")));
        let path = if is_path {
            Some(PathBuf::from(name))
        } else {
            own
        };
        let Some(path) = path.filter(|path| is_path || path.exists()) else {
            let known = |name: &str| theme::built_in().any(|known| known == name);
            if known(name) {
                return Theme::named(name, depth);
            }
            return Err(ThemeError::unknown(
                name,
                self.themes().iter().map(String::as_str),
            ));
        };
        // Short where everybody knows the rest: the line that says what is wrong is one line of the screen.
        let file = if is_path {
            path.display().to_string()
        } else {
            format!("themes/{name}.toml")
        };
        match fs::read_to_string(&path) {
            Ok(text) => Theme::parse(&text, &file, depth),
            Err(err) => Err(ThemeError::File {
                file,
                why: err.to_string(),
            }),
        }
    }

    /// Names of all themes: those that are built in, then those of the person.
    #[must_use]
    pub fn themes(&self) -> Vec<String> {
        let dir = self
            .dir
            .as_ref()
            .and_then(|dir| fs::read_dir(dir.join("themes")).ok());
        let files = dir
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        let named = files.filter(|path| path.extension().is_some_and(|ext| ext == "toml"));
        let mut own: Vec<String> = named
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|name| theme::built_in().all(|known| known != name))
            .take(THEMES_MAX)
            .collect();
        own.sort();
        theme::built_in().map(str::to_owned).chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_of_a_person_stand_beside_those_built_in_and_by_path() {
        let dir = tempfile::tempdir().unwrap();
        let preferences = Preferences::beside(Some(&dir.path().join("config.toml")));
        let themes = dir.path().join("themes");
        fs::create_dir(&themes).unwrap();
        let mono = fs::read_to_string("themes/mono.toml").unwrap();
        for (file, text) in [
            ("night.toml", mono.as_str()),
            ("broken.toml", "base = 1"),
            ("note.txt", ""),
        ] {
            fs::write(themes.join(file), text).unwrap();
        }
        let names = preferences.themes();
        assert_eq!(names[0], "dark");
        assert_eq!(names[names.len() - 2..], ["broken", "night"]);
        let night = preferences.theme("night", Depth::True).unwrap();
        assert_eq!(night, Theme::named("mono", Depth::True).unwrap());
        let path = themes.join("night.toml");
        assert_eq!(
            preferences
                .theme(path.to_str().unwrap(), Depth::True)
                .unwrap(),
            night
        );
        for (name, told) in [
            ("nigth", "there is no theme `nigth`; nearest: night"),
            ("broken", "themes/broken.toml:1: `base`: takes a colour"),
            ("./nosuch.toml", "./nosuch.toml: cannot be read: "),
        ] {
            let err = preferences
                .theme(name, Depth::True)
                .unwrap_err()
                .to_string();
            assert!(err.contains(told), "{name}: {err}");
        }
        // A file of the same name comes before what is built in.
        fs::write(themes.join("dark.toml"), &mono).unwrap();
        assert_eq!(preferences.theme("dark", Depth::True).unwrap(), night);
        assert_eq!(preferences.themes(), names);
    }

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
