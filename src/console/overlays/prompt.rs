//! One line to type, where the filter line is.

use ratatui::layout::{Position, Rect};

use crate::console::action::{Action, Kept, Save, Write, parse_deadline};
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::overlays::input::Input;
use crate::console::pen::Pen;
use crate::console::text;
use crate::console::theme::Role;
use roundel::api::fleet::SetDrain;
use roundel::secret::Secret;
use roundel::services::tls::make;

/// What the typed line is for.
#[derive(Clone, PartialEq, Debug)]
pub enum Purpose {
    /// Filters the list while it is typed.
    Filter {
        /// What to return to on Esc.
        before: String,
    },
    /// Searches the text once it is complete.
    Search,
    /// Path or URL of a repository to build.
    Source,
    /// Deadline of a drain.
    Deadline {
        /// Names of the nodes.
        nodes: Vec<String>,
    },
    /// Path of the file that this is saved to.
    Save(Kept),
    /// Path of the file whose text a setting gets.
    Load {
        /// Key of the setting.
        key: String,
        /// As people read it.
        label: String,
    },
    /// Whose certificates are to be fetched.
    Host,
    /// For whom a certificate is to be made.
    Names,
    /// The text of a setting, where the screen is read to somebody.
    Field {
        /// Key of the setting.
        key: String,
        /// As people read it.
        label: String,
    },
}

/// Names that stand in a line.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([' ', ',']);
    parts.filter(|name| !name.is_empty())
}

/// A line being typed.
#[derive(Clone, PartialEq, Debug)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// The line.
    pub input: Input,
    wrong: Option<String>,
    /// What else the line could go on with.
    more: Option<String>,
    /// What it asked for is on its way.
    waits: bool,
}

