//! What a terminal sends, as keys, pastes and the mouse. Pure: bytes in, events out, in whatever pieces they come.
//!
//! A key's bytes may be torn apart by a slow line: an Escape counts as the key alone only when nothing has followed it
//! for a while, and the caller says when that is.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::console::chord::Chord;
use crate::console::event::Event;
use crate::console::spot::{Does, Pointer};

/// Longest sequence that is understood; what is longer is none of a keyboard's.
const SEQUENCE_MAX: usize = 64;
/// Longest paste that is taken, in bytes; the rest of it is dropped.
const PASTE_MAX: usize = 1 << 20;
/// Lines that one turn of the wheel scrolls.
const WHEEL: i32 = 3;
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes so far.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    held: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Ground,
    /// Within a character of several bytes; this many to come.
    Character(usize),
    /// After ESC.
    Escape,
    /// After ESC `[`.
    Sequence,
    /// After ESC `O`.
    Shifted,
    /// After ESC `[` `[`: function keys of the Linux console.
    Console,
    /// Within the three bytes of a click as terminals before SGR tell it.
    Click,
    /// Within an answer that nobody asked for; true after an ESC in it.
    Answer(bool),
    /// Within a paste.
    Paste,
}

impl Parser {
    /// Takes bytes; answers what they complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            events.extend(self.byte(*byte));
        }
        events
    }

    /// Whether a key may be incomplete.
    #[must_use]
    pub fn waits(&self) -> bool {
        !matches!(self.state, State::Ground | State::Paste)
    }

    /// Nothing more came: an Escape alone is that key, the beginning of anything else is nothing.
    pub fn settle(&mut self) -> Option<Event> {
        let escape = self.state == State::Escape;
        self.ground();
        escape
            .then(|| key(KeyCode::Esc, KeyModifiers::NONE))
            .flatten()
    }

    fn ground(&mut self) {
        self.state = State::Ground;
        self.held.clear();
    }

    fn byte(&mut self, byte: u8) -> Option<Event> {
        match self.state {
            State::Ground => self.first(byte, KeyModifiers::NONE),
            State::Character(left) => self.character(byte, left),
            State::Escape => match byte {
                b'[' => self.enter(State::Sequence),
                b'O' => self.enter(State::Shifted),
                b']' | b'P' | b'_' | b'^' | b'X' => self.enter(State::Answer(false)),
                // The first was the key; the second begins something.
                0x1b => key(KeyCode::Esc, KeyModifiers::NONE),
                byte => {
                    self.ground();
                    self.first(byte, KeyModifiers::ALT)
                }
            },
            State::Sequence => self.sequence(byte),
            State::Shifted => {
                self.ground();
                letter(byte).and_then(|code| key(code, KeyModifiers::NONE))
            }
            State::Console => {
                self.ground();
                let n = byte.checked_sub(b'A').filter(|n| *n < 5)?;
                key(KeyCode::F(n + 1), KeyModifiers::NONE)
            }
            State::Click => {
                self.held.push(byte);
                if self.held.len() < 3 {
                    return None;
                }
                let [button, x, y] = [0, 1, 2].map(|i| u16::from(self.held[i]).saturating_sub(32));
                self.ground();
                pointer(button, x, y)
            }
            State::Answer(escaped) => {
                if byte == 0x07 || (escaped && byte == b'\\') {
                    self.ground();
                } else {
                    self.state = State::Answer(byte == 0x1b);
                }
                None
            }
            State::Paste => self.paste(byte),
        }
    }

    fn enter(&mut self, state: State) -> Option<Event> {
        self.held.clear();
        self.state = state;
        None
    }

    /// The first byte of something.
    fn first(&mut self, byte: u8, with: KeyModifiers) -> Option<Event> {
        let code = match byte {
            0x1b => return self.enter(State::Escape),
            b'\r' | b'\n' => KeyCode::Enter,
            b'\t' => KeyCode::Tab,
            0x7f => KeyCode::Backspace,
            0 => return key(KeyCode::Char(' '), with | KeyModifiers::CONTROL),
            0x01..=0x1a => {
                let letter = char::from(byte - 1 + b'a');
                return key(KeyCode::Char(letter), with | KeyModifiers::CONTROL);
            }
            0x1c..=0x1f => {
                let digit = char::from(byte - 0x1c + b'4');
                return key(KeyCode::Char(digit), with | KeyModifiers::CONTROL);
            }
            0x20..=0x7e => KeyCode::Char(char::from(byte)),
            byte => {
                let more = match byte {
                    0xc2..=0xdf => 1,
                    0xe0..=0xef => 2,
                    0xf0..=0xf4 => 3,
                    _ => return None,
                };
                self.enter(State::Character(more));
                self.held.push(byte);
                return None;
            }
        };
        key(code, with)
    }

    fn character(&mut self, byte: u8, left: usize) -> Option<Event> {
        self.held.push(byte);
        if left > 1 {
            self.state = State::Character(left - 1);
            return None;
        }
        let text = String::from_utf8(std::mem::take(&mut self.held)).ok();
        self.ground();
        // The control characters of eight bits (U+0080 to U+009F) are no keys.
        let typed = text?.chars().next().filter(|c| !c.is_control())?;
        key(KeyCode::Char(typed), KeyModifiers::NONE)
    }

    fn sequence(&mut self, byte: u8) -> Option<Event> {
        match byte {
            0x1b => return self.enter(State::Escape),
            b'[' if self.held.is_empty() => return self.enter(State::Console),
            b'M' if self.held.is_empty() => return self.enter(State::Click),
            0x20..=0x3f if self.held.len() < SEQUENCE_MAX => {
                self.held.push(byte);
                return None;
            }
            _ => {}
        }
        let text = String::from_utf8_lossy(&self.held).into_owned();
        self.ground();
        if let Some(mouse) = text.strip_prefix('<') {
            let numbers = numbers(mouse);
            let [button, x, y] = numbers[..] else {
                return None;
            };
            // A release says nothing new.
            return (byte == b'M').then(|| pointer(button, x, y)).flatten();
        }
        let numbers = numbers(&text);
        let n = numbers.first().copied().unwrap_or(1);
        let with = modifiers(numbers.get(1).copied().unwrap_or(1));
        if (byte, n) == (b'~', 200) {
            return self.enter(State::Paste);
        }
        let code = match byte {
            b'Z' => KeyCode::BackTab,
            b'~' => numbered(n)?,
            b'u' => match n {
                13 => KeyCode::Enter,
                9 => KeyCode::Tab,
                27 => KeyCode::Esc,
                127 => KeyCode::Backspace,
                // A control character is no key's: it must not get into a text that is typed.
                n => KeyCode::Char(char::from_u32(n.into()).filter(|c| !c.is_control())?),
            },
            byte => letter(byte)?,
        };
        key(code, with)
    }

    fn paste(&mut self, byte: u8) -> Option<Event> {
        if self.held.len() >= PASTE_MAX {
            // Only its end still counts: as many bytes are kept as show it.
            let from = self.held.len() - PASTE_END.len();
            self.held.remove(from);
        }
        self.held.push(byte);
        let text = self.held.strip_suffix(PASTE_END)?;
        let text = String::from_utf8_lossy(text)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        self.ground();
        Some(Event::Paste(text))
    }
}

