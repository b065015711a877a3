//! The same reads for a plain file that has no index: a Build Agent's own log.
//!
//! Such a file is short (it names steps, not output), so it is read from its beginning each time, a piece at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::pattern::Pattern;
use super::together::{MATCHES_MAX, Start};
use super::view::text;
use super::{LINE_MAX, LINES_MAX, LogError, READ_MAX, WINDOW_MAX};
use crate::api::builds::{LogLine, LogLines, LogMatches};

/// Stream named in the lines: the agent writes its log on stderr.
const STDERR: u8 = 2;

/// Reads bytes `from..to`, at most [`READ_MAX`] of them, as far as there are any.
///
/// # Errors
/// [`LogError::NoLog`] when there is no such file.
pub fn read_plain(path: &Path, from: u64, to: u64) -> Result<Vec<u8>, LogError> {
    let file = File::open(path).map_err(LogError::at("open", path))?;
    let length = file.metadata().map_err(LogError::at("read", path))?.len();
    let to = to.min(length).min(from.saturating_add(READ_MAX));
    let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)
        .map_err(LogError::at("read", path))?;
    Ok(bytes)
}

/// Reads lines from number `first` on; bounds as for [`super::Together::lines`]. Their time is 0: it stands in the text.
///
/// # Errors
/// [`LogError::NoLog`] when there is no such file.
pub fn lines_plain(path: &Path, first: u64, count: u64) -> Result<LogLines, LogError> {
    let mut budget = WINDOW_MAX;
    let last = first.saturating_add(count.min(LINES_MAX));
    window(path, |window, line| {
        if (first..last).contains(&line.n) && (window.is_empty() || line.text.len() <= budget) {
            budget = budget.saturating_sub(line.text.len());
            window.push_back(line);
        } else if line.n >= first {
            budget = 0;
        }
    })
}

/// Reads the last lines; bounds as for [`super::Together::tail`].
///
/// # Errors
/// [`LogError::NoLog`] when there is no such file.
pub fn tail_plain(path: &Path, count: u64) -> Result<LogLines, LogError> {
    let count = usize::try_from(count.min(LINES_MAX)).unwrap_or(usize::MAX);
    let mut held = 0;
    window(path, |window, line| {
        held += line.text.len();
        window.push_back(line);
        while window.len() > count.max(1) || (held > WINDOW_MAX && window.len() > 1) {
            held -= window.pop_front().map_or(0, |line| line.text.len());
        }
    })
}

/// Finds the lines that hold the pattern; see [`super::Together::search`]. Looks at what lines show of themselves.
///
/// # Errors
/// [`LogError::NoLog`] when there is no such file.
pub fn search_plain(path: &Path, pattern: &Pattern, start: Start) -> Result<LogMatches, LogError> {
    let mut lines = VecDeque::new();
    let all = window(path, |_, line| {
        let wanted = match start {
            Start::From(first) => line.n >= first && lines.len() < MATCHES_MAX,
            Start::Before(end) => line.n < end,
        };
        if wanted && pattern.is_in(line.text.as_bytes()) {
            lines.push_back(line.n);
            if lines.len() > MATCHES_MAX {
                lines.pop_front();
            }
        }
    })?;
    let full = lines.len() == MATCHES_MAX;
    let (from, to) = match start {
        Start::From(first) => (
            first,
            if full {
                lines[MATCHES_MAX - 1] + 1
            } else {
                all.total
            },
        ),
        Start::Before(end) => (if full { lines[0] } else { 0 }, end.min(all.total)),
    };
    Ok(LogMatches {
        lines: lines.into(),
        from,
        to,
        total: all.total,
    })
}

/// Goes through all lines, each cut at [`LINE_MAX`], and lets `take` keep those it wants.
fn window(
    path: &Path,
    mut take: impl FnMut(&mut VecDeque<LogLine>, LogLine),
) -> Result<LogLines, LogError> {
    let mut file = BufReader::new(File::open(path).map_err(LogError::at("open", path))?);
    let mut lines = VecDeque::new();
    let (mut n, mut bytes) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let head = file
            .by_ref()
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .map_err(LogError::at("read", path))?;
        if head == 0 {
            break;
        }
        let ended = line.ends_with(b"\n");
        let mut cut = 0;
        if !ended {
            let (skipped, newline) = skip_line(&mut file).map_err(LogError::at("read", path))?;
            bytes += skipped;
            cut = skipped - u64::from(newline);
        }
        bytes += head as u64;
        take(
            &mut lines,
            LogLine {
                n,
                t: 0,
                s: STDERR,
                text: text(&line),
                cut,
                of: None,
            },
        );
        n += 1;
    }
    Ok(LogLines {
        lines: lines.into(),
        total: n,
        bytes,
        open: false,
    })
}

/// Skips to the next line; answers the bytes skipped and whether the last of them was a line end.
fn skip_line(file: &mut impl BufRead) -> std::io::Result<(u64, bool)> {
    let mut skipped = 0;
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok((skipped, false));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        file.consume(used);
        skipped += used as u64;
        if end.is_some() {
            return Ok((skipped, true));
        }
    }
}
