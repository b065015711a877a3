//! Collects the problems of one compile, each with its place and the path of its key.
//!
//! Knows nothing of the keys. Bounded: further problems are counted, and said in one line.

use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use super::problem::{Problem, Severity};
use super::yaml::{Fault, Pos, Span};

/// No more problems than this are kept.
const MAX_PROBLEMS: usize = 200;

/// The way from the root of the document to a node; cheap to clone and to extend.
#[derive(Clone, Default, Debug)]
pub(crate) struct Path(Option<Rc<Link>>);

#[derive(Debug)]
struct Link {
    parent: Path,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// The path of the value under `key`.
    pub(crate) fn key(&self, key: &str) -> Path {
        Path(Some(Rc::new(Link {
            parent: self.clone(),
            step: Step::Key(key.to_owned()),
        })))
    }

    /// The path of the item at `index`.
    pub(crate) fn index(&self, index: usize) -> Path {
        Path(Some(Rc::new(Link {
            parent: self.clone(),
            step: Step::Index(index),
        })))
    }

    /// The last key, with the indices after it: `steps[1]`; empty at the root.
    pub(crate) fn last(&self) -> String {
        let Some(link) = &self.0 else {
            return String::new();
        };
        match &link.step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => format!("{}[{index}]", link.parent.last()),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(link) = &self.0 else { return Ok(()) };
        link.parent.fmt(f)?;
        match &link.step {
            Step::Key(key) if link.parent.0.is_none() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Where a problem is: what an editor underlines, and which key it is about.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub span: Span,
    pub path: Path,
}

/// The problems so far.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    /// Version 2.1: what version 2 only warns of is an error.
    strict: bool,
    problems: Vec<Problem>,
    seen: HashSet<(Pos, String)>,
    left_out: usize,
    errors: usize,
}

impl Report {
    /// An empty report on `file`.
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            strict: true,
            problems: Vec::new(),
            seen: HashSet::new(),
            left_out: 0,
            errors: 0,
        }
    }

    /// Sets whether the config is of version 2.1.
    pub(crate) fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// Whether the plan cannot be made.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether a further problem would still be shown: what costs time to say may then be left out.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Notes an error.
    pub(crate) fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into(), None);
    }

    /// Notes an error with a hint.
    pub(crate) fn error_hint(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.add(Severity::Error, place, message.into(), hint);
    }

    /// Notes what does not stop the build.
    pub(crate) fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.add(Severity::Warning, place, message.into(), None);
    }

    /// Notes what is an error in version 2.1 and a warning in version 2.
    pub(crate) fn lenient(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let severity = if self.strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.add(severity, place, message.into(), hint);
    }

    /// Notes that something of CircleCI's language is not run yet; `what` comes with its backticks.
    pub(crate) fn not_yet(&mut self, place: &Place, what: &str) {
        self.error(
            place,
            format!("{what} is known to CircleCI, but Roundel does not run it yet"),
        );
    }

    /// Notes a fault of the YAML layer.
    pub(crate) fn fault(&mut self, fault: Fault, severity: Severity) {
        self.push(severity, fault.span, fault.key, fault.message, fault.hint);
    }

    /// Notes a repeated key: an error in version 2.1, a warning in version 2.
    pub(crate) fn lenient_fault(&mut self, fault: Fault) {
        let severity = if self.strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        self.fault(fault, severity);
    }

    fn add(&mut self, severity: Severity, place: &Place, message: String, hint: Option<String>) {
        if self.is_full() {
            self.count(severity);
            self.left_out += 1;
            return;
        }
        self.push(severity, place.span, place.path.to_string(), message, hint);
    }

    fn push(
        &mut self,
        severity: Severity,
        span: Span,
        key: String,
        message: String,
        hint: Option<String>,
    ) {
        self.count(severity);
        // A fault in an anchored map shows once, not once for each alias.
        if !self.seen.insert((span.start, message.clone())) {
            return;
        }
        self.problems.push(Problem {
            severity,
            file: self.file.clone(),
            line: span.start.line,
            column: span.start.column,
            end_line: span.end.line,
            end_column: span.end.column,
            key,
            message,
            hint,
        });
    }

    fn count(&mut self, severity: Severity) {
        self.errors += usize::from(severity == Severity::Error);
    }

    /// The problems in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        if self.left_out > 0 {
            let message = format!("{} further problems are not shown", self.left_out);
            let severity = if self.errors > 0 {
                Severity::Error
            } else {
                Severity::Warning
            };
            let last = self.problems.last().map_or(Span::START, |last| {
                let pos = Pos {
                    line: last.line,
                    column: last.column,
                };
                Span {
                    start: pos,
                    end: pos,
                }
            });
            self.push(severity, last, String::new(), message, None);
        }
        self.problems
    }
}
