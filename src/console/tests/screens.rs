//! Every screen there is, once: the tests of all keys and of all looks go through this table. A new screen is one line.

use super::kit::*;
use crate::console::place::{JobRef, Page, Place};

/// A screen as it can be met.
#[derive(Debug)]
pub struct Met {
    /// What it is, for a test that fails.
    pub name: &'static str,
    /// Keys from its opening on.
    pub keys: &'static str,
    /// What must stand there at every size.
    pub always: &'static [&'static str],
    /// What must stand there, too, where it is not too small.
    pub usually: &'static [&'static str],
    /// There are no rows to move in.
    pub still: bool,
    /// Letters type in it.
    pub types: bool,
    place: fn() -> Place,
    model: fn() -> Model,
    gone: bool,
}

impl Met {
    /// The screen, opened and answered.
    pub fn stage(&self, size: (u16, u16)) -> Stage {
        let mut stage = Stage::live((self.place)(), size, (self.model)());
        stage.keys(self.keys);
        if self.gone {
            stage.lose("the server does not answer");
        }
        (stage.asked, stage.done) = (Vec::new(), Vec::new());
        stage
    }
}

const fn met(
    name: &'static str,
    place: fn() -> Place,
    always: &'static [&'static str],
    usually: &'static [&'static str],
) -> Met {
    Met {
        name,
        keys: "",
        always,
        usually,
        place,
        still: false,
        types: false,
        model: Model::busy,
        gone: false,
    }
}

fn failed() -> Place {
    Place::Pipeline(pipeline_id(2))
}

fn job() -> Place {
    Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        ..JobRef::default()
    })
}

fn node() -> Place {
    Place::Node("n01".into())
}

fn compared() -> Place {
    Place::Compare(pipeline_id(2), None)
}

/// All of them.
pub const SCREENS: &[Met] = &[
    met(
        "queue",
        || Place::Queue,
        &["test-1"],
        &["WAITING", "? help"],
    ),
    met(
        "builds",
        || Place::Builds,
        &["org/api #2", "✗ failed", "▶ running"],
        &["STATUS", "? help"],
    ),
    met(
        "build",
        failed,
        &["org/api #2", "test"],
        &["✗ test", "? help"],
    ),
    Met {
        model: Model::told,
        ..met(
            "compare",
            compared,
            &["org/api #2", "with org/api #3"],
            &["failed, was success", "Change number 1", "? help"],
        )
    },
    Met {
        still: true,
        ..met(
            "nothing to compare with",
            compared,
            &["no green build"],
            &["? help"],
        )
    },
    met("job", job, &["org/api #2"], &["Steps", "? help"]),
    Met {
        keys: "tab",
        ..met("log", job, &["line 30"], &["Steps"])
    },
    met(
        "cluster",
        || Place::Cluster,
        &["n01", "ready", "n03", "down"],
        &["NAME", "? help"],
    ),
    met("node", node, &["n01"], &["cpu", "? help"]),
    Met {
        model: Model::told,
        ..met(
            "dashboard",
            || Place::Dashboard,
            &["● Started", "n02 is past its drain deadline"],
            &["Services", "Last builds", "? help"],
        )
    },
    Met {
        model: Model::told,
        ..met(
            "audit",
            || Place::Audit,
            &["2 events", "node.drain"],
            &["ACTOR", "✗ there", "? help"],
        )
    },
    Met {
        model: Model::told,
        ..met(
            "settings",
            || Place::Settings(Page::Groups),
            &["Settings", "1 unsaved change"],
            &["? help"],
        )
    },
    Met {
        types: true,
        ..met(
            "a form",
            || Place::Settings(Page::Group("storage")),
            &["Settings › Storage", "Folder", "1 error"],
            &["F1 help", "(●) None", "/data/circle"],
        )
    },
    Met {
        model: Model::told,
        types: true,
        ..met(
            "a long form",
            || Place::Settings(Page::Group("ldap")),
            &["LDAP Authentication", "Search password", "set 1 min ago"],
            &["F1 help", "(●) LDAPS", "✎"],
        )
    },
    Met {
        model: Model::told,
        ..met(
            "review",
            || Place::Settings(Page::Review),
            &[
                "Settings › Review",
                "ldap.encryption",
                "+ ldaps",
                "Back",
                "Save",
            ],
            &["What it restarts", "[ Back ]", "? help"],
        )
    },
    Met {
        model: Model::told,
        ..met(
            "versions",
            || Place::Settings(Page::Versions),
            &["Settings › Versions", "ann"],
            &["VERSION", "bea", "? help"],
        )
    },
    Met {
        model: Model::empty,
        ..met(
            "first build",
            || Place::Builds,
            &["Nothing has been built here yet."],
            &["? help"],
        )
    },
    Met {
        model: Model::empty,
        still: true,
        ..met(
            "empty queue",
            || Place::Queue,
            &["Nothing waits."],
            &["? help"],
        )
    },
    Met {
        gone: true,
        ..met(
            "gone",
            || Place::Builds,
            &["org/api #2", "reconnecting in 5 s"],
            &["? help"],
        )
    },
];
