//! What a console wants done with settings. Plain data; whatever was typed prints as nothing, since it may be a secret.

use std::collections::BTreeMap;

use roundel::api::certificates::Shown;
use roundel::api::settings::{Changes, TestId};
use roundel::sanitise::shell_word;
use roundel::secret::Secret;
use roundel::settings::registry::{Kind, find};
use serde_json::Value as Json;

/// Commands that are written out for what was typed; more are told by their number.
const COMMANDS: usize = 8;

/// What was typed, by key, as a person types it; `None` gives the default back.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Edits(pub BTreeMap<String, Option<Secret>>);

impl Edits {
    /// The same as the API takes it.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        for (key, typed) in &self.0 {
            match typed {
                Some(text) => {
                    let text = Json::String(text.expose().to_owned());
                    _ = changes.set.insert(key.clone(), text);
                }
                None => changes.unset.push(key.clone()),
            }
        }
        changes
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The commands that stage the same.
    fn commands(&self) -> Vec<String> {
        let one = |(key, typed): (&String, &Option<Secret>)| match (typed, find(key)) {
            (None, _) => format!("roundel settings unset {key}"),
            (Some(text), Some((_, entry))) if is_word(entry.kind) => {
                format!("roundel settings set {key} {}", shell_word(text.expose()))
            }
            // Neither a secret nor a text of several lines belongs on a command line.
            _ => format!("roundel settings set {key} --file FILE"),
        };
        let mut all: Vec<String> = self.0.iter().take(COMMANDS).map(one).collect();
        let more = self.0.len().saturating_sub(COMMANDS);
        if more > 0 {
            all.push(format!("# and {more} more"));
        }
        all
    }
}

fn is_word(kind: Kind) -> bool {
    !kind.is_secret() && !matches!(kind, Kind::Lines | Kind::Pem)
}

/// A change of the settings.
#[derive(Clone, PartialEq, Debug)]
pub enum SettingsWrite {
    /// Keep what was typed on the server, for the next save.
    Stage(Edits),
    /// Forget what is staged: these keys, or everything when there are none.
    Discard(Vec<String>),
    /// Save what is staged, and what was typed, as a version.
    Save {
        /// What was typed and is not staged.
        edits: Edits,
        /// Stop and start the installation afterwards, so that it runs with the new version.
        restart: bool,
    },
    /// Bring the values of a version back, as a new one.
    Rollback(u64),
}

impl SettingsWrite {
    /// The command of a shell that does the same.
    #[must_use]
    pub fn command(&self) -> String {
        let lines = match self {
            Self::Stage(edits) => edits.commands(),
            Self::Discard(keys) if keys.is_empty() => vec!["roundel settings discard".to_owned()],
            Self::Discard(keys) => vec![format!("roundel settings discard {}", keys.join(" "))],
            Self::Save { edits, restart } => {
                let mut lines = edits.commands();
                lines.push("roundel settings save -yes".to_owned());
                if *restart {
                    lines.push("roundel services stop -yes".to_owned());
                    lines.push("roundel services start".to_owned());
                }
                lines
            }
            Self::Rollback(version) => vec![format!("roundel settings rollback {version} -yes")],
        };
        lines.join(" && ")
    }
}

/// A certificate that signs itself, with its key.
#[derive(Clone, PartialEq, Debug)]
pub struct SelfSigned {
    /// What people are shown of it.
    pub shown: Shown,
    /// Itself, in PEM.
    pub certificate: String,
    /// Its key, in PEM.
    pub key: Secret,
}

/// Values to be tried before they are saved.
#[derive(Clone, PartialEq, Debug)]
pub struct TryOut {
    /// Number of this try in the console: what comes of an older one is not shown.
    pub number: u64,
    /// Which test.
    pub test: TestId,
    /// What was typed and is not staged.
    pub edits: Edits,
    /// What the test wants to know besides, and nobody keeps.
    pub words: BTreeMap<String, Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::action::Write;

    fn edits(pairs: &[(&str, Option<&str>)]) -> Edits {
        let pairs = pairs.iter().map(|(key, text)| {
            let text = text.map(|text| Secret::new(text.to_owned()));
            ((*key).to_owned(), text)
        });
        Edits(pairs.collect())
    }

    #[test]
    fn each_write_has_commands_that_do_the_same_and_none_holds_a_secret() {
        let typed = edits(&[
            ("hostname", Some("ci.example.com")),
            ("ldap.search_password", Some("hunter2!")),
            ("ldap.email_field", None),
        ]);
        for (write, command) in [
            (
                SettingsWrite::Stage(typed.clone()),
                "roundel settings set hostname ci.example.com && roundel settings unset ldap.email_field && \
                 roundel settings set ldap.search_password --file FILE",
            ),
            (
                SettingsWrite::Discard(Vec::new()),
                "roundel settings discard",
            ),
            (
                SettingsWrite::Discard(vec!["hostname".into()]),
                "roundel settings discard hostname",
            ),
            (
                SettingsWrite::Save {
                    edits: Edits::default(),
                    restart: true,
                },
                "roundel settings save -yes && roundel services stop -yes && roundel services start",
            ),
            (
                SettingsWrite::Rollback(3),
                "roundel settings rollback 3 -yes",
            ),
        ] {
            let write = Write::Settings(write);
            assert_eq!(write.command(), command);
            for one in command.split(" && ") {
                assert!(crate::cli::parse(one).is_ok(), "{one}");
            }
            assert!(!format!("{write:?} {}", write.command()).contains("hunter2"));
        }
    }

    #[test]
    fn what_was_typed_goes_to_the_api_as_text() {
        let changes = edits(&[("ldap.port", Some("636")), ("hostname", None)]).changes();
        assert_eq!(changes.set["ldap.port"], Json::from("636"));
        assert_eq!(changes.unset, ["hostname"]);
    }
}
