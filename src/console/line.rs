//! A line of words with roles: what screens are made of before they are drawn. Knows no colour and no place.

use crate::console::text;
use crate::console::theme::Role;

/// Some words in one role.
#[derive(Clone, PartialEq, Debug)]
pub struct Span {
    /// The words, as they came: they are made inert when they are drawn.
    pub text: String,
    /// What they are.
    pub role: Role,
    /// Drawn bold.
    pub bold: bool,
}

/// Words in a row.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    /// From left to right.
    pub spans: Vec<Span>,
}

impl Line {
    /// No words yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds words in a role.
    #[must_use]
    pub fn put(mut self, role: Role, words: impl Into<String>) -> Self {
        self.spans.push(Span {
            text: words.into(),
            role,
            bold: false,
        });
        self
    }

    /// Adds bold words in a role.
    #[must_use]
    pub fn bold(mut self, role: Role, words: impl Into<String>) -> Self {
        self.spans.push(Span {
            text: words.into(),
            role,
            bold: true,
        });
        self
    }

    /// Adds ordinary words.
    #[must_use]
    pub fn text(self, words: impl Into<String>) -> Self {
        self.put(Role::Text, words)
    }

    /// Adds secondary words.
    #[must_use]
    pub fn muted(self, words: impl Into<String>) -> Self {
        self.put(Role::Muted, words)
    }

    /// Adds words that count.
    #[must_use]
    pub fn strong(self, words: impl Into<String>) -> Self {
        self.bold(Role::Strong, words)
    }

    /// Adds a key and what it does, as hints show it.
    #[must_use]
    pub fn key(self, key: impl Into<String>, does: &str) -> Self {
        self.bold(Role::Accent, key).muted(format!(" {does}"))
    }

    /// Adds `n` blanks.
    #[must_use]
    pub fn gap(self, n: usize) -> Self {
        self.text(" ".repeat(n))
    }

    /// Adds all of another line.
    #[must_use]
    pub fn join(mut self, other: Line) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Adds blanks up to a width in cells.
    #[must_use]
    pub fn pad(self, cells: u16) -> Self {
        let missing = cells.saturating_sub(self.width());
        self.gap(usize::from(missing))
    }

    /// Cells it takes.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.spans.iter().map(|span| text::width(&span.text)).sum()
    }

    /// Its words alone.
    #[must_use]
    pub fn plain(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

impl From<&str> for Line {
    fn from(words: &str) -> Self {
        Self::new().text(words)
    }
}

impl From<String> for Line {
    fn from(words: String) -> Self {
        Self::new().text(words)
    }
}
