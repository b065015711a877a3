//! A test of the values of a form: what it asks for, its steps as they end, and what they say of the fields.

use std::collections::BTreeMap;
use std::time::Duration;

use roundel::api::doctor::Verdict;
use roundel::api::settings::TestId;
use roundel::api::trial::Step;
use roundel::clock::Timestamp;
use roundel::secret::Secret;

use super::Settings;
use super::model::Field;
use crate::console::action::{Action, TryOut};
use crate::console::effect::Effect;
use crate::console::event::{Failure, Tried};
use crate::console::line::Line;
use crate::console::overlays::{Overlay, Words};
use crate::console::screens::Scene;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;

/// Said where there are no steps to look through.
pub const NONE_YET: &str = "no test was run here yet";

/// Steps that are kept: no test has nearly as many, and a server may be of another mind.
const STEPS_MAX: usize = 200;

/// Widest name of a step that is set apart from what it found.
const NAME: u16 = 18;

/// What a test wants to know that no setting holds: the name on the wire, what people read, whether it is a secret.
#[must_use]
pub fn wants(test: TestId) -> &'static [(&'static str, &'static str, bool)] {
    match test {
        TestId::Ldap => &[
            ("user", "Test username (may stay empty)", false),
            ("password", "Test password (kept nowhere)", true),
        ],
        TestId::Proxy => &[("url", "URL to reach", false)],
        TestId::Hostname | TestId::Tls | TestId::Vm => &[],
    }
}

/// What people call a test.
#[must_use]
pub fn title(test: TestId) -> &'static str {
    match test {
        TestId::Hostname => "Test of the hostname",
        TestId::Ldap => "Test of the directory",
        TestId::Tls => "Test of certificate and key",
        TestId::Proxy => "Test of the proxy",
        TestId::Vm => "Test of the VM provider",
    }
}

/// A test that runs or has run.
#[derive(Debug)]
pub struct Trial {
    /// Its number in this console.
    pub number: u64,
    /// Which.
    pub test: TestId,
    /// Its steps, as they ended.
    pub steps: Vec<Step>,
    /// Its end, when that was; and why there were no more steps, where something broke.
    pub end: Option<(Timestamp, Option<Failure>)>,
    begun: Timestamp,
    /// Lines that are scrolled away.
    top: usize,
    /// Somebody scrolled: new steps do not move it.
    held: bool,
    /// Something was typed since it began.
    earlier: bool,
}

impl Trial {
    /// Further on in the steps, or back.
    pub fn turn(&mut self, on: bool) {
        self.held = true;
        self.top = if on {
            self.top + 4
        } else {
            self.top.saturating_sub(4)
        };
    }

    /// What the test found wrong with a setting.
    pub fn fault(&self, key: &str) -> Option<&Step> {
        let at_fault =
            |step: &&Step| step.verdict == Verdict::Failed && step.field.as_deref() == Some(key);
        self.steps.iter().find(at_fault)
    }

    /// A setting was typed anew: what the test found is no longer about it.
    pub fn overtake(&mut self, key: &str) {
        self.earlier = true;
        let of_key = |step: &&mut Step| step.field.as_deref() == Some(key);
        for step in self.steps.iter_mut().filter(of_key) {
            step.field = None;
        }
    }

    /// Its lines: a head, and each step with what was found and what to do.
    pub fn lines(&self, scene: &Scene, width: u16, key: &str) -> (Line, Vec<Line>) {
        let failed = self
            .steps
            .iter()
            .any(|step| step.verdict == Verdict::Failed);
        let state = match &self.end {
            None => Line::new().put(Role::Running, "▶ running"),
            Some((at, _)) => {
                let took = text::took(at.since(self.begun));
                Line::new().muted(format!("{}, {took}", at.local("%H:%M:%S")))
            }
        };
        let told = |role, words| {
            let role = if self.earlier { Role::Muted } else { role };
            Line::new().put(role, words).gap(2)
        };
        let verdict = match &self.end {
            Some((_, None)) if !failed => told(Role::Ok, "✓ passed"),
            Some(_) => told(Role::Failed, "✗ failed"),
            None => Line::new(),
        };
        let verdict = if self.earlier {
            verdict.put(Role::Warning, "earlier values").gap(2)
        } else {
            verdict
        };
        if self.end.is_none() {
            scene.now.wake_in(Duration::from_secs(1));
        }
        let head = Line::new()
            .strong(title(self.test))
            .gap(2)
            .join(verdict)
            .join(state)
            .gap(3)
            .key(key, "again");
        let mut lines = Vec::new();
        for step in &self.steps {
            lines.extend(step_lines(step, width));
        }
        if let Some((_, Some(failure))) = &self.end {
            let words = std::iter::once(failure.text.clone()).chain(failure.hint.clone());
            for words in words.flat_map(|words| text::wrap(&words, width.saturating_sub(4))) {
                lines.push(Line::new().gap(2).put(Role::Failed, words));
            }
        }
        (head, lines)
    }

