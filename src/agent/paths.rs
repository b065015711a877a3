//! Directories of a run: `~` and relative paths of the config, made when they are missing.

use std::path::{Path, PathBuf};

/// Where things of a run lie.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// HOME of the steps.
    pub home: PathBuf,
    /// The job's working directory.
    pub project: PathBuf,
}

impl Places {
    pub(super) fn new(scratch: &Path, working_directory: &str) -> Self {
        Self::at(scratch.join("home"), working_directory)
    }

    /// With a home that is known.
    pub(super) fn at(home: PathBuf, working_directory: &str) -> Self {
        let project = resolve(working_directory, &home, &home);
        Self { home, project }
    }

    /// A step's directory; relative ones are below the job's.
    pub(super) fn of_step(&self, written: Option<&str>) -> PathBuf {
        written.map_or_else(
            || self.project.clone(),
            |written| resolve(written, &self.home, &self.project),
        )
    }
}

fn resolve(written: &str, home: &Path, base: &Path) -> PathBuf {
    match written.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => base.join(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_config_are_found_below_the_home_of_the_run() {
        let places = Places::new(Path::new("/s"), "~/project");
        assert_eq!(places.project, Path::new("/s/home/project"));
        assert_eq!(places.of_step(None), Path::new("/s/home/project"));
        assert_eq!(
            places.of_step(Some("sub")),
            Path::new("/s/home/project/sub")
        );
        assert_eq!(places.of_step(Some("~")), Path::new("/s/home"));
        assert_eq!(places.of_step(Some("/tmp/x")), Path::new("/tmp/x"));
    }
}
