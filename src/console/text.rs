//! How amounts are written on a screen: times, spans, sizes, counts, and words cut to a width.
//!
//! Pure. Every span of time comes with the moment its text changes next, so that the console wakes for nothing else.

use std::borrow::Cow;
use std::time::Duration;

use roundel::clock::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Writes an age in one unit: `12 s`, `3 min`, `5 h`, `12 d`.
pub fn age(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0..MINUTE => format!("{s} s"),
        MINUTE..HOUR => format!("{} min", s / MINUTE),
        HOUR..DAY => format!("{} h", s / HOUR),
        _ => format!("{} d", s / DAY),
    }
}

/// Tells how long the text of [`age`] stays as it is, from a span on.
pub fn age_lasts(span: Duration) -> Duration {
    let unit = match span.as_secs() {
        0..MINUTE => 1,
        MINUTE..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    until_multiple(span, unit)
}

/// Writes how long something took or takes: `40 ms`, `0.4 s`, `41 s`, `1m 52s`, `2h 05m`, `3d 04h`.
pub fn took(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0 if span.as_millis() < 100 => format!("{} ms", span.as_millis()),
        0..10 => format!("{}.{} s", s, span.subsec_millis() / 100),
        10..MINUTE => format!("{s} s"),
        MINUTE..HOUR => format!("{}m {:02}s", s / MINUTE, s % MINUTE),
        HOUR..DAY => format!("{}h {:02}m", s / HOUR, s % HOUR / MINUTE),
        _ => format!("{}d {:02}h", s / DAY, s % DAY / HOUR),
    }
}

/// Writes how many times as long as usual something takes: `1.8×`, from ten times on `12×`.
pub fn times(took_ms: u64, usual_ms: u64) -> String {
    let tenths = (took_ms.saturating_mul(10) + usual_ms / 2) / usual_ms.max(1);
    if tenths < 100 {
        format!("{}.{}×", tenths / 10, tenths % 10)
    } else {
        format!("{}×", count(tenths / 10))
    }
}

/// Writes how long something that still runs has run: [`took`] without tenths of a second.
pub fn runs_for(span: Duration) -> String {
    if span.as_secs() < 10 {
        format!("{} s", span.as_secs())
    } else {
        took(span)
    }
}

/// Tells how long the text of [`runs_for`] stays as it is, from a span on.
pub fn runs_for_lasts(span: Duration) -> Duration {
    let unit = match span.as_secs() {
        0..HOUR => 1,
        HOUR..DAY => MINUTE,
        _ => HOUR,
    };
    until_multiple(span, unit)
}

fn until_multiple(span: Duration, unit_s: u64) -> Duration {
    let unit = Duration::from_secs(unit_s).as_millis() as u64;
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(unit - ms % unit)
}

/// Writes a share of cores: `4 cpu`, `0.5 cpu`.
pub fn cpu(thousandths: u32) -> String {
    format!("{} cpu", cores(u64::from(thousandths)))
}

/// Writes thousandths of a core as a bare number: `4`, `0.5`, `1.25`.
pub fn cores(thousandths: u64) -> String {
    trimmed(thousandths, 1000)
}

/// Writes an amount of memory given in MiB: `512 MB`, `8 GB`, `1.5 GB`.
pub fn memory(mib: u64) -> String {
    if mib < 1024 {
        format!("{mib} MB")
    } else {
        format!("{} GB", gigabytes(mib))
    }
}

/// Writes MiB as a bare number of GB: `8`, `1.5`.
pub fn gigabytes(mib: u64) -> String {
    if mib >= 100 * 1024 {
        (mib / 1024).to_string()
    } else {
        trimmed(mib * 10 / 1024, 10)
    }
}

fn trimmed(n: u64, unit: u64) -> String {
    let rest = n % unit;
    if rest == 0 {
        return (n / unit).to_string();
    }
    let digits = unit.ilog10() as usize;
    let text = format!("{}.{rest:0digits$}", n / unit);
    text.trim_end_matches('0').to_owned()
}

/// Writes a number of bytes: `812 B`, `3.4 KB`, `12 MB`.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" || value >= 10.0 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TB")
}

/// Writes a count with commas: `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number with its noun: `1 run`, `3 runs`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {noun}s", count(n))
    }
}

/// Writes a place in line: `1st`, `2nd`, `13th`.
pub fn ordinal(n: u64) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{ending}", count(n))
}

