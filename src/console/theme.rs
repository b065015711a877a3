//! Colours by role: what a piece of the screen *is* decides how it looks, in a file under `themes/`.
//!
//! The only place that knows a colour. Screens name roles and nothing else, and no role is told by its colour alone.

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a piece of the screen is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
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

/// Number of roles.
const ROLES: usize = Role::Match as usize + 1;

/// How many colours the terminal has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The sixteen.
    Sixteen,
}

/// A theme, ready for drawing.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: [Style; ROLES],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Colour(String),
    Styled {
        #[serde(default)]
        fg: Option<String>,
        #[serde(default)]
        bold: bool,
        #[serde(default)]
        dim: bool,
        #[serde(default)]
        underlined: bool,
        #[serde(default)]
        reversed: bool,
    },
}

/// Why a theme could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No theme of that name is built in.
    #[error("no theme `{0}`; there are dark, light and mono")]
    Unknown(String),
    /// Not TOML, or an unknown role.
    #[error("theme does not parse")]
    Parse(#[source] toml::de::Error),
    /// A colour that is none.
    #[error("`{0}` is no colour; write #rrggbb")]
    Colour(String),
    /// A role without a value.
    #[error("theme lacks the role number {0}")]
    Missing(usize),
}

impl Theme {
    /// Reads one of the themes that are built in: `dark`, `light`, `mono`.
    ///
    /// # Errors
    /// On an unknown name.
    pub fn named(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let source = match name {
            "dark" => include_str!("../../themes/dark.toml"),
            "light" => include_str!("../../themes/light.toml"),
            "mono" => include_str!("../../themes/mono.toml"),
            other => return Err(ThemeError::Unknown(other.to_owned())),
        };
        Self::parse(source, depth)
    }

    /// Reads a theme file.
    ///
    /// # Errors
    /// On anything that is not a complete theme.
    pub fn parse(source: &str, depth: Depth) -> Result<Self, ThemeError> {
        let entries: HashMap<Role, Entry> = toml::from_str(source).map_err(ThemeError::Parse)?;
        let mut styles = [None; ROLES];
        for (role, entry) in entries {
            styles[role as usize] = Some(style(role, entry, depth)?);
        }
        let mut complete = [Style::new(); ROLES];
        for (i, found) in styles.into_iter().enumerate() {
            complete[i] = found.ok_or(ThemeError::Missing(i))?;
        }
        Ok(Self { styles: complete })
    }

    /// The style of a role: grounds carry a background, all others a foreground only.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

fn style(role: Role, entry: Entry, depth: Depth) -> Result<Style, ThemeError> {
    match entry {
        Entry::Colour(text) => {
            let colour = colour(&text, depth)?;
            Ok(match role {
                Role::Base if depth == Depth::Sixteen => Style::new().bg(Color::Reset),
                Role::Base | Role::Raised | Role::Selected => Style::new().bg(colour),
                _ => Style::new().fg(colour),
            })
        }
        Entry::Styled {
            fg,
            bold,
            dim,
            underlined,
            reversed,
        } => {
            let mut style = Style::new();
            if let Some(text) = fg {
                style = style.fg(colour(&text, depth)?);
            }
            let flags = [
                (bold, Modifier::BOLD),
                (dim, Modifier::DIM),
                (underlined, Modifier::UNDERLINED),
                (reversed, Modifier::REVERSED),
            ];
            Ok(flags
                .into_iter()
                .filter(|(on, _)| *on)
                .fold(style, |style, (_, flag)| style.add_modifier(flag)))
        }
    }
}

fn colour(text: &str, depth: Depth) -> Result<Color, ThemeError> {
    let wrong = || ThemeError::Colour(text.to_owned());
    let digits = text
        .strip_prefix('#')
        .filter(|d| d.len() == 6)
        .ok_or_else(wrong)?;
    let n = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    let [_, r, g, b] = n.to_be_bytes();
    Ok(match depth {
        Depth::True => Color::Rgb(r, g, b),
        Depth::Indexed => Color::Indexed(nearest_256(r, g, b)),
        Depth::Sixteen => Color::Indexed(nearest_16(r, g, b)),
    })
}

/// Levels of the colour cube of xterm's 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| {
        (0..6)
            .min_by_key(|i| CUBE[usize::from(*i)].abs_diff(v))
            .unwrap_or(0)
    };
    let (lr, lg, lb) = (level(r), level(g), level(b));
    let cube = (
        CUBE[usize::from(lr)],
        CUBE[usize::from(lg)],
        CUBE[usize::from(lb)],
    );
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = u8::try_from(mean.saturating_sub(3) / 10)
        .unwrap_or(23)
        .min(23);
    let grey = 8 + 10 * step;
    if distance((r, g, b), (grey, grey, grey)) < distance((r, g, b), cube) {
        232 + step
    } else {
        16 + 36 * lr + 6 * lg + lb
    }
}