    /// The lines that a pane of this height shows: the newest, until somebody scrolls.
    pub fn window(&self, all: usize, room: usize) -> usize {
        let last = all.saturating_sub(room);
        if self.held { self.top.min(last) } else { last }
    }
}

fn step_lines(step: &Step, width: u16) -> Vec<Line> {
    let (glyph, role, said) = match step.verdict {
        Verdict::Ok => ("✓", Role::Ok, Role::Muted),
        Verdict::Warning => ("!", Role::Warning, Role::Warning),
        Verdict::Failed => ("✗", Role::Failed, Role::Text),
    };
    let ms = text::took(Duration::from_millis(step.ms));
    let head = Line::new()
        .gap(1)
        .put(role, format!("{glyph} "))
        .join(if step.verdict == Verdict::Ok {
            Line::from(step.name.clone())
        } else {
            Line::new().strong(step.name.clone())
        })
        .pad(NAME);
    let left = head.width() + 1;
    let room = width.saturating_sub(left + 8).max(12);
    let mut lines = Vec::new();
    let mut first = Some(head);
    let found = step.found.lines().flat_map(|line| text::wrap(line, room));
    for (i, words) in found.enumerate() {
        let head = first.take().unwrap_or_else(|| Line::new().pad(left - 1));
        let line = head.gap(1).put(said, words);
        lines.push(if i == 0 {
            line.pad(width.saturating_sub(text::width(&ms)))
                .put(Role::Faint, ms.clone())
        } else {
            line
        });
    }
    lines.extend(first);
    if let Some(fix) = &step.fix {
        // A fix that stands below a short name has the width of the pane.
        for words in text::wrap(fix, width.saturating_sub(left).max(12)) {
            lines.push(Line::new().pad(left - 1).gap(1).put(Role::Warning, words));
        }
    }
    lines
}

impl Settings {
    /// ctrl-t: asks for what the test wants to know, or begins it.
    pub(super) fn ask_test(&mut self, field: &Field, shell: &Shell) -> Vec<Effect> {
        let of_group = || {
            let proposal = self.proposal()?;
            let fields = self.fields(&proposal);
            fields.iter().find_map(|field| field.entry.test)
        };
        let Some(test) = field.entry.test.or_else(of_group) else {
            return Effect::refuse("there is no test for these settings");
        };
        if let Some(why) = self.protected(shell) {
            return Effect::refuse(format!("cannot test: {why}"));
        }
        // Where the screen is read to somebody, one line is asked for and no password.
        if wants(test).is_empty() || (shell.reads && wants(test).len() > 1) {
            return vec![Effect::Test(test, BTreeMap::new())];
        }
        let words = Words::new(title(test), test, wants(test), &self.words);
        vec![Effect::Open(Overlay::Words(words))]
    }

    /// Begins a test with these words.
    pub fn begin_test(
        &mut self,
        test: TestId,
        words: BTreeMap<String, Secret>,
        shell: &Shell,
    ) -> Action {
        self.tries += 1;
        self.trial = Some(Trial {
            number: self.tries,
            test,
            steps: Vec::new(),
            end: None,
            begun: shell.now,
            top: 0,
            held: false,
            earlier: false,
        });
        let (edits, number) = (self.edits.clone(), self.tries);
        self.words.extend(words.clone());
        Action::Try(TryOut {
            number,
            test,
            edits,
            words,
        })
    }

    /// Something came of a test.
    pub fn tried(&mut self, number: u64, tried: Tried, now: Timestamp) {
        let Some(trial) = self.trial.as_mut().filter(|one| one.number == number) else {
            return;
        };
        match tried {
            Tried::Step(step) if trial.steps.len() < STEPS_MAX => trial.steps.push(step),
            Tried::Step(_) => {}
            Tried::End(failure) => trial.end = Some((now, failure)),
        }
    }
}
