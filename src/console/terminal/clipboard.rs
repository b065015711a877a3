//! The sequence that puts a text on the terminal's clipboard (OSC 52), wrapped for what stands between.
//!
//! Nothing is asked of the terminal: whether it does as it is told cannot be known, only guessed by its name.

/// Longest text: what most terminals take at most, 100,000 characters of base 64.
pub const MAX: usize = 74_994;

/// Characters of base 64 in one device control string of GNU screen, which takes short ones only.
const CHUNK: usize = 240;

/// What stands between the console and the terminal, and what the terminal is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Between {
    /// A terminal that is known to ignore it: the text must be shown.
    Deaf,
    /// Nothing, as far as can be told.
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Between {
    /// By what the surroundings say.
    #[must_use]
    pub fn guess(env: impl Fn(&str) -> String) -> Self {
        let term = env("TERM");
        if !env("TMUX").is_empty() || term.starts_with("tmux") {
            Self::Tmux
        } else if !env("STY").is_empty() || term.starts_with("screen") {
            Self::Screen
        } else if ["linux", "dumb", "vt", "ansi", "cons"]
            .iter()
            .any(|deaf| term.starts_with(deaf))
        {
            Self::Deaf
        } else {
            Self::Nothing
        }
    }

    /// The bytes that copy a text; none where nobody would listen or it is too long.
    #[must_use]
    pub fn copy(self, text: &str) -> Vec<u8> {
        if text.len() > MAX {
            return Vec::new();
        }
        let code = base64(text.as_bytes());
        let plain = format!("\x1b]52;c;{code}\x07");
        match self {
            Self::Deaf => String::new(),
            Self::Nothing => plain,
            // tmux takes the first where it keeps the clipboard itself, and passes the second on where it is let.
            Self::Tmux => format!("{plain}\x1bPtmux;\x1b{plain}\x1b\\"),
            Self::Screen => {
                let mut pieces = code.as_bytes().chunks(CHUNK).map(String::from_utf8_lossy);
                let first = pieces.next().unwrap_or_default();
                let mut out = format!("\x1bP\x1b]52;c;{first}");
                for piece in pieces {
                    out.push_str("\x1b\\\x1bP");
                    out.push_str(&piece);
                }
                out + "\x07\x1b\\"
            }
        }
        .into_bytes()
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk
            .iter()
            .fold(0u32, |n, byte| (n << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = (n >> (18 - 6 * i)) & 63;
            out.push(if i <= chunk.len() {
                char::from(ALPHABET[sextet as usize])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_is_told_by_the_surroundings() {
        for (term, tmux, sty, wanted) in [
            ("xterm-256color", "", "", Between::Nothing),
            ("tmux-256color", "", "", Between::Tmux),
            (
                "screen-256color",
                "/tmp/tmux-0/default,1,0",
                "",
                Between::Tmux,
            ),
            ("screen", "", "123.pts-0", Between::Screen),
            ("screen.xterm-256color", "", "", Between::Screen),
            ("linux", "", "", Between::Deaf),
            ("vt220", "", "", Between::Deaf),
            ("foot", "", "", Between::Nothing),
        ] {
            let env = |name: &str| match name {
                "TERM" => term.to_owned(),
                "TMUX" => tmux.to_owned(),
                _ => sty.to_owned(),
            };
            assert_eq!(Between::guess(env), wanted, "{term} {tmux} {sty}");
        }
    }

    #[test]
    fn a_text_is_wrapped_for_what_stands_between() {
        for (between, wanted) in [
            (Between::Nothing, "\x1b]52;c;bjA3\x07"),
            (
                Between::Tmux,
                "\x1b]52;c;bjA3\x07\x1bPtmux;\x1b\x1b]52;c;bjA3\x07\x1b\\",
            ),
            (Between::Screen, "\x1bP\x1b]52;c;bjA3\x07\x1b\\"),
            (Between::Deaf, ""),
        ] {
            assert_eq!(between.copy("n07"), wanted.as_bytes(), "{between:?}");
        }
    }

    #[test]
    fn screen_gets_short_strings_and_what_is_too_long_is_not_sent() {
        let long = "x".repeat(1000);
        let sent = String::from_utf8(Between::Screen.copy(&long)).unwrap();
        let pieces: Vec<&str> = sent
            .split("\x1b\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert_eq!(pieces.len(), 6);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.starts_with("\x1bP") && piece.len() < 256)
        );
        let code: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(code, format!("\x1b]52;c;{}\x07", base64(long.as_bytes())));
        assert!(Between::Nothing.copy(&"x".repeat(MAX + 1)).is_empty());
        assert!(Between::Nothing.copy(&"x".repeat(MAX)).len() < 100_010);
    }

    #[test]
    fn base64_is_the_standard_one() {
        for (text, code) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }
}
