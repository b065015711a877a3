//! Where in the console one is: what the history holds, what `--screen` names and what a locator prints.

use std::fmt;

use roundel::sanitise::shell_word;
use roundel::settings::registry;

use crate::console::keymap::Tab;

/// A place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// Tab 1.
    Dashboard,
    /// Tab 2.
    Queue,
    /// Tab 3.
    Builds,
    /// A pipeline's graph: id, prefix or `project#number`.
    Pipeline(String),
    /// What a build did differently from the last green one, or from the second.
    Compare(String, Option<String>),
    /// A job's runs, steps and log.
    Job(JobRef),
    /// Tab 4.
    Cluster,
    /// A node, by name or id.
    Node(String),
    /// Tab 6.
    Settings(Page),
    /// Tab 7.
    Audit,
}

/// What people call groups of settings besides their names.
pub const CALLED: &[(&str, &str)] = &[("tls", "privacy"), ("cas", "ca")];

/// A page of the settings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Page {
    /// The list of groups.
    #[default]
    Groups,
    /// The form of a group, by the name that commands have for it.
    Group(&'static str),
    /// What would be saved.
    Review,
    /// What was saved, version by version.
    Versions,
}

impl Page {
    /// The form of a group, also by what people call it.
    #[must_use]
    pub fn group(name: &str) -> Option<Self> {
        let called = CALLED.iter().find(|(word, _)| *word == name);
        registry::group(called.map_or(name, |(_, name)| name)).map(|group| Page::Group(group.name))
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "review" => Some(Page::Review),
            "versions" => Some(Page::Versions),
            name => Self::group(name),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Page::Groups => "",
            Page::Group(name) => name,
            Page::Review => "review",
            Page::Versions => "versions",
        }
    }
}

/// How a job is named: by one of its runs, by its pipeline and its id or name, or by its pipeline alone as the one that
/// matters most.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobRef {
    /// Its pipeline.
    pub pipeline: Option<String>,
    /// Its id or name.
    pub job: Option<String>,
    /// One of its runs: attempt, fleet name or prefix.
    pub run: Option<String>,
}

/// A screen name that names nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "no screen `{0}`; there are dashboard, queue, builds, cluster, settings, audit, pipeline:ID, compare:ID, job:PIPELINE/NAME, \
     log:PIPELINE, run:ID, node:NAME, settings:GROUP, settings:review and settings:versions"
)]
pub struct NoSuchScreen(String);

impl Place {
    /// Reads a screen name.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(name: &str) -> Result<Self, NoSuchScreen> {
        let wrong = || NoSuchScreen(name.to_owned());
        let (kind, id) = name.split_once(':').unwrap_or((name, ""));
        if name == "settings" {
            return Ok(Place::Settings(Page::Groups));
        }
        let needs_id = !matches!(
            kind,
            "dashboard" | "queue" | "builds" | "cluster" | "nodes" | "audit"
        );
        if needs_id == id.is_empty() {
            return Err(wrong());
        }
        let id = id.to_owned();
        Ok(match kind {
            "dashboard" => Place::Dashboard,
            "audit" => Place::Audit,
            "queue" => Place::Queue,
            "builds" => Place::Builds,
            "cluster" | "nodes" => Place::Cluster,
            "pipeline" | "build" => Place::Pipeline(id),
            "node" => Place::Node(id),
            "settings" => Place::Settings(Page::parse(&id).ok_or_else(wrong)?),
            "log" => Place::log_of(&id),
            "compare" => match id.split_once(',') {
                Some((id, with)) => Place::Compare(id.to_owned(), Some(with.to_owned())),
                None => Place::Compare(id, None),
            },
            "run" => Place::Job(JobRef {
                run: Some(id),
                ..JobRef::default()
            }),
            "job" => Place::Job(match id.rsplit_once('/') {
                Some((pipeline, job)) => JobRef {
                    pipeline: Some(pipeline.to_owned()),
                    job: Some(job.to_owned()),
                    run: None,
                },
                None => JobRef {
                    run: Some(id),
                    ..JobRef::default()
                },
            }),
            _ => return Err(wrong()),
        })
    }

    /// The command that shows this place to somebody else.
    #[must_use]
    pub fn locator(&self) -> String {
        format!("roundel console --screen {}", shell_word(&self.to_string()))
    }

    /// The log that matters of a pipeline: of what failed, else of what runs.
    #[must_use]
    pub fn log_of(pipeline: &str) -> Self {
        Place::Job(JobRef {
            pipeline: Some(pipeline.to_owned()),
            ..JobRef::default()
        })
    }

    /// The tab it belongs to.
    #[must_use]
    pub fn tab(&self) -> Tab {
        Tab(match self {
            Place::Dashboard => 1,
            Place::Settings(_) => 6,
            Place::Audit => 7,
            Place::Queue => 2,
            Place::Builds | Place::Pipeline(_) | Place::Compare(..) | Place::Job(_) => 3,
            Place::Cluster | Place::Node(_) => 4,
        })
    }

    /// The place of a tab, for those that are built.
    #[must_use]
    pub fn of_tab(tab: Tab) -> Option<Self> {
        match tab.0 {
            1 => Some(Place::Dashboard),
            6 => Some(Place::Settings(Page::Groups)),
            7 => Some(Place::Audit),
            2 => Some(Place::Queue),
            3 => Some(Place::Builds),
            4 => Some(Place::Cluster),
            _ => None,
        }
    }

    /// Where Esc leads when nobody drilled in from elsewhere.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self {
            Place::Dashboard
            | Place::Queue
            | Place::Builds
            | Place::Cluster
            | Place::Settings(Page::Groups)
            | Place::Audit => None,
            Place::Settings(_) => Some(Place::Settings(Page::Groups)),
            Place::Pipeline(_) => Some(Place::Builds),
            Place::Compare(id, _) => Some(Place::Pipeline(id.clone())),
            Place::Job(JobRef {
                pipeline: Some(id), ..
            }) => Some(Place::Pipeline(id.clone())),
            Place::Job(_) => Some(Place::Builds),
            Place::Node(_) => Some(Place::Cluster),
        }
    }
}

