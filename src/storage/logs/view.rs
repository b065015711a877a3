//! Reading: one log as one run of bytes and lines, of one stream or of both.
//!
//! Looks at the disk alone, so it never waits for a writer. Positions count the bytes of the view (one stream's, when it
//! is filtered). Knows nothing of attempts.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use memchr::memchr_iter;

use super::entry::{Entry, SIZE, index_path, newlines};
use super::{LINE_MAX, LINES_MAX, LogError, WINDOW_MAX};
use crate::api::builds::{LogLine, LogLines};

/// Bytes of a log read at once; a single record may be longer.
const CHUNK: u64 = 256 * 1024;

/// Entries of an index read at once.
const ENTRIES: u64 = 256;

/// One log, open for reading.
pub(super) struct View {
    path: PathBuf,
    log: File,
    index: File,
    stream: Option<u8>,
    count: u64,
    last: Option<Entry>,
}

/// What the index covers: the number of whole entries whose bytes are in the log, and the last of them.
pub(super) fn covered(index: &File, log: &File) -> io::Result<(u64, Option<Entry>)> {
    let length = log.metadata()?.len();
    let mut count = index.metadata()?.len() / SIZE;
    while count > 0 {
        if let Some(entry) = read_entry(index, count - 1)?
            && entry.end() <= length
        {
            return Ok((count, Some(entry)));
        }
        count -= 1;
    }
    Ok((0, None))
}

fn read_entry(index: &File, number: u64) -> io::Result<Option<Entry>> {
    let mut bytes = [0; SIZE as usize];
    index.read_exact_at(&mut bytes, number * SIZE)?;
    Ok(Entry::decode(&bytes))
}

impl View {
    /// Opens the log at `path`.
    pub(super) fn open(path: &Path, stream: Option<u8>) -> Result<View, LogError> {
        let log = File::open(path).map_err(LogError::at("open", path))?;
        let index =
            File::open(index_path(path)).map_err(LogError::at("open the index of", path))?;
        let (count, last) =
            covered(&index, &log).map_err(LogError::at("read the index of", path))?;
        Ok(View {
            path: path.to_owned(),
            log,
            index,
            stream,
            count,
            last,
        })
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.last.map_or(0, |last| last.bytes_after(self.stream))
    }

