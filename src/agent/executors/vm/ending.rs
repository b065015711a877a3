//! The end of a step as its shell tells it, found in the stream of what the step says and taken out of it.
//!
//! SSH closes a session only when nobody holds its streams any more, and tells 255 for a lost connection as for a program
//! that ended so. The word of the shell has neither flaw.

use memchr::memmem::Finder;
use memchr::memrchr;

/// First byte of the mark.
const SIGN: u8 = 0x1e;
/// Longest word after the mark: an exit code, or why there is none.
const WORD_MAX: usize = 16;

/// Looks for the end in one stream.
#[derive(Debug)]
pub(super) struct Ending {
    mark: Vec<u8>,
    /// What may be the beginning of the mark, or the mark with a part of its word.
    held: Vec<u8>,
    found: bool,
}

impl Ending {
    pub(super) fn new(token: &str) -> Self {
        let mut mark = vec![SIGN];
        mark.extend_from_slice(token.as_bytes());
        mark.push(b' ');
        Self {
            mark,
            held: Vec::new(),
            found: false,
        }
    }

    /// Takes the next bytes. Answers what of them is the step's, and the word of the shell when it is among them. What
    /// comes after is of something that the step left running.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(bytes);
        if self.found {
            return (text, None);
        }
        let Some(at) = Finder::new(&self.mark).find(&text) else {
            if let Some(at) = self.begins(&text) {
                self.held = text.split_off(at);
            }
            return (text, None);
        };
        let after = at + self.mark.len();
        let Some(length) = text[after..].iter().position(|byte| *byte == b'\n') else {
            // Longer than any word: the step has written the mark itself, and gets it.
            if text.len() - after <= WORD_MAX {
                self.held = text.split_off(at);
            }
            return (text, None);
        };
        let word = String::from_utf8_lossy(&text[after..after + length]).into_owned();
        text.drain(at..=after + length);
        self.found = true;
        (text, Some(word))
    }

    /// What is still held when the stream is over.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Where at the end of a text the mark may begin.
    fn begins(&self, text: &[u8]) -> Option<usize> {
        let from = text.len().saturating_sub(self.mark.len() - 1);
        let at = from + memrchr(SIGN, &text[from..])?;
        self.mark.starts_with(&text[at..]).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_end_is_found_wherever_the_stream_is_cut() {
        let whole = b"out \x1e\x1eT no\n\x1eT 12\nleft over";
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let mut ending = Ending::new("T");
                let (mut said, mut words) = (Vec::new(), Vec::new());
                for part in [&whole[..first], &whole[first..second], &whole[second..]] {
                    let (own, word) = ending.feed(part);
                    said.extend(own);
                    words.extend(word);
                }
                said.extend(ending.rest());
                assert_eq!(words, ["no"], "{first} {second}");
                assert_eq!(said, b"out \x1e\x1eT 12\nleft over");
            }
        }
    }

    #[test]
    fn what_cannot_be_the_end_is_not_held() {
        let mut ending = Ending::new("TOKEN");
        assert_eq!(ending.feed(b"a\x1eX"), (b"a\x1eX".to_vec(), None));
        assert_eq!(ending.feed(b"b\x1eTO"), (b"b".to_vec(), None));
        assert_eq!(ending.feed(b"c"), (b"\x1eTOc".to_vec(), None));
        let long = b"\x1eTOKEN 12345678901234567890".to_vec();
        assert_eq!(ending.feed(&long), (long.clone(), None));
        assert_eq!(ending.rest(), b"");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_of_any_stream(parts in prop::collection::vec(prop::collection::vec(0x1cu8..0x58, 0..12), 0..8)) {
            let mut ending = Ending::new("T");
            let mut said: Vec<u8> = Vec::new();
            let mut words = 0;
            for part in &parts {
                let (own, word) = ending.feed(part);
                said.extend(own);
                words += usize::from(word.is_some());
            }
            said.extend(ending.rest());
            let whole = parts.concat();
            if words == 0 {
                prop_assert_eq!(said, whole);
            } else {
                prop_assert!(words == 1 && said.len() < whole.len());
            }
        }
    }
}
