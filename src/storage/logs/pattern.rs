//! What is looked for in a log: a text, or whatever looks like an error.
//!
//! Pure: knows no files and no lines. Bytes come in pieces, so a place may be judged by its surroundings only.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr, memrchr};
use regex::bytes::{Regex, RegexBuilder};

/// Longest text looked for, in bytes; what is longer is cut there.
const TEXT_MAX: usize = 1024;

/// Bytes at each side of a place that tell whether it looks like an error.
const CONTEXT: usize = 160;

/// Something to look for.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Fast: a literal or a list of literals. A gigabyte takes a fraction of a second.
    words: Regex,
    /// What is found counts only where it looks like an error.
    judged: bool,
    reach: usize,
}

impl Pattern {
    /// A text. Small letters match both cases, a capital makes the search exact. `None` when it is empty.
    #[must_use]
    pub fn text(text: &str) -> Option<Pattern> {
        let text = &text[..text.floor_char_boundary(TEXT_MAX)];
        let exact = text.chars().any(char::is_uppercase);
        let words = RegexBuilder::new(&regex::escape(text))
            .case_insensitive(!exact)
            .build()
            .ok()?;
        (!text.is_empty()).then(|| Pattern {
            words,
            judged: false,
            // A letter of the other case may take more bytes than the one looked for, at most four each.
            reach: text.chars().count() * 4,
        })
    }

    /// Whatever looks like an error of a compiler, a test runner, a package manager, a shell or a kernel.
    #[must_use]
    pub fn error_like() -> Pattern {
        Pattern {
            words: WORDS.clone(),
            judged: true,
            reach: CONTEXT,
        }
    }

    /// Bytes before and after a place that must be at hand to find it there.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// The first place at or after `from`. What stands before `from` is looked at, but nothing is found there.
    pub(super) fn find(&self, bytes: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let found = self.words.find_at(bytes, from)?;
            if !self.judged || looks_wrong(bytes, found.range()) {
                return Some(found.start());
            }
            from = found.end();
        }
    }

    /// Whether a whole line holds it.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        self.find(line, 0).is_some()
    }
}

/// Words that lines about errors have, as programs write them. A plain list of literals is many times faster than one
/// that ignores case.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    let words = "error fail fatal panic exception traceback denied refused undefined exited";
    let cased = words.split(' ').flat_map(|word| {
        let (first, rest) = word.split_at(1);
        [
            word.to_owned(),
            word.to_ascii_uppercase(),
            format!("{}{rest}", first.to_ascii_uppercase()),
        ]
    });
    let more = [
        "ERR!",
        "rror]",
        "ut of memory",
        "egmentation fault",
        "ore dumped",
        "o such file",
        "ommand not found",
        "o space left",
        "annot allocate",
        "imed out",
        "not ok ",
        "xit code",
        "xit status",
        "✗",
        "✘",
        "✖",
        "✕",
        "E   ",
        "Aborted",
        "Killed",
    ];
    let all: Vec<String> = cased.chain(more.map(str::to_owned)).collect();
    fixed(&all.join("|"))
});

/// What makes a line look like an error. Tried only around one of [`WORDS`].
static WRONG: LazyLock<Regex> = LazyLock::new(|| {
    any_of(&[
        // A word of its own, not a part of a name or a path.
        r"(?i)(?:^|[^\w./@-])(?:errors?|failed|failures?|fatal|panic|traceback|exception)(?:$|[^\w./@=(-]|[.)](?:\s|$)|\[[A-Z]*\d+\])",
        // Names of exceptions where they are told: `TypeError: x`, `java.lang.NullPointerException`.
        r"(?:^|[^\w/-])(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?::|$|\s+(?:at|in|was|thrown))",
        r"\bpanicked at\b|\bkernel panic\b|\bpanic:",
        r"\bFAIL(?:ED|URES?)?\b|\bERR!",
        r"(?i)\bsegmentation fault\b|\bcore dumped\b|\bout of memory\b|\bno space left on device\b|\bcannot allocate memory\b",
        r"(?i)\bcommand not found\b|\bno such file or directory\b|\bpermission denied\b|\baccess denied\b|\bconnection refused\b|\btimed out\b",
        r"\bundefined (?:reference|symbol|method|variable)\b|\bis not defined\b|\bis undefined\b",
        r"(?i)\bexit(?:ed)?(?: with)?(?: (?:exit )?(?:code|status))?:? [1-9]\d*\b",
        r"(?m)^not ok \d|^E {3,}\S|^\s*[✗✘✖✕] |^Aborted\b|\bKilled$",
        r"(?m)^(?:.*: )?fail(?:ed)? to \w",
    ])
});