    /// Sequence number of the newest record.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.last.map(|last| last.seq)
    }

    fn newlines(&self) -> u64 {
        self.last.map_or(0, |last| last.newlines_after(self.stream))
    }

    /// Number of lines, an unfinished last one counted.
    pub(super) fn total_lines(&self) -> Result<u64, LogError> {
        let unfinished = self.len() > 0 && self.read(self.len() - 1, self.len())? != b"\n";
        Ok(self.newlines() + u64::from(unfinished))
    }

    fn entry(&self, number: u64) -> Result<Entry, LogError> {
        let entry = read_entry(&self.index, number)
            .map_err(LogError::at("read the index of", &self.path))?;
        entry.ok_or_else(|| self.damaged(number))
    }

    fn damaged(&self, number: u64) -> LogError {
        LogError::Io {
            what: "read the index of",
            path: self.path.clone(),
            source: io::Error::new(
                io::ErrorKind::InvalidData,
                format!("entry {number} is damaged"),
            ),
        }
    }

    /// The first entry for which `reached` holds; it must hold for all after it. `None` when there is none.
    fn bisect(&self, reached: impl Fn(&Entry) -> bool) -> Result<Option<(u64, Entry)>, LogError> {
        let (mut low, mut high) = (0, self.count);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(middle)?;
            if reached(&entry) {
                found = Some((middle, entry));
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        // Whole entries may lie where they do not belong; who looks from here on counts on the one before.
        if let Some((number, entry)) = &found {
            let last = match number.checked_sub(1) {
                Some(before) => Some(self.entry(before)?),
                None => None,
            };
            if !entry.follows(last.as_ref()) || last.is_some_and(|last| reached(&last)) {
                return Err(self.damaged(*number));
            }
        }
        Ok(found)
    }

    /// Position at which line `n` begins; `None` past the last line. The line after the last line end counts even when it
    /// is empty, so that a search or a window may begin there.
    pub(super) fn line_start(&self, n: u64) -> Result<Option<u64>, LogError> {
        if n == 0 {
            return Ok(Some(0));
        }
        let Some((_, entry)) = self.bisect(|entry| entry.newlines_after(self.stream) >= n)? else {
            return Ok(None);
        };
        let bytes = self.bytes_at(entry.offset, u64::from(entry.len))?;
        let nth = usize::try_from(n - entry.newlines_before(self.stream)).unwrap_or(usize::MAX);
        let at = memchr_iter(b'\n', &bytes)
            .nth(nth.saturating_sub(1))
            .unwrap_or(0);
        Ok(Some(entry.bytes_before(self.stream) + at as u64 + 1))
    }

    /// Number of the line that the byte at a position belongs to.
    pub(super) fn line_at(&self, position: u64) -> Result<u64, LogError> {
        let Some((_, entry)) = self.bisect(|entry| entry.bytes_after(self.stream) > position)?
        else {
            return self.total_lines();
        };
        let within = position - entry.bytes_before(self.stream);
        let bytes = self.bytes_at(entry.offset, within)?;
        Ok(entry.newlines_before(self.stream) + newlines(&bytes) as u64)
    }

    /// Number of lines whose first byte came before a moment, unix microseconds.
    pub(super) fn lines_before(&self, micros: i64) -> Result<u64, LogError> {
        let Some((_, entry)) = self.bisect(|entry| entry.micros >= micros)? else {
            return self.total_lines();
        };
        let at = entry.bytes_before(self.stream);
        let unfinished = at > 0 && self.read(at - 1, at)? != b"\n";
        Ok(entry.newlines_before(self.stream) + u64::from(unfinished))
    }

    /// When the first byte of a line came, unix microseconds.
    pub(super) fn line_time(&self, n: u64) -> Result<Option<i64>, LogError> {
        let Some(start) = self.line_start(n)? else {
            return Ok(None);
        };
        let entry = self.bisect(|entry| entry.bytes_after(self.stream) > start)?;
        Ok(entry.map(|(_, entry)| entry.micros))
    }

    /// When its first and its last byte came, unix microseconds.
    pub(super) fn times(&self) -> Result<Option<(i64, i64)>, LogError> {
        let Some(last) = self.last else {
            return Ok(None);
        };
        Ok(Some((self.entry(0)?.micros, last.micros)))
    }

    /// Reads positions `from..to`, as far as there are bytes, into a buffer that is used again.
    pub(super) fn read_into(
        &self,
        bytes: &mut Vec<u8>,
        from: u64,
        to: u64,
    ) -> Result<(), LogError> {
        let to = to.min(self.len());
        if self.stream.is_some() {
            *bytes = self.read(from, to)?;
            return Ok(());
        }
        // Both streams: a position is a place in the file.
        bytes.resize(usize::try_from(to.saturating_sub(from)).unwrap_or(0), 0);
        self.log
            .read_exact_at(bytes, from)
            .map_err(LogError::at("read", &self.path))
    }

    fn bytes_at(&self, offset: u64, len: u64) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        self.log
            .read_exact_at(&mut bytes, offset)
            .map_err(LogError::at("read", &self.path))?;
        Ok(bytes)
    }

    /// Hands the bytes from position `from` on to `take`, piece by piece with the entry each comes from, until it breaks
    /// off or the view ends. Pieces are never empty and lie within one record.
    pub(super) fn for_each_chunk(
        &self,
        from: u64,
        mut take: impl FnMut(&[u8], &Entry) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let Some((mut number, _)) = self.bisect(|entry| entry.bytes_after(self.stream) > from)?
        else {
            return Ok(());
        };
        let mut last: Option<Entry> = None;
        while number < self.count {
            let batch = self.entries(number)?;
            for entry in &batch {
                if last.is_some() && !entry.follows(last.as_ref()) {
                    return Err(self.damaged(number));
                }
                last = Some(*entry);
                number += 1;
            }
            let mut rest = batch.as_slice();
            while let Some(first) = rest.first() {
                let fits = rest
                    .iter()
                    .take_while(|entry| entry.end() - first.offset <= CHUNK)
                    .count()
                    .max(1);
                let (group, after) = rest.split_at(fits);
                rest = after;
                let end = group.last().map_or(first.offset, Entry::end);
                let bytes = self.bytes_at(first.offset, end - first.offset)?;
                for entry in group.iter().filter(|entry| entry.is_of(self.stream)) {
                    let skip = from.saturating_sub(entry.bytes_before(self.stream));
                    let piece = within(
                        &bytes,
                        entry.offset + skip - first.offset,
                        entry.end() - first.offset,
                    );
                    if !piece.is_empty() && take(piece, entry).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn entries(&self, from: u64) -> Result<Vec<Entry>, LogError> {
        let mut bytes =
            vec![0; usize::try_from(ENTRIES.min(self.count - from) * SIZE).unwrap_or(0)];
        self.index
            .read_exact_at(&mut bytes, from * SIZE)
            .map_err(LogError::at("read the index of", &self.path))?;
        let (entries, _) = bytes.as_chunks::<{ SIZE as usize }>();
        entries
            .iter()
            .zip(from..)
            .map(|(bytes, number)| Entry::decode(bytes).map_or_else(|| self.entry(number), Ok))
            .collect()
    }

    /// Reads positions `from..to`, as far as there are bytes.
    pub(super) fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, LogError> {
        let to = to.min(self.len());
        let mut left = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Vec::new());
        }
        let mut out = Vec::with_capacity(left);
        self.for_each_chunk(from, |piece, _| {
            let piece = &piece[..piece.len().min(left)];
            out.extend_from_slice(piece);
            left -= piece.len();
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(out)
    }

    /// Reads a window of lines; see [`super::Together::lines`].
    pub(super) fn lines(&self, first: u64, count: u64) -> Result<LogLines, LogError> {
        self.some_lines(first, count, WINDOW_MAX)
    }

    /// The same with at most `budget` bytes of text; the first line is there however long it is.
    pub(super) fn some_lines(
        &self,
        first: u64,
        count: u64,
        mut budget: usize,
    ) -> Result<LogLines, LogError> {
        let total = self.total_lines()?;
        let end = total.min(first.saturating_add(count.min(LINES_MAX)));
        let mut lines = Vec::new();
        let mut n = first;
        while n < end {
            let before = n;
            let Some(start) = self.line_start(n)? else {
                break;
            };
            self.short_lines(start, &mut n, end, &mut budget, &mut lines)?;
            if n == end || budget == 0 {
                break;
            }
            if n == before {
                // A line that is longer than what is shown of it: its end is found in the index, not by reading on.
                let Some(line) = self.long_line(n)? else {
                    break;
                };
                if !lines.is_empty() && line.text.len() > budget {
                    break;
                }
                budget = budget.saturating_sub(line.text.len());
                lines.push(line);
                n += 1;
            }
        }
        Ok(LogLines {
            lines,
            total,
            bytes: self.len(),
            open: false,
        })
    }

    /// Reads whole lines from position `start` (the beginning of line `n`) on, up to the first long one, `end`, the end
    /// of the view or of the budget (then 0).
    fn short_lines(
        &self,
        start: u64,
        n: &mut u64,
        end: u64,
        budget: &mut usize,
        lines: &mut Vec<LogLine>,
    ) -> Result<(), LogError> {
        let mut line = Pending::default();
        self.for_each_chunk(start, |piece, entry| {
            for part in piece.split_inclusive(|byte| *byte == b'\n') {
                line.add(part, entry);
                if line.bytes.len() as u64 > LINE_MAX {
                    line = Pending::default();
                    return ControlFlow::Break(());
                }
                if part.ends_with(b"\n") {
                    let done = std::mem::take(&mut line);
                    if !lines.is_empty() && done.bytes.len() > *budget {
                        *budget = 0;
                        return ControlFlow::Break(());
                    }
                    *budget = budget.saturating_sub(done.bytes.len());
                    lines.push(done.finish(*n));
                    *n += 1;
                    if *n == end {
                        return ControlFlow::Break(());
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        if *n < end && !line.bytes.is_empty() && *budget > 0 {
            lines.push(line.finish(*n));
            *n += 1;
        }
        Ok(())
    }

    /// Reads the head of line `n`, however long it is.
    fn long_line(&self, n: u64) -> Result<Option<LogLine>, LogError> {
        let Some(start) = self.line_start(n)? else {
            return Ok(None);
        };
        let end = self.line_start(n + 1)?.map_or(self.len(), |next| next - 1);
        let end = end.max(start);
        let mut line = Pending::default();
        self.for_each_chunk(start, |piece, entry| {
            let room = (end.min(start + LINE_MAX) - start) as usize - line.bytes.len();
            line.add(&piece[..piece.len().min(room)], entry);
            if piece.len() >= room {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let cut = (end - start).saturating_sub(line.bytes.len() as u64);
        Ok(Some(LogLine {
            cut,
            ..line.finish(n)
        }))
    }

    /// Reads the last lines; see [`super::Together::tail`].
    pub(super) fn tail(&self, count: u64) -> Result<LogLines, LogError> {
        let total = self.total_lines()?;
        let mut first = total.saturating_sub(count.min(LINES_MAX));
        loop {
            let window = self.lines(first, LINES_MAX)?;
            let shown = window.lines.len() as u64;
            if first + shown >= total || shown == 0 {
                return Ok(window);
            }
            // The budget ended before the newest line: begin later, never beyond the last line.
            first = (first + shown.div_ceil(2)).min(total - 1);
        }
    }
}

fn within(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
    bytes.get(at(from)..at(to)).unwrap_or_default()
}

/// A line that is being put together.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    from: Option<(i64, u8)>,
}

impl Pending {
    fn add(&mut self, bytes: &[u8], entry: &Entry) {
        self.from.get_or_insert((entry.micros, entry.stream));
        self.bytes.extend_from_slice(bytes);
    }

    fn finish(self, n: u64) -> LogLine {
        let (t, s) = self.from.unwrap_or((0, 1));
        LogLine {
            n,
            t,
            s,
            text: text(&self.bytes),
            cut: 0,
            of: None,
        }
    }
}

/// A line's text without its line end, invalid UTF-8 replaced.
pub(super) fn text(line: &[u8]) -> String {
    let line = match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    };
    String::from_utf8_lossy(line).into_owned()
}