impl Prompt {
    /// A line that begins with a text.
    #[must_use]
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self {
            purpose,
            input: Input::new(text),
            wrong: None,
            more: None,
            waits: false,
        }
    }

    /// Whether what was asked for by this line is still waited for.
    #[must_use]
    pub fn waits_for(&self, purpose: &Purpose, text: &str) -> bool {
        self.waits && self.purpose == *purpose && self.input.text().trim() == text
    }

    /// Stays, until what it asks for is there.
    fn wait(&mut self, action: Action, said: &str) -> Vec<Effect> {
        if std::mem::replace(&mut self.waits, true) {
            return Vec::new();
        }
        self.more = Some(said.to_owned());
        vec![Effect::Do(action)]
    }

    /// Takes a command.
    pub fn command(&mut self, cmd: Cmd) -> Vec<Effect> {
        match cmd {
            Cmd::Open => self.take(),
            Cmd::Back => match &self.purpose {
                Purpose::Filter { before } => vec![Effect::Close, Effect::Filter(before.clone())],
                _ => vec![Effect::Close],
            },
            Cmd::Complete if matches!(self.purpose, Purpose::Load { .. }) => {
                vec![Effect::Do(Action::Complete(self.input.text().to_owned()))]
            }
            cmd => {
                self.input.edit(cmd);
                self.changed()
            }
        }
    }

    /// Takes typed or pasted text.
    pub fn insert(&mut self, text: &str) -> Vec<Effect> {
        self.input.insert(text);
        self.changed()
    }

    fn changed(&mut self) -> Vec<Effect> {
        self.wrong = None;
        self.more = None;
        self.waits = false;
        match self.purpose {
            Purpose::Filter { .. } => vec![Effect::Filter(self.input.text().to_owned())],
            _ => Vec::new(),
        }
    }

    /// Goes on as far as all paths agree that begin so; says which there are.
    pub fn completed(&mut self, typed: &str, paths: &[String]) {
        if self.input.text() != typed {
            return;
        }
        let Some(first) = paths.first() else {
            self.wrong = Some("no file begins so".to_owned());
            return;
        };
        let agree = |n: &usize| {
            paths
                .iter()
                .all(|path| first.get(..*n).is_some_and(|head| path.starts_with(head)))
        };
        let same = (0..=first.len()).rev().find(agree).unwrap_or(0);
        if same > typed.len() {
            self.input.set(&first[..same]);
        }
        self.wrong = None;
        let name = |path: &String| {
            path.rsplit('/')
                .find(|part| !part.is_empty())
                .map(str::to_owned)
        };
        self.more = (paths.len() > 1).then(|| {
            let names: Vec<String> = paths.iter().filter_map(name).collect();
            names.join("  ")
        });
    }

    fn take(&mut self) -> Vec<Effect> {
        let text = self.input.text().trim().to_owned();
        let effect = match &self.purpose {
            Purpose::Filter { .. } => return vec![Effect::Close],
            Purpose::Search => Effect::Search(text),
            Purpose::Source
            | Purpose::Save(_)
            | Purpose::Load { .. }
            | Purpose::Host
            | Purpose::Names
                if text.is_empty() =>
            {
                return vec![Effect::Close];
            }
            Purpose::Host => return self.wait(Action::FetchChain(text), "fetching; Esc leaves it"),
            Purpose::Names => {
                if let Some(bad) = names(&text).find(|name| !make::is_host(name)) {
                    self.wrong = Some(format!("{bad} is no host"));
                    return Vec::new();
                }
                return self.wait(Action::SelfSign(text), "making it");
            }
            Purpose::Load { key, .. } => Effect::Do(Action::Load {
                key: key.clone(),
                path: text,
            }),
            Purpose::Field { key, .. } => Effect::Fill(key.clone(), Secret::new(text)),
            Purpose::Save(what) => Effect::Do(Action::Save(Save {
                path: text,
                what: what.clone(),
                replace: false,
            })),
            Purpose::Source => Effect::Write(Write::Build { source: text }),
            Purpose::Deadline { nodes } => match parse_deadline(&text) {
                Some(s) => {
                    let drain = |node: &String| Write::Drain {
                        node: node.clone(),
                        set: SetDrain {
                            enable: true,
                            deadline_s: Some(s),
                        },
                    };
                    match nodes.as_slice() {
                        [node] => Effect::Write(drain(node)),
                        several => Effect::WriteMany(several.iter().map(drain).collect()),
                    }
                }
                None => {
                    self.wrong = Some("write a time as 12m, 1h or 90s".to_owned());
                    return Vec::new();
                }
            },
        };
        vec![Effect::Close, effect]
    }

    /// What is said of what was typed: what is wrong with it, what it could go on with, or that it is under way.
    #[must_use]
    pub fn said(&self) -> Option<(Role, &str)> {
        let wrong = self.wrong.as_deref().map(|wrong| (Role::Failed, wrong));
        wrong.or_else(|| self.more.as_deref().map(|more| (Role::Muted, more)))
    }

    /// What is asked for, and a sign before it.
    #[must_use]
    pub fn label(&self) -> (&str, &'static str) {
        match &self.purpose {
            Purpose::Filter { .. } => ("filter ", "/"),
            Purpose::Search => ("search ", "/"),
            Purpose::Source => ("path or URL of a git repository to build", "  "),
            Purpose::Save(Kept::View) => ("save this view to", "  "),
            Purpose::Save(Kept::Log(_)) => ("save the whole log to", "  "),
            Purpose::Save(_) => ("save to", "  "),
            Purpose::Load { .. } => ("take the text of the file", "  "),
            Purpose::Host => ("certificates of HOST:PORT", "  "),
            Purpose::Names => ("certificate for the names", "  "),
            Purpose::Field { label, .. } => (label, "  "),
            Purpose::Deadline { .. } => ("stop what still runs after (12m, 1h)", "  "),
        }
    }

    /// Draws it over the filter line of a terminal of this area.
    pub fn view(&self, pen: &mut Pen, area: Rect) {
        let y = area.bottom().saturating_sub(2);
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        pen.ground(row, Role::Base);
        let (label, sign) = self.label();
        let head = Line::new().muted(label).bold(Role::Accent, sign);
        let x = pen.line(1, y, area.width.saturating_sub(2), &head);
        let room = area.width.saturating_sub(x + 2);
        // The end that is being typed stays in sight.
        let (before, shown) = self.input.window(room);
        let end = pen.line(x, y, room, &Line::new().strong(shown));
        pen.cursor = Some(Position {
            x: x + text::width(before),
            y,
        });
        if let Some((role, said)) = self.said() {
            pen.line(
                end + 2,
                y,
                area.width.saturating_sub(end + 3),
                &Line::new().put(role, said),
            );
        }
    }
}
