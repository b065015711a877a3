//! What the server tells: that it is there or not, its counters, and what came of writes.

use roundel::api::Summary;

use super::App;
use crate::console::action::{SettingsWrite, Write};
use crate::console::effect::Effect;
use crate::console::event::{Done, Failure, Link};
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Reading};
use crate::console::place::{Page, Place};
use crate::console::screens::{Touch, workflow};
use crate::console::theme::Role;

/// The two clocks count as one up to here, in ms: an answer takes a moment to come.
const SAME_CLOCK_MS: i64 = 2000;

impl App {
    pub(super) fn linked(&mut self, link: Link) {
        let was_live = self.shell.is_live();
        self.shell.link = match link {
            // A further try failed, or a server that somebody asked for did not start: data is as old as it was.
            Link::Lost {
                since,
                retry_at,
                why,
            } => Link::Lost {
                since: *self.shell.old_since.get_or_insert(since),
                retry_at,
                why,
            },
            Link::SignedOut { since, why } => Link::SignedOut {
                since: *self.shell.old_since.get_or_insert(since),
                why,
            },
            link => link,
        };
        if self.shell.is_live() {
            self.shell.old_since = None;
        }
        if self.shell.is_live() && !was_live {
            self.touch(Touch::All);
        } else if was_live {
            self.touch(Touch::Lost);
            if let Some(Overlay::Palette(palette)) = &mut self.overlay {
                palette.disconnected();
            }
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
        if let Write::Settings(write) = write {
            let told = result.as_ref().map(|_| ());
            self.screens.settings.written(write, told);
        }
        let command = write.command();
        let open = self
            .shell
            .wrote
            .iter_mut()
            .find(|wrote| wrote.result.is_none() && wrote.command == command);
        let many = open.and_then(|wrote| {
            wrote.result = Some(result.clone());
            wrote.many
        });
        if let Some(many) = many {
            return self.written_one_of(many);
        }
        match result {
            Ok(done) => {
                self.shell.say(Role::Accent, done.text);
                if let Write::Settings(SettingsWrite::Save { .. }) = write
                    && *self.trail.place() == Place::Settings(Page::Review)
                {
                    return vec![Effect::Press(Cmd::Back)];
                }
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

    /// One of many writes was answered: says how many are, and at the end which did not go through and why.
    fn written_one_of(&mut self, many: u64) -> Vec<Effect> {
        let all = self
            .shell
            .wrote
            .iter()
            .filter(|wrote| wrote.many == Some(many));
        let (mut total, mut open, mut refused) = (0, 0, Vec::new());
        for wrote in all {
            total += 1;
            match &wrote.result {
                None => open += 1,
                Some(Ok(_)) => {}
                Some(Err(failure)) => refused.push((wrote.command.clone(), failure.text.clone())),
            }
        }
        if open > 0 {
            let text = format!("◌ {} of {total} answered", total - open);
            self.shell.say(Role::Waiting, text);
            return Vec::new();
        }
        let through = format!("{} of {total} went through", total - refused.len());
        if refused.is_empty() {
            self.shell.say(Role::Accent, through);
            return Vec::new();
        }
        let text = format!("✗ {through}; {} did not", refused.len());
        self.shell.say(Role::Failed, text.clone());
        if self.overlay.is_some() {
            // Whoever types something else by now finds the reasons behind `@`.
            return Vec::new();
        }
        let lines = refused.into_iter().flat_map(|(command, why)| {
            [
                Line::new().put(Role::Accent, command),
                Line::new().gap(2).put(Role::Failed, format!("✗ {why}")),
            ]
        });
        let reading = Reading::new(through, lines.collect());
        vec![Effect::Open(Overlay::Reading(reading))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::action::Action;
    use crate::console::event::Event;
    use crate::console::shell::Shell;
    use roundel::api::session::Session;
    use roundel::api::tokens::Role as May;
    use roundel::clock::Timestamp;
    use roundel::error::Kind;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn app() -> App {
        let mut app = App::new(Shell::new((120, 36), NOW), Place::Cluster);
        app.update(Event::Link(Link::Live));
        app
    }

    fn stop(name: &str) -> Write {
        Write::StopRun {
            attempt: name.to_owned(),
            name: name.to_owned(),
        }
    }

    fn send(app: &mut App, effect: Effect) -> Vec<Action> {
        let mut actions = Vec::new();
        app.apply(vec![effect], &mut actions);
        actions
    }

    fn flash(app: &App) -> &str {
        app.shell.flash.as_ref().map_or("", |flash| &flash.text)
    }

    fn done() -> Result<Done, Failure> {
        Ok(Done {
            text: "done".to_owned(),
            pipeline: None,
        })
    }

    #[test]
    fn many_writes_are_told_as_one_and_those_that_failed_with_their_reasons() {
        let mut app = app();
        let writes = vec![stop("a"), stop("b"), stop("c")];
        let sent = send(&mut app, Effect::WriteMany(writes));
        assert_eq!(sent.len(), 3, "each by itself");
        app.update(Event::Written(stop("b"), done()));
        assert_eq!(flash(&app), "◌ 1 of 3 answered");
        let why = Failure::new(Kind::Conflict, "run `a` is over already");
        app.update(Event::Written(stop("a"), Err(why)));
        app.update(Event::Written(stop("c"), done()));
        assert_eq!(flash(&app), "✗ 2 of 3 went through; 1 did not");
        let Some(Overlay::Reading(reading)) = app.overlay() else {
            panic!("the reasons are shown");
        };
        let said = format!("{reading:?}");
        assert!(said.contains("roundel stop a") && said.contains("over already"));
        // The next ones are counted by themselves.
        app.overlay = None;
        send(&mut app, Effect::WriteMany(vec![stop("d")]));
        app.update(Event::Written(stop("d"), done()));
        assert_eq!(flash(&app), "1 of 1 went through");
        assert!(app.overlay().is_none());
        assert_eq!(app.shell.wrote.len(), 4, "each stands behind `@`");
    }

    fn session(owner: bool, armed_until: Option<Timestamp>, role: May) -> Session {
        Session {
            owner,
            armed_until,
            reason: "why".to_owned(),
            who: "uid 1000 (ann)".to_owned(),
            role,
            way: None,
            expires_at: None,
        }
    }

    #[test]
    fn an_unarmed_console_sends_nothing_but_the_wish_to_be_armed() {
        let mut app = app();
        let session = |owner, armed_until| session(owner, armed_until, May::Admin);
        let arm = Write::Arm {
            seconds: 60,
            reason: "why".to_owned(),
        };
        let later = Timestamp(NOW.0 + 5000);
        for (known, sends) in [
            (session(false, None), false),
            (session(false, Some(NOW)), false),
            (session(false, Some(later)), true),
            (session(true, None), true),
        ] {
            app.update(Event::Session(known.clone()));
            let sent = send(&mut app, Effect::Write(stop("a")));
            assert_eq!(!sent.is_empty(), sends, "{known:?}");
            let many = send(&mut app, Effect::WriteMany(vec![stop("a")]));
            assert_eq!(!many.is_empty(), sends, "{known:?}");
            assert_eq!(send(&mut app, Effect::Write(arm.clone())).len(), 1);
        }
        app.update(Event::Session(session(false, Some(later))));
        let left = app.shell.armed().unwrap().unwrap();
        assert_eq!((left.0.as_secs(), left.1), (5, "why"));
        app.update(Event::Tick(later));
        assert_eq!(app.shell.armed(), Some(None), "its time is over");
        send(&mut app, Effect::Write(stop("a")));
        assert_eq!(flash(&app), "not done: read-only: :arm 10m reason");
    }

    #[test]
    fn a_viewer_is_told_what_they_are_before_they_try() {
        let mut app = app();
        app.update(Event::Session(session(false, None, May::Viewer)));
        assert!(send(&mut app, Effect::Write(stop("a"))).is_empty());
        assert_eq!(
            flash(&app),
            "not done: your role here is viewer, which reads"
        );
    }
}
