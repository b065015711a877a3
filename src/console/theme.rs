//! Colours by role: what a piece of the screen *is* decides how it looks, in a file under `themes/`.
//!
//! The only place that knows a colour. Screens name roles and nothing else, and no role is told by its colour alone.

use ratatui::style::Style;
use serde::Serialize;

mod depth;
mod read;
#[cfg(test)]
mod tests;

pub use depth::Depth;
pub use read::ThemeError;

/// What a piece of the screen is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The ground of the screen.
    Base,
    /// The ground of bars and dialogs.
    Raised,
    /// The ground of the cursor's row.
    Selected,
    /// Ordinary words.
    Text,
    /// Heads, names, numbers that count.
    Strong,
    /// Secondary words.
    Muted,
    /// Rules and line numbers.
    Faint,
    /// Where you are, what is focused, keys.
    Accent,
    /// Names that open.
    Link,
    /// It is well.
    Ok,
    /// It runs.
    Running,
    /// It waits.
    Waiting,
    /// It failed.
    Failed,
    /// It was stopped, or never ran.
    Canceled,
    /// It needs a look.
    Warning,
    /// Used part of a bar.
    BarUsed,
    /// Held part of a bar.
    BarHeld,
    /// Free part of a bar.
    BarFree,
    /// What a search found.
    Match,
}

/// All roles, in their order.
const ROLES: [Role; 19] = [
    Role::Base,
    Role::Raised,
    Role::Selected,
    Role::Text,
    Role::Strong,
    Role::Muted,
    Role::Faint,
    Role::Accent,
    Role::Link,
    Role::Ok,
    Role::Running,
    Role::Waiting,
    Role::Failed,
    Role::Canceled,
    Role::Warning,
    Role::BarUsed,
    Role::BarHeld,
    Role::BarFree,
    Role::Match,
];

/// The themes that are built in, and their files.
const BUILT_IN: [(&str, &str); 6] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../themes/high-contrast.toml"),
    ),
    (
        "colour-blind-safe",
        include_str!("../../themes/colour-blind-safe.toml"),
    ),
    ("terminal-16", include_str!("../../themes/terminal-16.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// A theme, ready for drawing.
#[derive(Clone, PartialEq, Debug)]
pub struct Theme {
    styles: [Style; ROLES.len()],
}

/// Names of the themes that are built in.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

impl Theme {
    /// Reads one of the themes that are built in.
    ///
    /// # Errors
    /// On an unknown name.
    pub fn named(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((name, source)) => Self::parse(source, name, depth),
            None => Err(ThemeError::unknown(name, built_in())),
        }
    }

    /// The style of a role: grounds carry a background, all others a foreground only.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// Dialogs stand on the same ground as the screen below them: only a frame tells them apart.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.style(Role::Raised) == self.style(Role::Base)
    }
}
