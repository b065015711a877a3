//! Frames on their way to the terminal: only cells that changed, in one write, bracketed by DEC 2026.

use std::io;
use std::os::fd::AsFd;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::encode::Encoder;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The last frame on the terminal, and the next one.
#[derive(Debug)]
pub struct Frames {
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    encoder: Encoder,
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
            encoder: Encoder::new(),
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

    /// The bytes that bring the next frame to the terminal: none when it looks like the last one.
    pub fn present(&mut self, cursor: Option<Position>) -> Vec<u8> {
        let mut body = Vec::new();
        if self.clear {
            self.encoder.clear(&mut body);
        }
        self.encoder.cells(&mut body, &self.shown, &self.next);
        match cursor {
            Some(at) if self.cursor != cursor || !body.is_empty() => {
                self.encoder.go(&mut body, at);
                body.extend_from_slice(b"\x1b[?25h");
            }
            None if self.cursor.is_some() => body.extend_from_slice(b"\x1b[?25l"),
            _ => {}
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        self.cursor = cursor;
        self.clear = false;
        if body.is_empty() || !self.synchronized {
            return body;
        }
        [BEGIN, &body, END].concat()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(frames: &mut Frames, words: &str) -> String {
        frames
            .blank((20, 2))
            .set_string(0, 0, words, ratatui::style::Style::new());
        String::from_utf8(frames.present(None)).unwrap()
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
}