/// Writes when something is expected: `~40 s`, at least `~1 s`.
pub fn eta(at: Timestamp, now: Timestamp) -> String {
    format!("~{}", age(at.since(now).max(Duration::from_secs(1))))
}

/// Writes a moment for a place where the day matters: `2026-11-24 12:04:31`, in local time.
pub fn moment(at: Timestamp) -> String {
    at.local("%Y-%m-%d %H:%M:%S")
}

/// Number of cells a text takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Number of cells a character takes; a control is shown as its picture.
fn cells_of(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// Cuts a text to a width in cells, with `…` where something was left out; never within a number, which would be another
/// one.
pub fn fit(text: &str, cells: u16) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(room) = usize::from(cells).checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut used = 0;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            used += cells_of(*c);
            used > room
        })
        .map_or(text.len(), |(i, _)| i);
    let digit = |c: char| c.is_ascii_digit();
    let kept = &text[..end];
    let kept = if text[end..].starts_with(digit) {
        let number = kept.trim_end_matches(digit);
        // A long id of digits and letters is cut anyway: it is read as a name.
        if number.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            kept
        } else {
            number
        }
    } else {
        kept
    };
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// A text without what is only drawn, as it is read to somebody: bars, boxes and glyphs go, their words stay.
pub fn spoken(text: &str) -> String {
    let drawn = |c: char| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{27bf}' | '\u{2800}'..='\u{28ff}' | '·' | '‖');
    let words: String = text
        .chars()
        .map(|c| if drawn(c) { ' ' } else { c })
        .collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Breaks a text into lines of at most `cells` at spaces; a word longer than a line is cut.
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let cells = usize::from(cells.max(1));
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split(' ') {
            let long = word.width();
            if used > 0 && used + 1 + long > cells {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            for c in word.chars() {
                let w = cells_of(c);
                if used + w > cells {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += w;
            }
        }
        lines.push(line);
    }
    lines
}

/// The line of a byte of a text, from 1.
#[must_use]
pub fn line_at(text: &str, byte: usize) -> usize {
    let before = &text.as_bytes()[..byte.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Short form of a commit id.
pub fn revision(full: &str) -> &str {
    full.get(..7).unwrap_or(full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn spans_are_written_with_their_unit() {
        for (span, short, long) in [
            (Duration::from_millis(40), "0 s", "40 ms"),
            (Duration::from_millis(450), "0 s", "0.4 s"),
            (s(41), "41 s", "41 s"),
            (s(112), "1 min", "1m 52s"),
            (s(7500), "2 h", "2h 05m"),
            (s(12 * 86_400), "12 d", "12d 00h"),
        ] {
            assert_eq!((age(span).as_str(), took(span).as_str()), (short, long));
        }
    }

    #[test]
    fn amounts_keep_only_the_digits_that_say_something() {
        assert_eq!(
            [cpu(4000), cpu(500), cpu(1250)],
            ["4 cpu", "0.5 cpu", "1.25 cpu"]
        );
        assert_eq!(
            [memory(512), memory(8192), memory(1536)],
            ["512 MB", "8 GB", "1.5 GB"]
        );
        assert_eq!(
            [bytes(812), bytes(3500), bytes(12 << 20)],
            ["812 B", "3.4 KB", "12 MB"]
        );
        assert_eq!(
            [count(7), count(1204), count(1_000_000)],
            ["7", "1,204", "1,000,000"]
        );
        assert_eq!(
            [ordinal(1), ordinal(12), ordinal(23)],
            ["1st", "12th", "23rd"]
        );
    }

    proptest! {
        #[test]
        fn a_fitted_text_never_exceeds_its_cells(text in "\\PC{0,40}", cells in 0u16..40) {
            prop_assert!(width(&fit(&text, cells)) <= cells);
        }

        #[test]
        fn wrapped_lines_fit_and_lose_no_word(text in "[a-z ]{0,80}", cells in 1u16..30) {
            let lines = wrap(&text, cells);
            prop_assert!(lines.iter().all(|line| width(line) <= cells));
            let squeeze = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }

        #[test]
        fn an_age_changes_exactly_when_it_says(ms in 0u64..200_000_000) {
            let span = Duration::from_millis(ms);
            let lasts = age_lasts(span);
            prop_assert_eq!(age(span), age(span + lasts - Duration::from_millis(1)));
            prop_assert_ne!(age(span), age(span + lasts));
        }
    }
}