/// What is left out first: phrases that say that nothing went wrong, or only speak of it.
static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    any_of(&[
        r"(?i)\b(?:0|no|zero|without|any|ignor\w+|expected|handles?|handling|catch(?:es)?|throws?|on|if|unless)\s+(?:\w+\s+)?(?:errors?|fail(?:ed|ures?)?|exceptions?|panics?|fatal)\b",
        r"(?i)\b(?:errors?|fail(?:ed|ures?)?|exceptions?|panics?)\s*[:=]\s*(?:0|none|false|null|nil|\[\])(?:\D|$)",
        r"(?i)^\s*(?:\[?(?:ok|pass(?:ed)?)\b|[✓✔√]).*$",
        r"(?i)\berrors?\s+(?:handling|handler|boundar\w+|messages?|pages?|types?)\b",
    ])
});

/// Each in a group of its own: a flag holds for one of them.
fn any_of(patterns: &[&str]) -> Regex {
    fixed(&format!("(?:{})", patterns.join(")|(?:")))
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are fixed, and a test tries them")
}

/// Whether the line around a word looks like an error.
fn looks_wrong(bytes: &[u8], word: Range<usize>) -> bool {
    let from = word.start.saturating_sub(CONTEXT);
    let to = (word.end + CONTEXT).min(bytes.len());
    let from = memrchr(b'\n', &bytes[from..word.start]).map_or(from, |at| from + at + 1);
    let to = memchr(b'\n', &bytes[word.end..to]).map_or(to, |at| word.end + at);
    let line = &bytes[from..to];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = uncoloured(line);
    let line = HARMLESS.replace_all(&line, &b" "[..]);
    WRONG.is_match(&line)
}

