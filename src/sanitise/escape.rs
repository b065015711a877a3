//! Finds escape sequences in a run of characters, however they are cut into pieces.
//!
//! Knows no bytes and no colours. The states are those of ECMA-48 as terminals follow it, kept small: a sequence that a
//! terminal might understand is swallowed whole, one that breaks off gives its last character back.

/// Longest parameter text of an SGR sequence that is kept; a longer one is dropped as a whole.
const PARAMS_MAX: usize = 64;

/// What a character did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It belongs to a sequence: nothing to show.
    Swallowed,
    /// It stands outside of any sequence (and may still be a control).
    Shown(char),
    /// It ended a sequence that sets colours; its parameters are in [`Parser::params`].
    Style,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate (`ESC ( B`).
    Intermediate,
    /// After CSI; `plain` while only parameters of an SGR have come.
    Control { plain: bool },
    /// In a string: title, clipboard, device control.
    Text,
    /// In a string, after ESC.
    TextEscape,
}

/// The state between two characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Parser {
    state: State,
    params: String,
}

impl Parser {
    /// Parameters of the sequence that [`Step::Style`] ended, as `1;38:5:200`.
    pub(super) fn params(&self) -> &str {
        &self.params
    }

    /// Takes the next character.
    pub(super) fn step(&mut self, c: char) -> Step {
        match self.state {
            State::Ground => self.ground(c),
            State::Escape => self.escape(c),
            State::Intermediate => match c {
                ' '..='/' => Step::Swallowed,
                '0'..='~' => self.end(),
                _ => self.ground(c),
            },
            State::Control { plain } => self.control(c, plain),
            State::Text => match c {
                '\x07' | '\x18' | '\x1a' | '\u{9c}' => self.end(),
                '\x1b' => self.to(State::TextEscape),
                // An open string must not hide the rest of a log.
                '\n' => self.ground(c),
                _ => Step::Swallowed,
            },
            State::TextEscape if c == '\\' => self.end(),
            State::TextEscape => self.escape(c),
        }
    }

    fn to(&mut self, state: State) -> Step {
        self.state = state;
        Step::Swallowed
    }

    fn end(&mut self) -> Step {
        self.to(State::Ground)
    }

    fn ground(&mut self, c: char) -> Step {
        match c {
            '\x1b' => self.to(State::Escape),
            '\u{9b}' => self.begin_control(),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.to(State::Text),
            _ => {
                self.state = State::Ground;
                Step::Shown(c)
            }
        }
    }

    fn escape(&mut self, c: char) -> Step {
        match c {
            '[' => self.begin_control(),
            ']' | 'P' | 'X' | '^' | '_' => self.to(State::Text),
            ' '..='/' => self.to(State::Intermediate),
            '0'..='~' => self.end(),
            _ => self.ground(c),
        }
    }

    fn begin_control(&mut self) -> Step {
        self.params.clear();
        self.to(State::Control { plain: true })
    }

    fn control(&mut self, c: char, plain: bool) -> Step {
        match c {
            '0'..=';' if plain && self.params.len() < PARAMS_MAX => {
                self.params.push(c);
                Step::Swallowed
            }
            ' '..='?' => self.to(State::Control { plain: false }),
            'm' if plain => {
                self.state = State::Ground;
                Step::Style
            }
            '@'..='~' => self.end(),
            _ => self.ground(c),
        }
    }
}
