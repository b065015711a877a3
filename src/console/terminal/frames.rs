//! Frames on their way to the terminal: only cells that changed, in one write, bracketed by DEC 2026.

use std::io::{self, Write};
use std::os::fd::AsFd;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The last frame on the terminal, and the next one.
#[derive(Debug)]
pub struct Frames {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    synchronized: bool,
    clear: bool,
}

impl Frames {
    /// Frames for a terminal of this size that shows nothing; `synchronized` brackets each by DEC 2026.
    #[must_use]
    pub fn new(size: (u16, u16), synchronized: bool) -> Self {
        let empty = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        Self {
            shown: empty.clone(),
            next: empty,
            cursor: None,
            synchronized,
            clear: true,
        }
    }

    /// A blank buffer for the next frame.
    pub fn blank(&mut self, size: (u16, u16)) -> &mut Buffer {
        let area = Rect::new(0, 0, size.0, size.1);
        if *self.next.area() != area {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            self.clear = true;
        }
        self.next.reset();
        &mut self.next
    }

    /// Draws every cell with the next frame.
    pub fn forget(&mut self) {
        self.shown.reset();
        self.clear = true;
    }

    /// Brings the next frame to the terminal: nothing is written when it looks like the last one.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn present(&mut self, cursor: Option<Position>) -> io::Result<()> {
        let bytes = self.bytes(cursor)?;
        if !bytes.is_empty() {
            write_all(&bytes)?;
        }
        Ok(())
    }

    fn bytes(&mut self, cursor: Option<Position>) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let mut backend = CrosstermBackend::new(&mut body);
        if self.clear {
            backend.clear()?;
        }
        let changed = self.shown.diff(&self.next);
        let moved = self.clear || !changed.is_empty();
        if !changed.is_empty() {
            backend.draw(changed.into_iter())?;
        }
        match cursor {
            Some(at) if self.cursor != cursor || moved => {
                backend.set_cursor_position(at)?;
                backend.show_cursor()?;
            }
            None if self.cursor.is_some() => backend.hide_cursor()?,
            _ => {}
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        self.cursor = cursor;
        self.clear = false;
        if body.is_empty() || !self.synchronized {
            return Ok(body);
        }
        let mut frame = BEGIN.to_vec();
        frame.append(&mut body);
        frame.extend_from_slice(END);
        Ok(frame)
    }
}

/// Writes to the terminal past every buffer of the process: also from a panic, while a frame is half written.
pub(super) fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(io::stdout().as_fd(), rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => rest = &rest[n..],
            Err(rustix::io::Errno::INTR) => {}
            // Somebody else made the terminal non-blocking: wait as the kernel would have.
            Err(rustix::io::Errno::AGAIN) => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Err(err) => return Err(err.into()),
        }
    }
    Ok(())
}

/// The sequence that puts a text on the terminal's clipboard (OSC 52), for a terminal inside tmux too.
///
/// # Errors
/// When the terminal is gone.
pub fn copy(text: &str, inside_tmux: bool) -> io::Result<()> {
    let mut out = Vec::new();
    let sequence = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
    if inside_tmux {
        write!(
            out,
            "\x1bPtmux;{}\x1b\\",
            sequence.replace('\x1b', "\x1b\x1b")
        )?;
    } else {
        out.extend_from_slice(sequence.as_bytes());
    }
    write_all(&out)
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

    fn drawn(frames: &mut Frames, words: &str) -> String {
        frames
            .blank((20, 2))
            .set_string(0, 0, words, ratatui::style::Style::new());
        String::from_utf8(frames.bytes(None).unwrap()).unwrap()
    }

    #[test]
    fn a_frame_like_the_last_one_writes_nothing() {
        let mut frames = Frames::new((20, 2), true);
        let first = drawn(&mut frames, "hello");
        assert!(
            first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l"),
            "{first:?}"
        );
        assert_eq!(drawn(&mut frames, "hello"), "");
    }

    #[test]
    fn only_what_changed_is_written() {
        let mut frames = Frames::new((20, 2), true);
        drawn(&mut frames, "12 s waiting");
        let second = drawn(&mut frames, "13 s waiting");
        assert!(
            second.contains('3') && !second.contains("waiting"),
            "{second:?}"
        );
        assert!(second.len() < 60, "{} bytes", second.len());
    }

    #[test]
    fn a_forgotten_frame_is_written_whole() {
        let mut frames = Frames::new((20, 2), false);
        drawn(&mut frames, "hello");
        frames.forget();
        assert!(drawn(&mut frames, "hello").contains("hello"));
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