/// The line without its colours: they stand between words and the blanks around them.
fn uncoloured(line: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    static SGR: LazyLock<Regex> = LazyLock::new(|| fixed("\x1b\\[[0-9;:]*[mK]"));
    SGR.replace_all(line, &b""[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_match_both_cases_and_a_capital_is_exact() {
        let log = b"alpha\nBeta beta\n\xff\xfe\ngamma BETA";
        for (text, place) in [
            ("beta", Some(6)),
            ("BETA", Some(25)),
            ("a\nB", Some(4)),
            ("(", None),
            ("ALPHA", None),
        ] {
            assert_eq!(Pattern::text(text).unwrap().find(log, 0), place, "{text}");
        }
        assert!(Pattern::text("").is_none());
        assert_eq!(Pattern::text("beta").unwrap().find(log, 7), Some(11));
    }

    #[test]
    fn what_programs_say_when_something_is_wrong_looks_like_an_error() {
        let lines = [
            "error: expected `;`, found `}`",
            "error[E0308]: mismatched types",
            "src/main.c:10:5: error: ‘x’ undeclared",
            "src/main.c:10: undefined reference to `main'",
            "ERROR: Job failed: exit code 1",
            "ERROR in ./src/app.js",
            "[ERROR] Failed to execute goal org.apache.maven.plugins",
            "2026-01-02 12:00:00 ERROR com.example.Main - boom",
            "level=error msg=\"cannot connect\"  error here",
            "npm ERR! code ELIFECYCLE",
            "npm error code ELIFECYCLE",
            "fatal: not a git repository (or any of the parent directories): .git",
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "thread 'main' panicked at src/main.rs:4:5:",
            "panic: runtime error: index out of range [5] with length 3",
            "Traceback (most recent call last):",
            "ValueError: invalid literal for int() with base 10: 'x'",
            "E       AssertionError: assert 1 == 2",
            "E   assert 1 == 2",
            "TypeError: undefined is not a function",
            "Exception in thread \"main\" java.lang.NullPointerException",
            "Caused by: java.io.IOException: Broken pipe",
            "Unhandled exception. System.InvalidOperationException: x",
            "FAIL src/nav/menu.test.js",
            "--- FAIL: TestMenu (0.00s)",
            "FAILED tests/test_menu.py::test_close - assert False",
            "test menu::closes ... FAILED",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored",
            "not ok 3 - closes on escape",
            "make: *** [Makefile:3: all] Error 2",
            "bash: line 1: foo: command not found",
            "cat: /nope: No such file or directory",
            "sh: ./run: Permission denied",
            "curl: (7) Failed to connect to localhost port 1: Connection refused",
            "Segmentation fault (core dumped)",
            "write /tmp/x: no space left on device",
            "Killed",
            "Build failed",
            "Tests failed.",
            "1 failed, 8 passed",
            "Tests run: 12, Failures: 2, Errors: 0, Skipped: 0",
            "3 failed, 0 errors",
            "exited with code 137",
            "The command returned exit status 2",
            "\x1b[1m\x1b[31merror\x1b[0m: aborting due to 2 previous errors",
            "✗ closes on escape",
            "  ✖ 3 problems (3 errors, 0 warnings)",
            "failed to solve: process \"/bin/sh -c make\" did not complete",
            "ReferenceError: x is not defined",
        ];
        let missed = lines.map(|line| (line, Pattern::error_like().is_in(line.as_bytes())));
        assert!(missed.iter().all(|(_, found)| *found), "{missed:#?}");
    }

    #[test]
    fn what_only_speaks_of_errors_does_not() {
        let lines = [
            "Compiling thiserror v2.0.1",
            "   Compiling error-chain v0.12.4",
            "test result: ok. 12 passed; 0 failed; 0 ignored",
            "12 passed, 0 failed",
            "Found 0 errors. Watching for file changes.",
            "found 0 errors and 3 warnings",
            "no errors found",
            "errors: 0, warnings: 3",
            "failures=0 errors=0 skipped=1",
            "Tests run: 12, Failures: 0, Errors: 0, Skipped: 0",
            "PASS src/error.test.js",
            "ok 3 - reports an error when closed",
            "✓ throws an error when closed (3 ms)",
            "✔ returns failure for bad input",
            "src/errors.rs",
            "-rw-r--r-- 1 root root 12 error.log",
            "copying build/lib/error_handler.py",
            "gcc -Werror -Wall -o x x.c",
            "curl --fail -sS https://example.com",
            "set -o errexit  # exits on error",
            "npm install --no-error-on-unmatched-pattern",
            "test error_is_reported ... ok",
            "the tool exited with code 0",
            "exit status 0",
            "errno module loaded",
            "Downloading failsafe-3.1.jar",
            "INFO error handling is on",
            "continue-on-error: true",
            "panicking is disabled",
        ];
        let taken = lines.map(|line| (line, Pattern::error_like().is_in(line.as_bytes())));
        assert!(taken.iter().all(|(_, found)| !*found), "{taken:#?}");
    }

    #[test]
    fn a_line_is_judged_by_itself() {
        let log = b"0 errors\nerror: one\n0 errors\n";
        assert_eq!(Pattern::error_like().find(log, 0), Some(9));
        assert_eq!(Pattern::error_like().find(log, 10), None);
    }
}