impl fmt::Display for Place {
    /// The screen name, as [`Place::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Dashboard => f.write_str("dashboard"),
            Place::Settings(Page::Groups) => f.write_str("settings"),
            Place::Settings(page) => write!(f, "settings:{}", page.name()),
            Place::Audit => f.write_str("audit"),
            Place::Queue => f.write_str("queue"),
            Place::Builds => f.write_str("builds"),
            Place::Cluster => f.write_str("cluster"),
            Place::Pipeline(id) => write!(f, "pipeline:{id}"),
            Place::Node(name) => write!(f, "node:{name}"),
            Place::Compare(id, None) => write!(f, "compare:{id}"),
            Place::Compare(id, Some(with)) => write!(f, "compare:{id},{with}"),
            Place::Job(JobRef { run: Some(run), .. }) => write!(f, "run:{run}"),
            Place::Job(JobRef {
                pipeline: Some(pipeline),
                job: Some(job),
                ..
            }) => write!(f, "job:{pipeline}/{job}"),
            Place::Job(JobRef {
                pipeline: Some(pipeline),
                ..
            }) => write!(f, "log:{pipeline}"),
            Place::Job(_) => f.write_str("builds"),
        }
    }
}

/// Names of the tabs, in their order.
pub const TABS: [(Tab, &str); 8] = [
    (Tab(1), "Dashboard"),
    (Tab(2), "Queue"),
    (Tab(3), "Builds"),
    (Tab(4), "Cluster"),
    (Tab(5), "Insights"),
    (Tab(6), "Settings"),
    (Tab(7), "Audit Log"),
    (Tab(8), "Support"),
];

/// Name of a tab.
#[must_use]
pub fn tab_name(tab: Tab) -> &'static str {
    TABS.iter()
        .find(|(known, _)| *known == tab)
        .map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_read_back_from_its_name() {
        for name in [
            "dashboard",
            "audit",
            "queue",
            "builds",
            "cluster",
            "pipeline:0190",
            "job:org/api#12/test",
            "run:0190",
            "log:0190",
            "node:n07",
            "settings",
            "settings:ldap",
            "settings:review",
            "settings:versions",
        ] {
            assert_eq!(Place::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for name in [
            "",
            "dash",
            "pipeline",
            "queue:3",
            "node:",
            "settings:",
            "settings:x",
        ] {
            assert!(Place::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_place_leads_up_to_a_tab() {
        let mut place = Place::parse("job:p/test").unwrap();
        while let Some(parent) = place.parent() {
            place = parent;
        }
        assert_eq!(place, Place::Builds);
    }
}