/// The sixteen colours as most terminals show them; their order is the palette's.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (170, 0, 0),
    (0, 170, 0),
    (170, 85, 0),
    (0, 0, 170),
    (170, 0, 170),
    (0, 170, 170),
    (170, 170, 170),
    (85, 85, 85),
    (255, 85, 85),
    (85, 255, 85),
    (255, 255, 85),
    (85, 85, 255),
    (255, 85, 255),
    (85, 255, 255),
    (255, 255, 255),
];

fn nearest_16(r: u8, g: u8, b: u8) -> u8 {
    let best = SIXTEEN
        .iter()
        .enumerate()
        .min_by_key(|(_, c)| distance((r, g, b), **c));
    best.map_or(7, |(i, _)| i as u8)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + 3 * square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [Role; 12] = [
        Role::Text,
        Role::Strong,
        Role::Muted,
        Role::Accent,
        Role::Link,
        Role::Ok,
        Role::Running,
        Role::Waiting,
        Role::Failed,
        Role::Canceled,
        Role::Warning,
        Role::Match,
    ];

    fn luminance(colour: Option<Color>) -> f64 {
        let Some(Color::Rgb(r, g, b)) = colour else {
            panic!("not a colour: {colour:?}")
        };
        let part = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.03928 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    #[test]
    fn every_text_role_is_readable_on_every_ground() {
        for name in ["dark", "light"] {
            let theme = Theme::named(name, Depth::True).unwrap();
            for ground in [Role::Base, Role::Raised, Role::Selected] {
                for role in TEXTS {
                    let (a, b) = (
                        luminance(theme.style(role).fg),
                        luminance(theme.style(ground).bg),
                    );
                    let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    assert!(
                        contrast >= 4.5,
                        "{name}: {role:?} on {ground:?} is {contrast:.1}"
                    );
                }
            }
        }
    }

    #[test]
    fn mono_names_no_colour() {
        let theme = Theme::named("mono", Depth::True).unwrap();
        assert!(
            theme
                .styles
                .iter()
                .all(|style| style.fg.is_none() && style.bg.is_none())
        );
        assert!(
            theme
                .style(Role::Selected)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
    }

    #[test]
    fn fewer_colours_keep_the_states_apart() {
        for depth in [Depth::Indexed, Depth::Sixteen] {
            let theme = Theme::named("dark", depth).unwrap();
            let states = [Role::Ok, Role::Running, Role::Waiting, Role::Failed]
                .map(|role| theme.style(role).fg);
            for (i, a) in states.iter().enumerate() {
                assert!(
                    states[i + 1..].iter().all(|b| a != b),
                    "{depth:?}: {states:?}"
                );
            }
        }
    }

    #[test]
    fn a_bad_theme_says_what_is_wrong() {
        assert!(
            Theme::parse("base = \"#12\"", Depth::True)
                .unwrap_err()
                .to_string()
                .contains("`#12` is no colour")
        );
        assert!(Theme::parse("basis = \"#121212\"", Depth::True).is_err());
        assert!(
            Theme::named("pink", Depth::True)
                .unwrap_err()
                .to_string()
                .contains("`pink`")
        );
    }
}
