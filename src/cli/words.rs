//! How amounts, spans and names are written on the command line, and the few colours there are.

use std::time::Duration;

use roundel::api::builds::RunRow;
use roundel::api::doctor::Verdict;
use roundel::clock::Timestamp;

/// Emphasis, where a terminal shows it and nobody forbade it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) fn new(on: bool) -> Self {
        Self(on)
    }

    /// Never any.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self(false)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.sgr("1", text)
    }

    /// How something came out, as wide as the widest such word.
    pub(super) fn verdict(self, verdict: Verdict) -> String {
        let word = format!("{:7}", verdict.word());
        match verdict {
            Verdict::Ok => self.good(&word),
            Verdict::Warning => self.warn(&word),
            Verdict::Failed => self.bad(&word),
        }
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.sgr("1;31", text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.sgr("1;33", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.sgr("32", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.sgr("2", text)
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `40ms`, `1.4s`, `12s`, `3m 05s`, `2h 04m`, `5d 03h`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{}ms", span.subsec_millis()),
        1..10 => format!("{}.{}s", seconds, span.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Time between two moments, when there are both.
pub(super) fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => span(to.since(from)),
        _ => "-".to_owned(),
    }
}

/// `512 MiB`, `7.5 GiB`.
pub(super) fn memory(mb: u64) -> String {
    if mb < 1024 {
        return format!("{mb} MiB");
    }
    let tenths = mb * 10 / 1024;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

/// `512 B`, `64 KiB`, `1.5 MiB`.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{} KiB", n / 1024),
        _ => format!("{}.{} MiB", n >> 20, ((n % (1 << 20)) * 10) >> 20),
    }
}

/// Thousandths of a core as cores: `2`, `0.5`, `1.25`.
pub(super) fn cores(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `1 run`, `2 runs`.
pub(super) fn count(n: u64, thing: &str) -> String {
    if n == 1 {
        format!("1 {thing}")
    } else {
        format!("{n} {thing}s")
    }
}

/// The job's name, with the copy where there are several: `test 1/2`.
pub(super) fn label(run: &RunRow) -> String {
    if run.of > 1 {
        format!("{} {}/{}", run.job_name, run.index + 1, run.of)
    } else {
        run.job_name.clone()
    }
}

/// The part of a fleet name that suffices to name the run.
pub(super) fn short(run: &RunRow) -> &str {
    run.name.split('-').next().unwrap_or(&run.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_never_round_up() {
        let spans = [
            (340, "340ms"),
            (1_340, "1.3s"),
            (9_999, "9.9s"),
            (12_000, "12s"),
            (185_000, "3m 05s"),
            (7_440_000, "2h 04m"),
        ];
        for (ms, text) in spans {
            assert_eq!(span(Duration::from_millis(ms)), text);
        }
        assert_eq!(span(Duration::from_secs(86_400 * 5 + 3 * 3600)), "5d 03h");
        assert_eq!(
            [memory(512), memory(7680), memory(1024)],
            ["512 MiB", "7.5 GiB", "1.0 GiB"]
        );
        assert_eq!(
            [bytes(0), bytes(70_000), bytes(3 << 19)],
            ["0 B", "68 KiB", "1.5 MiB"]
        );
        assert_eq!(
            [cores(2000), cores(500), cores(1250), cores(0)],
            ["2", "0.5", "1.25", "0"]
        );
        assert_eq!([count(1, "run"), count(0, "run")], ["1 run", "0 runs"]);
    }
}
