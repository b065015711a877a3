//! What the server tells: that it is there or not, its counters, and what came of writes.

use roundel::api::Summary;

use super::App;
use crate::console::action::Write;
use crate::console::effect::Effect;
use crate::console::event::{Done, Failure, Link};
use crate::console::overlays::{Overlay, Reading};
use crate::console::place::Place;
use crate::console::screens::{Touch, workflow};
use crate::console::theme::Role;

/// The two clocks count as one up to here, in ms: an answer takes a moment to come.
const SAME_CLOCK_MS: i64 = 2000;

impl App {
    pub(super) fn linked(&mut self, link: Link) {
        let was_live = self.shell.is_live();
        self.shell.link = match (&self.shell.link, link) {
            // The next try failed too: data is as old as it was.
            (Link::Lost { since, .. }, Link::Lost { retry_at, why, .. }) => Link::Lost {
                since: *since,
                retry_at,
                why,
            },
            (_, link) => link,
        };
        if self.shell.is_live() && !was_live {
            self.touch(Touch::All);
        } else if was_live {
            self.touch(Touch::Lost);
        }
    }

    pub(super) fn summed(&mut self, summary: Summary) {
        let apart = summary.now.0 - self.shell.now.0;
        self.shell.skew = if apart.abs() > SAME_CLOCK_MS {
            apart
        } else {
            0
        };
        self.shell.summary = Some(summary);
    }

    pub(super) fn written(&mut self, write: &Write, result: Result<Done, Failure>) -> Vec<Effect> {
        let command = write.command();
        let open = self
            .shell
            .wrote
            .iter_mut()
            .find(|wrote| wrote.result.is_none() && wrote.command == command);
        if let Some(wrote) = open {
            wrote.result = Some(result.clone());
        }
        match result {
            Ok(done) => {
                self.shell.say(Role::Accent, done.text);
                let made = matches!(write, Write::Build { .. })
                    .then_some(done.pipeline)
                    .flatten();
                made.map(|id| Effect::Switch(Place::Pipeline(id)))
                    .into_iter()
                    .collect()
            }
            Err(failure) => {
                let hint = failure
                    .hint
                    .map(|hint| format!("; {hint}"))
                    .unwrap_or_default();
                self.shell
                    .say(Role::Failed, format!("✗ {}{hint}", failure.text));
                if failure.problems.is_empty() {
                    return Vec::new();
                }
                let width = self.shell.size.0.saturating_sub(8).min(110);
                let lines = workflow::problems(&failure.problems, width);
                vec![Effect::Open(Overlay::Reading(Reading::new(
                    failure.text,
                    lines,
                )))]
            }
        }
    }
}