fn key(code: KeyCode, with: KeyModifiers) -> Option<Event> {
    Chord::from_terminal(KeyEvent::new(code, with)).map(Event::Key)
}

fn numbers(text: &str) -> Vec<u16> {
    text.split(';')
        .map_while(|n| n.split(':').next()?.parse().ok())
        .collect()
}

/// What is held down: one more than a sum of 1 for shift, 2 for alt, 4 for control.
fn modifiers(n: u16) -> KeyModifiers {
    let bits = n.saturating_sub(1);
    [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
    ]
    .into_iter()
    .filter(|(bit, _)| bits & bit != 0)
    .fold(KeyModifiers::NONE, |all, (_, one)| all | one)
}

/// Keys that end in a letter of their own.
fn letter(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(byte - b'P' + 1),
        _ => return None,
    })
}

/// Keys that have a number.
fn numbered(n: u16) -> Option<KeyCode> {
    Some(match n {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(n - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(n - 11).ok()?),
        23 | 24 => KeyCode::F(u8::try_from(n - 12).ok()?),
        _ => return None,
    })
}

/// What the mouse did, by the number that terminals give it; columns and rows begin at 1.
fn pointer(button: u16, x: u16, y: u16) -> Option<Event> {
    // Shift, alt and control beside it are left out of account.
    let does = match button & !28 {
        0 => Does::Click,
        64 => Does::Wheel(-WHEEL),
        65 => Does::Wheel(WHEEL),
        _ => return None,
    };
    let (x, y) = (x.checked_sub(1)?, y.checked_sub(1)?);
    Some(Event::Pointer(Pointer { x, y, does }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each event in a few words.
    fn told(events: &[Event]) -> Vec<String> {
        let told = events.iter().map(|event| match event {
            Event::Key(chord) => crate::console::chord::shown(&chord.name()),
            Event::Paste(text) => format!("paste {text:?}"),
            Event::Pointer(pointer) => format!("{:?} {} {}", pointer.does, pointer.x, pointer.y),
            other => format!("{other:?}"),
        });
        told.collect()
    }

    const SENT: &[(&str, &[&str])] = &[
        ("jG", &["j", "G"]),
        ("\r\n\t\x7f", &["Enter", "Enter", "Tab", "backspace"]),
        (
            "\x03\x1a\x08\x00",
            &["ctrl-c", "ctrl-z", "ctrl-h", "ctrl-Space"],
        ),
        ("é日", &["é", "日"]),
        ("\u{80}j", &["j"]),
        (
            "\x1b[A\x1bOB\x1b[1;2C\x1b[1;5D",
            &["↑", "↓", "shift-→", "ctrl-←"],
        ),
        (
            "\x1b[H\x1b[4~\x1b[5~\x1b[6~\x1b[3~",
            &["Home", "End", "PgUp", "PgDn", "delete"],
        ),
        (
            "\x1b[Z\x1bOP\x1b[15~\x1b[[E\x1b[11~",
            &["shift-Tab", "F1", "F5", "F5", "F1"],
        ),
        ("\x1bx\x1b\x1b[A", &["alt-x", "Esc", "↑"]),
        ("\x1b[106;5u\x1b[13u", &["ctrl-j", "Enter"]),
        ("\x1b[<0;5;3M\x1b[<0;5;3m", &["Click 4 2"]),
        (
            "\x1b[<65;1;1M\x1b[<64;300;1M",
            &["Wheel(3) 0 0", "Wheel(-3) 299 0"],
        ),
        ("\x1b[M !!", &["Click 0 0"]),
        ("\x1b[<2;1;1M\x1b[<32;1;1M", &[]),
        ("\x1b[200~a\r\nb\x1b[201~c", &["paste \"a\\nb\"", "c"]),
        (
            "\x1b[200~\x1b[31mred\x1b[201~",
            &["paste \"\\u{1b}[31mred\""],
        ),
        ("\x1b]11;rgb:00/00/00\x1b\\j\x1bP1$r\x07k", &["j", "k"]),
        ("\x1b[I\x1b[99~\x1b[?62;4cj", &["j"]),
        ("\x1b[u\x1b[7u\x1b[155;1uj", &["j"]),
    ];

    #[test]
    fn what_terminals_send_is_understood_whole_and_in_pieces() {
        for (sent, wanted) in SENT {
            let whole = Parser::default().take(sent.as_bytes());
            assert_eq!(told(&whole), *wanted, "{sent:?}");
            let mut parser = Parser::default();
            let pieces: Vec<Event> = sent.bytes().flat_map(|b| parser.take(&[b])).collect();
            assert_eq!(told(&pieces), *wanted, "{sent:?} in pieces");
            assert!(!parser.waits(), "{sent:?}");
        }
    }

    #[test]
    fn an_escape_is_a_key_once_nothing_followed() {
        let mut parser = Parser::default();
        assert!(parser.take(b"\x1b").is_empty() && parser.waits());
        assert_eq!(
            told(&parser.settle().into_iter().collect::<Vec<_>>()),
            ["Esc"]
        );
        assert!(!parser.waits());
        // A torn arrow is no letter: the rest of it must not act.
        assert!(parser.take(b"\x1b[").is_empty());
        assert_eq!(told(&parser.take(b"C")), ["→"]);
        assert!(parser.take(b"\x1b[1;").is_empty());
        assert!(parser.settle().is_none());
    }

    #[test]
    fn a_paste_without_end_is_bounded_and_its_end_is_still_found() {
        let mut parser = Parser::default();
        parser.take(b"\x1b[200~");
        parser.take(&vec![b'x'; PASTE_MAX + 1000]);
        assert!(parser.held.len() <= PASTE_MAX);
        let events = parser.take(b"\x1b[201~j");
        assert!(matches!(&events[0], Event::Paste(text) if text.len() > PASTE_MAX / 2));
        assert_eq!(told(&events[1..]), ["j"]);
    }

    /// Bytes among which the beginnings and ends of sequences are common.
    fn sent() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            2 => prop::collection::vec(any::<u8>(), 0..6),
            1 => "[ -~]{0,6}".prop_map(String::into_bytes),
            3 => prop::sample::select(vec![
                "\x1b", "\x1b[", "\x1bO", "\x1b[[", "\x1b[M", "\x1b[<", "\x1b[200~", "\x1b[201~", "\x1b]11;", "\x1bP",
                "\x07", "\x1b\\", "0;5;3M", "65535;99999;1m", "1;5", "~", "u", "A", "é", "日", "😀", "\r\n",
            ]).prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_bytes_are_held_for_ever(bytes in sent()) {
            let mut parser = Parser::default();
            parser.take(&bytes);
            parser.settle();
            prop_assert!(parser.held.len() <= bytes.len());
            if parser.state != State::Paste {
                prop_assert_eq!(told(&parser.take(b"j")), ["j"]);
            }
        }

        #[test]
        fn what_was_sent_means_the_same_however_it_is_cut(
            bytes in sent(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut parser = Parser::default();
            let whole = parser.take(&bytes);
            // Nothing that others put into a paste or a sequence comes out as a key that a terminal cannot send.
            let control = |chord: &Chord| chord.name().chars().any(char::is_control);
            prop_assert!(!whole.iter().any(|event| matches!(event, Event::Key(chord) if control(chord))), "{:?}", told(&whole));
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let mut torn = Parser::default();
            let pieces: Vec<Event> = at.windows(2).flat_map(|pair| torn.take(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(told(&pieces), told(&whole));
            prop_assert_eq!((torn.state, &torn.held), (parser.state, &parser.held));
        }
    }
}
