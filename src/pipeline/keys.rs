//! The keys of the language: which ones Roundel runs, and which ones it only knows.
//!
//! Reference: CircleCI's configuration reference, 2019 to 2026. A later key that gets run moves from `later` to
//! `runs`; nothing else decides what a key is.

/// The keys of one kind of map.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What the map is, with its article.
    pub what: &'static str,
    /// Keys that are read.
    pub runs: &'static [&'static str],
    /// Keys that CircleCI knows and Roundel does not run yet.
    pub later: &'static [&'static str],
}

impl Keys {
    /// All keys of this kind of map.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.runs.iter().chain(self.later).copied()
    }
}

/// The root; other keys are allowed there, people keep anchors under them.
pub(crate) const TOP: Keys = Keys {
    what: "a config",
    runs: &["version", "jobs", "workflows"],
    later: &[
        "orbs",
        "commands",
        "executors",
        "parameters",
        "setup",
        "job-groups",
    ],
};

/// A job.
pub(crate) const JOB: Keys = Keys {
    what: "a job",
    runs: &[
        "docker",
        "machine",
        "macos",
        "steps",
        "environment",
        "working_directory",
        "shell",
        "parallelism",
        "resource_class",
        "branches",
        "description",
    ],
    later: &[
        "executor",
        "parameters",
        "windows",
        "type",
        "circleci_ip_ranges",
        "retention",
        "max_auto_reruns",
    ],
};

/// One container of `docker`.
pub(crate) const CONTAINER: Keys = Keys {
    what: "a container",
    runs: &[
        "image",
        "name",
        "entrypoint",
        "command",
        "user",
        "environment",
        "auth",
    ],
    later: &["aws_auth"],
};

/// The account at a registry, under `auth` of a container.
pub(crate) const AUTH: Keys = Keys {
    what: "`auth`",
    runs: &["username", "password"],
    later: &[],
};

/// The map under `machine`.
pub(crate) const MACHINE: Keys = Keys {
    what: "`machine`",
    runs: &[
        "enabled",
        "image",
        "resource_class",
        "shell",
        "docker_layer_caching",
    ],
    later: &[],
};

/// The map under `macos`.
pub(crate) const MACOS: Keys = Keys {
    what: "`macos`",
    runs: &["xcode", "resource_class", "shell"],
    later: &[],
};

/// Steps that are built in.
pub(crate) const STEP: Keys = Keys {
    what: "a step",
    runs: &["run", "checkout"],
    later: &[
        "save_cache",
        "restore_cache",
        "persist_to_workspace",
        "attach_workspace",
        "store_artifacts",
        "store_test_results",
        "setup_remote_docker",
        "add_ssh_keys",
        "deploy",
        "when",
        "unless",
        "steps",
        "install_signing_bundle",
    ],
};

/// The map under `run`.
pub(crate) const RUN: Keys = Keys {
    what: "a `run` step",
    runs: &[
        "command",
        "name",
        "shell",
        "environment",
        "working_directory",
        "background",
        "no_output_timeout",
        "when",
    ],
    later: &["max_auto_reruns", "auto_rerun_delay"],
};

/// The map under `checkout`.
pub(crate) const CHECKOUT: Keys = Keys {
    what: "a `checkout` step",
    runs: &["path", "name"],
    later: &["method", "depth"],
};

/// A workflow.
pub(crate) const WORKFLOW: Keys = Keys {
    what: "a workflow",
    runs: &["jobs"],
    later: &["triggers", "when", "unless", "max_auto_reruns"],
};

/// A job's entry in a workflow.
pub(crate) const INVOCATION: Keys = Keys {
    what: "a job's entry in a workflow",
    runs: &["requires", "name", "filters", "type"],
    later: &[
        "context",
        "matrix",
        "pre-steps",
        "post-steps",
        "serial-group",
        "override-with",
        "when",
        "unless",
    ],
};

/// The map under `filters`.
pub(crate) const FILTERS: Keys = Keys {
    what: "`filters`",
    runs: &["branches", "tags"],
    later: &[],
};

/// The map under `branches` or `tags`.
pub(crate) const RULE: Keys = Keys {
    what: "a filter",
    runs: &["only", "ignore"],
    later: &[],
};

/// Executor types, as the error about an unknown one names them.
pub(crate) const EXECUTORS: &str = "`docker`, `machine`, `macos`";

/// The kind of map that has `key`, other than `here`: the hint for a key that stands at the wrong level.
pub(crate) fn home(key: &str, here: &Keys) -> Option<&'static str> {
    [
        &JOB,
        &RUN,
        &INVOCATION,
        &WORKFLOW,
        &STEP,
        &CONTAINER,
        &FILTERS,
        &RULE,
        &TOP,
    ]
    .into_iter()
    .find(|keys| keys.what != here.what && keys.all().any(|known| known == key))
    .map(|keys| keys.what)
}
