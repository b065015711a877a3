//! A theme file: one line a role, each a colour or a table of one and of what the letters are.
//!
//! What is wrong is told with the file, the line and the role. Knows text, no file system.

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::depth::{nearest_16, nearest_256};
use super::{Depth, ROLES, Role, Theme};
use crate::console::nearest::nearest;
use crate::console::text::line_at;

/// The terminal's own colours, by name.
const NAMED: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What letters can be besides coloured.
const MODIFIERS: [(&str, Modifier); 4] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// Why a theme could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No theme of that name.
    #[error("there is no theme `{name}`; nearest: {nearest}")]
    Unknown {
        /// The name.
        name: String,
        /// The one that may have been meant.
        nearest: String,
    },
    /// Its file cannot be read.
    #[error("{file}: cannot be read: {why}")]
    File {
        /// The file.
        file: String,
        /// Why, in words.
        why: String,
    },
    /// A line of its file cannot be.
    #[error("{file}:{line}: {what}")]
    Line {
        /// The file.
        file: String,
        /// Line from 1.
        line: usize,
        /// What is wrong with which role.
        what: String,
    },
    /// Roles without a line.
    #[error("{file}: lacks {roles}")]
    Missing {
        /// The file.
        file: String,
        /// Their names.
        roles: String,
    },
}

impl ThemeError {
    /// No theme of that name among these.
    #[must_use]
    pub fn unknown<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Self {
        Self::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, among).unwrap_or_default().to_owned(),
        }
    }
}

impl Role {
    /// Its name in a theme file.
    fn name(self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    }
}

impl Theme {
    /// Reads the text of a theme file; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line; roles that have none.
    pub fn parse(source: &str, file: &str, depth: Depth) -> Result<Self, ThemeError> {
        let wrong = |at: usize, what: String| ThemeError::Line {
            file: file.to_owned(),
            line: line_at(source, at),
            what,
        };
        let table = DeTable::parse(source).map_err(|err| {
            let what = err.message().trim_end().replace('\n', ", ");
            wrong(err.span().map_or(0, |span| span.start), what)
        })?;
        let mut entries: Vec<(&Spanned<_>, &Spanned<DeValue>)> = table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut styles = [None; ROLES.len()];
        for (name, value) in entries {
            let at = name.span().start;
            let role = ROLES
                .into_iter()
                .find(|role| role.name() == *name.get_ref());
            let role = role.ok_or_else(|| {
                let names: Vec<String> = ROLES.into_iter().map(Role::name).collect();
                let near = nearest(name.get_ref(), names.iter().map(String::as_str));
                let near = near.unwrap_or_default();
                wrong(
                    at,
                    format!("there is no role `{}`; nearest: {near}", name.get_ref()),
                )
            })?;
            let style = style(role, value.get_ref(), depth)
                .map_err(|what| wrong(at, format!("`{}`: {what}", name.get_ref())))?;
            styles[role as usize] = Some(style);
        }
        let lacks: Vec<String> = ROLES
            .into_iter()
            .filter(|role| styles[*role as usize].is_none())
            .map(|role| format!("`{}`", role.name()))
            .collect();
        if !lacks.is_empty() {
            return Err(ThemeError::Missing {
                file: file.to_owned(),
                roles: lacks.join(", "),
            });
        }
        Ok(Self {
            styles: styles.map(Option::unwrap_or_default),
        })
    }
}

fn style(role: Role, value: &DeValue, depth: Depth) -> Result<Style, String> {
    let ground = matches!(role, Role::Base | Role::Raised | Role::Selected);
    let lone = |colour: Color| match role {
        Role::Base if depth == Depth::Sixteen => Style::new().bg(Color::Reset),
        _ if ground => Style::new().bg(colour),
        _ => Style::new().fg(colour),
    };
    match value {
        DeValue::String(text) => Ok(lone(colour(text, depth)?)),
        DeValue::Table(table) => {
            let mut style = Style::new();
            for (key, value) in table {
                let (key, value) = (key.get_ref().as_ref(), value.get_ref());
                let flag = MODIFIERS.iter().find(|(name, _)| *name == key);
                style = match (key, flag, value) {
                    ("fg", _, DeValue::String(text)) => style.fg(colour(text, depth)?),
                    ("bg", _, DeValue::String(text)) => style.bg(colour(text, depth)?),
                    (_, Some((_, flag)), DeValue::Boolean(true)) => style.add_modifier(*flag),
                    (_, Some(_), DeValue::Boolean(false)) => style,
                    ("fg" | "bg", ..) => return Err(format!("{key} takes a colour in quotes")),
                    (_, Some(_), _) => return Err(format!("{key} is true or false")),
                    _ => {
                        let names = MODIFIERS.iter().map(|(name, _)| *name);
                        let near = nearest(key, names.chain(["fg", "bg"])).unwrap_or_default();
                        return Err(format!("there is no `{key}`; nearest: {near}"));
                    }
                };
            }
            Ok(style)
        }
        _ => Err("takes a colour in quotes, or { fg = …, bold = true }".to_owned()),
    }
}

fn colour(text: &str, depth: Depth) -> Result<Color, String> {
    if let Some((_, named)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Ok(*named);
    }
    let wrong = || match nearest(text, NAMED.iter().map(|(name, _)| *name)) {
        Some(near) if !text.starts_with('#') => {
            format!("`{text}` is no colour; nearest: {near}, or write #rrggbb")
        }
        _ => format!("`{text}` is no colour; write #rrggbb"),
    };
    let digits = text
        .strip_prefix('#')
        .filter(|d| d.len() == 6)
        .ok_or_else(wrong)?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let n = u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| hex)
        .ok_or_else(wrong)?;
    let [_, r, g, b] = n.to_be_bytes();
    Ok(match depth {
        Depth::True => Color::Rgb(r, g, b),
        Depth::Indexed => Color::Indexed(nearest_256(r, g, b)),
        Depth::Sixteen => Color::Indexed(nearest_16(r, g, b)),
    })
}
