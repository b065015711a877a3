//! Things that can be looked at and are no run, build or node: what was changed, what needs somebody, how a part does.

use roundel::api::AuditRow;
use roundel::api::dashboard::{AttentionItem, Dashboard};
use roundel::api::services::{Installation, ServiceRow};
use roundel::api::settings::{SettingRow, VersionRow};
use serde_json::Value;

use super::Verb;
use crate::console::action::Write;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Button, Dialog, Overlay};
use crate::console::text;

/// Such a thing.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// A change that somebody made.
    Event(&'a AuditRow),
    /// What needs somebody.
    Attention(&'a AttentionItem),
    /// A part of the server.
    Service(&'a ServiceRow),
    /// A setting; never the value of a secret.
    Setting(&'a SettingRow),
    /// A version of the settings.
    Version(&'a VersionRow),
    /// The installation as a whole.
    Installation(&'a Dashboard),
}

impl Fact<'_> {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Event(row) => format!("event {}: {}", row.id, row.action),
            Self::Attention(item) => item.text.clone(),
            Self::Service(row) => row.name.clone(),
            Self::Setting(row) => row.key.clone(),
            Self::Version(row) => format!("settings, version {}", row.version),
            Self::Installation(_) => "The installation".to_owned(),
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// Never: it is plain data.
    pub fn value(&self) -> serde_json::Result<Value> {
        match self {
            Self::Event(row) => serde_json::to_value(row),
            Self::Attention(item) => serde_json::to_value(item),
            Self::Service(row) => serde_json::to_value(row),
            Self::Setting(row) => serde_json::to_value(row),
            Self::Version(row) => serde_json::to_value(row),
            Self::Installation(data) => serde_json::to_value(&data.installation),
        }
    }

    /// What can be done with it.
    #[must_use]
    pub fn verbs(&self) -> Vec<Verb> {
        match self {
            Self::Installation(data) => {
                let (installation, counts) = (&data.installation, (data.running, data.waiting));
                vec![of_installation(installation, counts)]
            }
            _ => Vec::new(),
        }
    }
}

/// Stops the installation or starts it; `counts` are the runs that run and that wait.
#[must_use]
pub fn of_installation(now: &Installation, (running, waiting): (u64, u64)) -> Verb {
    let start = !now.takes_work();
    let runs = |n: u64| text::plural(n, "run");
    let (label, title, body, button) = if start {
        let body = match waiting {
            0 => "Nothing waits. New work is placed again.".to_owned(),
            1 => "1 run waits, and may be placed at once.".to_owned(),
            n => format!("{} wait, and may be placed at once.", runs(n)),
        };
        (
            "start the installation",
            "Start the installation?",
            vec![body],
            "Start now",
        )
    } else {
        let going = match running {
            0 => "Nothing runs.".to_owned(),
            1 => "1 run goes on until it ends.".to_owned(),
            n => format!("{} go on until they end.", runs(n)),
        };
        let held = match waiting {
            0 => "New work is taken in, and waits".to_owned(),
            n => format!("{} and new work wait", runs(n)),
        };
        let body = vec![going, format!("{held} until somebody starts it again.")];
        (
            "stop the installation",
            "Stop the installation?",
            body,
            "Stop now",
        )
    };
    let write = Write::Services { start };
    let mut dialog = Dialog::new(title, body, Vec::new());
    dialog.command = write.command();
    dialog
        .buttons
        .push(Button::new(button, !start, vec![Effect::Write(write)]));
    Verb {
        cmd: Cmd::Services,
        label: label.into(),
        effects: Ok(vec![Effect::Open(Overlay::Dialog(dialog))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundel::api::services::Phase;

    fn dialog(phase: Phase, counts: (u64, u64)) -> Dialog {
        let now = Installation {
            phase,
            ..Installation::default()
        };
        match of_installation(&now, counts).effects.as_deref() {
            Ok([Effect::Open(Overlay::Dialog(dialog))]) => dialog.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stop_says_what_goes_on_and_what_will_wait_and_cancel_has_the_focus() {
        for (counts, body) in [
            (
                (0, 0),
                [
                    "Nothing runs.",
                    "New work is taken in, and waits until somebody starts it again.",
                ],
            ),
            (
                (1, 1),
                [
                    "1 run goes on until it ends.",
                    "1 run and new work wait until somebody starts it again.",
                ],
            ),
            (
                (3, 9),
                [
                    "3 runs go on until they end.",
                    "9 runs and new work wait until somebody starts it again.",
                ],
            ),
        ] {
            let dialog = dialog(Phase::Started, counts);
            assert_eq!(dialog.body, body);
            assert_eq!(
                (dialog.focus, dialog.buttons[0].label.as_str()),
                (0, "Cancel")
            );
            assert!(dialog.buttons[1].destroys);
            assert_eq!(dialog.command, "roundel services stop -yes");
        }
    }

    #[test]
    fn what_is_stopping_or_stopped_can_be_started() {
        for phase in [Phase::Stopping, Phase::Stopped] {
            let dialog = dialog(phase, (0, 2));
            assert_eq!(dialog.title, "Start the installation?");
            assert_eq!(dialog.body, ["2 runs wait, and may be placed at once."]);
            assert_eq!(dialog.command, "roundel services start");
        }
    }
}
